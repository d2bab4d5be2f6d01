"""The limit of the Page: kept by whoever asks, and from 90 % on only what a post in doubt needs is asked."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from outreach.bootstrap import House
from outreach.channels import Usage
from outreach.letter import parse
from outreach.model import State
from outreach.sandbox import Clock, Sandbox
from outreach.settings import read_settings
from outreach.store import usage
from tests.builders import NOW
from tests.doors.place import Place
from tests.work.clocks import StillClock

LETTER = "---\ntitle: Poster session\nat: {}\nzone: America/New_York\nto: [facebook]\n---\nJoin us.\n"


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(clock=Clock(NOW)) as running:
        yield running


@pytest.fixture
def house(box: Sandbox, tmp_path: Path, migrated_file: Path) -> Iterator[House]:
    given = Place(tmp_path, box, database=migrated_file).settings | {"FACEBOOK_APP_ID": box.app_id}
    made = House(read_settings(given), StillClock())
    yield made
    made.close()


def used(house: House) -> list[int]:
    row = house.desk.channels()[0]
    with house.store.read() as tx:
        return [each.percent for each in usage.since(tx, row.id, NOW - timedelta(days=1), until=house.clock.now())]


def publish_one(house: House, at: str = "now") -> None:
    house.desk.add(parse(LETTER.format(at)), folder=Path())
    publisher, _ = house.new_worker()
    publisher.drain()
    publisher.close()


def test_who_publishes_keeps_how_much_is_used(house: House, box: Sandbox) -> None:
    box.graph.rules.call_budget = 50
    publish_one(house)
    assert used(house) == [2]


def test_who_checks_keeps_it_too(house: House, box: Sandbox) -> None:
    box.graph.rules.call_budget = 50
    house.new_preflight().round()
    assert used(house)[0] > 0
    assert {entry.op for entry in box.graph.journal} >= {"me"}


def fill(box: Sandbox, percent: int) -> None:
    """Let the next answers say that so much is used."""
    header = f'{{"{box.page_id}":[{{"type":"pages","call_count":{percent},"total_cputime":1,"total_time":1}}]}}'
    for op in ("feed", "me", "read", "published_posts"):
        box.graph.fail(op, "delay", times=None, seconds=0, headers={"X-Business-Use-Case-Usage": header})


@pytest.mark.parametrize(("percent", "is_asked"), [(89, True), (90, False), (99, False)])
def test_from_ninety_percent_on_the_page_is_not_checked(
    house: House, box: Sandbox, percent: int, is_asked: bool
) -> None:
    fill(box, percent)
    publish_one(house)
    box.graph.journal.clear()
    check = house.new_preflight().of_channel("facebook")
    assert bool(box.graph.journal) == is_asked
    assert any("of its limit is used" in problem.message for problem in check.problems) != is_asked
    assert all(problem.is_warning for problem in check.problems)


def test_the_check_is_made_again_when_the_rest_is_over(house: House, box: Sandbox) -> None:
    fill(box, 95)
    publish_one(house)
    box.graph.journal.clear()
    assert isinstance(house.clock, StillClock)
    house.clock.tick(3600)
    house.new_preflight().of_channel("facebook")
    assert box.graph.journal != []


def test_the_address_of_a_post_waits_until_there_is_room(house: House, box: Sandbox) -> None:
    fill(box, 95)
    publish_one(house)
    _, watch = house.new_worker()
    watch.links.recall()
    box.graph.journal.clear()
    watch.links.fetch()
    assert box.graph.journal == []
    assert isinstance(house.clock, StillClock)
    house.clock.tick(3600)
    watch.links.fetch()
    assert [entry.op for entry in box.graph.journal] == ["read"]


def test_a_post_in_doubt_is_looked_for_however_much_is_used(house: House, box: Sandbox) -> None:
    box.graph.fail("feed", "500-2")
    publish_one(house)
    assert house.desk.queue()[0].state is State.UNCONFIRMED
    fill(box, 99)
    row = house.desk.channels()[0]
    with house.store.write() as tx:
        usage.keep(tx, row.id, Usage(NOW, 99, 1, 1))
    assert isinstance(house.clock, StillClock)
    house.clock.tick(40)
    _, watch = house.new_worker()
    watch.doubts.look()
    assert "published_posts" in {entry.op for entry in box.graph.journal}
    assert house.desk.queue() == []
    assert used(house)[0] == 99
