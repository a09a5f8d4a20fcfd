"""The visible set of executions as a condition, and whose an execution is."""

import json
from dataclasses import dataclass

from sqlalchemy import ARRAY, ColumnElement, String, cast, func, or_, select, true

from libs.kit.db import Transaction
from services.execution.models import Execution


@dataclass(frozen=True, slots=True)
class Sight:
    """The executions that somebody sees who does not see all: the own ones, and some more."""

    user_id: int
    everything: bool = False
    ids: tuple[str, ...] = ()

    def covers(self, user_id: int, execution_id: str) -> bool:
        """Whether somebody's execution is seen; the twin of the condition below."""
        return self.everything or user_id == self.user_id or execution_id in self.ids


class SightRepository:
    """Questions about what is seen."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def condition(self, sight: Sight | None) -> ColumnElement[bool]:
        """What a list, a count or a search has to start from; None sees everything."""
        if sight is None or sight.everything:
            return true()
        own = Execution.user_id == sight.user_id
        if not sight.ids:
            return own
        if self._tx.session.get_bind().dialect.name == "postgresql":
            given = select(func.unnest(cast(list(sight.ids), ARRAY(String))))
            return or_(own, Execution.id.in_(given))
        listed = func.json_each(json.dumps(sight.ids)).table_valued("value")
        return or_(own, Execution.id.in_(select(listed.c.value)))

    def owner_of(self, execution_id: str) -> int | None:
        """Who started an execution, or None when there is none."""
        return self._tx.scalar(select(Execution.user_id).where(Execution.id == execution_id))
