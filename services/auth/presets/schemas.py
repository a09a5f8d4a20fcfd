"""What the API of templates of grants takes and shows."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, field_validator

from libs.kit.service import Moment, Row, Schema, refuse_null
from libs.kit.text import Name, SafeText
from services.auth.grants.schemas import PartIn, PartOut, SubjectIn


class TemplateCreate(Schema):
    """A named set of parts."""

    name: Name
    description: SafeText = ""
    parts: Annotated[list[PartIn], Field(min_length=1, max_length=50)]


class TemplatePatch(Schema):
    """What may be changed about a template; grants made of it stay as they are."""

    name: Name | None = None
    description: SafeText | None = None
    parts: Annotated[list[PartIn], Field(min_length=1, max_length=50)] | None = None

    _not_null = field_validator("*", mode="before")(refuse_null)


class TemplateOut(Row):
    """A template of grants."""

    id: int
    name: str
    description: str
    parts: list[PartOut]
    created_by: int
    created_at: datetime
    updated_at: datetime


class TemplateApply(Schema):
    """For whom, from when and until when."""

    subjects: Annotated[list[SubjectIn], Field(min_length=1, max_length=100)]
    starts_at: Moment | None = None
    expires_at: Moment | None = None
    reason: SafeText = ""
