"""Names that the platform gives are known to the console, which shows them in other languages."""

import pytest

from services.execution.distribution.schemas import CollectRun, TransferRun
from services.execution.domain import ScriptType
from services.execution.plans.schemas import ExecutionIn
from services.execution.quick.schemas import ScriptRun
from tests.support.tree import REPOSITORY

KNOWN = (REPOSITORY / "frontend/src/ui/run/given-names.ts").read_text(encoding="utf-8")
SOURCE = {"type": "server", "host_id": 2, "path": "/etc/hosts"}
NAMELESS = [
    *(ScriptRun(script_content="true", script_type=one).execution() for one in ScriptType),
    TransferRun.model_validate({"remote_path": "/tmp/", "sources": [SOURCE]}).execution(),
    CollectRun(paths=["/etc/hosts"]).execution(),
]


@pytest.mark.parametrize("run", NAMELESS, ids=lambda run: str(run.name))
def test_the_console_knows_the_names_that_nobody_chose(run: ExecutionIn) -> None:
    steps = [step.name for step in run.steps if step.name != "Fetch 1"]

    assert f"'{run.name}'" in KNOWN
    assert [name for name in steps if f"'{name}'" not in KNOWN and f"{name}:" not in KNOWN] == []
    assert "/^Fetch (" in KNOWN
