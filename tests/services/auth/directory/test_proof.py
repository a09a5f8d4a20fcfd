"""Proving again with a password that the directory knows."""

from dataclasses import replace

import pytest

from libs.contracts.auth import AuthClient
from tests.services.auth.directory.conftest import login
from tests.support.doors import Door, error_of
from tests.support.slapd import BINARY, PASSWORD

pytestmark = pytest.mark.skipif(BINARY is None, reason="there is no slapd on this machine")


async def test_the_password_of_the_directory_proves(door: Door) -> None:
    token = (await login(door, "ann")).json()["content"]["access_token"]
    session_id = door.runtime.access_tokens.verify(token).session_id
    client = AuthClient(door.runtime.http, door.runtime.internal_tokens, "gateway")
    info = await client.principal_of_session(session_id)
    assert info is not None
    before, by = info.proved_until, replace(info.as_principal(), proved_until=0)

    refused = await door.request("POST", "/api/auth/step_up", by=by, json={"password": "wrong"})
    proof = await door.request("POST", "/api/auth/step_up", by=by, json={"password": PASSWORD})

    assert error_of(refused, 422) == "proof_refused"
    assert proof.status_code == 200, proof.text
    after = await client.principal_of_session(session_id)
    assert after is not None
    assert after.proved_until is not None
    assert before is not None
    assert after.proved_until > before
