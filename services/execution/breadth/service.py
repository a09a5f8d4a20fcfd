"""Judges how much one request touches at once, when all its hosts are known."""

from collections.abc import Sequence
from typing import Final

from libs.contracts.auth import is_by_api_token
from libs.contracts.grants import SUPERUSERS
from libs.kit.auth import Principal, must_be_proved
from services.execution.access.service import Want
from services.execution.breadth.domain import CountUnconfirmed, TooManyHostsForToken
from services.execution.settings import ExecutionSettings

HOSTS: Final = "confirmed_host_count"
EXECUTIONS: Final = "confirmed_execution_count"


class Breadth:
    """Asks for a typed number above one limit, and as root for a fresh proof above another."""

    def __init__(self, settings: ExecutionSettings) -> None:
        self._typed_above = settings.typed_count_above
        self._root_above = settings.step_up_root_hosts

    def judge(self, wants: Sequence[Want], by: Principal, *, confirmed: int | None) -> None:
        """Before a run: raises CountUnconfirmed, StepUpRequired or TooManyHostsForToken."""
        self.must_be_confirmed(len({want.host_id for want in wants}), confirmed, field=HOSTS)
        self.must_be_proved(len({want.host_id for want in wants if want.account in SUPERUSERS}), by)

    def must_be_confirmed(self, count: int, confirmed: int | None, *, field: str) -> None:
        """Raises CountUnconfirmed. A number that was given has to be right below the limit, too."""
        if confirmed == count:
            return
        if confirmed is not None or 0 < self._typed_above < count:
            raise CountUnconfirmed(count=count, field=field)

    def must_be_proved(self, hosts: int, by: Principal) -> None:
        """For something as root on so many hosts: raises StepUpRequired, TooManyHostsForToken."""
        if hosts <= self._root_above:
            return
        if is_by_api_token(by):
            raise TooManyHostsForToken(hosts=hosts, limit=self._root_above)
        must_be_proved(by)
