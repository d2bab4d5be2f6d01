"""Once: a repeat gets the answer again, and whatever crashed between, nothing is done twice."""

import threading
from typing import Any

import pytest

from outreach.access import Visitor
from outreach.bootstrap import House
from outreach.doors.api.once import Call, Done, Once
from outreach.doors.api.problems import Problem
from outreach.doors.api.told import Writers
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.doors.worker import Worker
from outreach.model import Move, State
from outreach.sandbox import Sandbox
from outreach.store import answers, doorkeys
from tests.api.conftest import LETTER, Program, visitor
from tests.api.test_verbs import kind, queued
from tests.builders import column, make, require_approval, take
from tests.work.clocks import StillClock


def forget_the_answer(house: House) -> None:
    """As if the process had ended after it did the work and before it wrote the answer down."""
    with house.store.write() as tx:
        tx.exec_driver_sql("UPDATE answers SET status = NULL, body = NULL")


def test_the_same_request_gets_the_same_answer_and_is_not_carried_out_again(ann: Program) -> None:
    first = ann.post("/announcements", LETTER, key="one")
    again = ann.post("/announcements", LETTER, key="one")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
    assert len(ann.get("/queue").json()["posts"]) == 2


def test_a_refusal_is_given_again_as_well(ann: Program) -> None:
    first = ann.post("/announcements", LETTER | {"to": ["nowhere"]}, key="one")
    again = ann.post("/announcements", LETTER | {"to": ["nowhere"]}, key="one")
    assert (kind(again), again.content) == ((422, "bad-input"), first.content)
    assert again.headers["idempotent-replayed"] == "true"


def test_another_request_with_the_same_key_is_refused(ann: Program, ben: Program) -> None:
    number = queued(ann)
    ann.post(f"/announcements/{number}/pause", {}, key="one")
    assert kind(ann.post(f"/announcements/{number}/pause", {"channel": "facebook"}, key="one")) == (422, "key-reused")
    assert kind(ann.post(f"/announcements/{number}/resume", {}, key="one")) == (422, "key-reused")
    assert ben.post(f"/announcements/{number}/resume", {}, key="one").status_code == 200  # keys are of a token


def test_a_key_is_forgotten_after_a_day(ann: Program, still: StillClock, house: House) -> None:
    number = queued(ann)
    ann.post(f"/announcements/{number}/pause", {}, key="one")
    still.tick(86401)
    assert ann.post(f"/announcements/{number}/resume", {}, key="one").status_code == 200
    assert column(house.store, "SELECT count(*) FROM answers") == [1]


def test_an_answer_survives_a_restart_and_no_answer_stands_readable_in_the_database(ann: Program, house: House) -> None:
    body = {"email": "cleo@example.org", "roles": ["reviewer"]}
    first = ann.post("/invitations", body, key="one")
    with served(create(house)) as other:
        again = Program(other, ann.token).post("/invitations", body, key="one")
    assert again.json() == first.json()
    assert first.json()["link"].rpartition("/")[2] not in "".join(
        map(str, column(house.store, "SELECT body FROM answers"))
    )


def test_two_at_the_same_time_do_it_once(ann: Program, house: House) -> None:
    found: list[Any] = []
    ready = threading.Barrier(4)

    def ask() -> None:
        ready.wait()
        found.append(ann.post("/announcements", LETTER, key="one"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {a.status_code for a in found} <= {201, 409}
    assert 201 in {a.status_code for a in found}
    assert all(kind(a) == (409, "in-progress") for a in found if a.status_code == 409)
    assert len(ann.get("/queue").json()["posts"]) == 2


@pytest.fixture
def once(house: House) -> Once:
    return Once(store=house.store, secret=house.secret, now=house.clock.now)


@pytest.fixture
def call(house: House) -> Call:
    person = visitor(house, "ann@example.org").person
    with house.store.write() as tx:
        about = {"person_id": person.id, "name": "t", "sha256": "0", "scopes": ["write"], "ends_at": None}
        token = doorkeys.make_token(tx, now=house.clock.now(), **about)
    return Call(Visitor(person, token=token, scopes=frozenset({"write"})), "one", "sha", {})


def test_a_repeat_while_the_first_is_worked_on_has_to_wait(once: Once, call: Call) -> None:
    seen: list[str] = []

    def work() -> Writers:
        with pytest.raises(Problem) as refused:
            once.answer(call, work)
        seen.append(refused.value.kind)
        return Writers(people=[])

    assert once.answer(call, work).status_code == 200
    assert seen == ["in-progress"]


def test_what_broke_off_is_taken_over_later_and_by_one(once: Once, call: Call, still: StillClock) -> None:
    with pytest.raises(ZeroDivisionError):
        once.answer(call, lambda: Writers(people=[str(1 // 0)]))
    with pytest.raises(Problem, match="worked on"):
        once.answer(call, lambda: Writers(people=["too early"]))
    still.tick(121)

    def work() -> Writers:
        with pytest.raises(Problem, match="worked on"):
            once.answer(call, lambda: Writers(people=["twice"]))
        return Writers(people=["once"])

    assert b"once" in bytes(once.answer(call, work).body)
    assert b"once" in bytes(once.answer(call, work).body)


def test_who_saw_the_same_open_row_but_comes_second_has_to_wait(
    once: Once, call: Call, house: House, still: StillClock
) -> None:
    with house.store.write() as tx:
        answers.begin(tx, call.token, call.key, call.sha256, still.now())
        was = answers.begin(tx, call.token, call.key, call.sha256, still.now())
    assert was is not None
    still.tick(121)
    once._take_over(was, call, still.now())
    with pytest.raises(Problem, match="worked on"):
        once._take_over(was, call, still.now())


def test_one_who_was_given_up_cannot_answer_for_who_took_over(once: Once, call: Call, still: StillClock) -> None:
    def slow() -> Writers:
        still.tick(121)
        once.answer(call, lambda: Writers(people=["second"]))
        return Writers(people=["first"])

    once.answer(call, slow)
    assert b"second" in bytes(once.answer(call, slow).body)


def test_what_the_history_shows_is_not_done_again(once: Once, call: Call, house: House, still: StillClock) -> None:
    def crash() -> Writers:
        house.desk.stop_everything(reason="x", person="ann@example.org")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        once.answer(call, crash)
    still.tick(121)
    done = Done(call.sign("safe mode on"), lambda _: Writers(people=["known"]))
    assert b"known" in bytes(once.answer(call, crash, done=done).body)


# What a crash between leaves, verb by verb


def test_a_letter_is_known_again_after_a_crash_even_when_it_was_cancelled_meanwhile(
    ann: Program, house: House, still: StillClock
) -> None:
    ann.post("/announcements", LETTER, key="one")
    ann.post("/announcements/1/cancel", {})
    forget_the_answer(house)
    assert kind(ann.post("/announcements", LETTER, key="one")) == (409, "in-progress")
    still.tick(121)
    again = ann.post("/announcements", LETTER, key="one")
    assert (again.status_code, again.json()["announcement"]) == (201, 1)
    assert {p["state"] for p in again.json()["posts"]} == {"cancelled"}
    assert ann.get("/queue").json()["posts"] == []


def test_a_letter_that_was_never_queued_is_queued_by_the_repeat(ann: Program, house: House, still: StillClock) -> None:
    ann.post("/announcements", LETTER | {"to": ["nowhere"]}, key="one")
    forget_the_answer(house)
    still.tick(121)
    assert kind(ann.post("/announcements", LETTER | {"to": ["nowhere"]}, key="one")) == (422, "bad-input")


def test_drafts_are_known_again_after_a_crash(ann: Program, house: House, still: StillClock) -> None:
    first = ann.post("/drafts", LETTER, key="one").json()
    ann.post("/announcements", LETTER | {"draft": True, "title": "B"}, key="two")
    forget_the_answer(house)
    still.tick(121)
    assert ann.post("/drafts", LETTER, key="one").json() == first
    assert ann.post("/announcements", LETTER | {"draft": True, "title": "B"}, key="two").status_code == 201
    assert len(ann.get("/drafts").json()["drafts"]) == 2


def test_a_post_is_not_sent_a_third_time_by_a_repeat_after_a_crash(
    ann: Program, house: House, still: StillClock, box: Sandbox
) -> None:
    queued(ann, to=["facebook"], at="now")
    post = house.desk.find("1")[0]
    take(house.store, post)
    make(house.store, post, Move.FAIL)
    assert ann.post("/announcements/1/requeue", {}, key="one").status_code == 200
    take(house.store, post)
    make(house.store, post, Move.FAIL)  # the requeued try failed as well
    forget_the_answer(house)
    still.tick(121)
    again = ann.post("/announcements/1/requeue", {}, key="one")
    assert (again.status_code, [p["state"] for p in again.json()["posts"]]) == (200, ["failed"])
    assert Worker(house).once() == 0
    assert house.desk.find("1")[0].state is State.FAILED


@pytest.mark.parametrize(("verb", "back"), [("pause", "resume"), ("resume", "pause")])
def test_what_somebody_turned_back_meanwhile_stays_so(
    ann: Program, ben: Program, house: House, still: StillClock, verb: str, back: str
) -> None:
    queued(ann)
    ann.post(f"/announcements/1/{verb}", {}, key="one")
    ben.post(f"/announcements/1/{back}", {})
    forget_the_answer(house)
    still.tick(121)
    assert ann.post(f"/announcements/1/{verb}", {}, key="one").status_code == 200
    assert column(house.store, "SELECT DISTINCT paused FROM posts") == [back == "pause"]


def test_an_approval_that_was_taken_back_is_not_given_again(
    ann: Program, ben: Program, house: House, still: StillClock
) -> None:
    require_approval(house.store)
    queued(ann)
    ben.post("/announcements/1/approve", {"revision": 1}, key="one")
    ann.post("/announcements/1/ask-for-changes", {"revision": 1, "said": "Stop."})
    forget_the_answer(house)
    still.tick(121)
    again = ben.post("/announcements/1/approve", {"revision": 1}, key="one").json()
    assert {p["approved"] for p in again["posts"]} == {False}


def test_comments_channels_and_accounts_are_known_again_after_a_crash(
    ann: Program, ben: Program, house: House, still: StillClock
) -> None:
    queued(ann)
    number = visitor(house, "ben@example.org").person.id
    asked: list[tuple[str, Any]] = [
        ("/announcements/1/comments", {"said": "Room?"}),
        ("/announcements/1/ask-for-changes", {"revision": 1, "said": "Room?"}),
        ("/announcements/1/cancel", {"channel": "facebook"}),
        ("/channels/facebook/pause", {"reason": "Moving."}),
        ("/channels/facebook/resume", None),
        (f"/people/{number}/close", None),
        (f"/people/{number}/reopen", None),
        (f"/people/{number}/end-second-factor", None),
        ("/safe-mode/on", {"reason": "Look."}),
        ("/safe-mode/off", None),
    ]
    for path, body in asked:
        assert ann.post(path, body, key=path).ok
    before = column(house.store, "SELECT count(*) FROM events")
    forget_the_answer(house)
    still.tick(121)
    for path, body in asked:
        assert ann.post(path, body, key=path).ok, path
    assert column(house.store, "SELECT count(*) FROM events") == before


def test_what_was_undone_is_not_undone_again(ann: Program, house: House, still: StillClock) -> None:
    queued(ann)
    ann.post("/announcements/1/undo", key="one")
    forget_the_answer(house)
    still.tick(121)
    assert kind(ann.post("/announcements/1/undo", key="one")) == (409, "not-possible-now")
    assert len(ann.get("/drafts").json()["drafts"]) == 1


def test_an_answer_under_another_secret_is_told_as_lost(ann: Program, house: House) -> None:
    queued(ann)
    ann.post("/announcements/1/pause", {}, key="one")
    with house.store.write() as tx:
        tx.exec_driver_sql("UPDATE answers SET body = 'not sealed by us'")
    assert kind(ann.post("/announcements/1/pause", {}, key="one")) == (409, "not-possible-now")
