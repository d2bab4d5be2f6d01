"""Links, attacked: replayed, late, of another community, for somebody else's password; and forgotten passwords."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from pyotp import TOTP

from outreach.access import Access, CodeNeeded, Operator
from outreach.model import BadInput, Letter
from outreach.roles import Role
from outreach.store import doorkeys, people
from outreach.store.schema import communities
from tests.access.conftest import OTHER, PASSWORD, Build, Town, link_in
from tests.doors.place import until
from tests.web.visitors import Guest, member

ANN, BEN = "ann@example.org", "ben@example.org"
CLERK = Operator("clerk@example.org")


def open_link(guest: Guest, key: str, **fields: Any) -> requests.Response:
    """Open a link and send its form."""
    guest.get(f"/links/{key}")
    return guest.post(f"/links/{key}", follow=False, **({"password": PASSWORD} | fields))


def invited(town: Town, email: str = BEN, role: Role = Role.REVIEWER) -> str:
    return town.house.access.invite(email, [role], by=CLERK)


def reset(town: Town, email: str = ANN) -> str:
    key = town.house.access.reset_link(email, by=CLERK)
    assert key is not None
    return key


def test_an_invitation_opens_once(town: Town) -> None:
    key = invited(town)
    first, second = open_link(town.guest(), key), open_link(town.guest(), key, password=OTHER)
    assert (first.status_code, second.status_code) == (303, 410)
    assert town.at_log_in(BEN, OTHER).status_code == 422


def test_looking_at_a_link_does_not_use_it(town: Town) -> None:
    key, guest = invited(town), town.guest()
    statuses = [guest.get(f"/links/{key}").status_code for _ in range(3)]
    statuses.append(guest.web.head(f"{town.address}/links/{key}", timeout=30).status_code)
    assert statuses == [200, 200, 200, 405]
    assert open_link(guest, key).status_code == 303


@pytest.mark.parametrize(("kind", "lasts_s"), [("invitation", 7 * 86400), ("reset", 7200), ("first admin", 86400)])
def test_a_link_that_is_too_old_opens_nothing(town: Town, kind: str, lasts_s: int) -> None:
    if kind == "reset":
        town.resident()
    make = {"invitation": invited, "reset": reset, "first admin": lambda t: t.house.access.first_admin_link()}
    key = make[kind](town)
    guest = town.guest()
    guest.get(f"/links/{key}")
    town.clock.tick(lasts_s)

    late = guest.post(f"/links/{key}", email=ANN, password=OTHER, follow=False)

    assert late.status_code == 410


@pytest.mark.parametrize("key", ["x", "%00", "..%2f..%2flog-in", "' OR 1=1", "é", "a" * 3000])
def test_what_is_no_link_opens_nothing(town: Town, key: str) -> None:
    assert town.guest().get(f"/links/{key}").status_code in (404, 410)


def test_a_refused_password_leaves_the_link_as_it_was_and_what_was_typed(town: Town) -> None:
    key, guest = invited(town), town.guest()
    refused = open_link(guest, key, name="Ben <b>", password="password1")
    assert (refused.status_code, 'value="Ben &lt;b&gt;"' in refused.text) == (422, True)
    assert "password1" not in refused.text
    assert open_link(guest, key).status_code == 303


def test_a_name_in_the_address_makes_no_password_easier(town: Town) -> None:
    key = invited(town, "benjamin@example.org")
    assert open_link(town.guest(), key, password="Benjamin2026!").status_code == 422


def test_a_new_invitation_ends_the_one_before_and_a_withdrawn_one_opens_nothing(town: Town) -> None:
    first, second = invited(town), invited(town)
    town.house.access.withdraw_invitation(BEN, by=CLERK)
    assert [town.guest().get(f"/links/{key}").status_code for key in (first, second)] == [410, 410]


def test_the_address_of_an_invitation_cannot_be_changed_by_who_takes_it_up(town: Town) -> None:
    open_link(town.guest(), invited(town), email="eve@example.org")
    assert [person.email for person in town.house.access.people()] == [BEN]


def test_a_link_is_kept_as_a_hash(town: Town) -> None:
    key = invited(town)
    rows = town.house.access.invitations()
    assert key not in repr(rows)
    assert len(rows[0].sha256) == 64


# The first admin


def test_the_link_of_the_first_admin_opens_nothing_once_there_is_one(town: Town) -> None:
    key = town.house.access.first_admin_link()
    guest = town.guest()
    guest.get(f"/links/{key}")
    town.resident()

    answer = guest.post(f"/links/{key}", email="eve@example.org", password=OTHER, follow=False)

    assert (answer.status_code, town.at_log_in("eve@example.org", OTHER).status_code) == (410, 422)


def test_a_second_link_of_the_first_admin_ends_the_one_before(town: Town) -> None:
    first, second = (town.house.access.first_admin_link() for _ in range(2))
    assert [town.guest().get(f"/links/{key}").status_code for key in (first, second)] == [410, 200]


# A new password


def test_a_new_password_ends_every_session_and_every_other_link(town: Town) -> None:
    town.resident()
    inside, key = town.inside(), reset(town)
    other = town.house.access.reset_link(ANN, by=None)  # one more: a stranger's wish ends none
    answer = open_link(town.guest(), key, password=OTHER)

    assert answer.status_code == 303
    assert inside.get("/account", allow_redirects=False).status_code == 303
    assert town.guest().get(f"/links/{other}").status_code == 410
    assert [town.at_log_in(ANN, word).status_code for word in (PASSWORD, OTHER)] == [422, 303]


def test_a_new_password_lets_somebody_in_whose_account_is_throttled(town: Town) -> None:
    town.resident()
    with town.house.store.write() as tx:
        for _ in range(5):
            doorkeys.note_log_in(tx, ANN, "192.0.2.1", now=town.clock.now())
    throttled = town.at_log_in(ANN).status_code

    open_link(town.guest(), reset(town), password=OTHER)

    assert (throttled, town.at_log_in(ANN, OTHER).status_code) == (429, 303)


def test_a_link_for_a_new_password_does_not_pass_the_second_factor_by(town: Town) -> None:
    access = town.house.access
    town.resident()
    visitor = access.visitor(access.log_in(ANN, PASSWORD, address=""))
    assert visitor is not None
    proposed = access.new_totp(visitor)
    code = TOTP(proposed.secret).at(town.clock.now())
    access.begin_totp(visitor, secret=proposed.secret, code=code, password=PASSWORD)
    guest = town.guest()

    asked = open_link(guest, reset(town), password=OTHER)

    assert "Your code" in asked.text
    assert guest.get("/account", allow_redirects=False).status_code == 303


def test_links_of_a_closed_account_open_nothing(town: Town) -> None:
    ann = town.resident()
    town.resident("root@example.org")
    keys = [reset(town), town.house.access.approval_link(_announced(town), 1, ANN)]
    town.house.access.close(ann.id, by=CLERK)
    town.house.access.reopen(ann.id, by=CLERK)

    assert [town.guest().get(f"/links/{key}").status_code for key in keys] == [410, 410]


def _announced(town: Town) -> int:
    return town.house.desk.save_draft(Letter("Colloquium", "Room 7."), person=ANN).number


def test_an_approval_link_logs_in_once_and_only_who_still_has_a_role(town: Town) -> None:
    ben = town.resident(BEN, Role.APPROVER)
    number, access = _announced(town), town.house.access
    first, second = (access.approval_link(number, 1, BEN) for _ in range(2))
    guest = town.guest()

    answers = [open_link(guest, first).headers["location"], open_link(town.guest(), first).status_code]
    with town.house.store.write() as tx:
        people.set_roles(tx, town.house.community.id, ben.id, ())

    assert answers == [f"/approvals/{number}", 410]
    assert open_link(town.guest(), second).status_code == 410


# Another community on the same database


@pytest.fixture
def abroad(town: Town) -> Access:
    """The ways into another community of the same install."""
    community, now = town.house.community, town.clock.now()
    row = {"name": "Other", "time_zone": "UTC", "approval": "off", "created_at": now}
    with town.house.store.write() as tx:
        tx.execute(communities.insert().values(row))
    made = Access(store=town.house.store, community_id=community.id + 1, secret=town.house.secret, now=town.clock.now)
    made.join(made.first_admin_link(), email="eve@example.org", password=OTHER)
    return made


def test_a_link_of_another_community_opens_nothing_here(town: Town, abroad: Access) -> None:
    key = abroad.invite("mallory@example.org", list(Role), by=CLERK)
    assert open_link(town.guest(), key).status_code == 410


def test_roles_of_another_community_count_for_nothing(town: Town, abroad: Access) -> None:
    assert town.at_log_in("eve@example.org", OTHER).status_code == 422
    session = abroad.log_in("eve@example.org", OTHER, address="")
    token = abroad.new_token(_of(abroad, session), name="a script", scopes=["read"])
    guest = town.guest()
    guest.web.cookies.set("outreach", session)

    assert guest.get("/people", allow_redirects=False).status_code == 303
    assert town.house.access.visitor_by_token(token) is None


def test_an_invitation_abroad_does_not_give_who_sent_it_the_account(town: Town, abroad: Access) -> None:
    town.resident()
    key = abroad.invite(ANN, [Role.REVIEWER], by=_of(abroad, abroad.log_in("eve@example.org", OTHER, address="")))

    with pytest.raises(BadInput, match="not the password of your account"):
        abroad.join(key, password=OTHER)
    joined = abroad.join(key, password=PASSWORD)

    assert joined.roles == {Role.REVIEWER}
    assert town.at_log_in(ANN).status_code == 303


def test_the_first_admin_cannot_take_the_account_of_somebody_from_another_community(town: Town, abroad: Access) -> None:
    key = town.house.access.first_admin_link()
    taken = open_link(town.guest(), key, email="eve@example.org", password=PASSWORD)
    assert taken.status_code == 422
    assert abroad.log_in("eve@example.org", OTHER, address="")


def test_an_admin_of_one_community_decides_about_no_account_that_another_relies_on(town: Town, abroad: Access) -> None:
    ann = town.resident()
    eve = _of(abroad, abroad.log_in("eve@example.org", OTHER, address=""))
    abroad.join(abroad.invite(ANN, [Role.REVIEWER], by=eve), password=PASSWORD)

    forbidden: list[Callable[[], object]] = [
        lambda: abroad.reset_link(ANN, by=eve),
        lambda: abroad.close(ann.id, by=eve),
        lambda: abroad.end_totp_of(ann.id, by=eve),
    ]
    for decide in forbidden:
        with pytest.raises(BadInput, match="belongs to another community too"):
            decide()
    abroad.set_roles(ann.id, (), by=eve)

    assert town.at_log_in(ANN).status_code == 303


def _of(access: Access, key: str) -> Any:
    visitor = access.visitor(key)
    assert visitor is not None
    return visitor


# A forgotten password


def ask(town: Town, email: str, guest: Guest | None = None) -> requests.Response:
    guest = guest or town.guest()
    guest.get("/log-in/forgotten")
    return guest.post("/log-in/forgotten", email=email)


def until_mailed(town: Town, email: str, how_many: int = 1) -> list[str]:
    until(lambda: len(town.mails_to(email)) >= how_many)
    return town.mails_to(email)


def test_who_forgot_the_password_gets_a_link_by_mail(town: Town) -> None:
    member(town.house, town.address, ANN)
    town.box.mail.add_mailbox(ANN)
    ask(town, ANN)

    mail = until_mailed(town, ANN)[0]
    guest = town.guest()
    guest.get(link_in(mail))
    guest.post(link_in(mail), password=OTHER)

    assert "Subject: A new password for TMM SIG" in mail
    assert town.at_log_in(ANN, OTHER).status_code == 303


def test_asking_for_a_password_does_not_tell_who_is_here(town: Town) -> None:
    member(town.house, town.address, ANN)
    for email in (ANN, "nobody@example.org"):
        town.box.mail.add_mailbox(email)
    answers = [ask(town, email) for email in (ANN, "nobody@example.org")]

    pages = {answer.text.replace(email, "") for answer, email in zip(answers, (ANN, "nobody@example.org"), strict=True)}
    assert (len(pages), [a.status_code for a in answers]) == (1, [200, 200])
    until_mailed(town, ANN)
    assert town.mails_to("nobody@example.org") == []


def test_the_answer_does_not_wait_for_the_mail(town: Town) -> None:
    member(town.house, town.address, ANN)
    town.box.mail.fail("CONNECT", "hang", delay_s=60)
    assert ask(town, ANN).elapsed.total_seconds() < 30
    town.box.release()


def test_asking_for_passwords_is_throttled_the_same_for_everybody(town: Town) -> None:
    member(town.house, town.address, ANN)
    answers = {email: [ask(town, email).status_code for _ in range(4)] for email in (ANN, "nobody@example.org")}
    assert answers == {ANN: [200, 200, 200, 429], "nobody@example.org": [200, 200, 200, 429]}


def test_one_address_does_not_mail_the_whole_community(town: Town) -> None:
    answers = [ask(town, f"person{number}@example.org").status_code for number in range(21)]
    assert answers == [200] * 20 + [429]


def test_a_stranger_who_asks_does_not_end_the_link_that_an_admin_made(town: Town) -> None:
    member(town.house, town.address, ANN)
    key = reset(town)
    town.house.access.reset_link(ANN, by=None)
    assert town.guest().get(f"/links/{key}").status_code == 200


@pytest.mark.parametrize(
    "email",
    [
        f"{ANN}\r\nBcc: evil@example.org",
        f"{ANN}\nSubject: Evil",
        f"{ANN}, evil@example.org",
        f"evil@example.org <{ANN}>",
        f"{ANN}%0aBcc:evil@example.org",
        f"{ANN}\x00",
        '"a\r\nBcc: evil@example.org"@example.org',
    ],
)
def test_no_header_gets_into_a_mail_by_its_address(town: Town, email: str) -> None:
    admin = member(town.house, town.address, "root@example.org")
    for address in (ANN, "evil@example.org"):
        town.box.mail.add_mailbox(address)
    admin.get("/people")

    invitation = admin.post("/people/invitations", email=email, roles="reviewer")
    asked = ask(town, email)

    assert {invitation.status_code, asked.status_code} <= {200, 422}
    assert town.mails_to("evil@example.org") == []
    assert all(entry.rcpt_to == (ANN,) for entry in town.box.mail.journal)


def test_the_link_in_a_mail_does_not_lead_where_a_stranger_says(town: Town) -> None:
    member(town.house, town.address, ANN)
    town.box.mail.add_mailbox(ANN)
    guest = town.guest()
    guest.web.headers.update({"Host": "localhost:6666", "X-Forwarded-Host": "evil.example"})

    ask(town, ANN, guest)

    assert f"{town.address}/links/" in until_mailed(town, ANN)[0]


def test_without_a_mail_server_it_says_who_can_help(build_town: Build) -> None:
    page = build_town(mail=False).guest().get("/log-in/forgotten").text
    assert "An admin of TMM SIG can make a link" in page
    assert 'name="email"' not in page


def test_a_link_for_a_new_password_is_made_for_nobody_who_may_not_log_in(town: Town) -> None:
    ben = town.resident(BEN, Role.REVIEWER)
    access = town.house.access
    access.close(ben.id, by=CLERK)
    assert [access.reset_link(email, by=None) for email in (BEN, "nobody@example.org")] == [None, None]


def test_code_needed_carries_no_key_in_its_words() -> None:
    assert "secret-key" not in str(CodeNeeded("secret-key"))
