"""The commands in words: help with an example, exit codes, sentences at 80 columns, completion."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import typer

from outreach.doors.cli import app
from tests.doors.place import Place

GROUP = typer.main.get_command(app)
COMMANDS = [
    *(
        "demo",
        "sandbox",
        "init",
        "doctor",
        "worker",
        "add",
        "preview",
        "collate",
        "correct",
        "retract",
        "templates",
        "queue",
        "show",
        "history",
        "alarms",
    ),
    *("approve", "pause", "resume", "cancel", "requeue", "confirm", "comment", "let-through", "turn-down", "channels"),
    *("preflight", "channels habits"),
    *("channels follow", "channels check", "channels test", "channels pause", "channels resume"),
    *("channels connect", "channels disconnect"),
    *("backup", "restore", "safe-mode", "safe-mode on", "safe-mode off", "verify-history", "mail explain"),
    *("members list", "members import", "members export", "members erase", "members forget"),
    *("requests", "requests ask", "requests accept", "requests send", "requests done", "requests decline"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_an_example(bare: Place, command: str) -> None:
    answer = bare.cli(*command.split(), "--help")
    assert answer.code == 0
    assert f"Example: outreach {command}" in " ".join(answer.out.split())


def test_no_command_is_left_out_of_these_tests() -> None:
    known = {command.split()[0] for command in COMMANDS} | {"people", "up"}
    assert set(GROUP.commands) <= known  # type: ignore[attr-defined]


def test_every_command_that_prints_takes_json() -> None:
    assert set(without_json(GROUP)) <= {"worker", "up"}


def without_json(group: Any) -> Iterator[str]:
    """Name the commands of a group, and of groups in it that do nothing themselves, that take no --json."""
    for name, command in group.commands.items():
        if hasattr(command, "commands") and not command.invoke_without_command:
            yield from without_json(command)
        elif not any("--json" in param.opts for param in command.params):
            yield name


def test_the_house_without_a_command_shows_its_commands(bare: Place) -> None:
    answer = bare.run()
    assert answer.code == 2
    assert "Queue an announcement from a letter or a template." in answer.out + answer.err


@pytest.mark.parametrize(
    "words",
    [
        ("nothing",),
        ("queue", "--nothing"),
        ("show",),
        ("add",),
        ("add", "letter.md", "--template", "call-for-abstracts"),
        ("add", "letter.md", "--at", "2035-01-01 09:00", "--now"),
        ("add", "letter.md", "--field", "a=b"),
        ("history", "--limit", "many"),
        ("history", "--limit", "-1"),
        ("channels", "nothing"),
        ("worker", "--twice"),
    ],
    ids=" ".join,
)
def test_a_command_line_that_cannot_be_understood_ends_with_2(bare: Place, words: tuple[str, ...]) -> None:
    answer = bare.cli(*words)
    assert answer.code == 2
    assert answer.out == ""
    assert "Usage: outreach" in answer.err
    as_json = bare.cli(*words, "--json")
    assert as_json.code == 2
    assert set(as_json.error) == {"message", "where", "next"}


def test_history_cannot_be_json_and_csv_at_once(bare: Place) -> None:
    assert bare.cli("history", "--csv", "--json").code == 2


@pytest.mark.parametrize("name", ["", "x", "-1", "1.5", "0x1", "1e3", "²", "1/", "1//2", "1/facebook/x", "1/a/b/c", "9" * 40,
                                  "1/facebook/" + "9" * 40, "../1", "1;drop table posts"])  # fmt: skip
@pytest.mark.parametrize("command", ["show", "cancel", "preview"])
def test_a_name_that_names_nothing_is_a_clear_refusal(place: Place, command: str, name: str) -> None:
    answer = place.cli(command, "--json", "--", name)
    assert answer.code == 1
    assert "names no" in answer.error["message"]
    assert answer.error["next"].startswith("Write ")


@pytest.mark.parametrize("command", ["show", "preview", "pause", "resume", "cancel", "requeue", "confirm"])
@pytest.mark.parametrize(
    ("name", "message"), [("7", "There is no announcement 7."), ("1/nowhere", "Announcement 1 has no post 1/nowhere.")]
)
def test_what_is_not_there_is_said(place: Place, command: str, name: str, message: str) -> None:
    place.json("add", place.letter(at="2035-01-15 09:00"))
    answer = place.cli(command, name, "--json")
    assert (answer.code, answer.error["message"]) == (1, message)


def test_a_refusal_in_words_has_the_place_and_the_next_step_on_standard_error(place: Place) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    answer = place.run("add", place.letter(at=f"{yesterday:%Y-%m-%d} 09:00"))
    assert answer.code == 1
    assert answer.out == ""
    sentence, step = answer.err.splitlines()
    assert sentence.startswith("✗ ")
    assert "past" in sentence
    assert step.startswith("  ")


def test_words_fit_into_80_columns_and_nothing_is_cut_short(place: Place) -> None:
    long = "Call for abstracts and nominations for the poster prizes of the Annual Meeting"
    place.json("add", place.letter(title=long, at="2035-01-15 09:00"))
    place.run("worker", "--once")
    place.cli("cancel", "1/facebook")
    for words in (("queue",), ("history",), ("channels",)):
        shown = place.run(*words).out
        assert all(len(line) <= 80 for line in shown.splitlines()), shown
        assert "…" not in shown


def test_add_queue_show_and_cancel_speak_in_sentences(place: Place) -> None:
    added = place.cli("add", place.letter(at="2035-01-15 09:00"), "--to", "facebook").out
    assert added == "Announcement 1 is queued.\n  1/facebook: Mon 15 Jan 2035, 09:00 America/New_York (EST)\n"
    assert "1/facebook  queued  Mon 15 Jan 2035, 09:00 EST" in place.cli("queue").out
    assert place.cli("pause", "1").out == "1/facebook is queued and paused.\n"
    assert place.cli("resume", "1").out == "1/facebook is queued.\n"
    assert place.cli("cancel", "1").out == "1/facebook is cancelled.\n"
    shown = place.cli("show", "1").out
    assert shown.startswith("Announcement 1: Colloquium on Tuesday (cancelled, revision 1)\n")
    assert "cancelled" in shown.splitlines()[-1]


def test_what_looks_like_markup_is_printed_as_it_is(place: Place) -> None:
    place.json("add", place.letter(title="The [bold]new[/bold] chairs [1]", at="2035-01-15 09:00"))
    assert "The [bold]new[/bold] chairs [1]" in place.cli("show", "1").out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_is_printed(bare: Place, shell: str) -> None:
    answer = bare.run("--show-completion", shell)
    assert answer.code == 0
    assert "outreach" in answer.out


def test_json_is_ascii_where_the_output_takes_nothing_else(place: Place) -> None:
    place.json("add", place.letter(title="Métastases", at="2035-01-15 09:00"), "--to", "facebook")
    place.settings["PYTHONIOENCODING"] = "ascii"
    answer = place.run("queue", "--json")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.isascii()
    assert json.loads(answer.out)[0]["title"] == "Métastases"


def test_who_acts_has_to_be_an_address(place: Place) -> None:
    place.json("add", place.letter(at="2035-01-15 09:00"))
    answer = place.cli("cancel", "1", "--as", "the chair", "--json")
    assert answer.error == {
        "message": "'the chair' is no e-mail address.",
        "where": "--as",
        "next": "Write it such as name@example.org.",
    }
