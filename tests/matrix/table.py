"""Writes docs/authorization.md from the stated policies: `python -m tests.matrix.table`."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from tests.matrix.callers import NOBODIES, SCOPE, Caller
from tests.matrix.entries import check, entry_of
from tests.matrix.policies import expected
from tests.matrix.routes import Row, collected
from tests.matrix.sockets import spoken
from tests.support.tree import REPOSITORY

PAGE = REPOSITORY / "docs" / "authorization.md"
COLUMNS = tuple(caller for caller in Caller if caller not in NOBODIES)

HEAD = f"""# Who may do what

This page is generated from the policies that the routes state and from the rules of their use
cases; `make authorization` writes it anew, and a test fails while it is stale. The same source
makes the tests of `tests/matrix`: every row is tried with every column on a running platform,
through the gateway, and after each refusal the tables of all services are compared with what they
held before.

`yes`: the use case answers. `401`: nobody, or nobody any more. `403`: not allowed. `404`: hidden,
with the same bytes as for something that does not exist. `–`: not tried, because a page of
another site may cause a reading request and never sees its answer.

The columns:

- **no login** stands for five callers that are treated alike: without a credential, with an
  access token that is over, a disabled administrator, the internal token of a service, and the
  file ticket of an agent.
- **other site**: a page elsewhere uses the cookie of an administrator.
- **old proof** is an administrator who logged in 20 minutes ago and has not proved since then to
  be that person (docs/identity.md, "Asked again").
- **member** holds nothing. **grant elsewhere** holds every action on another group of hosts and
  another execution. **grant over** had every action on these objects until it was taken back.
  **grant to view** and **full grant** hold those actions on the group in which the hosts of the
  rows lie, and on executions.
- **token {SCOPE}** is an API token of an administrator with this scope alone.
- **viewer**, **auditor**, **operator**, **admin** are the built-in roles.

Policies: `public` and `authenticated` say what they mean; a name such as `hosts:read` is a
permission; `execution:…` is judged for the execution of the address (its starter, the permission
of that name, or a grant); `hosts:execute` is for who may run anything on any host; `internal` is
for services. What the use case decides beyond that is in the last column. **Asks again** says
for what a login has to be proved again (403 `step_up_required`): always, only as root on more
hosts than `OPSJOB_EXECUTION_STEP_UP_ROOT_HOSTS`, or only to approve. An API token without the
scope `step_up:waive` counts as an old proof.
"""
TITLES = {
    "auth": "Users, roles, sessions",
    "hosts": "Hosts, groups, agents",
    "execution": "Executions, files, live output",
}


def page(rows: Iterable[Row]) -> str:
    """The whole page."""
    known = list(rows)
    parts = [HEAD]
    public = [row for row in known if not row.is_internal]
    for service, of_service in groupby(
        sorted(public, key=lambda r: (list(TITLES).index(r.service), r.path, r.method)),
        key=lambda row: row.service,
    ):
        parts.append(f"## {TITLES[service]}\n\n" + "\n".join(_table(of_service)) + "\n")
    parts.append(_internal(row for row in known if row.is_internal))
    parts.append(_socket())
    return "\n".join(parts)


def _table(rows: Iterable[Row]) -> Iterator[str]:
    names = [caller.value for caller in COLUMNS]
    yield "| Request | Policy | Asks again | no login | " + " | ".join(names) + " | Use case |"
    yield "|---|---|---|" + "---|" * (len(COLUMNS) + 1) + "---|"
    for row in rows:
        entry = entry_of(row)
        cells = [
            expected(row.policies, entry.rule, row.method, caller, asks_again=row.asks_again)
            for caller in (Caller.ANONYMOUS, *COLUMNS)
        ]
        stated = ", ".join(f"`{policy}`" for policy in sorted(row.policies))
        again = row.asks_again
        yield f"| `{row.key}` | {stated} | {again} | {' | '.join(cells)} | {entry.rule.note} |"


def _internal(rows: Iterable[Row]) -> str:
    listed = "\n".join(f"- `{row.key}` ({row.service})" for row in rows)
    return (
        "## For services alone\n\n"
        "The gateway knows none of these addresses: 404 for everybody. The services answer them\n"
        "to each other, with an internal token for exactly that service; 401 without one, 403 for\n"
        "the token that the gateway forwards for a person.\n\n"
        f"{listed}\n"
    )


def _socket() -> str:
    lines = [
        "## The agents' socket",
        "",
        "`4401` and `4400` are the codes with which the gateway ends a session, unhandled. A peer",
        "that has not proven its key may send one message, `hello`, once.",
        "",
        "| Message | Sent by | From a peer without proof | From a proven agent |",
        "|---|---|---|---|",
    ]
    for one in sorted(spoken(), key=lambda one: (not one.by_agent, one.name)):
        sender = "agent" if one.by_agent else "gateway"
        lines.append(f"| `{one.name}` | {sender} | {one.before_proof} | {one.by_proven} |")
    return "\n".join(lines) + "\n"


def fresh() -> str:
    """The page as it must be; raises MatrixIncomplete or UnknownPolicy."""
    rows, _ = collected()
    check(rows)
    return page(rows)


if __name__ == "__main__":
    PAGE.write_text(fresh(), encoding="utf-8")
