"""Apprise, the ping and the test alarm over real sockets; and no secret in any line of the log."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from outreach.alarms.ping import ping_of
from outreach.model import BadInput, State
from outreach.settings import read_settings
from outreach.store import safety
from outreach.store.safety import Cause
from tests.alarms.world import World
from tests.builders import NOW, a_stored_post
from tests.channels.servers import RawServer, a_closed_port, answering, http
from tests.doors.place import Place

HUSH = "ping-hush-4711"


@pytest.fixture
def service() -> Iterator[RawServer]:
    with RawServer(answering(http(b"OK"))) as server:
        yield server


def with_settings(world: World, **settings: str) -> World:
    house = type(world.house)(read_settings(world.place.settings | settings), world.clock)
    _ = house.desk
    return World(house, world.box, world.place, world.clock)


def test_apprise_is_told_once_beside_the_mail(world: World, service: RawServer) -> None:
    told = with_settings(world, OUTREACH_ALERT_URLS=f"json://ann:{HUSH}@127.0.0.1:{service.port}/")
    a_stored_post(told.store, State.MISSED)
    for _ in range(2):
        told.run()
        told.clock.tick(60)
    assert (len(service.visits), len(told.mails)) == (1, 1)
    body = json.loads(service.received.partition(b"\r\n\r\n")[2])
    assert body["title"] == "[outreach] TMM SIG: missed"
    assert "Next: Send it after all: outreach requeue 1/facebook" in body["message"]
    told.house.close()


def test_a_service_that_fails_is_tried_again_and_the_mail_is_not_sent_twice(world: World) -> None:
    answers = [http(b"no", status="500 Internal Server Error"), http(b"OK")]
    with RawServer(lambda visit: answering(answers.pop(0))(visit)) as server:
        told = with_settings(world, OUTREACH_ALERT_URLS=f"json://127.0.0.1:{server.port}")
        a_stored_post(told.store, State.MISSED)
        for _ in range(3):
            told.run()
            told.clock.tick(60)
        assert (len(server.visits), len(told.mails)) == (2, 1)
        told.house.close()


def test_several_urls_are_several_routes_whatever_stands_between(world: World) -> None:
    urls = "json://127.0.0.1:1/a,b\n json://127.0.0.1:2 ,json://127.0.0.1:3"
    told = with_settings(world, OUTREACH_ALERT_URLS=urls)
    assert [route.name for route in told.house.routes.others] == [f"Apprise URL {n} (json)" for n in (1, 2, 3)]
    told.house.close()


def test_a_url_that_apprise_does_not_know_is_named_by_its_place_alone(world: World) -> None:
    with pytest.raises(BadInput) as caught:
        _ = with_settings(world, OUTREACH_ALERT_URLS=f"json://127.0.0.1 nothing://{HUSH}").house.routes
    assert str(caught.value).startswith("OUTREACH_ALERT_URLS: Apprise cannot use URL number 2.")
    assert HUSH not in str(caught.value)


def test_without_apprise_the_setting_says_how_to_install_it(place: Place) -> None:
    code = "import sys; sys.modules['apprise'] = None; from outreach.doors.cli import main; main()"
    environment = place.environment() | {"OUTREACH_ALERT_URLS": f"json://{HUSH}@127.0.0.1"}
    command = [sys.executable, "-c", code, "worker", "--once"]
    done = subprocess.run(command, env=environment, cwd=place.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "OUTREACH_ALERT_URLS: Apprise is not installed." in done.stderr
    assert "pip install 'outreach[more-channels]'" in done.stderr
    assert HUSH not in done.stderr


@pytest.mark.parametrize("is_there", [True, False])
def test_no_secret_is_in_any_line_of_the_log(
    world: World, service: RawServer, caplog: pytest.LogCaptureFixture, is_there: bool
) -> None:
    port = service.port if is_there else a_closed_port()
    caplog.set_level(1)
    caplog.set_level(1, logger="urllib3.connectionpool")  # as a command that ran in this process may have left it
    told = with_settings(
        world,
        OUTREACH_ALERT_URLS=f"json://ann:{HUSH}@127.0.0.1:{port}/{HUSH}",
        OUTREACH_PING_URL=f"http://127.0.0.1:{port}/{HUSH}?key={HUSH}",
    )
    a_stored_post(told.store, State.MISSED)
    told.run()
    beat_and_ping(told)
    assert HUSH not in caplog.text
    assert HUSH not in repr(told.house.routes) + repr(ping_of(told.house.settings))
    assert logging.getLogger("urllib3.connectionpool").isEnabledFor(logging.DEBUG)
    told.house.close()


# The ping


def beat_and_ping(world: World) -> None:
    """Do the errand of a worker that has just given a sign."""
    publisher, watch = world.house.new_worker()
    publisher.close()
    watch.beat()
    [ping] = [errand for errand in watch.errands if errand.name == "ping"]
    ping.do()


def test_a_monitor_is_told_that_all_is_well_by_a_plain_get(world: World, service: RawServer) -> None:
    told = with_settings(world, OUTREACH_PING_URL=f"{service.url}/ping/4711?create=1")
    beat_and_ping(told)
    [visit] = service.visits
    assert visit.received.startswith(b"GET /ping/4711?create=1 HTTP/1.1\r\n")
    assert b"Authorization" not in visit.received
    told.house.close()


def test_a_monitor_is_told_nothing_while_something_is_wrong(world: World, service: RawServer) -> None:
    told = with_settings(world, OUTREACH_PING_URL=f"{service.url}/ping")
    post = a_stored_post(told.store)
    told.clock.tick(61)
    beat_and_ping(told)  # a post is overdue
    told.house.desk.cancel(post.name)
    with told.store.write() as tx:
        safety.enter(tx, Cause.PERSON, "A person asked for it.", now=NOW)
    beat_and_ping(told)
    with told.store.write() as tx:
        safety.leave(tx, now=NOW)
    told.house.outage.trouble("beat", BadInput("The disk is full."))
    beat_and_ping(told)
    assert service.visits == []
    told.house.outage.well("beat")
    beat_and_ping(told)
    assert len(service.visits) == 1
    told.house.close()


def test_a_worker_whose_own_chores_hang_is_not_well_whatever_another_does(world: World, service: RawServer) -> None:
    told = with_settings(world, OUTREACH_PING_URL=f"{service.url}/ping")
    publisher, watch = told.house.new_worker()
    publisher.close()
    watch.beat()
    told.clock.tick(61)
    other, other_watch = told.house.new_worker()
    other.close()
    other_watch.beat()
    [ping] = [errand for errand in watch.errands if errand.name == "ping"]
    ping.do()
    assert service.visits == []
    told.house.close()


def test_a_redirect_is_not_followed(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with RawServer() as elsewhere:
        away = http(b"", status="302 Found", headers=f"Location: {elsewhere.url}/\r\n")
        with RawServer(answering(away)) as server:
            told = with_settings(world, OUTREACH_PING_URL=f"{server.url}/ping")
            beat_and_ping(told)
            told.house.close()
        assert elsewhere.visits == []
    assert "the monitor was not reached: it answered 302" in caplog.text


# The test alarm


def test_a_test_alarm_goes_by_every_route_and_says_which_took_it(
    world: World, place: Place, service: RawServer
) -> None:
    place.settings["OUTREACH_ALERT_URLS"] = f"json://127.0.0.1:{service.port} json://127.0.0.1:{a_closed_port()}"
    answer = place.cli("alarms", "--test")
    assert answer.code == 1
    assert answer.out.splitlines() == [
        f"✓ mail to {world.box.alert_address}: taken",
        "✓ Apprise URL 1 (json): taken",
        "✗ Apprise URL 2 (json): not taken: The service did not take it.",
    ]
    assert world.mails[0]["Subject"] == "[outreach] TMM SIG: a test alarm"


def test_a_test_alarm_without_a_route_says_what_to_set(place: Place) -> None:
    place.settings["OUTREACH_ALERT_EMAIL"] = ""
    answer = place.cli("alarms", "--test")
    assert (answer.code, "Set OUTREACH_ALERT_EMAIL" in answer.out) == (1, True)
    assert place.cli("alarms", "--test", "--json").json == {"routes": []}
