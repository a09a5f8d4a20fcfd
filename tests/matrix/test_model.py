"""Random roles and grants, given and used through the real API, against the plain reading."""

import os
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from libs.kit import clock
from services.auth.domain import Role
from tests.matrix import naive
from tests.matrix.asking import Answer
from tests.matrix.naive import GROUPS_AROUND, Given, Person
from tests.matrix.platform import PASSWORD, Headers
from tests.matrix.world import World

HOSTS = tuple(GROUPS_AROUND)
ACCOUNTS = ("@agent", "app", "root")
PAIRS = (("top host", "deep host"), ("deep host", "other host"))
ACTIONS = ("view", "use", "execute", "edit", "delete", "grant")
MANY = {"sqlite": 60, "postgres": 20}
"""So many people that all is said within two minutes or so; PostgreSQL takes longer for each."""
SEED = int(os.environ.get("FUZZ_SEED", "1"))


def subsets(*names: str) -> st.SearchStrategy[frozenset[str]]:
    """At least one of these names."""
    return st.frozensets(st.sampled_from(names), min_size=1, max_size=3)


@st.composite
def grants(draw: st.DrawFn) -> Given:
    """One grant on hosts or groups."""
    on_groups = draw(st.booleans())
    actions = draw(subsets(*ACTIONS)) | draw(st.sampled_from([frozenset(), {"execute"}]))
    objects = draw(subsets("upper", "lower", "other", "*") if on_groups else subsets(*HOSTS, "*"))
    runs = "execute" in actions
    return Given(
        actions=frozenset(actions),
        on_groups=on_groups,
        objects=frozenset({"*"}) if "*" in objects else objects,
        what=draw(subsets("adhoc", "file", "*")) if runs else frozenset(),
        accounts=draw(subsets(*ACCOUNTS, "*")) if runs else frozenset(),
        to_group_of_users=draw(st.booleans()),
        state=draw(st.sampled_from(["live", "live", "live", "revoked", "later"])),
    )


@st.composite
def persons(draw: st.DrawFn) -> Person:
    """Somebody who has logged in, or a program with a token of that person."""
    person = Person(
        role=draw(st.sampled_from([*[Role.MEMBER] * 3, Role.VIEWER, Role.OPERATOR])),
        grants=tuple(draw(st.lists(grants(), max_size=4))),
    )
    named = sorted(person.tokens)
    if not named or draw(st.booleans()):
        return person
    seeing = draw(st.sampled_from([frozenset(), frozenset({"hosts:read"})]))
    scopes = draw(st.frozensets(st.sampled_from(named), min_size=1)) | (seeing & person.tokens)
    return replace(person, scopes=scopes)


PEOPLE = persons()


def people(count: int, number: int | None = None) -> list[Person]:
    """The same people every time; of a number that is a seed, the same for that seed."""
    found: list[Person] = []

    @seed(number)
    @settings(
        max_examples=count,
        derandomize=number is None,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(PEOPLE)
    def draw(person: Person) -> None:
        found.append(person)

    draw()
    return found


@dataclass
class Estate:
    """Hosts and groups as the plain reading knows them, in the world of the matrix."""

    world: World
    ids: dict[str, str]

    async def arrive(self, person: Person) -> Headers:
        """A new user who has exactly these grants from the first request on."""
        world, name = self.world, self.world.name("someone")
        body = {"username": name, "password": PASSWORD, "roles": [person.role.value]}
        user = await world.platform.content(
            "POST", "/api/auth/users/", headers=world.admin, body=body
        )
        group = await world.make("users")
        await world.platform.content(
            "POST",
            f"/api/auth/groups/{group}/members/",
            headers=world.admin,
            body={"user_ids": [user["id"]]},
        )
        for grant in person.grants:
            await self._give(grant, int(str(user["id"])), int(group))
        login = {"authorization": (await world.platform.login(name))["authorization"]}
        if person.scopes is None:
            return login
        ends = (clock.now() + timedelta(days=1)).isoformat()
        asked = {"name": "model", "scopes": sorted(person.scopes), "expires_at": ends}
        made = await world.platform.content("POST", "/api/auth/tokens/", headers=login, body=asked)
        return {"authorization": f"Bearer {made['token']}"}

    async def _give(self, grant: Given, user: int, group: int) -> None:
        body: dict[str, object] = {
            "subject_type": "group" if grant.to_group_of_users else "user",
            "subject_id": group if grant.to_group_of_users else user,
            "actions": sorted(grant.actions),
            "object_type": "host_group" if grant.on_groups else "host",
            "object_ids": sorted(self.ids.get(name, name) for name in grant.objects),
            "what": sorted(grant.what),
            "accounts": sorted(grant.accounts),
        }
        if grant.state == "later":
            body["starts_at"] = (clock.now() + timedelta(days=1)).isoformat()
        made = await self.world.platform.content(
            "POST", "/api/permissions/grants/", headers=self.world.admin, body=body
        )
        if grant.state == "revoked":
            path = f"/api/permissions/grants/{made['id']}/"
            await self.world.platform.content("DELETE", path, headers=self.world.admin)

    async def ask(self, method: str, host: str, who: Headers, body: object = None) -> Answer:
        """A request about one host."""
        path = f"/api/hosts/{self.ids[host]}/"
        return await self.world.platform.ask(method, path, headers=who, body=body)

    async def run(self, hosts: tuple[str, ...], account: str, who: Headers) -> Answer:
        """An attempt to run a script."""
        body: dict[str, object] = {
            "script_content": "true",
            "target_host_ids": [int(self.ids[host]) for host in hosts],
        }
        if account != "@agent":
            body["run_as"] = account
        path = "/api/quick/execute_script/"
        return await self.world.platform.ask("POST", path, headers=who, body=body)

    async def listed(self, who: Headers) -> set[str]:
        """Which of our hosts a list shows."""
        answer = await self.world.platform.ask(
            "GET", "/api/hosts/", headers=who, query="page_size=200&sort=-id"
        )
        content = answer.content
        assert isinstance(content, dict), answer.body
        shown = {str(row["id"]) for row in content["results"]}
        return {host for host in HOSTS if self.ids[host] in shown}


@pytest.fixture(scope="module")
async def estate(world: World) -> Estate:
    """Four hosts with agents in and around three groups."""
    ids: dict[str, str] = {}
    for name, parent in (("upper", None), ("lower", "upper"), ("other", None)):
        body = {"name": world.name("group"), "parent_id": int(ids[parent]) if parent else None}
        made = await world.platform.content(
            "POST", "/api/hosts/groups/", headers=world.admin, body=body
        )
        ids[name] = str(made["id"])
    for host, around in GROUPS_AROUND.items():
        body = {"name": world.name("host"), "ip_address": "127.0.0.1"}
        body |= {"group": int(ids[around[0]])} if around else {}
        made = await world.platform.content("POST", "/api/hosts/", headers=world.admin, body=body)
        ids[host] = str(made["id"])
        await world.enrol(ids[host])
    return Estate(world, ids)


async def compared(estate: Estate, person: Person) -> list[str]:
    """Where the platform and the plain reading differ about somebody."""
    who, wrong = await estate.arrive(person), []
    seen = {host for host in HOSTS if naive.sees(person, host)}
    if (listed := await estate.listed(who)) != seen:
        wrong.append(f"the list shows {sorted(listed)}, not {sorted(seen)}")
    for host in HOSTS:
        shown = await estate.ask("GET", host, who)
        if shown.status != (200 if host in seen else 404):
            wrong.append(f"GET {host}: {shown.status}")
        edited = await estate.ask("PATCH", host, who, {"description": "changed"})
        refused = 403 if host in seen else 404
        if edited.status != (200 if naive.edits(person, host) else refused):
            wrong.append(f"PATCH {host}: {edited.status}")
    targets = [(host,) for host in HOSTS] + list(PAIRS)
    for hosts in targets:
        for account in ACCOUNTS:
            answer = await estate.run(hosts, account, who)
            refusals = {403} if seen.issuperset(hosts) else {403, 404}
            allowed = naive.runs(person, hosts, account)
            if answer.status not in ({201} if allowed else refusals):
                wrong.append(f"run on {hosts} as {account}: {answer.status} {answer.error}")
    return [f"{one} for {person}" for one in wrong]


async def test_the_platform_agrees_with_the_plain_reading(estate: Estate) -> None:
    wrong = [line for person in people(25) for line in await compared(estate, person)]

    assert not wrong, "\n".join(wrong[:10])


@pytest.mark.long
async def test_the_platform_agrees_with_the_plain_reading_many_times(
    estate: Estate, db_kind: str
) -> None:
    wrong = [
        line for person in people(MANY[db_kind], SEED) for line in await compared(estate, person)
    ]

    assert not wrong, "\n".join(wrong[:10])
