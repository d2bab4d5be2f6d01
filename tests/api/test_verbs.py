"""Every verb of the API, through the door: what it does, and what it refuses."""

from typing import Any

from outreach.bootstrap import House
from outreach.doors.worker import Worker
from outreach.model import Move
from outreach.sandbox import Sandbox
from tests.api.conftest import LETTER, Program
from tests.builders import make, require_approval, take
from tests.work.clocks import StillClock


def queued(program: Program, **changes: Any) -> int:
    answer = program.post("/announcements", LETTER | changes)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["announcement"])


def kind(answer: Any) -> tuple[int, str]:
    """The status of a refusal and its kind."""
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == answer.status_code
    assert {"type", "title", "status", "detail", "where", "next"} <= set(told)
    return answer.status_code, told["type"].removeprefix("urn:outreach:problem:")


def base(program: Program, number: int) -> str:
    return str(program.get(f"/announcements/{number}").json()["base"])


# Writing


def test_a_letter_is_queued_as_json_and_shown_with_its_history(ann: Program) -> None:
    added = ann.post("/announcements", LETTER | {"to": ["facebook"], "link": "https://example.org/"}).json()
    assert [post["id"] for post in added["posts"]] == ["1/facebook"]

    shown = ann.get("/announcements/1").json()
    assert shown["announcement"]["written_by"] == "ann@example.org"
    assert [entry["kind"] for entry in shown["posts"][0]["history"]] == ["queue"]
    assert shown["posts"][0]["wall_time"] == "2026-12-02 09:00"


def test_a_letter_is_queued_as_markdown(ann: Program) -> None:
    text = "---\ntitle: Colloquium\nat: 2026-12-02 09:00\nto: [listserv]\n---\nPlease come.\n"
    assert ann.post("/announcements", {"letter": text}).json()["posts"][0]["channel"] == "listserv"
    both = ann.post("/announcements", {"letter": text, "title": "Colloquium"})
    assert kind(both) == (422, "bad-input")


def test_json_and_the_same_letter_as_a_file_are_the_same_letter(ann: Program) -> None:
    text = "---\ntitle: Colloquium\nat: 2026-12-02 09:00\n---\nPlease come to room 7.\n"
    queued(ann)
    again = ann.post("/announcements", {"letter": text})
    assert kind(again) == (409, "already-queued")
    assert again.json()["announcement"] == 1


def test_a_letter_that_cannot_be_used_is_refused_with_its_place(ann: Program) -> None:
    for wrong, where in (
        ({"title": ""}, "letter, line 1"),
        ({"to": ["nowhere"]}, "to"),
        ({"template": "none-such"}, "template"),
        ({"fields": {"a\nb": "x"}}, None),
        ({"pictures": [{"file": "none.jpg", "alt": "x"}]}, "pictures"),
        ({"pictures": [{"file": "none.jpg", "alt": " "}]}, "pictures"),
    ):
        answer = ann.post("/announcements", LETTER | wrong)
        assert kind(answer) == (422, "bad-input"), answer.text
        assert where is None or answer.json()["where"] == where
    assert ann.get("/queue").json()["posts"] == []


def test_control_characters_halves_of_characters_and_unknown_keys_are_refused(ann: Program) -> None:
    for wrong in (
        {"body": "a\x00b"},
        {"title": "a\ud800"},
        {"title": "two\nlines"},
        {"titel": "x"},
        {"to": "facebook"},
    ):
        assert kind(ann.post("/announcements", LETTER | wrong)) == (422, "bad-input")


def test_an_edit_needs_the_text_it_was_begun_from(ann: Program) -> None:
    number = queued(ann)
    begun = base(ann, number)
    edited = ann.put(f"/announcements/{number}", LETTER | {"body": "Room 8.", "base": begun})
    assert (edited.status_code, {p["state"] for p in edited.json()["posts"]}) == (200, {"queued"})

    late = ann.put(f"/announcements/{number}", LETTER | {"body": "Room 9.", "base": begun})
    assert kind(late) == (409, "changed-meanwhile")
    assert "Room 8." in late.json()["theirs"]["letter"]
    versions = ann.get(f"/announcements/{number}/versions").json()["versions"]
    assert [v["revision"] for v in versions] == [1, 2]


def test_what_was_just_queued_is_taken_back_into_a_draft(ann: Program) -> None:
    number = queued(ann)
    draft = ann.post(f"/announcements/{number}/undo").json()
    assert [d["announcement"] for d in ann.get("/drafts").json()["drafts"]] == [draft["announcement"]]
    assert kind(ann.post(f"/announcements/{number}/undo")) == (409, "not-possible-now")


def test_a_draft_is_begun_saved_queued_and_another_one_discarded(ann: Program) -> None:
    begun = ann.post("/drafts", {"title": "Colloquium"}).json()
    number = begun["announcement"]
    saved = ann.put(f"/drafts/{number}", LETTER | {"base": begun["base"]}).json()
    assert kind(ann.put(f"/drafts/{number}", LETTER | {"base": begun["base"]})) == (409, "changed-meanwhile")
    assert kind(ann.post(f"/drafts/{number}/queue", LETTER | {"base": begun["base"]})) == (409, "changed-meanwhile")
    added = ann.post(f"/drafts/{number}/queue", LETTER | {"base": saved["base"]})
    assert (added.status_code, added.json()["announcement"], len(added.json()["posts"])) == (201, number, 2)
    assert kind(ann.put(f"/drafts/{number}", LETTER | {"base": base(ann, number)})) == (409, "not-possible-now")
    assert kind(ann.delete(f"/drafts/{number}")) == (409, "not-possible-now")

    other = ann.post("/announcements", {"title": "Another", "body": "Text", "draft": True}).json()
    assert ann.delete(f"/drafts/{other['announcement']}").status_code == 200
    assert ann.get("/drafts").json() == {"drafts": []}


def test_a_preview_is_what_is_queued(ann: Program) -> None:
    before = ann.post("/preview", LETTER).json()["previews"]
    number = queued(ann)
    after = ann.get(f"/announcements/{number}/preview").json()["previews"]
    assert [p["content_sha256"] for p in before] == [p["content_sha256"] for p in after]
    assert [
        p["channel"] for p in ann.get(f"/announcements/{number}/preview", channel="listserv").json()["previews"]
    ] == ["listserv"]
    assert kind(ann.get(f"/announcements/{number}/preview", channel="nowhere")) == (422, "bad-input")


# Deciding


def test_posts_are_paused_resumed_and_cancelled(ann: Program) -> None:
    number = queued(ann)
    paused = ann.post(f"/announcements/{number}/pause", {"channel": "facebook"}).json()
    assert [(p["id"], p["reason"]) for p in paused["posts"]] == [("1/facebook", "paused by a person")]
    assert ann.post(f"/announcements/{number}/resume", {}).json()["posts"][0]["reason"] is None
    gone = ann.post(f"/announcements/{number}/cancel", {}).json()
    assert {p["state"] for p in gone["posts"]} == {"cancelled"}
    assert kind(ann.post(f"/announcements/{number}/cancel", {})) == (409, "not-possible-now")


def test_an_action_is_refused_where_the_post_stands_otherwise_by_now(ann: Program) -> None:
    number = queued(ann)
    answer = ann.post(f"/announcements/{number}/cancel", {"channel": "facebook", "attempts": 1})
    assert kind(answer) == (409, "changed-meanwhile")
    assert answer.json()["post"]["attempts"] == 0
    assert kind(ann.post(f"/announcements/{number}/cancel", {"state": "failed"})) == (409, "changed-meanwhile")
    done = ann.post(f"/announcements/{number}/cancel", {"channel": "facebook", "state": "queued", "attempts": 0})
    assert done.status_code == 200


def test_what_failed_is_queued_again(ann: Program, house: House) -> None:
    number = queued(ann, to=["facebook"])
    make(house.store, house.desk.find("1")[0], Move.MISS)
    again = ann.post(f"/announcements/{number}/requeue", {"state": "missed"}).json()
    assert [p["state"] for p in again["posts"]] == ["queued"]


def test_a_post_in_doubt_is_confirmed_with_its_address(ann: Program, house: House) -> None:
    number = queued(ann, to=["facebook"])
    take(house.store, house.desk.find("1")[0])
    make(house.store, house.desk.find("1")[0], Move.DOUBT)
    for wrong in (None, "nowhere"):
        refused = ann.post(f"/announcements/{number}/confirm", {"url": wrong})
        assert kind(refused) == (422, "bad-input")
        assert refused.json()["where"] == "url"
    url = "https://www.facebook.com/100/posts/200"
    done = ann.post(f"/announcements/{number}/confirm", {"channel": "facebook", "url": url}).json()
    assert [(p["state"], p["url"]) for p in done["posts"]] == [("published", url)]


def test_two_people_approve_and_ask_for_changes(ann: Program, ben: Program, house: House) -> None:
    require_approval(house.store)
    number = queued(ann)
    assert len(ben.get("/approvals").json()["posts"]) == 2
    assert kind(ann.post(f"/announcements/{number}/approve", {"revision": 1})) == (409, "not-possible-now")
    assert kind(ben.post(f"/announcements/{number}/approve", {"revision": 2})) == (409, "changed-meanwhile")
    assert ben.post(f"/announcements/{number}/seen", {"revision": 1}).status_code == 200
    assert kind(ben.post(f"/announcements/{number}/seen", {"revision": 2})) == (404, "not-there")

    approved = ben.post(f"/announcements/{number}/approve", {"revision": 1}).json()
    assert {p["approved"] for p in approved["posts"]} == {True}
    asked = ben.post(f"/announcements/{number}/ask-for-changes", {"revision": 1, "said": "Which room?"})
    assert asked.json()["comments"][0]["asks_for_changes"] is True
    assert len(ben.get("/approvals").json()["posts"]) == 2

    ann.post(f"/announcements/{number}/comments", {"said": "Room 7."})
    assert [c["text"] for c in ben.get(f"/announcements/{number}/comments").json()["comments"]] == [
        "Which room?",
        "Room 7.",
    ]
    assert kind(ann.post(f"/announcements/{number}/comments", {"said": "  "})) == (422, "bad-input")


def test_two_who_write_see_each_other(ann: Program, ben: Program) -> None:
    number = queued(ann)
    assert ann.post(f"/announcements/{number}/writing").json() == {"people": []}
    assert ben.post(f"/announcements/{number}/writing").json() == {"people": ["ann@example.org"]}


# Running


def test_channels_are_listed_checked_paused_and_resumed(ann: Program) -> None:
    assert [c["name"] for c in ann.get("/channels").json()["channels"]] == ["facebook", "listserv"]
    assert ann.post("/channels/facebook/check").json()["state"] == "ready"
    paused = ann.post("/channels/facebook/pause", {"reason": "The Page moves."}).json()
    assert (paused["state"], paused["reason"]) == ("paused", "The Page moves.")
    assert ann.post("/channels/facebook/resume").json()["state"] == "ready"
    for verb, body in (("check", None), ("pause", {"reason": "x"}), ("resume", None)):
        assert kind(ann.post(f"/channels/nowhere/{verb}", body)) == (404, "not-there")


def test_templates_are_listed_with_their_fields(ann: Program) -> None:
    found = ann.get("/templates").json()["templates"]
    assert "call-for-abstracts" in {t["name"] for t in found}
    one = ann.get("/templates/call-for-abstracts").json()
    assert "deadline" in {field["name"] for field in one["fields"]}
    for name in ("none-such", "..", "%2e%2e%2fsecret"):
        assert kind(ann.get(f"/templates/{name}"))[0] in (404, 422)


def test_everything_is_stopped_and_let_out_again(ann: Program, house: House, box: Sandbox) -> None:
    queued(ann, at="now")
    on = ann.post("/safe-mode/on", {"reason": "Wrong link."}).json()
    assert (on["on"], on["reason"]) == (True, "Wrong link.")
    assert Worker(house).once() == 0
    assert ann.post("/safe-mode/off").json()["on"] is False
    assert ann.get("/safe-mode").json()["on"] is False
    assert Worker(house).once() == 2


def test_alarms_figures_and_settings_are_told(ann: Program, house: House, still: StillClock) -> None:
    queued(ann, at="now")
    still.tick(3600)
    assert "overdue" in {a["kind"] for a in ann.get("/alarms").json()["now"]}
    assert ann.get("/figures").json()["overdue"] == 2
    assert ann.post("/alarms/test").json() == {"routes": []}

    changed = ann.put("/settings/wishes", {"quiet_from": "22:00"}).json()
    assert (changed["wishes"]["quiet_from"], changed["wishes"]["quiet_to"]) == ("22:00", "07:00")
    assert ann.put("/settings/approval", {"approval": "required"}).json()["approval"] == "required"
    assert ann.get("/settings").json()["approval"] == "required"
    assert kind(ann.put("/settings/approval", {"approval": "perhaps"})) == (422, "bad-input")


# People


def test_people_are_invited_and_given_roles(ann: Program, ben: Program, house: House) -> None:
    link = ann.post("/invitations", {"email": "cleo@example.org", "roles": ["reviewer"]}).json()["link"]
    assert house.access.look_at_link(link.rpartition("/")[2]).email == "cleo@example.org"
    assert [i["email"] for i in ann.get("/invitations").json()["invitations"]] == ["cleo@example.org"]
    assert ann.post("/invitations/withdraw", {"email": "Cleo@example.org"}).json() == {"invitations": []}
    assert kind(ann.post("/invitations/withdraw", {"email": "cleo@example.org"})) == (404, "not-there")
    assert kind(ann.post("/invitations", {"email": "nobody", "roles": ["reviewer"]})) == (422, "bad-input")

    people = {p["email"]: p["id"] for p in ann.get("/people").json()["people"]}
    path = f"/people/{people['ben@example.org']}"
    assert ann.put(f"{path}/roles", {"roles": ["reviewer"]}).json()["roles"] == ["reviewer"]
    assert ann.get(path).json()["roles"] == ["reviewer"]
    assert kind(ben.post("/announcements", LETTER)) == (403, "not-allowed")
    assert ann.post(f"{path}/end-second-factor").json()["second_factor"] is False
    assert "/links/" in ann.post(f"{path}/reset-link").json()["link"]
    assert ann.post(f"{path}/close").json()["closed_at"] is not None
    assert kind(ben.get("/me")) == (401, "no-token")
    assert ann.post(f"{path}/reopen").json()["closed_at"] is None
    own = f"/people/{people['ann@example.org']}"
    assert kind(ann.put(f"{own}/roles", {"roles": []})) == (409, "not-possible-now")
    assert kind(ann.post(f"{own}/close")) == (409, "not-possible-now")
    assert kind(ann.get("/people/99")) == (404, "not-there")


def test_who_calls_is_told_what_the_token_allows(ann: Program) -> None:
    told = ann.get("/me").json()
    assert (told["person"]["email"], told["scopes"]) == ("ann@example.org", ["approve", "read", "set up", "write"])
