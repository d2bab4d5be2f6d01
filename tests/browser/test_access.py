"""People and accounts in a real browser: invited and joined, by mouse and by keyboard alone, with a code, and everybody can use it."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect
from pyotp import TOTP

from outreach.access import Operator
from outreach.roles import Role
from tests.browser.conftest import NARROW, WIDE, Enter, Town
from tests.browser.sight import sideways_px, times_without_zone, violations

PASSWORD, OTHER = "rivers under seven bridges", "a lamp beside green water"
ANN, BEN = "ann@example.org", "ben@example.org"


def resident(town: Town, email: str, *roles: Role) -> None:
    """Let somebody live here who has a real password."""
    access = town.house.access
    access.join(access.invite(email, roles or list(Role), by=Operator()), name=email[:3].title(), password=PASSWORD)


def log_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.goto("/log-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def reach(page: Page, wanted: Locator) -> None:
    """Go to something with the Tab key alone."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.evaluate("e => e === document.activeElement"):
            return
    raise AssertionError(f"the Tab key does not come to {wanted}")


def type_into(page: Page, wanted: Locator, text: str) -> None:
    reach(page, wanted)
    page.keyboard.type(text)


def press(page: Page, wanted: Locator) -> None:
    reach(page, wanted)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("js", [True, False])
def test_somebody_is_invited_joins_and_logs_in_as_a_second_person(enter: Enter, town: Town, js: bool) -> None:
    ann = enter(ANN, js=js)
    ann.goto("/people")
    ann.get_by_label("E-mail address").fill(BEN)
    ann.get_by_label("Approver").check()
    ann.get_by_role("button", name="Invite").click()
    expect(ann.get_by_role("heading", name="The invitation is made")).to_be_visible()
    link = ann.get_by_label(f"Link for {BEN}").input_value()

    ben = enter(None, js=js, size=NARROW)
    ben.goto(link)
    expect(ben.get_by_text("You are invited to TMM SIG as approver.")).to_be_visible()
    ben.get_by_label("Your name").fill("Ben Abara")
    ben.get_by_label("Password").fill(PASSWORD)
    ben.get_by_role("button", name="Make my account").click()
    expect(ben.get_by_text("Welcome, Ben Abara.")).to_be_visible()
    ben.goto("/more")
    ben.get_by_role("main").get_by_role("button", name="Log out").click()
    log_in(ben, BEN)
    ben.goto("/account")
    expect(ben.get_by_text(f"{BEN} · approver")).to_be_visible()

    ann.goto("/people")
    ann.get_by_role("link", name="Ben Abara").click()
    ann.get_by_label("Approver").uncheck()
    ann.get_by_label("Reviewer").check()
    ann.get_by_role("button", name="Change the roles").click()
    expect(ann.get_by_text("The roles are changed.")).to_be_visible()
    ben.reload()
    expect(ben.get_by_text(f"{BEN} · reviewer")).to_be_visible()


def test_a_refused_form_keeps_what_was_typed_and_says_it_first(enter: Enter) -> None:
    ann = enter(ANN)
    ann.goto("/people")
    ann.get_by_label("E-mail address").fill(BEN)
    ann.get_by_role("button", name="Invite").click()

    expect(ann.get_by_role("alert")).to_be_focused()
    expect(ann.get_by_role("alert")).to_contain_text("An invitation needs a role.")
    expect(ann.get_by_label("E-mail address")).to_have_value(BEN)
    assert violations(ann) == []


def test_an_account_is_looked_after_with_the_keyboard_alone(enter: Enter, town: Town) -> None:
    resident(town, ANN)
    phone = enter(None, size=NARROW)
    log_in(phone, ANN)
    page = enter(None)
    page.goto("/log-in")
    type_into(page, page.get_by_label("E-mail address"), ANN)
    type_into(page, page.get_by_label("Password"), PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    press(page, page.get_by_role("link", name="Your account"))
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()

    press(page, page.get_by_role("button", name="Log out there"))
    expect(page.get_by_text("It is logged out there.")).to_be_visible()
    phone.goto("/account")
    expect(phone.get_by_role("heading", name="Log in")).to_be_visible()

    type_into(page, page.get_by_label("The present one"), PASSWORD)
    type_into(page, page.get_by_label("The new one"), OTHER)
    press(page, page.get_by_role("button", name="Change the password"))
    expect(page.get_by_text("Your password is changed.")).to_be_visible()

    press(page, page.get_by_role("link", name="Make a token"))
    type_into(page, page.get_by_label("What for"), "The society's web site")
    reach(page, page.get_by_label("Write"))
    page.keyboard.press("Space")
    type_into(page, page.get_by_label("Your password"), OTHER)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Token for The society's web site")).to_have_value(pattern_of_a_token())
    press(page, page.get_by_role("link", name="Back to your account"))
    expect(page.get_by_text("read, write", exact=False)).to_be_visible()

    press(page, page.get_by_role("link", name="People"))
    type_into(page, page.get_by_label("E-mail address"), BEN)
    reach(page, page.get_by_label("Reviewer"))
    page.keyboard.press("Space")
    press(page, page.get_by_role("button", name="Invite"))
    expect(page.get_by_role("heading", name="The invitation is made")).to_be_visible()


def pattern_of_a_token() -> re.Pattern[str]:
    return re.compile(r"^outreach_[\w-]{43}$")


def test_a_second_factor_is_set_up_and_asked_for(enter: Enter, town: Town) -> None:
    resident(town, ANN)
    page = enter(None, size=NARROW)
    log_in(page, ANN)
    page.goto("/account")
    page.get_by_role("link", name="Set up a second factor").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    totp = TOTP(page.locator("code.key").inner_text().replace(" ", ""))
    type_into(page, page.get_by_label("The code that the app shows now"), totp.at(town.house.clock.now()))
    type_into(page, page.get_by_label("Your password"), PASSWORD)
    press(page, page.get_by_role("button", name="Ask for codes from now on"))
    expect(page.get_by_text("From now on a code is asked for at each log-in.")).to_be_visible()

    page.goto("/more")
    page.get_by_role("main").get_by_role("button", name="Log out").click()
    log_in(page, ANN)
    expect(page.get_by_role("heading", name="Your code")).to_be_visible()
    assert violations(page) == []
    type_into(page, page.get_by_label("Code", exact=False), totp.at(town.house.clock.now() + timedelta(seconds=30)))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()


@pytest.mark.parametrize(("size", "dark"), [(WIDE, True), (NARROW, False)])
def test_everybody_can_use_the_pages_about_people(enter: Enter, town: Town, size: tuple[int, int], dark: bool) -> None:
    access = town.house.access
    resident(town, BEN, Role.APPROVER, Role.REVIEWER)
    resident(town, "a.very.long.address.of.somebody@department.of.something.example.edu", Role.REVIEWER)
    resident(town, "gone@example.org", Role.COORDINATOR)
    access.close(access.person_called("gone@example.org").id, by=Operator())
    key = access.invite("dora@example.org", [Role.COORDINATOR], by=Operator())
    page = enter(ANN, size=size, dark=dark)
    ben, gone = access.person_called(BEN).id, access.person_called("gone@example.org").id
    for path in ("/people", f"/people/{gone}"):
        seen_by_everybody(page, path)

    page.goto(f"/people/{ben}")
    page.get_by_role("button", name="Make a link for a new password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A link for a new password")
    assert violations(page) == []

    stranger = enter(None, size=size, dark=dark)
    for path in ("/log-in", "/log-in/forgotten", f"/links/{key}", "/links/over", f"/links/{access.first_admin_link()}"):
        seen_by_everybody(stranger, path)
    stranger.goto("/log-in/forgotten")
    stranger.get_by_label("E-mail address").fill(BEN)
    stranger.get_by_role("button", name="Send the mail").click()
    expect(stranger.get_by_role("status")).to_contain_text(f"If {BEN} may log in here")
    assert violations(stranger) == []


def seen_by_everybody(page: Page, path: str) -> None:
    page.goto(path)
    assert (path, violations(page), times_without_zone(page)) == (path, [], [])
    assert sideways_px(page) <= 0, path
