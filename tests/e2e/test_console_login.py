"""Ways into the console and what is said to who is not let in, in both languages."""

import json
import secrets

import pytest
from playwright.sync_api import Page, Route, expect

from libs.kit import clock
from tests.support.browser import browser, in_chinese, in_english, page, sign_in_as, words
from tests.support.oidc_provider import Claims, Provider
from tests.support.platform import Platform

__all__ = ["browser", "page"]


@in_chinese
def test_the_button_of_a_provider_leads_there_and_back_and_logging_out_ends_both(
    page: Page, identity_provider: Provider
) -> None:
    say = words(page)
    page.goto("/profile?tab=sessions")
    page.get_by_role("link", name=say("Sign in with Company", "使用 Company 登录")).click()

    page.wait_for_url("**/profile?tab=sessions")
    name = str(identity_provider.person["preferred_username"])
    expect(page.locator("header").get_by_text(name)).to_be_visible()
    assert len([one for one in identity_provider.asked.values() if one.is_used]) >= 1

    before = len(identity_provider.farewells)
    page.get_by_role("button", name=say(f"Account of {name}", f"{name} 的账号")).click()
    with page.expect_response(lambda one: "/logout?" in one.url):
        page.get_by_role("menuitem", name=say("Sign out", "退出登录")).click()
    expect(page.locator("input[name=username]")).to_be_visible()
    assert len(identity_provider.farewells) == before + 1
    assert page.request.get("/api/auth/me/").status == 401


@in_english
def test_a_refusal_of_the_provider_is_said_where_one_can_try_again(
    page: Page, identity_provider: Provider
) -> None:
    say = words(page)
    identity_provider.token_status = 400
    try:
        page.goto("/login")
        page.get_by_role("link", name=say("Sign in with Company", "使用 Company 登录")).click()
        page.wait_for_url("**/login?error=oidc_refused*")
    finally:
        identity_provider.token_status = 200

    expect(page.get_by_role("alert")).to_contain_text(say("did not let you in", "未允许登录"))
    expect(page.locator("input[name=username]")).to_be_visible()


@in_english
def test_a_proof_at_the_provider_has_a_window_of_its_own_and_nothing_is_lost(
    page: Page, identity_provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first refusal is given here: a login is believed for minutes, and this one is new."""
    say = words(page)
    page.goto("/profile")
    page.get_by_role("link", name=say("Sign in with Company", "使用 Company 登录")).click()
    page.wait_for_url("**/profile")
    monkeypatch.setattr(identity_provider, "claims", asked_now)
    refusal = {"error": "step_up_required", "details": {}, "request_id": "req-8"}
    answer = {"code": 403, "success": False, "message": "Prove it.", "content": refusal}
    sent: list[str] = []

    def refuse_once(route: Route) -> None:
        if route.request.method == "PATCH":
            sent.append(str(route.request.post_data))
            if len(sent) == 1:
                refused = json.dumps(answer)
                route.fulfill(status=403, content_type="application/json", body=refused)
                return
        route.fallback()

    page.route("**/api/auth/me/", refuse_once)
    page.fill("input[name=department]", f"Night shift {secrets.token_hex(3)}")
    page.keyboard.press("Enter")
    asked = page.get_by_role("dialog", name=say("Is it still you?", "是您本人吗？"))
    with page.expect_popup() as opened:
        asked.get_by_role("button", name=say("Sign in again", "重新登录")).click()
    opened.value.wait_for_url("**/profile")

    expect(asked).to_be_hidden()
    expect(page.get_by_text(say("Your data is saved", "资料已保存")).first).to_be_visible()
    assert sent[0] == sent[1]
    last = [*identity_provider.asked.values()][-1]
    assert (last.query["prompt"], last.is_used) == ("login", True)


def asked_now(claims: Claims) -> Claims:
    """The provider has asked who is there, instead of remembering it."""
    return {**claims, "auth_time": int(clock.now().timestamp())}


def test_a_stopped_second_factor_sends_to_an_administrator(page: Page, platform: Platform) -> None:
    """The server's answer is given here: it takes a hundred wrong codes to earn it."""
    say = words(page)
    refusal = {
        "code": 403,
        "success": False,
        "message": "After too many wrong codes …",
        "content": {"error": "second_factor_stopped", "details": {}, "request_id": "req-7"},
    }

    def refuse(route: Route) -> None:
        route.fulfill(status=403, content_type="application/json", body=json.dumps(refusal))

    page.route("**/api/auth/login/", refuse)
    sign_in_as(page, "ann", "a long enough password")

    told = page.locator("[data-code=second_factor_stopped]")
    expect(told.get_by_role("heading")).to_have_text(
        say("Your second factor is stopped", "双因素认证已停用")
    )
    expect(told).to_contain_text("ann")
    expect(told).to_contain_text("req-7")
