"""How far transfers are: read from the file that the program writes, told when it has changed."""

from __future__ import annotations

import json
import os

from agent.progress_files import KEPT, read_progress
from libs.protocol.codec import decode_record
from libs.protocol.errors import ProtocolError
from libs.protocol.messages import Progress
from libs.protocol.orders import FileProgress


class ProgressTeller:
    """Remembers what was told of one attempt."""

    def __init__(self, folder: str) -> None:
        self._kept = os.path.join(folder, KEPT)
        self._told = b""

    def news(self, path: str, key: tuple[str, int]) -> Progress | None:
        """What to tell if something has changed; `path` is empty once the program has ended."""
        content = read_progress(path) if path else read_progress(self._kept)
        if not content or content == self._told:
            return None
        self._told = content
        try:
            rows = json.loads(content)
            files = tuple(decode_record(FileProgress, json.dumps(row)) for row in rows[:100])
        except (ProtocolError, ValueError, TypeError, RecursionError):
            return None
        return Progress(*key, files)
