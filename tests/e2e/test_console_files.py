"""Files sent to a host, fetched from it and brought from host to host in the browser."""

import hashlib
import tarfile
from pathlib import Path

import httpx
from playwright.sync_api import FilePayload, Page, expect

from tests.support.browser import browser, in_chinese, in_english, page, sign_in, words
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
    checksum = hashlib.sha256(CONTENT).hexdigest()
    sent = page.locator(".files li[data-state=success]")
    expect(sent).to_contain_text(str(target / name))
    expect(sent.locator(f"[title='{checksum}']")).to_be_visible()

    page.goto("/files?tab=stored")
    row = page.locator("tr", has_text=name)
    row.locator("button").last.click()
    page.locator(".el-dialog button[type=submit]").click()
    expect(row).to_have_count(0)


@in_chinese
def test_files_are_fetched_and_downloaded_as_one_archive(
    page: Page, platform: Platform, admin: httpx.Client, local_host: str, tmp_path: Path
) -> None:
    say = words(page)
    for name in ("a.log", "b.log", "left.tmp"):
        (tmp_path / name).write_text(f"content of {name}\n")
    page.goto("/files?tab=collect")
    sign_in(page, platform)
    page.wait_for_url("**/files?tab=collect")
    fetch = page.locator(".bar .el-button--primary")
    expect(fetch).to_be_disabled()
    page.locator("textarea").nth(0).fill(f"{tmp_path}/*")
    page.locator("textarea").nth(1).fill("*.tmp")
    page.locator(".host", has_text=local_host).click()

    fetch.click()
    page.wait_for_url("**/executions/*")
    execution = page.url.split("?")[0].rsplit("/", 1)[-1]
    assert platform.wait_ended(admin, execution)["status"] == "success"
    archive = page.get_by_role("link", name=say("Download what was fetched", "下载收集到的文件"))
    with page.expect_download() as saved:
        archive.click()
    with tarfile.open(saved.value.path()) as content:
        names = sorted(member.name for member in content if member.isfile())
    assert [name.rpartition("/")[2] for name in names] == ["a.log", "b.log"]
    assert all(name.startswith(f"{local_host}/") for name in names)


@in_english
def test_a_folder_goes_from_host_to_host(
    page: Page, platform: Platform, admin: httpx.Client, local_host: str, tmp_path: Path
) -> None:
    say = words(page)
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    (source / "kept.txt").write_text("brought over\n")
    page.goto("/files")
    sign_in(page, platform)
    page.wait_for_url("**/files")
    page.click("[data-add=remote]")
    page.get_by_role("combobox", name=say("From host", "来源主机")).click()
    page.keyboard.type(local_host)
    page.locator(".el-select-dropdown__item:visible", has_text=local_host).first.click()
    page.locator(".remote input").nth(1).fill(f"{source}/")
    page.locator(".fields .code input").first.fill(f"{target}/")
    page.locator(".host", has_text=local_host).click()

    page.locator(".bar .el-button--primary").click()
    page.wait_for_url("**/executions/*")
    record = platform.wait_ended(admin, page.url.split("?")[0].rsplit("/", 1)[-1])

    assert record["status"] == "success"
    assert [one.read_text() for one in target.rglob("kept.txt")] == ["brought over\n"]
