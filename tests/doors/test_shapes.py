"""The JSON of every command, as the contract lays it down."""

import re
from datetime import timedelta
from typing import Any

import pytest

from outreach.reach import Learnt, Remark
from outreach.sandbox import Sandbox
from outreach.store import reached
from tests.builders import NOW
from tests.doors.place import Place

POST = {
    "id", "announcement", "title", "channel", "state", "due_at", "wall_time", "time_zone", "approved", "attempts",
    "remote_id", "url", "message_id", "reason", "content_sha256",
}  # fmt: skip
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")


def work(place: Place) -> None:
    assert place.run("worker", "--once").code == 0


def test_add_gives_the_announcement_its_posts_and_notes(place: Place) -> None:
    added = place.json("add", place.letter(at="2035-01-15 09:00"))
    assert set(added) == {"announcement", "posts", "notes"}
    assert added["announcement"] == 1
    assert added["notes"] == []
    page, mail = added["posts"]
    assert set(page) == set(mail) == POST
    assert mail["message_id"].startswith("<")
    assert {key: page[key] for key in POST - {"content_sha256"}} == {
        "id": "1/facebook",
        "announcement": 1,
        "title": "Colloquium on Tuesday",
        "channel": "facebook",
        "state": "queued",
        "due_at": "2035-01-15T14:00:00Z",
        "wall_time": "2035-01-15 09:00",
        "time_zone": "America/New_York",
        "approved": True,
        "attempts": 0,
        "remote_id": None,
        "url": None,
        "message_id": None,
        "reason": None,
    }


def test_a_draft_is_an_announcement_without_posts(place: Place) -> None:
    kept = place.json("add", place.letter(), "--draft")
    assert kept == {"announcement": 1, "posts": [], "notes": ["Add the same letter with a time to queue it."]}
    assert place.json("show", "1")["announcement"]["status"] == "draft"


def test_queue_lists_what_is_open_next_due_first(place: Place) -> None:
    place.json("add", place.letter(title="Later", at="2035-02-01 09:00"))
    place.json("add", place.letter(title="Sooner", at="2035-01-01 09:00"), "--to", "listserv")
    found = place.json("queue")
    assert [post["id"] for post in found] == ["2/listserv", "1/facebook", "1/listserv"]
    assert all(set(post) == POST for post in found)


def test_history_lists_what_was_tried_or_came_to_rest_newest_first(place: Place, box: Sandbox) -> None:
    place.json("add", place.letter(title="First"), "--to", "facebook")
    work(place)
    place.json("add", place.letter(title="Second"), "--to", "facebook")
    place.json("add", place.letter(title="Waits", at="2035-02-01 09:00"), "--to", "facebook")
    work(place)
    found = place.json("history")
    assert [(post["id"], post["state"]) for post in found] == [("2/facebook", "published"), ("1/facebook", "published")]
    assert all(set(post) == POST for post in found)
    assert found[1]["remote_id"] == box.graph.public_posts()[0].id
    assert found[1]["attempts"] == 1


def test_history_is_searched_and_cut(place: Place) -> None:
    for title in ("First", "Second", "Third"):
        place.json("add", place.letter(title=title, at="2035-02-01 09:00"), "--to", "facebook")
    for number in "123":
        place.json("cancel", number)

    def titles(*words: str) -> list[str]:
        return sorted(post["title"] for post in place.json("history", *words))

    assert titles("--limit", "2") == ["Second", "Third"]
    assert titles("--limit", "0") == ["First", "Second", "Third"]
    assert titles("--search", "seco") == ["Second"]
    assert titles("--search", "room 7") == ["First", "Second", "Third"]
    assert titles("--since", "2035-02-01", "--until", "2035-02-02") == ["First", "Second", "Third"]
    assert titles("--since", "2035-02-02") == titles("--until", "2035-02-01") == titles("--state", "failed") == []
    assert titles("--channel", "listserv") == []


def test_history_as_csv_has_the_columns_of_a_post_and_no_formulas(place: Place) -> None:
    place.json("add", place.letter(title='"=1+1"', at="2035-02-01 09:00"), "--to", "facebook")
    place.json("cancel", "1")
    head, row, _ = place.run("history", "--csv").out.split("\n")
    assert set(head.strip().split(",")) == POST
    assert row.startswith("1/facebook,1,'=1+1,facebook,cancelled,2035-02-01T14:00:00Z,2035-02-01 09:00,")


def test_show_gives_the_announcement_and_its_posts_with_their_history(place: Place) -> None:
    place.json("add", place.letter(), "--as", "ann@example.org")
    work(place)
    shown = place.json("show", "1")
    assert set(shown) == {"announcement", "posts"}
    assert shown["announcement"]["id"] == 1
    assert shown["announcement"]["title"] == "Colloquium on Tuesday"
    assert shown["announcement"]["status"] == "published"
    assert shown["announcement"]["written_by"] == "ann@example.org"
    for post in shown["posts"]:
        assert set(post) == POST | {"history", "problems", "checked_at", "figures"}
        assert [entry["kind"] for entry in post["history"]] == ["queue", "attempt", "publish"]
        assert all({"at", "kind"} <= set(entry) and INSTANT.fullmatch(entry["at"]) for entry in post["history"])


def test_preview_gives_what_each_channel_would_be_sent(place: Place) -> None:
    file = place.letter(at="2035-01-15 09:00", link="https://example.org/c")
    page, mail = place.json("preview", file)
    wanted = {"channel", "kind", "text", "link", "pictures", "message", "content_sha256"}
    assert wanted <= set(page)
    assert wanted <= set(mail)
    assert page["channel"] == "facebook"
    assert page["kind"] == "facebook_page"
    assert page["text"] == "Colloquium on Tuesday\n\nPlease come to room 7."
    assert page["link"] == "https://example.org/c"
    assert page["pictures"] == []
    assert page["message"] is None
    assert mail["message"].startswith(
        "Date: Mon, 15 Jan 2035 14:00:00 +0000\r\nFrom: TMM SIG <coordinator@example.org>\r\n"
    )
    assert [one["channel"] for one in place.json("preview", file, "--channel", "listserv")] == ["listserv"]


def test_a_preview_shows_no_secret(place: Place, box: Sandbox) -> None:
    shown = place.cli("preview", place.letter(), "--json").out + place.cli("preview", place.letter()).out
    assert box.page_token not in shown
    assert box.app_secret not in shown


def test_channels_say_how_they_stand(place: Place) -> None:
    ready: dict[str, Any] = {
        "kind": "facebook_page",
        "name": "facebook",
        "problems": [],
        "reason": None,
        "state": "ready",
        "until": None,
    }
    assert place.json("channels")[0] == ready
    assert place.json("channels", "check")[0] == ready
    paused = place.json("channels", "pause", "facebook", "--reason", "The Page is being moved.")
    assert paused == [ready | {"state": "paused", "reason": "The Page is being moved."}]
    assert place.json("channels", "resume", "facebook") == [ready]


def test_a_channel_that_would_not_let_a_post_out_says_why_and_ends_with_1(place: Place) -> None:
    place.settings["FACEBOOK_PAGE_TOKEN"] = "EAAwrong"
    answer = place.cli("channels", "check", "facebook", "--json")
    assert answer.code == 1
    [problem] = answer.json[0]["problems"]
    assert "EAAwrong" not in answer.out
    assert "token" in problem


@pytest.mark.parametrize(
    ("command", "state"), [("pause", "queued"), ("resume", "queued"), ("cancel", "cancelled"), ("approve", "queued")]
)
def test_what_an_action_changed_is_told_as_posts(place: Place, command: str, state: str) -> None:
    place.json("add", place.letter(at="2035-01-15 09:00"))
    changed = place.json(command, "1", "--as", "ann@example.org")
    assert [(post["id"], post["state"]) for post in changed["posts"]] == [("1/facebook", state), ("1/listserv", state)]
    assert all(set(post) == POST for post in changed["posts"])


def test_a_paused_post_says_so_where_a_reason_stands(place: Place) -> None:
    place.json("add", place.letter(at="2035-01-15 09:00"))
    assert place.json("pause", "1/facebook")["posts"][0]["reason"] == "paused by a person"
    assert place.json("cancel", "1/facebook")["posts"][0]["reason"] is None


def test_templates_are_listed_with_their_fields(place: Place) -> None:
    place.json("init")
    names = [template["name"] for template in place.json("templates")]
    assert "call-for-abstracts" in names
    [one] = place.json("templates", "call-for-abstracts")
    deadline = next(field for field in one["fields"] if field["name"] == "deadline")
    assert deadline == {
        "name": "deadline",
        "type": "date",
        "help": "Last day on which an abstract is accepted.",
        "example": "2027-01-15",
        "optional": False,
        "choices": [],
    }


def test_init_says_what_it_made_and_changes_nothing_a_second_time(bare: Place) -> None:
    first = bare.json("init")
    assert first["folder"] == str(bare.queue)
    assert "templates/call-for-abstracts.md" in first["made"]
    assert bare.inside("inbox") == bare.inside("accepted") == bare.inside("rejected") == []
    assert [name for name in bare.inside("") if name.endswith(".db")] == ["outreach.db"]
    (bare.queue / "templates/call-for-abstracts.md").write_text("mine")
    assert bare.json("init")["made"] == []
    assert (bare.queue / "templates/call-for-abstracts.md").read_text() == "mine"


def test_init_takes_the_queue_folder_itself(bare: Place) -> None:
    made: dict[str, Any] = bare.json("init", str(bare.folder / "elsewhere"))
    assert made["folder"] == str(bare.folder / "elsewhere")
    assert (bare.folder / "elsewhere" / "outreach.db").is_file()


def test_doctor_looks_at_everything(place: Place) -> None:
    checks = place.json("doctor")["checks"] if place.json("init") else []
    assert [check["name"] for check in checks] == [
        *("settings", "database", "clock", "queue", "templates", "disk", "worker", "alerts", "backup", "history"),
        *("facebook", "listserv"),
    ]
    assert all(check["ok"] and check["next"] is None for check in checks)


def test_show_gives_the_figures_of_a_post_beside_its_keys(place: Place, box: Sandbox) -> None:
    place.cli("add", place.letter())
    work(place)
    assert [post["figures"] for post in place.json("show", "1")["posts"]] == [None, None]

    [there] = box.graph.public_posts()
    remark = Remark(there.created_at, "When?", "https://example.org/1")
    house = place.house()
    [post] = house.desk.find("1/facebook")
    with house.store.write() as tx:
        reached.enrol(tx, post.channel_id, house.clock.now())
        [what] = reached.due(tx, post.channel_id, house.clock.now() + timedelta(hours=1), most=5)
        reached.keep(tx, what, Learnt({"reached": 120, "comments": 1}, remark, is_read=True), NOW)
    house.close()

    figures = next(p["figures"] for p in place.json("show", "1")["posts"] if p["channel"] == "facebook")
    assert figures["values"] == {"reached": 120, "comments": 1}
    assert (figures["as_of"], figures["latest_comment"]["text"]) == ("2026-12-01T14:00:00Z", "When?")
    told = place.cli("show", "1").out
    assert "Figures: 120 people reached, 1 comment (as of" in told
    assert "Latest comment: When? https://example.org/1" in told
