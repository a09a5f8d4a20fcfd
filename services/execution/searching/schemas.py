"""What a search answers."""

from libs.kit.service import Row


class MatchOut(Row):
    """A line in which something was found, without colours and other escape sequences.

    `highlights` are pairs of character places in `text`. Of a long line a part is shown, with
    `skipped_bytes` left out before it.
    """

    number: int
    host: str
    host_id: int
    step_id: str
    task_id: str
    attempt: int
    stream: str
    text: str
    lossy: bool
    highlights: list[tuple[int, int]]
    skipped_bytes: int
    is_open: bool


class SearchOut(Row):
    """Matches in the order of their lines, and how to go on.

    `next_cursor` is None once all that is stored was looked through. `complete` says that nothing
    more will be stored. `unreadable_bytes` could not be looked through.
    """

    matches: list[MatchOut]
    next_cursor: int | None
    searched_lines: int
    unreadable_bytes: int
    complete: bool
