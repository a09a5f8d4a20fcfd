"""Which program runs which script, and which variables a script may be given."""

import os
from pathlib import Path

import pytest

from agent.environment import refused_variable
from agent.interpreters import InterpreterMissing, available, command_for, find_program


@pytest.fixture
def programs(tmp_path: Path) -> str:
    for name in ("sh", "python3", "pwsh", "go", "node"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "perl").mkdir()
    (tmp_path / "bash").write_text("not executable")
    return str(tmp_path)


@pytest.mark.parametrize(
    ("script_type", "expected"),
    [
        ("shell", ["sh"]),
        ("python", ["python3"]),
        ("javascript", ["node"]),
        ("powershell", ["pwsh", "-NoLogo", "-NoProfile", "-NonInteractive", "-File"]),
        ("go", ["go", "run"]),
    ],
)
def test_each_type_has_its_command(programs: str, script_type: str, expected: list[str]) -> None:
    program, *options = command_for(script_type, "x", programs)

    assert [os.path.basename(program), *options] == expected


def test_a_folder_or_a_file_that_is_not_executable_is_no_interpreter(programs: str) -> None:
    with pytest.raises(InterpreterMissing, match="perl"):
        command_for("perl", "x", programs)
    assert find_program("bash", programs) is None
    assert "perl" not in available(programs)


def test_a_relative_search_path_is_not_searched(programs: str) -> None:
    assert find_program("sh", f".:{os.path.relpath(programs)}") is None


@pytest.mark.parametrize(
    ("script", "command"),
    [
        ("#!/bin/sh", ["/bin/sh"]),
        ("#! /bin/sh -eu\necho", ["/bin/sh", "-eu"]),
        ("#!/bin/sh -e -x\n", ["/bin/sh", "-e -x"]),
        ("#!/usr/bin/env -S sh -e\n", ["/usr/bin/env", "-S sh -e"]),
    ],
)
def test_a_shebang_is_read_as_the_kernel_reads_it(
    programs: str, script: str, command: list[str]
) -> None:
    path = f"{programs}:/usr/bin:/bin"

    assert command_for("shell", script, path) == command


@pytest.mark.parametrize("script", ["\ufeff#!/bin/no", " #!/bin/no", "#!\n/bin/no", "", "# no"])
def test_what_only_looks_like_a_shebang_goes_to_the_shell(programs: str, script: str) -> None:
    assert command_for("shell", script, programs) == [f"{programs}/sh"]


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "LD_PRELOAD", "IFS", "BASH_ENV", "ENV", "PYTHONPATH", "NODE_OPTIONS", "PS4"),
        *(
            "BASH_FUNC_x%%",
            "a=b",
            "",
            "a b",
            "a\0b",
            "a\n",
            "1a",
            "A" * 257,
            "OPSJOB_TASK_MARK",
            "OPSJOB_OUTPUT",
        ),
        *("PERL5LIB", "RUBYOPT", "GLIBC_TUNABLES", "SHELLOPTS", "ü"),
    ],
)
def test_variables_that_change_which_code_runs_are_refused(name: str) -> None:
    assert refused_variable({"FINE": "1", name: "x"}) == name


@pytest.mark.parametrize("name", ["STAGE", "_x", "LANG", "HTTP_PROXY", "a" * 256])
def test_other_variables_are_not(name: str) -> None:
    assert refused_variable({name: "x"}) is None
