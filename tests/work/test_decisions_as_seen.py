"""Decisions about what was seen: a page left open never does harm, whatever happened to the post meanwhile."""

from collections.abc import Callable
from pathlib import Path

import pytest

from outreach.bootstrap import House
from outreach.desk import Changed, ChangedSince, Place, Seen
from outreach.letter import parse
from outreach.model import BadInput, Move, Post, State
from tests.builders import a_stored_post, an_announcement, everything, make, seen, take

Verb = Callable[..., Changed]


def verb(house: House, name: str) -> Verb:
    if name == "confirm":
        return lambda number, **more: house.desk.confirm(number, url="https://example.org/1", **more)
    found: Verb = getattr(house.desk, name)
    return found


FROM = {
    "pause": State.QUEUED,
    "resume": State.QUEUED,
    "cancel": State.QUEUED,
    "requeue": State.UNCONFIRMED,
    "confirm": State.UNCONFIRMED,
}
AFTER = {
    "pause": (State.QUEUED, True),
    "resume": (State.QUEUED, False),
    "cancel": (State.CANCELLED, False),
    "requeue": (State.QUEUED, False),
    "confirm": (State.PUBLISHED, False),
}


def as_seen(post: Post, revision: int = 1) -> list[Seen]:
    return [Seen.read(str(Seen.of(post, revision)))]


@pytest.mark.parametrize("name", FROM)
def test_what_is_as_it_was_seen_is_decided(house: House, name: str) -> None:
    post = a_stored_post(house.store, FROM[name])
    changed = verb(house, name)(str(post.announcement), person="ann@example.org", seen=as_seen(post))
    now = seen(house.store, post)
    assert (now.state, now.paused) == AFTER[name]
    assert [each.id for each in changed.posts] == [post.id]


def worker_took_it(house: House, post: Post) -> None:
    if post.state is State.QUEUED:
        take(house.store, post)
    else:
        make(house.store, post, Move.CONFIRM)


def worker_tried_it_and_it_is_back(house: House, post: Post) -> None:
    if post.state is State.UNCONFIRMED:
        make(house.store, post, Move.ABSOLVE)
    take(house.store, post)
    make(house.store, post, Move.DEFER if post.state is State.QUEUED else Move.DOUBT)


def somebody_paused_it(house: House, post: Post) -> None:
    if post.state is State.QUEUED:
        house.desk.pause(str(post.announcement))
    else:
        make(house.store, post, Move.REQUEUE)


MEANWHILE = [worker_took_it, worker_tried_it_and_it_is_back, somebody_paused_it]


@pytest.mark.parametrize("meanwhile", MEANWHILE)
@pytest.mark.parametrize("name", FROM)
def test_what_changed_since_it_was_seen_is_left_alone(
    house: House, name: str, meanwhile: Callable[[House, Post], None]
) -> None:
    post = a_stored_post(house.store, FROM[name])
    meanwhile(house, post)
    before = everything(house.store)

    with pytest.raises(ChangedSince, match=r"changed since you opened this page: .* Nothing was done"):
        verb(house, name)(str(post.announcement), seen=as_seen(post))

    assert everything(house.store) == before


def test_a_text_that_was_changed_since_is_not_cancelled_or_paused(house: House, tmp_path: Path) -> None:
    added = house.desk.add(parse("---\ntitle: Poster\nat: 2026-12-02 09:00\n---\nCome.\n"), folder=tmp_path)
    before = added.posts[0]
    base = house.desk.latest(added.announcement).key
    house.desk.edit(
        Place(added.announcement, base),
        parse("---\ntitle: Poster\nat: 2026-12-02 09:00\n---\nStay.\n"),
        folder=tmp_path,
    )
    with pytest.raises(ChangedSince, match="somebody changed what it says"):
        house.desk.cancel(str(added.announcement), seen=as_seen(before))
    house.desk.cancel(str(added.announcement), seen=as_seen(seen(house.store, before), revision=2))


def test_of_several_posts_all_are_decided_or_none(house: House) -> None:
    first, second = an_announcement(house.store, on=("facebook", "listserv"))
    both = [*as_seen(first), *as_seen(second)]
    take(house.store, second)
    before = everything(house.store)

    with pytest.raises(ChangedSince, match="listserv"):
        house.desk.cancel(str(first.announcement), seen=both)
    assert everything(house.store) == before


@pytest.mark.parametrize("name", FROM)
def test_the_posts_of_another_announcement_cannot_be_smuggled_in(house: House, name: str) -> None:
    mine, other = a_stored_post(house.store, FROM[name]), a_stored_post(house.store, FROM[name], channel="listserv")
    before = everything(house.store)
    with pytest.raises(BadInput, match="no such post"):
        verb(house, name)(str(mine.announcement), seen=as_seen(other))
    with pytest.raises(BadInput, match="no such post"):
        verb(house, name)(str(mine.announcement), seen=[])
    assert everything(house.store) == before


def test_what_the_table_does_not_allow_is_refused_though_it_is_as_it_was_seen(house: House) -> None:
    post = a_stored_post(house.store, State.PUBLISHED)
    before = everything(house.store)
    for name in FROM:
        with pytest.raises(BadInput) as refused:
            verb(house, name)(str(post.announcement), seen=as_seen(post))
        assert not isinstance(refused.value, ChangedSince)
    assert everything(house.store) == before


@pytest.mark.parametrize(
    "words",
    ["", "1", "1:queued:0:1", "1:queued:0:1:0:0", "x:queued:0:1:0", "1:sold:0:1:0", "1:queued:-1:1:0", "1:queued:0:1:"],
)
def test_a_form_that_does_not_say_what_it_is_about_is_refused(words: str) -> None:
    with pytest.raises(BadInput, match="does not say what it is about"):
        Seen.read(words)


def test_an_announcement_is_wholly_cancelled_as_one_decision(house: House) -> None:
    first, second = an_announcement(house.store, on=("facebook", "listserv"))
    changed = house.desk.cancel(str(first.announcement), seen=[*as_seen(first), *as_seen(second)])
    assert [post.state for post in changed.posts] == [State.CANCELLED, State.CANCELLED]
