"""Everything that the auth service plugs in."""

from collections.abc import Sequence

from libs.kit.db import Database
from libs.kit.seal import Seal
from libs.kit.service import Runtime, Service
from services.auth.captcha.router import router as captcha_router
from services.auth.captcha.service import Captchas
from services.auth.internal import router as internal_router
from services.auth.mfa.router import router as mfa_router
from services.auth.mfa.service import SecondFactors
from services.auth.models import Base
from services.auth.roles.router import router as roles_router
from services.auth.roles.service import Roles
from services.auth.router import router
from services.auth.service import Passwords, Sessions
from services.auth.settings import AuthSettings, MfaSettings
from services.auth.signin.service import FirstFactor, SignIn
from services.auth.tasks import (
    purge_enrolment_tickets,
    purge_expired_captchas,
    purge_expired_sessions,
)
from services.auth.users.router import router as users_router
from services.auth.users.service import OwnAccount, Users


def build(db: Database, runtime: Runtime) -> Sequence[object]:
    """The use cases of this service, wired by hand."""
    settings = AuthSettings()
    passwords = Passwords(settings.hashing_threads)
    sessions = Sessions(db, access=runtime.access_tokens, settings=settings)
    captchas = Captchas(db, settings=settings)
    first = FirstFactor(db, passwords=passwords)
    seal = Seal(runtime.settings.secret.get_secret_value(), "auth")
    factors = SecondFactors(db, seal=seal, settings=MfaSettings(), proves=first.prove_again)
    return [
        sessions,
        captchas,
        factors,
        SignIn(db, sessions=sessions, captchas=captchas, first=first, second=factors),
        OwnAccount(db, passwords=passwords, data_dir=runtime.settings.data_dir),
        Users(db, passwords=passwords),
        Roles(db),
    ]


service = Service(
    name="auth",
    metadata=Base.metadata,
    build=build,
    routers=(router, users_router, captcha_router, roles_router, mfa_router, internal_router),
    tasks=(purge_expired_sessions, purge_expired_captchas, purge_enrolment_tickets),
)
