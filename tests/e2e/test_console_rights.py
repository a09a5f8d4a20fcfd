"""Roles, grants, decisions, the audit log and quarantine in the console, in both languages."""

import secrets

import httpx
from playwright.sync_api import Page, expect

from tests.support.browser import browser, other_page, page, sign_in, sign_in_as, words
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
    expect(other_page.locator("nav a[href='/roles']")).to_have_count(0)

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
