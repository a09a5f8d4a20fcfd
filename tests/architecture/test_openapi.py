"""The description that the console's client is generated from is the one of the code."""

import json

from services.embedded.describing import document
from tests.support.tree import REPOSITORY

KEPT = REPOSITORY / "frontend" / "openapi.json"


def test_the_kept_description_is_fresh() -> None:
    """`make openapi` writes it anew."""
    assert json.loads(KEPT.read_text(encoding="utf-8")) == document()


def test_no_internal_path_is_described() -> None:
    text = json.dumps(document())

    assert "/internal" not in text


def test_every_operation_says_what_it_answers() -> None:
    paths = document()["paths"]
    assert isinstance(paths, dict)

    silent = [
        f"{method} {path}"
        for path, item in paths.items()
        for method, operation in item.items()
        if not operation.get("responses") or not operation.get("operationId")
    ]

    assert paths
    assert not silent
