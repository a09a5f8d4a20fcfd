"""S52: every limit stands on one page, and the page says what the code does."""

from tests.architecture.limits import PAGE, fresh, places, sections


def test_s52_the_page_of_limits_is_fresh() -> None:
    """`make limits` writes it anew, after `make openapi` where the API has changed."""
    assert PAGE.read_text(encoding="utf-8") == fresh()


def test_s52_every_limit_has_a_figure_and_a_place() -> None:
    assert not [place for place in places() if not place.is_file()]
    assert not [one.name for _, limits in sections() for one in limits if one.value in (None, "")]
