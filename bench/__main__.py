"""`python -m bench`: runs every benchmark, or one, and prints its figures."""

import argparse
import importlib
import pkgutil
import signal
import sys
from collections.abc import Callable, Iterable

import bench
from bench.report import Figure, table

Measure = Callable[[int | None, bool], Iterable[Figure]]
"""`measure(n, peers)`: `n` is the size, None for the benchmark's own default; `peers` asks for
the other systems beside us."""


def benchmarks() -> dict[str, Measure]:
    """Name -> `measure(n, peers)` of every module here that has one; imported when listed."""
    found: dict[str, Measure] = {}
    for module in pkgutil.iter_modules(bench.__path__):
        if module.name.startswith("_"):
            continue
        measure = getattr(importlib.import_module(f"bench.{module.name}"), "measure", None)
        if callable(measure):
            found[module.name] = measure
    return found


def main(arguments: list[str]) -> int:
    """Prints one JSON line per figure as it is known, and a table at the end."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", help="run one benchmark by name")
    parser.add_argument("-n", type=int, help="size, where the benchmark has one")
    parser.add_argument("--peers", action="store_true", help="measure the peers beside us, too")
    asked = parser.parse_args(arguments)
    known = benchmarks()
    if asked.only and asked.only not in known:
        print(f"There is no benchmark {asked.only}; known: {', '.join(known)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for name in [asked.only] if asked.only else known:
        for figure in known[name](asked.n, asked.peers):
            print(figure.line(), flush=True)
            figures.append(figure)
    print(f"\n{table(figures)}")
    return 0


def end_tidily() -> None:
    """Let a SIGTERM (a time limit, say) end what a benchmark has started, not its program alone.

    `timeout` sends two, to the program and to its group; the second one must not stop the tidying.
    """

    def end(*_: object) -> None:
        signal.signal(signal.SIGTERM, lambda *_: None)
        sys.exit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)


if __name__ == "__main__":
    end_tidily()
    sys.exit(main(sys.argv[1:]))
