"""The program that moves files: a fork of the shim, which watches it as it watches a script.

The file whose path it gets holds the order: what to do, the gateways, what this host allows and
where to write progress. It becomes the wanted user, who may be unable to read our code; so
whatever an errand needs is imported before. What every push needs the spawner has imported, once
for all shims and transfers; so nothing here may need much memory.
"""

from __future__ import annotations

import gc
import os
import signal
import sys

from agent.errands import Errand, RunUser
from agent.transfer_folders import Policy
from agent.transfer_push import Around, Push
from agent.transfer_report import EXIT_CODES, Report, TransferFailed, printable
from agent.transfer_wire import Gateways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from agent.transfer_collect import Collect
    from libs.protocol.orders import FileWork


class _Told(BaseException):
    """SIGTERM: the task was cancelled, or its time is up."""


def _stop(number: int, frame: object) -> None:
    raise _Told


def main(path: str, stay: Callable[[], None]) -> None:
    """Do one errand; the exit code says why it failed. Never returns.

    `stay` is called at first and after a change of user, which undoes what it does. The process
    ends as it is: to take the interpreter down in order costs as much as to start it.
    """
    gc.freeze()  # what was imported stays, and needs no looking through
    gc.enable()
    try:
        signal.signal(signal.SIGTERM, _stop)
        code = _run(path, stay)
        sys.stdout.flush()
        sys.stderr.flush()
    except _Told:
        code = 128 + signal.SIGTERM
    os._exit(code)


def _run(path: str, stay: Callable[[], None]) -> int:
    try:
        stay()
        with open(path, encoding="utf-8") as file:
            errand = Errand.read(file.read())
        report = Report(f"{path}.progress")
        task = _task_for(errand.action, errand.work)
        gateways = Gateways.of(errand.gateways, errand.ca_file, errand.patience_seconds)
        if errand.user is not None:
            _become(errand.user, os.path.dirname(path))
            stay()
        policy = Policy.of(
            *(errand.work.roots, errand.roots, errand.host_roots), state=errand.state
        )
        around = Around(policy, gateways, report, errand.blake3)
        try:
            task(errand.work, around).run()
        finally:
            report.write()
    except TransferFailed as failure:
        return _failed(failure.reason, str(failure))
    except (ValueError, TypeError, KeyError) as error:
        return _failed("order_invalid", f"The order cannot be read: {error}")
    except OSError as error:
        return _failed("io_error", str(error))
    return 0


def _task_for(action: str, work: FileWork) -> type[Push | Collect]:
    """What does the errand."""
    if action != "push":
        from agent.transfer_collect import Collect  # noqa: PLC0415 - a push must not pay for it

        return Collect
    if any(item.is_tree for item in work.items):
        from agent.transfer_tree import PushTrees  # noqa: PLC0415 - a plain push must not pay

        return PushTrees
    return Push


def _become(user: RunUser, folder: str) -> None:
    """Groups, then gid, then uid; the private folder goes along, so that progress can be told."""
    os.chown(folder, user.uid, user.gid, follow_symlinks=False)
    os.setgroups(user.groups)
    os.setresgid(user.gid, user.gid, user.gid)
    os.setresuid(user.uid, user.uid, user.uid)
    if os.getresuid() != (user.uid,) * 3 or os.getresgid() != (user.gid,) * 3:
        raise TransferFailed("not_permitted", "The user could not be changed.")


def _failed(reason: str, sentence: str) -> int:
    sys.stderr.write(printable(f"{reason}: {sentence}") + "\n")
    return EXIT_CODES[reason]
