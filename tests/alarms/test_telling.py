"""Telling: all news of a round in one mail, each once, by every route until it took it, and what is over once."""

import logging
from datetime import timedelta

import pytest

from outreach.model import Move, State
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from outreach.store import safety, workers
from outreach.trouble import Alarm
from outreach.watch.telling import Telling
from tests.alarms.world import World, mails, see
from tests.builders import NOW, WORKER, a_channel, a_stored_post, column, make, pause

MINUTE = 60


def rounds(world: World, *, seconds: int = 0) -> int:
    """Let time pass, then do a round; give how many mails there are."""
    world.clock.tick(seconds)
    with world.store.write() as tx:
        workers.beat(tx, WORKER, world.clock.now())
    world.run()
    return len(world.mails)


def backup(world: World, text: str) -> None:
    with world.store.write() as tx:
        safety.remember(tx, safety.BACKUP_TROUBLE, text)


def test_five_hundred_missed_posts_are_one_mail_that_lists_twenty(world: World) -> None:
    for _ in range(500):
        a_stored_post(world.store, State.MISSED)
    assert rounds(world) == 1
    assert rounds(world, seconds=MINUTE) == 1
    [text] = world.texts()
    assert world.mails[0]["Subject"] == "[outreach] TMM SIG: 500 missed"
    assert text.count("was missed") == 20
    assert "And 480 more. See all of them with: outreach alarms" in text


def test_there_is_one_mail_a_minute_at_most_and_nothing_is_lost_by_that(world: World) -> None:
    a_stored_post(world.store, State.MISSED)
    assert rounds(world) == 1
    backup(world, "The disk is full.")
    assert [rounds(world, seconds=15) for _ in range(4)] == [1, 1, 1, 2]
    assert "The disk is full." in world.texts()[1]
    assert "missed" not in world.texts()[1]


def test_what_is_over_is_told_once_in_grouped_words_with_how_the_posts_stand(world: World) -> None:
    first, second = (a_stored_post(world.store, State.MISSED) for _ in range(2))
    rounds(world)
    make(world.store, first, Move.CANCEL)
    make(world.store, second, Move.REQUEUE, due_at=NOW + timedelta(hours=3))
    assert [rounds(world, seconds=MINUTE) for _ in range(3)] == [2, 2, 2]
    assert world.mails[1]["Subject"] == "[outreach] TMM SIG: over: 2 missed"
    assert world.texts()[1] == "Over (missed): 1/facebook is cancelled now, 2/facebook is queued now."


def test_a_flapping_cause_is_told_once_within_the_hour(world: World) -> None:
    backup(world, "The disk is full.")
    assert rounds(world) == 1
    backup(world, "")
    assert rounds(world, seconds=MINUTE) == 2  # that it is over
    backup(world, "The disk is full.")
    assert [rounds(world, seconds=20 * MINUTE) for _ in range(2)] == [2, 2]
    assert rounds(world, seconds=20 * MINUTE) == 3
    assert "The backup did not work" in world.texts()[2]


def test_what_was_over_before_it_could_be_told_is_not_told(world: World, box: Sandbox) -> None:
    rounds(world)
    box.mail.fail("CONNECT", "close", times=1)
    backup(world, "The disk is full.")
    rounds(world)
    backup(world, "")
    assert [rounds(world, seconds=MINUTE) for _ in range(3)] == [0, 0, 0]


def test_a_missed_post_that_nobody_cares_about_fades_and_is_not_called_over(world: World) -> None:
    post = a_stored_post(world.store, State.MISSED)
    see(world.store, post, "twice", remote_ids=["1", "2"])
    assert rounds(world) == 1
    assert rounds(world, seconds=15 * 86400) == 1
    assert column(world.store, "SELECT count(*) FROM alarms WHERE ended_at IS NULL") == [0]


def test_old_trouble_is_not_told_when_an_old_install_is_opened(world: World) -> None:
    a_stored_post(world.store, State.MISSED)
    a_stored_post(world.store, State.FAILED)
    assert rounds(world, seconds=14 * 86400 + 1) == 0


def another(world: World, **settings: str) -> World:
    """A second worker on the same install."""
    house = type(world.house)(read_settings(world.place.settings | settings), world.clock)
    return World(house, world.box, world.place, world.clock)


def test_a_route_that_fails_is_tried_again_and_the_others_are_not_told_twice(world: World, box: Sandbox) -> None:
    box.mail.add_mailbox("second@example.org")
    both = another(world, OUTREACH_ALERT_EMAIL=f"{box.alert_address}, second@example.org")
    box.mail.fail("RCPT", "450", times=1)
    a_stored_post(both.store, State.MISSED)
    counts = [(rounds(both, seconds=MINUTE), len(mails(box, "second@example.org"))) for _ in range(3)]
    assert counts == [(0, 1), (1, 1), (1, 1)]
    both.house.close()


def test_a_route_that_fails_for_a_day_gives_up_and_says_so(
    world: World, box: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    rounds(world)
    box.mail.fail("MAIL", "550", times=None)
    backup(world, "The disk is full.")
    assert rounds(world) == 0
    assert rounds(world, seconds=86401) == 0
    box.mail.reset()
    assert rounds(world, seconds=MINUTE) == 0
    assert "given up after a day: 1 alarms were not told this way" in caplog.text


def test_the_log_tells_at_once_whatever_becomes_of_the_mail(
    world: World, box: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    box.mail.fail("CONNECT", "close", times=None)
    a_stored_post(world.store, State.MISSED)
    pause(world.store, a_channel(world.store, "listserv").id)
    with caplog.at_level(logging.INFO):
        rounds(world)
        rounds(world, seconds=MINUTE)
    lines = [(r.levelname, r.getMessage()) for r in caplog.records if r.name == "outreach.watch.telling"]
    told = [(level, text) for level, text in lines if "not taken" not in text]
    assert [(level, text.split(" ")[0]) for level, text in told] == [("WARNING", "The"), ("ERROR", "1/facebook")]
    assert "outreach requeue 1/facebook" in told[1][1]


def test_a_new_address_is_told_what_is_wrong_already(world: World) -> None:
    silent = another(world, OUTREACH_ALERT_EMAIL="")
    a_stored_post(world.store, State.MISSED)
    assert rounds(silent) == 0
    assert rounds(world, seconds=MINUTE) == 1
    silent.house.close()


def test_two_workers_tell_it_once(world: World) -> None:
    other = another(world)
    a_stored_post(world.store, State.MISSED)
    assert (rounds(world), rounds(other), rounds(world)) == (1, 1, 1)
    other.house.close()


def test_a_look_that_took_long_ends_nothing_that_another_worker_raised_meanwhile(world: World) -> None:
    other = another(world)

    def look_slowly() -> list[Alarm]:
        seen = world.house.alarms.look()
        world.clock.tick(1)
        backup(world, "The disk is full.")
        other.run()
        world.clock.tick(1)
        return seen

    slow = Telling(
        store=world.store, routes=world.house.routes.all, look=look_slowly, now=world.clock.now, community="TMM SIG"
    )
    slow.round()
    assert column(world.store, "SELECT count(*) FROM alarms WHERE ended_at IS NULL") == [1]
    other.house.close()


def test_the_mail_is_one_that_nobody_answers_by_itself(world: World) -> None:
    a_stored_post(world.store, State.MISSED, title="Société d’été")
    rounds(world)
    [mail] = world.mails
    assert (mail["Auto-Submitted"], mail["To"]) == ("auto-generated", world.box.alert_address)
    assert mail["From"] == world.box.member
    assert "Société d’été" in world.texts()[0]
    raw = world.box.mail.mailbox(world.box.alert_address)[0]
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 78


def test_every_mail_has_an_id_of_its_own(world: World) -> None:
    a_stored_post(world.store, State.MISSED)
    rounds(world)
    a_stored_post(world.store, State.MISSED)
    rounds(world, seconds=MINUTE)
    assert len({mail["Message-ID"] for mail in world.mails}) == 2
