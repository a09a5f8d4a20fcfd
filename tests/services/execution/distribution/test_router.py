"""Moving files at once: what the doors take, what agents are told, what they say meanwhile."""

import hashlib
import json
from typing import Any

import httpx
import pytest

from libs.kit.artifacts import FileTickets
from libs.protocol.codec import encode
from libs.protocol.messages import Offer, Order
from libs.protocol.orders import FileItem, FileWork
from services.execution.files.service import Files
from tests.support.courier import Agent
from tests.support.execution import SECRET, Rig, operator
from tests.support.waiting import eventually

CONTENT = b"content of a file"
SHA = hashlib.sha256(CONTENT).hexdigest()
Message = dict[str, Any]
TRANSFER, COLLECT = "/api/quick/transfer_file", "/api/quick/collect_files"


async def uploaded(rig: Rig, name: str = "app.tar", content: bytes = CONTENT) -> str:
    body = {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    started = await rig.http.post("/api/files/uploads", json=body, headers=rig.headers())
    upload = started.json()["content"]
    if upload["file"] is None:
        place = f"/api/files/uploads/{upload['upload_id']}"
        await rig.http.put(place, content=content, headers=rig.headers(), params={"offset": 0})
        await rig.http.post(f"{place}/complete", headers=rig.headers())
    return str(upload["upload_id"])


async def send(rig: Rig, path: str = TRANSFER, *, key: str = "", **body: Any) -> httpx.Response:
    more = {"Idempotency-Key": key} if key else {}
    request = {"remote_path": "/opt/app", "target_host_ids": [1], **body}
    if path == COLLECT:
        del request["remote_path"]
    return await rig.http.post(path, json=request, headers=rig.headers(more=more))


async def order_of(rig: Rig, number: int = 1, **body: Any) -> Message:
    """What the agent of a new host is told for a transfer."""
    agent = rig.agent(number)
    await rig.courier.connect(agent)
    answer = await send(rig, target_host_ids=[number], **body)
    assert answer.status_code == 201, answer.text
    order = await offered(rig, agent)
    encode(Offer(as_order(order)))  # the agent's own reader takes it
    return order


async def offered(rig: Rig, agent: Agent) -> Message:
    """The next order of an agent."""
    offer: Message = dict(await rig.courier.expect(agent, "offer"))
    order: Message = offer["order"]
    return order


def as_order(raw: Message) -> Order:
    """The order as the agent reads it."""
    files = dict(raw["files"])
    items = tuple(
        FileItem(**{**item, "bases": tuple(item.get("bases", ()))})
        for item in files.pop("items", ())
    )
    lists: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in files.items()}
    work = FileWork(items=items, **lists)
    return Order(**{**raw, "args": (), "files": work})


def error(answer: httpx.Response) -> str:
    return str(answer.json()["content"]["error"])


async def test_an_uploaded_file_is_sent(rig: Rig) -> None:
    file_id = await uploaded(rig)

    order = await order_of(rig, artifact_ids=[file_id], owner="app", mode="0640", run_as="root")

    (item,) = order["files"]["items"]
    assert (order["action"], order["run_as"], order["script"]) == ("push", "root", "")
    assert (item["path"], item["sha256"], item["size"]) == ("/opt/app", SHA, len(CONTENT))
    assert (order["files"]["owner"], order["files"]["mode"]) == ("app", 0o640)
    ticket = FileTickets(SECRET).read(item["ticket"])
    assert (ticket.purpose, ticket.sha256, ticket.agent_id) == ("fetch", SHA, "agent-1")
    assert (ticket.task_id, ticket.attempt) == (order["task_id"], order["attempt"])


@pytest.mark.parametrize(
    ("path", "several", "targets"),
    [
        ("/opt/app", False, ["/opt/app"]),
        ("/opt/", False, ["/opt/one"]),
        ("/opt", True, ["/opt/one", "/opt/two"]),
        ("/srv/${HOST}/{{IP}}/${EXECUTION_ID}.d/", False, None),
    ],
)
async def test_a_path_is_a_file_or_a_folder(
    rig: Rig, path: str, several: bool, targets: list[str] | None
) -> None:
    ids = [await uploaded(rig, "one")]
    if several:
        ids.append(await uploaded(rig, "two", b"2"))

    order = await order_of(rig, artifact_ids=ids, remote_path=path)

    expected = targets or [f"/srv/host-1/127.0.1.1/{order['execution_id']}.d/one"]
    assert [item["path"] for item in order["files"]["items"]] == expected


async def test_variables_name_paths_too(rig: Rig) -> None:
    ids = [await uploaded(rig)]

    order = await order_of(
        rig,
        artifact_ids=ids,
        remote_path="/srv/${RELEASE}/${OPSJOB_HOST}",
        variables={"RELEASE": "v2"},
    )

    assert order["files"]["items"][0]["path"] == "/srv/v2/host-1"


async def test_a_variable_cannot_lead_a_path_upwards(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    ids = [await uploaded(rig)]

    answer = await send(
        rig, artifact_ids=ids, remote_path="/srv/${X}/app", variables={"X": "../../etc"}
    )

    record = await rig.until(answer.json()["content"]["execution_id"], "failed")
    task = await rig.task(str(record["id"]))
    assert (task["status"], task["reason"]) == ("rejected", "variable_invalid")


async def test_limits_become_bytes_per_second(rig: Rig) -> None:
    ids = [await uploaded(rig)]

    order = await order_of(rig, artifact_ids=ids, bandwidth_limit=5, total_bandwidth_limit=2.5)

    ticket = FileTickets(SECRET).read(order["files"]["items"][0]["ticket"])
    assert (order["files"]["bytes_per_second"], ticket.bytes_per_second) == (2_500_000, 2_500_000)


@pytest.mark.parametrize("limit", [0, -1, 0.000001, 1e18, "5", None])
async def test_limits_that_make_no_sense_are_refused(rig: Rig, limit: object) -> None:
    """B110: 0, -1, 1 B/s, 10^18."""
    rig.agent()
    ids = [await uploaded(rig)]

    answer = await send(rig, artifact_ids=ids, bandwidth_limit=limit)

    assert answer.status_code == (201 if limit is None else 422)


@pytest.mark.parametrize(
    "path",
    [
        "x", "../x", "..\\x", "C:\\x", "\\\\srv\\x", "/x/../../y", "/x/./y", "//x", "", ".",
        "/a\0b", "/a\nb", "/a\x1bb", "/" + "n" * 256, "/" + "n/" * 2049, "/a/\u202egpj.exe", "~/x",
    ],
)  # fmt: skip
async def test_paths_that_lead_elsewhere_are_refused(rig: Rig, path: str) -> None:
    """B103."""
    rig.agent()
    ids = [await uploaded(rig)]

    assert (await send(rig, artifact_ids=ids, remote_path=path)).status_code == 422
    assert (await send(rig, COLLECT, paths=[path])).status_code == 422


@pytest.mark.parametrize("path", ["/proc/self/environ", "/sys/x", "/dev/sda", "/dev/", "/proc"])
async def test_folders_of_the_kernel_are_refused(rig: Rig, path: str) -> None:
    rig.agent()
    ids = [await uploaded(rig)]

    pushed = await send(rig, artifact_ids=ids, remote_path=path)
    pulled = await send(rig, COLLECT, paths=[path])

    assert (error(pushed), error(pulled)) == ("path_not_allowed", "path_not_allowed")


async def test_only_allowed_folders_are_taken(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    files: Files = rig.app.state.provided[Files]
    monkeypatch.setattr(files._settings, "file_roots", ("/srv/files",))
    ids = [await uploaded(rig)]
    rig.agent()

    bad = [
        await send(rig, artifact_ids=ids, remote_path="/etc/x"),
        await send(rig, artifact_ids=ids, remote_path="/srv/files-2/x"),
        await send(rig, COLLECT, paths=["/etc/*"]),
        await send(rig, COLLECT, paths=["/srv/files/ok", "/root/.ssh/id_rsa"]),
    ]
    order = await order_of(rig, artifact_ids=ids, remote_path="/srv/files/x")

    assert [error(answer) for answer in bad] == ["path_not_allowed"] * 4
    assert order["files"]["roots"] == ["/srv/files"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid"),
        ({"artifact_ids": ["nothing"]}, "file_not_found"),
        ({"sources": [{"type": "server", "host_id": 1}]}, "invalid"),
        ({"sources": [{"type": "local", "file_field": "x"}]}, "invalid"),
        ({"local_path": "/etc/passwd"}, "invalid"),
        ({"artifact_ids": ["{id}"], "target_host_ids": []}, "no_targets"),
        ({"artifact_ids": ["{id}"], "target_host_ids": [99]}, "host_not_found"),
        ({"artifact_ids": ["{id}"], "remote_path": "/x/${NOPE}"}, "variable_unknown"),
        ({"artifact_ids": ["{id}"], "mode": "999"}, "invalid"),
        ({"artifact_ids": ["{id}"], "owner": "a b"}, "invalid"),
        ({"artifact_ids": ["{id}"], "overwrite_policy": "maybe"}, "invalid"),
        ({"artifact_ids": ["{id}"], "nonsense": 1}, "invalid"),
    ],
)
async def test_requests_that_make_no_sense_are_refused(
    rig: Rig, body: dict[str, Any], code: str
) -> None:
    rig.agent()
    file_id = await uploaded(rig)
    whole = json.loads(json.dumps(body).replace("{id}", file_id))

    answer = await send(rig, **whole)

    assert 400 <= answer.status_code < 500
    if code != "invalid":
        assert error(answer) == code


async def test_files_of_others_cannot_be_sent(rig: Rig) -> None:
    rig.agent()
    file_id = await uploaded(rig)

    answer = await rig.http.post(
        TRANSFER,
        json={"artifact_ids": [file_id], "remote_path": "/x", "target_host_ids": [1]},
        headers=rig.headers(operator(8)),
    )

    assert error(answer) == "file_not_found"


async def test_a_repeated_request_sends_nothing_new(rig: Rig) -> None:
    rig.agent()
    file_id = await uploaded(rig)

    first = await send(rig, key="k1", artifact_ids=[file_id])
    again = await send(rig, key="k1", artifact_ids=[file_id])
    other = await send(rig, key="k1", artifact_ids=[file_id], remote_path="/else")

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["content"]["id"] == again.json()["content"]["id"]
    assert error(other) == "idempotency_key_reused"


async def test_a_collection_is_ordered_with_its_caps(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)

    answer = await send(
        rig, COLLECT, paths=["/var/log/${HOST}/*.log"], excludes=["*.gz"], max_bytes=1000
    )

    assert answer.status_code == 201, answer.text
    order = await offered(rig, agent)
    encode(Offer(as_order(order)))
    work = order["files"]
    assert (order["action"], work["patterns"]) == ("collect", ["/var/log/host-1/*.log"])
    assert (work["excludes"], work["max_bytes"], work["max_files"]) == (["*.gz"], 1000, 10_000)
    ticket = FileTickets(SECRET).read(work["ticket"])
    assert (ticket.purpose, ticket.sha256) == ("bring", "")
    record = await rig.show(str(order["execution_id"]))
    assert record["execution_type"] == "quick_file_transfer"


async def test_what_one_host_brings_another_gets(rig: Rig) -> None:
    """Server to server: a collect step feeding a push step in one execution."""
    source, target = rig.agent(1), rig.agent(2)
    await rig.courier.connect(source)
    await rig.courier.connect(target)
    answer = await send(
        rig,
        sources=[{"type": "server", "host_id": 1, "path": "/srv/app"}],
        remote_path="/opt",
        target_host_ids=[2],
    )
    assert answer.status_code == 201, answer.text
    fetch = await rig.courier.start(source)
    files: Files = rig.app.state.provided[Files]
    archive = b"an archive"
    drafts = files._drafts
    with drafts.append_at("one", 0) as draft:
        draft.write(archive)
    sha256 = hashlib.sha256(archive).hexdigest()
    files.store.keep(drafts.path("one"), sha256)
    from_gateway = {
        "task_id": fetch["task_id"],
        "attempt": 1,
        "agent_id": source.id,
        "sha256": sha256,
        "size": len(archive),
        "file_count": 1,
        "is_new": True,
    }
    token = rig.tokens.issue("execution/internal", operator(0), "agent-gateway")
    entered = await rig.http.post(
        "/internal/execution/collected",
        json=from_gateway,
        headers={"Authorization": f"Bearer {token}"},
    )
    assert entered.status_code == 200, entered.text
    await rig.courier.result(source, fetch)

    order = await offered(rig, target)

    encode(Offer(as_order(order)))
    (item,) = order["files"]["items"]
    assert (item["path"], item["sha256"], item["is_tree"]) == ("/opt", sha256, True)
    assert item["bases"] == ["/srv"]


async def test_progress_is_shown_with_its_task(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    answer = await send(rig, artifact_ids=[await uploaded(rig)])
    execution_id = answer.json()["content"]["execution_id"]
    order = await rig.courier.start(agent)
    row = {
        "path": "/opt/app",
        "state": "running",
        "done": 40,
        "size": 100,
        "bytes_per_second": 20,
        "seconds_left": 3.0,
    }

    await rig.courier.say(agent, "progress", order, files=[row])

    async def shown() -> object:
        return (await rig.task(execution_id))["progress"]

    progress = await eventually(shown)
    assert progress == {
        "files": [row],
        "done": 40,
        "size": 100,
        "bytes_per_second": 20,
        "seconds_left": 3.0,
    }


@pytest.mark.parametrize(
    "files", [None, "x", [1], [{"state": "odd"}], [{}] * 101, [{"state": ["running"]}]]
)
async def test_progress_that_is_nonsense_changes_nothing(rig: Rig, files: object) -> None:
    agent, stranger = rig.agent(1), rig.agent(2)
    await rig.courier.connect(agent)
    answer = await send(rig, artifact_ids=[await uploaded(rig)])
    execution_id = answer.json()["content"]["execution_id"]
    order = await rig.courier.start(agent)
    good = [{"path": "/x", "state": "done", "done": 1, "size": 1}]

    await rig.courier.say(agent, "progress", order, files=files)
    await rig.courier.say(stranger, "progress", order, files=good)
    await rig.courier.result(agent, order)

    await rig.until(execution_id, "success")
    assert (await rig.task(execution_id))["progress"] is None
