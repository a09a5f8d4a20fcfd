"""What a rule says about a text that is about to run. Knows no database and no clock.

A rule is a guard rail: it sees what is written, not what a program makes of it. Expressions run on
RE2, in linear time and bounded memory whatever somebody wrote (S67).
"""

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

import re2

from services.execution.domain import RuleAction, ScriptType
from services.execution.errors import RulePatternInvalid

PATTERN_BYTES: Final = 2 * 1024 * 1024
"""Memory for the automaton of one rule; a pattern that cannot be made with it is refused."""
TOGETHER_BYTES: Final = 16 * 1024 * 1024
MAX_LINES: Final = 20
"""Of one rule in one text so many lines are named."""
MAX_KNOWN: Final = 512

_OWN_NAMES: Final = "OPSJOB_"
_NAMED: Final = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*|[1-9@*])\}|([A-Za-z_]\w*|[1-9@*]))")
_CONTINUED: Final = re.compile(r"\\\n")
_QUOTES: Final = str.maketrans("", "", "\\'\"")


class PatternKind(StrEnum):
    """How the pattern of a rule is read."""

    REGEX = "regex"
    """An expression of RE2; `^` and `$` are those of lines."""
    WORDS = "words"
    """These words after each other, in any case of letters, with any space between them."""
    ANYTHING = "anything"
    """Whatever runs on the rule's host groups, files too."""


# ---- what is looked at -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text:
    """What a host would be given: the script with its values filled in, and what goes with it."""

    script_type: str
    script: str
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    is_script: bool = True
    """False for files, which only a rule about anything finds."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was found: `script`, `args`, `env` or `run`; lines from 1, if it has some."""

    where: str
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _View:
    """A way to read a text. `line_of` gives the line of the author for each of its own."""

    where: str
    text: str
    line_of: Callable[[int], int] | None = None


def _views(final: Text) -> list[_View]:
    script = final.script.replace("\r\n", "\n")
    views = [_View("script", script, lambda line: line)]
    if final.script_type == ScriptType.SHELL:
        views.extend(_as_the_shell(script, final))
    if final.args:
        views += [_View("args", "\n".join(final.args)), _View("args", shlex.join(final.args))]
    given = [value for name, value in final.env.items() if not name.startswith(_OWN_NAMES)]
    if given:
        views.append(_View("env", "\n".join(given)))
    return views


def _as_the_shell(script: str, final: Text) -> Iterable[_View]:
    """The script once more with known values for `$NAME`, without quotes, continued lines joined.

    This is no shell: it sees through what people write every day, not through what hides.
    """
    if not any(char in script for char in "$\\'\""):
        return
    values = {str(place): value for place, value in enumerate(final.args[:9], start=1)}
    values |= dict.fromkeys("@*", " ".join(final.args)) | dict(final.env)

    def value_of(found: re.Match[str]) -> str:
        known = values.get(found[1] or found[2])
        return found[0] if known is None else known

    lines: list[str] = []
    origins: list[int] = []
    number = 1
    for line in re.split(r"(?<!\\)\n", script):
        joined = _CONTINUED.sub(" ", line)
        filled = _NAMED.sub(value_of, joined).translate(_QUOTES)
        for part in filled.split("\n"):
            lines.append(part)
            origins.append(number)
        number += line.count("\n") + 1
    yield _View("script", "\n".join(lines), lambda line: origins[line - 1])


# ---- rules -----------------------------------------------------------------------------------


class _Match(Protocol):
    def start(self) -> int: ...
    def __getitem__(self, group: int) -> bytes: ...


class _Pattern(Protocol):
    def search(self, text: bytes) -> _Match | None: ...
    def finditer(self, text: bytes) -> Iterable[_Match]: ...


class RuleRow(Protocol):
    """A rule as it is stored, or as somebody wants to try it."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def pattern_kind(self) -> str: ...
    @property
    def pattern(self) -> str: ...
    @property
    def script_types(self) -> Sequence[str]: ...
    @property
    def action(self) -> str: ...
    @property
    def host_group_ids(self) -> Sequence[int]: ...
    @property
    def approver_ids(self) -> Sequence[int]: ...
    @property
    def approver_group_ids(self) -> Sequence[int]: ...
    @property
    def quorum(self) -> int: ...
    @property
    def expires_seconds(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Approvers:
    """Who may agree, and how many have to."""

    users: tuple[int, ...]
    groups: tuple[int, ...]
    quorum: int

    @classmethod
    def of(cls, users: Iterable[int], groups: Iterable[int], quorum: int) -> "Approvers":
        """The same people are equal, in whatever order they were named."""
        return cls(tuple(sorted(set(users))), tuple(sorted(set(groups))), quorum)


class Rule:
    """One rule, ready to look. Raises RulePatternInvalid."""

    def __init__(self, row: RuleRow) -> None:
        self.id, self.name = row.id, row.name
        self.action = RuleAction(row.action)
        self.kind = PatternKind(row.pattern_kind)
        self.groups = frozenset(row.host_group_ids)
        self.approvers = Approvers.of(row.approver_ids, row.approver_group_ids, row.quorum)
        self.expires_seconds = row.expires_seconds
        self._types = frozenset(row.script_types)
        self.source = _source(self.kind, row.pattern)
        self._pattern = _compiled(self.source) if self.kind is not PatternKind.ANYTHING else None

    def reads(self, script_type: str) -> bool:
        """Whether it looks at texts in this language."""
        return self._pattern is not None and (not self._types or script_type in self._types)

    def touches(self, groups: AbstractSet[int]) -> bool:
        """Whether it is about a host that lies in these groups."""
        return not self.groups or not self.groups.isdisjoint(groups)

    def places(self, views: Sequence[_View]) -> list[Place]:
        """Where it finds something."""
        found: dict[str, set[int]] = {}
        for view in views:
            numbers = self._lines(view.text)
            if numbers:
                seen = found.setdefault(view.where, set())
                if view.line_of is not None:
                    seen.update(map(view.line_of, numbers))
        return [Place(where, tuple(sorted(seen)[:MAX_LINES])) for where, seen in found.items()]

    def _lines(self, text: str) -> list[int]:
        assert self._pattern is not None
        data = text.encode()
        numbers: list[int] = []
        number, upto = 1, 0
        for hit in self._pattern.finditer(data):
            # The line of the first visible character: a pattern may begin with the line before.
            start = hit.start() + len(hit[0]) - len(hit[0].lstrip())
            number += data.count(b"\n", upto, start)
            upto = start
            if not numbers or numbers[-1] != number:
                numbers.append(number)
            if len(numbers) >= MAX_LINES:
                break
        return numbers


def _source(kind: PatternKind, pattern: str) -> str:
    if kind is not PatternKind.WORDS:
        return pattern
    words = pattern.split()
    first = r"\b" if words and re.match(r"\w", words[0], re.ASCII) else ""
    last = r"\b" if words and re.search(r"\w\Z", words[-1], re.ASCII) else ""
    return f"(?i){first}" + r"\s+".join(re2.escape(word) for word in words) + last


def _compiled(source: str, max_bytes: int = PATTERN_BYTES) -> _Pattern:
    options = re2.Options()
    options.max_mem = max_bytes
    options.log_errors = False
    try:
        pattern: _Pattern = re2.compile(f"(?m){source}".encode(), options)
        is_empty = pattern.search(b"") is not None or pattern.search(b"\n") is not None
    except (re2.error, UnicodeEncodeError) as error:
        said = error.args[0] if isinstance(error, re2.error) else b"not Unicode"
        reason = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise RulePatternInvalid(reason=reason[:200]) from None
    if is_empty:
        raise RulePatternInvalid(reason="it finds something in an empty text")
    return pattern


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that found something."""

    rule: Rule
    places: tuple[Place, ...]


class RuleBook:
    """All rules that are enabled, made ready once for many texts."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = sorted(rules, key=lambda rule: rule.id)
        self.about_anything = [r for r in self.rules if r.kind is PatternKind.ANYTHING]
        self.asks_for_groups = any(r.groups for r in self.rules if r.action is not RuleAction.WARN)
        """Whether it matters at all in which groups a host lies."""
        self._by_type: dict[str, tuple[list[Rule], _Pattern | None]] = {}
        self._known: dict[object, tuple[Hit, ...]] = {}

    def hits(self, final: Text, sha256: str = "") -> tuple[Hit, ...]:
        """Which rules find something, wherever it runs.

        With the script's SHA-256 the answer is remembered for equal texts of other hosts.
        """
        always = tuple(Hit(rule, (Place("run"),)) for rule in self.about_anything)
        if not final.is_script:
            return always
        if not sha256:
            return (*always, *self._look(final))
        key = self._key(final, sha256)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            known = self._known[key] = self._look(final)
        return (*always, *known)

    def _key(self, final: Text, sha256: str) -> object:
        """What decides about a text: values of the platform only where the script names them."""
        env = tuple(
            (name, value)
            for name, value in final.env.items()
            if not name.startswith(_OWN_NAMES) or name in final.script
        )
        return final.script_type, sha256, tuple(final.args), env

    def _look(self, final: Text) -> tuple[Hit, ...]:
        rules, together = self._of_type(final.script_type)
        if not rules:
            return ()
        views = _views(final)
        if together is not None and not any(together.search(v.text.encode()) for v in views):
            return ()
        found = ((rule, rule.places(views)) for rule in rules)
        return tuple(Hit(rule, tuple(places)) for rule, places in found if places)

    def _of_type(self, script_type: str) -> tuple[list[Rule], _Pattern | None]:
        """The rules for a language, and all of them as one pattern: most texts need no second."""
        known = self._by_type.get(script_type)
        if known is None:
            rules = [rule for rule in self.rules if rule.reads(script_type)]
            together = None
            if rules:
                try:
                    source = "|".join(f"(?:{rule.source})" for rule in rules)
                    together = _compiled(source, TOGETHER_BYTES)
                except RulePatternInvalid:
                    together = None
            known = self._by_type[script_type] = rules, together
        return known


# ---- what came of it -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found in a step, as it is kept with the execution."""

    rule_id: int
    rule: str
    action: RuleAction
    step: str
    where: str
    lines: tuple[int, ...]

    def stored(self) -> dict[str, object]:
        """As JSON."""
        return {
            "rule_id": self.rule_id,
            "rule": self.rule,
            "action": str(self.action),
            "step": self.step,
            "where": self.where,
            "lines": list(self.lines),
        }


def findings(step: str, hits: Iterable[Hit]) -> list[Finding]:
    """The hits of a step, each place for itself."""
    return [
        Finding(hit.rule.id, hit.rule.name, hit.rule.action, step, place.where, place.lines)
        for hit in hits
        for place in hit.places
    ]


@dataclass(frozen=True, slots=True)
class Demand:
    """The consent that some rules ask for together, because they name the same people."""

    approvers: Approvers
    rules: tuple[str, ...]
    expires_seconds: int


def demands(hits: Iterable[Hit]) -> list[Demand]:
    """Whose consent is needed: of each set of people that a rule names. The shortest time wins."""
    asked: dict[Approvers, dict[str, int]] = {}
    for hit in hits:
        if hit.rule.action is RuleAction.APPROVE:
            of_these = asked.setdefault(hit.rule.approvers, {})
            of_these[hit.rule.name] = hit.rule.expires_seconds
    return [
        Demand(approvers, tuple(sorted(rules)), min(rules.values()))
        for approvers, rules in asked.items()
    ]
