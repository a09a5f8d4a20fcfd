"""Ways into the console and what is said to who is not let in, in both languages."""

import json

from playwright.sync_api import Page, Route, expect

from tests.support.browser import browser, in_chinese, in_english, page, sign_in_as, words
from tests.support.oidc_provider import Provider
from tests.support.platform import Platform

__all__ = ["browser", "page"]


@in_chinese
def test_the_button_of_a_provider_leads_there_and_back(
    page: Page, identity_provider: Provider
) -> None:
    say = words(page)
    page.goto("/profile?tab=sessions")
    page.get_by_role("link", name=say("Sign in with Company", "使用 Company 登录")).click()

    page.wait_for_url("**/profile?tab=sessions")
    name = str(identity_provider.person["preferred_username"])
    expect(page.locator("header").get_by_text(name)).to_be_visible()
    assert len([one for one in identity_provider.asked.values() if one.is_used]) >= 1


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
