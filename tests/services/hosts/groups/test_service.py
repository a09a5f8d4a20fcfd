"""Groups form a tree: unique names, no cycles, bounded depth."""

import asyncio

import pytest

from services.hosts.domain import MAX_GROUP_DEPTH
from services.hosts.errors import (
    GroupCycle,
    GroupHasSubgroups,
    GroupNameTaken,
    GroupNotFound,
    GroupTooDeep,
)
from services.hosts.groups.schemas import GroupCreate, GroupPatch, GroupQuery
from services.hosts.groups.service import Groups
from services.hosts.models import CountedGroup
from services.hosts.service import Hosts
from tests.services.hosts.conftest import make_host
from tests.support.doors import ADMIN


async def make_group(groups: Groups, name: str, parent_id: int | None = None) -> int:
    return (await groups.create(GroupCreate(name=name, parent_id=parent_id))).group.id


async def chain(groups: Groups, length: int, prefix: str = "level") -> list[int]:
    """Groups below each other, from the top."""
    made: list[int] = []
    for number in range(length):
        made.append(await make_group(groups, f"{prefix}-{number}", made[-1] if made else None))
    return made


def moved(parent_id: int | None) -> GroupPatch:
    return GroupPatch(parent_id=parent_id)


@pytest.mark.parametrize("twin", ["web", "WEB", " Web "])
async def test_names_are_unique_in_the_whole_tree(groups: Groups, twin: str) -> None:
    top = await make_group(groups, "web")

    with pytest.raises(GroupNameTaken):
        await make_group(groups, twin, top)


async def test_of_equal_names_at_once_one_wins(groups: Groups) -> None:
    made = await asyncio.gather(
        *(make_group(groups, name) for name in ("web", "WEB", "Web")), return_exceptions=True
    )

    assert sum(isinstance(one, int) for one in made) == 1
    assert sum(isinstance(one, GroupNameTaken) for one in made) == 2


async def test_a_parent_must_exist(groups: Groups) -> None:
    with pytest.raises(GroupNotFound):
        await make_group(groups, "web", 4711)


async def test_a_group_cannot_lie_below_itself(groups: Groups) -> None:
    """B057: a group of groups with a cycle."""
    top, middle, bottom = await chain(groups, 3)

    for parent in (top, middle, bottom):
        with pytest.raises(GroupCycle):
            await groups.change(top, moved(parent), ADMIN)
    await groups.change(bottom, moved(None), ADMIN)
    await groups.change(top, moved(bottom), ADMIN)

    assert (await groups.one(top, ADMIN)).group.parent_id == bottom
    assert (await groups.one(middle, ADMIN)).group.parent_id == top


async def test_two_moves_at_once_make_no_cycle(groups: Groups) -> None:
    one, two = await make_group(groups, "one"), await make_group(groups, "two")

    answers = await asyncio.gather(
        groups.change(one, moved(two), ADMIN),
        groups.change(two, moved(one), ADMIN),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, CountedGroup) for answer in answers) == 1
    assert sum(isinstance(answer, GroupCycle) for answer in answers) == 1


async def test_the_tree_is_bounded_when_it_grows_and_when_it_is_moved(groups: Groups) -> None:
    """B057: groups a hundred deep."""
    deep = await chain(groups, MAX_GROUP_DEPTH)
    short = await chain(groups, 2, "short")

    with pytest.raises(GroupTooDeep):
        await make_group(groups, "one too many", deep[-1])
    with pytest.raises(GroupTooDeep):
        await groups.change(short[0], moved(deep[-2]), ADMIN)
    await groups.change(short[0], moved(deep[-3]), ADMIN)


async def test_deleting_a_group_leaves_its_hosts(groups: Groups, hosts: Hosts) -> None:
    group = await make_group(groups, "web")
    host = await make_host(hosts, group=group)

    await groups.delete(group, ADMIN)

    assert (await hosts.one(host.id, ADMIN)).groups == []
    with pytest.raises(GroupNotFound):
        await groups.one(group, ADMIN)


async def test_a_group_with_subgroups_is_not_deleted(groups: Groups) -> None:
    top, below = await chain(groups, 2)

    with pytest.raises(GroupHasSubgroups):
        await groups.delete(top, ADMIN)
    await groups.delete(below, ADMIN)
    await groups.delete(top, ADMIN)


async def test_groups_are_listed_with_the_number_of_their_hosts(
    groups: Groups, hosts: Hosts
) -> None:
    top = await make_group(groups, "b")
    await make_group(groups, "A", top)
    await make_host(hosts, 1, group="b")
    await make_host(hosts, 2, group="b")

    total, found = await groups.page(GroupQuery(), ADMIN)
    _, below = await groups.page(GroupQuery(parent_id=top), ADMIN)
    _, newest = await groups.page(GroupQuery(sort="-created_at", page_size=1), ADMIN)

    assert total == 2
    assert [(one.group.name, one.host_count) for one in found] == [("A", 0), ("b", 2)]
    assert [one.group.name for one in below] == ["A"]
    assert [one.group.name for one in newest] == ["A"]


@pytest.mark.parametrize(("search", "found"), [("%", ["50%"]), ("_", ["a_b"]), ("\\", [])])
async def test_a_search_is_taken_literally(groups: Groups, search: str, found: list[str]) -> None:
    for name in ("50%", "a_b", "web"):
        await make_group(groups, name)

    _, page = await groups.page(GroupQuery(search=search), ADMIN)

    assert [one.group.name for one in page] == found
