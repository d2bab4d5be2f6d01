"""Communities and channels as the database knows them: settled from the settings, paused, resumed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from outreach.lifecycle import Pause
from outreach.model import BadInput
from outreach.store import Store, channels, open_store
from outreach.store.channels import ChannelRow, CommunityRow
from tests.builders import NOW, column, everything

TOMORROW = NOW + timedelta(days=1)


def settle(store: Store, config: str = "a token", name: str = "facebook", kind: str = "facebook_page") -> ChannelRow:
    with store.write() as tx:
        community = channels.settle_community(tx, name="TMM SIG", time_zone="America/New_York", approval="off", now=NOW)
        return channels.settle_channel(
            tx, community_id=community.id, channel=(name, kind), config=config, secret="s3cret", now=NOW
        )


def pause(store: Store, row: ChannelRow, why: Pause, person: str | None = None) -> None:
    with store.write() as tx:
        channels.pause(tx, row.id, why, now=NOW, person=person)


def again(store: Store, name: str = "facebook") -> ChannelRow:
    with store.read() as tx:
        return channels.by_name(tx, 1, name)


def test_the_first_settling_makes_the_community_and_the_next_changes_it(store: Store) -> None:
    for name, zone, approval in (("TMM SIG", "UTC", "off"), ("Imaging SIG", "Europe/Berlin", "required")):
        with store.write() as tx:
            row = channels.settle_community(tx, name=name, time_zone=zone, approval=approval, now=NOW)

    assert row == CommunityRow(1, "Imaging SIG", "Europe/Berlin", "required")
    assert column(store, "SELECT name FROM communities") == ["Imaging SIG"]


def test_a_channel_is_made_ready_and_settling_it_again_changes_nothing(store: Store) -> None:
    row = settle(store)
    before = everything(store)

    assert settle(store) == row
    assert row == ChannelRow(1, 1, "facebook", "facebook_page", "ready", None, None, None)
    assert everything(store) == before


def test_channels_are_given_in_the_order_they_were_made(store: Store) -> None:
    for name in ("listserv", "facebook", "a-list"):
        settle(store, name=name)

    with store.read() as tx:
        assert [row.name for row in channels.of_community(tx, 1)] == ["listserv", "facebook", "a-list"]


def test_a_channel_that_is_not_there_is_refused_with_those_there_are(store: Store) -> None:
    settle(store)
    settle(store, name="listserv")

    with pytest.raises(BadInput) as caught:
        again(store, "mastodon")

    assert caught.value.message == "There is no channel called 'mastodon'."
    assert caught.value.next_step == "The channels are: facebook, listserv."


def test_no_secret_of_the_settings_is_kept(store: Store) -> None:
    settle(store, config="EAAB-the-page-token")

    assert "EAAB-the-page-token" not in repr(everything(store))
    [fingerprint] = column(store, "SELECT fingerprint FROM channels")
    assert len(fingerprint) == 64


# Pausing


def test_a_pause_has_a_reason_and_an_end_and_is_told(store: Store) -> None:
    row = settle(store)

    pause(store, row, Pause("Facebook asked us to wait.", TOMORROW))

    assert again(store) == ChannelRow(
        1, 1, "facebook", "facebook_page", "paused", "Facebook asked us to wait.", TOMORROW, None
    )
    assert column(store, "SELECT note FROM events WHERE kind = 'pause channel'") == ["Facebook asked us to wait."]


def test_a_channel_that_is_resumed_is_ready_and_forgets_why(store: Store) -> None:
    row = settle(store)
    pause(store, row, Pause("The token ended.", TOMORROW), "ann@example.org")

    with store.write() as tx:
        channels.resume(tx, row.id, now=NOW, person="bob@example.org")

    assert again(store) == row
    assert column(store, "SELECT person FROM events ORDER BY id") == ["ann@example.org", "bob@example.org"]


def test_new_settings_end_a_pause_that_the_old_ones_caused(store: Store) -> None:
    pause(store, settle(store, "an old token"), Pause("The token ended.", None))

    assert settle(store, "a new token").state == "ready"
    assert column(store, "SELECT note FROM events WHERE kind = 'resume channel'") == ["its settings changed"]


def test_the_same_settings_leave_a_pause_as_it_is(store: Store) -> None:
    pause(store, settle(store, "an old token"), Pause("The token ended.", None))

    assert settle(store, "an old token").state == "paused"


def test_new_settings_do_not_end_a_pause_that_a_person_asked_for(store: Store) -> None:
    pause(store, settle(store, "an old token"), Pause("We mourn.", None), "ann@example.org")

    assert settle(store, "a new token").state == "paused"


def test_a_pause_ends_at_its_instant_and_not_before(store: Store) -> None:
    row = settle(store)
    pause(store, row, Pause("Facebook asked us to wait.", TOMORROW))

    with store.write() as tx:
        before = TOMORROW - timedelta(microseconds=1)
        assert channels.is_a_pause_over(tx, before) is False
        assert list(channels.resume_those_whose_time_is_over(tx, before)) == []
        assert channels.is_a_pause_over(tx, TOMORROW) is True
        assert list(channels.resume_those_whose_time_is_over(tx, TOMORROW)) == [row.id]

    assert again(store).state == "ready"


def test_a_pause_until_a_person_acts_is_never_over_by_itself(store: Store) -> None:
    pause(store, settle(store), Pause("The token ended.", None))

    with store.write() as tx:
        assert channels.is_a_pause_over(tx, NOW + timedelta(days=3650)) is False
        assert list(channels.resume_those_whose_time_is_over(tx, NOW + timedelta(days=3650))) == []


def test_an_install_has_one_secret_that_stays(store: Store) -> None:
    found = []
    for _ in range(2):
        with store.write() as tx:
            found.append(channels.install_secret(tx))

    assert found[0] == found[1]
    assert len(found[0]) == 64


def test_four_workers_that_start_at_once_settle_one_community_one_channel_and_one_secret(database_url: str) -> None:
    stores = [open_store(database_url) for _ in range(4)]
    together = Barrier(4)

    def start(store: Store) -> tuple[ChannelRow, str]:
        together.wait(20)
        row = settle(store)
        with store.write() as tx:
            return row, channels.install_secret(tx)

    with ThreadPoolExecutor(4) as pool:
        started = set(pool.map(start, stores))

    assert len(started) == 1
    assert column(stores[0], "SELECT name FROM communities") == ["TMM SIG"]
    assert column(stores[0], "SELECT name FROM channels") == ["facebook"]
    for store in stores:
        store.close()
