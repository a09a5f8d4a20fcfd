"""The history of a task's attempts."""

from libs.kit.db import Database, Transaction, reads
from services.execution.attempts.repository import AttemptRepository
from services.execution.attempts.schemas import AttemptOut


class Attempts:
    """Reading what was tried before."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @reads
    def earlier(self, tx: Transaction, execution_id: str, task_id: str) -> list[AttemptOut]:
        """The earlier attempts of a task, oldest first; empty when it is still the first."""
        return [
            AttemptOut.model_validate(attempt, from_attributes=True)
            for attempt in AttemptRepository(tx).of(execution_id, task_id)
        ]
