"""S48, S49: the console works under its own policy, and nothing else runs under it."""

import httpx
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import browser, page, sign_in
from tests.support.platform import Platform

__all__ = ["browser", "page"]

HOSTILE = r"""printf '\033]0;owned\007<img src=x onerror="window.owned=1">'
printf '<script>window.owned=1</script>\033]8;;https://evil.example\033\\click\033]8;;\033\\'
printf ' \033]52;c;ZWNobw==\007the %s\n' end
"""
INJECTED = """() => {
  const inline = document.createElement('script')
  inline.textContent = 'window.owned = 1'
  document.body.append(inline)
  const image = document.createElement('div')
  image.innerHTML = '<img src="data:," onerror="window.owned = 1">'
  const failed = new Promise((tell) => image.firstChild.addEventListener('error', () => tell(true)))
  document.body.append(image)
  return failed
}"""
"""Both ways to run something; ends when the image has failed, which is when the second would."""


def test_every_page_works_under_the_policy(page: Page, platform: Platform) -> None:
    """The fixture fails when the browser tells of anything that the policy refused."""
    page.goto("/hosts")
    sign_in(page, platform)
    page.wait_for_url("**/hosts")
    for path in ("/quick", "/executions", "/hosts", "/"):
        page.goto(path)
        expect(page.locator("#app > *").first).to_be_visible()


def test_output_is_text_whatever_it_contains(
    page: Page, platform: Platform, admin: httpx.Client
) -> None:
    page.goto("/quick")
    sign_in(page, platform)
    page.wait_for_url("**/quick")
    page.locator(".host").first.click()
    page.locator(".cm-content").click()
    page.keyboard.insert_text(HOSTILE)
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/executions/*")
    execution_id = page.url.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
    platform.wait_ended(admin, execution_id)
    expect(page.get_by_text("click the end").first).to_be_visible()

    shown = page.get_by_text('<img src=x onerror="window.owned=1">').first
    expect(shown).to_be_visible()
    assert page.evaluate("window.owned") is None
    assert "owned" not in page.title()
    assert page.locator("a[href*='evil.example']").count() == 0


def test_a_script_in_the_page_does_not_run(browser: Browser, platform: Platform) -> None:
    """Even where somebody managed to put markup into a page."""
    page = browser.new_page(base_url=platform.url)
    page.set_default_timeout(20_000)
    page.goto("/login")
    page.wait_for_selector("input[name=username]")

    # A function of a page is text to Playwright's own world, which no policy binds.
    with page.expect_console_message(lambda said: "Content Security Policy" in said.text):
        assert page.evaluate(INJECTED)

    assert page.evaluate("window.owned") is None
    page.close()
