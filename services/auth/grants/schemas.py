"""What the API of grants takes and shows."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from libs.contracts.grants import Action, ObjectType, Window
from libs.kit.ids import Id
from libs.kit.pagination import PageParams
from libs.kit.service import Choice, Moment, Row, Schema, refuse_null
from libs.kit.text import SafeText, storable
from services.auth.grants.domain import (
    ON_HOSTS,
    GrantState,
    Part,
    Subject,
    account,
    object_id,
    time_of_day,
    what,
    zone,
)

MOST_OBJECTS = 2_000

Text = Annotated[str, StringConstraints(max_length=128)]
What = Annotated[Text, AfterValidator(what)]
Account = Annotated[Text, AfterValidator(account)]
Zone = Annotated[Text, AfterValidator(zone)]
Day = Annotated[int, Field(ge=1, le=7)]


class WindowIn(Schema):
    """Hours on days of the week (1 is Monday); past midnight if it ends before it starts."""

    days: Annotated[list[Day], Field(min_length=1, max_length=7)]
    start: Annotated[Text, AfterValidator(time_of_day)]
    until: Text
    zone: Zone = "UTC"

    @model_validator(mode="after")
    def _pair(self) -> Self:
        time_of_day(self.until, is_end=True)
        if self.start == self.until:
            raise ValueError("a window that ends when it starts is empty or endless; say which")
        return self

    def window(self) -> Window:
        """As rows keep it."""
        days = tuple(sorted(set(self.days)))
        return Window(days=days, start=self.start, until=self.until, zone=self.zone)


Windows = Annotated[list[WindowIn], Field(min_length=1, max_length=20)]


class PartIn(Schema):
    """What is given: actions on objects; `what` and `accounts` only for execute on hosts."""

    actions: Annotated[list[Choice[Action]], Field(min_length=1, max_length=6)]
    object_type: Choice[ObjectType]
    object_ids: Annotated[list[int | Text], Field(min_length=1, max_length=MOST_OBJECTS)]
    what: Annotated[list[What], Field(max_length=500)] = Field(default_factory=list)
    accounts: Annotated[list[Account], Field(max_length=200)] = Field(default_factory=list)
    windows: Windows | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for one in self.object_ids:
            object_id(one, self.object_type)
        runs = Action.EXECUTE in self.actions and self.object_type in ON_HOSTS
        if runs and not (self.what and self.accounts):
            raise ValueError("execute on hosts needs what may be run and as which accounts")
        if not runs and (self.what or self.accounts):
            raise ValueError("what and accounts belong to execute on hosts and host groups")
        return self

    def part(self, starts_at: datetime | None = None, expires_at: datetime | None = None) -> Part:
        """As the rules judge it; each item once."""
        ids = dict.fromkeys(object_id(one, self.object_type) for one in self.object_ids)
        return Part(
            actions=tuple(dict.fromkeys(self.actions)),
            object_type=self.object_type,
            object_ids=tuple(ids),
            what=tuple(dict.fromkeys(self.what)),
            accounts=tuple(dict.fromkeys(self.accounts)),
            windows=None if self.windows is None else tuple(w.window() for w in self.windows),
            starts_at=starts_at,
            expires_at=expires_at,
        )


class GrantCreate(PartIn):
    """A new grant for a user or a group; with `expires_at` it ends by itself."""

    subject_type: Choice[Subject]
    subject_id: Id
    starts_at: Moment | None = None
    expires_at: Moment | None = None
    reason: SafeText = ""


class GrantPatch(Schema):
    """What may be changed about a grant; null takes the limit away. The rest needs a new grant."""

    windows: Windows | None = None
    expires_at: Moment | None = None
    reason: SafeText | None = None

    _not_null = field_validator("reason", mode="before")(refuse_null)


class GrantQuery(BaseModel):
    """Page and filters of the list of grants; an unknown parameter is refused (422)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=200)] = 20
    subject_type: Subject | None = None
    subject_id: Id | None = None
    object_type: ObjectType | None = None
    object_id: Annotated[str, StringConstraints(max_length=64), AfterValidator(storable)] | None = (
        None
    )
    """Grants that name this object (or all of its kind); not those of groups around it."""
    action: Action | None = None
    state: GrantState | None = None
    created_by: Id | None = None
    template_id: Id | None = None

    @property
    def paging(self) -> PageParams:
        """Which page is asked for."""
        return PageParams(self.page, self.page_size)


class WindowOut(Row):
    """A window as it is kept."""

    days: list[int]
    start: str
    until: str
    zone: str


class PartOut(Row):
    """What is given."""

    actions: list[Action]
    object_type: ObjectType
    object_ids: list[str]
    what: list[str]
    accounts: list[str]
    windows: list[WindowOut] | None

    @classmethod
    def of(cls, part: Part) -> "PartOut":
        """A part as it is shown."""
        windows = None
        if part.windows is not None:
            windows = [WindowOut.model_validate(window.model_dump()) for window in part.windows]
        return PartOut(
            actions=list(part.actions),
            object_type=part.object_type,
            object_ids=list(part.object_ids),
            what=list(part.what),
            accounts=list(part.accounts),
            windows=windows,
        )


class GrantOut(PartOut):
    """A grant with the names of those it concerns; a name is empty when its owner is gone."""

    id: int
    subject_type: Subject
    subject_id: int
    subject_name: str
    starts_at: datetime | None
    expires_at: datetime | None
    state: GrantState
    reason: str
    template_id: int | None
    created_by: int
    created_by_name: str
    created_at: datetime
    rests_on: list[int] = Field(default_factory=list)
    """The giver's own grants under which it was given; it ends with any of them."""
    ends_with_it: int = 0
    """How many live grants end when this one is revoked."""
    ended_with: int | None = None
    """The grant that it rested on and with which it was revoked."""
    revoked_by: int | None
    revoked_at: datetime | None


class SubjectIn(Schema):
    """Somebody who is to get something."""

    subject_type: Choice[Subject]
    subject_id: Id
