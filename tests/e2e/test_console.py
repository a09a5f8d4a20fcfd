"""The console in a real browser, on the real platform with a real agent, in both languages."""

import httpx
from playwright.sync_api import Page, expect

from tests.support.browser import browser, page, sign_in
from tests.support.platform import Platform

__all__ = ["browser", "page"]

SCRIPT = """for n in 1 2 3 4 5 6 7 8; do
  echo "step $n of 8 on $(hostname) 中文"
  sleep 0.2
done
echo "one warning" >&2
"""


def test_a_wrong_password_is_said_and_the_right_one_leads_where_one_wanted(
    page: Page, platform: Platform
) -> None:
    page.goto("/hosts?agent_status=online")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", "not the password")
    page.click("button[type=submit]")
    expect(page.get_by_role("alert")).to_be_visible()

    sign_in(page, platform)

    page.wait_for_url("**/hosts?agent_status=online")
    expect(page.locator("table, [role=table]").first).to_be_visible()


def test_a_script_is_run_and_watched_live(
    page: Page, platform: Platform, admin: httpx.Client
) -> None:
    page.goto("/quick")
    sign_in(page, platform)
    page.wait_for_url("**/quick")
    page.locator(".host").first.click()
    page.locator(".cm-content").click()
    page.keyboard.insert_text(SCRIPT)

    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/executions/*")
    expect(page.get_by_text("step 2 of 8").first).to_be_visible()
    execution_id = page.url.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
    expect(page.get_by_text("step 8 of 8").first).to_be_visible()

    record = platform.wait_ended(admin, execution_id)
    assert record["status"] == "success"
    language = str(page.evaluate("document.documentElement.lang"))
    name = "成功" if language.startswith("zh") else "Succeeded"
    expect(page.get_by_text(name).first).to_be_visible()
    expect(page.get_by_text("one warning").first).to_be_visible()


def test_the_api_docs_come_from_here_alone(page: Page) -> None:
    foreign: list[str] = []
    page.on(
        "request",
        lambda request: foreign.append(request.url) if "127.0.0.1" not in request.url else None,
    )

    page.goto("/api/docs/")
    page.get_by_placeholder("Filter by tag or path").fill("quick")  # the page shows what is in view

    expect(page.get_by_text("/api/quick/execute_script/").first).to_be_visible()
    assert not foreign
