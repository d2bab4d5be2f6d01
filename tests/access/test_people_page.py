"""The page of people and one's account: what each button does, and what it never does."""

import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from threading import Barrier
from typing import Any

import pytest
from pyotp import TOTP

from outreach.access import Access, Operator
from outreach.model import BadInput
from outreach.roles import Role
from outreach.store import Store, people
from outreach.store.channels import settle_community
from outreach.store.schema import events
from tests.access.conftest import OTHER, PASSWORD, Build, Town, link_in
from tests.builders import NOW
from tests.doors.place import until
from tests.web.visitors import Guest, member

ANN, BEN = "ann@example.org", "ben@example.org"
ADMIN = frozenset({Role.ADMIN})


def admin(town: Town) -> Guest:
    guest = member(town.house, town.address, ANN, roles=ADMIN)
    guest.get("/people")
    return guest


def roles_of(town: Town, email: str) -> set[str]:
    return {str(role) for person in town.house.access.people() if person.email == email for role in person.roles}


def field(page: str, name: str) -> str:
    """Give the value of a field of a page."""
    found = re.search(rf'(?:name|id)="{name}"[^>]*? value="([^"]*)"', page)
    assert found is not None, page
    return unescape(found[1])


def told(town: Town) -> list[tuple[str | None, str, str | None]]:
    """What the history tells of people: by whom, what, about whom."""
    with town.house.store.read() as tx:
        return [(row.person, row.kind, row.note) for row in tx.execute(events.select().order_by(events.c.id))]


# Inviting


def test_an_invitation_is_mailed_and_its_link_shown_once(town: Town) -> None:
    town.box.mail.add_mailbox(BEN)
    ann = admin(town)

    made = ann.post("/people/invitations", email=" Ben@Example.org ", roles=["approver", "reviewer"])

    link = field(made.text, "once")
    until(lambda: bool(town.mails_to(BEN)))
    assert link in town.mails_to(BEN)[0]
    assert "A mail with the link is on its way to ben@example.org." in made.text
    people = ann.get("/people").text
    assert (BEN in people, link_in(link) in people) == (True, False)
    assert (ANN, "invite", f"{BEN}: approver, reviewer") in told(town)


def test_an_invitation_without_a_mail_server_is_a_link_to_copy(build_town: Build) -> None:
    town = build_town(mail=False)
    made = admin(town).post("/people/invitations", email=BEN, roles="reviewer")
    guest = town.guest()
    guest.get(link_in(made.text))
    guest.post(link_in(made.text), name="Ben", password=PASSWORD)

    assert "No mail went out: No mail server is set up." in made.text
    assert roles_of(town, BEN) == {"reviewer"}


def test_a_mail_that_is_not_taken_is_told_with_the_link(town: Town) -> None:
    made = admin(town).post("/people/invitations", email="nobody-knows@example.org", roles="reviewer")
    assert "No mail went out:" in made.text
    assert "/links/" in field(made.text, "once")


def test_the_links_of_an_install_with_an_address_begin_with_it(build_town: Build) -> None:
    town = build_town(OUTREACH_BASE_URL="http://localhost:4711/team")
    made = admin(town).post("/people/invitations", email=BEN, roles="reviewer")
    assert field(made.text, "once").startswith("http://localhost:4711/team/links/")


@pytest.mark.parametrize(
    ("email", "roles", "words"),
    [
        ("", ["reviewer"], "This is no e-mail address."),
        ("<script>alert(1)</script>@example.org", ["reviewer"], "This is no e-mail address."),
        ("ben@localhost", ["reviewer"], "This is no e-mail address."),
        (BEN, [], "An invitation needs a role."),
        (BEN, ["owner"], "An invitation needs a role."),
        (ANN, ["reviewer"], "This person is here already."),
    ],
)
def test_an_invitation_that_cannot_be_is_refused_and_keeps_what_was_typed(
    town: Town, email: str, roles: list[str], words: str
) -> None:
    refused = admin(town).post("/people/invitations", email=email, roles=roles)

    assert (refused.status_code, words in refused.text) == (422, True)
    assert field(refused.text, "email") == email
    assert "<script>alert" not in refused.text
    assert town.house.access.invitations() == []


def test_an_invitation_is_withdrawn_once(town: Town) -> None:
    ann = admin(town)
    link = link_in(ann.post("/people/invitations", email=BEN, roles="reviewer").text)
    ann.get("/people")
    answers = [ann.post("/people/invitations/withdraw", email=BEN).status_code for _ in range(2)]

    assert answers == [200, 422]
    assert town.guest().get(link).status_code == 410


# Roles


def test_a_person_may_hold_several_roles_and_loses_them_at_once(town: Town) -> None:
    ann, ben = admin(town), member(town.house, town.address, BEN, roles=frozenset({Role.REVIEWER}))
    number = town.house.access.person_called(BEN).id
    before = ben.get("/people").status_code

    ann.post(f"/people/{number}/roles", roles=["admin", "approver"])
    between = (roles_of(town, BEN), ben.get("/people").status_code)
    ann.post(f"/people/{number}/roles", roles=["approver"])

    assert (before, between, ben.get("/people").status_code) == (403, ({"admin", "approver"}, 200), 403)
    assert (ANN, "set roles", f"{BEN}: approver") in told(town)


@pytest.mark.parametrize("path", ["roles", "close", "take-out"])
def test_the_last_admin_stays(town: Town, path: str) -> None:
    ann = admin(town)
    number = town.house.access.person_called(ANN).id
    refused = ann.post(f"/people/{number}/{path}", roles="reviewer")
    assert (refused.status_code, "Nobody would be an admin any more." in refused.text) == (422, True)
    assert (roles_of(town, ANN), ann.get("/people").status_code) == ({"admin"}, 200)


def test_an_admin_whose_account_is_closed_does_not_count_as_one_that_is_left(town: Town) -> None:
    ann = admin(town)
    member(town.house, town.address, BEN, roles=ADMIN)
    access = town.house.access
    ann.post(f"/people/{access.person_called(BEN).id}/close")
    assert ann.post(f"/people/{access.person_called(ANN).id}/close").status_code == 422


def test_two_admins_who_remove_each_other_at_once_leave_one(store: Store) -> None:
    with store.write() as tx:
        here = settle_community(tx, name="TMM SIG", time_zone="UTC", approval=None, now=NOW)
    access = Access(store=store, community_id=here.id, secret="s", now=lambda: NOW)
    both = [access.join(access.invite(email, [Role.ADMIN], by=Operator()), password=PASSWORD) for email in (ANN, BEN)]
    start = Barrier(2)

    def remove(number: int) -> bool:
        start.wait()
        try:
            access.set_roles(number, [Role.REVIEWER], by=Operator())
        except BadInput:
            return False
        return True

    with ThreadPoolExecutor(2) as crowd:
        done = list(crowd.map(remove, [person.id for person in both]))

    assert sorted(done) == [False, True]
    assert sum(Role.ADMIN in person.roles for person in access.people()) == 1


# Accounts


def test_a_closed_account_ends_at_once_and_is_as_it_was_when_it_is_opened_again(town: Town) -> None:
    ann = admin(town)
    town.resident(BEN, Role.COORDINATOR)
    ben, access = town.inside(BEN), town.house.access
    visitor = access.visitor(ben.web.cookies["outreach"])
    assert visitor is not None
    token = access.new_token(visitor, name="a script", scopes=["read"])
    number = visitor.person.id

    ann.post(f"/people/{number}/close")
    closed = (ben.get("/account", allow_redirects=False).status_code, access.visitor_by_token(token))
    kept_out = town.at_log_in(BEN).status_code
    ann.post(f"/people/{number}/reopen")

    assert (closed, kept_out) == ((303, None), 422)
    assert ben.get("/account", allow_redirects=False).status_code == 303
    assert access.visitor_by_token(token) is None
    assert town.at_log_in(BEN).status_code == 303
    assert roles_of(town, BEN) == {"coordinator"}


def test_what_a_closed_account_still_had_or_gets_later_opens_nothing(town: Town) -> None:
    ben, access = town.resident(BEN, Role.REVIEWER), town.house.access
    guest = member(town.house, town.address, BEN)
    visitor = access.visitor(guest.web.cookies["outreach"])
    assert visitor is not None
    token = access.new_token(visitor, name="a script", scopes=["read"])
    with town.house.store.write() as tx:
        people.change(tx, ben.id, closed_at=town.clock.now())

    assert guest.get("/account", allow_redirects=False).status_code == 303
    assert access.visitor_by_token(token) is None


def test_somebody_taken_out_is_out_at_once(town: Town) -> None:
    ann, ben = admin(town), member(town.house, town.address, BEN)
    ann.post(f"/people/{town.house.access.person_called(BEN).id}/take-out")
    assert ben.get("/account", allow_redirects=False).status_code == 303
    assert BEN not in ann.get("/people").text


def test_an_admin_makes_a_link_for_a_new_password_and_never_sees_one(town: Town) -> None:
    ann = admin(town)
    ben = town.resident(BEN, Role.REVIEWER)
    made = ann.post(f"/people/{ben.id}/reset-link")
    guest = town.guest()
    guest.get(link_in(made.text))
    guest.post(link_in(made.text), password=OTHER)

    assert town.at_log_in(BEN, OTHER).status_code == 303
    assert "set on " in ann.get(f"/people/{ben.id}").text
    assert (ANN, "make reset link", BEN) in told(town)


# Oneself


def test_a_name_is_shown_as_text(town: Town) -> None:
    ann = admin(town)
    ann.post("/account/name", name="  <img src=x onerror=alert(1)>\n\x00" + "é" * 200)
    page = ann.get("/people").text
    assert "<img" not in page
    assert len(town.house.access.people()[0].name) == 80


def test_a_new_password_needs_the_old_one_and_ends_other_sessions(town: Town) -> None:
    town.resident()
    here, there = town.inside(), town.inside()
    answers = [
        here.post("/account/password", old=old, new=new).status_code
        for old, new in ((OTHER, OTHER), (PASSWORD, "short"), (PASSWORD, OTHER))
    ]

    assert answers == [422, 422, 200]
    assert (here.get("/account").status_code, there.get("/account", allow_redirects=False).status_code) == (200, 303)
    assert town.at_log_in(ANN, OTHER).status_code == 303
    assert told(town)[-2][:2] == (ANN, "set password")


def test_who_found_an_open_browser_cannot_guess_the_password_in_it(town: Town) -> None:
    town.resident()
    guest = town.inside()
    answers = [guest.post("/account/password", old=f"guess {n} of mine", new=OTHER).status_code for n in range(5)]
    answers.append(guest.post("/account/password", old=PASSWORD, new=OTHER).status_code)
    assert answers == [422] * 5 + [429]
    assert town.at_log_in(ANN).status_code == 303


def test_wrong_passwords_of_others_keep_nobody_from_changing_theirs(town: Town) -> None:
    town.resident()
    for number in range(5):
        for _ in range(5):
            town.house.access._throttle.note(f"self person{number}@example.org", "")
    assert town.inside().post("/account/password", old=PASSWORD, new=OTHER).status_code == 200


def test_sessions_are_ended_one_by_one_and_all_together(town: Town) -> None:
    town.resident()
    here, phone, office = (town.inside() for _ in range(3))
    page = here.get("/account").text
    others = re.findall(r'name="session" value="([^"]*)"', page)

    first = here.post("/account/sessions/end", session=others[0]).status_code
    left = [guest.get("/account", allow_redirects=False).status_code for guest in (phone, office)]
    here.get("/account")
    here.post("/account/sessions/end-others")
    all_left = [guest.get("/account", allow_redirects=False).status_code for guest in (here, phone, office)]

    assert (len(others), first, sorted(left), all_left) == (2, 200, [200, 303], [200, 303, 303])


def test_a_second_factor_begins_with_a_right_code_and_password_and_ends_other_sessions(town: Town) -> None:
    town.resident()
    here, there = town.inside(), town.inside()
    secret = field(here.get("/account/second-factor").text, "secret")
    code = TOTP(secret).at(town.clock.now())

    refused = [
        here.post("/account/second-factor", secret=secret, code=code, password=OTHER),
        here.post("/account/second-factor", secret=secret, code="000000", password=PASSWORD),
        here.post("/account/second-factor", secret="A", code=code, password=PASSWORD),
    ]
    begun = here.post("/account/second-factor", secret=secret, code=code, password=PASSWORD)

    assert [answer.status_code for answer in refused] == [422] * 3
    assert [field(answer.text, "secret") == secret for answer in refused] == [True, True, False]
    assert "From now on a code is asked for" in begun.text
    assert (secret in begun.text, there.get("/account", allow_redirects=False).status_code) == (False, 303)
    assert here.get("/account/second-factor", allow_redirects=False).status_code == 303


def test_a_second_factor_ends_with_the_password_or_by_an_admin_who_is_somebody_else(town: Town) -> None:
    ben = town.resident(BEN, Role.ADMIN)
    guest, access = town.inside(BEN), town.house.access
    visitor = access.visitor(guest.web.cookies["outreach"])
    assert visitor is not None

    def begin() -> None:
        secret = access.new_totp(visitor).secret
        access.begin_totp(visitor, secret=secret, code=TOTP(secret).at(town.clock.now()), password=PASSWORD)

    begin()
    alone = guest.post("/account/second-factor/end", password=OTHER).status_code
    by_oneself = guest.post(f"/people/{ben.id}/end-second-factor").status_code
    with_password = guest.post("/account/second-factor/end", password=PASSWORD).status_code
    begin()
    ann = admin(town)
    by_an_admin = ann.post(f"/people/{ben.id}/end-second-factor").status_code

    assert (alone, by_oneself, with_password, by_an_admin) == (422, 422, 200, 200)
    assert guest.get("/account", allow_redirects=False).status_code == 303
    assert town.at_log_in(BEN).status_code == 303
    assert (ANN, "end second factor", BEN) in told(town)


def test_a_token_is_shown_once_opens_until_it_is_revoked_and_needs_the_password(town: Town) -> None:
    town.resident()
    guest, access = town.inside(), town.house.access
    form: dict[str, Any] = {"name": "The <b>site</b>", "scopes": ["read", "write"], "days": "30"}
    refused = guest.post("/account/tokens", password=OTHER, **form)
    made = guest.post("/account/tokens", password=PASSWORD, **form)
    token = field(made.text, "once")
    visitor = access.visitor_by_token(token)
    page = guest.get("/account").text
    town.clock.tick(60)
    number = re.search(r"/account/tokens/(\d+)/revoke", page)
    assert number is not None
    over = guest.post(f"/account/tokens/{number[1]}/revoke").text

    assert (refused.status_code, field(refused.text, "name")) == (422, "The <b>site</b>")
    assert visitor is not None
    assert sorted(visitor.scopes or ()) == ["read", "write"]
    assert (token in page, "last used" in page) == (False, True)
    assert ("Tokens that are over (1)" in over, "/revoke" in over) == (True, False)
    assert access.visitor_by_token(token) is None


def test_a_token_ends_by_itself(town: Town) -> None:
    town.resident()
    guest = town.inside()
    made = guest.post("/account/tokens", password=PASSWORD, name="a script", scopes="read", days="30")
    token = field(made.text, "once")
    town.clock.tick(30 * 86400 - 1)
    before = town.house.access.visitor_by_token(token)
    town.clock.tick(1)
    assert (before is not None, town.house.access.visitor_by_token(token)) == (True, None)


@pytest.mark.parametrize("scopes", [[], ["calendar"], ["everything"]])
def test_the_form_makes_no_token_without_a_scope_that_it_offers(town: Town, scopes: list[str]) -> None:
    town.resident()
    answer = town.inside().post("/account/tokens", password=PASSWORD, name="a script", scopes=scopes, days="30")
    assert answer.status_code == 422
