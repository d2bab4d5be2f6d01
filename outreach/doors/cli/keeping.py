"""Commands that keep an install safe: backup, restore, safe-mode."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.doors.cli.output import Actor, AsJson, actor, err, opened, print_json, say, verb
from outreach.model import BadInput

if TYPE_CHECKING:
    from outreach.store.archive import Manifest, Tell
    from outreach.store.restore import Restored

PassphraseFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A file with the passphrase (default: OUTREACH_BACKUP_PASSPHRASE)."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (backup, restore):
        app.command(rich_help_panel="Keep safe")(command)
    mode = typer.Typer(invoke_without_command=True)
    mode.callback()(safe_mode)
    mode.command("on")(safe_mode_on)
    mode.command("off")(safe_mode_off)
    app.add_typer(mode, name="safe-mode", rich_help_panel="Keep safe")


@verb
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, such as outreach.zip.")],
    passphrase_file: PassphraseFile = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make one verified file of the database, pictures and templates, while the service runs.

    Example: [cyan]outreach backup /mnt/usb/outreach.zip[/cyan]
    """
    from outreach.store import StoreTrouble  # start-up time
    from outreach.store import backup as backups

    with opened() as house, _progress(as_json) as tell:
        passphrase = _passphrase(passphrase_file, house.settings)
        order = backups.Order(file, house.clock.now(), passphrase, force, tell)
        made = backups.back_up(house.store, house.settings.OUTREACH_QUEUE, order)
        try:
            with house.store.write() as tx:
                backups.remember(tx, made.file, order.now)
        except StoreTrouble:
            pass  # the backup is good, though nobody is told of it
        zone = house.settings.OUTREACH_TIME_ZONE
    manifest = made.manifest
    if as_json:
        print_json(
            {"file": str(made.file), "size": made.size, **_shape(manifest), "left_out": list(made.left_out)},
        )
        return
    say(
        f"The backup is {made.file}: {made.size / 1e6:,.1f} MB, {_in_words(manifest, zone)}, read back whole.",
        style="green",
    )
    if not manifest.has_secret:
        say("The install secret is not in it; with --passphrase-file it is, encrypted. Nothing of .env is.")
    for name in made.left_out:
        say(f"Left out, since no backup takes such a name: {name}", style="yellow")


@verb
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that outreach backup made.")],
    passphrase_file: PassphraseFile = None,
    force: Annotated[bool, typer.Option("--force", help="Do it though a worker was heard of just now.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup in place, in safe mode: nothing goes out until a person has looked. What was there is kept aside.

    Example: [cyan]outreach restore queue/backups/outreach-2026-12-01.zip[/cyan]
    """
    from outreach.store import restore as restoring  # start-up time

    with opened() as house, _progress(as_json) as tell:
        settings = house.settings
        wish = restoring.Wish(
            file=file,
            now=house.clock.now(),
            zone=settings.OUTREACH_TIME_ZONE,
            look_after_s=settings.look_after_s,
            passphrase=_passphrase(passphrase_file, settings),
            force=force,
            tell=tell,
        )
        done = restoring.restore(settings.database_url, settings.OUTREACH_QUEUE, wish)
    if as_json:
        print_json(_restored(done))
    else:
        _tell_restored(done, settings.OUTREACH_TIME_ZONE)


def _restored(done: "Restored") -> dict[str, Any]:
    return {
        **_shape(done.manifest),
        "missed": done.marked.missed,
        "to_be_asked": done.marked.doubtful,
        "queued": done.marked.waiting,
        "kept_aside": str(done.aside) if done.aside else None,
        "added": list(done.added),
        "left": list(done.left),
        "notes": list(done.notes),
        "safe_mode": True,
    }


def _tell_restored(done: "Restored", zone: str) -> None:
    marked = done.marked
    say(f"The backup is in place: {_in_words(done.manifest, zone)}.", style="green")
    if done.aside:
        say(f"What was there is kept in {done.aside}.")
    if done.added:
        say(f"Added, since it was missing: {', '.join(done.added[:10])}{' …' if len(done.added) > 10 else ''}")
    for name in done.left:
        say(f"{name} is another one here than in the backup, and was left as it is.", style="yellow")
    if marked.missed:
        say(f"Missed, since it was due meanwhile: {_posts(marked.missed)}. The channels are asked whether it went out.")
    if marked.doubtful:
        say(f"It may be out: {_posts(marked.doubtful)}. The channels are asked before anything is sent again.")
    say(f"Waiting for its time: {_posts(marked.waiting)}.")
    for note in done.notes:
        say(note, style="yellow")
    say(
        "Safe mode is on: look through outreach queue. Nothing goes out until you say: outreach safe-mode off",
        style="yellow",
    )


def _posts(count: int) -> str:
    return f"{count:,} post{'' if count == 1 else 's'}"


def _shape(manifest: "Manifest") -> dict[str, Any]:
    from outreach.doors.shapes import instant  # start-up time

    about = manifest.about
    return {
        "made_at": instant(about.made_at),
        "outreach": about.version,
        "schema": about.schema,
        "posts": dict(about.posts),
        "files": len(manifest.files),
        "has_secret": manifest.has_secret,
    }


def _in_words(manifest: "Manifest", zone: str) -> str:
    from outreach.when import show  # start-up time

    return f"{_posts(sum(manifest.about.posts.values()))} as of {show(manifest.about.made_at, zone)}"


def _passphrase(file: Path | None, settings: Any) -> str:
    if file is None:
        return str(settings.OUTREACH_BACKUP_PASSPHRASE.get_secret_value())
    try:
        words = file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        words = ""
    if not words:
        raise BadInput(
            "There is no passphrase in the file.", where=str(file), next_step="Write it on one line, in UTF-8."
        )
    return words


@contextmanager
def _progress(as_json: bool) -> "Iterator[Tell]":
    """Show people how far it is, on standard error."""
    from rich.progress import Progress  # start-up time

    with Progress(console=err, transient=True, disable=as_json or not err.is_terminal) as drawn:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = drawn.add_task(what, total=of)
            drawn.update(tasks[what], completed=done, total=of)

        yield tell


# Safe mode


def safe_mode(context: typer.Context, as_json: AsJson = False) -> None:
    """Show whether safe mode is on: while it is, nothing goes out.

    Example: [cyan]outreach safe-mode[/cyan]
    """
    if context.invoked_subcommand is None:
        _show_safe_mode(as_json=as_json)


@verb
def _show_safe_mode(*, as_json: bool) -> None:
    with opened() as house:
        _tell_safe_mode(house, as_json)


@verb
def safe_mode_on(
    reason: Annotated[str, typer.Option(help="Why.")] = "A person stopped everything.",
    person: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Stop everything at once: nothing goes out any more, on any channel.

    Example: [cyan]outreach safe-mode on --reason "Wrong link in the poster call"[/cyan]
    """
    with opened() as house:
        house.desk.stop_everything(reason=reason, person=actor(person, house))
        _tell_safe_mode(house, as_json)


@verb
def safe_mode_off(person: Actor = None, as_json: AsJson = False) -> None:
    """Let posts out again: your word that this is the right database and that you have looked through its queue.

    Example: [cyan]outreach safe-mode off --as chair@example.org[/cyan]
    """
    with opened() as house:
        house.desk.let_out_again(person=actor(person, house))
        _tell_safe_mode(house, as_json)


def _tell_safe_mode(house: Any, as_json: bool) -> None:
    from outreach.doors.shapes import instant  # start-up time
    from outreach.store import safety
    from outreach.when import show

    with house.store.read() as tx:
        mode = safety.current(tx)
    if as_json:
        found = (str(mode.cause), mode.reason, instant(mode.since)) if mode else (None, None, None)
        print_json({"on": mode is not None} | dict(zip(("cause", "reason", "since"), found, strict=True)))
    elif mode is None:
        say("Safe mode is off: posts go out when they are due.", style="green")
    else:
        say(
            f"Safe mode is on since {show(mode.since, house.settings.OUTREACH_TIME_ZONE)}: nothing goes out.",
            style="yellow",
        )
        say(mode.reason)
        say("Let posts out again: outreach safe-mode off")
