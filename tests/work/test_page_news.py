"""News of a Page, worked on: a post in doubt is looked for at once and never sent twice, figures come sooner, others' words go."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from outreach.bootstrap import House
from outreach.letter import parse
from outreach.model import Post
from outreach.sandbox import Clock, Sandbox
from outreach.sandbox.audience import engage
from outreach.settings import read_settings
from outreach.store import heard
from outreach.watch import Watch
from tests.builders import NOW, column
from tests.doors.place import Place, a_letter
from tests.work.clocks import StillClock

LETTER = a_letter(title="Poster session", to="[facebook]")


class Install:
    """A house on a sandbox whose clock moves with its own; what the sandbox's webhook says is kept by `tell`."""

    def __init__(self, box: Sandbox, place: Place) -> None:
        self.box, self.clock, self.folder = box, StillClock(), place.folder
        given = place.settings | {"FACEBOOK_WEBHOOK_VERIFY_TOKEN": "word", "OUTREACH_HTTP_TIMEOUT_S": "2"}
        self.house = House(read_settings(given), self.clock)
        self.desk = self.house.desk
        [self.news] = [each for each in self.house.errands("a worker") if each.name == "page news"]
        [self.figures] = [each for each in self.house.errands("a worker") if each.name == "figures"]

    def publish(self) -> tuple[Post, Watch]:
        self.desk.add(parse(LETTER), folder=self.folder)
        publisher, watch = self.house.new_worker()
        publisher.drain()
        publisher.close()
        return self.post(), watch

    def post(self) -> Post:
        [post] = self.desk.find("1/facebook")
        return post

    def tell(self, *nodes: str, **more: Any) -> int:
        """Let the webhook say something, and work on it; give how many bodies were worked on."""
        self.say(*nodes, **more)
        worked = self.news.do()
        assert isinstance(worked, int)
        return worked

    def say(self, *nodes: str, **more: Any) -> None:
        body = self.box.webhooks.body([self.box.webhooks.event(node, **more) for node in nodes])
        with self.house.store.write() as tx:
            sha256 = hashlib.sha256(body).hexdigest()
            heard.keep(tx, self.house.targets[0].id, sha256=sha256, body=body.decode(), now=self.clock.now())

    def tick(self, seconds: float) -> None:
        self.clock.tick(seconds)
        self.box.graph.clock.advance(seconds)

    def sightings(self) -> list[str]:
        return column(self.house.store, "SELECT kind FROM sightings ORDER BY id")


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(clock=Clock(NOW)) as running:
        yield running


@pytest.fixture
def install(box: Sandbox, place: Place) -> Iterator[Install]:
    made = Install(box, place)
    yield made
    made.house.close()


def test_a_post_in_doubt_is_looked_for_at_once_and_found_by_that_look(install: Install) -> None:
    install.box.graph.fail("feed", "write-500-2")
    post, watch = install.publish()
    assert post.state == "unconfirmed"
    [there] = install.box.graph.public_posts()

    assert install.tell(there.id) == 1
    assert (install.post().state, install.post().look_at) == ("unconfirmed", install.clock.now())  # not believed alone
    watch.round()
    assert (install.post().state, install.post().remote_id) == ("published", there.id)
    assert install.sightings() == ["told", "found"]
    watch.leave()


def test_a_post_that_the_page_told_of_is_never_sent_again_by_itself(install: Install) -> None:
    world = install.box.graph.world
    world.add_post(install.box.page_id, message="Another", link=None, photo_ids=(), due_at=None, is_public=True)
    install.tick(600)
    install.box.graph.fail("feed", "write-500-2")
    _, watch = install.publish()
    [_, there] = install.box.graph.public_posts()
    install.box.graph.fail("published_posts", "lagging-list", times=None)  # the list never shows it
    install.tell(there.id)
    for _ in range(20):
        install.tick(120)
        watch.round()
    assert (install.post().state, install.post().look_at) == ("unconfirmed", None)
    assert "not there" in install.sightings()
    watch.leave()


def test_an_older_post_with_the_same_text_is_not_taken_for_it(install: Install) -> None:
    install.box.graph.fail("feed", "write-500-2")
    install.publish()
    [there] = install.box.graph.public_posts()
    install.tell(there.id, created_time=int((NOW - timedelta(hours=2)).timestamp()))
    assert (install.sightings(), install.post().look_at) == ([], NOW + timedelta(seconds=30))


def test_another_text_is_not_taken_for_it(install: Install) -> None:
    install.box.graph.fail("feed", "write-500-2")
    install.publish()
    [there] = install.box.graph.public_posts()
    install.tell(there.id, message="Something else")
    assert install.sightings() == []


def test_a_published_post_is_seen_once_however_often_it_is_told(install: Install) -> None:
    post, _ = install.publish()
    for number in range(3):
        install.tell(str(post.remote_id), created_time=int(NOW.timestamp()) + number)
    assert install.sightings() == ["told"]
    [entry] = [e for _, told in [install.desk.show("1")] for _, entries in told for e in entries if "evidence" in e][
        -1:
    ]
    assert (entry["by"], entry["evidence"]["remote_id"]) == ("the channel", post.remote_id)


def test_the_same_body_again_is_nothing_new(install: Install) -> None:
    post, _ = install.publish()
    assert (install.tell(str(post.remote_id)), install.tell(str(post.remote_id))) == (1, 0)


def test_out_of_order_makes_no_difference(install: Install) -> None:
    install.box.graph.fail("feed", "write-500-2")
    install.publish()
    [there] = install.box.graph.public_posts()
    engage(install.box.graph.world, there.id, comments=["When?"])
    install.tell(next(iter(install.box.graph.world.comments)))
    install.tell(there.id)
    assert install.sightings() == ["told"]


def test_what_is_told_while_a_post_is_being_sent_waits_for_its_answer(install: Install) -> None:
    post, _ = install.publish()
    with install.house.store.write() as tx:
        tx.exec_driver_sql("UPDATE posts SET state = 'publishing', worker = 'w', lease_until = 0")
    assert install.tell(str(post.remote_id)) == 0
    with install.house.store.write() as tx:
        tx.exec_driver_sql("UPDATE posts SET state = 'published', worker = NULL, lease_until = NULL")
    assert install.news.do() == 1
    assert install.sightings() == ["told"]


def test_a_response_brings_the_next_figures_forward_but_not_more_than_every_ten_minutes(install: Install) -> None:
    post, _ = install.publish()
    install.tick(600)
    assert install.figures.do() == 1
    engage(install.box.graph.world, str(post.remote_id), comments=["When?"])
    install.tick(60)
    install.tell(next(iter(install.box.graph.world.comments)))
    assert install.figures.do() == 0
    install.tick(540)
    assert install.figures.do() == 1


def test_others_words_go_once_they_were_worked_on_and_all_of_it_after_a_week(install: Install) -> None:
    post, _ = install.publish()
    install.tell(str(post.remote_id))
    assert column(install.house.store, "SELECT body FROM hook_events") == [""]
    install.tick(8 * 86_400)
    install.tell(str(post.remote_id), item="photo")
    assert len(column(install.house.store, "SELECT id FROM hook_events")) == 1


def test_news_of_what_is_not_ours_changes_nothing(install: Install) -> None:
    install.publish()
    world = install.box.graph.world
    other = world.add_post(install.box.page_id, message="By hand", link=None, photo_ids=(), due_at=None, is_public=True)
    assert install.tell(other.id) == 1
    assert install.sightings() == []


def test_the_house_of_a_list_alone_hears_nothing(place: Place) -> None:
    settings = {k: v for k, v in place.settings.items() if not k.startswith("FACEBOOK")}
    house = House(read_settings(settings), StillClock())
    assert [each for each in house.errands("a worker") if each.name == "page news"] == []
    house.close()
