"""What the API of rules takes and shows."""

from datetime import datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)

from libs.kit.ids import Id
from libs.kit.pagination import PageParams
from libs.kit.service import Choice, Row, Schema, refuse_null
from libs.kit.text import Name, SafeText, storable
from services.execution.domain import RuleAction, ScriptType
from services.execution.rules.domain import PatternKind
from services.execution.schemas import FindingOut

MAX_PATTERN = 1_000
MAX_TEXT = 512 * 1024

Pattern = Annotated[SafeText, StringConstraints(max_length=MAX_PATTERN)]
ScriptTypes = Annotated[list[Choice[ScriptType]], Field(max_length=len(ScriptType))]
Groups = Annotated[list[Id], Field(max_length=50)]
People = Annotated[list[Id], Field(max_length=100)]
PeopleGroups = Annotated[list[Id], Field(max_length=20)]
Quorum = Annotated[int, Field(ge=1, le=20)]
Seconds = Annotated[int, Field(ge=60, le=30 * 86_400)]
TextPart = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(storable)]


class RuleQuery(BaseModel):
    """Page and filters of the list of rules; an unknown parameter is refused (422)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=200)] = 50
    action: RuleAction | None = None
    is_enabled: bool | None = None
    search: Annotated[str, StringConstraints(max_length=128)] | None = None
    """Part of the name or the description, taken literally, in any case of letters."""

    @property
    def paging(self) -> PageParams:
        """Which page is asked for."""
        return PageParams(self.page, self.page_size)


class RuleCreate(Schema):
    """A new rule. Empty `script_types` and `host_group_ids` stand for all.

    A rule that wants approval names who may approve (users, groups of users, or both) and how many
    have to; one about `anything` has no pattern and names host groups: those want two people.
    """

    name: Name
    description: SafeText = ""
    pattern_kind: Choice[PatternKind] = PatternKind.REGEX
    pattern: Pattern = ""
    script_types: ScriptTypes = Field(default_factory=list)
    action: Choice[RuleAction] = RuleAction.WARN
    is_enabled: bool = True
    host_group_ids: Groups = Field(default_factory=list)
    approver_ids: People = Field(default_factory=list)
    approver_group_ids: PeopleGroups = Field(default_factory=list)
    quorum: Quorum = 1
    expires_seconds: Seconds = 86_400
    """How long an execution waits for the approval before it expires."""


class RulePatch(Schema):
    """What may be changed about a rule; absent fields stay."""

    name: Name | None = None
    description: SafeText | None = None
    pattern_kind: Choice[PatternKind] | None = None
    pattern: Pattern | None = None
    script_types: ScriptTypes | None = None
    action: Choice[RuleAction] | None = None
    is_enabled: bool | None = None
    host_group_ids: Groups | None = None
    approver_ids: People | None = None
    approver_group_ids: PeopleGroups | None = None
    quorum: Quorum | None = None
    expires_seconds: Seconds | None = None

    _not_null = field_validator("*", mode="before")(refuse_null)


class RuleOut(Row):
    """A rule."""

    id: int
    name: str
    description: str
    pattern_kind: PatternKind
    pattern: str
    script_types: list[ScriptType]
    action: RuleAction
    is_enabled: bool
    host_group_ids: list[int]
    approver_ids: list[int]
    approver_group_ids: list[int]
    quorum: int
    expires_seconds: int
    created_at: datetime
    updated_at: datetime


class RuleTried(Schema):
    """A pattern that is not stored yet."""

    pattern_kind: Choice[PatternKind] = PatternKind.REGEX
    pattern: Pattern = ""
    script_types: ScriptTypes = Field(default_factory=list)


class CheckIn(Schema):
    """A text to look at; nothing is stored or run.

    With hosts only the rules of their groups count, without them those of all groups. `rule` asks
    about a pattern alone, before it is stored.
    """

    script_content: TextPart
    script_type: Choice[ScriptType] = ScriptType.SHELL
    args: Annotated[list[TextPart], Field(max_length=1_000)] = Field(default_factory=list)
    env: Annotated[dict[str, TextPart], Field(max_length=200)] = Field(default_factory=dict)
    """Values that are known, such as those of variables."""
    target_host_ids: Annotated[list[Id], Field(max_length=20_000)] = Field(default_factory=list)
    rule: RuleTried | None = None


class CheckOut(Row):
    """What would follow: the strongest action of the rules that found something, or none."""

    action: RuleAction | None
    findings: list[FindingOut]
