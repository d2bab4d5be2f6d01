"""How much of a limit was used, as it is kept: thinned to ten minutes, for 30 days, by channel, on both databases."""

from datetime import timedelta

from outreach.channels import Usage
from outreach.store import Store, usage
from tests.builders import NOW, a_channel, column

TEN = timedelta(minutes=10)


def keep(store: Store, channel_id: int, *seen: Usage) -> None:
    for each in seen:
        with store.write() as tx:
            usage.keep(tx, channel_id, each)


def latest(store: Store, channel_id: int, at: timedelta = timedelta()) -> Usage | None:
    with store.read() as tx:
        return usage.latest(tx, channel_id, NOW + at)


def a_reading(percent: int, after: timedelta = timedelta(), regain_min: int = 0) -> Usage:
    return Usage(NOW + after, percent, 0, 1, regain_min)


def test_within_ten_minutes_the_latest_word_is_kept(store: Store) -> None:
    channel = a_channel(store).id
    keep(store, channel, a_reading(3), a_reading(5, TEN / 5), a_reading(4, TEN))
    assert column(store, "SELECT call_count FROM usage ORDER BY slot") == [5, 4]
    assert latest(store, channel, TEN) == a_reading(4, TEN)


def test_after_thirty_days_a_word_is_let_go_of(store: Store) -> None:
    channel, other = a_channel(store, "facebook").id, a_channel(store, "another").id
    keep(store, other, a_reading(1))
    keep(store, channel, a_reading(1), a_reading(2, TEN), a_reading(3, usage.KEPT + TEN))
    assert column(store, f"SELECT call_count FROM usage WHERE channel_id = {channel} ORDER BY slot") == [2, 3]
    assert column(store, f"SELECT call_count FROM usage WHERE channel_id = {other}") == [1]


def test_one_channel_says_nothing_of_another(store: Store) -> None:
    channel, other = a_channel(store, "facebook").id, a_channel(store, "another").id
    keep(store, channel, a_reading(97))
    assert latest(store, other) is None
    with store.read() as tx:
        assert usage.nearly_full(tx, other, NOW) is None
        assert usage.nearly_full(tx, channel, NOW) == (a_reading(97), NOW + timedelta(hours=1))


def test_a_limit_that_was_nearly_full_is_asked_about_again_when_its_time_is_over(store: Store) -> None:
    channel = a_channel(store).id
    keep(store, channel, a_reading(97, regain_min=90))
    with store.read() as tx:
        assert usage.nearly_full(tx, channel, NOW + timedelta(minutes=89)) is not None
        assert usage.nearly_full(tx, channel, NOW + timedelta(minutes=90)) is None


def test_what_a_clock_that_was_ahead_wrote_down_does_not_count(store: Store) -> None:
    channel = a_channel(store).id
    keep(store, channel, a_reading(97, timedelta(days=2)))
    assert latest(store, channel) is None


def test_two_writers_of_the_same_ten_minutes_both_go_on(store: Store) -> None:
    channel = a_channel(store).id
    with store.write() as tx:
        usage.keep(tx, channel, a_reading(1))
        usage.keep(tx, channel, a_reading(2))
    assert column(store, "SELECT call_count FROM usage") == [2]
