"""Two ways to show a running execution: prefixed lines, or lines above a table that is redrawn."""

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from rich.cells import cell_len
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from services.cli import terminal

_WIDEST = 400  # columns; a terminal that claims more is not believed
_NARROWEST = 40  # below that a display that is redrawn would only flicker
_MOST_HOSTS_SHOWN = 12
_COLOURS = {
    "success": "green",
    "running": "cyan",
    "claimed": "cyan",
    "failed": "red",
    "rejected": "red",
    "timeout": "red",
    "lost": "magenta",
    "cancelled": "yellow",
    "expired": "yellow",
}
_OVER = frozenset({"success", "failed", "rejected", "timeout", "lost", "cancelled", "expired"})


class PlainView:
    """One line of output, one line on stdout: `host | text`. Fit for pipes and files."""

    def __init__(self, *, raw: bool = False, prefix: bool = True) -> None:
        self._show: Callable[[str], str] = str if raw else terminal.harmless
        self._prefix = prefix

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            terminal.flush()

    def output(self, host: str, stream: str, lines: list[str]) -> None:
        start = f"{terminal.harmless(host)} | " if self._prefix else ""
        text = "".join(f"{start}{self._show(line.removesuffix(chr(13)))}\n" for line in lines)
        terminal.write(text)
        terminal.flush()

    def states(self, tasks: Mapping[str, str]) -> None:
        """Plain output does not tell states as they pass; the end is told once."""

    def gap(self, host: str, text: str) -> None:
        terminal.note(f"{terminal.harmless(host)} | ({terminal.harmless(text)})")


class LiveView:
    """Output scrolls by; below it stay the number of hosts in each state and who is not done."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._tasks: dict[str, str] = {}
        self._latest: dict[str, str] = {}
        self._began = time.monotonic()
        self._console = Console(width=columns(), highlight=False, soft_wrap=True)
        self._live = Live(
            console=self._console,
            get_renderable=self._picture,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def output(self, host: str, stream: str, lines: list[str]) -> None:
        name = terminal.harmless(host)
        block = Text()
        for number, line in enumerate(lines):
            block.append("\n" if number else "")
            block.append(f"{name} | ", style="bold" if stream == "stdout" else "bold red")
            block.append(terminal.harmless(line.removesuffix("\r")))
        self._latest[host] = terminal.harmless(lines[-1])
        self._console.print(block)

    def states(self, tasks: Mapping[str, str]) -> None:
        self._tasks = dict(tasks)

    def gap(self, host: str, text: str) -> None:
        self._console.print(Text(f"{terminal.harmless(host)} | ({text})", style="yellow"))

    def _picture(self) -> Group:
        self._console.width = columns()  # the window may have changed
        counts = Counter(self._tasks.values())
        done = sum(number for state, number in counts.items() if state in _OVER)
        head = Text(f"{done} of {self._total} hosts done, {time.monotonic() - self._began:.0f} s")
        for state, number in counts.items():
            head.append(f"  {number} {state}", style=_COLOURS.get(state, ""))
        busy = [host for host, state in self._tasks.items() if state not in _OVER]
        lines = [self._row(host) for host in busy[:_MOST_HOSTS_SHOWN]]
        if len(busy) > _MOST_HOSTS_SHOWN:
            lines.append(Text(f"and {len(busy) - _MOST_HOSTS_SHOWN} more", style="dim"))
        return Group(head, *lines)

    def _row(self, host: str) -> Text:
        state = self._tasks[host]
        row = Text(no_wrap=True, overflow="ellipsis")
        row.append(f"  {terminal.harmless(host)} ")
        row.append(state, style=_COLOURS.get(state, "dim"))
        row.append(f"  {self._latest.get(host, '')}", style="dim")
        if cell_len(row.plain) > self._console.width:
            row.truncate(self._console.width, overflow="ellipsis")
        return row


def view_for(total: int, *, raw: bool) -> PlainView | LiveView:
    """The live display where there is a terminal for it and nothing raw to show, else lines."""
    if raw or not terminal.live_display() or columns() < _NARROWEST:
        return PlainView(raw=raw)
    return LiveView(total)


def columns() -> int:
    """Width of the terminal, within reason."""
    try:
        return min(os.get_terminal_size(1).columns or 80, _WIDEST)
    except OSError:
        return 80
