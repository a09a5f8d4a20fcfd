"""Values for later steps: what is taken from the file, and what a script cannot slip in."""

import os
from pathlib import Path

import pytest

from agent.outputs import Outputs, make_file, read_outputs
from libs.protocol.payload import MAX_OUTPUT_BYTES, MAX_OUTPUTS


def read(path: str) -> Outputs:
    return read_outputs(path, os.geteuid(), lambda value: "secret" in value)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return make_file(str(tmp_path), os.geteuid(), os.getegid())


def test_lines_become_values_and_the_last_one_wins(path: str) -> None:
    content = "A=1\n\nB= two = 2 \nA=3\nEMPTY=\nTAB=a\tb\r\nU=gr\u00fc\u00dfe"
    Path(path).write_text(content, newline="")

    outputs = read(path)

    assert outputs.values == {
        "A": "3", "B": " two = 2 ", "EMPTY": "", "TAB": "a\tb", "U": "gr\u00fc\u00dfe",
    }  # fmt: skip
    assert outputs.notices == []


@pytest.mark.parametrize(
    ("line", "notice"),
    [
        (b"no equals sign", ("output_invalid", "line 1")),
        (b"1A=x", ("output_invalid", "line 1")),
        (b"A B=x", ("output_invalid", "line 1")),
        (b"=x", ("output_invalid", "line 1")),
        (b"A" * 129 + b"=x", ("output_invalid", "line 1")),
        (b"OPSJOB_TASK_ID=x", ("output_invalid", "line 1")),
        (b"A=\xff", ("output_invalid", "line 1")),
        (b"A=a\x00b", ("output_invalid", "A")),
        (b"A=a\x1b[31m", ("output_invalid", "A")),
        (b"A=my secret", ("output_secret", "A")),
    ],
)
def test_a_bad_line_is_left_out_and_noted(path: str, line: bytes, notice: tuple[str, str]) -> None:
    Path(path).write_bytes(line + b"\nGOOD=1\n")

    outputs = read(path)

    assert outputs.values == {"GOOD": "1"}
    assert outputs.notices == [notice]


def test_a_file_beyond_the_limit_is_not_taken_by_half(path: str) -> None:
    Path(path).write_bytes(b"A=1\n" + b"B=" + b"x" * MAX_OUTPUT_BYTES)

    assert read(path) == Outputs({}, [("outputs_too_large", "")])


def test_more_values_than_allowed_are_noted(path: str) -> None:
    Path(path).write_text("".join(f"A{number}=x\n" for number in range(MAX_OUTPUTS + 5)))

    outputs = read(path)

    assert len(outputs.values) == MAX_OUTPUTS
    assert outputs.notices == [("outputs_too_large", "")]


@pytest.mark.parametrize("trick", ["link", "hard link", "pipe", "folder"])
def test_something_else_in_its_place_is_not_read(path: str, tmp_path: Path, trick: str) -> None:
    other = tmp_path / "other"
    other.write_text("STOLEN=1\n")
    os.unlink(path)
    if trick == "link":
        os.symlink(other, path)
    elif trick == "hard link":
        os.link(other, path)
    elif trick == "pipe":
        os.mkfifo(path)
    else:
        os.mkdir(path)

    assert read(path) == Outputs({}, [("output_invalid", "file")])


def test_a_script_that_deleted_the_file_has_no_values(path: str) -> None:
    os.unlink(path)

    assert read(path) == Outputs()


def test_notices_do_not_pile_up(path: str) -> None:
    Path(path).write_text("bad\n" * 1000)

    assert len(read(path).notices) == 20
