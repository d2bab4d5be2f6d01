"""Connecting a Page to a running install: what is kept, what is refused, and who takes the new token at once."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outreach.bootstrap import House
from outreach.channels._connecting import SCOPES
from outreach.chores import page_key_of
from outreach.desk.connecting import AnotherPage, NotAccepted, Who
from outreach.model import BadInput, State
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from outreach.store import connections, handovers
from tests.builders import column
from tests.connecting import ANN, appointed, led_back, logged_in, told
from tests.doors.place import Place
from tests.work.clocks import StillClock


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(pages=2) as made:
        yield made


@pytest.fixture
def place(tmp_path: Path, migrated_file: Path, box: Sandbox) -> Place:
    return appointed(Place(tmp_path, box, database=migrated_file), box)


@pytest.fixture
def house(place: Place) -> Iterator[House]:
    made = place.house()
    yield made
    made.close()


def connect(house: House, box: Sandbox, place: int = 0, **more: Any) -> Any:
    number = logged_in(house, pages=[page.id for page in box.pages])
    return house.connecting.choose(number, ANN, page_id=box.pages[place].id, **more)


# The story


def test_a_post_queued_before_the_page_is_connected_goes_out_once_it_is(
    place: Place, house: House, box: Sandbox
) -> None:
    place.json("add", place.letter(title="We have a Page", to="[facebook]"))
    assert place.cli("worker", "--once").code == 0
    (row,) = [row for row in house.desk.channels() if row.name == "facebook"]
    assert (row.state, row.reason) == ("paused", "No Page is connected yet. Open Channels and press: Connect a Page.")

    done = connect(house, box)

    assert [post.name for post in done.waiting] == ["1/facebook"]
    assert place.cli("worker", "--once").code == 0
    assert place.states() == {"1/facebook": "published"}
    assert [post.message for post in box.graph.public_posts(box.page_id)] == [
        "We have a Page\n\nPlease come to room 7."
    ]
    assert box.graph.public_posts(box.pages[1].id) == []


def test_a_running_worker_takes_a_token_that_another_process_got(place: Place, house: House, box: Sandbox) -> None:
    """Two houses on one database: the worker's was built before the Page was connected."""
    other = place.house()
    publisher, _ = other.new_worker()
    connect(house, box)
    place.json("add", place.letter(to="[facebook]"))

    publisher.drain()

    assert place.states() == {"1/facebook": "published"}
    box.graph.tokens.kill(_page_token(house), 460)
    connect(house, box)
    place.json("add", place.letter("b.md", title="Once more", to="[facebook]"))
    publisher.drain()
    assert place.states() == {"1/facebook": "published", "2/facebook": "published"}
    publisher.close()
    other.close()


def test_a_connected_page_outweighs_the_settings(place: Place, box: Sandbox) -> None:
    place.settings |= {"FACEBOOK_PAGE_ID": box.pages[1].id, "FACEBOOK_PAGE_TOKEN": "EAA-of-the-settings"}
    house = place.house()
    connect(house, box, means_another=True)
    place.json("add", place.letter(to="[facebook]"))
    place.cli("worker", "--once")
    assert len(box.graph.public_posts(box.page_id)) == 1
    house.close()


def test_connecting_again_after_a_token_died_keeps_the_queue_and_names_what_waited(
    place: Place, house: House, box: Sandbox
) -> None:
    connect(house, box)
    kept = _page_token(house)
    box.graph.tokens.kill(kept, 460)
    place.json("add", place.letter(to="[facebook]"))
    place.cli("worker", "--once")
    assert place.states() == {"1/facebook": "queued"}
    assert "password" in str(next(row.reason for row in house.desk.channels() if row.name == "facebook"))

    done = connect(house, box)

    assert [post.name for post in done.waiting] == ["1/facebook"]
    assert next(row.state for row in house.desk.channels() if row.name == "facebook") == "ready"
    place.cli("worker", "--once")
    assert place.states() == {"1/facebook": "published"}
    assert len(box.graph.public_posts()) == 1


def _page_token(house: House) -> str:
    key = page_key_of(house)()
    assert key is not None
    return key.token


def test_a_pause_of_a_person_stays(house: House, box: Sandbox) -> None:
    house.desk.pause_channel("facebook", reason="The Page moves.", person="ben@example.org")
    assert connect(house, box).paused_by == "ben@example.org"
    assert next(row.state for row in house.desk.channels() if row.name == "facebook") == "paused"


def test_a_rest_that_facebook_asked_for_stays(place: Place, house: House, box: Sandbox) -> None:
    connect(house, box)
    box.graph.fail_with("368_1390008")
    place.json("add", place.letter(to="[facebook]"))
    place.cli("worker", "--once")
    before = next(row for row in house.desk.channels() if row.name == "facebook")
    assert before.until is not None
    assert connect(house, box).until == before.until
    assert next(row for row in house.desk.channels() if row.name == "facebook") == before


# Another Page


def test_another_page_is_taken_only_when_somebody_says_so(house: House, box: Sandbox) -> None:
    connect(house, box)
    with pytest.raises(AnotherPage, match=box.page_id):
        connect(house, box, 1)
    with house.store.read() as tx:
        kept = connections.of_name(tx, "facebook")
    assert kept is not None
    assert kept.page_id == box.page_id
    assert connect(house, box, 1, means_another=True).page_id == box.pages[1].id


def test_another_page_is_refused_while_a_post_is_in_doubt(place: Place, house: House, box: Sandbox) -> None:
    connect(house, box)
    box.graph.fail("feed", "close")
    place.json("add", place.letter(to="[facebook]"))
    place.cli("worker", "--once")
    assert place.states() == {"1/facebook": "unconfirmed"}

    with pytest.raises(BadInput, match="1/facebook"):
        connect(house, box, 1, means_another=True)

    assert connect(house, box).page_id == box.page_id  # the same Page may be connected again


def test_another_page_is_refused_while_facebooks_own_scheduler_has_a_post(
    place: Place, house: House, box: Sandbox
) -> None:
    connect(house, box)
    place.json("add", place.letter(to="[facebook]", at="2035-01-15 09:00"))
    with house.store.write() as tx:
        assert handovers.begin(tx, house.desk.find("1")[0], now=house.clock.now())
    with pytest.raises(BadInput, match="1/facebook"):
        connect(house, box, 1, means_another=True)


def test_after_a_page_was_disconnected_another_one_still_wants_a_word(place: Place, house: House, box: Sandbox) -> None:
    connect(house, box)
    place.json("add", place.letter(to="[facebook]"))
    place.cli("worker", "--once")
    house.connecting.disconnect(person="ann@example.org")
    with pytest.raises(AnotherPage, match=box.page_id):
        connect(house, box, 1)
    assert connect(house, box).paused_by == "ann@example.org"


def test_a_page_is_not_disconnected_where_posts_would_go_to_another(place: Place, box: Sandbox) -> None:
    place.settings |= {"FACEBOOK_PAGE_ID": box.pages[1].id, "FACEBOOK_PAGE_TOKEN": box.pages[1].token}
    house = place.house()
    connect(house, box, means_another=True)
    with pytest.raises(BadInput, match=box.pages[1].id):
        house.connecting.disconnect(person="ann@example.org")
    house.close()


# What is refused, and what to do


def test_a_page_that_was_not_ticked_is_shown_and_not_taken(house: House, box: Sandbox) -> None:
    number = logged_in(house, pages=[box.pages[1].id])
    found = house.connecting.choice(number, ANN)
    hindered = {offer.id: offer.hindrance for offer in found.offers}
    assert hindered[box.pages[1].id] is None
    with pytest.raises(NotAccepted, match="was not ticked"):
        house.connecting.choose(number, ANN, page_id=box.page_id)
    assert column(house.store, "SELECT page_id FROM connections") == []


@pytest.mark.parametrize("scope", ["pages_manage_posts", "pages_read_engagement"])
def test_a_permission_that_was_not_ticked_is_named(house: House, box: Sandbox, scope: str) -> None:
    number = logged_in(house, pages=[box.page_id], without=[scope])
    with pytest.raises(NotAccepted) as refused:
        house.connecting.choose(number, ANN, page_id=box.page_id)
    assert f"The permission {scope} was not given." in [each.message for each in refused.value.problems]
    assert all("Press Connect a Page again" in each.next_step for each in refused.value.problems)


def test_who_may_not_create_content_is_told_whom_to_ask(house: House, box: Sandbox) -> None:
    box.graph.rules.tasks_by_page[box.page_id] = ("ANALYZE",)
    number = logged_in(house, pages=[box.page_id])
    with pytest.raises(NotAccepted, match="You may not create content") as refused:
        house.connecting.choose(number, ANN, page_id=box.page_id)
    assert "full control" in refused.value.next_step


def test_a_page_token_of_a_short_token_is_not_kept(place: Place, house: House, box: Sandbox) -> None:
    said = told(led_back(house.connecting.begin(ANN), pages=[box.page_id]))
    book, now = box.graph.tokens, box.graph.clock.now()
    answer = box.graph.oauth.token(
        _params(
            client_id=box.app_id,
            client_secret=box.app_secret,
            code=said["code"],
            redirect_uri=house.connecting.redirect_uri,
        )
    )
    parent = book.find(answer.body["access_token"])
    assert parent is not None
    child = book.of_page(parent, box.page_id, now)
    assert child is not None
    with pytest.raises(NotAccepted, match="made from a short-lived log-in"):
        house.connecting.connect_by(child, ANN)
    assert house.connecting.connect_by(parent.text, ANN, page_id=box.page_id).page_id == box.page_id


def _params(**values: str) -> Any:
    from outreach.sandbox.bodies import Params

    return Params(dict(values))


def test_a_token_of_another_app_is_not_kept(place: Place, box: Sandbox) -> None:
    house = place.house(FACEBOOK_APP_ID="4711")
    with pytest.raises(BadInput):
        house.connecting.connect_by(box.page_token, ANN)
    assert column(house.store, "SELECT page_id FROM connections") == []
    house.close()


@pytest.mark.parametrize(
    ("gone", "setting"), [("OUTREACH_SECRET_KEY", "OUTREACH_SECRET_KEY"), ("FACEBOOK_APP_SECRET", "FACEBOOK_APP_ID")]
)
def test_without_a_key_or_an_app_nothing_is_begun(place: Place, gone: str, setting: str) -> None:
    house = place.house(**{gone: ""})
    with pytest.raises(BadInput) as refused:
        house.connecting.begin(ANN)
    assert refused.value.where == setting
    assert refused.value.next_step
    house.close()


def test_a_page_of_a_portfolio_is_found_when_its_permission_was_asked_for(house: House, box: Sandbox) -> None:
    box.graph.rules.portfolio = {box.page_id: "owned_pages"}
    begun = house.connecting.begin(ANN, extra=["business_management"])
    said = told(led_back(begun, pages=[page.id for page in box.pages]))
    number = house.connecting.answer(ANN, state=said["state"], code=said["code"])
    assert {offer.id for offer in house.connecting.choice(number, ANN).offers} == {page.id for page in box.pages}
    assert house.connecting.choose(number, ANN, page_id=box.page_id).page_id == box.page_id


# The dialog


def test_the_dialog_asks_for_no_more_than_what_was_switched_on(house: House) -> None:
    plain = told(house.connecting.begin(ANN))
    more = told(house.connecting.begin(ANN, extra=["read_insights", "publish_to_groups"]))
    assert plain["scope"] == ",".join(SCOPES)
    assert more["scope"] == ",".join([*SCOPES, "read_insights"])
    assert plain["state"] != more["state"]


def test_an_answer_counts_once_and_only_for_who_asked(house: House, box: Sandbox) -> None:
    said = told(led_back(house.connecting.begin(ANN), pages=[box.page_id]))
    for who, state in ((Who("ben@example.org", "of ben"), said["state"]), (ANN, "forged"), (ANN, "")):
        with pytest.raises(BadInput, match="no question that you asked"):
            house.connecting.answer(who, state=state, code=said["code"])
    number = house.connecting.answer(ANN, state=said["state"], code=said["code"])
    with pytest.raises(BadInput, match="no question that you asked"):
        house.connecting.answer(ANN, state=said["state"], code=said["code"])
    with pytest.raises(BadInput, match="is over"):
        house.connecting.choice(number, Who("ben@example.org", "of ben"))


def test_an_answer_that_comes_late_counts_no_more_and_its_token_is_forgotten(place: Place, box: Sandbox) -> None:
    clock = StillClock()
    house = House(read_settings(place.settings), clock)
    said = told(led_back(house.connecting.begin(ANN), pages=[box.page_id]))
    number = logged_in(house, pages=[box.page_id])
    assert len(column(house.store, "SELECT sealed FROM dialogs WHERE sealed IS NOT NULL")) == 1
    clock.tick(15 * 60)
    with pytest.raises(BadInput, match="no question that you asked"):
        house.connecting.answer(ANN, state=said["state"], code=said["code"])
    with pytest.raises(BadInput, match="is over"):
        house.connecting.choose(number, ANN, page_id=box.page_id)
    house.connecting.tidy()
    assert column(house.store, "SELECT id FROM dialogs") == []
    house.close()


def test_of_two_that_bring_the_same_answer_one_is_heard(place: Place, house: House, box: Sandbox) -> None:
    said = told(led_back(house.connecting.begin(ANN), pages=[box.page_id]))
    ends: list[object] = []
    houses = [place.house() for _ in range(4)]

    def bring(of: House) -> None:
        try:
            ends.append(of.connecting.answer(ANN, state=said["state"], code=said["code"]))
        except BadInput:
            ends.append(None)

    threads = [threading.Thread(target=bring, args=(each,)) for each in houses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(end is None for end in ends) == [False, True, True, True]
    for each in houses:
        each.close()


# Secrets


def test_no_token_stands_anywhere_in_clear(
    place: Place, house: House, box: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    number = logged_in(house, pages=[box.page_id])
    during = _bytes_of(place)
    house.connecting.choose(number, ANN, page_id=box.page_id)
    place.json("add", place.letter(to="[facebook]"))
    place.cli("worker", "--once")
    after = _bytes_of(place)
    tokens = [text for text in box.graph.tokens._tokens if text.startswith("EAA")]
    assert len(tokens) >= 4
    everything = during + after + caplog.text.encode() + repr(house.connecting.__dict__).encode()
    assert [text for text in (*tokens, box.app_secret) if text.encode() in everything] == []
    assert column(house.store, "SELECT sealed FROM dialogs WHERE sealed IS NOT NULL") == []


def _bytes_of(place: Place) -> bytes:
    return b"".join(file.read_bytes() for file in place.queue.rglob("*") if file.is_file())


def test_with_another_key_nothing_goes_out_and_the_channel_says_what_to_do(
    place: Place, house: House, box: Sandbox
) -> None:
    connect(house, box)
    place.settings |= {"OUTREACH_SECRET_KEY": "another key", "FACEBOOK_PAGE_ID": box.page_id}
    place.settings |= {"FACEBOOK_PAGE_TOKEN": box.page_token}
    place.json("add", place.letter(to="[facebook]"))
    place.cli("worker", "--once")
    assert place.states() == {"1/facebook": str(State.QUEUED)}
    assert box.graph.public_posts() == []
    (row,) = [row for row in house.desk.channels() if row.name == "facebook"]
    assert "OUTREACH_SECRET_KEY" in str(row.reason)
