"""Example requests of users, sessions, factors and tokens."""

from tests.matrix.examples import Entry
from tests.matrix.policies import Rule

OWN = Rule("one's own")
OWN_PERSON = Rule("one's own; not with an API token", programs=False)
PROVEN_HERE = Rule(
    "one's own; the request itself holds the proof, every time; not with an API token",
    programs=False,
)
THEIRS = Rule(
    "one's own: another's is as if it were missing; not with an API token",
    theirs=True,
    programs=False,
)
WRONG = "not the password"
USER = {"user_id": "user"}
USERS = {"group_id": "users"}

ENTRIES = {
    "POST /api/auth/login": Entry(
        body={"username": "@name of member", "password": "@password"}, answers=(200,)
    ),
    "GET /api/auth/options": Entry(),
    "POST /api/auth/refresh": Entry(body={"refresh_token": "r" * 43}, answers=(401,)),
    "GET /api/auth/captcha": Entry(answers=(200, 429)),
    "POST /api/auth/mfa/enrolment/setup": Entry(body={"enrolment_token": "t" * 43}, answers=(401,)),
    "POST /api/auth/mfa/enrolment/verify": Entry(
        body={"enrolment_token": "t" * 43, "otp_token": "000000"}, answers=(401,)
    ),
    "GET /api/auth/oidc/{provider}/start": Entry(things={"provider": "=nowhere"}, answers=(404,)),
    "GET /api/auth/oidc/{provider}/callback": Entry(
        things={"provider": "=nowhere"}, answers=(303,)
    ),
    "POST /api/auth/logout": Entry(OWN, once=True),
    "GET /api/auth/me": Entry(OWN),
    "PATCH /api/auth/me": Entry(OWN_PERSON, body={"position": "engineer"}),
    "POST /api/auth/password": Entry(
        PROVEN_HERE,
        body={"current_password": "@password", "new_password": "another horse battery"},
        once=True,
    ),
    "GET /api/auth/step_up": Entry(OWN_PERSON),
    "POST /api/auth/step_up": Entry(OWN_PERSON, body={"password": "@password"}, once=True),
    "POST /api/auth/oidc/{provider}/prove": Entry(
        OWN_PERSON, things={"provider": "=nowhere"}, body={}, answers=(404,), once=True
    ),
    "GET /api/auth/roles": Entry(),
    "GET /api/auth/sessions": Entry(OWN_PERSON),
    "DELETE /api/auth/sessions": Entry(OWN_PERSON, once=True),
    "DELETE /api/auth/sessions/{session_id}": Entry(
        THEIRS, things={"session_id": "session"}, answers=(404,)
    ),
    "GET /api/auth/tokens": Entry(OWN),
    "POST /api/auth/tokens": Entry(
        Rule(
            "within one's own rights and grants; not with an API token",
            also="hosts:read",
            programs=False,
            anywhere=True,
        ),
        body={"name": "#token", "scopes": ["hosts:read"], "expires_at": "@next month"},
        answers=(201,),
    ),
    "DELETE /api/auth/tokens/{token_id}": Entry(
        THEIRS, things={"token_id": "token of somebody"}, answers=(404,)
    ),
    "GET /api/auth/mfa/status": Entry(OWN),
    "POST /api/auth/mfa/setup": Entry(
        PROVEN_HERE, body={"current_password": WRONG}, answers=(422,), once=True
    ),
    "POST /api/auth/mfa/verify": Entry(
        OWN_PERSON, body={"otp_token": "000000"}, answers=(409, 422), once=True
    ),
    "POST /api/auth/mfa/disable": Entry(
        PROVEN_HERE,
        body={"current_password": WRONG, "otp_token": "000000"},
        answers=(409, 422),
        once=True,
    ),
    "POST /api/auth/mfa/recovery_codes": Entry(
        PROVEN_HERE, body={"otp_token": "000000"}, answers=(409, 422), once=True
    ),
    "POST /api/auth/mfa/users/{user_id}/reset": Entry(
        things=USER, answers=(200, 409), uses_up=True
    ),
    "GET /api/auth/users": Entry(),
    "POST /api/auth/users": Entry(
        body={"username": "#user", "password": "@password"}, answers=(201,)
    ),
    "GET /api/auth/users/{user_id}": Entry(things=USER),
    "PATCH /api/auth/users/{user_id}": Entry(
        things=USER, body={"position": "engineer"}, uses_up=True
    ),
    "DELETE /api/auth/users/{user_id}": Entry(things=USER, uses_up=True),
    "POST /api/auth/users/{user_id}/disable": Entry(things=USER, uses_up=True),
    "POST /api/auth/users/{user_id}/enable": Entry(things=USER, uses_up=True),
    "POST /api/auth/users/{user_id}/reset_password": Entry(things=USER, uses_up=True),
    "GET /api/auth/users/{user_id}/sessions": Entry(things=USER),
    "DELETE /api/auth/users/{user_id}/sessions": Entry(things=USER, uses_up=True),
    "GET /api/auth/users/{user_id}/tokens": Entry(things=USER),
    "DELETE /api/auth/users/{user_id}/tokens": Entry(things=USER, uses_up=True),
    "DELETE /api/auth/users/{user_id}/tokens/{token_id}": Entry(
        things={"user_id": "user of admin", "token_id": "token"}, uses_up=True
    ),
    "GET /api/auth/groups": Entry(),
    "POST /api/auth/groups": Entry(body={"name": "#group"}, answers=(201,)),
    "GET /api/auth/groups/{group_id}": Entry(things=USERS),
    "PATCH /api/auth/groups/{group_id}": Entry(
        things=USERS, body={"description": "changed"}, uses_up=True
    ),
    "DELETE /api/auth/groups/{group_id}": Entry(things=USERS, uses_up=True),
    "GET /api/auth/groups/{group_id}/members": Entry(things=USERS),
    "POST /api/auth/groups/{group_id}/members": Entry(
        things=USERS, body={"user_ids": ["@user"]}, uses_up=True
    ),
    "DELETE /api/auth/groups/{group_id}/members/{user_id}": Entry(
        things={"group_id": "users", "user_id": "user"}, answers=(200, 404), uses_up=True
    ),
}
