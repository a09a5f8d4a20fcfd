"""What the API of proofs takes and shows."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from libs.kit.service import Row, Schema


class ProofIn(Schema):
    """The password, and the code of who has a second factor; a recovery code will do."""

    password: Annotated[str, Field(max_length=1024)]
    otp_token: Annotated[str, Field(max_length=64)] | None = None


class ProofOut(Row):
    """The proof of this login, and what the next one consists of."""

    proved_until: datetime | None
    """Until when delicate things are open; in the past, or null, when a new proof is needed."""
    code: bool
    """Whether a code is wanted beside the password."""
    provider: str | None
    """The identity provider that is asked in place of a password."""
