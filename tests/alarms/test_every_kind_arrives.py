"""Each kind of alarm is seen to arrive as a mail, from the real condition; no kind may be without such a test."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import update

from outreach.bootstrap import House
from outreach.joining import CameBy, RequestKind, RequestState
from outreach.model import Letter, Move, State
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from outreach.store import checks, connections, joinings, safety, weekly, workers
from outreach.store.checks import Check
from outreach.store.joinings import Asked
from outreach.store.safety import Cause
from outreach.store.schema import attempts
from outreach.trouble import AlarmKind
from outreach.watch.alarms import Alarms
from tests.alarms.world import World, check, mails, see, stop_looking
from tests.builders import NOW, WORKER, a_channel, a_stored_post, make, pause
from tests.doors.place import Place
from tests.hands.test_connections import a_row
from tests.work.clocks import StillClock

T = TypeVar("T", bound=Callable[..., None])
SEEN: set[AlarmKind] = set()
SHOWN = "Tue 1 Dec 2026, 09:00 America/New_York (EST)"
WHEN = "planned for Tue 1 Dec 2026, 09:00 America/New_York (EST),"


def arrives(kind: AlarmKind) -> Callable[[T], T]:
    """Say of a test that it sees this kind arrive."""

    def noted(test: T) -> T:
        SEEN.add(kind)
        return test

    return noted


def test_every_kind_is_seen_to_arrive() -> None:
    assert set(AlarmKind) - SEEN == set(), "write a test that sees it arrive, and say so with @arrives"


def beat(world: World) -> None:
    with world.store.write() as tx:
        workers.beat(tx, WORKER, world.clock.now())


def told(world: World) -> str:
    """The one mail of a round: its subject and its text."""
    beat(world)
    world.run()
    [mail] = world.mails
    return f"{mail['Subject']}: {world.texts()[0]}"


@arrives(AlarmKind.OVERDUE)
def test_a_post_that_is_a_minute_late_is_told(world: World) -> None:
    a_stored_post(world.store, title="Poster session")
    world.clock.tick(60)
    beat(world)
    world.run()
    assert world.mails == []
    world.clock.tick(1)
    assert told(world) == (
        f"[outreach] TMM SIG: overdue: 1. 1/facebook “Poster session” on facebook, {WHEN} is overdue and not out yet."
        " Next: See whether a worker runs and what holds it: outreach doctor"
    )


def test_a_post_that_is_being_sent_without_end_is_told_as_one_that_may_be_out(world: World) -> None:
    a_stored_post(world.store, State.PUBLISHING)
    world.clock.tick(901)
    assert "is overdue and not out yet. It is being sent, and no answer has come; it may be out." in told(world)


def test_a_zone_that_this_machine_does_not_know_silences_no_alarm(world: World) -> None:
    a_stored_post(world.store, State.MISSED)
    with world.store.write() as tx:
        tx.exec_driver_sql("UPDATE posts SET time_zone = 'America/Atlantis'")
    assert "planned for Tue 1 Dec 2026, 14:00 UTC, was missed." in told(world)


@arrives(AlarmKind.MISSED)
def test_a_missed_post_is_told(world: World) -> None:
    a_stored_post(world.store, State.MISSED, title="Poster session")
    assert told(world) == (
        f"[outreach] TMM SIG: missed: 1. 1/facebook “Poster session” on facebook, {WHEN} was missed. Its time was over"
        " before it could be sent. Next: Send it after all: outreach requeue 1/facebook, or let it be: outreach cancel"
        " 1/facebook"
    )


@arrives(AlarmKind.FAILED)
def test_a_failed_post_is_told(world: World) -> None:
    a_stored_post(world.store, State.FAILED)
    assert f"on facebook, {WHEN} failed. The Page said no. Next: Send it after all: outreach requeue 1/fac" in told(
        world
    )


@arrives(AlarmKind.UNCONFIRMED)
def test_a_post_in_doubt_that_nobody_looks_for_is_told(world: World) -> None:
    post = a_stored_post(world.store, State.UNCONFIRMED)
    beat(world)
    world.run()
    assert world.mails == []  # it is still looked for
    stop_looking(world.store, post)
    text = told(world)
    assert "may be out or not, and nobody looks any more: a person has to decide. The answer was lost." in text
    assert "It is: outreach confirm 1/facebook --url ADDRESS. It is not: outreach requeue 1/facebook" in text


@arrives(AlarmKind.HELD)
def test_a_mail_that_the_list_holds_is_told_until_it_comes_through(world: World) -> None:
    post = a_stored_post(world.store, State.PUBLISHED, channel="listserv")
    make(world.store, post, Move.HOLD, reason="It waits for a moderator of the list.")
    assert "is held by the list. It waits for a moderator of the list. Next: Ask the list's moderator" in told(world)
    make(world.store, post, Move.RELEASE, reason=None)
    world.clock.tick(120)
    world.run()
    assert "over" in world.mails[-1]["Subject"]


@arrives(AlarmKind.UNSEEN)
@pytest.mark.parametrize(("moderated", "patience"), [("false", timedelta(minutes=30)), ("true", timedelta(hours=72))])
def test_a_mail_that_is_not_seen_in_time_is_told_until_a_person_saw_it(
    world: World, moderated: str, patience: timedelta
) -> None:
    given = {"IMAP_HOST": "127.0.0.1", "IMAP_SECURITY": "none", "IMAP_USERNAME": "a", "IMAP_PASSWORD": "b"}
    house = House(read_settings(world.place.settings | given | {"LISTSERV_MODERATED": moderated}), world.clock)
    watched = replace(world, house=house)
    post = a_stored_post(world.store, State.PUBLISHED, channel="listserv")
    world.clock.tick(patience.total_seconds())
    beat(watched)
    watched.run()
    assert watched.mails == []
    world.clock.tick(1)
    assert "was taken by the mail server and was not seen on the list in time; this proves nothing." in told(watched)
    assert f"outreach confirm {post.name}" in watched.texts()[-1]
    see(world.store, post, "distributed")
    world.clock.tick(120)
    watched.run()
    assert "over" in watched.mails[-1]["Subject"]
    house.close()


def test_a_mailbox_that_never_shows_a_copy_cries_at_no_mail(world: World) -> None:
    house = House(read_settings(world.place.settings | {"OUTREACH_ALERT_EMAIL": ""}), world.clock)
    many = [a_stored_post(world.store, State.PUBLISHED, channel="listserv", title=f"No. {n}") for n in range(4)]
    alarms = Alarms(
        store=world.store, now=house.clock.now, free_bytes=lambda: None, zone="UTC", unseen_after=timedelta(minutes=30)
    )
    world.clock.tick(3600)
    kinds = [alarm.kind for alarm in alarms.look()]
    assert AlarmKind.UNSEEN not in kinds
    see(world.store, many[0], "distributed")
    kinds = [alarm.kind for alarm in alarms.look()]
    assert kinds.count(AlarmKind.UNSEEN) == 3
    house.close()


@arrives(AlarmKind.TWICE)
def test_a_post_that_is_out_twice_is_told(world: World) -> None:
    post = a_stored_post(world.store, State.PUBLISHED)
    see(world.store, post, "twice", remote_ids=["1_77", "1_78"])
    text = told(world)
    assert "went out more than once. Its copies: 1_77, 1_78." in text
    assert "Next: Delete all but one there, then see: outreach show 1/facebook" in text


@arrives(AlarmKind.PAUSED)
def test_a_channel_that_the_service_paused_is_told(world: World) -> None:
    pause(world.store, a_channel(world.store).id, NOW + timedelta(minutes=30))
    text = told(world)
    until = "until Tue 1 Dec 2026, 09:30 America/New_York (EST)"
    assert f"channel paused: 1. The channel facebook is paused {until}: The token ended." in text
    assert "outreach channels check facebook, outreach channels resume facebook" in text


def test_a_channel_that_a_person_paused_is_no_trouble(world: World) -> None:
    world.house.desk.pause_channel("facebook", reason="A holiday.", person="ann@example.org")
    beat(world)
    world.run()
    assert world.mails == []


@arrives(AlarmKind.PREFLIGHT)
def test_what_would_keep_a_post_from_going_out_is_told_a_day_an_hour_and_ten_minutes_before(world: World) -> None:
    post = a_stored_post(world.store, due_at=NOW + timedelta(hours=25))
    check(world.store, post, ("The picture is missing.", "Put it into media."), ("The token ended.", "Renew it."))
    moments = {"25 h before": 0, "24 h": 3600, "2 h": 22 * 3600, "1 h": 3600, "10 min": 3000, "9 min": 60}
    counts = {}
    for name, seconds in moments.items():
        world.clock.tick(seconds)
        beat(world)
        world.run()
        counts[name] = len(world.mails)
    assert counts == {"25 h before": 0, "24 h": 1, "2 h": 1, "1 h": 2, "10 min": 3, "9 min": 3}
    assert "would not go out as things stand: The picture is missing. The token ended." in world.texts()[0]
    assert "Next: Put it into media. Renew it." in world.texts()[2]
    assert not [text for text in world.texts() if "Over" in text]  # a stage that gives way to the next is not over


def test_a_warning_of_the_pre_flight_is_no_alarm_and_no_part_of_one(world: World) -> None:
    warning = ("Its link answers, but not to us.", "Try it in a browser.", True)
    check(world.store, a_stored_post(world.store, due_at=NOW + timedelta(hours=3)), warning)
    broken = a_stored_post(world.store, due_at=NOW + timedelta(hours=4))
    check(world.store, broken, warning, ("The token ended.", "Renew it.", False))
    beat(world)
    world.run()
    [text] = world.texts()
    assert text.count("would not go out") == 1
    assert "answers, but not to us" not in text


@arrives(AlarmKind.SAFE_MODE)
def test_safe_mode_is_told(world: World) -> None:
    with world.store.write() as tx:
        safety.enter(tx, Cause.CLOCK, "The clock jumped.", now=NOW)
    assert "safe mode: 1. Safe mode is on since Tue 1 Dec 2026, 09:00 America/New_York (EST), so nothing" in told(world)


@arrives(AlarmKind.SILENT)
def test_a_worker_that_gives_no_sign_is_told_when_posts_are_due_within_the_hour(world: World) -> None:
    beat(world)
    a_stored_post(world.store, due_at=NOW + timedelta(minutes=63))
    world.clock.tick(121)
    world.run()
    assert world.mails == []  # not within the hour yet
    with world.store.write() as tx:
        tx.exec_driver_sql("UPDATE posts SET due_at = due_at - 60000000")
    world.run()
    [text] = world.texts()
    assert "No worker gave a sign since Tue 1 Dec 2026, 09:00 America/New_York (EST), and posts are due" in text
    assert "Next: Start one: outreach worker" in text


@arrives(AlarmKind.BACKUP)
def test_a_backup_that_did_not_work_is_told(world: World) -> None:
    with world.store.write() as tx:
        safety.remember(tx, safety.BACKUP_TROUBLE, "The disk is full.")
    assert "backup: 1. The backup did not work: The disk is full. Next: Make one now: outreach backup FILE" in told(
        world
    )


@arrives(AlarmKind.EXPIRY)
def test_access_that_ends_is_told_three_weeks_a_week_and_a_day_before(world: World) -> None:
    with world.store.write() as tx:
        checks.keep_expiry(tx, "facebook", NOW + timedelta(days=22))
    counts = []
    for days in (0, 1, 13, 1, 5, 1, 2):  # 22, 21, 8, 7, 2 and 1 days before, and a day after
        world.clock.tick(days * 86400)
        beat(world)
        world.run()
        counts.append(len(world.mails))
    assert counts == [0, 1, 1, 2, 2, 3, 3]
    assert "The access to the channel facebook ends on Wed 23 Dec 2026, 09:00" in world.texts()[0]


@arrives(AlarmKind.UNUSED)
def test_a_page_that_rests_over_the_summer_is_told_of_before_its_permission_lapses(world: World) -> None:
    last_used(world, NOW - timedelta(days=68))
    assert counts_of(world, (0, 1, 13, 1, 5, 1, 2)) == [0, 1, 1, 2, 2, 3, 3]  # 22 to 1 days before, and a day after
    assert "Nothing was published on facebook since Thu 24 Sep 2026, 10:00" in world.texts()[0]
    assert "which is on Wed 23 Dec 2026, 09:00 America/New_York (EST)." in world.texts()[0]
    assert (
        "Next: Publish something on it before then, or renew its token, put it into the settings, then: "
        in (world.texts()[0])
    )
    last_used(world, world.clock.now())
    assert counts_of(world, (60,)) == [4]
    assert "over: permission lapses" in str(world.mails[-1]["Subject"])


def test_who_connected_a_page_is_told_to_connect_it_again(world: World) -> None:
    with world.store.write() as tx:
        connections.keep(tx, a_row(world.house.targets[0].id, at=NOW - timedelta(days=80)))
        checks.keep_of_channel(tx, "facebook", Check(NOW, ()))
        checks.keep_expiry(tx, "facebook", NOW + timedelta(days=5))
    steps = {alarm.kind: alarm.next_step for alarm in world.house.alarms.look()}
    again = "onnect its Page again: outreach channels connect facebook"
    assert steps[AlarmKind.EXPIRY] == f"C{again}"
    assert steps[AlarmKind.UNUSED] == f"Publish something on it before then, or c{again}"


def test_a_permission_that_is_used_in_time_or_is_nobodys_any_more_is_not_told_of(world: World) -> None:
    last_used(world, NOW - timedelta(days=88))
    with world.store.write() as tx:
        checks.keep_of_channel(tx, "facebook", Check(NOW, ()))
    a_stored_post(world.store, due_at=NOW + timedelta(days=1))
    assert [each.kind for each in world.house.alarms.look() if each.kind is AlarmKind.UNUSED] == []
    with world.store.write() as tx:
        tx.exec_driver_sql("UPDATE posts SET paused = true WHERE state = 'queued'")
    assert [each.kind for each in world.house.alarms.look() if each.kind is AlarmKind.UNUSED] == [AlarmKind.UNUSED]
    with world.store.write() as tx:
        checks.keep_of_channel(tx, "facebook", Check(NOW - timedelta(days=3), ()))
    assert [each.kind for each in world.house.alarms.look() if each.kind is AlarmKind.UNUSED] == []


def last_used(world: World, at: datetime) -> None:
    """Let something be published on the Page at an instant."""
    post = a_stored_post(world.store, State.PUBLISHED, title=f"Of {at:%d %B}")
    with world.store.write() as tx:
        used = update(attempts).where(attempts.c.post_id == post.id)
        assert tx.execute(used.values(started_at=at, ended_at=at)).rowcount == 1


def counts_of(world: World, days: tuple[int, ...]) -> list[int]:
    """Move on by so many days at a time, and count the mails each time; the channels are asked daily meanwhile."""
    counts = []
    for each in days:
        world.clock.tick(each * 86400)
        with world.store.write() as tx:
            checks.keep_of_channel(tx, "facebook", Check(world.clock.now(), ()))
        beat(world)
        world.run()
        counts.append(len(world.mails))
    return counts


@arrives(AlarmKind.WEEKLY)
def test_a_weekly_mail_that_could_not_be_queued_is_told_until_it_is(world: World) -> None:
    saved = world.house.desk.save_draft(Letter("News", "Its text.", to=("listserv",)))
    with world.store.write() as tx:
        weekly.note_mail(tx, 1, NOW + timedelta(hours=23), saved.number)
    beat(world)
    world.run()
    assert world.mails == []  # just now it is about to be queued
    world.clock.tick(301)
    text = told(world)
    assert f"“News”, is draft {saved.number} and not queued." in text
    assert f"/write/{saved.number}, and queue it, or discard it there" in text
    world.house.desk.discard(saved.number)
    world.clock.tick(61)
    beat(world)
    world.run()
    assert "over: weekly mail not queued" in str(world.mails[-1]["Subject"])


@arrives(AlarmKind.COMMENT)
def test_a_first_comment_that_failed_arrives(world: World) -> None:
    post = a_stored_post(world.store, State.PUBLISHED)
    with world.store.write() as tx:
        tx.exec_driver_sql(
            f"INSERT INTO first_comments (post_id, state, reason) VALUES ({post.id}, 'failed', 'The Page said no.')"
        )
    said = told(world)
    assert f"The first comment of {post.name}" in said
    assert "failed. The post itself is out. The Page said no." in said


@arrives(AlarmKind.ASKED)
def test_somebody_who_confirmed_a_request_is_told_without_a_name_until_it_is_decided(world: World) -> None:
    list_id = a_channel(world.store, "listserv").id
    asked = Asked(list_id, RequestKind.JOIN, CameBy.FORM, "cleo@example.org", "x" * 64, NOW + timedelta(days=3), "Cleo")
    with world.store.write() as tx:
        number = joinings.ask(tx, asked, now=NOW, person=None)
        found = joinings.by_link(tx, 1, asked.link_sha256)
        assert found is not None
        joinings.go_on(tx, found, RequestState.WAITING, now=NOW, confirmed_at=NOW)
    text = told(world)
    assert f"Somebody wants to join the list listserv, confirmed on {SHOWN}, and waits for you." in text
    assert f"outreach requests accept {number}" in text
    assert "leo" not in text
    with world.store.write() as tx:
        waiting = joinings.by_link(tx, 1, asked.link_sha256)
        assert waiting is not None
        joinings.go_on(tx, waiting, RequestState.DECLINED, now=NOW, note="Declined.")
    world.clock.tick(61)
    beat(world)
    world.run()
    assert "over: somebody asks" in str(world.mails[-1]["Subject"])


@arrives(AlarmKind.DATABASE)
@pytest.mark.parametrize("command", [("worker", "--once"), ("worker",), ("up", "--port", "0")], ids=" ".join)
def test_a_database_that_cannot_be_opened_is_told_without_it_and_once_an_hour(
    place: Place, box: Sandbox, command: tuple[str, ...]
) -> None:
    (place.queue / "outreach.db").write_text("This was never a database.\n" * 500)
    assert [place.run(*command).code for _ in range(2)] == [1, 1]
    [mail] = mails(box)
    assert mail["Subject"] == "[outreach] TMM SIG: database"
    text = " ".join(mail.get_content().split())
    assert (
        f"1. Nothing can go out. {place.queue}/outreach.db: The file is not a database. Next: Move the file away"
        in text
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=9m", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("only root can make a small disk here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@arrives(AlarmKind.DISK)
def test_a_disk_that_is_nearly_full_is_told(place: Place, box: Sandbox, small_disk: Path) -> None:
    place.settings |= {
        "OUTREACH_DATABASE_URL": f"sqlite:///{place.queue}/outreach.db",
        "OUTREACH_QUEUE": str(small_disk),
    }
    clock = StillClock()
    house = House(read_settings(place.settings), clock)
    _ = house.desk
    world = World(house, box, place, clock)
    assert "1. The disk of the queue folder has less than 50 MB left" in told(world)
    house.close()
