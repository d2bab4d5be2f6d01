"""Approving through the page: what is shown, what is decided, and what nobody gets done by forging, waiting or guessing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import text

from outreach.bootstrap import House
from outreach.desk import Place as At
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.doors.worker import Worker
from outreach.model import Letter, Picture, State
from outreach.roles import Role
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from outreach.store import people
from tests.builders import NOW, column, everything, require_approval
from tests.doors.place import Place, a_picture
from tests.web.visitors import Guest, member
from tests.work.clocks import StillClock

ANN, BEN = "ann@example.org", "ben@example.org"
LETTER = Letter("Colloquium", "Please come to room 7.", at="2026-12-03 09:00")
APPROVER, COORDINATOR = frozenset({Role.APPROVER}), frozenset({Role.COORDINATOR})
BOTH = APPROVER | COORDINATOR


@dataclass
class Office:
    """A community that asks for approval, its page, and who comes to it."""

    house: House
    box: Sandbox
    clock: StillClock
    address: str
    folder: Path

    def guest(self, email: str = BEN, roles: frozenset[Role] = APPROVER) -> Guest:
        return member(self.house, self.address, email, roles=roles)

    def queue(self, letter: Letter = LETTER, *, by: str = ANN) -> int:
        return self.house.desk.add(letter, folder=self.folder, person=by).announcement

    def edit(self, number: int, letter: Letter, *, by: str = ANN) -> None:
        at = At(number, self.house.desk.latest(number).key)
        self.house.desk.edit(at, letter, folder=self.folder, person=by)

    def is_approved(self, number: int = 1) -> bool:
        return all(post.approved for post in self.house.desk.find(str(number)))


@pytest.fixture
def office(tmp_path: Path, migrated_file: Path) -> Iterator[Office]:
    with Sandbox() as box:
        place, clock = Place(tmp_path, box, database=migrated_file), StillClock()
        house = House(read_settings(place.settings), clock)
        _ = house.desk
        require_approval(house.store)
        with served(create(house)) as address:
            yield Office(house, box, clock, address, tmp_path)
        house.close()


def decide(guest: Guest, what: str, number: int = 1, **typed: Any) -> requests.Response:
    """Press a button of the page of an announcement seen last."""
    carried: Any = {name: unescape(re.findall(rf'name="{name}" value="([^"]*)"', guest.seen)[0]) for name in SENT}
    return guest.post(f"/approvals/{number}/{what}", **carried | typed)


SENT = ("revision", "shown")


def plain(page: requests.Response) -> str:
    """The words of a page as one reads them."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


# The inbox


def test_the_inbox_says_what_waits_next_due_first_with_the_time_that_is_left(office: Office) -> None:
    office.queue(replace(LETTER, title="Later", body="B", at="2026-12-05 09:00"))
    office.queue(replace(LETTER, title="Sooner", times=(("facebook", "2026-12-01 12:30"),)))

    page = plain(office.guest().get("/approvals"))

    assert page.index("Sooner Due in 4 hours") < page.index("Later Due in 4 days")
    assert "facebook: Tue 1 Dec 2026, 12:30 America/New_York (EST)" in page
    assert "listserv: Thu 3 Dec 2026, 09:00 America/New_York (EST)" in page
    assert "Revision 1, written by ann@example.org" in page
    assert "Approve 2 to be looked at" in page


def test_the_inbox_says_whether_changes_were_asked_for_and_made(office: Office) -> None:
    number = office.queue()
    office.house.desk.ask_for_changes(number, revision=1, said="Which building?", person=BEN)
    guest = office.guest()
    assert "changes are asked for by ben@example.org: “Which building?”" in plain(guest.get("/approvals"))

    office.edit(number, replace(LETTER, body="Room 7, main building."))
    assert "changed since ben@example.org asked for changes in revision 1." in plain(guest.get("/approvals"))


def test_an_empty_inbox_teaches(office: Office) -> None:
    guest = office.guest()
    assert "Nothing waits for approval." in guest.get("/approvals").text
    with office.house.store.write() as tx:
        tx.execute(text("UPDATE communities SET approval = 'off'"))
    assert "This community asks for no approval." in guest.get("/approvals").text


def test_without_an_approver_the_inbox_says_so(office: Office) -> None:
    office.queue()
    assert "Nobody here is approver" in office.guest(ANN, COORDINATOR).get("/approvals").text


def test_a_long_inbox_comes_in_parts_that_have_everything_once(office: Office) -> None:
    titles = [f"Number {n:02}" for n in range(60)]
    for n, title in enumerate(titles):
        at = (NOW + timedelta(days=3, hours=n)).strftime("%Y-%m-%d %H:%M")
        channel = ("facebook", "listserv")[n % 2]
        office.queue(Letter(title, f"{n}", at=at, to=(channel,), zone="UTC"))
    guest, seen, path = office.guest(), [], "/approvals"
    while path:
        page = guest.get(path).text
        seen += re.findall(r"Number \d\d", page)
        further = re.search(r'href="(/approvals\?after=[^"]+)"', page)
        path = further[1] if further else ""
    assert seen == titles


@pytest.mark.parametrize("after", ["x", "-", "1-", "9" * 18 + "-1", "9" * 40 + "-1", "1-2-3", "%00"])
def test_a_place_that_is_none_is_the_beginning_or_the_end(office: Office, after: str) -> None:
    office.queue()
    assert office.guest().get(f"/approvals?after={after}").status_code == 200


# What is shown


def test_the_page_shows_exactly_what_each_channel_gets(office: Office) -> None:
    body = "For all.\n\n<!-- channel: facebook -->\nFor the *Page* <b>& more</b>."
    number = office.queue(
        replace(LETTER, title="<script>alert(1)</script>", body=body, link="https://example.org/?a=1&b=2")
    )
    page = office.guest().get(f"/approvals/{number}").text

    for preview in office.house.desk.preview(str(number)):
        texts = re.findall(r'<div class="text(?: as-mail)?" role="group"[^>]*>(.*?)</div>', page, re.S)
        assert preview.content.text in [unescape(found) for found in texts]
    assert "<script>alert" not in page
    assert 'href="https://example.org/?a=1&amp;b=2"' in page


def test_a_first_look_has_no_difference_and_a_second_revision_has_it_word_by_word(office: Office) -> None:
    number, guest = office.queue(), office.guest()
    assert "You see this announcement for the first time." in guest.get(f"/approvals/{number}").text

    office.edit(number, replace(LETTER, body="Please come to room 8.", at="2026-12-04 09:00"))
    for _ in range(2):  # a second look at the same revision does not take the difference away
        page = guest.get(f"/approvals/{number}")
        assert "What changed since revision 1, which you saw before" in page.text
        assert "[taken out: 7 ] [put in: 8 ]" in plain(page)
        assert "[was: 2026-12-03 09:00 ] [is now: 2026-12-04 09:00 ]" in plain(page)
        assert "1 word put in, 1 taken out." in plain(page)


def test_the_difference_is_to_what_this_person_saw_and_not_to_the_revision_before(office: Office) -> None:
    number, ben = office.queue(), office.guest()
    ben.get(f"/approvals/{number}")
    office.edit(number, replace(LETTER, body="Please come to room 8."))
    office.edit(number, LETTER)
    office.edit(number, replace(LETTER, body="Please come to room 7!"))

    page = plain(ben.get(f"/approvals/{number}"))

    assert "What changed since revision 1" in page
    assert "[taken out: . ] [put in: ! ]" in page


def test_looking_marks_only_the_revision_that_was_shown_and_approves_nothing(office: Office) -> None:
    number, guest = office.queue(), office.guest()
    before = everything(office.house.store)["announcements"]
    guest.get(f"/approvals/{number}")
    assert office.house.desk.last_seen(number, person=BEN) == 1

    office.edit(number, replace(LETTER, body="Other."))
    guest.get("/approvals")
    guest.get(f"/approvals/{number}", headers={"Sec-Purpose": "prefetch"})
    assert office.house.desk.last_seen(number, person=BEN) == 1
    guest.get(f"/approvals/{number}/approve")
    assert not office.is_approved()
    assert len(before) == len(everything(office.house.store)["announcements"])


def test_pictures_are_shown_with_their_words_and_nothing_else_is_served(office: Office) -> None:
    (office.folder / "poster.jpg").write_bytes(a_picture())
    letter = replace(LETTER, pictures=(Picture("poster.jpg", "Two students at a poster"),))
    number, guest = office.queue(letter), office.guest()
    page = guest.get(f"/approvals/{number}").text
    [address] = set(re.findall(r'<img src="([^"]+)" alt="Two students at a poster"', page))

    answer = guest.get(address)
    assert (answer.content[:3], answer.headers["content-type"]) == (b"\xff\xd8\xff", "image/jpeg")
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    for other in ("0" * 64, "..%2f..%2foutreach.db", "poster.jpg"):
        assert guest.get(f"/approvals/{number}/pictures/{other}").status_code == 404
    assert Guest(office.address).get(address).url.split("?")[0].endswith("/log-in")


def test_a_draft_has_nothing_to_approve(office: Office) -> None:
    draft = office.house.desk.save_draft(LETTER, person=ANN)
    assert office.guest().get(f"/approvals/{draft.number}").status_code == 404


# Deciding


def test_what_is_approved_goes_out_as_it_was_shown_and_the_history_says_by_whom(office: Office) -> None:
    number, guest = office.queue(replace(LETTER, at="now")), office.guest()
    assert Worker(office.house).once() == 0
    guest.get(f"/approvals/{number}")

    answer = decide(guest, "approve")

    assert "You approved it." in answer.text
    assert Worker(office.house).once() == 2
    assert [post.message for post in office.box.graph.public_posts()] == ["Colloquium\n\nPlease come to room 7."]
    told = [entry for _, entries in office.house.desk.show(str(number))[1] for entry in entries]
    assert {e["approval"] for e in told if e["kind"] == "attempt"} == {"approved by ben@example.org"}


def test_what_goes_out_where_no_approval_is_asked_for_says_so_in_the_history(office: Office) -> None:
    with office.house.store.write() as tx:
        tx.execute(text("UPDATE communities SET approval = 'off'"))
    number = office.queue(replace(LETTER, at="now"))
    page = plain(office.guest().get(f"/approvals/{number}"))
    assert "This community asks for no approval, so nothing needs yours" in page
    assert "Approve revision" not in page

    assert Worker(office.house).once() == 2
    page = plain(office.guest().get(f"/announcements/{number}"))
    assert "without approval: the community asked for none" in page


def test_changes_are_asked_for_with_a_comment_that_everybody_reads(office: Office) -> None:
    number, guest = office.queue(), office.guest()
    guest.get(f"/approvals/{number}")
    assert decide(guest, "changes", comment=" ").status_code == 422
    guest.get(f"/approvals/{number}")
    decide(guest, "changes", comment="Which <b>building</b>?")

    page = office.guest(ANN, COORDINATOR).get(f"/approvals/{number}")
    assert "Which &lt;b&gt;building&lt;/b&gt;?" in page.text
    assert "ben@example.org asks for changes" in plain(page)
    assert not office.is_approved()


def test_a_coordinator_answers_in_a_comment_and_has_no_other_button(office: Office) -> None:
    number, ann = office.queue(), office.guest(ANN, COORDINATOR)
    page = ann.get(f"/approvals/{number}")
    assert re.findall(r"<button[^>]*>([^<]*)</button>", page.text.partition("<main")[2]) == ["Only comment"]

    decide(ann, "answer", comment="The main one.")
    assert [c.text for c in office.house.desk.comments(number)] == ["The main one."]


def test_an_approver_pauses_it_and_lets_it_go_on(office: Office) -> None:
    number, guest = office.queue(), office.guest()
    guest.get(f"/approvals/{number}")
    decide(guest, "pause")
    assert {post.paused for post in office.house.desk.find(str(number))} == {True}

    guest.get(f"/approvals/{number}")
    decide(guest, "resume")
    assert {post.paused for post in office.house.desk.find(str(number))} == {False}


def test_what_was_missed_says_that_an_approval_alone_does_not_send_it(office: Office) -> None:
    number, guest = office.queue(replace(LETTER, at="2026-12-01 12:00")), office.guest()
    guest.get(f"/approvals/{number}")
    office.clock.tick(4 * 3600)
    answer = decide(guest, "approve")  # no worker ran meanwhile: it is missed by the approval itself

    assert "came due before it was approved, so it is missed and does not go out by itself" in plain(answer)
    assert {post.state for post in office.house.desk.find(str(number))} == {State.MISSED}
    assert Worker(office.house).once() == 0


# Attacks


def test_nobody_approves_their_own_revision_however_the_form_is_made(office: Office) -> None:
    number, ann = office.queue(), office.guest(ANN, BOTH)
    page = ann.get(f"/approvals/{number}")
    assert "You wrote this revision, so somebody else approves it." in page.text
    assert "Approve revision" not in page.text

    assert decide(ann, "approve").status_code == 403
    assert not office.is_approved()


def test_who_changed_it_last_is_its_author_now(office: Office) -> None:
    number = office.queue()
    office.edit(number, replace(LETTER, body="Other."), by=BEN)
    ben, ann = office.guest(BEN, BOTH), office.guest(ANN, BOTH)
    ben.get(f"/approvals/{number}")
    assert decide(ben, "approve").status_code == 403
    ann.get(f"/approvals/{number}")
    assert decide(ann, "approve").status_code == 200
    assert office.is_approved()


def test_a_page_left_open_decides_nothing_about_a_later_revision(office: Office) -> None:
    number, guest = office.queue(), office.guest()
    opened = guest.get(f"/approvals/{number}").text
    office.edit(number, replace(LETTER, body="Something else entirely."))
    before = everything(office.house.store)

    for what in ("approve", "changes", "pause", "comment"):
        guest.seen = opened
        answer = decide(guest, what, comment="Typed for long.")
        assert answer.status_code == 409
        assert "Something else entirely." in answer.text
        assert "Typed for long." in answer.text
    assert everything(office.house.store) == before


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE posts SET content_sha256 = 'other' WHERE id = 1",
        "UPDATE posts SET due_at = due_at + 1 WHERE id = 2",
        "UPDATE posts SET state = 'missed', reason = 'x' WHERE id = 1",
        "UPDATE posts SET paused = true",
    ],
)
def test_an_approval_of_what_is_not_as_it_was_shown_is_refused(office: Office, sql: str) -> None:
    number, guest = office.queue(), office.guest()
    guest.get(f"/approvals/{number}")
    with office.house.store.write() as tx:
        tx.execute(text(sql))

    assert decide(guest, "approve").status_code == 409
    assert not office.is_approved()


@pytest.mark.parametrize(("field", "status"), [("revision", 422), ("shown", 409)])
def test_an_approval_that_names_nothing_is_refused(office: Office, field: str, status: int) -> None:
    number, guest = office.queue(), office.guest()
    guest.get(f"/approvals/{number}")
    nothing: Any = {field: ""}
    assert decide(guest, "approve", **nothing).status_code == status
    assert not office.is_approved()


@pytest.mark.parametrize("roles", [COORDINATOR, frozenset({Role.REVIEWER}), frozenset({Role.ADMIN})])
def test_who_is_no_approver_decides_nothing(office: Office, roles: frozenset[Role]) -> None:
    office.queue()
    carried, other = office.guest(), office.guest("eve@example.org", roles)
    carried.get("/approvals/1")
    values: Any = {name: re.findall(rf'name="{name}" value="([^"]*)"', carried.seen)[0] for name in SENT}

    for what in ("approve", "changes", "pause", "resume", "comment"):
        other.get("/more")
        assert other.post(f"/approvals/1/{what}", comment="x", **values).status_code == 403
    assert not office.is_approved()
    assert office.house.desk.comments(1) == []


def test_a_reviewer_sees_nothing_of_what_waits(office: Office) -> None:
    office.queue()
    eve = office.guest("eve@example.org", frozenset({Role.REVIEWER}))
    assert [eve.get(path).status_code for path in ("/approvals", "/approvals/1")] == [403, 403]


def test_nobody_gets_in_without_a_session_or_with_the_form_of_another(office: Office) -> None:
    office.queue()
    stranger, ben, cara = Guest(office.address), office.guest(), office.guest("cara@example.org")
    assert stranger.get("/approvals/1").url.split("?")[0].endswith("/log-in")
    ben.get("/approvals/1")
    cara.seen = ben.seen
    assert decide(cara, "approve").status_code == 422
    headers = {"Origin": "https://evil.example.org"}
    fields = {name: re.findall(rf'name="{name}" value="([^"]*)"', ben.seen)[0] for name in (*SENT, "form_token")}
    ben.get("/approvals/1")
    answer = ben.web.post(f"{office.address}/approvals/1/approve", data=fields, headers=headers, timeout=30)
    assert answer.status_code == 403
    assert not office.is_approved()


def test_what_belongs_to_another_community_is_not_there(office: Office) -> None:
    office.queue()
    guest = office.guest()
    guest.get("/approvals/1")
    with office.house.store.write() as tx:
        other = (
            "INSERT INTO communities (id, name, time_zone, approval, created_at) VALUES (9, 'B', 'UTC', 'required', 0)"
        )
        tx.execute(text(other))
        tx.execute(text("UPDATE announcements SET community_id = 9"))

    for what in ("approve", "changes", "pause", "comment"):
        assert decide(guest, what, comment="x").status_code == 404
        guest.seen = ""
        guest.get("/approvals")
        guest.seen += '<input name="revision" value="1"><input name="shown" value="x">'
    assert guest.get("/approvals/1").status_code == 404
    assert column(office.house.store, "SELECT approved_revision FROM announcements") == [None]


# Links


def a_link(office: Office, *, email: str = BEN) -> str:
    return f"/links/{office.house.access.approval_link(1, 1, email)}"


def test_a_link_opens_the_page_once_and_not_by_looking_at_it(office: Office) -> None:
    office.queue()
    office.guest()
    link, ben, again = a_link(office), Guest(office.address), Guest(office.address)
    for method in ("HEAD", "GET", "GET"):  # as a mail program or a scanner follows it
        requests.request(method, office.address + link, timeout=30)
    ben.get(link)
    assert "Approve revision 1" not in ben.seen
    again.get(link)

    assert "Approve revision 1" in ben.post(link).text
    assert not office.is_approved()
    assert again.post(link).status_code == 410
    assert again.get("/approvals/1").url.split("?")[0].endswith("/log-in")
    assert "You approved it." in decide(ben, "approve").text


@pytest.mark.parametrize("what", ["closed", "no approver any more", "too late"])
def test_a_link_of_somebody_who_may_not_approve_any_more_opens_nothing(office: Office, what: str) -> None:
    office.queue()
    office.guest()
    link, ben = a_link(office), Guest(office.address)
    ben.get(link)
    with office.house.store.write() as tx:
        person = people.by_email(tx, 1, BEN)
        assert person is not None
        if what == "closed":
            people.change(tx, person.id, closed_at=NOW)
        elif what == "no approver any more":
            people.set_roles(tx, 1, person.id, {Role.COORDINATOR})
        else:
            office.clock.tick(7 * 86400)

    assert ben.post(link).status_code in (410, 422)
    assert ben.get("/approvals/1").url.split("?")[0].endswith("/log-in")
