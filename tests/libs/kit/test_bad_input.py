"""What a service refuses: the bodies, parameters and paths of the bad-input catalogue."""

import json
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.libs.kit.things_service import Answer, sent


@pytest.mark.parametrize(
    ("item", "body", "status"),
    [
        ("B1", b'{"name":"a","name":"b"}', 400),
        ("B1", b'{"name":"a","parts":[{"size":1,"size":2}]}', 400),
        ("B2", b'{"name":"a","ratio":NaN}', 400),
        ("B2", b'{"name":"a","ratio":-Infinity}', 400),
        ("B2", b'{"name":"a","ratio":1e400}', 400),
        ("B3", b'{"name":"a","count":9223372036854775808}', 422),
        ("B3", b'{"name":"a","count":2147483648}', 422),
        ("B3", b'{"name":"a","count":' + b"9" * 100_000 + b"}", 422),
        ("B4", b'{"a":' * 10_000, 400),
        ("B4", b"[" * 10_000, 400),
        ("B4", b'{"name":' + b"[" * 65 + b"]" * 65 + b"}", 400),
        ("B5", b'{"name":"\\ud800"}', 422),
        ("B5", b'{"name":"a","note":"\\udc00x\\ud800"}', 422),
        ("B6", b'{"name":"a","note":"\\u0000"}', 422),
        ("B6", b'{"name":"a","\\u0000":1}', 422),
        ("B7", b'\xef\xbb\xbf{"name":"a"}', 400),
        ("B7", '{"name":"a"}'.encode("utf-16"), 400),
        ("B7", '{"name":"é"}'.encode("latin-1"), 400),
        ("B8", b'{"name":"a"} x', 400),
        ("B8", b'{"name":"a"}{"name":"b"}', 400),
        ("B8", b"", 400),
        ("B8", b"  \n ", 400),
        ("B13", b"{}", 422),
        ("B13", b"null", 422),
        ("B13", b'{"name":null}', 422),
        ("B13", b'{"name":""}', 422),
        ("B13", b'{"name":[]}', 422),
        ("B13", b'{"name":{}}', 422),
        ("B13", b'{"name":"a","colour":null}', 422),
        ("B14", b'{"name":["a"]}', 422),
        ("B14", b'{"name":"a","count":"1"}', 422),
        ("B14", b'{"name":"a","count":true}', 422),
        ("B14", b'{"name":"a","count":1.0}', 422),
        ("B14", b'{"name":"a","flag":1}', 422),
        ("B14", b'{"name":"a","parts":[{"size":"1"}]}', 422),
        ("B14", b'{"name":"a","colour":"green"}', 422),
        ("B14", b"[]", 422),
        ("B15", b'{"name":"a","owner_id":1}', 422),
        ("B15", b'{"name":"a","parts":[{"size":1,"id":7}]}', 422),
        ("B16", b'{"name":"a","__proto__":{"x":1}}', 422),
        ("B17", b'{"name":"' + b"a" * 1_000_000 + b'"}', 422),
        ("B17", b'{"name":"a","note":"' + b"a" * 1_000_000 + b'"}', 422),
        ("B30", b'{"name":"a","after":"2026-01-01T00:00:00"}', 422),
        ("B30", b'{"name":"a","after":1e18}', 422),
        ("B30", b'{"name":"a","after":"10000-01-01T00:00:00Z"}', 422),
    ],
)
async def test_bad_bodies_store_nothing(
    client: httpx.AsyncClient, item: str, body: bytes, status: int
) -> None:
    began = time.process_time()
    answer = await sent(client, body)

    assert answer == (status, "malformed" if status == 400 else "invalid"), item
    assert time.process_time() - began < 1
    listed = await client.get("/api/things")
    assert listed.json()["content"]["total"] == 0


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/json; charset=utf-7",
        "application/json; charset=utf-16",
        "application/jsonp",
    ],
)
async def test_b9_only_json_is_read(client: httpx.AsyncClient, kind: str) -> None:
    answer = await sent(client, b'{"name":"a"}', kind)

    assert answer == (415, "unsupported_media_type")


async def test_json_in_utf_8_may_say_so(client: httpx.AsyncClient) -> None:
    assert (await sent(client, b'{"name":"a"}', "application/json; charset=UTF-8")).status == 201


async def test_b10_compressed_bodies_are_refused(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    response = await client.post("/api/things", content=b"\x1f\x8b", headers=headers)

    assert Answer(response) == (415, "unsupported_media_type")


async def test_b11_a_body_over_the_limit_is_refused(
    client: httpx.AsyncClient,
) -> None:
    declared = await sent(client, b'{"name":"' + b"a" * 5_000_000 + b'"}')

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"a" * 100_000

    headers = {"content-type": "application/json"}
    streamed = await client.post("/api/things", content=chunks(), headers=headers)

    assert declared == (413, "too_large")
    assert Answer(streamed) == (413, "too_large")


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=1000000000",
        "page=abc",
        "page_size=0",
        "page_size=-5",
        "page_size=201",
        "page_size=9999999999999999999",
        "page=%00",
    ],
)
async def test_b18_pages_outside_their_range(client: httpx.AsyncClient, query: str) -> None:
    assert Answer(await client.get(f"/api/things?{query}")) == (422, "invalid")


@pytest.mark.parametrize("thing_id", ["0", "-1", "2147483648", "9" * 400, "x", "1.5", "%00"])
async def test_ids_in_paths_are_checked(client: httpx.AsyncClient, thing_id: str) -> None:
    assert Answer(await client.get(f"/api/things/{thing_id}")).status in (404, 422)


async def test_refused_fields_are_named_and_not_echoed(client: httpx.AsyncClient) -> None:
    answer = await sent(client, b'{"name":"a","count":"hunter2","password":"hunter2"}')

    fields = answer.document["content"]["details"]["fields"]
    assert {field["field"] for field in fields} == {"body.count", "body.password"}
    assert "hunter2" not in json.dumps(answer.document)
