"""The program that moves files: run like a script, by the shim, as the user that is wanted.

Its one argument is a file with the order: what to do, the gateways, what this host allows and
where to write progress.
"""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import dataclass

from agent.transfer_collect import Collect
from agent.transfer_folders import Policy
from agent.transfer_push import Around, Push
from agent.transfer_report import EXIT_CODES, Report, TransferFailed, printable
from agent.transfer_wire import PATIENCE_SECONDS, Gateways
from libs.protocol.codec import decode_record
from libs.protocol.errors import ProtocolError
from libs.protocol.fields import to_json
from libs.protocol.orders import FileWork


@dataclass(frozen=True)
class Errand:
    """The order as the agent hands it over; `roots` are what this host allows, by its own rule."""

    action: str
    work: FileWork
    gateways: tuple[str, ...]
    ca_file: str
    state: str
    roots: tuple[str, ...]
    patience_seconds: float = PATIENCE_SECONDS

    def write(self) -> str:
        """As text for the file."""
        return json.dumps({**vars(self), "work": to_json(self.work)})

    @classmethod
    def read(cls, text: str) -> Errand:
        """Raises ValueError, TypeError or KeyError for what was not written by `write`."""
        raw = json.loads(text)
        raw["work"] = decode_record(FileWork, json.dumps(raw["work"]))
        for name in ("gateways", "roots"):
            raw[name] = tuple(raw[name])
        return cls(**raw)


class _Told(BaseException):
    """SIGTERM: the task was cancelled, or its time is up."""


def _stop(number: int, frame: object) -> None:
    raise _Told


def main() -> None:
    """Do one errand; the exit code says why it failed."""
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(_run(sys.argv[-1]))


def _run(path: str) -> int:
    try:
        with open(path, encoding="utf-8") as file:
            errand = Errand.read(file.read())
        report = Report(f"{path}.progress")
        policy = Policy.of(errand.work.roots, errand.roots, state=errand.state)
        gateways = Gateways(errand.gateways, errand.ca_file, errand.patience_seconds)
        around = Around(policy, gateways, report)
        task = Push if errand.action == "push" else Collect
        try:
            task(errand.work, around).run()
        finally:
            report.write()
    except _Told:
        return 128 + signal.SIGTERM
    except TransferFailed as failure:
        return _failed(failure.reason, str(failure))
    except (ProtocolError, ValueError, TypeError, KeyError) as error:
        return _failed("order_invalid", f"The order cannot be read: {error}")
    except OSError as error:
        return _failed("io_error", str(error))
    return 0


def _failed(reason: str, sentence: str) -> int:
    sys.stderr.write(printable(f"{reason}: {sentence}") + "\n")
    return EXIT_CODES[reason]


if __name__ == "__main__":
    main()
