"""A run of many steps, as people put it together in the browser."""

import httpx
from playwright.sync_api import Page, expect

from tests.support.browser import browser, page, sign_in
from tests.support.platform import Platform

__all__ = ["browser", "page"]


def write(page: Page, place: int, script: str) -> None:
    """Puts a script into the editor of the n-th step."""
    page.locator(".step .cm-content").nth(place).click()
    page.keyboard.insert_text(script)


def test_steps_with_a_confirmation_are_previewed_and_run(
    page: Page, platform: Platform, admin: httpx.Client
) -> None:
    page.goto("/plans/new")
    sign_in(page, platform)
    page.wait_for_url("**/plans/new")
    page.locator(".host").first.click()
    write(page, 0, "echo first of two")
    page.click("[data-add=confirm]")
    page.locator("[data-kind=confirm] textarea").fill("Shall the second one run?")
    page.click("[data-add=script]")
    write(page, 1, "echo second of two")
    run = page.locator(".bar .el-button--primary")

    page.locator(".bar .el-button").first.click()
    expect(page.locator(".el-drawer").get_by_text("echo second of two")).to_be_visible()
    page.keyboard.press("Escape")
    run.click()
    page.wait_for_url("**/executions/*")
    execution_id = page.url.split("?")[0].rsplit("/", 1)[-1]
    expect(page.get_by_text("Shall the second one run?").first).to_be_visible()
    page.locator(".question .el-button--primary").click()

    record = platform.wait_ended(admin, execution_id)
    assert record["status"] == "success"
    expect(page.get_by_text("second of two").first).to_be_visible()


def test_a_plan_says_what_it_lacks_and_sends_nothing(page: Page, platform: Platform) -> None:
    page.goto("/plans/new")
    sign_in(page, platform)
    page.wait_for_url("**/plans/new")
    page.locator(".host").first.click()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method + request.url))
    page.click("[data-add=push]")

    page.locator(".bar .el-button--primary").click()

    expect(page.locator(".step [role=alert]")).to_have_count(2)
    assert not [one for one in sent if one.startswith("POST")]
