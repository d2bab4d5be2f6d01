"""Mails about approvals: who is told what, once, with a link; tried again for a day; and nothing is lost by a crash."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import text

from outreach.bootstrap import House
from outreach.desk import Place as At
from outreach.model import Letter, NoticeKind, State
from outreach.roles import Role
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from outreach.store import people
from outreach.store.notices import Owed
from outreach.store.people import PersonRow
from outreach.store.reviews import Comment
from outreach.store.waiting import Waiting
from outreach.watch.approval_words import Facts, approval_note
from outreach.watch.approvals import again_after, owed
from tests.alarms.world import World, mails
from tests.builders import NOW, a_post, column, require_approval
from tests.doors.place import Place
from tests.hands.kills import killed_before, lines_of, spread
from tests.work.clocks import StillClock

ANN, BEN, CARA = "ann@example.org", "ben@example.org", "cara@example.org"
LETTER = Letter("Colloquium", "Please come to room 7.", at="2026-12-03 09:00", to=("facebook",))
HOUR = 3600
DUE = NOW + timedelta(days=2)


@pytest.fixture
def town(world: World) -> World:
    """A community that asks for approval, with an author and two approvers, one of whom writes too."""
    require_approval(world.store)
    for email, roles in ((ANN, {Role.COORDINATOR}), (BEN, {Role.APPROVER}), (CARA, {Role.APPROVER, Role.COORDINATOR})):
        settle(world.house, world.box, email, roles)
    return world


def settle(house: House, box: Sandbox, email: str, roles: set[Role]) -> None:
    box.mail.add_mailbox(email)
    community = house.community.id
    with house.store.write() as tx:
        people.welcome(tx, community, email, roles, now=NOW)


def queue(world: World, letter: Letter = LETTER, *, by: str = ANN) -> int:
    return world.house.desk.add(letter, folder=world.place.folder, person=by).announcement


def edit(world: World, number: int, letter: Letter, *, by: str = ANN) -> None:
    at = At(number, world.house.desk.latest(number).key)
    world.house.desk.edit(at, letter, folder=world.place.folder, person=by)


def subjects(world: World, *, of: str) -> list[str]:
    return [mail["Subject"].strip().removeprefix("[outreach] TMM SIG: ") for mail in mails(world.box, of)]


def after(world: World, hours: float, *, misses: bool = False) -> None:
    """Let time pass, then do the errand; `misses`: after the watch made its round."""
    world.clock.tick(hours * HOUR)
    if misses:
        publisher, watch = world.house.new_worker()
        publisher.close()
        watch.miss()
    world.run("approvals")


def words(mail: EmailMessage) -> str:
    return " ".join(mail.get_content().split())


# The rules


def waits(**changes: object) -> Waiting:
    values: dict[str, object] = {
        "announcement": 12,
        "title": "Colloquium",
        "revision": 3,
        "revised_at": NOW - timedelta(days=9),
        "written_by": ANN,
        "posts": (a_post(due_at=DUE, approved=False),),
        "author_id": 1,
    }
    return Waiting(**values | changes)  # type: ignore[arg-type]


def person(number: int, email: str) -> PersonRow:
    return PersonRow(number, email, "", None, None, None, None, None, None, frozenset({Role.APPROVER}))


APPROVERS = [person(1, "Ann@example.org"), person(2, BEN), person(3, CARA)]
ASKED = Comment(1, 3, BEN, NOW, "Shorter.", True)
SOON = int(DUE.timestamp())


@pytest.mark.parametrize(
    ("before", "changes", "expected"),
    [
        (timedelta(days=2), {}, {(2, "asks", 0), (3, "asks", 0)}),
        (timedelta(hours=24), {}, {(2, "a day before", SOON), (3, "a day before", SOON)}),
        (timedelta(hours=3), {}, {(2, "a day before", SOON), (3, "a day before", SOON)}),
        (timedelta(hours=2), {}, {(2, "hours before", SOON), (3, "hours before", SOON)}),
        (timedelta(), {}, set()),
        (timedelta(hours=-1), {}, set()),
        (timedelta(hours=3), {"revised_at": DUE - timedelta(hours=4)}, set()),
        (timedelta(hours=1), {"revised_at": DUE - timedelta(hours=4)}, {(2, "hours before", SOON), (3, "hours before", SOON)}),
        (timedelta(hours=1), {"revised_at": DUE - timedelta(minutes=90)}, set()),
        (timedelta(hours=1), {"asked": ASKED}, {(1, "hours before", SOON)}),
        (timedelta(days=2), {"asked": ASKED}, set()),
        (timedelta(days=2), {"asked": replace(ASKED, revision=2)}, {(2, "asks", 0), (3, "asks", 0)}),
        (timedelta(hours=1), {"asked": ASKED, "author_id": None}, set()),
    ],
)  # fmt: skip
def test_who_is_told_what_and_when(
    before: timedelta, changes: dict[str, object], expected: set[tuple[int, str, int]]
) -> None:
    told = set(owed(waits(**changes), APPROVERS, DUE - before))
    asks = {Owed(12, 3, one, NoticeKind.ASKS) for one in (2, 3)} if "asked" not in changes else set()
    assert told | asks == {Owed(12, 3, who, NoticeKind(kind), about) for who, kind, about in expected} | asks


def test_a_mail_is_tried_again_after_longer_and_longer_waits_of_at_most_an_hour() -> None:
    assert [again_after(tries).total_seconds() / 60 for tries in (1, 2, 3, 7, 99)] == [1, 2, 4, 60, 60]


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_of_mail_names_what_it_is_about_and_leads_on(kind: NoticeKind) -> None:
    post = a_post(state=State.MISSED if kind is NoticeKind.MISSED else State.QUEUED, due_at=DUE, planned_at=DUE)
    facts = Facts("TMM SIG", 12, "Poster session", 3, [post], "https://example.org/x", NOW, by=BEN, said="One\n\nTwo")
    note = approval_note(kind, facts)
    assert note.subject.startswith("[outreach] TMM SIG: ")
    assert "“Poster session” (announcement 12, revision 3)" in note.body
    assert "https://example.org/x" in note.body
    assert kind is NoticeKind.CHANGES or "facebook: Thu 3 Dec 2026, 09:00 America/New_York (EST)" in note.body


# Asking


def test_approvers_are_asked_once_and_the_author_is_not(town: World) -> None:
    queue(town, by=CARA)
    settle(town.house, town.box, "eve@example.org", {Role.REVIEWER, Role.ADMIN, Role.COORDINATOR})
    for _ in range(3):
        after(town, 0.01)

    assert subjects(town, of=BEN) == ["waits for your approval: Colloquium"]
    assert subjects(town, of=CARA) == subjects(town, of=ANN) == subjects(town, of="eve@example.org") == []


def test_the_mail_says_what_and_when_and_its_link_opens_the_very_page(town: World) -> None:
    number = queue(town)
    after(town, 0)
    [mail] = mails(town.box, BEN)
    said = words(mail)
    key = re.findall(r"http://127\.0\.0\.1:8000/links/(\S+)", said)[0]

    assert "ann@example.org wrote it, and somebody else has to approve it before it goes out." in said
    assert "- facebook: Thu 3 Dec 2026, 09:00 America/New_York (EST)" in said
    link = town.house.access.look_at_link(key)
    assert (link.kind, link.email, link.announcement, link.revision) == ("approval", BEN, number, 1)
    assert key not in str(column(town.store, "SELECT sha256 FROM links"))


def test_each_revision_is_asked_for_and_an_approved_one_not(town: World) -> None:
    number = queue(town)
    after(town, 0)
    edit(town, number, replace(LETTER, body="Room 8."))
    after(town, 0)
    town.house.desk.approve(number, person=BEN)
    after(town, 0)

    assert subjects(town, of=BEN) == ["waits for your approval: Colloquium"] * 2


def test_what_was_approved_before_the_mail_left_is_not_asked_for(town: World) -> None:
    number = queue(town)
    town.box.mail.fail("RCPT", "450", times=1)
    after(town, 0)
    left = BEN if not mails(town.box, BEN) else CARA
    town.house.desk.approve(number, person=BEN)
    after(town, 1)

    assert subjects(town, of=left) == []


def test_who_is_closed_or_no_approver_any_more_is_not_told(town: World) -> None:
    queue(town)
    with town.store.write() as tx:
        cara = people.by_email(tx, 1, CARA)
        ben = people.by_email(tx, 1, BEN)
        assert cara is not None
        assert ben is not None
        people.change(tx, cara.id, closed_at=NOW)
    town.box.mail.fail("RCPT", "450", times=1)
    after(town, 0)
    with town.store.write() as tx:
        people.set_roles(tx, 1, ben.id, {Role.REVIEWER})
    after(town, 1)

    assert mails(town.box, BEN) == mails(town.box, CARA) == []


def test_nothing_is_told_where_no_approval_is_asked_for(town: World) -> None:
    with town.store.write() as tx:
        tx.execute(text("UPDATE communities SET approval = 'off'"))
    queue(town)
    after(town, 0)
    assert mails(town.box, BEN) == []
    assert column(town.store, "SELECT count(*) FROM notices") == [0]


def test_without_a_mail_server_nothing_is_tried(town: World, tmp_path: Path) -> None:
    place = Place(tmp_path / "bare", None, OUTREACH_APPROVAL="required")
    place.settings |= {"FACEBOOK_GRAPH_URL": town.box.graph_url, "FACEBOOK_PAGE_ID": "1", "FACEBOOK_PAGE_TOKEN": "t"}
    house = place.house()
    publisher, watch = house.new_worker()
    publisher.close()
    house.close()
    assert "approvals" not in {errand.name for errand in watch.errands}


# Reminding


def test_approvers_are_reminded_a_day_and_two_hours_before_if_it_still_waits(town: World) -> None:
    queue(town)
    for hours in (0, 23.9, 0.2, 10, 11.8, 0.2, 1):
        after(town, hours)
    assert subjects(town, of=BEN) == [
        "waits for your approval: Colloquium",
        "due in 24 hours, not approved yet: Colloquium",
        "due in 2 hours, not approved yet: Colloquium",
    ]


def test_the_author_is_reminded_when_changes_were_asked_for(town: World) -> None:
    number = queue(town)
    after(town, 0)
    town.house.desk.ask_for_changes(number, revision=1, said="Which building?", person=BEN)
    after(town, 24.1)
    assert subjects(town, of=BEN) == ["waits for your approval: Colloquium"]
    assert subjects(town, of=ANN) == [
        "changes are asked for: Colloquium",
        "due in 24 hours, changes are asked for: Colloquium",
    ]


# What became of it


def test_the_author_is_told_of_changes_with_the_comment_and_where_to_make_them(town: World) -> None:
    number = queue(town)
    town.house.desk.ask_for_changes(number, revision=1, said="Which building?\n\n> really", person=BEN)
    after(town, 0)
    [mail] = mails(town.box, ANN)
    said = mail.get_content().replace("\r\n", "\n")
    assert "ben@example.org asks for changes in revision 1:\n\n> Which building?\n>\n> > really\n" in said
    assert f"http://127.0.0.1:8000/write/{number}" in said


def test_each_wish_is_told_and_each_once(town: World) -> None:
    number = queue(town)
    for said in ("Shorter.", "By half."):
        town.house.desk.ask_for_changes(number, revision=1, said=said, person=BEN)
        after(town, 0)
        after(town, 0)
    assert [said in words(mail) for mail, said in zip(mails(town.box, ANN), ("Shorter", "half"), strict=True)] == [
        True
    ] * 2


def test_the_author_is_told_of_the_approval(town: World) -> None:
    number = queue(town)
    town.house.desk.approve(number, person=BEN)
    after(town, 0)
    assert subjects(town, of=ANN) == ["approved: Colloquium"]
    assert "ben@example.org approved revision 1." in words(mails(town.box, ANN)[0])


def test_what_nobody_approved_in_time_is_missed_and_both_are_told(town: World) -> None:
    number = queue(town, replace(LETTER, to=()))
    after(town, 0)
    after(town, 48, misses=True)

    assert {post.state for post in town.house.desk.find(str(number))} == {State.MISSED}
    assert subjects(town, of=ANN) == ["missed: nobody approved it in time: Colloquium"]
    assert subjects(town, of=BEN)[1:] == ["missed: nobody approved it in time: Colloquium"]
    said = words(mails(town.box, ANN)[0])
    assert "- facebook: Thu 3 Dec 2026, 09:00 America/New_York (EST) (missed)" in said
    assert "- listserv: Thu 3 Dec 2026, 09:00 America/New_York (EST) (missed)" in said
    assert f"http://127.0.0.1:8000/write/{number}" in said


def test_a_missed_post_does_not_go_out_because_somebody_approves_it_then(town: World) -> None:
    number = queue(town)
    after(town, 48, misses=True)
    changed = town.house.desk.approve(number, person=BEN)
    publisher, _ = town.house.new_worker()
    assert publisher.drain() == 0
    assert [post.state for post in changed.posts] == [State.MISSED]

    town.house.desk.requeue(str(number), person=ANN)
    assert publisher.drain() == 1
    publisher.close()


# Mail that does not get through


def test_a_mail_that_is_not_taken_is_tried_again_for_a_day(town: World, caplog: pytest.LogCaptureFixture) -> None:
    number = queue(town)
    town.house.desk.approve(number, person=BEN)
    town.box.mail.fail("RCPT", "450", times=None)
    for _ in range(30):
        after(town, 1)
    assert mails(town.box, ANN) == []
    assert town.house.desk.review(number, person=BEN).untold[0][0] == ANN
    assert [r.levelname for r in caplog.records if "given up after a day" in r.getMessage()] == ["ERROR"]

    town.box.mail.faults.clear()
    for _ in range(3):
        after(town, 1)
    assert mails(town.box, ANN) == []


def test_a_mail_that_is_not_taken_at_first_comes_once_it_is(town: World) -> None:
    number = queue(town)
    town.house.desk.approve(number, person=BEN)
    town.box.mail.fail("RCPT", "450", times=2)
    for minutes in (0, 1, 1, 2, 5):
        after(town, minutes / 60)
    assert subjects(town, of=ANN) == ["approved: Colloquium"]
    assert town.house.desk.review(number, person=BEN).untold == ()


def test_what_happened_before_there_was_a_mail_server_is_no_news_any_more(town: World) -> None:
    number = queue(town, replace(LETTER, at="2026-12-20 09:00"))
    town.house.desk.approve(number, person=BEN)
    queue(town, replace(LETTER, title="Another", at="2026-12-20 09:00"))
    after(town, 49)
    assert subjects(town, of=ANN) == []
    assert subjects(town, of=BEN) == ["waits for your approval: Another"]


def test_two_workers_tell_once(town: World, place: Place) -> None:
    queue(town)
    other = House(read_settings(place.settings), town.clock)
    for house in (town.house, other, town.house, other):
        publisher, watch = house.new_worker()
        publisher.close()
        next(errand for errand in watch.errands if errand.name == "approvals").do()
    other.close()
    assert (len(mails(town.box, BEN)), len(mails(town.box, CARA))) == (1, 1)


def test_who_is_killed_between_tells_once_more_at_most_and_loses_nothing(
    place: Place, box: Sandbox, tmp_path: Path
) -> None:
    box.mail.add_mailbox(BEN)

    def work(folder: Path, clock: StillClock) -> Callable[[], None]:
        def do() -> None:
            house = House(read_settings(place.settings | {"OUTREACH_QUEUE": str(folder)}), clock)
            publisher, watch = house.new_worker()
            publisher.close()
            next(errand for errand in watch.errands if errand.name == "approvals").do()
            house.close()

        return do

    house = place.house()
    settle(house, box, BEN, {Role.APPROVER})
    require_approval(house.store)
    house.desk.add(replace(LETTER, at="2027-12-03 09:00"), folder=tmp_path, person=ANN)
    house.close()

    def fresh(name: str) -> Path:
        return Path(shutil.copytree(place.queue, tmp_path / name))

    lines = lines_of(work(fresh("whole"), StillClock()))
    for line in spread(lines, 8):
        before, folder = len(mails(box, BEN)), fresh(f"killed-{line}")
        killed_before(line, work(folder, StillClock()))
        later = StillClock()
        later.tick(700)
        work(folder, later)()
        assert len(mails(box, BEN)) - before in (1, 2), f"killed before line {line} of {lines}"
