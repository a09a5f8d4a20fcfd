"""Walks through the pages of a list."""

from collections.abc import Iterator, Mapping

from services.cli.api import JSON, Api

PAGE_SIZE = 200  # the largest that the API allows


def rows(
    api: Api, path: str, params: Mapping[str, str | int] | None = None, *, limit: int | None = None
) -> Iterator[Mapping[str, JSON]]:
    """Every row of a list, page by page; at most `limit` of them."""
    page, seen = 1, 0
    while True:
        size = PAGE_SIZE if limit is None else min(PAGE_SIZE, limit)
        content = api.get(path, {**(params or {}), "page": page, "page_size": size})
        results = content.get("results")
        found = results if isinstance(results, list) else []
        for row in found:
            if isinstance(row, dict) and (limit is None or seen < limit):
                seen += 1
                yield row
        total = content.get("total")
        known = isinstance(total, int) and page * size >= total
        if len(found) < size or known or (limit is not None and seen >= limit):
            return
        page += 1
