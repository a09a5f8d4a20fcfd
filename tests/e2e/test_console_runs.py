"""Runs in the console: search in output, equal outputs, downloads, filters, stopping, breadth."""

import secrets
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import browser, in_chinese, in_english, page, sign_in, words
from tests.support.platform import Platform

__all__ = ["browser", "page"]

OUTPUT = """exec >&2  # one stream, because two have no order
for n in $(seq 1 400); do echo "line $n of many"; done
echo "the NEEDLE is here 中文"
"""


@pytest.fixture
def bare_host(admin: httpx.Client) -> Iterator[dict[str, object]]:
    """A host without an agent, last in every list; it is gone after the test."""
    body = {"name": f"zz-{secrets.token_hex(3)}", "ip_address": "192.0.2.7"}
    answer = admin.post("/api/hosts/", json={**body, "allow_shared_address": True})
    assert answer.status_code == 201, answer.text
    host: dict[str, object] = answer.json()["content"]
    yield host
    admin.delete(f"/api/hosts/{host['id']}/")


@pytest.fixture
def crowd(admin: httpx.Client) -> Iterator[tuple[str, list[int]]]:
    """A group and its 20 hosts without agents; all are gone after the test."""
    name = f"crowd {secrets.token_hex(3)}"
    made = admin.post("/api/hosts/groups/", json={"name": name})
    assert made.status_code == 201, made.text
    group = int(made.json()["content"]["id"])
    hosts: list[int] = []
    body = {"ip_address": "192.0.2.8", "allow_shared_address": True, "group": group}
    for number in range(20):
        answer = admin.post("/api/hosts/", json={**body, "name": f"{name} {number}"})
        assert answer.status_code == 201, answer.text
        hosts.append(int(answer.json()["content"]["id"]))
    yield name, hosts
    for host in hosts:
        admin.delete(f"/api/hosts/{host}/")
    admin.delete(f"/api/hosts/groups/{group}/")


def ended_run(platform: Platform, admin: httpx.Client, script: str, **more: object) -> str:
    """A run on the local host that has ended."""
    execution = platform.submit(admin, script, platform.online_hosts(admin)[0]["id"], **more)
    platform.wait_ended(admin, execution)
    return execution


@in_chinese
def test_stored_output_is_searched_and_a_hit_leads_to_its_place(
    page: Page, platform: Platform, admin: httpx.Client
) -> None:
    say = words(page)
    execution = ended_run(platform, admin, OUTPUT)
    page.goto(f"/executions/{execution}")
    sign_in(page, platform)
    expect(page.locator(".pane").get_by_text("line 400 of many")).to_be_visible()

    page.keyboard.press("/")
    drawer = page.get_by_role("dialog")
    drawer.locator("input[type=search]").fill("needle")
    expect(drawer.locator(".hit-row mark")).to_have_text("NEEDLE")
    here = drawer.locator(".around .hit-current")
    expect(here).to_have_text("NEEDLE")
    expect(here).to_have_css("background-color", "rgb(255, 201, 77)")
    expect(drawer.locator(".around").get_by_text("line 400 of many")).to_be_visible()

    drawer.get_by_text(say("Regular expression", "正则表达式")).click()
    drawer.locator("input[type=search]").fill(r"line [1-3] of")
    expect(drawer.locator(".hit-row")).to_have_count(3)
    drawer.locator("input[type=search]").press("Enter")
    expect(drawer.locator(".hit-row.chosen")).to_contain_text("line 2 of many")
    drawer.locator("input[type=search]").fill("line (")
    expect(drawer.get_by_role("alert")).to_be_visible()

    drawer.locator("input[type=search]").fill("line 12[0-9] of")
    drawer.get_by_role("button", name=say("Show in the output", "在输出中查看")).click()
    expect(page.locator(".pane .hits")).to_contain_text("1")
    assert "q=line" in page.url


@in_english
def test_output_is_downloaded_as_it_was_written(
    page: Page, platform: Platform, admin: httpx.Client
) -> None:
    say = words(page)
    execution = ended_run(platform, admin, OUTPUT)
    page.goto(f"/executions/{execution}")
    sign_in(page, platform)

    page.get_by_role("button", name=say("Download everything", "下载全部")).click()
    with page.expect_download() as saved:
        page.get_by_role("menuitem", name=say("As text", "下载为文本")).click()

    text = saved.value.path().read_text()
    assert "line 1 of many\n" in text
    assert "the NEEDLE is here 中文\n" in text


@in_chinese
def test_hosts_are_compared_by_what_they_said(
    page: Page, platform: Platform, admin: httpx.Client, bare_host: dict[str, object]
) -> None:
    say = words(page)
    hosts = [platform.online_hosts(admin)[0]["id"], bare_host["id"]]
    execution = ended_run(platform, admin, "echo said by one", target_host_ids=hosts)
    page.goto(f"/executions/{execution}")
    sign_in(page, platform)

    page.get_by_role("button", name=say("Compare hosts", "比较主机")).click()

    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text("said by one").first).to_be_visible()
    drawer.locator(".names button").first.click()
    expect(drawer).to_be_hidden()
    assert "host=" in page.url


@in_english
def test_runs_are_filtered_and_many_are_stopped_at_once(
    page: Page, platform: Platform, admin: httpx.Client
) -> None:
    say = words(page)
    name = f"sleepers {secrets.token_hex(4)}"
    host = platform.online_hosts(admin)[0]["id"]
    runs = [platform.submit(admin, "sleep 50", host, name=f"{name} {n}") for n in (1, 2)]
    page.goto("/executions")
    sign_in(page, platform)
    page.wait_for_url("**/executions")
    page.get_by_placeholder(say("Search by name", "按名称搜索")).fill(name)
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)

    page.locator(".filters .el-select").first.click()
    page.get_by_role("option", name=say("Failed", "失败"), exact=True).click()
    empty = say("No execution matches", "没有匹配的执行")
    expect(page.get_by_role("heading", name=empty)).to_be_visible()
    page.get_by_role("button", name=say("Clear filters", "清除筛选")).click()
    assert "search" not in page.url
    page.get_by_placeholder(say("Search by name", "按名称搜索")).fill(name)
    page.get_by_role("combobox", name=say("Anybody", "全部执行人")).click()
    page.keyboard.type("admin")
    page.get_by_role("option", name="admin").first.click()
    expect(rows).to_have_count(2)

    page.locator("thead .el-checkbox").click()
    page.get_by_role("button", name=say("Stop 2 executions", "停止 2 个执行")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("button[type=submit]")).to_be_disabled()
    dialog.locator("input").fill("2")
    dialog.locator("button[type=submit]").click()
    expect(dialog).to_be_hidden()
    states = [platform.wait_ended(admin, run)["status"] for run in runs]
    assert states == ["cancelled", "cancelled"]


@in_english
def test_a_run_on_many_hosts_waits_for_their_number_and_for_the_real_one(
    page: Page, platform: Platform, admin: httpx.Client, crowd: tuple[str, list[int]]
) -> None:
    """A host that is picked by itself and with its group counts once, which the server knows."""
    say = words(page)
    group, hosts = crowd
    page.goto(f"/quick?hosts={hosts[0]}")
    sign_in(page, platform)
    page.wait_for_url("**/quick")
    # What stands in the field lies over it, so a click of a person lands beside it.
    page.get_by_role("combobox", name=say("Any group", "全部分组")).click(force=True)
    page.get_by_role("option", name=group, exact=True).click()
    page.get_by_text(say("The whole group, with the hosts", "整个分组，以开始执行时")).click()
    page.locator(".cm-content").click()
    page.keyboard.insert_text("true")
    page.keyboard.press("Control+Enter")

    asked = page.get_by_role("dialog", name=say("Run on 21 hosts?", "在 21 台主机上执行？"))
    type_number(asked, wrong="20", right="21")
    real = say("This concerns 20. Is that right?", "本次涉及 20 项，是否正确？")
    assert page.url.endswith("/quick")
    type_number(page.get_by_role("dialog", name=real), wrong="21", right="20")

    page.wait_for_url("**/executions/*")
    execution = page.url.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
    (step,) = platform.record(admin, execution)["steps"]
    assert sorted(task["host_id"] for task in step["tasks"]) == sorted(hosts)


def type_number(dialog: Locator, *, wrong: str, right: str) -> None:
    """Types both into a question whose button only the right one unlocks, and presses it."""
    button = dialog.locator("button[type=submit]")
    expect(button).to_be_disabled()
    dialog.locator("input").fill(wrong)
    expect(button).to_be_disabled()
    dialog.locator("input").fill(right)
    button.click()
