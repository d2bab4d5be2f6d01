"""Who gets in: tokens alone, scopes and roles both, never too often; and every refusal is problem+json."""

import pytest
import requests

from outreach.bootstrap import House
from outreach.doors import api
from outreach.doors.api.asking import Pace
from outreach.doors.web import create
from outreach.doors.web.serving import served
from outreach.roles import MAY, Role, Verb
from tests.api.conftest import LETTER, Program, Programs, visitor
from tests.api.test_verbs import kind, queued
from tests.web.visitors import member
from tests.work.clocks import StillClock

READS = ("/queue", "/history", "/approvals", "/drafts", "/channels", "/templates", "/safe-mode", "/alarms", "/settings")
SET_UP = ("/people", "/invitations", "/webhooks")


def test_a_stranger_is_told_how_to_come_in(address: str, house: House) -> None:
    for token in (None, "outreach_guess"):
        answer = Program(address, token).get("/queue")
        assert kind(answer) == (401, "no-token")
        assert answer.headers["www-authenticate"].startswith('Bearer realm="outreach"')
    assert kind(requests.get(f"{address}/api/v1/queue", headers={"Authorization": "Basic eDp5"}, timeout=30))[0] == 401


def test_a_session_of_the_page_opens_nothing_here(address: str, house: House) -> None:
    guest = member(house, address)
    assert kind(guest.get("/api/v1/queue")) == (401, "no-token")


def test_a_revoked_an_ended_and_a_closed_token_open_nothing(
    ann: Program, ben: Program, address: str, house: House, still: StillClock
) -> None:
    who = visitor(house, "ben@example.org")
    house.access.revoke_token(who, house.access.tokens(who)[0].id)
    assert kind(ben.get("/me"))[0] == 401
    still.tick(366 * 86400)
    assert kind(ann.get("/me"))[0] == 401


@pytest.mark.parametrize(
    ("scope", "reads", "writes", "approves", "sets_up"),
    [
        ("read", 200, 403, 403, 403),
        ("write", 403, 201, 403, 403),
        ("approve", 403, 403, 409, 403),
        ("set up", 403, 403, 403, 200),
        ("calendar", 403, 403, 403, 403),
    ],
)
def test_a_scope_opens_its_own_verbs_alone(
    ann: Program, program: Programs, scope: str, reads: int, writes: int, approves: int, sets_up: int
) -> None:
    queued(ann)
    narrow = program(scopes=(scope,))
    assert [narrow.get(path).status_code for path in READS] == [reads] * len(READS)
    assert narrow.post("/announcements", LETTER | {"title": "Other"}).status_code == writes
    assert narrow.post("/announcements/1/approve", {"revision": 1}).status_code == approves
    assert [narrow.get(path).status_code for path in SET_UP] == [sets_up] * len(SET_UP)


@pytest.mark.parametrize("role", list(Role))
def test_a_token_may_no_more_than_the_roles_of_its_person(ann: Program, program: Programs, role: Role) -> None:
    queued(ann)
    one = program(f"{role}@example.org", roles=frozenset({role}))

    def may(verb: Verb, status: int) -> int:
        return status if role in MAY[verb] else 403

    assert one.get("/history").status_code == 200
    assert [one.get(path).status_code for path in READS if path != "/history"] == [may(Verb.LOOK, 200)] * 8
    assert one.post("/announcements", LETTER | {"title": "Other"}).status_code == may(Verb.WRITE, 201)
    assert one.post("/announcements/1/approve", {"revision": 1}).status_code == may(Verb.APPROVE, 200)
    assert one.post("/channels/facebook/resume").status_code == may(Verb.RUN, 200)
    assert [one.get(path).status_code for path in SET_UP] == [may(Verb.SET_UP, 200)] * 3


def test_a_reviewer_gets_what_is_history_and_is_told_of_nothing_that_is_planned(
    ann: Program, program: Programs
) -> None:
    queued(ann)
    draft = ann.post("/drafts", LETTER | {"title": "Half written"}).json()["announcement"]
    eve = program("eve@example.org", roles=frozenset({Role.REVIEWER}))
    nowhere = eve.get("/announcements/99").json()
    for number in (1, draft):
        answer = eve.get(f"/announcements/{number}")
        assert (answer.status_code, answer.json()) == (404, nowhere | {"detail": f"There is no announcement {number}."})
    ann.post("/announcements/1/cancel", {"channel": "listserv"})
    assert [post["id"] for post in eve.get("/announcements/1").json()["posts"]] == ["1/listserv"]
    assert len(ann.get("/announcements/1").json()["posts"]) == 2


def test_what_is_not_of_this_community_is_not_there(ann: Program, house: House) -> None:
    queued(ann)
    with house.store.write() as tx:
        tx.exec_driver_sql(
            "INSERT INTO communities (id, name, time_zone, approval, created_at) VALUES (9,'X','UTC','off',0)"
        )
        tx.exec_driver_sql("UPDATE announcements SET community_id = 9")
        tx.exec_driver_sql("UPDATE channels SET community_id = 9")
    for path in (
        "/announcements/1",
        "/announcements/1/versions",
        "/announcements/1/preview",
        "/announcements/1/comments",
    ):
        assert kind(ann.get(path)) == (404, "not-there")
    for verb in ("pause", "resume", "cancel", "requeue", "confirm"):
        assert kind(ann.post(f"/announcements/1/{verb}", {})) == (404, "not-there")
    for verb in ("approve", "seen"):
        assert kind(ann.post(f"/announcements/1/{verb}", {"revision": 1})) == (404, "not-there")
    assert kind(ann.post("/announcements/1/ask-for-changes", {"revision": 1, "said": "x"})) == (404, "not-there")
    assert kind(ann.post("/announcements/1/comments", {"said": "x"})) == (404, "not-there")
    assert kind(ann.post("/announcements/1/undo")) == (404, "not-there")
    assert kind(ann.post("/announcements/1/writing")) == (404, "not-there")
    for method, path in (("PUT", "/announcements/1"), ("PUT", "/drafts/1")):
        assert kind(ann.ask(method, path, LETTER | {"base": "1-0"})) == (404, "not-there")
    assert kind(ann.post("/drafts/1/queue", LETTER | {"base": "1-0"})) == (404, "not-there")
    assert kind(ann.delete("/drafts/1")) == (404, "not-there")
    assert ann.get("/queue").json()["posts"] == ann.get("/history").json()["posts"] == []


def test_every_refusal_of_the_wire_is_problem_json(ann: Program, address: str) -> None:
    def raw(data: bytes, **headers: str) -> requests.Response:
        sent = ann.headers | {"Idempotency-Key": "k", "Content-Type": "application/json"} | headers
        return requests.post(f"{address}/api/v1/announcements", data=data, headers=sent, timeout=30)

    assert kind(raw(b"{")) == (400, "bad-json")
    assert kind(raw(b'{"title": "\xff"}')) == (400, "bad-json")
    assert kind(raw(b"[1]")) == (422, "bad-input")
    assert kind(raw(b"title=x", **{"Content-Type": "application/x-www-form-urlencoded"})) == (415, "no-json")
    assert kind(raw(b" " * 1_300_000)) == (413, "too-large")
    assert kind(raw(b"[" * 100_000)) == (400, "bad-json")
    assert kind(raw(b"{}", **{"Sec-Fetch-Site": "cross-site"})) == (403, "not-allowed")
    assert kind(ann.get("/nowhere")) == (404, "not-there")
    assert kind(ann.get("/announcements/x")) == (404, "not-there")
    assert kind(ann.get(f"/announcements/{10**20}")) == (404, "not-there")
    wrong = ann.ask("PATCH", "/drafts")
    assert (kind(wrong), wrong.headers["allow"]) == ((405, "no-such-method"), "GET, POST")
    without_key = ann.ask("POST", "/announcements", LETTER)
    assert kind(without_key) == (400, "key-missing")
    assert "Idempotency-Key" in without_key.json()["detail"]
    assert kind(ann.post("/announcements", LETTER, key="x" * 201)) == (422, "bad-input")


def test_a_database_that_cannot_be_used_is_told_as_503(ann: Program, house: House) -> None:
    with house.store.write() as tx:
        tx.exec_driver_sql("ALTER TABLE posts RENAME TO gone")
    answer = ann.get("/queue")
    assert kind(answer) == (503, "database")
    assert "gone" not in answer.text


def test_a_token_that_asks_too_often_has_to_wait(house: House, program: Programs, still: StillClock) -> None:
    most = 3
    app = create(house)
    app.router.routes = [route for route in app.router.routes if getattr(route, "path", "") != "/api/v1"]
    app.mount("/api/v1", api.create(house, address=str, pace=Pace(still.elapsed_s, most)))
    token, other = program().token, program("ben@example.org").token
    with served(app) as address:
        hasty, calm = Program(address, token), Program(address, other)
        left = [hasty.get("/me").headers["ratelimit-remaining"] for _ in range(most)]
        over = hasty.get("/me")
        assert left == ["2", "1", "0"]
        assert kind(over) == (429, "too-many")
        assert over.headers["retry-after"] == over.headers["ratelimit-reset"]
        assert calm.get("/me").status_code == 200
        still.tick(int(over.headers["retry-after"]))
        assert hasty.get("/me").status_code == 200
