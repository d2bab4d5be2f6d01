"""Drafts wait for the weekly mail by a command, and a worker puts them together."""

from datetime import timedelta

from outreach.sandbox import Sandbox
from tests.doors.place import Place


def letter(place: Place, name: str) -> str:
    file = place.folder / f"{name}.md"
    file.write_text(f"---\ntitle: {name}\n---\nWords about {name}.\n")
    return str(file)


def test_what_waits_becomes_one_queued_mail_that_a_second_worker_leaves_alone(place: Place, box: Sandbox) -> None:
    place.settings["OUTREACH_TIME_ZONE"] = "UTC"
    for name in ("Talk", "Welcome", "Other"):
        place.json("add", letter(place, name), "--draft")
    refused = place.cli("collate", "1", "2", "--weekly", "--json")
    assert (refused.code, refused.error["message"]) == (1, "There is no weekly mail.")
    house = place.house()
    soon = house.clock.now() + timedelta(hours=2)
    house.close()
    place.settings["OUTREACH_WEEKLY_MAIL"] = f"{soon:%A %H:%M}"
    for number in ("7", "9223372036854775808"):
        nowhere = place.cli("collate", number, "--weekly", "--json")
        assert (nowhere.code, nowhere.error["message"]) == (1, f"There is no announcement {number}.")
    told = place.json("collate", "1", "2", "3", "--weekly")
    assert told["due_at"] == f"{soon:%Y-%m-%dT%H:%M}:00Z"
    assert [each["announcement"] for each in place.json("collate", "3", "--not-weekly")["waiting"]] == [1, 2]
    for _ in range(2):
        assert place.cli("worker", "--once").code == 0
    [post] = place.json("queue")
    assert (post["announcement"], post["channel"], post["state"], post["due_at"]) == (
        4,
        "listserv",
        "queued",
        told["due_at"],
    )
    assert "no drafts wait" in " ".join(place.cli("collate", "3", "--not-weekly").out.split()).lower()
