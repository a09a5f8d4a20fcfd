"""Builds tests/support/faulty_libc.c and tells a process's C library to fail."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.tree import REPOSITORY

SOURCE = REPOSITORY / "tests" / "support" / "faulty_libc.c"


@dataclass
class FaultyLibc:
    """One process's liar; `environment` goes to that process alone."""

    library: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """For the process that is to be lied to."""
        return {"LD_PRELOAD": str(self.library), "FAULTY_LIBC": str(self.folder)}

    def tell(self, fault: str, text: str) -> None:
        """Begin a fault: `sync`, `write` or `clock`; see the C file."""
        new = self.folder / f"{fault}.new"
        new.write_text(text)
        new.rename(self.folder / fault)

    def end(self, fault: str) -> None:
        """End it."""
        (self.folder / fault).unlink(missing_ok=True)


class Deceived:
    """Something of which processes may be lied to; `disk` is the folder that can be full."""

    liar: FaultyLibc | None
    disk: Path

    @property
    def lies(self) -> dict[str, str]:
        """The environment of its processes."""
        return self.liar.environment if self.liar else {}

    def fill_disk(self) -> bool:
        """No write below `disk` succeeds until `end_lies`; False if that is impossible."""
        if self.liar is not None:
            self.liar.tell("write", f"{self.disk}/")
        return self.liar is not None

    def shift_clock(self, seconds: int) -> bool:
        """The wall clock jumps, until `end_lies`; False if that is impossible."""
        if self.liar is not None:
            self.liar.tell("clock", str(seconds))
        return self.liar is not None

    def end_lies(self) -> None:
        """Room on the disk, and the right time."""
        if self.liar is not None:
            self.liar.end("write")
            self.liar.end("clock")


def liar_in(folder: Path) -> FaultyLibc | None:
    """A liar whose library and faults lie below this folder; None where there is no C compiler."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    library, faults = folder / "faulty_libc.so", folder / "faulty"
    faults.mkdir(parents=True)
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return FaultyLibc(library, faults)


@pytest.fixture
def faulty_libc(tmp_path: Path) -> FaultyLibc:
    """Skips, loudly, where there is no C compiler."""
    liar = liar_in(tmp_path)
    if liar is None:
        pytest.skip("no C compiler: the disk and the clock cannot be made to lie")
    return liar
