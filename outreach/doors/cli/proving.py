"""The command that proves that nobody rewrote the history: verify-history."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.doors.cli.output import AsJson, err, opened, print_json, say, verb
from outreach.model import BadInput

if TYPE_CHECKING:
    from outreach.store.proof import Proof, Tell


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify-history", rich_help_panel="Keep safe")(verify_history)


@verb
def verify_history(
    expect: Annotated[
        str | None, typer.Option(metavar="HASH", help="The hash of a seal that you had written down elsewhere.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove that nobody changed, removed or added anything of the history since it was sealed.

    Example: [cyan]outreach verify-history[/cyan]
    """
    from outreach.store import proof  # start-up time

    expected = _read(expect)
    with opened() as house, _progress(as_json) as tell, house.store.read() as tx:
        found = proof.prove(tx, expected=expected, tell=tell)
        zone = house.settings.OUTREACH_TIME_ZONE
    if as_json:
        print_json(_shape(found))
    else:
        _tell(found, zone, expected)
    if not found.is_good:
        raise typer.Exit(1)


_HASH = re.compile(r"[0-9a-f]{64}")


def _read(given: str | None) -> str | None:
    word = given.strip().lower() if given is not None else None
    if word is not None and not _HASH.fullmatch(word):
        step = "Copy all 64 digits of it, from a weekly digest or an earlier verify-history."
        raise BadInput("That is no hash of a seal.", where="--expect", next_step=step)
    return word


def _shape(found: "Proof") -> dict[str, Any]:
    from outreach.doors.shapes import instant  # start-up time

    seal, misfit = found.latest, found.misfit
    return {
        "ok": found.is_good,
        "seals": found.seals,
        "entries": found.entries,
        "unsealed": found.unsealed,
        "latest": None
        if seal is None
        else {
            "seal": seal.id,
            "sha256": seal.sha256,
            "at": instant(seal.at),
            "last_event": max(0, seal.last_event),
            "last_sighting": max(0, seal.last_sighting),
        },
        "expected": found.has_expected,
        "misfit": None
        if misfit is None
        else {"seal": misfit.seal, "entry": misfit.entry or None, "message": misfit.message},
    }


def _tell(found: "Proof", zone: str, expected: str | None) -> None:
    from outreach.when import show  # start-up time

    seal = found.latest
    if found.misfit is not None:
        say(f"✗ {found.misfit.message}", style="red")
        say(
            "Somebody, or a failing disk, changed the history behind the back of outreach. Keep this database as it is,"
        )
        say("and compare it with a backup from before: outreach restore puts one back and keeps this one aside.")
        say(f"Up to seal {found.seals} everything fits: {_entries(found.entries)}.")
        return
    if seal is None:
        say("Nothing is sealed yet. A worker seals the history every minute, two minutes after it was written.")
    else:
        say(f"✓ The history is as it was sealed: {_entries(found.entries)} under {found.seals:,} seals.", style="green")
        say(f"The latest is seal {seal.id}, made {show(seal.at, zone)}:")
        say(f"    {seal.sha256}", style="bold")
        say("Write it down elsewhere. Later, outreach verify-history --expect with it proves all this once more.")
    if found.unsealed:
        say(f"Not sealed yet: {_entries(found.unsealed)}.")
    if found.has_expected:
        say("✓ The hash you wrote down is one of its seals.", style="green")
    elif expected is not None:
        say(
            "✗ The hash you wrote down is none of its seals: this is another history, or one that was rewritten since,",
            style="red",
        )
        say("or an older backup was put back.")


def _entries(count: int) -> str:
    return f"{count:,} entr{'y' if count == 1 else 'ies'}"


@contextmanager
def _progress(as_json: bool) -> "Iterator[Tell]":
    from rich.progress import Progress  # start-up time

    with Progress(console=err, transient=True, disable=as_json or not err.is_terminal) as drawn:
        task = drawn.add_task("proving", total=None)
        yield lambda done, of: drawn.update(task, completed=done, total=of)
