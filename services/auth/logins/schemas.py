"""What the API of logins shows."""

from datetime import datetime

from libs.kit.service import Row


class LoginOut(Row):
    """One login of a user; `device` is a reading of `user_agent`, which may say anything."""

    id: str
    device: str
    user_agent: str
    address: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    """When it ends at the latest; it ends earlier when nobody uses it."""
    remembered: bool
    current: bool


class Ended(Row):
    """How many logins were ended."""

    ended: int
