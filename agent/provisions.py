"""What some scripts get besides their own file: secrets, and a file for values they leave."""

from __future__ import annotations

import os
import shutil

from agent.capture import Capture
from agent.launch import LaunchFailed
from agent.masking import Mask, is_maskable, spellings
from agent.outputs import OUTPUT_VARIABLE, Outputs, make_file, read_outputs
from agent.progress_files import SUFFIX, keep_progress
from agent.secret_files import FILE_SUFFIX, write_secrets
from agent.veil import MaskedCapture
from agent.work import Launch

_OVERSHOOT_BYTES = 256 * 1024


class Provisions:
    """The secrets and outputs of one task; a task without any costs nothing here."""

    def __init__(self, order: Launch) -> None:
        self._order = order
        self._secrets = {**(order.secrets or {}), **(order.secret_files or {})}
        forms = spellings(self._secrets.values())
        self._mask = Mask(forms) if forms else None
        self._folder = ""
        self._output = ""
        self._task_folder = ""
        self.progress = ""
        """The file in which a transfer says how far it is; empty for scripts."""

    def capture(self, folder: str) -> Capture:
        """Where the output goes; it is masked on the way if there is something to mask."""
        order = self._order
        self._task_folder = folder
        kept = order.output_bytes
        if order.ends_at_output_limit:
            kept = kept * 4 // 3 + _OVERSHOOT_BYTES  # what is within the limit is never cut
        sizes = {"spool_bytes": order.spool_bytes, "output_bytes": kept}
        return (
            MaskedCapture(folder, self._mask, **sizes) if self._mask else Capture(folder, **sizes)
        )

    def lay_out(self, place: str) -> None:
        """Complete the environment and make the files; `place` is the script's private folder.

        Raises LaunchFailed.
        """
        order = self._order
        if order.reasons:
            self.progress = os.path.join(place, order.file_name) + SUFFIX
        order.environment.update(order.secrets or {})
        try:
            if order.secret_files:
                user = (order.uid, order.gid)
                self._folder = write_secrets(place, order.mark, order.secret_files, user)
                for name in order.secret_files:
                    order.environment[name + FILE_SUFFIX] = os.path.join(self._folder, name)
            if order.has_outputs:
                self._output = make_file(place, order.uid, order.gid)
                order.environment[OUTPUT_VARIABLE] = self._output
        except OSError:
            raise LaunchFailed("secret_not_written") from None

    def collect(self) -> Outputs:
        """The values that the script left, and what people should know; call once, at the end."""
        found = Outputs()
        if self.progress:
            keep_progress(self.progress, self._task_folder)
        if self._output:
            found = read_outputs(self._output, self._order.uid, self._hides_in)
        for name, value in self._secrets.items():
            if value and not is_maskable(value):
                found.notices.append(("secret_not_masked", name))
        return found

    def meaning(self, exit_code: int | None) -> str:
        """What the exit code of a transfer says."""
        return (self._order.reasons or {}).get(str(exit_code), "")

    def _hides_in(self, value: str) -> bool:
        return self._mask is not None and self._mask.hides_in(value)

    def clear(self) -> None:
        """Remove what was laid out; the script's own folder is somebody else's business."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
