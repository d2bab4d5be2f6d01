"""A rehearsal: what would leave is written down, and nothing leaves."""

import json
from pathlib import Path

import pytest

from outreach.channels import Channel
from outreach.channels.rehearsal import Rehearsal, write
from outreach.model import Absent, BadInput, CannotTell, Found, Published, Refused
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from tests.builders import a_post

from .builders import NOON, a_wording, an_attempt, surroundings, the_list, the_page


def rehearsal(channel: Channel, folder: Path) -> Rehearsal:
    return Rehearsal(channel, folder / "rehearsal.jsonl", surroundings(folder))


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "rehearsal.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("kind", ["page", "list"])
def test_what_would_leave_is_written_down_and_nothing_leaves(box: Sandbox, tmp_path: Path, kind: str) -> None:
    channel: Channel = the_page(box) if kind == "page" else the_list(box)
    stand_in = rehearsal(channel, tmp_path)
    content = stand_in.render(a_wording(title="Zoë"))
    outcome = stand_in.publish(an_attempt(content))
    assert outcome == Published(remote_id="rehearsal:12/facebook:1")
    assert lines(tmp_path) == [{"for": "12/facebook", **channel.describe(content, at=NOON)}]
    assert box.graph.journal == []
    assert box.mail.journal == []


def test_it_renders_and_refuses_as_the_channel_does(box: Sandbox, tmp_path: Path) -> None:
    page = the_page(box)
    stand_in = rehearsal(page, tmp_path)
    wording = a_wording()
    assert stand_in.render(wording) == page.render(wording)
    assert stand_in.limits == page.limits
    assert stand_in.check() == []
    with pytest.raises(BadInput):
        stand_in.render(a_wording(body="x" * 70_000))


def test_posts_are_added_one_line_each_and_found_again(box: Sandbox, tmp_path: Path) -> None:
    stand_in = rehearsal(the_page(box), tmp_path)
    first = an_attempt(stand_in.render(a_wording()))
    second = an_attempt(first.content, post=a_post(announcement=13))
    assert stand_in.find(first) == Absent()
    stand_in.publish(first)
    assert isinstance(stand_in.find(first), Found)
    assert stand_in.find(second) == Absent()
    stand_in.publish(second)
    assert [line["for"] for line in lines(tmp_path)] == ["12/facebook", "13/facebook"]


def test_a_file_that_cannot_be_written_is_a_refusal(box: Sandbox, tmp_path: Path) -> None:
    stand_in = rehearsal(the_page(box), tmp_path / "nowhere")
    outcome = stand_in.publish(an_attempt(stand_in.render(a_wording())))
    assert outcome == Refused("The rehearsal could not be written: No such file or directory.")


@pytest.mark.parametrize("junk", ["{", "null", "[]", "{}", '{"for": 12}', "\0"])
def test_lines_of_somebody_else_are_passed_over(box: Sandbox, tmp_path: Path, junk: str) -> None:
    stand_in = rehearsal(the_page(box), tmp_path)
    attempt = an_attempt(stand_in.render(a_wording()))
    (tmp_path / "rehearsal.jsonl").write_text(junk + "\n")
    assert stand_in.find(attempt) == Absent()
    stand_in.publish(attempt)
    assert isinstance(stand_in.find(attempt), Found)


def test_a_file_that_cannot_be_read_says_nothing(box: Sandbox, tmp_path: Path) -> None:
    stand_in = rehearsal(the_page(box), tmp_path)
    attempt = an_attempt(stand_in.render(a_wording()))
    (tmp_path / "rehearsal.jsonl").write_bytes(b"\xff\xfe\xfd")
    assert isinstance(stand_in.find(attempt), CannotTell)
    (tmp_path / "rehearsal.jsonl").unlink()
    (tmp_path / "rehearsal.jsonl").mkdir()
    assert isinstance(stand_in.find(attempt), CannotTell)


def test_it_is_asked_for_and_never_set_up(tmp_path: Path) -> None:
    assert Rehearsal.from_settings(read_settings({}), surroundings(tmp_path)) is None


def test_lines_are_written_in_their_order(tmp_path: Path) -> None:
    write(tmp_path / "rehearsal.jsonl", [("1/a", {"x": "ü"}), ("2/a", {"x": 2})])
    assert lines(tmp_path) == [{"for": "1/a", "x": "ü"}, {"for": "2/a", "x": 2}]
