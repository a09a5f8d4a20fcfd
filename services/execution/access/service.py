"""The use cases of access: seeing and acting on executions, running on hosts."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import NamedTuple

from libs.contracts.access import Decision, Request, decide
from libs.contracts.auth import grants_count
from libs.contracts.believed import Accesses
from libs.contracts.grants import (
    AGENT_ACCOUNT,
    REFER,
    RUN,
    RUN_AS_ROOT,
    SUPERUSERS,
    Action,
    ObjectType,
)
from libs.contracts.hosts import HostsClient
from libs.kit import clock
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads
from libs.kit.errors import AppError, Forbidden
from services.execution.access.repository import Sight, SightRepository
from services.execution.domain import StepKind
from services.execution.errors import (
    ExecutionNotFound,
    RunNotAllowed,
    SecretReferenceForbidden,
)

CHECK_SECONDS = 2.0
"""So often an open stream is asked about again; a change has its effect within 5 s."""
LINEAGE_SECONDS = 2.0
MOST_LINES = 50_000
NAMED = 20
NOBODY = -1
"""No user has this id."""


class Want(NamedTuple):
    """One step on one host that somebody wants to run; `groups` are those around the host."""

    host_id: int
    host_name: str
    groups: Sequence[int]
    step: str
    what: str
    account: str

    def request(self) -> Request:
        """As the rule reads it."""
        around = tuple(map(str, self.groups))
        host = str(self.host_id)
        return Request(Action.EXECUTE, ObjectType.HOST, host, around, self.what, self.account)


def what_of(kind: str) -> str:
    """What a step counts as in grants."""
    return "adhoc" if kind == StepKind.SCRIPT else "file"


def account_of(run_as: str | None) -> str:
    """Which account a step counts as in grants."""
    return run_as or AGENT_ACCOUNT


class Access:
    """Judges what people do with executions, and what they want to run."""

    def __init__(self, db: Database, accesses: Accesses) -> None:
        self._db = db
        self._accesses = accesses

    # ---- executions ------------------------------------------------------------------------

    async def sight(self, by: Principal) -> Sight | None:
        """Which executions a caller sees: the own ones and those of grants; None sees all."""
        if by.can("executions:read"):
            return None
        seen = await self._accesses.visible(by, ObjectType.EXECUTION)
        return Sight(_owner(by), seen.everything, tuple(sorted(seen.ids)))

    async def must_see(self, execution_id: str, by: Principal) -> None:
        """Raises ExecutionNotFound for an execution that is missing or hidden."""
        sight = await self.sight(by)
        if sight is not None:
            await self._must_see(execution_id, sight)

    @reads
    def _must_see(self, tx: Transaction, execution_id: str, sight: Sight) -> None:
        owner = SightRepository(tx).owner_of(execution_id)
        if owner is None:
            raise ExecutionNotFound(execution_id=execution_id)
        if not sight.covers(owner, execution_id):
            missing = ExecutionNotFound(execution_id=execution_id)
            raise missing.refusing(kind="execution", id=execution_id)

    async def must_act(self, execution_id: str, by: Principal, permission: str) -> None:
        """The permission, the own execution, or `execute` on it; else it is not for the caller.

        Raises ExecutionNotFound for one that is missing or hidden, Forbidden for any other.
        """
        await self.must_see(execution_id, by)
        if by.can(permission) or await self._is_own(execution_id, _owner(by)):
            return
        asked = Request(Action.EXECUTE, ObjectType.EXECUTION, execution_id)
        rows = (await self._accesses.of(by)).by_rows_alone()
        if not decide(rows, asked, clock.now()).allowed:
            raise Forbidden(permission=permission).refusing(kind="execution", id=execution_id)

    @reads
    def _is_own(self, tx: Transaction, execution_id: str, user_id: int) -> bool:
        return SightRepository(tx).owner_of(execution_id) == user_id

    async def while_seen(
        self, events: AsyncGenerator[bytes, None], execution_id: str, by: Principal
    ) -> AsyncGenerator[bytes, None]:
        """The same events until the caller does not see the execution any more.

        Of somebody who sees all, the gateway watches whether that stays so.
        """
        until = clock.monotonic() + CHECK_SECONDS
        following: asyncio.Task[bytes | None] | None = None
        try:
            while True:
                following = following or asyncio.create_task(_next(events))
                await asyncio.wait([following], timeout=max(0.0, until - clock.monotonic()))
                if clock.monotonic() >= until:
                    if not await self._still_sees(execution_id, by):
                        return
                    until = clock.monotonic() + CHECK_SECONDS
                if following.done():
                    item, following = following.result(), None
                    if item is None:
                        return
                    yield item
        finally:
            if following is not None:
                following.cancel()
                await asyncio.wait([following])
            await events.aclose()

    async def _still_sees(self, execution_id: str, by: Principal) -> bool:
        try:
            await self.must_see(execution_id, by)
        except AppError:
            return False
        return True

    # ---- runs ------------------------------------------------------------------------------

    async def must_run_something(self, by: Principal) -> None:
        """Raises Forbidden for who may run nothing anywhere."""
        anything = Request(Action.EXECUTE, ObjectType.HOST, "")
        if not by.can(RUN) and not (await self._accesses.of(by)).gives(anything):
            raise Forbidden(permission=RUN)

    def must_refer(self, references: Mapping[str, str], by: Principal) -> None:
        """Raises SecretReferenceForbidden for who may not name secrets that lie elsewhere."""
        if references and not by.can(REFER):
            raise SecretReferenceForbidden(variables=sorted(references)[:NAMED], permission=REFER)

    async def must_run(self, wants: Sequence[Want], by: Principal) -> None:
        """Raises RunNotAllowed with the first hosts that are refused; they are all seen by then."""
        if by.can(RUN) and (by.can(RUN_AS_ROOT) or not any(w.account in SUPERUSERS for w in wants)):
            return
        access, now = await self._accesses.of(by), clock.now()
        refused: list[tuple[Want, Decision]] = []
        for want in wants:
            decision = decide(access, want.request(), now)
            if not decision.allowed:
                refused.append((want, decision))
        if refused:
            raise RunNotAllowed(
                refused_total=len(refused),
                refused=[
                    {
                        "host_id": want.host_id,
                        "host_name": want.host_name,
                        "step": want.step,
                        "what": want.what,
                        "account": want.account,
                        "missing": decision.missing,
                    }
                    for want, decision in refused[:NAMED]
                ],
            )


def _owner(by: Principal) -> int:
    """Whose executions are the caller's own; an API token has its owner's only if it may run."""
    return by.id if by.can(RUN) or grants_count(by, RUN) else NOBODY


async def _next(events: AsyncGenerator[bytes, None]) -> bytes | None:
    return await anext(events, None)


class Actors:
    """Whether the people behind tasks may still run them, asked at claim time (R6)."""

    def __init__(self, accesses: Accesses, hosts: HostsClient) -> None:
        self._accesses = accesses
        self._hosts = hosts
        self._lines: dict[int, tuple[float, tuple[str, ...]]] = {}

    def may(
        self, user_id: int, host_id: int, kind: str, run_as: str | None, *, refers: bool = False
    ) -> bool | None:
        """Whether somebody may run a step on a host now; None when others have to be asked.

        `refers` is a step that is given secrets that lie elsewhere.
        """
        access = self._accesses.known(user_id)
        if access is None:
            return None
        if refers and not access.can(REFER):
            return False
        account = account_of(run_as)
        if access.can(RUN) and (account not in SUPERUSERS or access.can(RUN_AS_ROOT)):
            return True
        if not access.rows:
            return False
        at, around = self._lines.get(host_id, (float("-inf"), ()))
        if clock.monotonic() - at >= LINEAGE_SECONDS:
            return None
        want = Want(host_id, "", (), "", what_of(kind), account).request()
        return decide(access, want._replace(groups=around), clock.now()).allowed

    async def ask(self, tasks: Iterable[tuple[int, int]]) -> None:
        """Ask about users and the hosts of their tasks. Raises Unavailable without an answer."""
        pairs = list(tasks)
        known = await self._accesses.of_users({user_id for user_id, _ in pairs})
        hosts = {host_id for user_id, host_id in pairs if (one := known.get(user_id)) and one.rows}
        if not hosts:
            return
        at = clock.monotonic()
        found = (await self._hosts.lineage(sorted(hosts), [])).hosts
        if len(self._lines) > MOST_LINES:
            self._lines.clear()
        for host_id in hosts:
            self._lines[host_id] = (at, tuple(map(str, found.get(host_id, ()))))
