"""Writing: drafts lose nothing, an edit reaches exactly what may still be changed, and what was just queued can be taken back."""

from dataclasses import replace
from pathlib import Path

import pytest

from outreach.bootstrap import House
from outreach.desk import NOWHERE, AlreadyQueued, ChangedMeanwhile, Place, Saved
from outreach.doors.worker import Worker
from outreach.letter import parse
from outreach.model import BadInput, Letter, Move, Picture, State
from outreach.sandbox import Sandbox
from tests.builders import column, everything, make, require_approval, seen
from tests.doors.place import a_picture
from tests.work.clocks import StillClock

ANN, BEN = "ann@example.org", "ben@example.org"
LETTER = Letter("Colloquium", "Please come to room 7.", at="2026-12-02 09:00")


def a_draft(house: House, letter: Letter = LETTER, *, by: str = ANN) -> Saved:
    return house.desk.save_draft(letter, person=by)


def place(saved: Saved) -> Place:
    return Place(saved.number, saved.base)


def at_hand(house: House, number: int) -> Place:
    return Place(number, house.desk.latest(number).key)


def text_of(house: House, number: int) -> str:
    return parse(house.desk.latest(number).letter).body


def test_a_draft_is_an_announcement_without_posts_even_before_it_has_a_title(house: House) -> None:
    saved = house.desk.save_draft(Letter(), person=ANN)

    about, posts = house.desk.show(str(saved.number))

    assert (about["title"], about["status"], posts) == ("Untitled draft", "draft", [])


def test_what_one_person_saves_in_one_sitting_is_one_revision(house: House) -> None:
    first = a_draft(house)

    second = house.desk.save_draft(replace(LETTER, body="Please come."), place=place(first), person=ANN)

    assert (second.revision, text_of(house, second.number)) == (1, "Please come.")
    assert second.base != first.base


def test_after_an_hour_it_is_another_revision(house: House, still: StillClock) -> None:
    first = a_draft(house)
    still.tick(3601)

    second = house.desk.save_draft(replace(LETTER, body="Please come."), place=place(first), person=ANN)

    assert second.revision == 2
    assert [parse(v.letter).body for v in house.desk.versions(first.number)] == [
        "Please come to room 7.",
        "Please come.",
    ]


def test_two_people_on_one_draft_lose_nothing(house: House) -> None:
    begun = a_draft(house)
    house.desk.save_draft(replace(LETTER, body="Ben's text."), place=place(begun), person=BEN)

    with pytest.raises(ChangedMeanwhile) as refused:
        house.desk.save_draft(replace(LETTER, body="Ann's text."), place=place(begun), person=ANN)
    on_top = Place(begun.number, refused.value.theirs.key)
    house.desk.save_draft(replace(LETTER, body="Ann's text."), place=on_top, person=ANN)

    assert parse(refused.value.theirs.letter).body == "Ben's text."
    kept = [parse(v.letter).body for v in house.desk.versions(begun.number)]
    assert kept == ["Please come to room 7.", "Ben's text.", "Ann's text."]


def test_a_draft_becomes_the_announcement_that_is_queued(house: House, tmp_path: Path) -> None:
    draft = a_draft(house)

    added = house.desk.add(LETTER, folder=tmp_path, person=ANN, of_draft=draft.number)

    assert added.announcement == draft.number
    assert house.desk.drafts() == []
    with pytest.raises(AlreadyQueued):
        house.desk.add(replace(LETTER, body="Another."), folder=tmp_path, person=ANN, of_draft=draft.number)
    with pytest.raises(BadInput, match="queued already"):
        house.desk.save_draft(LETTER, place=at_hand(house, draft.number), person=ANN)


def test_two_drafts_may_say_the_same_but_only_one_is_queued(house: House, tmp_path: Path) -> None:
    first, second = a_draft(house), a_draft(house)
    house.desk.add(LETTER, folder=tmp_path, of_draft=first.number)

    with pytest.raises(AlreadyQueued):
        house.desk.add(LETTER, folder=tmp_path, of_draft=second.number)


def test_a_discarded_draft_is_out_of_sight_and_comes_back_when_it_is_saved(house: House) -> None:
    draft = a_draft(house)
    house.desk.discard(draft.number, person=ANN)
    assert house.desk.drafts() == []

    house.desk.save_draft(LETTER, place=place(draft), person=ANN)

    assert [row["id"] for row in house.desk.drafts()] == [draft.number]


def test_only_the_text_that_was_looked_over_is_queued(house: House, tmp_path: Path) -> None:
    begun = a_draft(house)
    house.desk.save_draft(replace(LETTER, body="Ben's text."), place=place(begun), person=BEN)

    with pytest.raises(ChangedMeanwhile):
        house.desk.add(LETTER, folder=tmp_path, person=ANN, of_draft=place(begun))

    assert house.desk.find(str(begun.number)) == []


def test_a_draft_of_another_community_cannot_be_queued_from_here(house: House, tmp_path: Path) -> None:
    begun = a_draft(house)
    with house.store.write() as tx:
        tx.exec_driver_sql(
            "INSERT INTO communities (id, name, time_zone, approval, created_at) VALUES (77, 'Other', 'UTC', 'off', 0)"
        )
        tx.exec_driver_sql("UPDATE announcements SET community_id = 77")

    with pytest.raises(BadInput, match="There is no announcement"):
        house.desk.add(LETTER, folder=tmp_path, person=ANN, of_draft=place(begun))

    assert column(house.store, "SELECT count(*) FROM posts") == [0]


def test_an_unfinished_draft_is_read_again_as_it_was_kept(house: House) -> None:
    letter = Letter("", "Half a sen", template="webinar", pictures=(Picture("a.jpg", ""),), at="2026-12-02")

    saved = house.desk.save_draft(letter, person=ANN)

    assert house.desk.letter_of(saved.number) == letter


@pytest.mark.parametrize("odd", [Letter("A\x00B", "x"), Letter("A", "x \x07"), Letter("A", "x" * 1_100_000)])
def test_what_could_not_be_read_again_is_not_kept(house: House, odd: Letter) -> None:
    with pytest.raises(BadInput):
        house.desk.save_draft(odd, person=ANN)

    assert house.desk.drafts() == []


def test_a_picture_without_its_words_is_kept_in_a_draft_and_never_queued(house: House, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(a_picture())
    letter = replace(LETTER, pictures=(Picture("a.jpg", ""),))
    house.desk.save_draft(letter, person=ANN)

    with pytest.raises(BadInput, match=r"Picture 1 has no alt text\."):
        house.desk.add(letter, folder=tmp_path)


def test_a_draft_whose_template_is_gone_can_still_be_saved(house: House) -> None:
    saved = house.desk.save_draft(Letter(template="gone"), person=ANN)

    assert [row["title"] for row in house.desk.drafts()] == ["gone"]
    assert house.desk.letter_of(saved.number).template == "gone"


def test_what_is_for_now_can_be_taken_back_for_two_minutes(house: House, still: StillClock) -> None:
    letter = replace(LETTER, at="now", times=(("facebook", "now"), ("listserv", "2026-12-02 09:00")))

    timed = house.desk.with_time_to_undo(letter)

    assert (timed.at, dict(timed.times)["facebook"]) == ("2026-12-01T14:02:00Z", "2026-12-01T14:02:00Z")
    assert dict(timed.times)["listserv"] == "2026-12-02 09:00"


def test_the_plan_of_a_letter_is_what_queueing_it_does(house: House, tmp_path: Path) -> None:
    letter = replace(LETTER, times=(("facebook", "2026-12-02 07:00"),))

    plan = house.desk.plan(letter)

    posts = house.desk.add(letter, folder=tmp_path).posts
    assert {g.channel: g.due.due_at for g in plan.goes if g.due} == {p.channel: p.due_at for p in posts}
    assert everything(house.store)


# Edits


def test_the_pictures_of_what_was_queued_from_a_folder_can_be_edited_and_taken_back(
    house: House, tmp_path: Path
) -> None:
    (tmp_path / "a.jpg").write_bytes(a_picture())
    letter = replace(LETTER, pictures=(Picture("a.jpg", "A poster"),))
    number = house.desk.add(letter, folder=tmp_path).announcement
    (tmp_path / "a.jpg").unlink()
    sent = {p.channel: p.content_sha256 for p in house.desk.find(str(number))}

    [kept] = house.desk.letter_of(number).pictures
    changed = replace(house.desk.letter_of(number), body="Room 8.")
    house.desk.edit(at_hand(house, number), changed, folder=NOWHERE)
    draft = house.desk.undo(number)

    assert (house.media / kept.file).is_file()
    assert {p.channel: p.content_sha256 for p in house.desk.find(str(number))} != sent
    assert house.desk.preview_letter(house.desk.letter_of(draft.number), folder=NOWHERE)


def test_an_edit_changes_text_and_time_of_what_is_queued_and_voids_the_approval(
    house: House, box: Sandbox, tmp_path: Path
) -> None:
    require_approval(house.store)
    number = house.desk.add(LETTER, folder=tmp_path, person=ANN).announcement
    house.desk.approve(number, person=BEN)
    changed = replace(LETTER, body="Room 8 instead.", at="now")

    edited = house.desk.edit(at_hand(house, number), changed, folder=tmp_path, person=ANN)

    assert {(p.wall_time, p.approved) for p in edited.posts} == {("2026-12-01 09:00", False)}
    assert Worker(house).once() == 0
    house.desk.approve(number, person=BEN)
    assert Worker(house).once() == 2
    assert [post.message for post in box.graph.public_posts()] == ["Colloquium\n\nRoom 8 instead."]


def test_what_the_preview_of_an_edit_shows_is_what_it_queues(house: House, tmp_path: Path) -> None:
    number = house.desk.add(LETTER, folder=tmp_path).announcement
    changed = replace(LETTER, body="Room 8 instead.")
    before = house.desk.preview_letter(changed, folder=tmp_path)

    house.desk.edit(at_hand(house, number), changed, folder=tmp_path)

    after = house.desk.preview(str(number))
    assert [p.content.sha256() for p in after] == [p.content.sha256() for p in before]


def test_a_channel_has_its_own_time_and_its_own_words(house: House, box: Sandbox, tmp_path: Path) -> None:
    body = "For all.\n\n<!-- channel: facebook -->\nFor the Page."
    letter = replace(LETTER, body=body, times=(("facebook", "2026-12-02 07:00"),))

    posts = house.desk.add(letter, folder=tmp_path).posts

    assert {p.channel: p.wall_time for p in posts} == {"facebook": "2026-12-02 07:00", "listserv": "2026-12-02 09:00"}
    texts = {p.channel: p.content.text for p in house.desk.preview(str(posts[0].announcement))}
    assert "For the Page." in texts["facebook"]
    assert "For all." not in texts["facebook"]
    assert "For all." in texts["listserv"]


def test_an_edit_takes_channels_out_and_in(house: House, tmp_path: Path) -> None:
    number = house.desk.add(replace(LETTER, to=("facebook",)), folder=tmp_path).announcement

    house.desk.edit(at_hand(house, number), replace(LETTER, to=("listserv",)), folder=tmp_path)

    assert {p.channel: p.state for p in house.desk.find(str(number))} == {
        "facebook": State.CANCELLED,
        "listserv": State.QUEUED,
    }


def test_what_is_out_keeps_what_it_sent(house: House, tmp_path: Path) -> None:
    letter = replace(LETTER, times=(("facebook", "now"),))
    number = house.desk.add(letter, folder=tmp_path).announcement
    assert Worker(house).once() == 1
    sent = next(p for p in house.desk.find(str(number)) if p.channel == "facebook").content_sha256

    edited = house.desk.edit(at_hand(house, number), replace(LETTER, body="Room 8."), folder=tmp_path)

    by_name = {p.channel: p for p in edited.posts}
    assert by_name["facebook"].content_sha256 == sent
    assert "1/facebook is published and keeps what it sent." in edited.notes
    assert column(house.store, "SELECT count(*) FROM contents WHERE text LIKE '%Room 8.%'") == [1]


def test_what_failed_is_queued_again_by_an_edit_with_its_new_time(house: House, tmp_path: Path) -> None:
    posts = house.desk.add(replace(LETTER, to=("facebook",)), folder=tmp_path).posts
    make(house.store, posts[0], Move.MISS)

    edited = house.desk.edit(
        at_hand(house, 1), replace(LETTER, to=("facebook",), at="2026-12-03 09:00"), folder=tmp_path, person=ANN
    )

    assert [(p.state, p.wall_time) for p in edited.posts] == [(State.QUEUED, "2026-12-03 09:00")]


def test_a_post_that_may_be_out_is_never_edited(house: House, tmp_path: Path) -> None:
    posts = house.desk.add(replace(LETTER, to=("facebook",)), folder=tmp_path).posts
    with house.store.write() as tx:
        tx.exec_driver_sql("UPDATE posts SET doubtful_since = 1")
    before = everything(house.store)

    with pytest.raises(BadInput, match="Nothing of it can be changed"):
        house.desk.edit(at_hand(house, 1), replace(LETTER, to=("facebook",), body="New"), folder=tmp_path)

    assert everything(house.store) == before
    assert seen(house.store, posts[0]).state is State.QUEUED


def test_an_edit_that_began_before_another_one_is_refused(house: House, tmp_path: Path) -> None:
    number = house.desk.add(LETTER, folder=tmp_path).announcement
    begun = at_hand(house, number)
    house.desk.edit(begun, replace(LETTER, body="First."), folder=tmp_path, person=ANN)

    with pytest.raises(ChangedMeanwhile):
        house.desk.edit(begun, replace(LETTER, body="Second."), folder=tmp_path, person=BEN)


def test_an_edit_that_says_what_another_open_announcement_says_is_refused(house: House, tmp_path: Path) -> None:
    house.desk.add(LETTER, folder=tmp_path)
    other = replace(LETTER, title="Another", body="Another.")
    number = house.desk.add(other, folder=tmp_path).announcement

    with pytest.raises(BadInput):
        house.desk.edit(at_hand(house, number), replace(LETTER, at="2026-12-04 09:00"), folder=tmp_path)

    assert text_of(house, number) == "Another."


# Taking back


def test_what_was_just_queued_can_be_taken_back_and_is_a_draft_again(house: House, tmp_path: Path) -> None:
    number = house.desk.add(LETTER, folder=tmp_path, person=ANN).announcement

    draft = house.desk.undo(number, person=ANN)

    assert {p.state for p in house.desk.find(str(number))} == {State.CANCELLED}
    assert text_of(house, draft.number) == "Please come to room 7."
    assert house.desk.add(LETTER, folder=tmp_path, of_draft=draft.number).announcement == draft.number


def test_what_is_on_its_way_cannot_be_taken_back(house: House, tmp_path: Path) -> None:
    number = house.desk.add(replace(LETTER, times=(("facebook", "now"),)), folder=tmp_path).announcement
    assert Worker(house).once() == 1
    before = everything(house.store)

    with pytest.raises(BadInput, match="on its way or out already"):
        house.desk.undo(number, person=ANN)

    assert everything(house.store) == before


# Approving


def test_an_approval_is_for_the_revision_that_was_seen(house: House, tmp_path: Path) -> None:
    require_approval(house.store)
    number = house.desk.add(LETTER, folder=tmp_path, person=ANN).announcement
    house.desk.edit(at_hand(house, number), replace(LETTER, body="Changed."), folder=tmp_path, person=ANN)

    with pytest.raises(BadInput, match="revision 1 is not its latest"):
        house.desk.approve(number, person=BEN, revision=1)

    assert [p.approved for p in house.desk.find(str(number))] == [False, False]


def test_who_asks_for_changes_stops_what_was_approved(house: House, tmp_path: Path) -> None:
    require_approval(house.store)
    number = house.desk.add(LETTER, folder=tmp_path, person=ANN).announcement
    house.desk.approve(number, person=BEN)

    house.desk.ask_for_changes(number, revision=1, said="Which building?", person=BEN)

    assert [p.announcement for p in house.desk.waiting_for_approval()] == [number, number]
    [said] = house.desk.comments(number)
    assert (said.text, said.asks_for_changes, said.person) == ("Which building?", True, BEN)


def test_who_writes_on_the_same_draft_is_named_for_a_while(house: House, still: StillClock) -> None:
    draft = a_draft(house)
    house.desk.also_writing(draft.number, person=BEN)

    assert house.desk.also_writing(draft.number, person=ANN) == [BEN]
    still.tick(60)
    assert house.desk.also_writing(draft.number, person=ANN) == []
