"""Orders of single tasks: what is filled in, what is sealed, what is refused."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from services.execution.domain import seal_to_agent
from services.execution.errors import (
    OrderTooLarge,
    SealingKeyMissing,
    VariableInvalid,
    VariableUnknown,
)
from services.execution.orders.domain import (
    FAILED,
    SUCCEEDED,
    HostState,
    Launched,
    Layers,
    Secret,
    Sheet,
    named_lists,
)
from services.execution.orders.service import by_result
from services.execution.variables.domain import Value, VariableType, text_value
from tests.support.sealed_values import GOLDEN, SealedValue

AT = datetime(2026, 1, 31, 8, 30, tzinfo=UTC)
LAUNCHED = Launched("e-1", "Deploy", 7, "user-7", AT, False, {})
NONE = Layers({}, {}, {}, {}, {})
KEY = base64.b64encode(bytes(range(32))).decode()


@dataclass(frozen=True)
class Written:
    """A step as its author wrote it."""

    name: str = "build"
    position: int = 2
    script_type: str = "shell"
    script: str = "echo hello"
    script_sha256: str = "as stored"
    args: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    cwd: str | None = None


@dataclass(frozen=True)
class Offered:
    """A task that is about to be offered."""

    id: str = "t-1"
    attempt: int = 1
    host_id: int = 3
    host_name: str = "web-3"
    ip_address: str = "10.0.0.3"
    batch_no: int = 2
    sealing_key: str | None = KEY


def layers(
    launch: dict[str, str] | None = None,
    wide: dict[str, str] | None = None,
    defaults: dict[str, str] | None = None,
    secrets: dict[str, Secret] | None = None,
) -> Layers:
    def texts(values: dict[str, str] | None) -> dict[str, Value]:
        return {name: text_value(value) for name, value in (values or {}).items()}

    hidden = {name: Value(VariableType.SECRET, "") for name in secrets or {}}
    return Layers(texts(launch) | hidden, texts(wide), texts(defaults), {}, secrets or {})


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.name)
def test_sealed_values_are_as_the_agent_expects_them(golden: SealedValue) -> None:
    sealed = seal_to_agent(
        golden.plain,
        golden.receiver_public,
        task_id=golden.task_id,
        attempt=golden.attempt,
        name=golden.name,
        sender=X25519PrivateKey.from_private_bytes(base64.b64decode(golden.sender_private)),
        nonce=base64.b64decode(golden.nonce),
    )

    assert sealed == golden.sealed


def test_two_sealed_forms_of_one_value_differ() -> None:
    one, other = (seal_to_agent("x", KEY, task_id="t", attempt=1, name="A") for _ in range(2))

    assert one != other


def test_a_step_without_variables_is_passed_on_byte_for_byte() -> None:
    step = Written(script="echo ${A} $A {{.Names}}\r\n", args=["a b", "$(x)"], env={"A": "1"})

    filled = Sheet(LAUNCHED, step, NONE).fill(Offered(), {})

    assert (filled.script, filled.script_sha256) == (step.script, "as stored")
    assert filled.args == step.args
    assert filled.env["A"] == "1"
    assert filled.secrets == []


def test_built_ins_say_where_and_what_and_when() -> None:
    env = Sheet(LAUNCHED, Written(), NONE).fill(Offered(), {}).env

    assert env == {
        "OPSJOB_EXECUTION_NAME": "Deploy",
        "OPSJOB_EXECUTOR": "user-7",
        "OPSJOB_EXECUTOR_ID": "7",
        "OPSJOB_STARTED_AT": "2026-01-31T08:30:00Z",
        "OPSJOB_DATE": "2026-01-31",
        "OPSJOB_TIME": "08-30-00",
        "OPSJOB_TIMESTAMP": "1769848200",
        "OPSJOB_STEP": "build",
        "OPSJOB_STEP_ORDER": "2",
        "OPSJOB_HOST_ID": "3",
        "OPSJOB_HOST_IP": "10.0.0.3",
        "OPSJOB_BATCH": "2",
    }


def test_the_order_of_who_wins() -> None:
    """Built-in, launch, host, execution, default; what the step itself sets is its environment."""
    known = layers(
        launch={"A": "launch"}, wide={"A": "w", "B": "w", "C": "wide"}, defaults={"D": "default"}
    )
    step = Written(args=["${OPSJOB_HOST}", "${A}", "${B}", "${C}", "${D}"], env={"D": "own"})

    filled = Sheet(LAUNCHED, step, known).fill(Offered(), {"A": "h", "B": "host"})

    assert filled.args == ["web-3", "launch", "host", "wide", "default"]
    assert {name: filled.env[name] for name in "ABCD"} == {
        "A": "launch",
        "B": "host",
        "C": "wide",
        "D": "own",
    }


def test_a_changed_script_has_its_own_hash() -> None:
    filled = Sheet(LAUNCHED, Written(script="echo {{OPSJOB_HOST}}"), NONE).fill(Offered(), {})

    assert filled.script == "echo web-3"
    assert filled.script_sha256 != "as stored"
    assert len(filled.script_sha256) == 64


def test_secrets_are_sealed_and_nowhere_else() -> None:
    secrets = {"PASSWORD": Secret("hunter2hunter2"), "KEY": Secret("-----BEGIN", as_file=True)}
    step = Written(env={"DSN": "postgres://app:${PASSWORD}@db"})

    filled = Sheet(LAUNCHED, step, layers(secrets=secrets)).fill(Offered(), {})

    assert [(one["name"], one.get("as_file", False)) for one in filled.secrets] == [
        ("PASSWORD", False),
        ("KEY", True),
        ("DSN", False),
    ]
    assert not {"PASSWORD", "KEY", "DSN"} & filled.env.keys()
    assert "hunter2" not in repr(filled) + repr(secrets)


def test_an_agent_without_a_key_gets_no_secret() -> None:
    sheet = Sheet(LAUNCHED, Written(), layers(secrets={"PASSWORD": Secret("hunter2hunter2")}))

    with pytest.raises(SealingKeyMissing):
        sheet.fill(Offered(sealing_key=None), {})


def test_a_name_that_no_step_has_set_is_refused() -> None:
    with pytest.raises(VariableUnknown):
        Sheet(LAUNCHED, Written(args=["${VERSION}"]), NONE).fill(Offered(), {})


@pytest.mark.parametrize("folder", ["../etc", "tmp", "/srv/../etc", ""])
def test_a_working_folder_stays_an_absolute_path(folder: str) -> None:
    sheet = Sheet(LAUNCHED, Written(cwd="${FOLDER}"), layers(launch={"FOLDER": folder}))

    with pytest.raises(VariableInvalid):
        sheet.fill(Offered(), {})


def test_values_cannot_make_an_order_too_large() -> None:
    many = {f"V{number}": "x" * 60_000 for number in range(20)}

    with pytest.raises(OrderTooLarge):
        Sheet(LAUNCHED, Written(), layers(wide=many)).fill(Offered(), {})


def test_lists_of_hosts_are_for_steps_that_name_them() -> None:
    assert named_lists(Written()) == []
    assert named_lists(Written(script="echo $OPSJOB_HOSTS_FAILED")) == [FAILED]
    states = [
        HostState(1, "a", "10.0.0.1", "success"),
        HostState(2, "b", "10.0.0.2", "failed"),
        HostState(3, "c", "10.0.0.3", "lost"),
        HostState(4, "d", "10.0.0.4", "skipped"),
    ]

    found = by_result(states)

    assert found[SUCCEEDED].text == "a"
    assert found[FAILED].text == "b,c"
