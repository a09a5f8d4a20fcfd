"""The console in a real browser, on the real platform with a real agent, in both languages."""

import httpx
from playwright.sync_api import Page, expect

from tests.support.browser import browser, in_chinese, in_english, page, sign_in
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


def tab_to(page: Page, selector: str) -> None:
    """Presses Tab until this has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"no way to {selector} by Tab")


@in_english
def test_a_script_is_run_by_keys_alone(page: Page, platform: Platform) -> None:
    page.goto("/quick")
    expect(page.locator("input[name=username]")).to_be_focused()
    page.keyboard.type(platform.first_admin["username"])
    tab_to(page, "input[name=password]")
    page.keyboard.type(platform.first_admin["password"])
    page.keyboard.press("Enter")
    expect(page.locator(".host").first).to_be_visible()

    tab_to(page, "[role=listbox]")
    page.keyboard.press("Space")
    expect(page.get_by_text("1 host, 1 online")).to_be_visible()
    tab_to(page, ".editor .mount")  # within a dozen, not one for each host
    page.keyboard.type("echo by $((40 + 2)) keys")
    page.keyboard.press("Tab")
    expect(page.locator(".editor .keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/executions/*")
    expect(page.get_by_text("by 42 keys").first).to_be_visible()

    tab_to(page, "button:has(.lucide-history)")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@in_chinese
def test_the_menu_of_a_narrow_screen_leads_to_every_page(page: Page, platform: Platform) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/hosts")
    sign_in(page, platform)
    page.get_by_role("button", name="打开菜单").click()
    menu = page.get_by_role("dialog")
    menu.get_by_role("link", name="执行记录").click()
    page.wait_for_url("**/executions")
    expect(menu).to_have_count(0)

    page.get_by_role("button", name="打开菜单").click()
    menu.get_by_role("link", name="运维").click()
    page.wait_for_url("**/ops/agents")
    page.get_by_role("button", name="打开菜单").click()
    expect(menu.get_by_role("link", name="审计日志")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)


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
