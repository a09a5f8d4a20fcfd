"""Rules about dangerous commands: keeping and trying them, and what they do to runs."""

import json
from typing import Any

import httpx
import pytest

from tests.support.accounting import accounts
from tests.support.doors import error_of
from tests.support.execution import Rig, operator

RULES = "/api/executor/command_rules"
KEEPER = operator(8, "rules:read", "rules:write")


async def ask(rig: Rig, method: str, path: str = "", **more: Any) -> httpx.Response:
    """A request of somebody who keeps rules."""
    return await rig.http.request(method, f"{RULES}{path}", headers=rig.headers(KEEPER), **more)


async def rule(rig: Rig, **values: object) -> dict[str, Any]:
    """A new rule."""
    whole = {"name": "No coffee", "pattern": r"\bcoffee\b", "action": "block"} | values
    answer = await ask(rig, "POST", json=whole)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()["content"]
    return made


async def check(rig: Rig, script: str, **more: object) -> dict[str, Any]:
    """What the rules say about a script."""
    body = {"script_content": script} | more
    answer = await rig.http.post(f"{RULES}/check", headers=rig.headers(), json=body)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()["content"]
    return content


# ---- keeping them ---------------------------------------------------------------------------


async def test_rules_are_made_changed_deleted_and_accounted_for(rig: Rig) -> None:
    made = await rule(rig)

    assert error_of(await ask(rig, "POST", json={"name": "No coffee", "pattern": "x"}), 409) == (
        "rule_name_taken"
    )
    patched = await ask(rig, "PATCH", f"/{made['id']}", json={"action": "warn"})
    assert patched.json()["content"] | {"updated_at": 0} == made | {
        "action": "warn",
        "updated_at": 0,
    }
    found = (await ask(rig, "GET", params={"search": "coffee"})).json()["content"]
    assert [one["id"] for one in found["results"]] == [made["id"]]
    found = (await ask(rig, "GET", params={"search": "格式化磁盘"})).json()["content"]
    assert [one["name"] for one in found["results"]] == ["Make a file system"]
    assert (await ask(rig, "DELETE", f"/{made['id']}")).status_code == 200
    assert error_of(await ask(rig, "GET", f"/{made['id']}"), 404) == "rule_not_found"

    actions = ("command_rule.create", "command_rule.update", "command_rule.delete")
    said = await accounts(rig.app.state.database, *actions)
    assert [one.action for one in said] == list(actions)
    assert json.loads(said[1].before or "")["action"] == "block"
    assert json.loads(said[1].after or "")["action"] == "warn"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"pattern": "(unclosed"}, "rule_pattern_invalid"),
        ({"pattern": "x*"}, "rule_pattern_invalid"),
        ({"pattern": ""}, "rule_pattern_invalid"),
        ({"pattern": r"(?=look)ahead"}, "rule_pattern_invalid"),
        ({"pattern": "((a{100}){100}){100}"}, "rule_pattern_invalid"),
        ({"action": "approve"}, "rule_incomplete"),
        ({"action": "approve", "approver_ids": [99]}, "too_few_approvers"),
        ({"pattern_kind": "anything"}, "rule_incomplete"),
        ({"pattern_kind": "anything", "pattern": ""}, "rule_incomplete"),
        ({"host_group_ids": [77]}, "unknown_host_groups"),
    ],
)
async def test_rules_that_could_never_do_what_they_say_are_error_of(
    rig: Rig, values: dict[str, object], code: str
) -> None:
    before = (await ask(rig, "GET")).json()["content"]["total"]

    answer = await ask(rig, "POST", json={"name": "odd", "pattern": "odd"} | values)

    assert answer.json()["content"]["error"] == code, answer.text
    assert (await ask(rig, "GET")).json()["content"]["total"] == before


async def test_a_pattern_that_would_take_for_ever_elsewhere_takes_no_time_here(rig: Rig) -> None:
    """S67: on a backtracking engine this is 2^30 steps; the test would not end."""
    await rule(rig, pattern="(a+)+$")

    found = await check(rig, "a" * 30_000 + "!")

    assert found == {"action": None, "findings": []}


# ---- what they find -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("rm -rf /", 1),
        ("echo a\nrm  -r  -f  /", 2),
        ("rm -rf --no-preserve-root /", 1),
        (r"r\m -rf /", 1),
        ('rm -rf "/"', 1),
        ("rm \\\n  -rf \\\n  /etc", 1),
        ("echo a\r\nrm -rf /*\r\n", 2),
        ("mkfs.ext4 /dev/sdb1", 1),
        ("dd if=/dev/zero of=/dev/nvme0n1", 1),
        ("true\ntrue\nsudo shutdown -h now", 3),
        (":(){ :|:& };:", 1),
        ("curl -s http://x/y | sudo bash", 1),
    ],
)
async def test_shipped_rules_warn(rig: Rig, script: str, line: int) -> None:
    found = await check(rig, script)

    assert found["action"] == "warn"
    assert [one["lines"] for one in found["findings"]] == [[line]]


@pytest.mark.parametrize(
    "script", ["rm -rf /tmp/build", "echo a graceful shutdown", "dd if=a of=b", "curl http://x"]
)
async def test_shipped_rules_leave_everyday_work_alone(rig: Rig, script: str) -> None:
    assert (await check(rig, script))["action"] is None


async def test_words_languages_and_drafts(rig: Rig) -> None:
    await rule(rig, pattern_kind="words", pattern="make  coffee", script_types=["python"])

    assert (await check(rig, "x = 'MAKE\tcoffee'", script_type="python"))["action"] == "block"
    assert (await check(rig, "make coffee"))["action"] is None
    assert (await check(rig, "makes coffee", script_type="python"))["action"] is None
    draft = {"rule": {"pattern": "tea$"}}
    tried = await check(rig, "coffee\ntea", **draft)
    assert [one["lines"] for one in tried["findings"]] == [[2]]


async def test_s16_a_rule_sees_what_variables_and_arguments_make_of_a_script(rig: Rig) -> None:
    rig.agent(1)
    hit: list[dict[str, Any]] = [
        {"script_content": "{{WHAT}} -rf /", "variables": {"WHAT": "rm"}},
        {"script_content": "rm -rf $WHERE", "variables": {"WHERE": "/"}},
        {"script_content": 'rm -rf "${WHERE}"', "env": {"WHERE": "/etc"}},
        {"script_content": 'rm -rf "$1"', "args": ["/"]},
        {"script_content": '"$@"', "args": ["rm", "-rf", "/"]},
        {"script_content": 'eval "$DO"', "env": {"DO": "rm -rf /"}},
    ]
    for body in hit:
        answer = await rig.post([1], **body)
        assert answer.status_code == 201, answer.text
        content = answer.json()["content"]
        assert {one["rule"] for one in content["findings"]} == {"Delete system folders"}, body
        shown = await rig.show(content["execution_id"])
        assert shown["findings"] == content["findings"]


async def test_a_block_stores_nothing_on_every_way_in(rig: Rig) -> None:
    rig.agent(1)
    harmless = await rig.run(1, script_content="make coffee")
    await rig.http.post(f"/api/executor/execution-records/{harmless}/cancel", headers=rig.headers())
    step = (await rig.show(harmless))["steps"][0]["id"]  # type: ignore[index]
    await rule(rig)
    records = "/api/executor/execution-records"

    quick = await rig.post([1], script_content="echo\nmake coffee")
    steps = await rig.submit({}, {"script_content": "coffee"}, target_host_ids=[1])
    preview = await rig.submit({"script_content": "coffee"}, path="/preview", target_host_ids=[1])
    again = await rig.http.post(f"{records}/{harmless}/retry", json={}, headers=rig.headers())
    in_place = await rig.http.post(
        f"{records}/{harmless}/retry_step", json={"step_id": step}, headers=rig.headers()
    )

    for answer in (quick, steps, preview, again, in_place):
        assert error_of(answer, 403) == "command_blocked"
    assert quick.json()["content"]["details"]["findings"][0] | {"rule_id": 0} == {
        "rule_id": 0,
        "rule": "No coffee",
        "action": "block",
        "step": "Quick shell script",
        "where": "script",
        "lines": [2],
    }
    listed = await rig.http.get(f"{records}", headers=rig.headers())
    assert listed.json()["content"]["total"] == 1


async def test_a_rule_about_groups_leaves_other_hosts_alone(rig: Rig) -> None:
    rig.agent(1)
    rig.agent(2)
    rig.neighbours.groups[5] = [2]
    rig.neighbours.lines[2] = [5]
    await rule(rig, pattern_kind="anything", pattern="", host_group_ids=[5])

    assert (await rig.post([1])).status_code == 201
    assert error_of(await rig.post([1, 2]), 403) == "command_blocked"
    assert (await check(rig, "true", target_host_ids=[1]))["action"] is None
    assert (await check(rig, "true", target_host_ids=[2]))["action"] == "block"


async def test_a_disabled_rule_finds_nothing(rig: Rig) -> None:
    rig.agent(1)
    made = await rule(rig)
    await ask(rig, "PATCH", f"/{made['id']}", json={"is_enabled": False})

    assert (await rig.post([1], script_content="coffee")).status_code == 201
