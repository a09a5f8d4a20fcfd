"""Run by Salt's own Python: a line with seconds of patience in, a line with the outcome out."""

import json
import sys
import time

from salt.client import LocalClient  # type: ignore[import-not-found]
from salt.exceptions import SaltException  # type: ignore[import-not-found]


def main(settings: str) -> None:
    """Ask every minion of a master for `echo hello`, once per line of standard input."""
    outcomes, sys.stdout = sys.stdout, sys.stderr  # Salt's own words stay out of the answers
    client = LocalClient(c_path=settings)
    for line in sys.stdin:
        began = time.perf_counter()
        try:
            answers = client.cmd("*", "cmd.run", ["echo hello"], timeout=int(line))
        except SaltException as failed:  # nobody answered: a master that is still starting
            print(failed, file=sys.stderr, flush=True)
            answers = {}
        took = time.perf_counter() - began
        good = sum(answer == "hello" for answer in answers.values())
        print(json.dumps([took, good]), file=outcomes, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
