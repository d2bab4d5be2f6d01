"""How much of Facebook's limit is used, on the page of the channels: a sentence, and a chart that says the same."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from outreach.channels import Usage
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.doors.web.usage_chart import shown
from outreach.sandbox import Sandbox
from outreach.store import usage
from tests.doors.place import Place
from tests.web.visitors import member

NOW = datetime(2026, 11, 26, 15, tzinfo=UTC)


def a_reading(hours_ago: float, percent: int) -> Usage:
    return Usage(NOW - timedelta(hours=hours_ago), percent, 1, 1)


def test_a_channel_that_says_nothing_of_a_limit_shows_none() -> None:
    assert shown([], now=NOW, zone="America/New_York") is None


def test_the_chart_says_in_words_what_it_draws_in_the_communitys_time() -> None:
    found = shown([a_reading(1, 12), a_reading(30, 93), a_reading(31, 5)], now=NOW, zone="America/New_York")
    assert found is not None
    assert found.chart.said == (
        "12 % of the limit is used now; at most 93 % in the last 7 days, on 25 November at 04:00."
    )
    assert (found.now_percent, found.spared_until) == (12, None)
    assert [label.text for label in found.chart.labels] == ["Fri", "Sat", "Sun", "Mon", "Tue", "Wed", "Thu"]


@pytest.mark.parametrize("percent", [0, 1, 50, 90, 100, 1000])
@pytest.mark.parametrize("zone", ["America/New_York", "AoE", "Asia/Kolkata"])
def test_every_column_stays_inside_the_chart(percent: int, zone: str) -> None:
    found = shown([a_reading(hours, percent) for hours in range(0, 190, 3)], now=NOW, zone=zone)
    assert found is not None
    assert len(found.chart.blocks) == 42
    assert all(
        b.x >= 42 and b.x + b.width <= 400 and b.y >= 9.9 and b.y + b.height <= 128.1 for b in found.chart.blocks
    )


def test_the_page_of_the_channels_shows_it(tmp_path: Path, migrated_file: Path) -> None:
    with Sandbox() as box:
        house = Place(tmp_path, box, database=migrated_file).house()
        row = next(row for row in house.desk.channels() if row.kind == "facebook_page")
        with house.store.write() as tx:
            usage.keep(tx, row.id, Usage(house.clock.now() - timedelta(minutes=2), 93, 4, 4))
        with served(create(house)) as address:
            page = member(house, address).get("/channels").text
        house.close()

    assert "Used now: <strong>93 %</strong>" in page
    assert "it is asked only for posts in doubt" in page
    (chart,) = re.findall(r'<svg class="chart".*?</svg>', page, re.S)
    assert 'role="img"' in chart
    assert "93 % of the limit is used now" in chart
