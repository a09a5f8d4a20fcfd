"""How fast the disk takes bytes past all caches: what a copy that waits for it cannot beat."""

import mmap
import os
import tempfile
import time
from pathlib import Path

PIECE = 1024 * 1024


def seconds(folder: Path, size: int) -> float:
    """Seconds to put about so many bytes on the disk under a folder, in pieces of 1 MiB.

    The room is set aside before, and the pages are the writer's own (O_DIRECT, open(2)), so
    neither the file system nor memory has much to do. Raises OSError where that is not possible.
    """
    with tempfile.NamedTemporaryFile(dir=folder) as named, mmap.mmap(-1, PIECE) as piece:
        piece.write(os.urandom(PIECE))
        disk = os.open(named.name, os.O_WRONLY | os.O_DIRECT)
        try:
            os.posix_fallocate(disk, 0, size // PIECE * PIECE)
            os.fsync(disk)
            began = time.perf_counter()
            for _ in range(size // PIECE):
                os.write(disk, piece)
            os.fsync(disk)
            return time.perf_counter() - began
        finally:
            os.close(disk)
