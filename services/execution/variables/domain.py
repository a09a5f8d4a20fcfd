"""How texts refer to variables, which value a name has, and how a value becomes text.

A reference is `${NAME}` or `{{NAME}}`, with a form behind a bar where one is wanted
(`{{NAME|quote}}`). An exclamation mark takes its meaning away: `{{!NAME}}` stands for the text
`{{NAME}}`. Everything else is text. A text is read once; values are never read for references.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from services.execution.domain import ScriptType
from services.execution.errors import (
    SecretInText,
    VariableFormUnknown,
    VariableNeedsQuoting,
    VariableUnknown,
)

BUILT_IN: Final = "OPSJOB_"
"""Names that begin so are the platform's own; nobody else sets them."""
MAX_VALUE_BYTES: Final = 128 * 1024 - 1 - 256
"""What Linux takes as one environment string (MAX_ARG_STRLEN) less the longest name."""
_SHOWN_NAMES: Final = 50

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")
_RESERVED = re.compile(
    r"(LD_|PYTHON|PERL|NODE_|RUBY|OPSJOB_|BASH_|GO)"
    r"|(PATH|IFS|ENV|PS4|SHELLOPTS|GCONV_PATH|PROMPT_COMMAND|HOME|USER|LOGNAME|SHELL)\Z"
)


class VariableType(StrEnum):
    """What a variable holds."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    SECRET = "secret"  # noqa: S105  the name of a type
    HOST_LIST = "host_list"


class Form(StrEnum):
    """How a value is put in the place of a reference."""

    PLAIN = ""
    QUOTE = "quote"
    """In scripts: as one string literal of the script's language."""
    RAW = "raw"
    """In scripts: as it is, code included; whoever writes this answers for the value."""
    NAMES = "names"
    IDS = "ids"
    IPS = "ips"
    COUNT = "count"


_HOST_FORMS = frozenset({Form.NAMES, Form.IDS, Form.IPS, Form.COUNT})


def wrong_name(name: str) -> str | None:
    """Why a variable may not be called so, or None."""
    if not _NAME.match(name):
        return "variable names consist of letters, digits and underscores"
    if _RESERVED.match(name):
        return f"the variable {name} would change how programs start; choose another"
    return None


# ---- grammar ---------------------------------------------------------------------------------

_INSIDE = r"(!*)([A-Za-z_][A-Za-z0-9_]{0,127})(?:[ \t]{0,8}\|[ \t]{0,8}([a-z]{1,16}))?"
_BRACES = re.compile(r"\{\{[ \t]{0,8}" + _INSIDE + r"[ \t]{0,8}\}\}")
_BOTH = re.compile(_BRACES.pattern + r"|\$\{" + _INSIDE + r"\}")


@dataclass(frozen=True, slots=True)
class Reference:
    """A place in a text where a value belongs; `text` is what the author wrote."""

    name: str
    form: Form
    text: str


@dataclass(frozen=True, slots=True)
class Template:
    """A text, read once: pieces of text and references in their order."""

    parts: tuple[str | Reference, ...]

    @property
    def references(self) -> tuple[Reference, ...]:
        """The references in their order."""
        return tuple(part for part in self.parts if isinstance(part, Reference))

    def render(self, value: Callable[[Reference], str]) -> str:
        """The text with values in the place of references; values are not looked into."""
        return "".join(part if isinstance(part, str) else value(part) for part in self.parts)


def parse(text: str, *, dollar: bool = True) -> Template:
    """Read a text. Without `dollar` only `{{NAME}}` counts, as in scripts.

    Raises VariableFormUnknown for a form that does not exist.
    """
    parts: list[str | Reference] = []
    literal = 0
    for match in (_BOTH if dollar else _BRACES).finditer(text):
        marks, name, form = match.group(1, 2, 3) if match.group(2) else match.group(4, 5, 6)
        parts.append(text[literal : match.start()])
        if marks:
            parts.append(match.group().replace("!", "", 1))
        else:
            parts.append(Reference(name, _form(form, match.group()), match.group()))
        literal = match.end()
    parts.append(text[literal:])
    return Template(tuple(part for part in parts if part != ""))


def escape(text: str, *, dollar: bool = True) -> str:
    """A text that renders to exactly this one, whatever it contains."""

    def defused(match: re.Match[str]) -> str:
        start = match.start(1) if match.group(2) else match.start(4)
        cut = start - match.start()
        return match.group()[:cut] + "!" + match.group()[cut:]

    return (_BOTH if dollar else _BRACES).sub(defused, text)


def _form(word: str | None, text: str) -> Form:
    if word is None:
        return Form.PLAIN
    try:
        return Form(word)
    except ValueError:
        forms = ", ".join(form for form in Form if form)
        raise VariableFormUnknown(
            f"{text} asks for a form that does not exist; there are: {forms}.",
            zh=f"{text} 使用了不存在的形式；可用的形式：{forms}。",
            reference=text,
        ) from None


# ---- values ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NamedHost:
    """A host in a list of hosts."""

    id: int
    name: str
    ip: str


@dataclass(frozen=True, slots=True)
class Value:
    """What a name stands for. The text of a secret is never shown and never part of a text."""

    type: VariableType
    text: str = field(repr=False)
    hosts: tuple[NamedHost, ...] = ()

    def in_form(self, form: Form) -> str:
        """The text in one of the forms of a host list; other values have one text only."""
        if self.type != VariableType.HOST_LIST:
            return self.text
        match form:
            case Form.IDS:
                return ",".join(str(host.id) for host in self.hosts)
            case Form.IPS:
                return ",".join(host.ip for host in self.hosts)
            case Form.COUNT:
                return str(len(self.hosts))
            case _:
                return self.text


def text_value(text: str) -> Value:
    """A plain text."""
    return Value(VariableType.TEXT, text)


def hosts_value(hosts: Iterable[NamedHost]) -> Value:
    """A list of hosts; its text is their names with commas between them."""
    listed = tuple(hosts)
    return Value(VariableType.HOST_LIST, ",".join(host.name for host in listed), listed)


class Scope:
    """Which value each name has at one place; the first layer that knows a name decides.

    Layers, strongest first: built-ins, values given at launch, what earlier steps left for this
    host, what they left for the whole execution, defaults. With a `stand_in` no name is unknown:
    it takes the place of what an earlier step may leave.
    """

    def __init__(self, *layers: Mapping[str, Value], stand_in: Value | None = None) -> None:
        self._layers = layers
        self._stand_in = stand_in

    def find(self, reference: Reference) -> Value:
        """The value of a reference; raises VariableUnknown with the names there are."""
        for layer in self._layers:
            if reference.name in layer:
                return layer[reference.name]
        if self._stand_in is not None:
            return self._stand_in
        raise unknown(reference, self.names())

    def names(self) -> list[str]:
        """All names, sorted, built-ins last."""
        found = {name for layer in self._layers for name in layer}
        return sorted(found, key=lambda name: (name.startswith(BUILT_IN), name))

    def merged(self) -> dict[str, Value]:
        """Every name with the value that it has here."""
        found: dict[str, Value] = {}
        for layer in reversed(self._layers):
            found.update(layer)
        return found

    def text(self, template: Template) -> str:
        """A template outside scripts, such as an argument or a path, as text.

        Nothing interprets such a text, so values go in as they are. Raises VariableUnknown, and
        SecretInText because arguments and paths are visible to everybody on a host.
        """

        def value(reference: Reference) -> str:
            found = self.find(reference)
            if found.type == VariableType.SECRET:
                raise secret_in_text(reference)
            return found.in_form(_host_form(reference, found))

        return template.render(value)

    def script(self, template: Template, language: ScriptType) -> str:
        """A script with its `{{NAME}}` replaced.

        Without a form only values go in that mean nothing in any place of a script; others raise
        VariableNeedsQuoting.
        """

        def value(reference: Reference) -> str:
            found = self.find(reference)
            if found.type == VariableType.SECRET:
                raise secret_in_text(reference)
            text = found.in_form(_host_form(reference, found))
            if reference.form == Form.QUOTE:
                return quoted(text, language)
            if reference.form != Form.RAW and not is_inert(text, language):
                raise _needs_quoting(reference)
            return text

        return template.render(value)

    def secret_text(self, template: Template) -> tuple[str, bool]:
        """An environment value as text, and whether a secret is in it."""
        has_secret = False

        def value(reference: Reference) -> str:
            nonlocal has_secret
            found = self.find(reference)
            has_secret = has_secret or found.type == VariableType.SECRET
            return found.in_form(_host_form(reference, found))

        return template.render(value), has_secret


def unknown(reference: Reference, names: list[str]) -> VariableUnknown:
    """The error about a name that nothing stands behind."""
    listed = ", ".join(names[:_SHOWN_NAMES]) or "none"
    literal = escape(reference.text)
    return VariableUnknown(
        f"There is no variable {reference.name}. Known here: {listed}. "
        f"If {reference.text} is meant as text, write {literal}.",
        zh=f"没有变量 {reference.name}。此处可用：{listed}。"
        f"若 {reference.text} 只是普通文本，请写作 {literal}。",
        name=reference.name,
        known=names[:_SHOWN_NAMES],
    )


def secret_in_text(reference: Reference) -> SecretInText:
    """The error about a secret where everybody could read it."""
    return SecretInText(
        f"{reference.name} is a secret: it is in the environment of the script, never in its text "
        "or arguments.",
        zh=f"{reference.name} 是敏感变量：只能通过脚本的环境变量读取，不能写入脚本文本或参数。",
        name=reference.name,
    )


def _needs_quoting(reference: Reference) -> VariableNeedsQuoting:
    name = reference.name
    return VariableNeedsQuoting(
        f"The value of {name} has characters that can mean something in a script. Read it from the "
        f"environment, or write {{{{{name}|quote}}}} in the place of a whole string.",
        zh=f"变量 {name} 的值含有在脚本中可能有特殊含义的字符。"
        f"请从环境变量读取，或在整个字符串的位置写 {{{{{name}|quote}}}}。",
        name=name,
    )


def _host_form(reference: Reference, value: Value) -> Form:
    if reference.form in _HOST_FORMS and value.type != VariableType.HOST_LIST:
        raise VariableFormUnknown(
            f"{reference.text} asks for hosts, but {reference.name} is no list of hosts.",
            zh=f"{reference.text} 需要主机列表，但变量 {reference.name} 不是主机列表。",
            reference=reference.text,
        )
    return reference.form


# ---- values in scripts -----------------------------------------------------------------------

_INERT = frozenset("_./:+-")
_MORE_INERT = {ScriptType.SHELL: frozenset("@%,"), ScriptType.PYTHON: frozenset("@%,")}
_SLASH_COMMENTS = frozenset({ScriptType.JAVASCRIPT, ScriptType.GO})


def is_inert(text: str, language: ScriptType) -> bool:
    """Whether a text means itself in a bare word, in any string and in a here-document.

    Nothing at all is no word: `rm -r /{{NAME}}` must not become `rm -r /`.
    """
    marks = _INERT | _MORE_INERT.get(language, frozenset())
    if not text or (language in _SLASH_COMMENTS and "//" in text):
        return False
    return all(char.isalnum() or char in marks for char in text)


def quoted(text: str, language: ScriptType) -> str:
    """A text as one string literal of a language, for places outside of quotes."""
    match language:
        case ScriptType.SHELL:
            return shlex.quote(text)
        case ScriptType.PYTHON:
            return ascii(text)
        case ScriptType.JAVASCRIPT:
            return json.dumps(text)
        case ScriptType.PERL:
            # Perl reads CR LF in a literal as LF, so CR is written as an escape.
            return '"' + re.sub(r'([\\"$@])', r"\\\1", text).replace("\r", r"\r") + '"'
        case ScriptType.POWERSHELL:
            return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", text) + "'"
        case ScriptType.GO:
            return '"' + "".join(map(_go, text)) + '"'


def _go(char: str) -> str:
    if " " <= char <= "~" and char not in '"\\':
        return char
    number = ord(char)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


# ---- values that steps pass on ---------------------------------------------------------------


def passed_on(outputs: Mapping[str, object] | None) -> dict[str, str]:
    """The values that a script set, less those whose names nobody may set."""
    return {
        name: value
        for name, value in (outputs or {}).items()
        if isinstance(value, str) and wrong_name(name) is None
    }


def agreed(outputs: Iterable[Mapping[str, object] | None]) -> dict[str, str]:
    """What hosts set for the whole execution: names to which no two hosts gave different values.

    A name with different values belongs to each host alone.
    """
    found: dict[str, str] = {}
    differing: set[str] = set()
    for of_host in outputs:
        for name, value in passed_on(of_host).items():
            if found.setdefault(name, value) != value:
                differing.add(name)
    return {name: value for name, value in found.items() if name not in differing}
