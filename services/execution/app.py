"""Everything that the execution service plugs in."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from blake3 import blake3
from httpx import AsyncClient

from libs.contracts.audit import refused
from libs.contracts.auth import AuthClient
from libs.contracts.believed import Accesses
from libs.contracts.hosts import HostsClient
from libs.kit.artifacts import Drafts, FileTickets, store_of
from libs.kit.auth import InternalTokens
from libs.kit.bus import StreamMark
from libs.kit.clock import now
from libs.kit.db import Database
from libs.kit.objects import Shelf, bucket_of
from libs.kit.outbound import Outbound
from libs.kit.resealing import SealedColumn
from libs.kit.seal import KeyRing, Seal
from libs.kit.service import Runtime, Service
from libs.kit.settings import ObjectSettings, OutboundSettings, Settings
from services.execution.access.service import Access, Actors
from services.execution.approvals.service import Approvals
from services.execution.archives.router import router as archives_router
from services.execution.archives.service import Archives
from services.execution.attempts.service import Attempts
from services.execution.breadth.service import Breadth
from services.execution.changes.service import Changes
from services.execution.consents.service import Clearances, Consents, Repeats
from services.execution.consumers import AgentOutput, AgentReports, AgentStatus, Closer, on
from services.execution.control.router import router as control_router
from services.execution.control.service import Control, Operations
from services.execution.dispatch.service import Dispatcher
from services.execution.distribution.router import router as distribution_router
from services.execution.distribution.service import Distribution
from services.execution.downlink.service import Downlink
from services.execution.downloads.router import router as download_router
from services.execution.downloads.service import Downloads
from services.execution.files.router import router as files_router
from services.execution.files.service import Files
from services.execution.flow.service import Flow
from services.execution.grouping.router import router as grouping_router
from services.execution.grouping.service import Grouping
from services.execution.history.router import router as history_router
from services.execution.history.service import History
from services.execution.incidents.router import router as incidents_router
from services.execution.incidents.service import Incidents
from services.execution.internal import router as internal_router
from services.execution.logs.service import Recorder
from services.execution.models import Base, ExecutionSecret
from services.execution.orders.service import Orders
from services.execution.outcomes.router import router as outcomes_router
from services.execution.outcomes.service import Outcomes
from services.execution.plans.service import Plans
from services.execution.previews.service import Previews
from services.execution.quick.router import router as quick_router
from services.execution.quick.service import QuickRuns
from services.execution.realtime.router import router as realtime_router
from services.execution.realtime.service import Streams
from services.execution.references.service import References
from services.execution.reports.service import Reports
from services.execution.reruns.router import router as reruns_router
from services.execution.reruns.service import Reruns
from services.execution.router import router
from services.execution.rules.router import router as rules_router
from services.execution.rules.service import Judge, RuleBooks, Rules
from services.execution.searching.router import router as search_router
from services.execution.searching.service import Searching
from services.execution.segments.repository import SegmentFiles
from services.execution.service import Executions
from services.execution.settings import ExecutionSettings, SecretSettings, SignerSettings
from services.execution.signatures.service import NobodySigns, RemoteSigner, Signer
from services.execution.signing.repository import TrustFolder
from services.execution.signing.service import Signing, Standing
from services.execution.steps.router import router as steps_router
from services.execution.steps.service import Steps
from services.execution.tasks import forget_old_keys, forget_old_secrets, sweep_files
from services.execution.transfers.service import NobodyWatches, Transfers
from services.execution.upkeep.service import Upkeep
from services.execution.uploads.router import router as uploads_router
from services.execution.uploads.service import Uploads
from services.execution.variables.service import Variables, place_of


def build(db: Database, runtime: Runtime) -> Sequence[object]:
    """The use cases and loops of this service, wired by hand."""
    settings = ExecutionSettings()
    name, redis = runtime.process_id, runtime.redis
    auth = AuthClient(runtime.http, runtime.internal_tokens, "execution")
    hosts = HostsClient(runtime.http, runtime.internal_tokens, "execution")
    changes = Changes(redis, name)
    files, recorder, upkeep = _output(db, runtime, settings, changes)
    mark = StreamMark(runtime.settings.secret, accepted=runtime.settings.accepted_secrets)
    downlink = Downlink(redis, mark)
    seal = runtime.seal("execution")
    flow = Flow(settings)
    references = _references()
    variables = Variables(db, seal, settings, references)
    orders = Orders(variables, references)
    transfers = Transfers(db, settings, FileTickets(runtime.settings.secret), changes)
    signer = _signer(db, runtime, orders, transfers)
    accesses = Accesses(auth)
    actors = Actors(accesses, hosts)
    dispatcher = Dispatcher(db, downlink, changes, settings, flow, signer, actors.ask)
    library, uploads = _library(db, runtime, settings)
    access = Access(db, accesses)
    books = RuleBooks(db)
    judge, consents = Judge(books), Consents(auth)
    approvals = Approvals(db, auth, flow, dispatcher, changes, settings)
    plans = Plans(
        *(db, settings, hosts, variables, dispatcher, flow, transfers, access),
        *(judge, consents, approvals),
    )
    executions = Executions(db, settings, dispatcher, changes, flow, access)
    operations = Operations(db, dispatcher, changes)
    reports = Reports(db, actors, dispatcher, changes, flow, signer, recorder)
    incidents = Incidents(db)
    return [
        *(signer, access, executions),
        *(plans, approvals, Previews(settings, plans, access, judge)),
        Rules(db, books, hosts, auth),
        *(QuickRuns(plans), variables),
        Control(db, operations, flow, access, Breadth(settings)),
        Steps(operations, flow, settings, Repeats(db, hosts, judge)),
        Reruns(db, settings, plans, variables, hosts, access),
        *(Outcomes(db, orders), Attempts(db), changes, dispatcher, incidents, downlink),
        *(library, uploads, Distribution(plans, library, uploads), Archives(library)),
        Streams(db, files, changes),
        *_stored_logs(db, files),
        AgentReports(redis, reports, transfers, downlink, incidents, consumer=name, mark=mark),
        AgentStatus(redis, reports, incidents, consumer=name, mark=mark),
        AgentOutput(db, redis, recorder, downlink, upkeep, incidents, consumer=name, mark=mark),
        Closer(executions, dispatcher),
    ]


def _output(
    db: Database, runtime: Runtime, settings: ExecutionSettings, changes: Changes
) -> tuple[SegmentFiles, Recorder, Upkeep]:
    """What keeps output; some days later it moves to the object store, if there is one."""
    folder, objects = runtime.settings.data_dir, ObjectSettings()
    shelf: Shelf | None = None
    if (bucket := bucket_of(objects)) is not None:
        shelf = Shelf(bucket, "logs/", folder / "archive", limit_bytes=objects.cache_bytes)
    files = SegmentFiles(folder / "logs", shelf)
    recorder = Recorder(db, files, changes, settings)
    return files, recorder, Upkeep(db, files, recorder, changes, settings, shelf)


def _library(db: Database, runtime: Runtime, settings: ExecutionSettings) -> tuple[Files, Uploads]:
    folder = runtime.settings.data_dir / "artifacts"
    drafts = Drafts(folder / "drafts", (hashlib.sha256, blake3))
    library = Files(db, settings, store_of(folder), drafts)
    return library, Uploads(db, settings, library, drafts)


def _signer(db: Database, runtime: Runtime, orders: Orders, transfers: Transfers) -> Signer:
    """The signer's process; in development and tests the service signs by itself."""
    settings = SignerSettings()
    if runtime.settings.signer_socket is not None:
        return RemoteSigner(runtime.settings.signer_socket)
    if runtime.settings.environment not in ("development", "test"):
        return NobodySigns()
    folder = TrustFolder(settings.folder or runtime.settings.data_dir / "trust")
    folder.create(now(), timedelta(days=settings.certificate_days))
    auth = AuthClient(runtime.http, runtime.internal_tokens, "execution")
    hosts = HostsClient(runtime.http, runtime.internal_tokens, "execution")
    standing = Standing(Actors(Accesses(auth), hosts), hosts)
    clearances = Clearances(auth, hosts, RuleBooks(db))
    return Signing(db, orders, transfers, standing, clearances, folder, settings)


def signing(db: Database, settings: Settings, http: AsyncClient, tokens: InternalTokens) -> Signing:
    """The signer alone, for a process that does nothing else; it reads the service's database."""
    own, limits = SignerSettings(), ExecutionSettings()
    seal = Seal(KeyRing.of(settings), "execution")
    transfers = Transfers(db, limits, FileTickets(settings.secret), NobodyWatches())
    hosts, references = HostsClient(http, tokens, "signer"), _references()
    auth = AuthClient(http, tokens, "signer")
    actors = Actors(Accesses(auth), hosts)
    return Signing(
        db,
        Orders(Variables(db, seal, limits, references), references),
        transfers,
        Standing(actors, hosts),
        Clearances(auth, hosts, RuleBooks(db)),
        TrustFolder(own.folder or settings.data_dir / "trust"),
        own,
    )


FILE_ROUTERS = (
    *(uploads_router, files_router, archives_router),
    *(distribution_router, internal_router),
)
CONTROL_ROUTERS = (
    *(incidents_router, rules_router),
    *(control_router, steps_router, reruns_router, outcomes_router),
)


def _stored_logs(db: Database, files: SegmentFiles) -> Sequence[object]:
    history = History(db, files)
    return history, Searching(history), Downloads(db, history), Grouping(history)


def _references() -> References:
    settings = SecretSettings()
    return References(settings, Outbound(OutboundSettings()), settings.environment())


service = Service(
    name="execution",
    metadata=Base.metadata,
    build=build,
    routers=(
        *FILE_ROUTERS,
        quick_router,
        router,
        realtime_router,
        history_router,
        search_router,
        download_router,
        grouping_router,
        *CONTROL_ROUTERS,
    ),
    consumers=on,
    sealed=(SealedColumn(ExecutionSecret.sealed, place_of),),
    tasks=(sweep_files, forget_old_keys, forget_old_secrets),
    loops=(
        Changes,
        Streams,
        Dispatcher,
        AgentReports,
        AgentStatus,
        AgentOutput,
        Closer,
        Approvals,
        Downlink,
    ),
    refused=refused,
)
