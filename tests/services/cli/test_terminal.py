"""Text of hosts cannot steer the terminal of the person who reads it."""

import json

import pytest

from services.cli import invoke, terminal


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text\twith tab\n", "plain text\twith tab\n"),
        ("中文 é 🎉", "中文 é 🎉"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("10%\r20%", "10%\\x0d20%"),
        ("dos\r\n", "dos\n"),
        ("a\u202eb", "a\\u202eb"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("line\u2028separator", "line\\u2028separator"),
        ("\U000e0041tag", "\\U000e0041tag"),
        ("nul\x00", "nul\\x00"),
    ],
)
def test_controls_become_visible_and_words_stay(text: str, shown: str) -> None:
    assert terminal.harmless(text) == shown


def test_json_stays_json_and_steers_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    content = {"name": "\x1b[2J 中文 \x9b \u202e \U000e0041"}

    terminal.as_json(content)

    out = capsys.readouterr().out
    assert json.loads(out) == content
    assert not set(out) & set("\x1b\x9b\u202e\U000e0041")
    assert "中文" in out


def test_columns_line_up_by_display_width(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.columns(("NAME", "STATE"), [("主机", "online"), ("web-1", None)])

    assert capsys.readouterr().out.splitlines() == [
        "NAME   STATE",
        "主机   online",
        "web-1  -",
    ]


@pytest.mark.parametrize(
    ("environment", "chinese"),
    [
        ({"LANG": "zh_CN.UTF-8"}, True),
        ({"LANG": "en_US.UTF-8"}, False),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, False),
        ({"LC_ALL": "", "LANG": "zh_TW"}, True),
        ({}, False),
    ],
)
def test_the_language_follows_the_environment(
    environment: dict[str, str], chinese: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert terminal.speaks_chinese() is chinese


@pytest.mark.parametrize(("arguments", "shown"), [([], "approvals"), (["hosts"], "list")])
def test_a_command_that_is_not_said_whole_shows_what_there_is_line_by_line(
    arguments: list[str], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(arguments) == 2

    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Usage: opsjob")
    assert any(line.strip().startswith(shown) for line in lines)
