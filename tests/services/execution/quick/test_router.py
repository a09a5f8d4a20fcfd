"""Running a script at once: what is accepted, what is refused, and never twice for one key."""

import asyncio

import pytest

from libs.kit.redis import Redis
from tests.support.execution import Rig, operator

pytestmark = pytest.mark.anyio

RUN = "/api/quick/execute_script"


async def stored(rig: Rig) -> int:
    answer = await rig.http.get("/api/executor/execution-records", headers=rig.headers())
    return int(answer.json()["content"]["total"])


async def test_the_published_example_works(rig: Rig) -> None:
    rig.agent()
    body = {
        "script_content": "#!/bin/bash\necho hello",
        "script_type": "shell",
        "target_host_ids": [1],
        "timeout": 300,
    }

    answer = await rig.http.post(RUN, json=body, headers=rig.headers())

    content = answer.json()["content"]
    assert answer.status_code == 201
    assert content["task_count"] == 1
    assert isinstance(content["execution_id"], str)


async def test_execution_ids_sort_by_the_time_of_their_acceptance(rig: Rig) -> None:
    rig.agent()

    ids = [await rig.run(1) for _ in range(5)]

    assert ids == sorted(ids)


async def test_r3_fifty_parallel_requests_with_one_key_make_one_execution(rig: Rig) -> None:
    rig.agent()

    answers = await asyncio.gather(*(rig.post([1], key="same-key") for _ in range(50)))

    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["content"]["execution_id"] for answer in answers}) == 1
    assert await stored(rig) == 1


async def test_r3_a_key_with_another_request_is_refused(rig: Rig) -> None:
    rig.agent()
    await rig.post([1], key="k")

    answer = await rig.post([1], key="k", script_content="echo other")

    assert (answer.status_code, answer.json()["content"]["error"]) == (
        409,
        "idempotency_key_reused",
    )
    assert await stored(rig) == 1


async def test_r3_a_key_belongs_to_its_user(rig: Rig) -> None:
    rig.agent()

    mine = await rig.post([1], key="k", by=operator(1))
    other = await rig.post([1], key="k", by=operator(2))

    assert mine.json()["content"]["execution_id"] != other.json()["content"]["execution_id"]


async def test_a_repeated_request_needs_no_hosts_any_more(rig: Rig) -> None:
    rig.agent()
    first = await rig.post([1], key="k")
    rig.neighbours.hosts.clear()

    again = await rig.post([1], key="k")

    assert again.status_code == 200
    assert again.json()["content"]["execution_id"] == first.json()["content"]["execution_id"]


@pytest.mark.parametrize(
    "key",
    ["", " ", "a b", "k" * 201, "k\x7f"],
    ids=[f"B027-{number}" for number in range(5)],
)
async def test_a_key_that_is_none_is_refused(rig: Rig, key: str) -> None:
    rig.agent()

    answer = await rig.http.post(
        RUN,
        json={"script_content": "true", "target_host_ids": [1]},
        headers=rig.headers(more={"Idempotency-Key": key}),
    )

    assert (answer.status_code, answer.json()["content"]["error"]) == (
        422,
        "idempotency_key_invalid",
    )
    assert await stored(rig) == 0


async def test_the_same_host_named_twice_gets_one_task(rig: Rig) -> None:
    rig.agent()

    answer = await rig.post([1, 1, 1])

    assert answer.json()["content"]["task_count"] == 1


@pytest.mark.parametrize(
    ("name", "changes", "code"),
    [
        ("B057", {"target_host_ids": []}, "no_targets"),
        ("B057", {"target_host_ids": [99]}, "host_not_found"),
        ("B057", {"target_host_ids": list(range(1, 20_002))}, "invalid"),
        ("B003", {"target_host_ids": [2**31]}, "invalid"),
        ("B003", {"target_host_ids": [0]}, "invalid"),
        ("B014", {"target_host_ids": "1"}, "invalid"),
        ("B014", {"target_host_ids": ["1"]}, "invalid"),
        ("B014", {"target_host_ids": [True]}, "invalid"),
        ("B013", {"target_host_ids": None}, "invalid"),
        ("B013", {"script_content": None}, "invalid"),
        ("B013", {"script_content": ""}, "invalid"),
        ("B060", {"script_content": " \n"}, "invalid"),
        ("B060", {"script_content": "echo a\u0000b"}, "invalid"),
        ("B060", {"script_content": "x" * (1024 * 1024)}, "invalid"),
        ("B060", {"script_content": "\u0001" * 300_000}, "order_too_large"),
        ("B062", {"script_type": "ruby"}, "invalid"),
        ("B067", {"timeout": 0}, "invalid"),
        ("B067", {"timeout": -1}, "invalid"),
        ("B067", {"timeout": 86_401}, "invalid"),
        ("B067", {"timeout": 1.5}, "invalid"),
        ("B067", {"timeout": "10m"}, "invalid"),
        ("B067", {"timeout": None}, "invalid"),
        ("B067", {"timeout": True}, "invalid"),
        ("B063", {"args": ["x" * 131_072]}, "invalid"),
        ("B063", {"args": "one"}, "invalid"),
        ("B064", {"env": {"LD_PRELOAD": "x"}}, "invalid"),
        ("B064", {"env": {"PATH": "x"}}, "invalid"),
        ("B064", {"env": {"BASH_ENV": "x"}}, "invalid"),
        ("B064", {"env": {"a=b": "x"}}, "invalid"),
        ("B064", {"env": {"": "x"}}, "invalid"),
        ("B064", {"env": {"1A": "x"}}, "invalid"),
        ("B064", {"env": {"A B": "x"}}, "invalid"),
        ("B064", {"env": {"A": 1}}, "invalid"),
        ("B070", {"env": {f"V{n}": "x" for n in range(201)}}, "invalid"),
        ("B068", {"run_as": "root;id"}, "invalid"),
        ("B068", {"run_as": "-u root"}, "invalid"),
        ("B068", {"run_as": "0"}, "invalid"),
        ("B068", {"run_as": "../root"}, "invalid"),
        ("B068", {"run_as": "nobody "}, "invalid"),
        ("B069", {"cwd": "relative"}, "invalid"),
        ("B069", {"cwd": "/tmp/../etc"}, "invalid"),
        ("B015", {"unknown": 1}, "invalid"),
        ("B015", {"status": "success"}, "invalid"),
        ("B015", {"id": "x", "user_id": 1}, "invalid"),
        ("B016", {"__proto__": {}}, "invalid"),
        ("B017", {"name": "n" * 1_000_000}, "invalid"),
        ("B046", {"name": "a\u202eb"}, "invalid"),
        ("B052", {"name": "a\nb"}, "invalid"),
    ],
)
async def test_bad_input_is_named_and_stores_nothing(
    rig: Rig, name: str, changes: dict[str, object], code: str
) -> None:
    rig.agent()
    body = {"script_content": "true", "target_host_ids": [1]} | changes

    answer = await rig.http.post(RUN, json=body, headers=rig.headers())

    assert answer.json()["content"]["error"] == code, name
    assert answer.status_code in {404, 422}
    assert await stored(rig) == 0


async def test_b060_script_bytes_are_kept_as_they_are(rig: Rig, redis: Redis) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    script = "echo a\r\n\techo 'ü'\r# no newline at the end"

    await rig.run(1, script_content=script)

    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)
    assert order["script"] == script


@pytest.mark.parametrize(
    "value", ["$(id)", "`id`", "; id", "a\nb", "'\"\\", "-rf", "--", "*", "~root", "$HOME", ""]
)
async def test_b063_values_arrive_as_they_are(rig: Rig, value: str) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)

    await rig.run(1, args=[value], env={"VALUE": value})

    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)
    env = {name: text for name, text in order["env"].items() if not name.startswith("OPSJOB_")}
    assert (order["args"], env) == ([value], {"VALUE": value})


async def test_running_needs_the_right_to_run(rig: Rig) -> None:
    rig.agent()

    answer = await rig.post([1], by=operator(3, "executions:read"))

    assert answer.status_code == 403
    assert await stored(rig) == 0


async def test_s29_identity_headers_from_outside_mean_nothing(rig: Rig) -> None:
    rig.agent()
    forged = {"X-User-Id": "1", "X-Roles": "admin", "X-Internal": "1"}

    answer = await rig.http.post(
        RUN, json={"script_content": "true", "target_host_ids": [1]}, headers=forged
    )

    assert answer.status_code == 401
