"""A real browser on the real platform, in both languages."""

import os
import shutil
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.platform import Platform
from tests.support.tree import REPOSITORY

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None
)
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DIST = REPOSITORY / "frontend" / "dist"

if not CHROMIUM or not DIST.is_dir():
    WHY = "no Chromium" if not CHROMIUM else "the console is not built"
    if os.environ.get("REQUIRE_CHROMIUM"):
        pytest.fail(WHY, pytrace=False)
    pytest.skip(WHY, allow_module_level=True)


in_english = pytest.mark.parametrize("page", ["en-US"], indirect=True)
in_chinese = pytest.mark.parametrize("page", ["zh-CN"], indirect=True)
"""For a test that tries a way through pages, of which one language is enough."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(params=["en-US", "zh-CN"])
def page(
    request: pytest.FixtureRequest, browser: Browser, platform: Platform, admin: httpx.Client
) -> Iterator[Page]:
    """A page of a browser in one language, which must end without an error in its console."""
    platform.wait_online(admin)
    context = browser.new_context(
        base_url=platform.url, locale=request.param, viewport={"width": 1360, "height": 860}
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if _is_violation(said.text) else None)
    page.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)
    yield page
    context.close()
    assert not errors


def _is_violation(said: str) -> bool:
    """The browser refused something that the page's own policy does not allow."""
    return "Content Security Policy" in said or "Content-Security-Policy" in said


@pytest.fixture
def other_page(page: Page, browser: Browser, platform: Platform) -> Iterator[Page]:
    """A second browser in the same language, where nobody is signed in."""
    language = str(page.evaluate("navigator.language"))
    context = browser.new_context(
        base_url=platform.url, locale=language, viewport={"width": 1360, "height": 860}
    )
    second = context.new_page()
    errors: list[str] = []
    second.on("pageerror", lambda error: errors.append(str(error)))
    second.set_default_timeout(20_000)
    yield second
    context.close()
    assert not errors


def words(page: Page) -> Callable[[str, str], str]:
    """Chooses between the English and the Chinese words for what a page shows."""
    is_chinese = str(page.evaluate("navigator.language")).startswith("zh")
    return lambda english, chinese: chinese if is_chinese else english


def sign_in_as(page: Page, username: str, password: str) -> None:
    """Opens the page of the login and gives name and password."""
    page.goto("/login")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")


def sign_in(page: Page, platform: Platform) -> None:
    credentials = platform.first_admin
    page.fill("input[name=username]", credentials["username"])
    page.fill("input[name=password]", credentials["password"])
    page.click("button[type=submit]")
