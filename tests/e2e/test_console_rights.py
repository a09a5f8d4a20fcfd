"""Roles, grants, decisions, the audit log and quarantine in the console, in both languages."""

import asyncio
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.support.agents import FakeAgent, enrol_over_http
from tests.support.browser import (
    browser,
    in_chinese,
    in_english,
    other_page,
    page,
    sign_in,
    sign_in_as,
    words,
)
from tests.support.platform import Platform
from tests.support.waiting import eventually_sync

__all__ = ["browser", "other_page", "page"]

PASSWORD = "a long enough password"


def make_user(admin: httpx.Client) -> tuple[int, str]:
    """A user without any role."""
    name = f"u-{secrets.token_hex(4)}"
    answer = admin.post("/api/auth/users/", json={"username": name, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["content"]["id"]), name


def test_a_role_is_made_from_the_catalogue(
    page: Page, platform: Platform, admin: httpx.Client
) -> None:
    say = words(page)
    name = f"Release {secrets.token_hex(3)}"
    page.goto("/roles")
    sign_in(page, platform)
    page.get_by_role("button", name=say("Add a role", "添加角色")).click()
    page.fill("input[name=role-name]", name)
    page.get_by_text(say("See all hosts and host groups", "查看所有主机和主机组")).click()
    page.get_by_role("button", name=say("Create the role", "创建角色")).click()

    expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()
    roles = admin.get("/api/permissions/roles/").json()["content"]
    assert [role["permissions"] for role in roles if role["name"] == name] == [["hosts:read"]]


def test_two_consoles_are_a_click_apart_for_those_who_have_both(
    page: Page, other_page: Page, platform: Platform, admin: httpx.Client
) -> None:
    say = words(page)
    page.goto("/hosts")
    sign_in(page, platform)
    switch = page.get_by_role("group", name=say("Console", "控制台"))
    expect(page.locator("nav a[href='/quick']")).to_be_visible()
    expect(page.locator("nav a[href='/ops/users']")).to_have_count(0)

    switch.get_by_role("link", name=say("Operations", "运维")).click()
    page.wait_for_url("**/ops/agents")
    page.locator("nav a[href='/ops/users']").click()
    page.wait_for_url("**/ops/users")
    expect(page.locator("nav a[href='/quick']")).to_have_count(0)
    switch.get_by_role("link", name=say("Jobs", "作业")).click()
    page.wait_for_url("**/quick")
    page.goto("/ops")
    page.wait_for_url("**/ops/agents")
    page.goto("/")
    page.wait_for_url("**/quick")

    _, name = make_user(admin)
    sign_in_as(other_page, name, PASSWORD)
    other_page.wait_for_url(lambda url: "/login" not in url)
    expect(other_page.locator("nav a[href='/approvals']")).to_be_visible()
    expect(other_page.get_by_role("group", name=say("Console", "控制台"))).to_have_count(0)
    other_page.goto("/ops")
    expect(other_page.get_by_text(say("There is no page here", "页面不存在"))).to_be_visible()


def test_a_grant_opens_the_way_to_its_host_and_is_explained_and_revoked(
    page: Page, other_page: Page, platform: Platform, admin: httpx.Client, local_host: str
) -> None:
    say = words(page)
    user_id, name = make_user(admin)
    page.goto("/grants")
    sign_in(page, platform)
    page.get_by_role("button", name=say("Give a right", "新增授权")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name=say("Choose", "选择"), exact=True).click()
    page.keyboard.type(name)
    page.get_by_role("option", name=name).click()
    dialog.get_by_text(say("All of this kind", "该类型全部")).click()
    dialog.get_by_role("button", name=say("Give", "授予"), exact=True).click()
    row = page.locator("tr", has_text=name)
    expect(row.locator("[data-state=live]")).to_be_visible()

    sign_in_as(other_page, name, PASSWORD)
    other_page.wait_for_url(lambda url: "/login" not in url)
    other_page.goto("/hosts")
    expect(other_page.get_by_text(local_host).first).to_be_visible()
    expect(other_page.locator("nav a[href='/ops/roles']")).to_have_count(0)

    host = platform.online_hosts(admin)[0]["id"]
    page.goto(f"/access?user={user_id}&action=view&kind=host&object={host}")
    expect(page.locator("[data-allowed=true]")).to_be_visible()
    page.goto(f"/access?user={user_id}&action=edit&kind=host&object={host}")
    expect(page.locator("[data-allowed=false]")).to_be_visible()

    page.goto("/grants")
    row.get_by_role("button", name=say("Revoke", "撤销")).click()
    page.get_by_role("dialog").get_by_role("button", name=say("Revoke", "撤销")).click()
    expect(row.locator("[data-state=revoked]")).to_be_visible()


def test_the_audit_log_is_narrowed_read_and_exported(
    page: Page, platform: Platform, admin: httpx.Client
) -> None:
    say = words(page)
    user_id, name = make_user(admin)
    admin.patch(f"/api/auth/users/{user_id}/", json={"department": "after the change"})
    eventually_sync(
        lambda: admin.get(
            "/api/permissions/audit-logs/",
            params={"resource_type": "user", "resource_id": user_id, "action": "user.update"},
        ).json()["content"]["results"]
    )
    page.goto(f"/audit?kind=user&object={user_id}")
    sign_in(page, platform)
    page.get_by_role("button", name="user.update").click()
    expect(page.locator("pre.after", has_text="after the change")).to_be_visible()
    page.keyboard.press("Escape")

    page.get_by_role("button", name=say("Export", "导出")).click()
    with page.expect_download() as saved:
        page.get_by_role("menuitem", name="CSV").click()
    text = saved.value.path().read_text(encoding="utf-8-sig")
    assert name in text
    assert "login.succeeded" not in text


def test_a_refusal_is_visible_to_who_reads_the_log(
    page: Page, platform: Platform, admin: httpx.Client
) -> None:
    _, name = make_user(admin)
    with httpx.Client(base_url=platform.url, trust_env=False) as client:
        answer = client.post("/api/auth/login/", json={"username": name, "password": PASSWORD})
        token = answer.json()["content"]["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/api/auth/users/", headers=headers).status_code == 403
    eventually_sync(
        lambda: admin.get(
            "/api/permissions/audit-logs/", params={"search": name, "action": "access.denied"}
        ).json()["content"]["results"]
    )

    page.goto(f"/audit?search={name}&outcome=refused")
    sign_in(page, platform)

    expect(page.locator("tr", has_text=name).locator("[data-state=denied]")).to_be_visible()


@in_english
def test_a_template_of_grants_is_made_changed_and_applied(
    page: Page, platform: Platform, admin: httpx.Client
) -> None:
    say = words(page)
    user_id, username = make_user(admin)
    name = f"On call {secrets.token_hex(3)}"
    page.goto("/grants?tab=templates")
    sign_in(page, platform)
    page.get_by_role("button", name=say("Add a template", "添加模板")).click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[name=template-name]").fill(name)
    dialog.get_by_text(say("All of this kind", "该类型全部")).click()
    dialog.locator("button[type=submit]").click()
    row = page.locator("li", has_text=name)
    expect(row.locator(".grant")).to_have_count(1)

    row.get_by_role("button", name=say("Change", "修改"), exact=True).click()
    dialog.locator("input[name=template-description]").fill("for nights")
    dialog.get_by_role("button", name=say("Add a part", "添加一部分")).click()
    expect(dialog.locator("button[type=submit]")).to_be_disabled()
    dialog.get_by_text(say("All of this kind", "该类型全部")).nth(1).click()
    dialog.locator("button[type=submit]").click()
    expect(row.locator(".grant")).to_have_count(2)
    expect(row).to_contain_text("for nights")

    row.get_by_role("button", name=say("Apply", "应用")).click()
    dialog.get_by_role("combobox", name=say("Choose", "选择")).first.click()
    page.keyboard.type(username)
    page.get_by_role("option", name=username).click()
    dialog.locator("button[type=submit]").click()
    expect(dialog).to_be_hidden()
    grants = admin.get("/api/permissions/grants/", params={"subject_type": "user"}).json()
    given = [one for one in grants["content"]["results"] if one["subject_id"] == user_id]
    assert len(given) == 2


@pytest.fixture
def suspect(platform: Platform, admin: httpx.Client) -> Iterator[tuple[str, str]]:
    """Id and host of an agent that told of a forged order and was shut out then."""
    name = f"zz-{secrets.token_hex(4)}"
    token = admin.post("/api/agents/enrolment_tokens/", json={}).json()["content"]["token"]
    where = urlsplit(platform.agent_url)
    assert where.port

    async def tell() -> str:
        identity = await enrol_over_http("127.0.0.1", where.port or 0, token, hostname=name)
        agent = FakeAgent("127.0.0.1", where.port or 0, identity)
        await agent.connect()
        agent.send({"type": "security", "reason": "bad_signature", "detail": "an order of test"})
        await agent.close()
        return identity.agent_id

    with ThreadPoolExecutor(1) as pool:  # the browser has the loop of this thread
        agent_id = pool.submit(asyncio.run, tell()).result()
    events = "/api/executor/security_events/"
    eventually_sync(
        lambda: admin.get(events, params={"agent_id": agent_id}).json()["content"]["results"]
    )
    answer = admin.post(f"/api/agents/{agent_id}/quarantine/", json={"reason": "seen twice"})
    assert answer.status_code == 200, answer.text
    yield agent_id, name
    admin.delete(f"/api/hosts/{answer.json()['content']['host_id']}/")


@in_chinese
def test_a_forgery_is_shown_and_its_agent_released_from_quarantine(
    page: Page, platform: Platform, admin: httpx.Client, suspect: tuple[str, str]
) -> None:
    say = words(page)
    agent_id, name = suspect
    page.goto(f"/security?agent={agent_id}")
    sign_in(page, platform)
    row = page.locator("tbody tr", has_text=name)
    expect(row).to_contain_text(say("An order whose signature is wrong", "指令签名错误"))
    expect(row).to_contain_text("an order of test")
    expect(page.locator("section.kept", has_text=name)).to_be_visible()

    page.get_by_role("button", name=say("Look at them", "查看 Agent")).click()
    page.wait_for_url("**/agents?status=quarantined")
    shut = page.locator("tbody tr", has_text=name)
    shut.get_by_role("button", name=say("Release", "解除隔离")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("seen twice")
    dialog.locator("button[type=submit]").click()

    expect(shut).to_have_count(0)
    state = admin.get(f"/api/agents/{agent_id}/").json()["content"]["status"]
    assert state == "offline"


@in_english
def test_the_line_that_enrols_an_agent_names_the_port_for_agents(
    page: Page, platform: Platform
) -> None:
    page.goto("/ops/agents")
    sign_in(page, platform)
    page.get_by_role("button", name="Add a host").click()

    port = urlsplit(platform.agent_url).port
    expect(page.locator("section.adding")).to_contain_text(f"--gateway http://127.0.0.1:{port} ")
