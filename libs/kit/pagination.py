"""Pages of lists: what a caller may ask for and what it gets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageParams:
    """Which page of a list: ``page`` counts from 1, ``page_size`` is at most 200."""

    page: int = 1
    page_size: int = 20

    @property
    def offset(self) -> int:
        """How many rows come before this page."""
        return (self.page - 1) * self.page_size


async def page_params(
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=200)] = 20,
) -> PageParams:
    """Reads ``page`` and ``page_size``; values outside their ranges are answered with 422."""
    return PageParams(page, page_size)


Paging = Annotated[PageParams, Depends(page_params)]
"""The parameter of a list route."""


class Page(BaseModel, Generic[T]):
    """One page of a list; ``total`` counts all rows that match."""

    total: int
    page: int
    page_size: int
    results: list[T]

    @classmethod
    def of(cls, results: Sequence[T], *, total: int, params: PageParams) -> "Page[T]":
        """A page with these rows, as asked for by ``params``."""
        return cls(total=total, page=params.page, page_size=params.page_size, results=list(results))
