"""Everything that the auth service plugs in."""

from collections.abc import Sequence
from importlib import import_module

from libs.contracts.audit import refused
from libs.contracts.hosts import HostsClient
from libs.kit.db import Database
from libs.kit.outbound import Outbound
from libs.kit.resealing import SealedColumn
from libs.kit.service import Runtime, Service
from libs.kit.settings import OutboundSettings
from services.auth.access.router import router as access_router
from services.auth.access.service import Access
from services.auth.account.service import OwnAccount
from services.auth.approvals.router import router as approvals_router
from services.auth.approvals.service import Approvals
from services.auth.audit.repository import CheckpointFile
from services.auth.audit.router import router as audit_router
from services.auth.audit.service import AuditLog, Checkpoints, Retention
from services.auth.captcha.router import router as captcha_router
from services.auth.captcha.service import Captchas
from services.auth.consumers import on
from services.auth.directory.service import AsksDirectory, Directory, DirectoryWatch
from services.auth.grants.router import router as grants_router
from services.auth.grants.service import Grants
from services.auth.groups.router import router as groups_router
from services.auth.groups.service import Groups
from services.auth.identities.service import Identities
from services.auth.internal import router as internal_router
from services.auth.logins.router import router as logins_router
from services.auth.logins.service import Logins
from services.auth.mfa.router import router as mfa_router
from services.auth.mfa.service import SecondFactors, secret_place
from services.auth.models import Base, OidcFarewell, OidcFlow, SecondFactor
from services.auth.oidc.domain import port_of_issuer
from services.auth.oidc.repository import ProviderClient
from services.auth.oidc.router import router as oidc_router
from services.auth.oidc.service import OidcLogins, farewell_place, verifier_place
from services.auth.presets.router import router as presets_router
from services.auth.presets.service import GrantTemplates
from services.auth.roles.router import router as roles_router
from services.auth.roles.service import Roles
from services.auth.router import router
from services.auth.service import Passwords, Sessions
from services.auth.settings import (
    AuditSettings,
    AuthSettings,
    DirectorySettings,
    MfaSettings,
    OidcSettings,
)
from services.auth.signin.service import FirstFactor, SignIn, WaysIn
from services.auth.step_up.router import router as step_up_router
from services.auth.step_up.service import Proofs
from services.auth.tasks import (
    disable_who_left_the_directory,
    purge_enrolment_tickets,
    purge_expired_captchas,
    purge_expired_sessions,
    purge_oidc_logins,
)
from services.auth.tokens.router import router as tokens_router
from services.auth.tokens.service import Tokens
from services.auth.users.router import router as users_router
from services.auth.users.service import Users


def build(db: Database, runtime: Runtime) -> Sequence[object]:
    """The use cases of this service, wired by hand."""
    settings = AuthSettings()
    passwords = Passwords(settings.hashing_threads)
    sessions = Sessions(db, access=runtime.access_tokens, settings=settings)
    captchas = Captchas(db, settings=settings)
    identities = Identities(db)
    directory = _directory()
    first = FirstFactor(db, passwords=passwords, directory=directory, identities=identities)
    mfa, oidc = MfaSettings(), OidcSettings()
    seal = runtime.seal("auth")
    factors = SecondFactors(db, seal=seal, settings=mfa, proves=first.prove_again)
    return [
        sessions,
        captchas,
        factors,
        OidcLogins(
            db,
            settings=oidc,
            clients=_providers(oidc),
            seal=seal,
            sessions=sessions,
            identities=identities,
        ),
        DirectoryWatch(directory, identities),
        WaysIn(captchas=captchas, directory=directory, mfa=mfa, providers=oidc.providers),
        SignIn(db, sessions=sessions, captchas=captchas, first=first, second=factors),
        Proofs(db, first=first, second=factors, settings=settings),
        OwnAccount(db, passwords=passwords, data_dir=runtime.settings.data_dir),
        Users(db, passwords=passwords, one_time=settings.one_time),
        Groups(db),
        Logins(db),
        Tokens(db),
        Roles(db),
        *_permissions(db, runtime),
        *_audit(db, runtime),
    ]


def _permissions(db: Database, runtime: Runtime) -> Sequence[object]:
    hosts = HostsClient(runtime.http, runtime.internal_tokens, "auth")
    grants = Grants(db, hosts)
    return grants, GrantTemplates(db, grants), Access(db, hosts), Approvals(db)


def _directory() -> Directory:
    settings = DirectorySettings()
    port: AsksDirectory | None = None
    if settings.urls:  # ldap3 costs 6 MB: only who has a directory pays
        port = import_module("services.auth.directory.repository").LdapDirectory(settings)
    return Directory(port, settings)


def _providers(settings: OidcSettings) -> dict[str, ProviderClient]:
    """Each provider may be asked at its own port, whatever ports are open to others."""
    general = OutboundSettings()
    clients: dict[str, ProviderClient] = {}
    for key, provider in settings.providers.items():
        ports = {*general.ports, port_of_issuer(provider.issuer)}
        outbound = Outbound(general.model_copy(update={"ports": tuple(sorted(ports))}))
        clients[key] = ProviderClient(provider, outbound)
    return clients


def _audit(db: Database, runtime: Runtime) -> Sequence[object]:
    settings = AuditSettings()
    checkpoints = Checkpoints(
        db,
        file=CheckpointFile(runtime.settings.data_dir / "audit"),
        settings=settings,
        holder=runtime.process_id,
    )
    return [AuditLog(db), checkpoints, Retention(db, checkpoints=checkpoints, settings=settings)]


PERMISSION_ROUTERS = (grants_router, presets_router, access_router, approvals_router)

service = Service(
    name="auth",
    metadata=Base.metadata,
    build=build,
    routers=(
        router,
        users_router,
        groups_router,
        logins_router,
        tokens_router,
        step_up_router,
        captcha_router,
        roles_router,
        *PERMISSION_ROUTERS,
        mfa_router,
        oidc_router,
        audit_router,
        internal_router,
    ),
    consumers=on,
    sealed=(
        SealedColumn(SecondFactor.sealed_secret, secret_place),
        SealedColumn(OidcFlow.sealed_verifier, verifier_place),
        SealedColumn(OidcFarewell.sealed_token, farewell_place),
    ),
    loops=(Checkpoints, Retention),
    refused=refused,
    tasks=(
        purge_expired_sessions,
        purge_expired_captchas,
        purge_enrolment_tickets,
        purge_oidc_logins,
        disable_who_left_the_directory,
    ),
)
