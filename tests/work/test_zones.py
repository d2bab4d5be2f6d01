"""Zones whose rules change after queueing: posts keep their wall time, and the history says what moved."""

import os
import shutil
import subprocess
import sys
import zoneinfo
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from outreach import when
from outreach.model import State
from outreach.store import Store, safety
from outreach.watch.zones import KEY, Zones
from tests.builders import NOW, a_post, a_stored_post, column, seen

NEW_YORK = "America/New_York"
NINE = datetime(2026, 12, 1, 14, tzinfo=UTC)  # 09:00 in New York


def test_while_the_rules_stay_nothing_moves(store: Store) -> None:
    post = a_stored_post(store)
    zones = Zones(store=store, now=lambda: NOW)

    assert [zones.settle(), zones.check(), zones.settle(), zones.check()] == [0, 0, 0, 0]
    assert seen(store, post) == post


def with_other_rules(store: Store) -> Zones:
    """As after an update of the zone data: what was kept of the rules is not what they are."""
    with store.write() as tx:
        safety.remember(tx, KEY, f'{{"{NEW_YORK}": "what it was"}}')
    return Zones(store=store, now=lambda: NOW)


def test_a_queued_post_keeps_its_wall_time_when_the_rules_change(store: Store) -> None:
    an_hour_off = NINE + timedelta(hours=1)
    post = a_stored_post(store, due_at=an_hour_off, wall_time="2026-12-01 09:00", time_zone=NEW_YORK)

    assert with_other_rules(store).settle() == 1

    now = seen(store, post)
    assert (now.due_at, now.planned_at, now.miss_at) == (NINE, NINE, NINE + timedelta(hours=6))
    assert column(store, "SELECT note FROM events WHERE kind = 'move due time'") == [
        "The rules of America/New_York changed: Tue 1 Dec 2026, 15:00 UTC became Tue 1 Dec 2026, 14:00 UTC."
    ]
    assert Zones(store=store, now=lambda: NOW).check() == 0


def test_what_is_out_does_not_move(store: Store) -> None:
    post = a_stored_post(store, State.PUBLISHED, due_at=NINE + timedelta(hours=1), wall_time="2026-12-01 09:00")

    assert with_other_rules(store).check() == 0
    assert seen(store, post) == post


def test_a_post_that_was_put_off_keeps_the_time_of_its_next_try(store: Store) -> None:
    post = a_stored_post(store, due_at=NINE + timedelta(hours=1), wall_time="2026-12-01 09:00")
    with store.write() as tx:
        tx.exec_driver_sql(f"UPDATE posts SET due_at = due_at + 60000000 WHERE id = {post.id}")

    with_other_rules(store).check()

    assert (seen(store, post).due_at, seen(store, post).planned_at) == (NINE + timedelta(minutes=61), NINE)


def test_more_posts_than_are_read_at_a_time_all_move(sqlite_store: Store) -> None:
    a_stored_post(sqlite_store, due_at=NINE + timedelta(hours=1), wall_time="2026-12-01 09:00")
    copy = (
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 1201) INSERT INTO posts"
        " (announcement_id, channel_id, occurrence, state, due_at, planned_at, miss_at, wall_time, time_zone,"
        " content_sha256) SELECT announcement_id, channel_id, i, state, due_at, planned_at, miss_at, wall_time,"
        " time_zone, content_sha256 FROM posts, n WHERE id = 1"
    )
    with sqlite_store.write() as tx:
        tx.exec_driver_sql(copy)

    assert with_other_rules(sqlite_store).check() == 1201


@pytest.mark.parametrize("hour", [5, 6])
def test_either_instant_of_a_wall_time_that_comes_twice_is_as_planned(hour: int) -> None:
    twice = datetime(2026, 11, 1, hour, 30, tzinfo=UTC)  # 01:30 in New York, before and after the clocks go back

    assert when.changed_due(a_post(planned_at=twice, wall_time="2026-11-01 01:30", time_zone=NEW_YORK)) is None


def test_a_wall_time_with_seconds_is_understood() -> None:
    planned = NINE + timedelta(seconds=30)

    assert when.changed_due(a_post(planned_at=planned, wall_time="2026-12-01 09:00:30", time_zone=NEW_YORK)) is None


def test_the_sum_of_the_rules_is_another_for_other_rules() -> None:
    sums = [when.fingerprint(zone, now=NOW) for zone in (NEW_YORK, "America/Toronto", "Europe/London", "UTC", "AoE")]

    assert len(set(sums)) == 4  # New York and Toronto have had the same for years
    assert when.fingerprint(NEW_YORK, now=NOW) == when.fingerprint(NEW_YORK, now=NOW + timedelta(days=29))


SHOW_DUE = """
import sys
from datetime import datetime, UTC
from outreach.bootstrap import build
from outreach.settings import read_settings
from outreach.store import open_store
from outreach.watch.zones import Zones
store = open_store(sys.argv[1])
print(Zones(store=store, now=lambda: datetime(2026, 11, 24, tzinfo=UTC)).check())
"""


def test_another_edition_of_the_zone_data_moves_what_it_has_to(sqlite_store: Store, tmp_path: Path) -> None:
    """The real thing: a process that finds other rules under the same name in its zone folder."""
    post = a_stored_post(sqlite_store, due_at=NINE, wall_time="2026-12-01 09:00", time_zone=NEW_YORK)
    Zones(store=sqlite_store, now=lambda: NOW).check()
    place = tmp_path / "zones"
    (place / "America").mkdir(parents=True)
    source = next(p for root in zoneinfo.TZPATH if (p := Path(root) / "America" / "Halifax").is_file())
    shutil.copyfile(source, place / NEW_YORK)  # an hour earlier, as if the rules had become Atlantic time

    url = f"sqlite:///{column(sqlite_store, 'SELECT file FROM pragma_database_list')[0]}"
    environment = os.environ | {"PYTHONTZPATH": str(place)}
    done = subprocess.run([sys.executable, "-c", SHOW_DUE, url], capture_output=True, text=True, env=environment)

    assert (done.stdout.strip(), done.returncode) == ("1", 0), done.stderr
    assert seen(sqlite_store, post).due_at == NINE - timedelta(hours=1)


def test_a_zone_that_this_machine_does_not_know_keeps_no_other_from_being_looked_at(store: Store) -> None:
    unknown = a_stored_post(store, due_at=NINE + timedelta(hours=3))
    with store.write() as tx:
        tx.exec_driver_sql(f"UPDATE posts SET time_zone = 'America/Atlantis' WHERE id = {unknown.id}")
    a_stored_post(store, due_at=NINE + timedelta(hours=1), wall_time="2026-12-01 09:00", time_zone=NEW_YORK)

    assert with_other_rules(store).check() == 1
    assert seen(store, unknown).due_at == unknown.due_at
