"""Queueing: once, exactly as previewed, each text that goes out again under an identity of its own."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from outreach.bootstrap import House
from outreach.channels import Channel
from outreach.desk import Added, AlreadyQueued, Desk
from outreach.doors.layout import lay_out
from outreach.doors.worker import Worker
from outreach.model import BadInput, Content, Letter, Move, Picture, State, Wording
from outreach.sandbox import Sandbox
from tests.builders import claimed, make, seen
from tests.doors.place import a_picture
from tests.work.clocks import StillClock

LETTER = Letter("Colloquium", "Please come to room 7.", at="2026-12-02 09:00", link="https://example.org/")


def message_id(added: Added) -> str:
    return next(post.message_id for post in added.posts if post.message_id)


def published(house: House) -> int:
    """Publish what is due; give how many attempts that took."""
    return Worker(house).once()


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do all of them at the same moment; give what each returned or raised."""
    together = threading.Barrier(len(acts))
    ends: list[Any] = [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        together.wait()
        try:
            ends[place] = act()
        except BadInput as bad:
            ends[place] = bad

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


def test_the_preview_of_a_letter_is_what_is_queued(house: House, tmp_path: Path) -> None:
    (tmp_path / "hall.jpg").write_bytes(a_picture("JPEG", (900, 600)))
    letter = replace(LETTER, pictures=(Picture("hall.jpg", "The hall"),))
    before = house.desk.preview_letter(letter, folder=tmp_path)
    added = house.desk.add(letter, folder=tmp_path)
    after = house.desk.preview(str(added.announcement))
    assert [p.content.sha256() for p in before] == [post.content_sha256 for post in added.posts]
    assert [p.content.sha256() for p in after] == [post.content_sha256 for post in added.posts]
    again = house.desk.preview_letter(letter, folder=tmp_path)  # queued already: this is what goes out
    assert [p.content.sha256() for p in again] == [post.content_sha256 for post in added.posts]


def test_a_preview_keeps_nothing(house: House, tmp_path: Path) -> None:
    (tmp_path / "hall.jpg").write_bytes(a_picture())
    house.desk.preview_letter(replace(LETTER, pictures=(Picture("hall.jpg", "The hall"),)), folder=tmp_path)
    assert house.desk.queue() == []
    assert not house.media.exists()


def test_a_text_that_was_out_goes_out_again_under_another_message_id(
    house: House, box: Sandbox, still: StillClock, tmp_path: Path
) -> None:
    first = house.desk.add(replace(LETTER, at="now"), folder=tmp_path)
    assert published(house) == 2
    still.tick(3600)
    shown = house.desk.preview_letter(LETTER, folder=tmp_path)
    second = house.desk.add(LETTER, folder=tmp_path)
    assert message_id(first) != message_id(second)
    assert [p.content.sha256() for p in shown] == [post.content_sha256 for post in second.posts]
    still.tick(24 * 3600)
    assert published(house) == 2
    assert [mail.message_id for mail in box.mail.distributed()] == [message_id(first), message_id(second)]


def test_the_same_letter_is_never_queued_twice(house: House, tmp_path: Path) -> None:
    added = house.desk.add(LETTER, folder=tmp_path)
    with pytest.raises(AlreadyQueued, match="already queued as 1") as known:
        house.desk.add(LETTER, folder=tmp_path)
    assert known.value.number == added.announcement == 1
    with pytest.raises(AlreadyQueued, match="already queued as 1"):
        house.desk.add(replace(LETTER, at="2026-12-03 09:00"), folder=tmp_path)


def test_the_same_text_may_go_to_the_other_channel(house: House, tmp_path: Path) -> None:
    house.desk.add(replace(LETTER, to=("facebook",)), folder=tmp_path)
    assert house.desk.add(replace(LETTER, to=("listserv",)), folder=tmp_path).announcement == 2


def test_of_two_people_with_one_letter_one_is_told(house: House, tmp_path: Path) -> None:
    for number in range(8):
        letter = replace(LETTER, title=f"Colloquium {number}")
        other = letter if number % 2 else replace(letter, at="2026-12-03 09:00")
        ends = at_once(*(partial(house.desk.add, given, folder=tmp_path) for given in (letter, other)))
        assert sorted(type(end).__name__ for end in ends) == ["Added", "AlreadyQueued"]
    assert len(house.desk.queue()) == 16


class Meanwhile:
    """A channel on which something happens while a post is rendered for it the first time."""

    def __init__(self, channel: Channel, act: Callable[[], object]) -> None:
        self._channel = channel
        self._acts = [act]

    def render(self, wording: Wording) -> Content:
        content = self._channel.render(wording)
        while self._acts:
            self._acts.pop()()
        return content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)


def test_a_text_that_went_out_while_it_was_rendered_again_gets_another_message_id(
    house: House, box: Sandbox, still: StillClock, tmp_path: Path
) -> None:
    letter = replace(LETTER, to=("listserv",))
    other = House(house.settings, still)

    def publish_it() -> None:
        other.desk.add(replace(letter, at="now"), folder=tmp_path)
        published(other)

    target = house.desk.target("listserv")
    slow = replace(target, channel=cast(Channel, Meanwhile(target.channel, publish_it)))
    desk = Desk(
        store=house.store, composer=house.desk._composer, community=house.community, targets=[slow], now=still.now
    )
    added = desk.add(letter, folder=tmp_path)
    assert message_id(added) != box.mail.distributed()[0].message_id
    other.close()


def test_a_letter_that_was_cancelled_wholly_may_be_added_again(house: House, box: Sandbox, tmp_path: Path) -> None:
    first = house.desk.add(LETTER, folder=tmp_path)
    house.desk.cancel("1/facebook")
    with pytest.raises(AlreadyQueued):
        house.desk.add(LETTER, folder=tmp_path)
    house.desk.cancel("1")
    second = house.desk.add(LETTER, folder=tmp_path)
    assert second.announcement == 2
    assert message_id(first) == message_id(second)  # nobody ever saw the first


def test_a_text_that_may_have_been_out_before_it_was_cancelled_gets_another_message_id(
    house: House, box: Sandbox, tmp_path: Path
) -> None:
    box.mail.fail("DOT", "close", keep=True)
    first = house.desk.add(replace(LETTER, at="now", to=("listserv",)), folder=tmp_path)
    published(house)
    house.desk.requeue("1")
    house.desk.cancel("1")
    second = house.desk.add(replace(LETTER, at="now", to=("listserv",)), folder=tmp_path)
    assert message_id(first) != message_id(second)


def test_a_draft_is_queued_by_adding_its_letter(house: House, tmp_path: Path) -> None:
    kept = house.desk.draft(replace(LETTER, at=None))
    assert (kept.announcement, kept.posts) == (1, ())
    assert house.desk.show("1")[0]["status"] == "draft"
    added = house.desk.add(LETTER, folder=tmp_path)
    assert (added.announcement, len(added.posts)) == (1, 2)
    with pytest.raises(AlreadyQueued):
        house.desk.draft(LETTER)


def test_a_draft_of_a_template_has_its_filled_title_as_soon_as_it_can(house: House, tmp_path: Path) -> None:
    lay_out(house.settings.OUTREACH_QUEUE)
    letter = Letter(template="call-for-abstracts", fields=(("meeting", "Annual Meeting"),))
    house.desk.draft(letter)
    assert house.desk.show("1")[0]["title"] == "call-for-abstracts"
    whole = replace(letter, fields=(*letter.fields, ("deadline", "2027-01-15")))
    house.desk.draft(whole)
    assert house.desk.show("2")[0]["title"] == "Call for abstracts: Annual Meeting"
    added = house.desk.add(replace(whole, at="2026-12-02 09:00"), folder=tmp_path)
    assert {post.title for post in added.posts} == {"Call for abstracts: Annual Meeting"}


def test_a_draft_that_could_never_be_queued_is_refused(house: House) -> None:
    with pytest.raises(BadInput, match="template"):
        house.desk.draft(Letter(template="nothing"))
    with pytest.raises(BadInput, match="no channel called 'nothing'"):
        house.desk.draft(replace(LETTER, to=("nothing",)))
    house.desk.draft(LETTER)
    with pytest.raises(BadInput, match="already kept as draft 1"):
        house.desk.draft(replace(LETTER, at=None))


def test_a_picture_is_kept_under_its_hash_and_mended_when_somebody_changed_it(house: House, tmp_path: Path) -> None:
    data = a_picture()
    (tmp_path / "hall.jpg").write_bytes(data)
    letter = replace(LETTER, pictures=(Picture("hall.jpg", None),))
    house.desk.add(letter, folder=tmp_path)
    [kept] = house.media.iterdir()
    kept.write_bytes(b"something else")
    house.desk.add(replace(letter, title="Another"), folder=tmp_path)
    assert [file.read_bytes() for file in house.media.iterdir()] == [data]


def test_what_is_past_its_latest_time_is_not_queued(house: House, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="only after its latest time"):
        house.desk.add(replace(LETTER, not_after="2026-12-02 08:00"), folder=tmp_path)
    added = house.desk.add(replace(LETTER, not_after="2026-12-02 10:00"), folder=tmp_path)
    assert {post.miss_at.isoformat() for post in added.posts} == {"2026-12-02T15:00:00+00:00"}


def test_a_letter_may_have_a_grace_of_its_own(house: House, tmp_path: Path) -> None:
    added = house.desk.add(replace(LETTER, grace="90 min"), folder=tmp_path)
    assert {post.miss_at - post.due_at for post in added.posts} == {timedelta(minutes=90)}
    with pytest.raises(BadInput, match="no span of time"):
        house.desk.add(replace(LETTER, title="Another", grace="soon"), folder=tmp_path)


def test_adding_wakes_the_worker(house: House, tmp_path: Path) -> None:
    woken: list[str] = []
    house.desk.on_queued = lambda: woken.append("queued")
    house.desk.add(LETTER, folder=tmp_path)
    house.desk.pause("1")
    house.desk.resume("1")
    assert len(woken) == 3


def test_whoever_is_first_of_a_cancelling_and_a_claim_the_person_is_told(house: House, tmp_path: Path) -> None:
    facebook = house.desk.target("facebook").id
    for number in range(12):
        letter = replace(LETTER, title=f"Colloquium {number}", at="now", to=("facebook",))
        [post] = house.desk.add(letter, folder=tmp_path).posts
        told, taken = at_once(
            partial(house.desk.cancel, post.name), partial(claimed, house.store, facebook, now=house.clock.now())
        )
        if not taken:
            assert told.posts[0].state is State.CANCELLED
            continue
        assert told.message in (
            f"{post.name} was just taken by the worker and stays as it is.",
            f"{post.name} is publishing; to cancel it has to be failed or missed or queued.",
        )
        assert seen(house.store, post).state is State.PUBLISHING
        make(house.store, post, Move.PUBLISH)
