"""Variables from the request to the end: frozen at accept, copied for a re-run, forgotten."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from libs.contracts.audit import audit
from libs.contracts.hosts import HostTarget
from libs.kit.db import Database, Transaction, writes
from libs.kit.seal import Seal
from services.execution.errors import SecretNotAllowed, SecretsForgotten, VariableInvalid
from services.execution.references.service import References
from services.execution.settings import ExecutionSettings
from services.execution.variables.domain import (
    MAX_VALUE_BYTES,
    NamedHost,
    VariableType,
    passed_on,
)
from services.execution.variables.repository import SecretRepository
from services.execution.variables.schemas import Kept, Level, VariableIn, VariableOut

FORGET_AT_ONCE = 500


def place_of(execution_id: str, name: str) -> str:
    """The place for which a secret is sealed in the database."""
    return f"executions/{execution_id}/variables/{name}"


@dataclass(frozen=True)
class Frozen:
    """The variables of an execution that is being accepted, as the request meant them (R5).

    `kept` goes into the execution's row, `secrets` through `Variables.keep` into their own table;
    of a secret that lies elsewhere that is its reference, which nobody can change there unseen.
    """

    kept: dict[str, object] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)


NOTHING = Frozen()


def host_ids(variables: Mapping[str, VariableIn]) -> list[int]:
    """The hosts that host lists name; the caller resolves them as the user may see them."""
    return list(dict.fromkeys(one for v in variables.values() for one in v.host_ids))


def freeze(variables: Mapping[str, VariableIn], hosts: Iterable[HostTarget] = ()) -> Frozen:
    """Freeze variables of a request; `hosts` are the resolved ones of `host_ids`."""
    if not variables:
        return NOTHING
    known = {host.host_id: NamedHost(host.host_id, host.name, host.ip_address) for host in hosts}
    kept: dict[str, object] = {}
    secrets: dict[str, str] = {}
    for name, variable in variables.items():
        if variable.type == VariableType.SECRET:
            if variable.given is None and variable.reference is None:
                continue
            secrets[name] = variable.reference or variable.text
        one = _kept(variable, known)
        if len(one.value.text.encode()) > MAX_VALUE_BYTES:
            raise VariableInvalid(
                f"The names of the hosts in {name} are too long together.",
                zh=f"变量 {name} 中的主机名总长度超出限制。",
                name=name,
            )
        kept[name] = one.model_dump(mode="json", exclude_none=True)
    return Frozen(kept, secrets)


def _kept(variable: VariableIn, known: Mapping[int, NamedHost]) -> Kept:
    is_list = variable.type == VariableType.HOST_LIST
    return Kept(
        type=variable.type,
        level=variable.level,
        text=None if is_list or variable.type == VariableType.SECRET else variable.text,
        hosts=[known[host_id] for host_id in variable.host_ids] if is_list else None,
        choices=variable.choices,
        as_file=variable.as_file,
        reference=variable.reference,
        description=variable.description,
    )


def shown(kept: Mapping[str, object]) -> list[VariableOut]:
    """Variables for people: of a secret only that it is one."""
    found: list[VariableOut] = []
    for name, stored in sorted(kept.items()):
        one = Kept.model_validate(stored)
        is_secret = one.type == VariableType.SECRET
        found.append(
            VariableOut(
                name=name,
                type=one.type,
                source=one.level,
                value=None if is_secret else one.value.text,
                is_secret=is_secret,
                reference=one.reference,
                host_ids=[host.id for host in one.hosts] if one.hosts is not None else None,
                choices=one.choices,
                description=one.description,
            )
        )
    return found


def known_texts(
    kept: Mapping[str, object], outputs: Iterable[Mapping[str, object]]
) -> dict[str, str]:
    """What conditions compare: the texts of variables, and what steps left for the execution.

    Launch wins over what steps left, and that over defaults; a secret is compared with nothing.
    """
    found: dict[Level, dict[str, str]] = {Level.LAUNCH: {}, Level.DEFAULT: {}}
    for name, stored in kept.items():
        one = Kept.model_validate(stored)
        if one.type != VariableType.SECRET:
            found[one.level][name] = one.value.text
    left: dict[str, str] = {}
    for of_step in outputs:
        left |= passed_on(of_step)
    return found[Level.DEFAULT] | left | found[Level.LAUNCH]


def secret_names(kept: Mapping[str, object]) -> list[str]:
    """Which of an execution's variables are secrets."""
    return [
        name
        for name, one in kept.items()
        if isinstance(one, Mapping) and one.get("type") == VariableType.SECRET
    ]


def references_of(kept: Mapping[str, object]) -> dict[str, str]:
    """The variables whose secrets lie elsewhere, and where."""
    found: dict[str, str] = {}
    for name, one in kept.items():
        if isinstance(one, Mapping) and isinstance(one.get("reference"), str):
            found[name] = one["reference"]
    return found


class Variables:
    """The secrets of executions: sealed at accept, sealed anew for a re-run, forgotten later."""

    def __init__(
        self,
        db: Database,
        seal: Seal,
        settings: ExecutionSettings,
        references: References | None = None,
    ) -> None:
        self._db = db
        self._seal = seal
        self._settings = settings
        self._references = references

    def keep(self, tx: Transaction, execution_id: str, frozen: Frozen) -> None:
        """Seal the secrets of an execution whose row is stored, in the same transaction.

        Raises SecretNotAllowed for a reference that settings do not allow.
        """
        if not frozen.secrets:
            return
        referred = references_of(frozen.kept)
        for text in referred.values():
            if self._references is None:
                raise SecretNotAllowed
            self._references.check(text)
        SecretRepository(tx).keep(
            execution_id,
            {
                name: self._seal.seal(plain, place=place_of(execution_id, name))
                for name, plain in frozen.secrets.items()
            },
        )
        used = [f"{n} = {referred[n]}" if n in referred else n for n in sorted(frozen.secrets)]
        audit(tx, "secret.use", kind="execution", id=execution_id, after={"variables": used})

    def opened(
        self, tx: Transaction, execution_id: str, kept: Mapping[str, object]
    ) -> dict[str, str]:
        """The secrets of an execution, to be sealed elsewhere at once; or their references.

        Raises SecretsForgotten when they are no longer kept.
        """
        sealed = SecretRepository(tx).sealed(execution_id)
        if not sealed.keys() >= set(secret_names(kept)):
            raise SecretsForgotten(execution_id=execution_id)
        return {
            name: self._seal.open(text, place=place_of(execution_id, name))
            for name, text in sealed.items()
        }

    def fingerprint(self, body_sha256: bytes) -> bytes:
        """What is kept of a request with an idempotency key; the request may hold secrets."""
        return self._seal.fingerprint(body_sha256)

    @writes
    def forget_old(self, tx: Transaction) -> int:
        """Drop the secrets of executions that ended long enough ago (S25); returns of how many."""
        before = tx.now - timedelta(seconds=self._settings.secret_seconds)
        return SecretRepository(tx).drop_of_ended(before, limit=FORGET_AT_ONCE)
