"""Trouble on every door: the page, /healthz and /metrics, the command, the doctor; true also when no worker runs."""

import re
import sqlite3
from collections.abc import Iterator
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.doors.worker import Worker
from outreach.model import Published, Refused, State
from outreach.sandbox import Sandbox
from outreach.store import safety, workers
from outreach.store.safety import Cause
from outreach.watch.lateness import Lateness
from tests.alarms.world import World
from tests.builders import NOW, WORKER, a_channel, a_post, a_stored_post, pause
from tests.doors.place import Place
from tests.web.visitors import Guest, member


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with served(create(world.house)) as found:
        yield found


def beat(world: World) -> None:
    with world.store.write() as tx:
        workers.beat(tx, WORKER, world.clock.now())


def samples(visitor: Guest) -> dict[str, Sample]:
    answer = visitor.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {f"{s.name}{s.labels.get('le', '')}": s for family in families for s in family.samples}


def test_the_page_shows_what_is_wrong_by_the_clock_without_a_worker(address: str, world: World) -> None:
    a_stored_post(world.store, title="Poster <b>session</b>")
    assert "overdue" not in member(world.house, address).get().text
    world.clock.tick(61)
    page = member(world.house, address).get().text
    assert '<h2 id="trouble">What is wrong now</h2>' in page
    assert "Poster &lt;b&gt;session&lt;/b&gt;" in page
    assert "It is overdue and not out yet." in page
    assert 'href="/announcements/1#facebook"' in page
    assert "<strong>no sign of a worker</strong>: No worker gave a sign at all, and posts are due within" in page
    assert "Start one: outreach worker" in page
    beat(world)
    assert "no sign of a worker" not in member(world.house, address).get().text


def test_the_page_lists_twenty_that_were_missed_and_leads_to_the_others(address: str, world: World) -> None:
    for _ in range(25):
        a_stored_post(world.store, State.MISSED)
    visitor = member(world.house, address)
    page = visitor.get().text
    assert page.count('class="post need missed"') == 20
    [more] = re.findall(r'href="(/\?before=[^"]+)"', page)
    assert visitor.get(more).text.count('class="post need missed"') == 5


def test_a_page_on_which_nothing_is_wrong_says_nothing_of_trouble(address: str, world: World) -> None:
    assert "What is wrong now" not in member(world.house, address).get().text


def test_health_tells_everything_and_goes_red_with_what_is_overdue(address: str, world: World) -> None:
    beat(world)
    answer = member(world.house, address).get("/healthz")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "ok": True,
            "problems": [],
            "overdue": 0,
            "unconfirmed": 0,
            "missed": 0,
            "failed": 0,
            "queued": 0,
            "paused_channels": 0,
            "safe_mode": False,
            "open_alarms": 0,
            "seconds_since_the_last_beat": 0.0,
        },
    )
    a_stored_post(world.store)
    world.clock.tick(61)
    beat(world)
    red = member(world.house, address).get("/healthz")
    assert (red.status_code, red.json()["problems"]) == (503, ["1 posts are overdue."])


def test_health_without_a_database_is_red_and_says_so(address: str, world: World) -> None:
    with world.store.write() as tx:
        tx.exec_driver_sql("ALTER TABLE heartbeats RENAME TO elsewhere")
    answer = member(world.house, address).get("/healthz")
    assert (answer.status_code, answer.json()["ok"]) == (503, False)
    assert answer.json()["problems"][0].startswith("The database cannot be used: ")
    assert samples(member(world.house, address))["outreach_database_up"].value == 0


def test_metrics_are_what_prometheus_reads(address: str, world: World) -> None:
    for state in (State.QUEUED, State.MISSED, State.FAILED, State.UNCONFIRMED):
        a_stored_post(world.store, state)
    pause(world.store, a_channel(world.store, "listserv").id)
    beat(world)
    world.clock.tick(61)
    world.run()
    found = {
        name: sample.value for name, sample in samples(member(world.house, address)).items() if "lateness" not in name
    }
    assert found == {
        "outreach_database_up": 1,
        "outreach_overdue": 1,
        "outreach_unconfirmed": 1,
        "outreach_missed": 1,
        "outreach_failed": 1,
        "outreach_queued": 1,
        "outreach_paused_channels": 1,
        "outreach_open_alarms": 4,
        "outreach_safe_mode": 0,
        "outreach_last_beat_age_seconds": 61,
    }
    with world.store.write() as tx:
        safety.enter(tx, Cause.PERSON, "A person asked for it.", now=NOW)
    assert samples(member(world.house, address))["outreach_safe_mode"].value == 1


def test_lateness_is_counted_from_what_really_went_out(place: Place) -> None:
    house = place.house()
    place.json("add", place.letter())
    worker = Worker(house)
    worker.once()
    with served(create(house)) as address:
        found = samples(member(house, address))
    house.close()
    assert found["outreach_lateness_seconds_count"].value == 2
    assert found["outreach_lateness_seconds_bucket21600"].value == 2


def test_lateness_has_its_buckets_and_counts_only_what_was_published() -> None:
    late = Lateness()
    for seconds in (-1, 0.5, 1, 1.5, 4000, 30000):
        late.note(a_post(), Published(remote_id="1"), at=NOW + timedelta(seconds=seconds))
    late.note(a_post(), Refused("No."), at=NOW)
    buckets, sum_s = late.counted()
    counts = dict(buckets)
    assert (counts["1"], counts["2"], counts["3600"], counts["10800"], counts["+Inf"]) == (3, 4, 4, 5, 6)
    assert sum_s == 34003


def test_every_metric_is_of_this_install_alone(address: str, world: World) -> None:
    assert {name.split("_")[0] for name in samples(member(world.house, address))} == {"outreach"}


# The command and the doctor


def test_the_command_lists_what_is_wrong_with_its_next_step_and_what_is_over(place: Place, box: Sandbox) -> None:
    box.graph.fail("feed", "error", code=100, subcode=1, message="Invalid parameter")
    place.json("add", place.letter(title="Colloquium"), "--to", "facebook")
    assert place.run("worker", "--once").code == 0
    shown = place.cli("alarms").out
    assert "✗ failed: 1/facebook “Colloquium” on facebook, planned for " in shown
    assert "    Send it after all: outreach requeue 1/facebook, or let it be: outreach cancel 1/facebook" in shown
    [alarm] = place.json("alarms")["now"]
    assert (alarm["kind"], alarm["told_at"] is not None) == ("failed", True)

    place.json("cancel", "1/facebook")
    assert place.run("worker", "--once").code == 0
    assert place.json("alarms")["now"] == []
    assert [alarm["kind"] for alarm in place.json("alarms")["over"]] == ["failed"]
    shown = place.cli("alarms").out
    assert "Nothing is wrong that anybody has to be told of." in shown
    assert "Over:" in shown


def test_the_command_needs_no_worker_to_see_what_is_wrong(place: Place) -> None:
    place.json("add", place.letter(at="2035-01-15 09:00"))
    with sqlite3.connect(place.queue / "outreach.db") as connection:
        connection.execute("UPDATE posts SET due_at = planned_at - 400000000000000")
    connection.close()
    kinds = [(alarm["kind"], alarm["raised_at"]) for alarm in place.json("alarms")["now"]]
    assert kinds == [("no sign of a worker", None), ("overdue", None), ("overdue", None)]


def test_the_doctor_names_the_latest_sign_of_a_worker_every_alarm_and_the_routes(place: Place, world: World) -> None:
    a_stored_post(world.store, State.MISSED)
    beat(world)
    checks = {check["name"]: check for check in place.cli("doctor", "--json").json["checks"]}
    assert checks["worker"]["message"] == "the last sign: Tue 1 Dec 2026, 09:00 America/New_York (EST)"
    assert checks["alerts"]["message"] == f"mail to {world.box.alert_address}"
    place.settings["OUTREACH_ALERT_EMAIL"] = ""
    checks = {check["name"]: check for check in place.cli("doctor", "--json").json["checks"]}
    assert "set OUTREACH_ALERT_EMAIL to be told by mail" in checks["alerts"]["message"]
