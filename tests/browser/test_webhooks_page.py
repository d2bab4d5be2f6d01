"""Webhooks and the manual of the API, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from outreach.roles import Role
from tests.api.test_webhooks import Ear
from tests.browser.conftest import NARROW, WIDE, Enter, Town
from tests.browser.sight import sideways_px, times_without_zone, violations


@pytest.mark.parametrize("js", [True, False])
def test_an_admin_adds_tests_and_ends_a_webhook(enter: Enter, town: Town, js: bool) -> None:
    ear = Ear()
    page = enter(js=js)
    page.goto("/webhooks")
    expect(page.get_by_text("Nobody is told yet.")).to_be_visible()
    page.get_by_label("Address").fill("https://hooks.example.org/")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("alert")).to_contain_text("In the sandbox nothing leaves this machine.")
    expect(page.get_by_label("Address")).to_have_value("https://hooks.example.org/")

    page.get_by_label("Address").fill(ear.url)
    page.get_by_label(re.compile("^failed")).uncheck()
    page.get_by_role("button", name="Add it").click()
    secret = page.get_by_label("The secret").input_value()
    assert secret.startswith("whsec_")
    assert not js or violations(page) == []

    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("status")).to_contain_text("The test was taken (204).")
    assert secret not in page.content()
    assert ear.kinds == [("test", None)]
    expect(page.get_by_text("Is told: published, needs-a-person.")).to_be_visible()

    page.get_by_role("button", name="End it").click()
    expect(page.get_by_text("A person ended it.")).to_be_visible()
    ear.close()


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (NARROW, True)])
def test_everybody_can_use_the_page_of_webhooks(enter: Enter, town: Town, size: tuple[int, int], dark: bool) -> None:
    page = enter(size=size, dark=dark)
    page.goto("/webhooks")
    assert violations(page) == []
    who = town.house.access.people()[0]
    for path in ("one", "two"):
        town.house.webhooks.add(f"http://127.0.0.1:9/{path}", ["failed"], person=who.email, person_id=who.id)
    town.house.webhooks.test(1)
    town.house.webhooks.end(2, person=who.email)
    page.reload()
    page.get_by_text("What is sent, and how").click()
    assert violations(page) == []
    assert sideways_px(page) <= 0
    assert times_without_zone(page) == []
    page.get_by_label("Address").fill("nowhere")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert violations(page) == []


def test_webhooks_are_for_admins(enter: Enter) -> None:
    page = enter("cleo@example.org", roles=frozenset({Role.COORDINATOR}))
    page.goto("/more")
    expect(page.get_by_role("link", name="Webhooks")).to_have_count(0)
    answer = page.goto("/webhooks")
    assert answer is not None
    assert answer.status == 403


def test_the_manual_of_the_api_works_without_any_other_host(enter: Enter) -> None:
    """`enter` fails a test whose page asks another host."""
    page = enter()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.set_default_timeout(40_000)
    page.goto("/docs")
    page.locator("#operations-tag-webhooks").click()
    page.get_by_text("Send a webhook a test now").click()
    expect(page.get_by_text("A text of your own that names this request")).to_be_visible(timeout=40_000)
    assert said == []
