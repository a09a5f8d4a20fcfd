"""The catalogue of bad input, as far as it concerns hosts and agents; ids are its B-numbers."""

from collections.abc import Mapping

import pytest
from sqlalchemy import func, select

from libs.kit.db import Database, Transaction
from services.hosts.models import Base
from services.hosts.service import Hosts
from tests.services.hosts.conftest import make_host
from tests.support.doors import Door, error_of

HOSTS = "/api/hosts"
GROUPS = "/api/hosts/groups"
TOKENS = "/api/agents/enrolment_tokens"
GOOD = {"name": "web", "ip_address": "192.0.2.1"}


async def stored(door: Door) -> dict[str, int]:
    """How many rows each table has, as far as it has any; who relays facts does not count."""
    db: Database = door.app.state.database

    def counted(tx: Transaction) -> dict[str, int]:
        tables = [table for table in Base.metadata.sorted_tables if table.name != "leases"]
        counts = {
            table.name: tx.scalar(select(func.count()).select_from(table)) for table in tables
        }
        return {name: count for name, count in counts.items() if count}

    return await db.read(counted)


RAW = [
    pytest.param(b'{"name":"a","name":"b","ip_address":"192.0.2.1"}', 400, id="B001-duplicate-key"),
    pytest.param(b'{"name":"a","ip_address":"192.0.2.1","port":NaN}', 400, id="B002-nan"),
    pytest.param(b'{"name":"a","ip_address":"192.0.2.1","port":1e999}', 400, id="B002-overflow"),
    pytest.param(b'{"port":' + b"9" * 5000 + b"}", 422, id="B003-long-number"),
    pytest.param(b'{"a":' * 10_000, 400, id="B004-depth"),
    pytest.param(b'{"name":"\\ud800","ip_address":"192.0.2.1"}', 422, id="B005-surrogate"),
    pytest.param(b'{"name":"a\\u0000","ip_address":"192.0.2.1"}', 422, id="B006-nul"),
    pytest.param(b'\xef\xbb\xbf{"name":"a"}', 400, id="B007-bom"),
    pytest.param(b'{"name":"a"} x', 400, id="B008-garbage-after"),
    pytest.param(b"", 400, id="B008-empty"),
]


@pytest.mark.parametrize("path", [HOSTS, GROUPS, TOKENS])
@pytest.mark.parametrize(("body", "status"), RAW)
async def test_a_body_that_is_no_good_json(door: Door, path: str, body: bytes, status: int) -> None:
    answer = await door.request("POST", path, raw=body)

    assert error_of(answer, status) == ("malformed" if status == 400 else "invalid")
    assert await stored(door) == {}


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", ""], ids="B009-{}".format)
async def test_a_body_of_another_kind(door: Door, kind: str) -> None:
    answer = await door.request("POST", HOSTS, raw=b"{}", headers={"content-type": kind})

    assert error_of(answer, 415) == "unsupported_media_type"


def changed(**fields: object) -> dict[str, object]:
    return {**GOOD, **fields}


FIELDS = [
    pytest.param({"name": "web"}, id="B013-address-missing"),
    pytest.param({"ip_address": "192.0.2.1"}, id="B013-name-missing"),
    *(
        pytest.param(changed(**{name: None}), id=f"B013-{name}-null")
        for name in ("name", "ip_address", "port", "description", "tags", "allow_shared_address")
    ),
    *(
        pytest.param(changed(**{name: value}), id=f"B013-B014-{name}-{label}")
        for name in ("name", "ip_address", "port", "username", "password", "group", "description",
                     "tags", "allow_shared_address")
        for label, value in (("object", {}), ("float", 1.5), ("list", [1]))
    ),
    pytest.param(changed(port="22"), id="B056-text"),
    pytest.param(changed(port=True), id="B014-B056-bool"),
    pytest.param(changed(port=22.0), id="B014-B056-float"),
    pytest.param(changed(port=0), id="B056-zero"),
    pytest.param(changed(port=-1), id="B056-negative"),
    pytest.param(changed(port=65536), id="B056-beyond"),
    pytest.param(changed(port="0x16"), id="B056-hexadecimal"),
    pytest.param(changed(port="22 "), id="B056-space"),
    pytest.param(changed(port=2**63), id="B003-port"),
    *(
        pytest.param(changed(**{name: 1}), id=f"B015-{name}")
        for name in ("id", "agent_id", "agent_status", "created_at", "password_sealed", "os_type",
                     "address_key", "groups", "owner_id", "extra")
    ),
    *(
        pytest.param(changed(**{name: {}}), id=f"B016-{name}")
        for name in ("__proto__", "constructor", "__class__", "$where", "$gt")
    ),
    pytest.param(changed(name="x" * 1_000_000), id="B017-name-1MB"),
    pytest.param(changed(name="x" * 129), id="B017-name-129"),
    pytest.param(changed(ip_address="x" * 1_000_000), id="B017-address-1MB"),
    pytest.param(changed(description="x" * 2001), id="B017-description"),
    pytest.param(changed(password="x" * 1025), id="B017-password"),
    pytest.param(changed(password=""), id="B013-password-empty"),
    pytest.param(changed(username="-oProxyCommand=x"), id="B055-account-option"),
    pytest.param(changed(username="root; reboot"), id="B055-account-shell"),
    pytest.param(changed(username=""), id="B013-account-empty"),
    pytest.param(changed(tags=["x"] * 51), id="B054-too-many"),
    pytest.param(changed(tags=["x" * 65]), id="B054-too-long"),
    pytest.param(changed(tags=[""]), id="B054-empty"),
    pytest.param(changed(tags="a,b"), id="B054-text"),
    pytest.param(changed(group=0), id="B003-group-zero"),
    pytest.param(changed(group=-1), id="B003-group-negative"),
    pytest.param(changed(group=True), id="B014-group-bool"),
    *(
        pytest.param(changed(name=f"a{character}b"), id=f"B046-U+{ord(character):04X}")
        for character in "\u202a\u202e\u2066\u2069\u200b\u200d\ufeff\u00ad\U000e0041"
    ),
    *(
        pytest.param(changed(name=f"a{character}b"), id=f"B052-U+{ord(character):04X}")
        for character in "\n\r\t\x1b\x9b\x7f"
    ),
    pytest.param(changed(name="a" + "\u0301" * 10_000), id="B048-combining-marks"),
    *(
        pytest.param(changed(name=name), id=f"B049-{name!a}")
        for name in ("", "   ", ".", "..", "-", "--help", "-rf", "\u3000")
    ),
    *(
        pytest.param(changed(ip_address=address), id=f"B055-{address[:24]!a}")
        for address in (
            "0.0.0.0", "::", "127.1", "2130706433", "0177.0.0.1", "0x7f000001", "fe80::1%eth0",
            "[::1]", "1.2.3.4:22", "1.2.3.4/24", "1.2.3.4 -oProxyCommand=x", "b\u00fccher.example",
            "a" * 254, "under_score", "-dash", "", "host.1", "$(reboot)",
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("body", FIELDS)
async def test_a_host_that_makes_no_sense(door: Door, body: Mapping[str, object]) -> None:
    answer = await door.request("POST", HOSTS, json=body)

    assert error_of(answer, 422) == "invalid"
    assert "x" * 200 not in answer.text
    assert await stored(door) == {}


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        pytest.param("::ffff:127.0.0.1", "127.0.0.1", id="B055-mapped"),
        pytest.param("Host.Example.", "host.example", id="B055-trailing-dot"),
        pytest.param("169.254.169.254", "169.254.169.254", id="B055-link-local"),
        pytest.param("2001:DB8:0:0::1", "2001:db8::1", id="B055-ipv6"),
    ],
)
async def test_an_address_gets_its_one_spelling(door: Door, address: str, canonical: str) -> None:
    made = await door.content("POST", HOSTS, json=changed(ip_address=address), status=201)

    assert made["ip_address"] == canonical


@pytest.mark.parametrize(
    "body",
    [
        *(
            pytest.param({name: None}, id=f"B013-{name}-null")
            for name in ("name", "ip_address", "port", "description", "tags")
        ),
        pytest.param({"port": "22"}, id="B014-port"),
        pytest.param({"id": 2}, id="B015-id"),
        pytest.param({"agent_id": "x"}, id="B015-agent"),
        pytest.param({"name": "-rf"}, id="B049-name"),
        pytest.param({"ip_address": "127.1"}, id="B055-address"),
    ],
)
async def test_a_change_that_makes_no_sense(door: Door, body: Mapping[str, object]) -> None:
    host = await make_host(door.use_cases(Hosts))
    before = await door.content("GET", f"{HOSTS}/{host.id}")

    answer = await door.request("PATCH", f"{HOSTS}/{host.id}", json=body)

    assert error_of(answer, 422) == "invalid"
    assert await door.content("GET", f"{HOSTS}/{host.id}") == before


@pytest.mark.parametrize(
    "name",
    [
        "'; DROP TABLE hosts; --", "' OR 1=1", "\\'", "$1", "::regclass", "<script>x</script>",
        "<img onerror=x>", "{{7*7}}", "${jndi:ldap://x}", "%s%n", "{0.__class__}", "=1+1", "@SUM",
        "NULL", "None", "true", "0", "~", "*", "new", "groups", "\U0001f468\u200b"[:1],
    ],
    ids=lambda name: f"B021-B049-B050-{name[:8]!a}",
)  # fmt: skip
async def test_text_that_looks_like_code_is_only_text(door: Door, name: str) -> None:
    body = changed(name=name, description=name, tags=[name])
    made = await door.content("POST", HOSTS, json=body, status=201)
    shown = await door.content("GET", f"{HOSTS}/{made['id']}")
    found = await door.content("GET", HOSTS, params={"search": name})

    assert (shown["name"], shown["description"], shown["tags"]) == (name, name, [name])
    assert found["results"] == [shown]


@pytest.mark.parametrize(
    ("first", "twin"),
    [
        pytest.param("caf\u00e9", "cafe\u0301", id="B047-composition"),
        pytest.param("Web", "wEB", id="B047-case"),
        pytest.param("web", "\u00a0web ", id="B047-outer-space"),
        pytest.param("stra\u00dfe", "STRASSE", id="B047-folding"),
    ],
)
@pytest.mark.parametrize("path", [HOSTS, GROUPS])
async def test_twins_of_a_name_are_taken(door: Door, path: str, first: str, twin: str) -> None:
    extra = {"ip_address": "127.0.0.1"} if path == HOSTS else {}
    await door.content("POST", path, json={"name": first, **extra}, status=201)

    answer = await door.request("POST", path, json={"name": twin, **extra})

    assert error_of(answer, 409) == ("host_name_taken" if extra else "group_name_taken")


async def test_tags_come_back_as_they_were(door: Door) -> None:
    """B054."""
    tags = ["a,b", "a:b", "a=b", 'a"b', "a\\b", "\u00e9"]

    made = await door.content("POST", HOSTS, json=changed(tags=[*tags, "a,b"]), status=201)

    assert made["tags"] == tags


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="B013-missing"),
        pytest.param({"name": None}, id="B013-null"),
        pytest.param({"name": "web", "parent_id": "1"}, id="B014-parent-text"),
        pytest.param({"name": "web", "parent_id": 0}, id="B003-parent-zero"),
        pytest.param({"name": "web", "parent_id": 2**63}, id="B003-parent-huge"),
        pytest.param({"name": "web", "id": 1}, id="B015-id"),
        pytest.param({"name": "web", "host_count": 1}, id="B015-count"),
        pytest.param({"name": "--help"}, id="B049-option"),
        pytest.param({"name": "a\u202eb"}, id="B046-bidi"),
        pytest.param({"name": "a\x1b[2J"}, id="B052-escape"),
    ],
)
async def test_a_group_that_makes_no_sense(door: Door, body: Mapping[str, object]) -> None:
    answer = await door.request("POST", GROUPS, json=body)

    assert error_of(answer, 422) == "invalid"
    assert await stored(door) == {}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"ttl_seconds": 0}, id="B042-zero"),
        pytest.param({"ttl_seconds": -1}, id="B042-negative"),
        pytest.param({"ttl_seconds": 3601}, id="B042-too-long"),
        pytest.param({"ttl_seconds": "600"}, id="B014-text"),
        pytest.param({"ttl_seconds": None}, id="B013-null"),
        pytest.param({"host_id": 0}, id="B003-host-zero"),
        pytest.param({"host_id": "1"}, id="B014-host-text"),
        pytest.param({"token": "mine"}, id="B015-token"),
    ],
)
async def test_a_token_that_makes_no_sense(door: Door, body: Mapping[str, object]) -> None:
    answer = await door.request("POST", TOKENS, json=body)

    assert error_of(answer, 422) == "invalid"
    assert await stored(door) == {}


@pytest.mark.parametrize("path", [HOSTS, GROUPS, "/api/agents", TOKENS])
@pytest.mark.parametrize(
    "query",
    [
        pytest.param("page=-1", id="B018-page-negative"),
        pytest.param("page=0", id="B018-page-zero"),
        pytest.param("page=1000000001", id="B018-page-huge"),
        pytest.param("page=abc", id="B018-page-text"),
        pytest.param("page_size=0", id="B018-size-zero"),
        pytest.param("page_size=201", id="B018-size-201"),
        pytest.param("page_size=9999999999999999999", id="B018-size-beyond"),
        pytest.param("sort=password_sealed", id="B019-hidden-column"),
        pytest.param("sort=id%3Bdrop%20table", id="B019-sql"),
        pytest.param("sort=(select%201)", id="B019-subselect"),
        pytest.param("owner__email=x", id="B020-walk"),
        pytest.param("name[$gt]=", id="B020-operator"),
        pytest.param("ids[0]=1", id="B022-array"),
        pytest.param("search=%00", id="B006-search"),
        pytest.param("search=" + "x" * 129, id="B017-search"),
    ],
)
async def test_a_parameter_that_makes_no_sense(door: Door, path: str, query: str) -> None:
    answer = await door.request("GET", path, params=query)

    assert error_of(answer, 422) == "invalid"


@pytest.mark.parametrize("query", ["group_id=x", "group_id=0", "agent_status=asleep"])
async def test_a_filter_that_makes_no_sense(door: Door, query: str) -> None:
    """B020."""
    assert error_of(await door.request("GET", HOSTS, params=query), 422) == "invalid"


@pytest.mark.parametrize(
    "text",
    ["0", "-1", "2147483648", "9" * 400, "abc", "1.0", "+1", "01", "1_0", "%31%00"],
    ids=lambda text: f"B003-{text[:12]}",
)
@pytest.mark.parametrize("path", [HOSTS, GROUPS])
async def test_an_id_that_is_none(door: Door, path: str, text: str) -> None:
    answer = await door.request("GET", f"{path}/{text}")

    assert answer.status_code in {404, 422}
    assert error_of(answer, answer.status_code) in {"invalid", "not_found"}


@pytest.mark.parametrize(
    "text",
    ["x", "0" * 31, "0" * 33, "G" * 32, "A" * 32, "0" * 1_000, "%2e%2e"],
    ids=lambda text: f"B025-{text[:6]}",
)
async def test_an_agent_id_that_is_none(door: Door, text: str) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/disable")):
        answer = await door.request(method, f"/api/agents/{text}{path}")
        assert answer.status_code in {404, 422}


@pytest.mark.parametrize("method", ["PUT", "TRACE", "PROPFIND", "PATCH"], ids="B024-{}".format)
async def test_a_method_that_is_not_offered(door: Door, method: str) -> None:
    assert error_of(await door.request(method, HOSTS), 405) == "method_not_allowed"
