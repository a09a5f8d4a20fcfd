"""Views: whole lines out of pieces, and a display that survives any terminal."""

import contextlib
import os
import pty
import sys

import pytest

from services.cli import terminal, views
from services.cli.follow import LineCutter, exit_code_for, how_it_ended
from services.cli.terminal import ReaderGone


def test_lines_are_whole_however_the_output_is_cut() -> None:
    cutter = LineCutter()

    pieces = ("on", "e\ntw", "", "o\n\nth")

    lines = [line for piece in pieces for line in cutter.add("h", "stdout", piece)]

    assert lines == ["one", "two", ""]
    assert list(cutter.leftovers()) == [("h", "stdout", "th")]
    assert list(cutter.leftovers()) == []


def test_hosts_and_streams_do_not_mix() -> None:
    cutter = LineCutter()

    cutter.add("a", "stdout", "left")
    cutter.add("a", "stderr", "wrong")

    assert cutter.add("b", "stdout", "right\n") == ["right"]
    assert cutter.add("a", "stdout", " over\n") == ["left over"]


def test_plain_lines_bear_the_host_and_nothing_harmful(capsys: pytest.CaptureFixture[str]) -> None:
    view = views.PlainView()

    view.output("web-1", "stdout", ["one\r", "\x1b[2Jtwo"])
    view.gap("web-1", "5 bytes are missing: spool_full")

    shown = capsys.readouterr()
    assert shown.out == "web-1 | one\nweb-1 | \\x1b[2Jtwo\n"
    assert shown.err == "web-1 | (5 bytes are missing: spool_full)\n"


def test_a_reader_that_went_away_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", buffering=1) as stream:
        monkeypatch.setattr(sys, "stdout", stream)

        with pytest.raises(ReaderGone):
            views.PlainView().output("h", "stdout", ["x"])

        monkeypatch.undo()
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, writing)
        os.close(nothing)


def everything(controller: int) -> str:
    """What was written to a pseudo-terminal whose other end is closed."""
    found = b""
    with contextlib.suppress(OSError):  # how Linux says that the other end is closed
        while piece := os.read(controller, 65_536):
            found += piece
    os.close(controller)
    return found.decode()


def test_the_live_display_shows_lines_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal that claims to have no columns at all."""
    controller, terminal_end = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(terminal_end, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with views.LiveView(3) as view:
            view.states({"web-1": "success", "web-2": "running", "web-3": "queued"})
            view.output("web-2", "stderr", ["\x1b]0;owned\x07half way"])
            view.gap("web-2", "lost")
        stream.flush()
        monkeypatch.undo()
    shown = everything(controller)

    assert "1 of 3 hosts done" in shown
    assert "\\x1b]0;owned\\x07half way" in shown
    assert "\x1b]0;" not in shown


@pytest.mark.parametrize("width", [1, 39])
def test_a_narrow_terminal_gets_plain_lines(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "live_display", lambda: True)
    monkeypatch.setattr(views, "columns", lambda: width)

    assert isinstance(views.view_for(1, raw=False), views.PlainView)


@pytest.mark.parametrize(
    ("status", "tasks", "code"),
    [
        ("success", ["success", "success"], 0),
        ("failed", ["success", "failed"], 1),
        ("success", ["success", "lost"], 1),
        ("cancelled", ["cancelled"], 1),
        ("", [], 1),
    ],
)
def test_only_complete_success_is_exit_code_0(status: str, tasks: list[str], code: int) -> None:
    assert exit_code_for([{"status": each} for each in tasks], status) == code


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ({"status": "success", "exit_code": 0}, "success"),
        ({"status": "failed", "exit_code": 3}, "failed, exit code 3"),
        ({"status": "failed", "signal": 9, "exit_code": None}, "failed, signal 9"),
        ({"status": "rejected", "reason": "run_as_denied"}, "rejected, run_as_denied"),
    ],
)
def test_how_a_task_ended_is_told_in_words(task: dict[str, str | int | None], words: str) -> None:
    assert how_it_ended({**task}) == words
