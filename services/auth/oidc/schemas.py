"""What the way to an identity provider takes and shows, where it is no redirection."""

from typing import Annotated

from pydantic import Field

from libs.kit.service import Row, Schema
from services.auth.oidc.domain import MAX_RETURN


class ProofWay(Schema):
    """Where the browser is to go afterwards: a path of this site."""

    return_to: Annotated[str, Field(max_length=MAX_RETURN)] = "/"


class ProofDeparture(Row):
    """The address at the identity provider."""

    url: str
