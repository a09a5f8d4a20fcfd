"""A run that others must approve, from the rule to the end, through facts and the console alone."""

import secrets
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import (
    browser,
    in_chinese,
    other_page,
    page,
    sign_in,
    sign_in_as,
    words,
)
from tests.support.platform import Platform
from tests.support.waiting import eventually_sync

__all__ = ["browser", "other_page", "page"]

PASSWORD = "a long enough password"
RULES = "/api/executor/command_rules/"


@pytest.fixture
def approver(admin: httpx.Client) -> tuple[int, str]:
    """Somebody without any role, who may approve what names them."""
    name = f"boss-{secrets.token_hex(4)}"
    answer = admin.post("/api/auth/users/", json={"username": name, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["content"]["id"]), name


@pytest.fixture
def word(admin: httpx.Client) -> Iterator[str]:
    """A word that no other test uses; the rules about it are gone afterwards."""
    made = f"coffee{secrets.token_hex(4)}"
    yield made
    found = admin.get(RULES, params={"search": made}).json()["content"]["results"]
    for rule in found:
        admin.delete(f"{RULES}{rule['id']}/")


def make_rule(page: Page, word: str, approver: str) -> None:
    """Makes a rule by hand by which one person has to approve a word, and tries it before."""
    say = words(page)
    page.get_by_role("button", name=say("Add a rule", "新增规则")).click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[name=rule-name]").fill(f"Ask about {word}")
    dialog.locator("textarea[name=rule-pattern]").fill(rf"\b{word}\b")
    dialog.locator("textarea[name=rule-sample]").fill(f"true\necho {word}")
    dialog.get_by_role("button", name=say("Look", "检查")).click()
    expect(dialog.get_by_text(say("line 2", "第 2 行"))).to_be_visible()
    # What is chosen lies over the field itself, so a click of a person lands beside it.
    dialog.get_by_role("combobox", name=say("What follows", "处理方式")).click(force=True)
    page.get_by_role("option", name=say("Approval by others", "他人审批")).click()
    who = dialog.get_by_role("combobox", name=say("Who may approve", "审批人"), exact=True)
    who.click(force=True)
    page.keyboard.type(approver)
    page.get_by_role("option", name=approver).click()
    page.keyboard.press("Tab")
    dialog.get_by_role("button", name=say("Add", "新增"), exact=True).click()
    expect(page.get_by_role("button", name=f"Ask about {word}", exact=True)).to_be_visible()


def say_yes(page: Page, name: str, word: str) -> None:
    """Signs in as the approver, reads what is asked and agrees."""
    say = words(page)
    sign_in_as(page, name, PASSWORD)
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto("/approvals?mine=decide")
    given = say("Quick shell script", "快速 Shell 脚本")
    page.get_by_role("button", name=given, exact=True).click()
    expect(page.locator("pre", has_text=word)).to_be_visible()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=say("Approve", "批准"), exact=True).click()
    expect(dialog).to_have_count(0)


def test_a_rule_is_made_tried_and_lets_somebody_else_approve_a_run(
    page: Page,
    other_page: Page,
    platform: Platform,
    admin: httpx.Client,
    approver: tuple[int, str],
    word: str,
) -> None:
    page.goto("/rules")
    sign_in(page, platform)
    make_rule(page, word, approver[1])

    host = int(platform.online_hosts(admin)[0]["id"])
    execution_id = platform.submit(admin, f"echo {word}", host)
    page.goto(f"/executions/{execution_id}")
    expect(page.get_by_role("status").filter(has_text=approver[1])).to_be_visible()

    def stands(state: str) -> bool:
        approvals = platform.record(admin, execution_id)["approvals"]
        return [one["state"] for one in approvals] == [state]

    eventually_sync(lambda: stands("asked"))
    say_yes(other_page, approver[1], word)

    expect(page.locator("[data-state=success]").first).to_be_visible()
    assert stands("approved")


def test_the_form_warns_before_a_run(page: Page, platform: Platform) -> None:
    say = words(page)
    page.goto("/quick")
    sign_in(page, platform)
    page.locator(".cm-content").click()
    page.keyboard.type("rm -rf /")

    expect(page.get_by_text(say("Delete system folders", "删除系统目录"))).to_be_visible()
    expect(page.get_by_text(say("line 1", "第 1 行"))).to_be_visible()


@in_chinese
def test_rules_that_are_shipped_have_words_in_the_readers_language(
    page: Page, platform: Platform, admin: httpx.Client
) -> None:
    rules = admin.get("/api/executor/command_rules/", params={"page_size": 200}).json()["content"]
    shipped = {one["name"] for one in rules["results"] if "。" in one["description"]}
    assert len(shipped) == 11
    page.goto("/ops/rules")
    sign_in(page, platform)
    page.locator("input[type=search]").fill("磁盘")
    names = page.locator("tbody button.name")
    expect(names).to_have_count(3)
    page.goto("/ops/rules?page_size=200")
    expect(names.filter(has_text="关机或重启主机")).to_have_count(1)

    assert not shipped & set(names.all_inner_texts())
