"""First comments against a real Graph server: made once, after the post, whatever crashes, hangs or lies."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outreach.bootstrap import House
from outreach.chores import first_comments_of
from outreach.extras import CommentState
from outreach.model import BadInput, State
from outreach.sandbox import Sandbox
from outreach.store import first_comments, workers
from outreach.store.first_comments import FirstComment
from outreach.trouble import AlarmKind
from tests.doors.place import Place
from tests.hands.kills import killed_before, lines_of, spread
from tests.work.clocks import StillClock
from tests.work.conftest import box, house, place, still

__all__ = ["box", "house", "place", "still"]
WORDS = "The form: **https://example.org/form**"
PLAIN = "The form: https://example.org/form"
WRITE_THEN_FAIL = ["500-2", "500-1", "html-502", "empty-200", "success-200", "truncated", "close", "reset"]


@pytest.fixture
def out(house: House, place: Place) -> str:
    """A post that is out, and whose first comment waits."""
    letter = place.letter(title="Poster session", first_comment=f"'{WORDS}'", to="[facebook]", at="now")
    added = house.desk.add(_read(letter), folder=Path())
    publisher, _ = house.new_worker()
    publisher.drain()
    publisher.close()
    assert added.posts[0].state is State.QUEUED
    return added.posts[0].name


def _read(letter: str) -> Any:
    from outreach.letter import parse

    return parse(Path(letter).read_text())


def comment(house: House, name: str) -> FirstComment:
    [post] = house.desk.find(name)
    return house.desk.first_comments([post])[post.id]


def made(box: Sandbox) -> list[str]:
    """What the sandbox's Page says below its posts."""
    return [each.message for each in box.graph.world.comments.values()]


def round_of(house: House, worker: str | None = None) -> int:
    return first_comments_of(house, worker or workers.this_worker(1)).round()


def test_the_comment_follows_the_post_as_plain_text_and_only_once(house: House, box: Sandbox, out: str) -> None:
    assert made(box) == []
    assert round_of(house) == 1
    assert made(box) == [PLAIN]
    [post] = house.desk.find(out)
    now = comment(house, out)
    assert (post.state, now.state) == (State.PUBLISHED, CommentState.POSTED)
    assert now.remote_id in box.graph.world.comments
    assert round_of(house) == 0
    assert made(box) == [PLAIN]


def test_no_comment_asks_for_fields_which_fail_after_the_write(house: House, box: Sandbox, out: str) -> None:
    round_of(house)
    [entry] = [entry for entry in box.graph.journal if entry.op == "comments"]
    assert entry.params == {"message": PLAIN}


def test_nothing_is_commented_before_the_post_is_out(house: House, box: Sandbox, place: Place) -> None:
    letter = place.letter(first_comment="Soon", to="[facebook]", at="2035-01-15 09:00")
    house.desk.add(_read(letter), folder=Path())
    assert round_of(house) == 0
    assert made(box) == []


@pytest.mark.parametrize("how", WRITE_THEN_FAIL)
def test_a_comment_that_arrived_although_the_answer_failed_is_found_and_not_made_again(
    house: House, box: Sandbox, still: StillClock, out: str, how: str
) -> None:
    box.graph.fail("comments", how)
    round_of(house)
    assert comment(house, out).state is CommentState.IN_DOUBT
    _let_hours_pass(house, still)
    assert made(box) == [PLAIN]
    assert comment(house, out).state is CommentState.POSTED
    assert house.desk.find(out)[0].state is State.PUBLISHED


@pytest.mark.parametrize("how", WRITE_THEN_FAIL)
def test_a_comment_that_did_not_arrive_is_made_again_once_it_is_positively_not_there(
    house: House, box: Sandbox, still: StillClock, out: str, how: str
) -> None:
    box.graph.fail("comments", how, write=False)
    round_of(house)
    assert comment(house, out).state is CommentState.IN_DOUBT
    round_of(house)
    assert made(box) == []
    _let_hours_pass(house, still)
    assert made(box) == [PLAIN]
    assert comment(house, out).state is CommentState.POSTED


def test_a_refusal_of_the_format_of_the_answer_comes_after_the_write(
    house: House, box: Sandbox, still: StillClock, out: str
) -> None:
    box.graph.fail("comments", "error", code=20, subcode=1772107, write=True)
    round_of(house)
    assert comment(house, out).state is CommentState.IN_DOUBT
    _let_hours_pass(house, still)
    assert made(box) == [PLAIN]


def test_comments_that_cannot_be_read_prove_nothing_so_a_person_decides(
    house: House, box: Sandbox, still: StillClock, out: str
) -> None:
    box.graph.fail("comments", "500-2")
    box.graph.fail("read_comments", "500-2", times=None)
    round_of(house)
    _let_hours_pass(house, still)
    now = comment(house, out)
    assert (now.state, now.next_at, made(box)) == (CommentState.IN_DOUBT, None, [PLAIN])
    [alarm] = [alarm for alarm in house.alarms.look() if alarm.kind is AlarmKind.COMMENT]
    assert f"outreach comment {out} --there" in alarm.next_step
    house.desk.settle_first_comment(out, is_there=True, person="ann@example.org")
    assert comment(house, out).state is CommentState.POSTED
    assert not [alarm for alarm in house.alarms.look() if alarm.kind is AlarmKind.COMMENT]


def test_a_missing_permission_fails_the_comment_and_leaves_post_and_channel_alone(
    house: House, box: Sandbox, out: str
) -> None:
    box.graph.fail_with("200", "comments")
    round_of(house)
    now = comment(house, out)
    assert now.state is CommentState.FAILED
    assert "pages_manage_engagement" in (now.reason or "")
    assert [channel.state for channel in house.desk.channels() if channel.name == "facebook"] == ["ready"]
    assert house.desk.find(out)[0].state is State.PUBLISHED
    house.desk.settle_first_comment(out, is_there=False, person="ann@example.org")
    round_of(house)
    assert (made(box), comment(house, out).state) == ([PLAIN], CommentState.POSTED)


def test_what_is_well_is_not_decided_about(house: House, out: str) -> None:
    round_of(house)
    with pytest.raises(BadInput, match="failed or is in doubt"):
        house.desk.settle_first_comment(out, is_there=False)


def test_a_limit_is_waited_for(house: House, box: Sandbox, still: StillClock, out: str) -> None:
    box.graph.fail_with("80001", "comments")
    round_of(house)
    assert (comment(house, out).state, made(box)) == (CommentState.WAITING, [])
    still.tick(30)
    round_of(house)
    assert made(box) == []
    still.tick(7200)
    round_of(house)
    assert made(box) == [PLAIN]


def test_nothing_is_commented_while_safe_mode_is_on(house: House, box: Sandbox, out: str) -> None:
    house.desk.stop_everything(person=None, reason="A test.")
    assert round_of(house) == 0
    assert made(box) == []


def test_a_copy_of_the_database_that_forgot_the_comment_finds_it(house: House, box: Sandbox, out: str) -> None:
    round_of(house)
    with house.store.write() as tx:
        tx.exec_driver_sql("UPDATE first_comments SET state = 'waiting', attempt = 0, next_at = 0, remote_id = NULL")
    round_of(house)
    assert (made(box), comment(house, out).state) == ([PLAIN], CommentState.POSTED)


def test_a_worker_that_comes_back_late_cannot_send_for_a_later_try(house: House, out: str) -> None:
    with house.store.read() as tx:
        [(post, waiting)] = first_comments.to_be_made(tx, house.clock.now())
    with house.store.write() as tx:
        assert first_comments.claim(tx, waiting, worker="one", lease_until=house.clock.now())
        assert not first_comments.claim(tx, waiting, worker="two", lease_until=house.clock.now())
    with house.store.read() as tx:
        assert not first_comments.is_still_ours(tx, post.id, 1, house.clock.now())


@pytest.mark.timeout(600)
@pytest.mark.parametrize("arrived", [True, False])
def test_killed_at_any_line_it_ends_as_one_comment(
    box: Sandbox, place: Place, still: StillClock, tmp_path: Path, arrived: bool
) -> None:
    """Each kill is in a process of its own, on a fresh post; afterwards another worker takes over."""
    fresh = _Fresh(box, place, still)
    total = lines_of(fresh.work())
    for line in spread(total, 8):
        name = fresh.begin()
        if not arrived:
            box.graph.fail("comments", "close", write=False)
        killed_before(line, fresh.work())
        box.graph._faults.clear()
        assert len(fresh.below(name)) <= int(arrived)
        fresh.recover(name)
        assert fresh.below(name) == [PLAIN], f"killed before line {line}"


class _Fresh:
    """Posts that are out, one for each kill, and a worker that comments in a process of its own."""

    def __init__(self, box: Sandbox, place: Place, still: StillClock) -> None:
        self._box, self._place, self._still, self._count = box, place, still, 0
        self.begin()

    def _house(self) -> House:
        from outreach.settings import read_settings

        return House(read_settings(self._place.settings), self._still)

    def begin(self) -> str:
        """Put one more post out, whose comment waits, and forget the faults of the one before."""
        self._count += 1
        self._box.graph._faults.clear()
        house = self._house()
        letter = self._place.letter(
            title=f"Number {self._count}", first_comment=f"'{WORDS}'", to="[facebook]", at="now"
        )
        added = house.desk.add(_read(letter), folder=Path())
        publisher, _ = house.new_worker()
        publisher.drain()
        publisher.close()
        house.close()
        return added.posts[0].name

    def work(self) -> Callable[[], object]:
        def comment_once() -> None:
            house = self._house()
            round_of(house, "somebody|who|0|is gone")
            house.close()

        return comment_once

    def recover(self, name: str) -> None:
        house = self._house()
        _let_hours_pass(house, self._still)
        assert comment(house, name).state is CommentState.POSTED
        house.close()

    def below(self, name: str) -> list[str]:
        house = self._house()
        [post] = house.desk.find(name)
        house.close()
        comments = self._box.graph.world.comments
        return [each.message for each in comments.values() if each.post_id == post.remote_id]


def _let_hours_pass(house: House, still: StillClock) -> None:
    """Work on, with everything that anything waits for over."""
    for _ in range(12):
        still.tick(1000)
        round_of(house)
