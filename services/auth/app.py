"""Everything that the auth service plugs in."""

from collections.abc import Sequence

from libs.kit.db import Database
from libs.kit.service import Runtime, Service
from services.auth.internal import router as internal_router
from services.auth.models import Base
from services.auth.router import router
from services.auth.service import Passwords, Sessions
from services.auth.settings import AuthSettings
from services.auth.signin.service import SignIn
from services.auth.tasks import purge_expired_sessions
from services.auth.users.router import router as users_router
from services.auth.users.service import OwnAccount, Users


def build(db: Database, runtime: Runtime) -> Sequence[object]:
    """The use cases of this service, wired by hand."""
    settings = AuthSettings()
    passwords = Passwords(settings.hashing_threads)
    sessions = Sessions(db, access=runtime.access_tokens, settings=settings)
    return [
        sessions,
        SignIn(db, sessions=sessions, passwords=passwords),
        OwnAccount(db, passwords=passwords, data_dir=runtime.settings.data_dir),
        Users(db, passwords=passwords),
    ]


service = Service(
    name="auth",
    metadata=Base.metadata,
    build=build,
    routers=(router, users_router, internal_router),
    tasks=(purge_expired_sessions,),
)
