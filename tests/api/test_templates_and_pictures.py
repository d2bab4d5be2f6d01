"""Templates changed, pictures given and the audit read by programs: what the page can, by the same rules."""

import base64
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from outreach.bootstrap import House
from outreach.roles import Role
from tests.api.conftest import Program, Programs
from tests.api.test_verbs import kind
from tests.doors.place import a_picture

TEXT = "---\ntitle: News\nabout: Tells news.\n---\nHear, hear.\n"


@pytest.fixture
def news(house: House) -> str:
    (house.settings.OUTREACH_QUEUE / "templates" / "news.md").write_text(TEXT)
    return "news"


def test_a_template_is_read_changed_and_put_back(ann: Program, news: str) -> None:
    was = ann.get(f"/templates/{news}/versions").json()
    assert (was["text"], was["versions"], was["by_hand"], was["faults"]) == (TEXT, [], False, [])

    changed = ann.put(f"/templates/{news}", {"text": TEXT.replace("Hear", "Read"), "base": was["base"]}).json()
    assert [v["version"] for v in changed["versions"]] == [2, 1]
    assert changed["versions"][0]["person"] == "ann@example.org"

    late = ann.put(f"/templates/{news}", {"text": TEXT, "base": was["base"]})
    assert kind(late) == (409, "changed-meanwhile")
    assert late.json()["theirs"] == {"text": changed["text"], "base": changed["base"]}

    first = ann.get(f"/templates/{news}/versions/1").json()
    assert (first["text"], first["person"]) == (TEXT, None)
    back = ann.post(f"/templates/{news}/versions/1/put-back", {"base": changed["base"]}).json()
    assert (back["text"], [v["version"] for v in back["versions"]]) == (TEXT, [3, 2, 1])
    assert kind(ann.post(f"/templates/{news}/versions/9/put-back", {"base": back["base"]})) == (404, "not-there")
    assert kind(ann.get(f"/templates/{news}/versions/9")) == (404, "not-there")


def test_a_template_is_made_once_and_tried_without_being_kept(ann: Program, news: str, house: House) -> None:
    made = ann.post("/templates", {"name": "more-news", "like": news}, key="one")
    assert (made.status_code, made.json()["text"]) == (201, TEXT)
    again = ann.post("/templates", {"name": "more-news", "like": news}, key="one")
    assert again.json() == made.json()
    assert kind(ann.post("/templates", {"name": "more-news", "like": news})) == (422, "bad-input")
    assert kind(ann.post("/templates", {"name": "x", "like": "nothing"})) == (404, "not-there")

    tried = ann.post(f"/templates/{news}/try", {"text": TEXT.replace("Hear, hear", "Listen")}).json()
    assert [sample["channel"] for sample in tried["samples"]] == ["facebook", "listserv"]
    assert all("Listen" in sample["text"] for sample in tried["samples"])
    broken = ann.post(f"/templates/{news}/try", {"text": "---\nnothing: here\n---\n"}).json()
    assert broken["samples"] == []
    assert broken["faults"][0]["message"]
    assert house.library.text(news) == TEXT


@pytest.mark.parametrize("name", ["nothing", "..%2Fsecret", "%2E%2E", "a%00b"])
def test_a_template_that_is_not_there_is_not_there(ann: Program, name: str) -> None:
    for answer in (
        ann.get(f"/templates/{name}/versions"),
        ann.get(f"/templates/{name}/versions/1"),
        ann.put(f"/templates/{name}", {"text": TEXT, "base": ""}),
        ann.post(f"/templates/{name}/try", {"text": TEXT}),
    ):
        assert answer.status_code in (404, 422), answer.text


def test_a_picture_that_was_given_goes_into_an_announcement(ann: Program, house: House) -> None:
    data = base64.b64encode(a_picture("JPEG", (300, 200))).decode()
    given = ann.post("/pictures", {"file": "poster.jpg", "data": data})
    assert given.status_code == 201
    picture = given.json()
    assert (picture["width"], picture["height"]) == (300, 200)
    with Image.open(house.media / picture["file"]) as kept:
        assert kept.size == (300, 200)
    letter = {"title": "Poster", "body": "See it.", "at": "2026-12-02 09:00"}
    letter |= {"pictures": [{"file": picture["file"], "alt": "A poster"}]}  # type: ignore[dict-item]
    assert ann.post("/announcements", letter).status_code == 201


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("AAAA", "bad-input"),
        ("AAA", "bad-input"),
        (base64.b64encode(b"GIF89a" + b"\x00" * 500).decode(), "bad-input"),
        (base64.b64encode(b"\x00" * 8_100_000).decode(), "too-large"),
    ],
)
def test_what_is_no_picture_is_refused_and_not_kept(ann: Program, house: House, data: str, said: str) -> None:
    before = sorted(house.media.glob("*")) if house.media.exists() else []
    assert kind(ann.post("/pictures", {"file": "x.jpg", "data": data}))[1] == said
    assert (sorted(house.media.glob("*")) if house.media.exists() else []) == before


def test_a_body_beyond_every_bound_is_refused(ann: Program) -> None:
    assert kind(ann.post("/pictures", {"file": "x.jpg", "data": "A" * 12_000_004})) == (413, "too-large")


def test_the_audit_lists_every_action_newest_first_and_the_seal(ann: Program, news: str, house: House) -> None:
    base = ann.get(f"/templates/{news}/versions").json()["base"]
    ann.put(f"/templates/{news}", {"text": TEXT + "More.\n", "base": base})
    house.desk.set_approval(required=True, person="ann@example.org") if hasattr(house.desk, "set_approval") else None
    told: dict[str, Any] = ann.get("/audit", limit=200).json()
    kinds = [action["kind"] for action in told["actions"]]
    assert "change template" in kinds
    assert [action["id"] for action in told["actions"]] == sorted((a["id"] for a in told["actions"]), reverse=True)

    first = ann.get("/audit", limit=1).json()
    rest = ann.get("/audit", limit=200, cursor=first["next"]).json()
    assert first["actions"] + rest["actions"] == told["actions"]
    only = ann.get("/audit", kind="change template", person="ann@example.org").json()["actions"]
    assert {action["kind"] for action in only} == {"change template"}
    assert kind(ann.get("/audit", cursor="AAAA")) == (422, "bad-input")


def test_who_may_not_change_templates_or_read_the_audit_is_refused(program: Programs, news: str) -> None:
    approver = program("ben@example.org", roles=frozenset({Role.APPROVER}))
    assert kind(approver.put(f"/templates/{news}", {"text": TEXT, "base": ""})) == (403, "not-allowed")
    assert kind(approver.post("/pictures", {"file": "x.jpg", "data": "AAAA"})) == (403, "not-allowed")
    assert kind(approver.get("/audit")) == (403, "not-allowed")


def test_nothing_is_written_outside_the_folder_of_templates(ann: Program, news: str, house: House) -> None:
    for name in ("../x", "a/b", ".hidden", "A", "x" * 61):
        assert ann.post("/templates", {"name": name, "like": news}).status_code == 422
    folder: Path = house.settings.OUTREACH_QUEUE / "templates"
    assert not (folder.parent / "x.md").exists()
