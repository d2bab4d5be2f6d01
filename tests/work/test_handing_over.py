"""Handing posts over to Facebook's own scheduler: out once whatever happens, and never both from there and from here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from PIL import Image

from outreach.bootstrap import House
from outreach.chores import handing_over_of
from outreach.desk import Place as Where
from outreach.model import Attempt, BadInput, Letter, Picture, Post, State
from outreach.sandbox import Clock, Sandbox
from outreach.settings import read_settings
from outreach.store import aftermath, handovers, history
from outreach.watch.handing_over import HandingOver
from tests.builders import NOW, require_approval
from tests.doors.place import Place
from tests.hands.kills import HANDING_OVER, killed_before, lines_of
from tests.work.clocks import StillClock

OLD, TEXT = "From long ago", "Colloquium\n\nPlease come."


class Town:
    """An install that hands over, its clock, and a sandbox whose clock goes with it."""

    def __init__(self, house: House, still: StillClock, box: Sandbox, settings: dict[str, str]) -> None:
        self.house, self.still, self.box, self.settings = house, still, box, settings
        self.handing = handing_over_of(house)

    def tick(self, **span: float) -> None:
        self.still.tick(timedelta(**span).total_seconds())
        self.box.graph.clock.advance(timedelta(**span).total_seconds())

    def add(self, title: str = "Colloquium", *, at: str = "2026-12-04 09:00", **more: object) -> int:
        letter = Letter(title, "Please come.", at=at, to=("facebook",), **more)  # type: ignore[arg-type]
        return self.house.desk.add(letter, folder=self.house.media).announcement

    def round(self) -> int:
        return self.handing.round()

    def publish(self) -> int:
        """Do what a worker does about what is due; give how many attempts it made."""
        publisher, watch = self.house.new_worker()
        watch.miss()
        made = publisher.drain(Event())
        publisher.close()
        return made

    @property
    def waiting(self) -> list[str]:
        """The texts that wait in Facebook's own scheduler."""
        plans = self.handing._planner(self.post()).plans()
        assert isinstance(plans, list)
        return [plan.text for plan in plans]

    @property
    def public(self) -> list[str]:
        return [str(post.message) for post in self.box.graph.public_posts() if post.message != OLD]

    def post(self, number: int = 1) -> Post:
        [post] = self.house.desk.find(str(number))
        return post

    def state(self, number: int = 1) -> str:
        return str(self.house.desk.find(str(number))[0].state)

    def told(self, number: int = 1) -> list[str]:
        [post] = self.house.desk.find(str(number))
        with self.house.store.read() as tx:
            return [entry["kind"] for entry in history.of_post(tx, post.id)]


@pytest.fixture
def town(tmp_path: Path, migrated_file: Path) -> Iterator[Town]:
    with Sandbox(clock=Clock(NOW)) as box:
        place, still = Place(tmp_path, box, database=migrated_file), StillClock()
        settings = place.settings | {"FACEBOOK_HAND_OVER_DAYS": "28"}
        house = House(read_settings(settings), still)
        _ = house.desk
        box.graph.world.add_post(box.page_id, message=OLD, link=None, photo_ids=(), due_at=None, is_public=True)
        yield Town(house, still, box, settings)
        house.close()


def test_by_default_nothing_is_handed_over(house: House) -> None:
    house.desk.add(Letter("Colloquium", "Please come.", at="2026-12-04 09:00"), folder=house.media)
    assert handing_over_of(house).round() == 0


def test_a_post_is_given_once_and_published_there_while_no_worker_runs(town: Town) -> None:
    town.add()
    assert [town.round(), town.round()] == [1, 0]
    assert (town.waiting, town.public) == ([TEXT], [])
    town.tick(days=3, minutes=1)
    assert (town.publish(), town.public, town.state()) == (0, [TEXT], "queued")
    town.round()
    [post] = town.house.desk.find("1")
    assert (town.state(), post.remote_id, post.reason) == ("published", town.box.graph.public_posts()[-1].id, None)
    assert post.url is not None
    assert (town.publish(), town.public) == (0, [TEXT])
    assert [kind for kind in town.told() if kind in ("handed over", "publish")] == ["handed over", "publish"]


def test_pictures_go_with_it_and_outlast_a_day(town: Town, tmp_path: Path) -> None:
    pictures = tuple(Picture(town_picture(town, tmp_path, n), f"Picture {n}") for n in range(3))
    town.add(pictures=pictures)
    assert town.round() == 1
    town.tick(days=3, minutes=1)
    town.round()
    assert town.state() == "published"
    assert [alt for alt, _ in town.box.graph.public_posts()[-1].pictures] == ["Picture 0", "Picture 1", "Picture 2"]


def town_picture(town: Town, folder: Path, number: int) -> str:
    file = folder / f"{number}.png"
    Image.new("RGB", (20, 20 + number), "teal").save(file)
    return town.house.desk.take_picture(file.read_bytes(), name=file.name)


@pytest.mark.parametrize("at", ["2026-12-01 09:15", "2026-12-30 09:00"])
def test_what_is_due_too_soon_or_too_late_is_not_handed_over(town: Town, at: str) -> None:
    town.add(at=at)
    assert town.round() == 0


def test_what_nobody_approved_or_is_paused_or_stopped_is_not_handed_over(town: Town) -> None:
    require_approval(town.house.store)
    town.add()
    assert town.round() == 0


def test_an_edit_takes_it_back_and_the_new_text_is_given(town: Town) -> None:
    town.add()
    town.round()
    desk = town.house.desk
    desk.edit(
        Where(1, desk.latest(1).key),
        Letter("Moved", "Room 7.", at="2026-12-05 09:00", to=("facebook",)),
        folder=town.house.media,
    )
    assert town.waiting == []
    assert town.round() == 1
    assert town.waiting == ["Moved\n\nRoom 7."]
    town.tick(days=4, minutes=1)
    town.round()
    assert (town.public, town.state()) == (["Moved\n\nRoom 7."], "published")


def test_a_cancel_takes_it_back_and_a_pause_too(town: Town) -> None:
    town.add()
    town.add("Second")
    town.round()
    assert len(town.waiting) == 2
    town.house.desk.cancel("1")
    town.house.desk.pause("2")
    assert (town.waiting, town.state(), town.state(2)) == ([], "cancelled", "queued")
    town.round()
    town.tick(minutes=5)
    town.house.desk.resume("2")
    assert town.round() == 1
    town.tick(days=3)
    town.round()
    assert town.public == ["Second\n\nPlease come."]


def test_what_facebook_does_not_give_back_is_neither_cancelled_nor_changed(town: Town) -> None:
    town.add()
    town.round()
    town.box.graph.rules.may_delete = False
    with pytest.raises(BadInput, match="is with Facebook's own scheduler, and Facebook did not give it back"):
        town.house.desk.cancel("1")
    assert (town.state(), town.waiting) == ("queued", [TEXT])
    town.tick(days=3, minutes=1)
    town.round()
    assert (town.state(), town.public) == ("published", [TEXT])


def test_minutes_before_its_time_nothing_is_taken_back(town: Town) -> None:
    town.add()
    town.round()
    town.tick(days=2, hours=23, minutes=58)
    with pytest.raises(BadInput, match="it goes out there this very minute"):
        town.house.desk.cancel("1")
    assert town.waiting == [TEXT]


@pytest.mark.parametrize("stop", ["safe mode", "approval", "channel", "switched off"])
def test_what_may_not_go_out_any_more_is_taken_back_by_the_worker(town: Town, stop: str) -> None:
    town.add()
    town.round()
    match stop:
        case "safe mode":
            town.house.desk.stop_everything(reason="a test", person="ann@example.org")
        case "approval":
            require_approval(town.house.store)
        case "channel":
            town.house.desk.pause_channel("facebook", reason="a test", person="ann@example.org")
        case _:
            for channel in town.handing._channels.values():
                channel.hands_over = timedelta()
    town.round()
    assert (town.waiting, town.state()) == ([], "queued")
    town.tick(days=3, minutes=1)
    town.round()
    assert town.public == []


@pytest.mark.parametrize(
    "how", ["500-2", "500-1", "close", "reset", "html-502", "empty-200", "success-200", "truncated"]
)
@pytest.mark.parametrize("wrote", [True, False])
@pytest.mark.parametrize("until", ["before", "after"])
def test_whatever_facebook_answers_it_goes_out_once(town: Town, how: str, wrote: bool, until: str) -> None:
    town.add()
    town.box.graph.fail("feed", how, write=wrote)
    town.round()
    if until == "before":  # a worker finds out before the time
        for _ in range(5):
            town.tick(minutes=6)
            town.round()
        assert len(town.waiting) == 1  # found there, or given anew
    town.tick(days=3)
    for _ in range(8):
        town.round()
        town.publish()
        town.tick(minutes=6)
    assert town.public == [TEXT]
    assert town.state() == "published"


@pytest.mark.parametrize("point", ["before it was sent", "after it was sent"])
@pytest.mark.parametrize("until", ["before", "after"])
def test_a_worker_that_dies_while_giving_leaves_no_second_post(town: Town, point: str, until: str) -> None:
    town.add()
    [post] = town.house.desk.find("1")
    with town.house.store.write() as tx:
        assert handovers.begin(tx, post, now=town.still.now())
    if point == "after it was sent":
        planner, content = town.handing._planner(post), town.house.desk.preview("1")[0].content
        planner.give(Attempt(post, 0, NOW, NOW, content), post.due_at)
    assert town.publish() == 0
    if until == "before":
        for _ in range(5):
            town.tick(minutes=6)
            town.round()
        assert len(town.waiting) == 1
    town.tick(days=3)
    for _ in range(8):
        town.round()
        town.publish()
        town.tick(minutes=6)
    assert (town.public, town.state()) == ([TEXT], "published")


def test_no_worker_takes_what_is_being_given_and_nobody_gives_what_a_worker_took(town: Town) -> None:
    town.add()
    [post] = town.house.desk.find("1")
    with town.house.store.write() as tx:
        assert handovers.begin(tx, post, now=NOW)
        assert not handovers.begin(tx, post, now=NOW)
    town.tick(days=3, minutes=1)
    assert town.publish() == 0
    town.add("Second", at="2026-12-04 09:30")
    [second] = town.house.desk.find("2")
    town.tick(hours=1)
    town.publish()
    with town.house.store.write() as tx:
        assert not handovers.begin(tx, second, now=town.still.now())


def test_what_facebook_does_not_publish_in_time_is_published_from_here(town: Town) -> None:
    town.add()
    town.round()
    town.box.graph.rules.scheduled_posts_fail_silently = True
    town.tick(days=3, minutes=10)
    town.round()
    assert town.publish() == 0
    town.tick(minutes=25)
    town.round()
    assert (town.publish(), town.public) == (1, [TEXT])


def test_what_somebody_took_out_at_facebook_waits_for_a_person(town: Town) -> None:
    town.add()
    town.round()
    [post] = town.house.desk.find("1")
    with town.house.store.read() as tx:
        known = handovers.of(tx, post.id)
    assert known is not None
    del town.box.graph.world.posts[str(known.remote_id)]
    for _ in range(3):
        town.tick(hours=25)
        town.round()
        if not town.house.desk.find("1")[0].handed_over:
            break
    [post] = town.house.desk.find("1")
    assert (post.paused, post.handed_over) == (True, False)
    assert "somebody took it out there" in str(post.reason)


def test_what_somebody_changed_at_facebook_is_taken_back_and_given_as_approved(town: Town) -> None:
    town.add()
    town.round()
    next(iter(town.box.graph.world.posts.values())).message = "Something else"
    town.round()
    town.tick(minutes=3)
    town.round()
    assert town.waiting == [TEXT]


def test_after_a_restore_what_may_have_been_given_meanwhile_is_looked_for_first(town: Town) -> None:
    town.add()
    town.add("Second")
    town.round()
    with town.house.store.write() as tx:  # the backup is from before they were given
        for number in (1, 2):
            handovers.end(tx, town.house.desk.find(str(number))[0].id)
    gone = next(key for key, post in town.box.graph.world.posts.items() if "Second" in str(post.message))
    del town.box.graph.world.posts[gone]
    with town.house.store.write() as tx:
        aftermath.mark(tx, "a test", now=town.still.now(), look_after_s=(30,))
    assert [post.handed_over for n in (1, 2) for post in town.house.desk.find(str(n))] == [True, True]
    town.round()
    town.house.desk.let_out_again(person="ann@example.org")
    for _ in range(6):
        town.tick(minutes=6)
        town.round()
    town.tick(days=3)
    for _ in range(5):
        town.round()
        town.publish()
        town.tick(minutes=6)
    assert sorted(town.public) == [TEXT, "Second\n\nPlease come."]


def test_a_dead_token_pauses_the_channel_and_loses_nothing(town: Town) -> None:
    town.add()
    town.box.graph.fail_with("190_463", op="feed")
    assert town.round() == 0
    [row] = [row for row in town.house.desk.channels() if row.name == "facebook"]
    assert (row.state, town.waiting, town.state()) == ("paused", [], "queued")
    assert town.house.desk.find("1")[0].handed_over is False


def test_a_handed_over_post_is_never_missed_by_the_queue(town: Town) -> None:
    town.add()
    town.round()
    town.tick(days=5)
    town.publish()
    assert town.state() == str(State.QUEUED)
    assert isinstance(town.handing, HandingOver)
    town.round()
    assert town.state() == "published"


def test_where_nobody_can_tell_it_is_in_doubt_and_a_person_decides(town: Town) -> None:
    town.add()
    town.box.graph.fail("feed", "close", write=False)
    town.round()
    town.box.graph.fail("published_posts", "empty-list", times=None)
    town.tick(days=3)
    for _ in range(8):
        town.round()
        assert town.publish() == 0
        town.tick(minutes=6)
    assert (town.state(), town.public) == ("unconfirmed", [])
    town.house.desk.requeue("1")
    assert (town.publish(), town.public) == (1, [TEXT])


@contextmanager
def killable(folder: Path, database: Path) -> Iterator[tuple[Sandbox, StillClock, Callable[[], None]]]:
    """An install with a post to hand over, and a worker's round in a process of its own, which may die in it."""
    folder.mkdir()
    with Sandbox(clock=Clock(NOW)) as box:
        place, still = Place(folder, box, database=database), StillClock()
        settings = read_settings(place.settings | {"FACEBOOK_HAND_OVER_DAYS": "28"})
        box.graph.world.add_post(box.page_id, message=OLD, link=None, photo_ids=(), due_at=None, is_public=True)
        house = House(settings, still)
        letter = Letter("Colloquium", "Please come.", at="2026-12-04 09:00", to=("facebook",))
        house.desk.add(letter, folder=house.media)
        house.close()

        def work() -> None:
            mine = House(settings, still)
            handing_over_of(mine).round()
            publisher, _ = mine.new_worker()
            publisher.drain(Event())
            publisher.close()
            mine.close()

        yield box, still, work


@pytest.mark.parametrize("part", [0, 0.2, 0.4, 0.6, 0.8, 0.99])
@pytest.mark.parametrize("when", ["while giving", "while it is out there"])
def test_whenever_the_worker_is_killed_the_page_shows_it_once(
    tmp_path: Path, migrated_file: Path, part: float, when: str
) -> None:
    def to_its_time(box: Sandbox, still: StillClock, work: Callable[[], None]) -> None:
        if when == "while it is out there":
            work()
            still.tick(3 * 24 * 3600 + 60)
            box.graph.clock.advance(3 * 24 * 3600 + 60)

    with killable(tmp_path / "counted", migrated_file) as (box, still, work):
        to_its_time(box, still, work)
        lines = lines_of(work, HANDING_OVER)
    with killable(tmp_path / "killed", migrated_file) as (box, still, work):
        to_its_time(box, still, work)
        killed_before(1 + int(lines * part), work, HANDING_OVER)
        for minutes in (6, 6, 6, 6, 3 * 24 * 60, 6, 6, 6, 6, 6, 6, 6):
            still.tick(minutes * 60)
            box.graph.clock.advance(minutes * 60)
            work()
        assert [post.message for post in box.graph.public_posts() if post.message != OLD] == [TEXT]


def test_what_is_with_a_channel_that_is_not_set_up_any_more_is_not_cancelled(town: Town) -> None:
    town.add()
    town.round()
    kept = {name: value for name, value in town.settings.items() if not name.startswith("FACEBOOK_PAGE")}
    without = House(read_settings(kept), town.still)
    with pytest.raises(BadInput, match="its channel is not set up any more"):
        without.desk.cancel("1")
    without.close()
