"""Rules about dangerous commands in the database."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.exc import IntegrityError

from libs.kit.db import Transaction
from services.execution.errors import RuleNameTaken
from services.execution.guards import CommandRule
from services.execution.rules.schemas import RuleQuery


class RuleRepository:
    """Questions about rules, inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._session = tx.session

    def enabled(self) -> Sequence[CommandRule]:
        """All rules that count, by id."""
        query = select(CommandRule).where(CommandRule.is_enabled.is_(True))
        return self._session.scalars(query.order_by(CommandRule.id)).all()

    def by_id(self, rule_id: int, *, lock: bool = False) -> CommandRule | None:
        """The rule with this id."""
        query = select(CommandRule).where(CommandRule.id == rule_id)
        return self._session.scalars(query.with_for_update() if lock else query).one_or_none()

    def count(self) -> int:
        """How many there are."""
        return self._session.scalar(select(func.count()).select_from(CommandRule)) or 0

    def page(self, query: RuleQuery) -> tuple[int, Sequence[CommandRule]]:
        """The total and one page, by name."""
        where: list[ColumnElement[bool]] = []
        if query.action is not None:
            where.append(CommandRule.action == query.action)
        if query.is_enabled is not None:
            where.append(CommandRule.is_enabled.is_(query.is_enabled))
        if query.search:
            texts = (CommandRule.name, CommandRule.description)
            where.append(or_(*(text.icontains(query.search, autoescape=True) for text in texts)))
        total = self._session.scalar(select(func.count()).select_from(CommandRule).where(*where))
        rows = self._session.scalars(
            select(CommandRule)
            .where(*where)
            .order_by(CommandRule.name, CommandRule.id)
            .limit(query.page_size)
            .offset(query.paging.offset)
        ).all()
        return total or 0, rows

    def store(self, rule: CommandRule) -> None:
        """Keeps a new or changed rule; raises RuleNameTaken."""
        try:
            with self._session.begin_nested():
                self._session.add(rule)
                self._session.flush()
        except IntegrityError as error:
            raise RuleNameTaken(name=rule.name) from error

    def remove(self, rule: CommandRule) -> None:
        """Deletes a rule; what it found before stays with the executions."""
        self._session.delete(rule)
        self._session.flush()
