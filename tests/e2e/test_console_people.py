"""Users, logins and one's own account in the console, in a real browser and both languages."""

import secrets
from collections.abc import Callable

import httpx
import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import browser, in_chinese, other_page, page, sign_in, sign_in_as, words
from tests.support.platform import Platform

__all__ = ["browser", "other_page", "page"]

PASSWORD = "a long enough password"


@pytest.fixture
def member(admin: httpx.Client) -> Callable[..., str]:
    """Makes users for one test."""

    def make(**more: object) -> str:
        name = f"u-{secrets.token_hex(4)}"
        body = {"username": name, "password": PASSWORD, **more}
        answer = admin.post("/api/auth/users/", json=body)
        assert answer.status_code == 201, answer.text
        return name

    return make


def test_a_user_is_made_logs_in_once_sets_a_password_and_is_disabled(
    page: Page, other_page: Page, platform: Platform, admin: httpx.Client
) -> None:
    say = words(page)
    name = f"u-{secrets.token_hex(4)}"
    page.goto("/users")
    sign_in(page, platform)
    page.get_by_role("button", name=say("Add a user", "添加用户")).click()
    page.fill("input[name=new-username]", name)
    page.get_by_role("button", name=say("Create the user", "创建用户")).click()
    first = page.locator("[data-secret] code").inner_text()
    page.get_by_role("button", name=say("I have kept it", "我已妥善保存")).click()
    expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()

    sign_in_as(other_page, name, first)
    other_page.fill("input[name=current-password]", first)
    other_page.fill("input[name=new-password]", PASSWORD)
    other_page.fill("input[name=again-password]", PASSWORD)
    other_page.click("button[type=submit]")
    expect(other_page.locator("input[name=new-password]")).to_have_count(0)

    row = page.locator("tr", has_text=name)
    row.get_by_role("button", name=say(f"Actions of {name}", f"{name} 的操作")).click()
    page.get_by_role("menuitem", name=say("Disable", "停用")).click()
    page.get_by_role("dialog").get_by_role("button", name=say("Disable", "停用")).click()
    expect(row.locator("[data-state=disabled]")).to_be_visible()
    found = admin.get("/api/auth/users/", params={"search": name}).json()["content"]["results"]
    assert [user["is_active"] for user in found] == [False]


def test_who_has_no_right_sees_no_way_and_a_clear_refusal(
    other_page: Page, member: Callable[..., str]
) -> None:
    sign_in_as(other_page, member(), PASSWORD)
    other_page.wait_for_url(lambda url: "/login" not in url)
    expect(other_page.locator("nav").first).to_be_visible()
    expect(other_page.locator("nav a[href='/ops/users']")).to_have_count(0)

    other_page.goto("/users")

    expect(other_page.get_by_role("alert")).to_contain_text("users:read")


def test_a_second_factor_is_set_up_asked_for_and_replaced_by_a_recovery_code(
    other_page: Page, member: Callable[..., str]
) -> None:
    say = words(other_page)
    name = member()
    sign_in_as(other_page, name, PASSWORD)
    other_page.wait_for_url(lambda url: "/login" not in url)
    other_page.goto("/profile?tab=security")
    other_page.get_by_role("button", name=say("Set up", "启用")).click()
    other_page.fill("input[name=factor-password]", PASSWORD)
    other_page.keyboard.press("Enter")
    other_page.locator("summary").click()
    secret = other_page.locator("[data-secret] code").inner_text()
    other_page.fill("input[name=otp]", code_now(secret))
    other_page.keyboard.press("Enter")
    codes = other_page.get_by_role("dialog").locator("li code")
    expect(codes).to_have_count(10)
    recovery = codes.first.inner_text()

    other_page.context.clear_cookies()
    sign_in_as(other_page, name, PASSWORD)
    other_page.fill("input[name=otp]", recovery)
    other_page.click("button[type=submit]")

    other_page.wait_for_url(lambda url: "/login" not in url)


def test_a_picture_is_shown_after_failed_logins(
    other_page: Page, platform: Platform, member: Callable[..., str]
) -> None:
    name = member()
    wrong = {"username": name, "password": "not the password"}
    for _ in range(3):
        answer = httpx.post(f"{platform.url}/api/auth/login/", json=wrong, trust_env=False)
        assert answer.status_code == 401, answer.text
    sign_in_as(other_page, name, "not the password")

    expect(other_page.locator("img[src^='data:image/png']")).to_be_visible()
    picture = other_page.locator("img[src^='data:image/png']").get_attribute("src")
    other_page.fill("input[name=captcha]", "WRONG")
    other_page.fill("input[name=password]", PASSWORD)
    other_page.click("button[type=submit]")
    expect(other_page.locator("input[name=captcha]")).to_have_value("")
    expect(other_page.locator("img[src^='data:image/png']")).not_to_have_attribute(
        "src", str(picture)
    )


def test_an_api_token_is_made_shown_once_and_revoked(
    other_page: Page, platform: Platform, member: Callable[..., str]
) -> None:
    say = words(other_page)
    sign_in_as(other_page, member(roles=["viewer"]), PASSWORD)
    other_page.wait_for_url(lambda url: "/login" not in url)
    other_page.goto("/profile?tab=tokens")
    other_page.get_by_role("button", name=say("Create a token", "创建令牌")).click()
    other_page.fill("input[name=token-name]", "nightly")
    other_page.get_by_text(say("Everything that I may do", "我拥有的全部权限")).click()
    other_page.get_by_role("dialog").locator("button[type=submit]").click()
    token = other_page.locator("[data-secret] code").inner_text()
    other_page.get_by_role("button", name=say("I have kept it", "我已妥善保存")).click()
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{platform.url}/api/hosts/"
    assert httpx.get(url, headers=headers, trust_env=False).status_code == 200

    other_page.get_by_role("button", name=say("Revoke", "吊销"), exact=True).click()
    other_page.get_by_role("dialog").locator("button[type=submit]").click()

    empty = say("No API tokens", "没有 API 令牌")
    expect(other_page.get_by_role("heading", name=empty)).to_be_visible()


@in_chinese
def test_other_logins_are_listed_and_ended_and_told_so(
    page: Page, other_page: Page, member: Callable[..., str]
) -> None:
    say = words(page)
    name = member(roles=["viewer"])
    for one in (other_page, page):
        sign_in_as(one, name, PASSWORD)
        one.wait_for_url(lambda url: "/login" not in url)
    page.goto("/profile?tab=sessions")
    expect(page.locator("tbody tr")).to_have_count(2)

    page.get_by_role("button", name=say("Sign out everywhere else", "退出其他所有设备")).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    other_page.locator("nav a[href='/hosts']").click()

    other_page.wait_for_url(lambda url: "/login?" in url)
    ended = say("Your session has ended", "会话已结束")
    expect(other_page.get_by_role("alert")).to_contain_text(ended)


def code_now(secret: str) -> str:
    """What an authenticator shows for this secret now."""
    return pyotp.TOTP(secret.replace(" ", "")).now()
