"""Whatever a channel answers, however odd: that post alone is in doubt, and every other one goes on."""

import math
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from outreach.model import Move, Outcome, Published, Unavailable, Unconfirmed
from outreach.store import Store
from tests.builders import (
    SettableClock,
    a_channel,
    a_stored_post,
    an_announcement,
    column,
    make,
    seen,
    take,
)
from tests.hands.stand_ins import Scripted, a_publisher


def ends_in_time(work: Callable[[], object], within_s: float = 8.0) -> bool:
    """Do it in a thread that nobody has to wait for."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(within_s)
    return not thread.is_alive()


def drain(store: Store, clock: SettableClock, answer: Outcome) -> bool:
    """Drain two channels, of which `facebook` answers oddly, and tell whether that came to an end."""
    rows = {name: a_channel(store, name).id for name in ("facebook", "listserv")}
    odd = Scripted(lambda attempt: answer)
    publisher = a_publisher(store, {rows["facebook"]: odd, rows["listserv"]: Scripted()}, clock=clock)
    return ends_in_time(publisher.drain)


ODD: dict[str, Outcome] = {
    "nothing to find it by": Published(),
    "evidence that cannot be written down": Published("1_77", evidence={"raw": object()}),
    "half a character": Published("1_77", url="https://example.org/\ud800"),
    "a character that databases refuse": Unconfirmed("Reset by \x00 peer \ud800."),
}


@pytest.mark.parametrize("what", ODD)
def test_an_answer_that_cannot_be_recorded_leaves_its_post_in_doubt_and_holds_up_no_other(
    store: Store, clock: SettableClock, what: str
) -> None:
    odd, good = an_announcement(store, on=["facebook", "listserv"])
    [later] = an_announcement(store, on=["listserv"])

    assert drain(store, clock, ODD[what])

    assert [seen(store, post).state for post in (good, later)] == ["published", "published"]
    assert seen(store, odd).state in ("unconfirmed", "published")
    assert column(store, "SELECT count(*) FROM attempts WHERE ended_at IS NULL") == [0]


def test_an_answer_with_the_id_of_another_post_leaves_its_post_in_doubt_and_holds_up_no_other(
    store: Store, clock: SettableClock
) -> None:
    known = a_stored_post(store)
    take(store, known)
    make(store, known, Move.PUBLISH, remote_id="1_77")
    odd, good = an_announcement(store, on=["facebook", "listserv"])

    assert drain(store, clock, Published("1_77"))

    assert (seen(store, odd).state, seen(store, good).state) == ("unconfirmed", "published")
    assert seen(store, known).remote_id == "1_77"


@pytest.mark.parametrize("wish_s", [math.inf, math.nan, 1e300, -1e300])
def test_a_wait_that_no_calendar_holds_is_no_trouble(store: Store, clock: SettableClock, wish_s: float) -> None:
    odd, good = an_announcement(store, on=["facebook", "listserv"])

    assert drain(store, clock, Unavailable("Wait.", wish_s))

    assert (seen(store, odd).state, seen(store, good).state) == ("queued", "published")


def test_a_channel_that_raises_leaves_its_post_in_doubt_and_holds_up_no_other(
    store: Store, clock: SettableClock
) -> None:
    odd, good = an_announcement(store, on=["facebook", "listserv"])
    rows = {name: a_channel(store, name).id for name in ("facebook", "listserv")}

    def fail(attempt: object) -> Any:
        raise ZeroDivisionError

    publisher = a_publisher(store, {rows["facebook"]: Scripted(fail), rows["listserv"]: Scripted()}, clock=clock)
    assert ends_in_time(publisher.drain)

    assert (seen(store, odd).state, seen(store, good).state) == ("unconfirmed", "published")


# What is stored


def test_a_post_whose_stored_text_was_changed_is_not_sent(store: Store, clock: SettableClock) -> None:
    [post] = an_announcement(store)
    with store.write() as tx:
        tx.execute(text("UPDATE contents SET text = 'Something that nobody approved.'"))

    assert drain(store, clock, Published("1_77"))

    found = seen(store, post)
    assert (found.state, found.reason) == ("failed", "What is stored is not what was approved; it was not sent.")


@pytest.mark.parametrize("body", ['{"message": "Größe\\r\\n\\r\\n"}', '{"message": "\\ud800"}'])
def test_a_post_whose_stored_bytes_cannot_even_be_hashed_is_not_sent_and_holds_up_no_other(
    store: Store, clock: SettableClock, body: str
) -> None:
    odd, good = an_announcement(store, on=["facebook", "listserv"])
    with store.write() as tx:
        tx.execute(text("UPDATE contents SET body = :body WHERE post_id = :id"), {"body": body, "id": odd.id})

    assert drain(store, clock, Published("1_77"))

    assert (seen(store, odd).state, seen(store, good).state) == ("failed", "published")
