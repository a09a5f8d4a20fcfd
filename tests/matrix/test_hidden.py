"""Names of hidden objects: no byte of any answer holds one, whatever is asked and however."""

import json
from urllib.parse import quote

import pytest

from tests.matrix.asking import Answer
from tests.matrix.callers import NOBODIES, Caller
from tests.matrix.entries import entry_of
from tests.matrix.routes import collected
from tests.matrix.trying import prepared
from tests.matrix.world import World

ROWS, _ = collected()
BLIND = (Caller.MEMBER, Caller.REVOKED, Caller.STRANGER, *sorted(NOBODIES))
SEARCHES = {
    "/api/hosts/": "search",
    "/api/hosts/groups/": "search",
    "/api/executor/execution-records/": "search",
    "/api/files/": "search",
}
"""Lists that everybody may ask for, and what they look in."""
LISTS = (*SEARCHES, "/api/permissions/grants/", "/api/permissions/approvals/")


def leaks(answer: Answer, names: list[bytes]) -> list[bytes]:
    """The names that an answer holds, in plain text or escaped."""
    seen = answer.every_byte
    return [name for name in names if name in seen or quote(name).encode() in seen]


async def test_no_answer_names_what_is_hidden(world: World) -> None:
    """Every route, by callers who may see none of it; what is public tells nobody's names."""
    told = []
    for row in ROWS:
        entry = entry_of(row)
        if row.key == "POST /api/auth/login" or entry.once:
            continue  # it answers with the very user who logs in
        for caller in BLIND:
            answer = await (await prepared(world, row, entry)).send(world, world.callers[caller])
            names = list(world.hidden)
            if caller is not Caller.STRANGER:  # who sees by whom the own grants were given
                names += world.far + world.people
            told += [f"{row.key} tells {caller} {name!r}" for name in leaks(answer, names)]

    assert not told, "\n".join(told)


async def test_the_names_are_there_for_those_who_may_see_them(world: World) -> None:
    """Else the test above would hold for an empty world."""
    for caller, hosts in ((Caller.ADMIN, {"host", "far host"}), (Caller.LOOKER, {"host"}),
                          (Caller.STRANGER, {"far host"}), (Caller.MEMBER, set())):  # fmt: skip
        answer = await world.platform.ask(
            "GET", "/api/hosts/", headers=world.callers[caller], query="page_size=200"
        )
        content = answer.content
        assert isinstance(content, dict)
        seen = {str(row["id"]) for row in content["results"]}
        shown = {name for name in ("host", "far host") if world.ids[name] in seen}
        assert shown == hosts
        assert content["total"] == len(content["results"])
        assert bool(leaks(answer, world.hidden)) == ("host" in hosts)
        assert bool(leaks(answer, world.far)) == ("far host" in hosts)


@pytest.mark.parametrize("path", SEARCHES)
async def test_a_search_for_a_hidden_name_finds_nothing(world: World, path: str) -> None:
    """Nor does the number of hits tell that there is something."""
    for name in (*world.hidden[:40], *world.far):
        for caller in (Caller.MEMBER, Caller.REVOKED):
            answer = await world.platform.ask(
                "GET",
                path,
                headers=world.callers[caller],
                query=f"{SEARCHES[path]}={quote(name)}",
            )
            content = answer.content
            assert isinstance(content, dict), answer.body
            if answer.status == 403:
                assert content["error"] == "forbidden"
            else:
                assert (content["total"], content["results"]) == (0, [])
            assert not leaks(answer, [name])


@pytest.mark.parametrize("path", LISTS)
async def test_lists_count_only_what_is_seen(world: World, path: str) -> None:
    for caller in (Caller.MEMBER, Caller.REVOKED):
        answer = await world.platform.ask("GET", path, headers=world.callers[caller])
        content = answer.content
        assert isinstance(content, dict)
        if answer.status != 403:
            assert (content["total"], content["results"]) == (0, [])


async def test_filters_tell_nothing_about_hidden_groups(world: World) -> None:
    """A hidden group filters like one that does not exist."""
    for caller in (Caller.MEMBER, Caller.STRANGER, Caller.REVOKED):
        answers = []
        for group in (world.ids["group"], "2000000001"):
            answer = await world.platform.ask(
                "GET", "/api/hosts/", headers=world.callers[caller], query=f"group_id={group}"
            )
            answers.append((answer.status, json.dumps(answer.content)))
        assert answers[0] == answers[1], caller


async def test_questions_about_rights_tell_nothing_about_objects(world: World) -> None:
    """`check` answers the same for a hidden host and for none; nor can a taken name be probed."""
    for caller in (Caller.MEMBER, Caller.REVOKED, Caller.STRANGER):
        answers = []
        for host in (world.ids["host"], "2000000001"):
            asked = {"object_type": "host", "object_id": int(host), "actions": ["view", "execute"]}
            answer = await world.platform.ask(
                "POST", "/api/permissions/check/", headers=world.callers[caller], body=asked
            )
            answers.append(answer.body.replace(host.encode(), b"ID"))
        assert answers[0] == answers[1], caller


async def test_names_in_bodies_of_others_are_refused_as_unknown(world: World) -> None:
    """Running on a hidden host or group is answered as running on a missing one."""
    path = "/api/quick/execute_script/"
    for field, thing in (("target_host_ids", "host"), ("target_group_ids", "group")):
        answers = []
        for number in (world.ids[thing], "2000000001"):
            body = {"script_content": "true", field: [int(number)]}
            answer = await world.platform.ask(
                "POST", path, headers=world.callers[Caller.STRANGER], body=body
            )
            assert answer.status == 404
            answers.append((answer.error, len(answer.body) - len(number)))
        assert answers[0] == answers[1]
