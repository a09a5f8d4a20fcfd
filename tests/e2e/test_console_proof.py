"""Being asked again in the console: for a proof and for a number, with nothing lost meanwhile."""

import secrets

import httpx
from playwright.sync_api import Page, expect

from tests.support.browser import browser, page, sign_in_as, words
from tests.support.platform import Platform

__all__ = ["browser", "page"]

PASSWORD = "a long enough password"
NEW_PASSWORD = "another long password"
CHANGE = """async ([current, next]) => {
  const headers = { 'Content-Type': 'application/json', 'X-Requested-With': 'opsjob' }
  const body = JSON.stringify({ current_password: current, new_password: next })
  return (await fetch('/api/auth/password/', { method: 'POST', headers, body })).status
}"""
"""After this the login holds no proof any more."""


def test_a_proof_is_asked_for_and_what_was_typed_goes_on(
    page: Page, platform: Platform, admin: httpx.Client
) -> None:
    say, name = words(page), f"p-{secrets.token_hex(4)}"
    spec = {"username": name, "password": PASSWORD, "roles": ["admin"]}
    made = admin.post("/api/auth/users/", json=spec)
    assert made.status_code == 201, made.text
    sign_in_as(page, name, PASSWORD)
    page.wait_for_url("**/quick")
    assert page.evaluate(CHANGE, [PASSWORD, NEW_PASSWORD]) == 200
    page.set_viewport_size({"width": 390, "height": 760})
    page.goto("/roles")
    role = f"Role {secrets.token_hex(3)}"
    page.get_by_role("button", name=say("Add a role", "添加角色")).click()
    page.fill("input[name=role-name]", role)
    page.get_by_text(say("See all hosts and host groups", "查看所有主机和主机组")).click()
    page.get_by_role("button", name=say("Create the role", "创建角色")).click()

    asked = page.get_by_role("dialog", name=say("Is it still you?", "是您本人吗？"))
    password = asked.locator("[data-test=proof-password]")
    password.fill("wrong")
    box = asked.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    password.press("Enter")
    expect(asked.get_by_role("alert")).to_be_visible()
    assert page.input_value("input[name=role-name]") == role
    password.fill(NEW_PASSWORD)
    password.press("Enter")

    expect(asked).to_be_hidden()
    expect(page.get_by_role("button", name=role, exact=True)).to_be_visible()
    names = [one["name"] for one in admin.get("/api/permissions/roles/").json()["content"]]
    assert names.count(role) == 1
