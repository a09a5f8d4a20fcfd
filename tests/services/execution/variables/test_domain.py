"""References are read once, names have one value, and no value gets out of its place."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from libs.kit.errors import AppError
from services.execution.domain import ScriptType
from services.execution.errors import (
    SecretInText,
    VariableFormUnknown,
    VariableNeedsQuoting,
    VariableUnknown,
)
from services.execution.variables.domain import (
    NamedHost,
    Scope,
    Value,
    VariableType,
    agreed,
    escape,
    hosts_value,
    is_inert,
    parse,
    passed_on,
    quoted,
    text_value,
    wrong_name,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
NASTY = st.text(st.sampled_from("aB0_ '\"`$(){}|!\\;&<>\n\t*?~#-=:/,@%‘’é密"), max_size=40)
ALMOST = st.lists(
    st.sampled_from(["${", "}", "{{", "}}", "!", "A", "NAME", "|", "quote", "raw", " ", "$", "{"]),
    max_size=25,
).map("".join)


def scope(**values: str) -> Scope:
    return Scope({name: text_value(value) for name, value in values.items()})


# ---- grammar ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("${A}", "1"),
        ("{{A}}", "1"),
        ("{{ A }}", "1"),
        ("x${A}y{{A}}z", "x1y1z"),
        ("${A}${B}", "12"),
        ("{{{A}}}", "{1}"),
        ("${{A}}", "$1"),
        ("{{${A}}}", "{{1}}"),
        ("${!A}", "${A}"),
        ("{{!A}}", "{{A}}"),
        ("{{ !A }}", "{{ A }}"),
        ("{{!!A}}", "{{!A}}"),
        ("$A", "$A"),
        ("${A", "${A"),
        ("${A:-x}", "${A:-x}"),
        ("${1}", "${1}"),
        ("{{.Names}}", "{{.Names}}"),
        ("{{ $labels.x }}", "{{ $labels.x }}"),
        ("{{}}", "{{}}"),
        ('{{"a": 1}}', '{{"a": 1}}'),
    ],
)
def test_what_is_a_reference_and_what_is_text(text: str, wanted: str) -> None:
    assert scope(A="1", B="2").text(parse(text)) == wanted


def test_in_scripts_only_braces_count() -> None:
    """`${A}` is the shell's own: there the value comes from the environment."""
    template = parse("echo ${A} {{A}} ${!A}", dollar=False)

    assert scope(A="1").script(template, ScriptType.SHELL) == "echo ${A} 1 ${!A}"


@given(st.one_of(TEXTS, NASTY, ALMOST))
def test_escaped_text_comes_out_as_it_went_in(text: str) -> None:
    assert Scope().text(parse(escape(text))) == text
    assert Scope().script(parse(escape(text, dollar=False), dollar=False), ScriptType.SHELL) == text


@given(st.one_of(TEXTS, NASTY, ALMOST))
def test_values_are_never_read_for_references(value: str) -> None:
    found = scope(A=value, NAME="no", B="no").text(parse("<${A}|{{A}}>"))

    assert found == f"<{value}|{value}>"


@given(ALMOST)
def test_any_text_is_read_without_surprise(text: str) -> None:
    """Whatever is written, reading it gives back every character or a known error."""
    try:
        template = parse(text)
    except VariableFormUnknown:
        return

    written = "".join(part if isinstance(part, str) else part.text for part in template.parts)
    assert written.replace("!", "") == text.replace("!", "")


def test_an_unknown_name_is_told_with_the_names_there_are() -> None:
    with pytest.raises(VariableUnknown) as caught:
        scope(VERSION="1", TARGET="x").text(parse("${VERSOIN}"))

    assert "VERSOIN" in caught.value.message
    assert "TARGET, VERSION" in caught.value.message
    assert "${!VERSOIN}" in caught.value.message
    assert caught.value.details["known"] == ["TARGET", "VERSION"]
    assert "VERSOIN" in caught.value.message_zh


@pytest.mark.parametrize("text", ["{{A|shout}}", "{{A|ips}}"])
def test_a_form_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(VariableFormUnknown):
        scope(A="1").text(parse(text))


def test_a_long_text_is_read_in_time() -> None:
    """No text makes reading slow: half a megabyte of beginnings without ends."""
    for piece in ("{{", "${", "{{ ", "{{A ", "{{A |", "${!", "{{!", "{{A|quote "):
        assert len(parse(piece * (512 * 1024 // len(piece))).parts) == 1


# ---- who wins --------------------------------------------------------------------------------


def test_the_strongest_layer_that_knows_a_name_decides() -> None:
    layers = [{"A": text_value("1")}, {"A": text_value("2"), "B": text_value("2")}, {}]
    found = Scope(*layers, {"B": text_value("3"), "C": text_value("3")})

    assert found.text(parse("${A}${B}${C}")) == "123"
    assert {name: value.text for name, value in found.merged().items()} == {
        "A": "1",
        "B": "2",
        "C": "3",
    }


def test_a_host_list_has_four_forms() -> None:
    hosts = hosts_value([NamedHost(1, "web-1", "10.0.0.1"), NamedHost(2, "web-2", "10.0.0.2")])
    found = Scope({"WEB": hosts})

    text = found.text(parse("{{WEB}} {{WEB|names}} {{WEB|ips}} {{WEB|ids}} {{WEB|count}}"))

    assert text == "web-1,web-2 web-1,web-2 10.0.0.1,10.0.0.2 1,2 2"


def test_a_secret_is_part_of_no_text() -> None:
    found = Scope({"PASSWORD": Value(VariableType.SECRET, "hunter2hunter2")})

    with pytest.raises(SecretInText):
        found.text(parse("--password=${PASSWORD}"))
    with pytest.raises(SecretInText):
        found.script(parse("echo {{PASSWORD|quote}}", dollar=False), ScriptType.SHELL)
    assert "hunter2" not in repr(Value(VariableType.SECRET, "hunter2hunter2"))
    assert found.secret_text(parse("u:${PASSWORD}@db")) == ("u:hunter2hunter2@db", True)


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "PATH", "LD_PRELOAD", "OPSJOB_HOST", "Ä"])
def test_names_that_change_programs_or_are_ours_are_refused(name: str) -> None:
    assert wrong_name(name)


# ---- values in scripts -----------------------------------------------------------------------

SHELL_PLACES = {
    "bare word": "printf %s {{A}}",
    "double quotes": 'printf %s "{{A}}"',
    "single quotes": "printf %s '{{A}}'",
    "here-document": 'printf %s "$(cat <<END\n{{A}}\nEND\n)"',
    "substitution": 'printf %s "$(printf %s {{A}})"',
}


@pytest.mark.parametrize("place", SHELL_PLACES.values(), ids=SHELL_PLACES.keys())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=st.one_of(TEXTS, NASTY))
def test_a_bare_value_means_itself_in_every_place_of_a_shell_script_or_is_refused(
    place: str, value: str
) -> None:
    template = parse(place, dollar=False)
    try:
        script = scope(A=value).script(template, ScriptType.SHELL)
    except VariableNeedsQuoting:
        assert not is_inert(value, ScriptType.SHELL)
        return

    assert run(["/bin/sh", "-c", script]) == value


@settings(max_examples=80, deadline=None)
@given(st.one_of(TEXTS, NASTY))
def test_a_quoted_value_is_one_word_of_the_shell(value: str) -> None:
    script = scope(A=value).script(parse("printf %s {{A|quote}}", dollar=False), ScriptType.SHELL)

    assert run(["/bin/sh", "-c", script]) == value


@given(st.one_of(TEXTS, NASTY))
def test_a_quoted_value_is_one_string_of_python(value: str) -> None:
    literal = quoted(value, ScriptType.PYTHON)

    assert eval(literal, {"__builtins__": {}}) == value  # noqa: S307  the point of the test


@given(st.one_of(TEXTS, NASTY))
def test_a_quoted_value_is_one_string_of_javascript(value: str) -> None:
    literal = quoted(value, ScriptType.JAVASCRIPT)

    assert json.loads(literal) == value
    assert literal.isascii()


@given(st.one_of(TEXTS, NASTY))
def test_a_quoted_value_is_one_string_of_go(value: str) -> None:
    literal = quoted(value, ScriptType.GO)

    assert literal.isascii()
    assert literal.isprintable()
    assert literal.encode().decode("unicode_escape")[1:-1] == value


@given(st.one_of(TEXTS, NASTY))
def test_a_quoted_value_is_one_string_of_powershell(value: str) -> None:
    """Five characters end such a string; a doubled one stands for itself."""
    marks = "'\u2018\u2019\u201a\u201b"
    inside = quoted(value, ScriptType.POWERSHELL)[1:-1]
    place, read = 0, ""
    while place < len(inside):
        if inside[place] in marks:
            assert inside[place + 1 : place + 2] == inside[place]
            place += 1
        read += inside[place]
        place += 1

    assert read == value


@pytest.mark.skipif(shutil.which("perl") is None, reason="no Perl here")
@settings(max_examples=60, deadline=None)
@given(st.one_of(TEXTS, NASTY))
@example("a\r\nb")
@example("$x @x %x \\n \"'")
def test_a_quoted_value_is_one_string_of_perl(value: str) -> None:
    assert run(["perl", "-e", "print " + quoted(value, ScriptType.PERL)]) == value


def test_raw_text_is_put_in_as_it_is() -> None:
    found = scope(CODE="echo a; echo b").script(
        parse("{{CODE|raw}}", dollar=False), ScriptType.SHELL
    )

    assert run(["/bin/sh", "-c", found]) == "a\nb\n"


def test_nothing_at_all_is_no_word() -> None:
    with pytest.raises(VariableNeedsQuoting) as caught:
        scope(FOLDER="").script(parse("rm -r /{{FOLDER}}", dollar=False), ScriptType.SHELL)

    assert isinstance(caught.value, AppError)
    assert "{{FOLDER|quote}}" in caught.value.message


@pytest.mark.parametrize(
    ("value", "language", "wanted"),
    [
        ("https://example.org/a", ScriptType.SHELL, True),
        ("https://example.org/a", ScriptType.JAVASCRIPT, False),
        ("a@b.example", ScriptType.SHELL, True),
        ("a@b.example", ScriptType.PERL, False),
        ("a,b", ScriptType.POWERSHELL, False),
        ("\u7248\u672c-1.2", ScriptType.PYTHON, True),
        ("a b", ScriptType.SHELL, False),
        ("~root", ScriptType.SHELL, False),
        ("a\n", ScriptType.SHELL, False),
    ],
)
def test_what_means_something_depends_on_the_language(
    value: str, language: ScriptType, wanted: bool
) -> None:
    assert is_inert(value, language) is wanted


def run(command: list[str]) -> str:
    """The output of a program, byte for byte."""
    done = subprocess.run(command, capture_output=True, check=True, timeout=20, cwd=Path("/"))
    return done.stdout.decode()


# ---- values that steps pass on ---------------------------------------------------------------


def test_what_a_script_may_not_set_is_left_out() -> None:
    """A host must not change how programs start on a later step: no PATH, no LD_PRELOAD."""
    outputs = {
        "VERSION": "1",
        "PATH": "/evil",
        "LD_PRELOAD": "/evil.so",
        "OPSJOB_HOST": "x",
        "N": 5,
    }

    assert passed_on(outputs) == {"VERSION": "1"}
    assert passed_on(None) == {}


def test_a_value_is_for_the_execution_unless_hosts_differ() -> None:
    found = agreed([{"A": "1", "B": "1"}, None, {"A": "1", "B": "2"}, {"B": "1", "C": "3"}])

    assert found == {"A": "1", "C": "3"}
