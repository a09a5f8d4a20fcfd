"""Files sent to a host in the browser: uploaded, put in place, listed, deleted."""

from pathlib import Path

import httpx
from playwright.sync_api import FilePayload, Page, expect

from tests.support.browser import browser, page, sign_in
from tests.support.platform import Platform

__all__ = ["browser", "page"]

CONTENT = b"sent from the browser\n" * 5_000


def test_a_file_is_uploaded_sent_and_deleted(
    page: Page, platform: Platform, admin: httpx.Client, tmp_path: Path
) -> None:
    target = tmp_path / "arrived"
    page.goto("/files")
    sign_in(page, platform)
    page.wait_for_url("**/files")
    name = f"{tmp_path.name}.bin"
    page.locator("input[type=file]").set_input_files(
        files=FilePayload(name=name, mimeType="application/octet-stream", buffer=CONTENT)
    )
    expect(page.locator(".chosen").get_by_text(name)).to_be_visible()
    page.locator(".fields .code input").first.fill(f"{target}/")
    page.locator(".host").first.click()

    page.locator(".bar .el-button--primary").click()
    page.wait_for_url("**/executions/*")
    record = platform.wait_ended(admin, page.url.split("?")[0].rsplit("/", 1)[-1])
    assert record["status"] == "success"
    assert (target / name).read_bytes() == CONTENT

    page.goto("/files?tab=stored")
    row = page.locator("tr", has_text=name)
    row.locator("button").last.click()
    page.locator(".el-dialog button[type=submit]").click()
    expect(row).to_have_count(0)
