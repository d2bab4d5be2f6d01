"""Acting: what people decide about posts, and what they are told when somebody else was faster."""

import pytest

from outreach.bootstrap import House
from outreach.desk import Changed
from outreach.model import BadInput, Move, Post, State
from outreach.store import history
from tests.builders import a_stored_post, an_announcement, column, everything, make, require_approval, seen, take
from tests.work.test_queueing import LETTER, at_once


@pytest.fixture
def doubtful(house: House) -> list[Post]:
    """An announcement of which both posts are unconfirmed."""
    house.desk.channels()
    posts = an_announcement(house.store, on=("facebook", "listserv"))
    for post in posts:
        take(house.store, post)
        make(house.store, post, Move.DOUBT)
    return [seen(house.store, post) for post in posts]


def test_a_person_says_that_a_post_is_out_and_where(house: House, doubtful: list[Post]) -> None:
    changed = house.desk.confirm("1/facebook", url="https://www.facebook.com/1/posts/2", person="ann@example.org")
    [post] = changed.posts
    assert (post.state, post.url) == (State.PUBLISHED, "https://www.facebook.com/1/posts/2")
    entry = house.desk.show("1/facebook")[1][0][1][-1]
    assert (entry["kind"], entry["person"]) == ("confirm", "ann@example.org")
    assert seen(house.store, doubtful[1]).state is State.UNCONFIRMED


def test_one_address_is_not_taken_for_two_posts(house: House, doubtful: list[Post]) -> None:
    with pytest.raises(BadInput, match="One address cannot be that of several posts") as bad:
        house.desk.confirm("1", url="https://example.org/1")
    assert bad.value.next_step == "Name one of them: 1/facebook or 1/listserv."


def test_only_the_posts_in_doubt_need_an_address(house: House, doubtful: list[Post]) -> None:
    house.desk.confirm("1/listserv", url="https://example.org/archive/1")
    changed = house.desk.confirm("1", url="https://example.org/posts/1")
    assert [post.name for post in changed.posts] == ["1/facebook"]
    assert changed.notes == ("1/listserv is published and stays so.",)


@pytest.mark.parametrize("url", ["example.org", "ftp://example.org", "javascript:alert(1)", "http://", "http://[", ""])
def test_what_is_no_address_is_refused(house: House, doubtful: list[Post], url: str) -> None:
    before = everything(house.store)
    with pytest.raises(BadInput, match="is not a web address"):
        house.desk.confirm("1/facebook", url=url)
    assert everything(house.store) == before


def test_a_page_post_is_not_confirmed_without_its_address(house: House, doubtful: list[Post]) -> None:
    with pytest.raises(BadInput, match="address is needed"):
        house.desk.confirm("1/facebook", url=None)


def test_of_two_people_who_decide_at_once_one_is_told(house: House, doubtful: list[Post]) -> None:
    desk = house.desk
    ends = at_once(
        lambda: desk.confirm("1/facebook", url="https://example.org/1"),
        lambda: desk.requeue("1/facebook"),
    )
    told = [end for end in ends if isinstance(end, BadInput)]
    assert len(told) == 1
    now = seen(house.store, doubtful[0]).state
    assert f"1/facebook has just become {now} and stays so." in told[0].message or f"is {now}; to " in told[0].message


IMPOSSIBLE = [
    (State.QUEUED, "requeue"),
    (State.QUEUED, "confirm"),
    (State.PUBLISHING, "cancel"),
    (State.PUBLISHING, "requeue"),
    (State.PUBLISHED, "cancel"),
    (State.PUBLISHED, "requeue"),
    (State.PUBLISHED, "confirm"),
    (State.UNCONFIRMED, "cancel"),
    (State.CANCELLED, "requeue"),
    (State.HELD, "cancel"),
]


@pytest.mark.parametrize(("state", "verb"), IMPOSSIBLE)
def test_what_the_table_does_not_allow_is_refused_and_changes_nothing(house: House, state: State, verb: str) -> None:
    a_stored_post(house.store, state)
    before = everything(house.store)
    with pytest.raises(BadInput, match=f"1/facebook is {state}; to {verb} it has to be "):
        decide(house, verb)
    assert everything(house.store) == before


@pytest.mark.parametrize(
    ("state", "verb", "then"),
    [
        (State.QUEUED, "cancel", "cancelled"),
        (State.FAILED, "cancel", "cancelled"),
        (State.MISSED, "cancel", "cancelled"),
        (State.FAILED, "requeue", "queued"),
        (State.MISSED, "requeue", "queued"),
        (State.UNCONFIRMED, "requeue", "queued"),
        (State.UNCONFIRMED, "confirm", "published"),
    ],
)
def test_what_the_table_allows_is_done(house: House, state: State, verb: str, then: str) -> None:
    a_stored_post(house.store, state)
    assert [post.state for post in decide(house, verb).posts] == [then]


def decide(house: House, verb: str) -> Changed:
    match verb:
        case "cancel":
            return house.desk.cancel("1")
        case "requeue":
            return house.desk.requeue("1")
        case _:
            return house.desk.confirm("1", url="https://example.org/1")


def test_what_is_queued_again_is_due_now_and_has_a_new_grace(house: House) -> None:
    a_stored_post(house.store, State.MISSED)
    [post] = house.desk.requeue("1").posts
    assert post.due_at.isoformat() == "2026-12-01T14:00:00+00:00"
    assert post.miss_at.isoformat() == "2026-12-01T20:00:00+00:00"


def test_a_post_that_was_paused_when_it_was_missed_says_so_when_it_is_queued_again(house: House) -> None:
    post = a_stored_post(house.store)
    house.desk.pause("1")
    make(house.store, post, Move.MISS)
    assert house.desk.requeue("1").notes == ("1/facebook is paused: outreach resume 1/facebook",)


def test_cancelling_an_announcement_names_what_stays(house: House) -> None:
    posts = an_announcement(house.store, on=("facebook", "listserv"))
    take(house.store, posts[0])
    make(house.store, posts[0], Move.PUBLISH)
    changed = house.desk.cancel("1")
    assert [post.name for post in changed.posts] == ["1/listserv"]
    assert changed.notes == ("1/facebook is published and stays so.",)


def test_nothing_queued_is_nothing_to_pause(house: House) -> None:
    a_stored_post(house.store, State.PUBLISHED)
    with pytest.raises(BadInput, match="Nothing of 1 is queued"):
        house.desk.pause("1")
    with pytest.raises(BadInput, match="There is no announcement 2"):
        house.desk.approve(2, person="ann@example.org")


def test_an_approval_of_the_draft_does_not_hold_for_what_is_queued_later(house: House) -> None:

    house.desk.draft(LETTER, person="ann@example.org")
    require_approval(house.store)
    house.desk.approve(1, person="bob@example.org")
    added = house.desk.add(LETTER, folder=house.media, person="ann@example.org")
    assert [post.approved for post in added.posts] == [False, False]
    assert "It waits for an approval: outreach approve 1" in added.notes
    assert [post.approved for post in house.desk.approve(1, person="bob@example.org").posts] == [True, True]


def test_nobody_approves_their_own_revision_however_they_write_their_address(house: House) -> None:
    house.desk.draft(LETTER, person="Ann@example.org")
    with pytest.raises(BadInput, match="Nobody approves what they wrote themselves"):
        house.desk.approve(1, person="ann@Example.org")


def test_a_channel_that_is_resumed_without_a_name_has_its_cap_lifted_too(house: House) -> None:
    with house.store.write() as tx:
        tx.exec_driver_sql("UPDATE channels SET not_before = 9000000000000000, spaced_until = 9000000000000000")
    house.desk.resume_channel("facebook")
    assert column(house.store, "SELECT id FROM channels WHERE name = 'facebook' AND not_before IS NULL") != []


def test_who_saw_a_list_mail_on_the_list_says_so_and_nothing_moves(house: House) -> None:
    post = a_stored_post(house.store, State.PUBLISHED, channel="listserv")
    with house.store.write() as tx:
        tx.exec_driver_sql("UPDATE posts SET message_id = '<x@example.org>'")
    done = house.desk.confirm(post.name, url="https://lists.example.org/7", person="ann@example.org")
    assert [(each.state, each.url) for each in done.posts] == [(State.PUBLISHED, "https://lists.example.org/7")]
    with house.store.read() as tx:
        [sighting] = [entry for entry in history.of_post(tx, post.id) if entry["kind"] == "sighting"]
    assert (sighting["what"], sighting["by"]) == ("found", "ann@example.org")


def test_a_page_post_that_is_out_cannot_be_confirmed_once_more(house: House) -> None:
    post = a_stored_post(house.store, State.PUBLISHED)
    with pytest.raises(BadInput, match="is published; to confirm it has to be unconfirmed"):
        house.desk.confirm(post.name, url="https://www.facebook.com/7")
