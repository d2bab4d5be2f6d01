"""The chore of figures over real sockets: what went out is asked about, slowly, quietly, and never on a paused channel."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from outreach.bootstrap import House
from outreach.letter import parse
from outreach.lifecycle import Pause
from outreach.sandbox import Clock, Sandbox
from outreach.sandbox.audience import engage
from outreach.settings import read_settings
from outreach.store import channels, reached
from outreach.store.reached import Reach, Standing
from outreach.watch.figures import MOST_AT_ONCE, Figures
from tests.builders import NOW, column
from tests.doors.place import Place
from tests.work.clocks import StillClock

HOUR_S = 3600


class Install:
    """A house on a sandbox whose clock moves with its own."""

    def __init__(self, box: Sandbox, place: Place) -> None:
        self.box, self.clock = box, StillClock()
        self.house = House(read_settings(place.settings | {"OUTREACH_SPACING_S": "0"}), self.clock)
        self.desk, self.folder = self.house.desk, place.folder
        self.chore = self.new_chore()

    def new_chore(self) -> Figures:
        fresh = self.house.new_channels()
        by_id = {target.id: fresh[target.name] for target in self.house.targets}
        return Figures(store=self.house.store, channels=by_id, now=self.clock.now)

    def publish(self, *titles: str) -> list[str]:
        """Let announcements go out on the Page, and give their ids there."""
        for title in titles:
            letter = (
                f"---\ntitle: {title}\nto: [facebook]\nat: 2026-12-01 09:00\nzone: America/New_York\n---\nJoin us.\n"
            )
            self.desk.add(parse(letter), folder=self.folder)
        publisher, watch = self.house.new_worker()
        publisher.drain()
        publisher.close()
        watch.leave()
        return [post.id for post in self.box.graph.public_posts()]

    def tick(self, seconds: float) -> None:
        self.clock.tick(seconds)
        self.box.graph.clock.advance(seconds)

    def reach(self) -> dict[int, Reach]:
        with self.house.store.read() as tx:
            return reached.of_posts(tx, column(self.house.store, "SELECT id FROM posts"))

    def standing(self) -> Standing:
        with self.house.store.read() as tx:
            return reached.standing(tx, self.house.targets[0].id)

    def asked(self) -> int:
        return sum("fields" in entry.params and entry.op == "read" for entry in self.box.graph.journal)


@pytest.fixture
def install(box: Sandbox, place: Place) -> Iterator[Install]:
    made = Install(box, place)
    yield made
    made.house.close()


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(clock=Clock(NOW)) as running:
        yield running


def test_what_went_out_is_asked_about_and_kept(install: Install) -> None:
    [post] = install.publish("Poster session")
    engage(install.box.graph.world, post, reactions={"like": 8}, comments=["When?", "Where?"],
           figures={"post_total_media_view_unique": 120})  # fmt: skip
    assert install.chore.round() == 0  # too early
    install.tick(600)
    assert install.chore.round() == 1

    [reach] = install.reach().values()
    assert (reach.values["reached"], reach.values["reactions"], reach.values["comments"]) == (120, 8, 2)
    assert reach.asked_at == install.clock.now()
    assert reach.remark is not None
    assert reach.remark.text == "Where?"
    assert install.standing().values["followers"] == 1240


def test_it_is_asked_again_an_hour_later_and_not_before(install: Install) -> None:
    [post] = install.publish("Poster session")
    install.tick(600)
    install.chore.round()
    engage(install.box.graph.world, post, shares=3)
    install.tick(HOUR_S - 1)
    assert install.chore.round() == 0
    install.tick(1)
    assert install.chore.round() == 1
    assert [reach.values["shares"] for reach in install.reach().values()] == [3]


def test_a_few_at_a_time(install: Install) -> None:
    install.publish(*(f"Talk {number}" for number in range(MOST_AT_ONCE + 2)))
    install.tick(600)
    assert [install.chore.round() for _ in range(3)] == [MOST_AT_ONCE, 2, 0]


def test_a_paused_channel_is_asked_nothing(install: Install) -> None:
    install.publish("Poster session")
    number = install.house.targets[0].id
    with install.house.store.write() as tx:
        channels.pause(tx, number, Pause("We look into something.", None), now=NOW, person="ann@example.org")
    before = len(install.box.graph.journal)
    install.tick(600)
    assert install.chore.round() == 0
    assert len(install.box.graph.journal) == before


def test_a_channel_at_its_limit_is_asked_nothing(install: Install) -> None:
    install.publish("Poster session")
    with install.house.store.write() as tx:
        tx.exec_driver_sql("UPDATE channels SET not_before = 9000000000000000")
    install.tick(600)
    before = len(install.box.graph.journal)
    assert install.chore.round() == 0
    assert len(install.box.graph.journal) == before


def test_a_retracted_post_is_let_go(install: Install) -> None:
    install.publish("Poster session")
    install.tick(600)
    install.chore.round()
    with install.house.store.write() as tx:
        tx.exec_driver_sql("UPDATE posts SET state = 'retracted'")
    install.tick(HOUR_S)
    assert install.chore.round() == 0
    assert column(install.house.store, "SELECT ask_at FROM reached") == [None]


@pytest.mark.parametrize(
    ("harm", "note"),
    [
        (lambda box: box.graph.tokens.kill(box.page_token, 463), "The token has expired."),
        (lambda box: box.graph.fail("*", "close", times=None), "Facebook did not tell:"),
    ],
    ids=["dead token", "no answer"],
)
def test_what_fails_is_one_sentence_and_the_post_stays_published(
    install: Install, harm: Callable[[Sandbox], Any], note: str
) -> None:
    install.publish("Poster session", "Webinar")
    harm(install.box)
    install.tick(600)
    assert install.chore.round() == 1  # the second is not even tried
    assert install.chore.round() == 0

    assert install.standing().note.startswith(note)
    assert column(install.house.store, "SELECT DISTINCT state FROM posts") == ["published"]
    assert column(install.house.store, "SELECT state FROM channels WHERE name = 'facebook'") == ["ready"]


def test_the_sentence_goes_when_it_works_again(install: Install) -> None:
    install.publish("Poster session")
    install.box.graph.fail("*", "close", times=1)
    install.tick(600)
    install.chore.round()
    assert install.standing().note
    install.tick(HOUR_S)
    install.chore.round()
    assert (install.standing().note, len(install.reach())) == ("", 1)


def test_a_post_that_is_gone_there_keeps_no_other_from_being_asked_about(install: Install) -> None:
    first, _ = install.publish("Poster session", "Webinar")
    with install.box.graph.world.lock:
        install.box.graph.world.remove_post(install.box.graph.world.posts[first])
    install.tick(600)
    install.chore.round()
    install.tick(601)
    install.chore.round()
    assert len(install.reach()) == 1


def test_no_limit_is_used_up_by_figures(install: Install) -> None:
    install.publish(*(f"Talk {number}" for number in range(5)))
    install.box.graph.rules.call_budget = len(install.box.graph.journal) + 8
    install.tick(600)
    for _ in range(30):
        install.chore.round()
        install.new_chore().round()  # another worker rests as well
        install.tick(60)
    used = len(install.box.graph.journal) * 100 / install.box.graph.rules.call_budget
    assert used < 100
    assert install.standing().rest_until is not None


def test_two_workers_ask_once(install: Install) -> None:
    install.publish("Poster session")
    install.tick(600)
    other = install.new_chore()
    assert [install.chore.round(), other.round()] == [1, 0]


def test_the_page_itself_is_asked_about_once_a_day(install: Install) -> None:
    install.publish("Poster session")
    install.tick(600)
    for _ in range(30):
        install.chore.round()
        install.tick(HOUR_S)
    days = sum("page_follows" in str(entry.params.get("metric", "")) for entry in install.box.graph.journal)
    assert days == 2


def test_nothing_kept_holds_a_token_or_the_next_page(install: Install) -> None:
    [post] = install.publish("Poster session")
    engage(install.box.graph.world, post, comments=[f"token {install.box.page_token}"])
    install.tick(600)
    install.chore.round()
    kept = ("remark_text FROM reached", "remark_url FROM reached", "measure FROM reached_values", "value FROM meta")
    whole = repr([column(install.house.store, f"SELECT {each}") for each in kept])
    assert install.box.page_token not in whole
    assert "access_token" not in whole


def test_a_workers_errands_hold_it(install: Install) -> None:
    names = {errand.name: errand.every_s for errand in install.house.errands("a worker")}
    assert names["figures"] == timedelta(minutes=1).total_seconds()
