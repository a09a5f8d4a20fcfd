"""A file that is made while it is sent."""

import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, Final, cast

BUFFER_BYTES: Final = 256 * 1024
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


class _Outlet(io.RawIOBase):
    """Takes what an archive writes and lets it be fetched piece by piece; cannot go back."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: object) -> int:
        """Keeps a copy until it is fetched."""
        held = bytes(data)  # type: ignore[call-overload]  # any buffer
        self._held.append(held)
        self.size += len(held)
        return len(held)

    def fetch(self) -> bytes:
        """What was written since the last time."""
        data = b"".join(self._held)
        self._held.clear()
        self.size = 0
        return data


def zipped(files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """An archive of these files; memory for one piece and a line for each file.

    A file of which nothing comes is left out.
    """
    outlet = _Outlet()
    with zipfile.ZipFile(
        cast(IO[bytes], outlet), "w", zipfile.ZIP_DEFLATED, compresslevel=1
    ) as archive:
        for name, pieces in files:
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            with archive.open(info, "w", force_zip64=True) as entry:
                for piece in pieces:
                    entry.write(piece)
                    if outlet.size >= BUFFER_BYTES:
                        yield outlet.fetch()
    yield outlet.fetch()


def gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that are worth sending."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= BUFFER_BYTES:
            yield b"".join(held)
            held.clear()
            size = 0
    if held:
        yield b"".join(held)
