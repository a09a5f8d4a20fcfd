"""How a service's bodies and answers are declared: strict in, plain out."""

from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

E = TypeVar("E", bound=Enum)


class Schema(BaseModel):
    """A request body: unknown fields are refused, and nothing is converted from another type.

    Enumerations are declared as `Choice[E]`, moments as `Moment`.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Row(BaseModel):
    """An answer that can be read from an object's attributes."""

    model_config = ConfigDict(from_attributes=True)


def _moment(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or len(value) > 40:
        message = "a moment is a string like 2026-01-31T08:00:00Z"
        raise ValueError(message)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        message = "not a moment like 2026-01-31T08:00:00Z"
        raise ValueError(message) from None
    if moment.tzinfo is None or not 1970 <= moment.year <= 9000:
        message = "a moment needs a time zone and a year between 1970 and 9000"
        raise ValueError(message)
    return moment.astimezone(UTC)


def refuse_null(value: object) -> object:
    """For the fields of a change, which may be absent but not null: `field_validator(…)(this)`."""
    if value is None:
        raise ValueError("must not be null; leave the field out to keep what it is")
    return value


Choice = Annotated[E, Field(strict=False)]
"""A value of an enumeration, given as its text."""

Moment = Annotated[datetime, BeforeValidator(_moment)]
"""A moment with a time zone, given in ISO 8601; arrives in UTC."""
