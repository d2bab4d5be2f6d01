"""Logging in, attacked: guessed passwords and codes, planted sessions, stolen cookies, answers that tell too much."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from pyotp import TOTP

from outreach.access import Operator
from outreach.roles import Role
from outreach.store import doorkeys, people
from tests.access.conftest import OTHER, PASSWORD, Build, Town
from tests.web.visitors import Guest

ANN = "ann@example.org"
HOME = "/account"


def is_in(guest: Guest) -> bool:
    """Tell whether the guest may see a page that only somebody who is logged in sees."""
    return guest.get(HOME, allow_redirects=False).status_code == 200


def with_second_factor(town: Town, email: str = ANN) -> TOTP:
    """Give a resident a second factor; give what makes their codes."""
    town.resident(email)
    visitor = town.house.access.visitor(town.house.access.log_in(email, PASSWORD, address=""))
    assert visitor is not None
    totp = TOTP(town.house.access.new_totp(visitor).secret)
    town.house.access.begin_totp(visitor, secret=totp.secret, code=totp.at(town.clock.now()), password=PASSWORD)
    return totp


def give_code(guest: Guest, code: str) -> requests.Response:
    return guest.post("/log-in/code", code=code, follow=False)


def plain(page: str) -> str:
    """What a page says, without what differs each time."""
    return re.sub(r'value="[^"]*"', "", page)


# Passwords


def test_the_answer_does_not_tell_who_is_here(town: Town) -> None:
    town.resident()
    closed = town.resident("closed@example.org", Role.REVIEWER)
    town.house.access.close(closed.id, by=Operator())
    gone = town.resident("gone@example.org", Role.REVIEWER)
    town.house.access.set_roles(gone.id, (), by=Operator())

    wrong = town.at_log_in(ANN, "not the right password")
    others = [town.at_log_in(email) for email in ("nobody@example.org", "closed@example.org", "gone@example.org", "x")]

    assert wrong.status_code == 422
    assert {(a.status_code, plain(a.text)) for a in others} == {(422, plain(wrong.text))}


def test_a_stranger_takes_as_long_as_a_wrong_password(town: Town) -> None:
    town.resident()

    def quickest(email: str) -> float:
        return min(took(town, email) for _ in range(2))

    took(town, "first@example.org")
    assert quickest("nobody@example.org") > 0.4 * quickest(ANN)


def took(town: Town, email: str) -> float:
    guest = town.guest()
    guest.get("/log-in")
    begun = time.perf_counter()
    guest.post("/log-in", email=email, password="not the right password", follow=False)
    return time.perf_counter() - begun


def test_five_wrong_tries_close_an_account_for_a_quarter_of_an_hour(town: Town) -> None:
    town.resident()
    wrong = [town.at_log_in(ANN, "not the right password").status_code for _ in range(5)]

    throttled = town.at_log_in(ANN).status_code
    town.clock.tick(15 * 60 + 1)

    assert (wrong, throttled) == ([422] * 5, 429)
    assert town.at_log_in(ANN).status_code == 303


def test_an_account_that_does_not_exist_is_throttled_all_the_same(town: Town) -> None:
    answers = [town.at_log_in("nobody@example.org").status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]


def test_many_tries_at_once_are_not_one(town: Town) -> None:
    town.resident()
    guests = [town.guest() for _ in range(16)]
    for guest in guests:
        guest.get("/log-in")

    with ThreadPoolExecutor(16) as crowd:
        wrong = {"email": ANN, "password": "not the right password", "follow": False}
        answers = list(crowd.map(lambda guest: guest.post("/log-in", **wrong).status_code, guests))

    assert sorted(answers) == [422] * 5 + [429] * 11


def failed(town: Town, *emails: str, address: str = "192.0.2.1") -> None:
    """Write wrong tries down, without the tenth of a second that each takes."""
    with town.house.store.write() as tx:
        for email in emails:
            doorkeys.note_log_in(tx, email, address, now=town.clock.now())


def test_one_address_that_tries_many_accounts_is_throttled(town: Town) -> None:
    failed(town, *(f"person{number}@example.org" for number in range(19)), address="127.0.0.1")
    answers = [town.at_log_in(ANN).status_code for _ in range(2)]
    assert answers == [422, 429]


def test_tries_of_others_do_not_lock_somebody_out_of_their_own_browser(town: Town) -> None:
    town.resident()
    at_home = town.inside()
    at_home.post("/log-out")
    failed(town, *[ANN] * 5)

    assert town.at_log_in(ANN).status_code == 429
    assert town.at_log_in(ANN, guest=at_home).status_code == 303


def test_a_browser_known_for_one_person_is_not_known_for_another(town: Town) -> None:
    town.resident("ben@example.org", Role.REVIEWER)
    of_ben = town.inside("ben@example.org")
    of_ben.post("/log-out")
    failed(town, *[ANN] * 5)

    assert town.at_log_in(ANN, guest=of_ben).status_code == 429


def test_a_log_in_forgives_the_tries_before_it(town: Town) -> None:
    town.resident()
    failed(town, *[ANN] * 4)
    town.at_log_in(ANN)

    assert town.at_log_in(ANN, "not the right password").status_code == 422


def test_behind_a_proxy_that_does_not_say_who_asks_nobody_is_locked_out_by_others(build_town: Build) -> None:
    town = build_town(OUTREACH_BASE_URL="https://outreach.example.org")
    failed(town, *["ben@example.org"] * 21, address="127.0.0.1")
    headers = {"Host": "outreach.example.org", "Origin": "https://outreach.example.org"}
    page = requests.get(f"{town.address}/log-in", headers=headers, timeout=30)
    token = re.search(r'name="form_token" value="([^"]*)"', page.text)
    assert token is not None
    cookies = {"__Host-outreach-form": page.cookies["__Host-outreach-form"]}
    form = {"form_token": token[1], "email": ANN, "password": "x"}
    answer = requests.post(f"{town.address}/log-in", data=form, headers=headers, cookies=cookies, timeout=30)
    assert answer.status_code == 422


# Sessions


def test_a_key_that_was_planted_before_the_log_in_opens_nothing_after_it(town: Town) -> None:
    town.resident()
    guest = town.guest()
    guest.web.cookies.set("outreach", "planted")

    town.at_log_in(ANN, guest=guest)

    assert guest.web.cookies.get_dict()["outreach"] != "planted"
    assert not is_in(with_key(town, "planted"))


def test_a_log_in_ends_the_session_that_the_browser_had(town: Town) -> None:
    town.resident()
    guest = town.inside()
    before = guest.web.cookies["outreach"]
    page = town.guest()
    page.get("/log-in")
    guest.web.cookies.set("outreach-form", page.web.cookies["outreach-form"])

    guest.post("/log-in", email=ANN, password=PASSWORD, form_token=page.form_token())

    assert guest.web.cookies.get_dict()["outreach"] != before
    assert (is_in(guest), is_in(with_key(town, before))) == (True, False)


def test_a_cookie_that_was_stolen_is_worth_nothing_after_the_log_out(town: Town) -> None:
    town.resident()
    guest = town.inside()
    thief = with_key(town, guest.web.cookies["outreach"])
    before = is_in(thief)

    guest.post("/log-out")

    assert (before, is_in(thief)) == (True, False)


def with_key(town: Town, key: str) -> Guest:
    guest = town.guest()
    guest.web.cookies.set("outreach", key)
    return guest


def test_a_session_that_is_not_used_for_two_weeks_is_over(town: Town) -> None:
    town.resident()
    guest = town.inside()
    town.clock.tick(14 * 86400 + 1)
    assert not is_in(guest)


def test_a_session_that_is_used_every_day_is_over_after_ninety(town: Town) -> None:
    town.resident()
    key, days = town.house.access.log_in(ANN, PASSWORD, address=""), 0
    while days < 100 and town.house.access.visitor(key):
        town.clock.tick(86400)
        days += 1
    assert days == 90


def test_a_cookie_is_kept_from_scripts_and_other_sites(town: Town) -> None:
    town.resident()
    cookies = town.at_log_in(ANN).headers["set-cookie"]
    assert re.search(r"outreach=[\w-]{43}; HttpOnly; Max-Age=1209600; Path=/; SameSite=lax(?:,|$)", cookies)


def test_behind_tls_every_cookie_is_bound_to_this_host_and_the_browser_told_to_stay_with_tls(build_town: Build) -> None:
    town = build_town(OUTREACH_BASE_URL="https://outreach.example.org")
    town.resident()
    headers = {"Host": "outreach.example.org", "Sec-Fetch-Site": "same-origin"}
    page = requests.get(f"{town.address}/log-in", headers=headers, timeout=30)
    form = {"email": ANN, "password": PASSWORD}
    form["form_token"] = re.search(r'name="form_token" value="([^"]*)"', page.text)[1]  # type: ignore[index]
    cookies = {"__Host-outreach-form": page.cookies["__Host-outreach-form"]}

    answer = requests.post(
        f"{town.address}/log-in", data=form, headers=headers, cookies=cookies, timeout=30, allow_redirects=False
    )

    told = re.split(r", (?=__Host-|\w+=)", answer.headers["set-cookie"])
    assert {cookie.partition("=")[0] for cookie in told} == {"__Host-outreach", "__Host-outreach-known"}
    assert all({"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= set(cookie.split("; ")) for cookie in told)
    assert page.headers["strict-transport-security"] == "max-age=31536000"


def test_without_tls_the_browser_is_not_told_to_stay_with_it(town: Town) -> None:
    assert "strict-transport-security" not in town.guest().get("/log-in").headers


# The second factor


def test_a_right_password_alone_opens_nothing_where_a_code_is_needed(town: Town) -> None:
    with_second_factor(town)
    guest = town.guest()

    asked = town.at_log_in(ANN, guest=guest)

    assert (asked.status_code, "Your code" in asked.text, is_in(guest)) == (200, True, False)
    assert not is_in(with_key(town, guest.web.cookies["outreach-half"]))


def test_a_code_opens_once(town: Town) -> None:
    totp = with_second_factor(town)
    town.clock.tick(60)
    code = totp.at(town.clock.now())
    first, second = town.guest(), town.guest()
    for guest in (first, second):
        town.at_log_in(ANN, guest=guest)

    answers = [give_code(guest, code).status_code for guest in (first, second)]

    assert answers == [303, 422]
    assert (is_in(first), is_in(second)) == (True, False)


def test_a_code_that_is_older_than_one_that_was_used_opens_nothing(town: Town) -> None:
    totp = with_second_factor(town)
    town.clock.tick(60)
    older = totp.at(town.clock.now())
    town.clock.tick(30)
    guest, late = town.guest(), town.guest()
    for one in (guest, late):
        town.at_log_in(ANN, guest=one)
    give_code(guest, totp.at(town.clock.now()))

    assert give_code(late, older).status_code == 422


def test_the_code_that_set_the_factor_up_does_not_log_in(town: Town) -> None:
    totp = with_second_factor(town)
    guest = town.guest()
    town.at_log_in(ANN, guest=guest)
    assert give_code(guest, totp.at(town.clock.now())).status_code == 422


@pytest.mark.parametrize("code", ["", "12345", "１２３４５６", "' OR 1=1", "0" * 5000])
def test_what_is_no_code_opens_nothing(town: Town, code: str) -> None:
    with_second_factor(town)
    guest = town.guest()
    town.at_log_in(ANN, guest=guest)
    assert give_code(guest, code).status_code == 422


def test_guessed_codes_are_throttled_also_with_a_new_log_in_before_each(town: Town) -> None:
    totp = with_second_factor(town)
    town.clock.tick(60)
    answers = []
    for number in range(6):
        guest = town.guest()
        town.at_log_in(ANN, guest=guest)
        code = "000000" if number < 5 else totp.at(town.clock.now())
        answers.append(give_code(guest, code).status_code)
    assert answers == [422] * 5 + [429]


def test_a_half_log_in_is_over_after_ten_minutes(town: Town) -> None:
    totp = with_second_factor(town)
    guest = town.guest()
    town.at_log_in(ANN, guest=guest)
    town.clock.tick(601)
    assert give_code(guest, totp.at(town.clock.now())).status_code == 422


def test_a_second_factor_is_kept_encrypted(town: Town) -> None:
    totp = with_second_factor(town)
    with town.house.store.read() as tx:
        person = people.by_email(tx, town.house.community.id, ANN)
    assert person is not None
    assert person.totp is not None
    assert totp.secret not in person.totp
    assert totp.secret not in repr(person)
    assert PASSWORD not in repr(person)


# Where it leads


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/\x00/evil.example",
        "/\u2028/evil.example",
        "evil.example",
        "http://[::1",
        "/" + "a" * 5000,
        "",
    ],
)
def test_a_log_in_leads_to_no_other_site(town: Town, to: str) -> None:
    town.resident()
    guest = town.guest()
    guest.get("/log-in", params={"to": to})
    hidden = re.search(r'name="to" value="([^"]*)"', guest.seen)
    assert hidden is not None

    answer = guest.post("/log-in", email=ANN, password=PASSWORD, to=to, follow=False)
    again = guest.get("/log-in", params={"to": to}, allow_redirects=False)

    assert (hidden[1], answer.headers["location"], again.headers["location"]) == ("/", "/", "/")


def test_an_encoded_foreign_address_stays_a_path_of_this_site(town: Town) -> None:
    town.resident()
    guest = town.guest()
    guest.get("/log-in")
    answer = guest.post("/log-in", email=ANN, password=PASSWORD, to="/%2F%2Fevil.example?a=%0d%0ab", follow=False)
    assert answer.headers["location"] == "/%2F%2Fevil.example?a=%0d%0ab"


def test_somebody_who_had_to_log_in_comes_to_where_they_wanted(town: Town) -> None:
    town.resident()
    guest = town.guest()
    guest.get("/people?x=1&y=%C3%A9")
    to = re.search(r'name="to" value="([^"]*)"', guest.seen)
    assert to is not None
    answer = guest.post("/log-in", email=ANN, password=PASSWORD, to=to[1].replace("&amp;", "&"), follow=False)
    assert answer.headers["location"] == "/people?x=1&y=%C3%A9"


def test_odd_texts_in_the_log_in_are_refused_and_break_nothing(town: Town) -> None:
    town.resident()
    odd = [("\x00", "\x00"), ("a\x00@example.org", "é" * 3000), ("\U0001f600", OTHER)]
    assert {town.at_log_in(email, password).status_code for email, password in odd} == {422}
