"""All example requests, and the check that every route has one and every one a route."""

from collections.abc import Iterable

from tests.matrix import access_examples, auth_examples, execution_examples, hosts_examples
from tests.matrix.callers import Caller
from tests.matrix.examples import Entry
from tests.matrix.policies import expected
from tests.matrix.routes import Row

ENTRIES: dict[str, Entry] = {
    **auth_examples.ENTRIES,
    **access_examples.ENTRIES,
    **hosts_examples.ENTRIES,
    **execution_examples.ENTRIES,
}
INTERNAL = Entry()
"""The gateway knows no internal address, whatever is sent to it."""


class MatrixIncomplete(Exception):
    """A route has no example request, or an example no route."""


def entry_of(row: Row) -> Entry:
    """The example request of a route; raises MatrixIncomplete with its name."""
    found = INTERNAL if row.is_internal else ENTRIES.get(row.key)
    if found is None:
        message = f"{row.key} has no example request in tests/matrix"
        raise MatrixIncomplete(message)
    return found


def check(rows: Iterable[Row]) -> None:
    """Raises MatrixIncomplete or UnknownPolicy, naming what is missing."""
    keys = set()
    for row in rows:
        keys.add(row.key)
        entry = entry_of(row)
        if "authenticated" in row.policies and not entry.rule.note:
            message = f"{row.key} is for everybody who is logged in; say what its use case decides"
            raise MatrixIncomplete(message)
        for caller in Caller:
            expected(row.policies, entry.rule, row.method, caller, asks_again=row.asks_again)
    without = sorted(set(ENTRIES) - keys)
    if without:
        message = f"there is no route for the example requests {without}"
        raise MatrixIncomplete(message)
