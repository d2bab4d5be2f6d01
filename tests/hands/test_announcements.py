"""Writing announcements: the same letter is never queued twice, whoever adds it and however many at once."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text

from outreach.model import BadInput, Letter, Move, SentPicture, State
from outreach.store import Store, announcements, open_store, posts
from outreach.store.announcements import AlreadyThere, Author
from tests.builders import (
    NOW,
    a_channel,
    a_content,
    a_mail,
    a_new_announcement,
    a_new_post,
    a_stored_post,
    an_announcement,
    column,
    everything,
    make,
    seen,
)

LETTER = Letter("Poster session", "Join us on Friday.", to=("facebook",), at="2026-12-01 09:00")
SAME_TEXT_ELSEWHERE = Letter("Poster session", "Join us on Friday.", to=("listserv",), at="2026-12-01 09:00")
SAME_TEXT_LATER = Letter("Poster session", "Join us on Friday.", to=("facebook",), at="2026-12-02 09:00")


def add(store: Store, letter: Letter = LETTER, channel_ids: Sequence[int] = (), **more: object) -> int:
    channel_ids = channel_ids or (a_channel(store).id,)
    with store.write() as tx:
        new = [a_new_post(channel_id) for channel_id in channel_ids]
        return announcements.add(tx, a_new_announcement(letter, **more), new, NOW)


def get(store: Store, number: int) -> dict[str, object]:
    with store.read() as tx:
        found = announcements.get(tx, number)
    assert found is not None
    return found


# Equal letters


def test_a_letter_added_a_second_time_is_named_and_changes_nothing(store: Store) -> None:
    number = add(store)
    before = everything(store)

    with pytest.raises(AlreadyThere) as caught:
        add(store)

    assert caught.value.number == number
    assert everything(store) == before


def test_the_same_text_on_the_same_channel_is_refused_while_the_first_is_open(store: Store) -> None:
    number = add(store)

    with pytest.raises(AlreadyThere) as caught:
        add(store, SAME_TEXT_LATER)

    assert caught.value.number == number


def test_the_same_text_on_another_channel_is_another_announcement(store: Store) -> None:
    first = add(store)

    second = add(store, SAME_TEXT_ELSEWHERE, [a_channel(store, "listserv").id])

    assert column(store, "SELECT announcement_id FROM posts ORDER BY id") == [first, second]


@pytest.mark.parametrize("state", [State.PUBLISHED, State.FAILED, State.RETRACTED, State.CANCELLED])
def test_the_same_text_may_be_said_again_once_the_first_is_at_rest(store: Store, state: State) -> None:
    a_stored_post(store, state, title="Poster session")

    add(store, SAME_TEXT_LATER)

    assert column(store, "SELECT state FROM posts ORDER BY id") == [str(state), "queued"]


@pytest.mark.parametrize("state", [State.PUBLISHING, State.UNCONFIRMED, State.HELD, State.MISSED])
def test_the_same_text_waits_until_it_is_known_what_became_of_the_first(store: Store, state: State) -> None:
    a_stored_post(store, state, title="Poster session")

    with pytest.raises(AlreadyThere):
        add(store, SAME_TEXT_LATER)


def test_a_letter_that_was_cancelled_and_let_go_may_be_added_again(store: Store) -> None:
    number = add(store)
    with store.read() as tx:
        [post] = posts.of_announcement(tx, number)
    make(store, post, Move.CANCEL)
    with pytest.raises(AlreadyThere):
        add(store)

    with store.write() as tx:
        announcements.let_go(tx, number)

    assert add(store) != number


@pytest.fixture
def eight_programs(database_url: str) -> Iterator[list[Store]]:
    """Eight stores on one database, as eight programs have them."""
    stores = [open_store(database_url) for _ in range(8)]
    yield stores
    for store in stores:
        store.close()


def test_of_eight_that_add_the_same_letter_at_once_exactly_one_queues_it(eight_programs: list[Store]) -> None:
    channel = a_channel(eight_programs[0])
    together = Barrier(8)

    def try_to_add(store: Store) -> str:
        together.wait(20)
        try:
            return f"queued as {add(store, LETTER, [channel.id])}"
        except AlreadyThere as there:
            return f"already there as {there.number}"

    with ThreadPoolExecutor(8) as pool:
        told = sorted(pool.map(try_to_add, eight_programs))

    [number] = column(eight_programs[0], "SELECT announcement_id FROM posts")
    assert told == [f"already there as {number}"] * 7 + [f"queued as {number}"]


def test_of_eight_that_say_the_same_at_different_times_exactly_one_queues_it(eight_programs: list[Store]) -> None:
    channel = a_channel(eight_programs[0])
    together = Barrier(8)

    def try_to_add(of: tuple[int, Store]) -> bool:
        hour, store = of
        together.wait(20)
        try:
            add(store, Letter("Poster session", "Join us.", at=f"2026-12-01 0{hour}:00"), [channel.id])
        except AlreadyThere:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        queued = list(pool.map(try_to_add, enumerate(eight_programs)))

    assert sorted(queued) == [False] * 7 + [True]
    assert column(eight_programs[0], "SELECT count(*) FROM posts") == [1]


def test_eight_different_letters_by_one_new_author_with_one_new_picture_are_all_queued(
    eight_programs: list[Store],
) -> None:
    channel = a_channel(eight_programs[0])
    picture = SentPicture("poster.jpg", "A poster", "ab" * 32, "ab.jpg")
    together = Barrier(8)

    def add_mine(of: tuple[int, Store]) -> int:
        number, store = of
        new = a_new_announcement(Letter(f"Poster session {number}", "Join us."), author=Author("ann@example.org"))
        together.wait(20)
        with store.write() as tx:
            announcements.remember_picture(tx, picture, kind="JPEG", size=1, shape=(1, 1), now=NOW)
            return announcements.add(tx, new, [a_new_post(channel.id)], NOW)

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(add_mine, enumerate(eight_programs)))

    assert sorted(numbers) == sorted(column(eight_programs[0], "SELECT id FROM announcements"))
    assert column(eight_programs[0], "SELECT email FROM people") == ["ann@example.org"]
    assert column(eight_programs[0], "SELECT count(*) FROM media") == [1]


# What is written down


def test_a_post_keeps_exactly_what_was_rendered(store: Store) -> None:
    channel = a_channel(store, "listserv")
    pictures = (SentPicture("poster.jpg", None, "ab" * 32, "ab.jpg"), SentPicture("room.png", "A room", "cd" * 32))
    contents = [a_content(text="Größe ≤ 5 µm 🎉", link=None, pictures=pictures), a_mail()]
    with store.write() as tx:
        new = [a_new_post(channel.id, content, occurrence=n) for n, content in enumerate(contents, 1)]
        number = announcements.add(tx, a_new_announcement(), new, NOW)

    with store.read() as tx:
        found = posts.of_announcement(tx, number)
        stored = [posts.content(tx, post) for post in found]

    assert [content.sha256() for content in stored] == [content.sha256() for content in contents]
    assert stored[0].pictures == pictures
    assert stored[1] == contents[1]
    assert found[1].message_id == "<1@example.org>"


def test_an_announcement_knows_its_letter_its_author_and_its_community(store: Store) -> None:
    number = add(store, author=Author("ann@example.org", "inbox"))

    about = get(store, number)

    assert (about["title"], about["written_by"], about["community"]) == ("Poster session", "ann@example.org", "TMM SIG")
    assert (about["revision"], about["approved_revision"], about["revised_at"]) == (1, None, NOW)
    assert "Join us on Friday." in str(about["letter"])


def test_the_way_it_came_is_noted(store: Store) -> None:
    number = add(store, author=Author(source="inbox/poster.md"))

    with store.read() as tx:
        assert announcements.source(tx, number) == "inbox/poster.md"


def test_an_announcement_that_is_not_there_is_none(store: Store) -> None:
    with store.read() as tx:
        assert announcements.get(tx, 99) is None
        assert posts.one(tx, 99) is None


def test_one_address_is_one_person(store: Store) -> None:
    for title in ("Poster session", "Webinar"):
        an_announcement(store, title=title, by="ann@example.org")

    assert column(store, "SELECT email FROM people") == ["ann@example.org"]


def test_a_picture_is_written_down_once(store: Store) -> None:
    picture = SentPicture("poster.jpg", "A poster", "ab" * 32, "ab.jpg")
    with store.write() as tx:
        for _ in range(2):
            announcements.remember_picture(tx, picture, kind="JPEG", size=1234, shape=(640, 480), now=NOW)

    with store.read() as tx:
        [row] = tx.execute(text("SELECT sha256, kind, size, width, height, path FROM media")).all()
    assert tuple(row) == ("ab" * 32, "JPEG", 1234, 640, 480, "ab.jpg")


# Drafts


def test_a_draft_is_an_announcement_without_posts_and_is_found_by_what_it_says(store: Store) -> None:
    a_channel(store)
    with store.write() as tx:
        number = announcements.add(tx, a_new_announcement(LETTER), [], NOW)

    with store.read() as tx:
        assert posts.of_announcement(tx, number) == []
        assert announcements.saying_nothing_yet(tx, 1, LETTER.said()) == number
    assert column(store, "SELECT kind FROM events") == ["draft"]


def test_a_draft_that_was_given_posts_is_a_draft_no_more(store: Store) -> None:
    channel = a_channel(store)
    with store.write() as tx:
        number = announcements.add(tx, a_new_announcement(LETTER), [], NOW)
        announcements.queue_draft(tx, number, a_new_announcement(SAME_TEXT_LATER), [a_new_post(channel.id)], NOW)

    with store.read() as tx:
        assert announcements.saying_nothing_yet(tx, 1, LETTER.said()) is None
        [post] = posts.of_announcement(tx, number)
    assert (post.state, post.name) == ("queued", f"{number}/facebook")
    assert column(store, "SELECT kind FROM events ORDER BY id") == ["draft", "queue"]


# Titles, pauses, approvals


@pytest.mark.parametrize("title", ["Poster session", "POSTER SESSION", "poster Session"])
def test_an_open_post_with_the_title_is_found_letter_case_apart(store: Store, title: str) -> None:
    post = a_stored_post(store, title="Poster session")

    with store.read() as tx:
        assert announcements.open_with_title(tx, post.channel_id, title) == post.announcement


def test_letter_case_counts_for_no_letter_of_any_language(store: Store) -> None:
    post = a_stored_post(store, title="Élection des présidents")

    with store.read() as tx:
        assert announcements.open_with_title(tx, post.channel_id, "ÉLECTION DES PRÉSIDENTS") == post.announcement


def test_a_title_is_free_again_when_its_post_is_at_rest_and_on_other_channels(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHED, title="Poster session")
    other = a_stored_post(store, channel="listserv", title="Webinar")

    with store.read() as tx:
        assert announcements.open_with_title(tx, post.channel_id, "Poster session") is None
        assert announcements.open_with_title(tx, post.channel_id, "Webinar") is None
        assert announcements.open_with_title(tx, other.channel_id, "Webinar") == other.announcement


def test_a_pause_is_told_in_the_history_and_leaves_the_state_alone(store: Store) -> None:
    post = a_stored_post(store)

    with store.write() as tx:
        announcements.set_paused(tx, [post], True, now=NOW, person="ann@example.org")

    assert (seen(store, post).paused, seen(store, post).state) == (True, "queued")
    assert column(store, "SELECT kind FROM events ORDER BY id") == ["queue", "pause"]


def test_an_approval_says_of_which_revision_and_by_whom(store: Store) -> None:
    post = a_stored_post(store)

    with store.write() as tx:
        announcements.approve(tx, post.announcement, 1, person="bob@example.org", now=NOW)

    assert get(store, post.announcement)["approved_revision"] == 1
    with store.read() as tx:
        [row] = tx.execute(text("SELECT person, note FROM events WHERE kind = 'approve'")).all()
    assert tuple(row) == ("bob@example.org", "revision 1")


def test_half_a_character_is_refused_before_it_is_stored(store: Store) -> None:
    a_channel(store)

    with pytest.raises(BadInput):
        a_new_announcement(Letter("Poster \ud800", "Join us."))
