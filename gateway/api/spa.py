"""The console's files: index for every page, hashed assets for ever, nothing outside the folder."""

import asyncio
import gzip
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.api.errors import MethodRefused, NoSuchAddress
from gateway.api.exchange import Exchange
from gateway.api.heads import Header, RequestHead
from gateway.api.pages import NOT_BUILT

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
_WORTH_PACKING: Final = frozenset({".css", ".html", ".js", ".json", ".map", ".mjs", ".svg", ".txt"})
_SMALLEST_PACKED: Final = 1024
_HASHED: Final = re.compile(r"/assets/.*[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+")
_FOREVER: Final[Header] = (b"cache-control", b"public, max-age=31536000, immutable")
_ASK_AGAIN: Final[Header] = (b"cache-control", b"no-cache")
_HTML: Final[Header] = (b"content-type", b"text/html; charset=utf-8")
_VARY: Final[Header] = (b"vary", b"Accept-Encoding")


@dataclass(slots=True)
class _File:
    """A file of the build; `plain` and `packed` are its bytes once somebody asked for them."""

    path: Path
    headers: tuple[Header, ...]
    etag: bytes
    packable: bool
    plain: bytes | None = None
    packed: bytes | None = field(default=None, repr=False)


class Console:
    """The built single-page console in `folder`; a folder without a build gives a hint instead.

    Only files seen when the folder was read are ever served, so no spelling of a path leads out.
    A new build is noticed by its index.html.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._files: dict[str, _File] = {}
        self._built_at: int | None = None

    async def answer(self, path: str, head: RequestHead, method: str, exchange: Exchange) -> None:
        """Sends the file or the page at a canonical path."""
        if method not in ("GET", "HEAD"):
            raise MethodRefused(method=method)
        file = self._file(path)
        if file is None:
            await exchange.answer(200, NOT_BUILT, (_HTML, *exchange.dressed, _ASK_AGAIN))
            return
        shared = (*file.headers, (b"etag", file.etag), *exchange.dressed)
        if file.etag in (head.passed(b"if-none-match") or b""):
            await exchange.answer(304, b"", shared)
            return
        if file.packable and _takes_gzip(head.passed(b"accept-encoding") or b""):
            body = await _packed(file)
            shared = (*shared, (b"content-encoding", b"gzip"))
        else:
            body = await _plain(file)
        await exchange.answer(200, body, shared)

    def _file(self, path: str) -> _File | None:
        """The file at the path, index.html for a page, None without a build."""
        if path in self._files and path.startswith("/assets/"):
            return self._files[path]
        self._notice_new_build()
        if path in self._files:
            return self._files[path]
        if "." in path.rpartition("/")[2]:
            raise NoSuchAddress()
        return self._files.get("/index.html")

    def _notice_new_build(self) -> None:
        if self._folder is None:
            return
        try:
            built_at = (self._folder / "index.html").stat().st_mtime_ns
        except OSError:
            built_at = None
        if built_at != self._built_at:
            self._built_at = built_at
            self._files = {} if built_at is None else _read_folder(self._folder)


def _read_folder(folder: Path) -> dict[str, _File]:
    files: dict[str, _File] = {}
    root = folder.resolve()
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        hidden = any(part.startswith(".") for part in relative.parts)
        if hidden or not path.is_file() or not path.resolve().is_relative_to(root):
            continue
        address = f"/{relative.as_posix()}"
        files[address] = _describe(address, path)
    return files


def _describe(address: str, path: Path) -> _File:
    state = path.stat()
    mark = hashlib.sha256(f"{address}:{state.st_size}:{state.st_mtime_ns}".encode()).hexdigest()[
        :20
    ]
    kind = _TYPES.get(path.suffix, "application/octet-stream").encode("ascii")
    packable = path.suffix in _WORTH_PACKING and state.st_size >= _SMALLEST_PACKED
    cached = _FOREVER if _HASHED.fullmatch(address) else _ASK_AGAIN
    headers = ((b"content-type", kind), cached, *((_VARY,) if packable else ()))
    return _File(path, headers, b'"%b"' % mark.encode("ascii"), packable)


def _takes_gzip(accepted: bytes) -> bool:
    choices = [choice.strip().lower() for choice in accepted[:500].split(b",")]
    return any(choice in (b"gzip", b"*") or choice.startswith(b"gzip;") for choice in choices) and (
        b"gzip;q=0" not in [choice.replace(b" ", b"") for choice in choices]
    )


async def _plain(file: _File) -> bytes:
    if file.plain is None:
        file.plain = await asyncio.to_thread(file.path.read_bytes)
    return file.plain


async def _packed(file: _File) -> bytes:
    if file.packed is None:
        file.packed = await asyncio.to_thread(_pack, file.path)
    return file.packed


def _pack(path: Path) -> bytes:
    """A build may bring its own packed files; else they are made once per process."""
    ready = path.with_name(f"{path.name}.gz")
    if ready.is_file():
        return ready.read_bytes()
    return gzip.compress(path.read_bytes(), compresslevel=6, mtime=0)
