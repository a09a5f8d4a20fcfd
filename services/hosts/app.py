"""Everything that the hosts service plugs in."""

from collections.abc import Sequence

from libs.contracts.audit import refused
from libs.contracts.auth import AuthClient
from libs.contracts.believed import Accesses
from libs.kit.bus import StreamMark
from libs.kit.db import Database
from libs.kit.resealing import SealedColumn
from libs.kit.service import Runtime, Service
from services.hosts.agents.router import router as agents_router
from services.hosts.agents.service import Agents, PresenceIntake, PresenceSweep
from services.hosts.enrolment.domain import Gateway
from services.hosts.enrolment.router import router as enrolment_router
from services.hosts.enrolment.service import Enrolment
from services.hosts.groups.router import router as groups_router
from services.hosts.groups.service import Groups
from services.hosts.internal import router as internal_router
from services.hosts.models import Base, Host
from services.hosts.quarantine.router import router as quarantine_router
from services.hosts.quarantine.service import Quarantine
from services.hosts.repository import Totals
from services.hosts.router import router
from services.hosts.service import Hosts, password_place
from services.hosts.settings import HostsSettings


def build(db: Database, runtime: Runtime) -> Sequence[object]:
    """The use cases and loops of this service, wired by hand."""
    settings = HostsSettings()
    totals = Totals(settings.total_seconds)
    seal = runtime.seal("hosts")
    quarantine = Quarantine(db)
    accesses = Accesses(AuthClient(runtime.http, runtime.internal_tokens, "hosts"))
    return [
        quarantine,
        Hosts(db, seal=seal, totals=totals, accesses=accesses),
        Groups(db, totals=totals, accesses=accesses),
        Agents(db),
        Enrolment(
            db,
            totals=totals,
            gateway=Gateway(
                settings.gateway_url,
                settings.gateway_certificate_file,
                runtime.settings.agent_port,
            ),
        ),
        PresenceIntake(
            db,
            redis=runtime.redis,
            consumer=runtime.process_id,
            settings=settings,
            watch=quarantine.watch,
            mark=StreamMark(runtime.settings.secret, accepted=runtime.settings.accepted_secrets),
        ),
        PresenceSweep(db, settings=settings),
    ]


service = Service(
    name="hosts",
    metadata=Base.metadata,
    build=build,
    # The more special paths first: /api/hosts/groups is not a host.
    routers=(
        groups_router,
        router,
        enrolment_router,
        quarantine_router,
        agents_router,
        internal_router,
    ),
    loops=(PresenceIntake, PresenceSweep),
    sealed=(SealedColumn(Host.password_sealed, password_place),),
    refused=refused,
)
