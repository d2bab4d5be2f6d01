"""Webhooks, told over real HTTP: signed, again until it is taken, never twice as two, never into a private network."""

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from outreach.alarms.knocking import Knock, Knocker, check_url, signature
from outreach.bootstrap import House
from outreach.doors.api.told import Telling
from outreach.doors.worker import Worker
from outreach.lifecycle import Pause
from outreach.model import BadInput, Move
from outreach.roles import Role
from outreach.store import Store, channels, people, safety, webhooks
from outreach.vault import Vault
from outreach.watch.webhooks import KINDS, WAITS, Webhooks
from tests.api.conftest import Program, Programs, visitor
from tests.api.test_verbs import kind, queued
from tests.builders import NOW, SettableClock, a_channel, a_stored_post, behind_its_back, column, make, take
from tests.work.clocks import StillClock


class Ear:
    """A server that is told things. `answers` are the next statuses; after them it takes everything."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.more = b""
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                ear.heard.append((dict(self.headers), body))
                self.send_response(ear.answers.pop(0) if ear.answers else 204)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()
                self.wfile.write(ear.more)

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/ear?key=secret"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.heard]

    @property
    def kinds(self) -> list[tuple[str, str | None]]:
        return [(each["kind"], each["post"] and each["post"]["id"]) for each in self.told]


@pytest.fixture
def ear() -> Iterator[Ear]:
    listening = Ear()
    yield listening
    listening.close()


def add(house: House, ear: Ear, *kinds: str) -> tuple[int, str]:
    who = visitor(house, "ann@example.org").person
    return house.webhooks.add(ear.url, kinds or KINDS, person=who.email, person_id=who.id)


def test_what_goes_out_is_told_once_signed_and_in_the_contracts_shape(ann: Program, house: House, ear: Ear) -> None:
    made = ann.post("/webhooks", {"url": ear.url}).json()
    secret = made["secret"]
    queued(ann, to=["facebook"], at="now")
    assert Worker(house).once() == 1
    house.webhooks.round()

    ((headers, body),) = ear.heard
    told = json.loads(body)
    post = ann.get("/announcements/1").json()["posts"][0]
    assert told == Telling.of(told).model_dump()
    assert told["kind"] == "published"
    assert told["post"] == {key: post[key] for key in told["post"]}
    assert told["announcement"] == {"id": 1, "title": "Colloquium", "status": "published"}
    assert (told["community"], told["id"]) == ("TMM SIG", headers["Outreach-Id"])
    t, v1 = (part.partition("=")[2] for part in headers["Outreach-Signature"].split(","))
    assert v1 == hmac.new(secret.encode(), f"{t}.".encode() + body, hashlib.sha256).hexdigest()
    assert int(t) == int(house.clock.now().timestamp())
    assert ann.get("/webhooks").json()["webhooks"][0]["last_taken_at"] is not None


def test_each_kind_is_told_to_who_asked_for_it(ann: Program, house: House, ear: Ear) -> None:
    add(house, ear, "failed", "needs-a-person")
    number = queued(ann, at="now")
    facebook, listserv = house.desk.find(str(number))
    take(house.store, facebook)
    make(house.store, facebook, Move.FAIL)
    make(house.store, listserv, Move.MISS)
    with house.store.write() as tx:
        channels.pause(tx, facebook.channel_id, Pause("The token ended.", None), now=NOW)
        channels.pause(tx, listserv.channel_id, Pause("A limit.", NOW + timedelta(hours=1)), now=NOW)
        safety.enter(tx, safety.Cause.COPY, "Two of them.", now=NOW)
    house.webhooks.round()
    assert ear.kinds == [
        ("failed", facebook.name),
        ("needs-a-person", listserv.name),
        ("needs-a-person", None),
        ("needs-a-person", None),
    ]
    assert [(each["channel"], each["why"]) for each in ear.told[2:]] == [
        ("facebook", "The token ended."),
        (None, "Two of them."),
    ]


def test_what_a_person_stopped_needs_no_person(ann: Program, house: House, ear: Ear) -> None:
    add(house, ear)
    ann.post("/channels/facebook/pause", {"reason": "Moving."})
    ann.post("/safe-mode/on", {"reason": "Look."})
    house.webhooks.round()
    assert ear.heard == []


def test_a_doubt_is_told_only_once_nobody_looks_any_more(ann: Program, house: House, ear: Ear) -> None:
    add(house, ear)
    queued(ann, to=["facebook"], at="now")
    post = house.desk.find("1")[0]
    take(house.store, post)
    make(house.store, post, Move.DOUBT, look_at=NOW)
    house.webhooks.round()
    assert ear.heard == []
    with house.store.write() as tx:
        tx.exec_driver_sql("UPDATE posts SET look_at = NULL")
    house.webhooks.round()
    house.webhooks.round()
    assert ear.kinds == [("needs-a-person", "1/facebook")]


def test_what_happened_before_it_was_added_is_not_told(ann: Program, house: House, ear: Ear) -> None:
    queued(ann, at="now")
    assert Worker(house).once() == 2
    add(house, ear)
    house.webhooks.round()
    assert ear.heard == []


def test_what_is_not_taken_comes_again_later_and_later_with_the_same_id(
    ann: Program, house: House, ear: Ear, still: StillClock
) -> None:
    add(house, ear)
    queued(ann, to=["facebook"], at="now")
    assert Worker(house).once() == 1  # its errands tell as well
    ear.heard.clear()
    with house.store.write() as tx:
        tx.exec_driver_sql("UPDATE deliveries SET tries = 0, done_at = NULL, next_at = 0, status = NULL")
    ear.answers = [500, 302, 404]
    for wait in WAITS[:3]:
        house.webhooks.round()
        count = len(ear.heard)
        still.tick(wait.total_seconds() - 1)
        house.webhooks.round()
        assert len(ear.heard) == count  # not before its time
        still.tick(1)
    house.webhooks.round()
    house.webhooks.round()
    assert len(ear.heard) == 4
    assert len({each["id"] for each in ear.told}) == 1
    assert house.webhooks.all()[0][1].waiting == 0


def test_after_a_good_day_a_delivery_is_given_up_and_after_a_week_the_webhook(
    ann: Program, house: House, ear: Ear, still: StillClock
) -> None:
    number, _ = add(house, ear)
    queued(ann, to=["facebook"], at="now")
    make(house.store, house.desk.find("1")[0], Move.MISS)
    ear.answers = [503] * 100
    tries = 0
    for wait in (*WAITS, timedelta(days=1)):
        house.webhooks.round()
        assert len(ear.heard) == (tries := tries + 1)
        still.tick(wait.total_seconds())
    house.webhooks.round()
    row, how = house.webhooks.get(number)
    assert (len(ear.heard), how.waiting, how.last_trouble, row.ended_at) == (tries, 0, "it answered 503", None)
    assert timedelta(days=1) <= sum(WAITS, timedelta()) <= timedelta(days=2)

    still.tick(6 * 86400)
    make(house.store, house.desk.find("1")[0], Move.REQUEUE)
    make(house.store, house.desk.find("1")[0], Move.MISS, at=still.now())
    house.webhooks.round()
    row, how = house.webhooks.get(number)
    assert row.end_reason == "Nothing was taken for a week; at last: it answered 503."
    assert (how.waiting, ann.get("/webhooks").json()["webhooks"][0]["end_reason"]) == (0, row.end_reason)


def test_one_that_answers_410_is_ended_at_once(ann: Program, house: House, ear: Ear) -> None:
    number, _ = add(house, ear)
    queued(ann, at="now")
    ear.answers = [410]
    for post in house.desk.find("1"):
        make(house.store, post, Move.MISS)
    house.webhooks.round()
    house.webhooks.round()
    assert house.webhooks.get(number)[0].end_reason == "It answered 410: it wants nothing any more."
    assert len(ear.heard) == 1


def test_a_worker_that_ends_between_leaves_the_delivery_to_the_next(
    ann: Program, house: House, ear: Ear, still: StillClock
) -> None:
    add(house, ear)
    queued(ann, to=["facebook"], at="now")
    make(house.store, house.desk.find("1")[0], Move.MISS)
    ear.answers = [500]
    house.webhooks.round()
    still.tick(60)
    with house.store.read() as tx:
        owed = webhooks.due(tx, still.now(), most=9)[0]
    with house.store.write() as tx:
        assert webhooks.take(tx, owed, until=still.now() + timedelta(minutes=1))
        assert not webhooks.take(tx, owed, until=still.now() + timedelta(minutes=1))  # it is somebody's
    house.webhooks.round()
    assert len(ear.heard) == 1
    still.tick(60)  # who took it has ended
    house.webhooks.round()
    assert len(ear.heard) == 2


def test_two_workers_tell_it_once(ann: Program, house: House, ear: Ear) -> None:
    add(house, ear)
    queued(ann, to=["facebook"], at="now")
    make(house.store, house.desk.find("1")[0], Move.MISS)
    threads = [threading.Thread(target=house.webhooks.round) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ear.kinds == [("needs-a-person", "1/facebook")]


def test_one_that_is_silent_keeps_no_other_waiting(ann: Program, house: House, ear: Ear) -> None:
    deaf = Ear()
    deaf.close()
    add(house, deaf)
    add(house, ear)
    queued(ann, at="now")
    for post in house.desk.find("1"):
        make(house.store, post, Move.MISS)
    house.webhooks.round()
    assert len(ear.heard) == 2
    assert column(house.store, "SELECT tries FROM deliveries WHERE webhook_id = 1 ORDER BY id") == [1, 0]


def test_of_a_long_answer_nothing_is_read(house: House, ear: Ear) -> None:
    ear.more = b"x" * 5_000_000
    number, _ = add(house, ear)
    assert house.webhooks.test(number).is_taken


def test_a_test_tells_of_nothing_and_is_answered_at_once(ann: Program, ear: Ear) -> None:
    ann.post("/webhooks", {"url": ear.url})
    ear.answers = [418]
    assert ann.post("/webhooks/1/test").json() == {"ok": False, "status": 418, "problem": "it answered 418"}
    assert ann.post("/webhooks/1/test").json() == {"ok": True, "status": 204, "problem": None}
    assert ear.kinds == [("test", None), ("test", None)]
    assert [Telling.of(told).kind for told in ear.told] == ["test", "test"]
    assert ann.post("/webhooks/1/end").json()["end_reason"] == "A person ended it."
    assert kind(ann.post("/webhooks/1/test")) == (409, "not-possible-now")
    for verb in ("test", "end"):
        assert kind(ann.post(f"/webhooks/9/{verb}")) == (404, "not-there")


def test_the_secret_and_the_address_are_kept_to_themselves(
    ann: Program, house: House, ear: Ear, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    secret = ann.post("/webhooks", {"url": ear.url}).json()["secret"]
    assert secret not in ann.get("/webhooks").text
    assert secret not in "".join(map(str, column(house.store, "SELECT secret FROM webhooks")))
    ear.answers = [410]
    queued(ann, at="now")
    make(house.store, house.desk.find("1")[0], Move.MISS)
    house.webhooks.round()
    written = "".join(map(str, column(house.store, "SELECT note FROM events"))) + caplog.text
    assert "key=secret" not in written
    assert secret not in written


def test_an_address_is_told_by_one_webhook_alone(ann: Program, ear: Ear) -> None:
    assert ann.post("/webhooks", {"url": ear.url}).status_code == 201
    assert kind(ann.post("/webhooks", {"url": ear.url})) == (409, "not-possible-now")
    ann.post("/webhooks/1/end")
    assert ann.post("/webhooks", {"url": ear.url}).status_code == 201


def test_only_who_sets_up_may_add_one(program: Programs, ear: Ear) -> None:
    other = program("cleo@example.org", roles=frozenset({Role.COORDINATOR}))
    assert kind(other.post("/webhooks", {"url": ear.url})) == (403, "not-allowed")
    assert kind(other.post("/webhooks/1/test")) == (403, "not-allowed")


# Addresses


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example.org/x", "https only"),
        ("https://user:word@hooks.example.org/", "no web address"),
        ("ftp://hooks.example.org/", "no web address"),
        ("https:///x", "no web address"),
        ("https://hooks.example.org:0/", "no web address"),
        ("https://hooks.example.org/a b", "no web address"),
        ("https://ä.example.org/", "no web address"),
        ("https://10.0.0.1/", "private network"),
        ("https://169.254.169.254/latest/meta-data", "private network"),
        ("https://[fd00::1]/", "private network"),
        ("https://[::ffff:10.0.0.1]/", "private network"),
        ("https://127.0.0.1/", "this machine"),
        ("https://localhost/", "this machine"),
        ("https://[::1]/", "this machine"),
    ],
)
def test_an_address_that_is_never_asked_is_refused(url: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        check_url(url, is_sandbox=False)


def test_in_the_sandbox_only_this_machine_is_told() -> None:
    assert check_url("http://127.0.0.1:9000/x#y", is_sandbox=True) == "http://127.0.0.1:9000/x"
    with pytest.raises(BadInput, match="nothing leaves this machine"):
        check_url("https://hooks.example.org/", is_sandbox=True)


@pytest.mark.parametrize("addresses", [["10.1.2.3"], ["93.184.215.14", "127.0.0.1"], ["::1"], ["169.254.169.254"]])
def test_a_name_that_leads_into_a_private_network_is_not_asked(addresses: list[str]) -> None:
    asked: list[str] = []

    def look_up(host: str, _port: int, _within_s: float) -> list[str]:
        asked.append(host)
        return addresses

    knock = Knocker(is_sandbox=False, look_up=look_up).knock("https://hooks.example.org/x", b"{}", {})
    assert (knock.status, knock.trouble, asked) == (
        None,
        "its name leads into a private network",
        ["hooks.example.org"],
    )


def test_a_name_that_nobody_knows_is_told_as_such() -> None:
    knock = Knocker(is_sandbox=False, look_up=lambda *_: []).knock("https://hooks.example.org/x", b"{}", {})
    assert knock.said() == "its host cannot be found"


def test_an_ear_that_never_answers_is_given_up(house: House) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/"
        knock = Knocker(is_sandbox=True, timeout_s=0.3).knock(url, b"{}", {})
    assert knock.said() == "no answer came in time"


def test_a_signature_is_of_the_instant_and_the_body() -> None:
    told = signature("whsec_x", b'{"id":"1"}', NOW)
    assert told == "t=1796133600,v1=" + hmac.new(b"whsec_x", b'1796133600.{"id":"1"}', hashlib.sha256).hexdigest()


# On each database


class Heard(Knocker):
    """Takes everything, and keeps it."""

    def __init__(self) -> None:
        super().__init__(is_sandbox=False)
        self.bodies: list[dict[str, Any]] = []

    def knock(self, url: str, body: bytes, headers: Any) -> Knock:
        self.bodies.append(json.loads(body))
        return Knock(200, None)


def test_an_event_that_was_written_late_is_told_all_the_same(store: Store, clock: SettableClock) -> None:
    """PostgreSQL shows a row with a smaller number after one with a greater: its transaction took longer."""
    community, ear = a_channel(store).community_id, Heard()
    with store.write() as tx:
        who = people.welcome(tx, community, "ann@example.org", (), now=clock.now())
    hooks = Webhooks(store=store, vault=Vault("x"), knocker=ear, community_id=community, now=clock.now)
    hooks.add("https://hooks.example.org/", KINDS, person=who.email, person_id=who.id)
    first, second = (a_stored_post(store, title=f"Post {n}") for n in range(2))
    make(store, second, Move.MISS, at=clock.now())
    hooks.round()
    behind_its_back(  # the event of the first gets a number below
        store,
        "UPDATE events SET id = id + 100 WHERE kind = 'miss'",
        "UPDATE deliveries SET event_id = event_id + 100",
    )
    make(store, first, Move.MISS, at=clock.now())
    hooks.round()
    hooks.round()
    assert [body["post"]["title"] for body in ear.bodies] == ["Post 1", "Post 0"]
    clock.tick(600)
    hooks.round()
    assert len(ear.bodies) == 2


def test_a_long_backlog_is_told_whole_and_once(store: Store, clock: SettableClock) -> None:
    community, ear = a_channel(store).community_id, Heard()
    with store.write() as tx:
        who = people.welcome(tx, community, "ann@example.org", (), now=clock.now())
    hooks = Webhooks(store=store, vault=Vault("x"), knocker=ear, community_id=community, now=clock.now)
    hooks.add("https://hooks.example.org/", ("needs-a-person",), person=who.email, person_id=who.id)
    post = a_stored_post(store)
    with store.write() as tx:
        for n in range(1203):  # mostly what nobody has to be told of
            kind_ = "miss" if n % 400 == 0 else "pause channel"
            about = f"{post.id}, NULL" if kind_ == "miss" else f"NULL, {post.channel_id}"
            tx.exec_driver_sql(
                "INSERT INTO events (at, kind, post_id, channel_id)"
                f" VALUES ({int(clock.now().timestamp() * 1e6)}, '{kind_}', {about})"
            )
    for _ in range(3):
        hooks.round()
        clock.tick(600)
    assert len(ear.bodies) == 4
