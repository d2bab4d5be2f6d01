"""Commands about the members of lists: members, and requests of who wants to join or to leave."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from outreach.doors.cli.output import Actor, AsJson, actor, opened, print_json, say, table, verb
from outreach.model import BadInput

ListName = Annotated[str, typer.Argument(metavar="LIST", help="The channel, such as listserv.")]
Number = Annotated[int, typer.Argument(metavar="N", help="The number of the request.", min=1)]
_MOST_BYTES = 20_000_000


def register(app: typer.Typer) -> None:
    """Add the two groups of commands."""
    members = typer.Typer(no_args_is_help=True, help="See, import, export and erase who is on a list.")
    _add(members, {"list": list_members, "import": import_members, "export": export, "erase": erase, "forget": forget})
    app.add_typer(members, name="members", rich_help_panel="Act")
    requests = typer.Typer(invoke_without_command=True)
    requests.callback()(list_requests)
    _add(requests, {"ask": ask, "accept": accept, "send": send, "done": done, "decline": decline})
    app.add_typer(requests, name="requests", rich_help_panel="Act")


def _add(group: typer.Typer, commands: dict[str, Callable[..., None]]) -> None:
    for name, command in commands.items():
        group.command(name)(command)


@verb
def list_members(
    name: ListName,
    search: Annotated[str, typer.Option("--search", metavar="Q", help="A part of an address or a name.")] = "",
    after: Annotated[str, typer.Option("--after", metavar="ADDRESS", help="Go on after this one.")] = "",
    as_json: AsJson = False,
) -> None:
    """List who is on a list, as far as it was imported: a hundred at a time.

    Example: [cyan]outreach members list listserv --search jones[/cyan]
    """
    from outreach.doors import shapes  # start-up time
    from outreach.when import show

    with opened() as house:
        found = house.membership.roster(name, after=after.lower(), part=search)
        zone = house.settings.OUTREACH_TIME_ZONE
    if as_json:
        print_json(shapes.roster(found))
        return
    empty = "Nobody was found." if found.known else f"No roster was imported yet: outreach members import {name} FILE"
    table(("address", "name", "status"), ((m.address, m.name, str(m.status)) for m in found.members), empty=empty)
    if found.known:
        say(f"{found.known.count} members, {found.known.source}, {show(found.known.at, zone)}.")
    if found.has_more:
        say(f"There are more: --after {found.members[-1].address}")


@verb
def import_members(
    name: ListName,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="CSV, or the answer to REVIEW as text or .eml.")
    ] = None,
    from_server: Annotated[bool, typer.Option("--from-server", help="Ask Mailman (MAILMAN_URL) instead.")] = False,
    person: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Import who is on a list, in place of what was known. Nobody is written to, and the list is not changed.

    Example: [cyan]outreach members import listserv members.csv[/cyan]
    """
    if (file is None) is not from_server:
        step = "Give one of the two."
        raise BadInput("A file, or --from-server, is needed.", where="FILE", next_step=step)
    with opened() as house:
        by = actor(person, house)
        if file is None:
            found = house.membership.import_from_server(name, person=by)
        else:
            found = house.membership.import_roster(name, _text(file), source=f"from {file.name}", person=by)
    if as_json:
        print_json({"members": len(found.members), "notes": list(found.notes)})
        return
    say(f"{len(found.members)} members are known now.", style="green")
    for note in found.notes:
        say(note)


def _text(file: Path) -> str:
    from outreach.mail.opened import text_in  # start-up time

    try:
        if file.stat().st_size > _MOST_BYTES:
            raise BadInput(
                "The file is longer than 20 MB.", where=str(file), next_step="Split it, or leave columns out."
            )
        return text_in(file.read_bytes())
    except OSError as trouble:
        said = (trouble.strerror or "it is not possible").lower()
        raise BadInput(f"The file cannot be read: {said}.", where=str(file), next_step="Check its name.") from None


@verb
def export(
    name: ListName,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Where to write it (default: printed).")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the whole roster of a list as CSV, which can be imported again.

    Example: [cyan]outreach members export listserv members.csv[/cyan]
    """
    with opened() as house:
        text = house.membership.export_roster(name)
    if file is not None:
        file.write_text(text, encoding="utf-8")
    if as_json:
        print_json({"file": str(file) if file else None, "csv": None if file else text})
    elif file is None:
        typer.echo(text, nl=False)
    else:
        say(f"It is written to {file}.", style="green")


@verb
def erase(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Whose data is to be forgotten.")],
    person: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Forget all that is kept here of an address: on rosters, and in requests. The list itself is not changed.

    Example: [cyan]outreach members erase somebody@example.org[/cyan]
    """
    with opened() as house:
        count = house.membership.erase(address, person=actor(person, house))
    if as_json:
        print_json({"erased": count})
    else:
        say(f"Erased, in {count} places. Backups keep it until they are old; the list itself is not changed.")


@verb
def forget(name: ListName, person: Actor = None, as_json: AsJson = False) -> None:
    """Erase the whole roster that was imported of a list. The list itself is not changed.

    Example: [cyan]outreach members forget listserv[/cyan]
    """
    with opened() as house:
        house.membership.forget_roster(name, person=actor(person, house))
    if as_json:
        print_json({"forgotten": name})
    else:
        say(f"Nothing is kept any more of who is on {name}.")


# Requests


def list_requests(context: typer.Context, as_json: AsJson = False) -> None:
    """List who wants to join a list or to leave it, and how far that is.

    Example: [cyan]outreach requests[/cyan]
    """
    if context.invoked_subcommand is None:
        _list_requests(as_json=as_json)


@verb
def _list_requests(*, as_json: bool) -> None:
    from outreach.doors import shapes  # start-up time
    from outreach.when import show

    with opened() as house:
        found = [(each, house.membership.step(each)) for each in house.membership.requests()]
        zone = house.settings.OUTREACH_TIME_ZONE
    if as_json:
        print_json({"requests": [shapes.request(each, step) for each, step in found]})
        return
    rows = [
        (
            str(r.id),
            f"{r.kind} {r.channel}",
            str(r.state),
            f"{r.name} <{r.address}>",
            show(r.made_at, zone),
            r.note or "",
        )
        for r, _ in found
    ]
    table(("n", "wants to", "state", "who", "asked", "note"), rows, empty="Nobody wants to join or to leave right now.")


@verb
def ask(
    name: ListName,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Who wants it.")],
    leave: Annotated[bool, typer.Option("--leave", help="They want to leave.")] = False,
    called: Annotated[str, typer.Option("--name", metavar="NAME", help="Their name.")] = "",
    person: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Ask for somebody who asked you: they get a mail with a link, and nothing happens before they open it.

    Example: [cyan]outreach requests ask listserv somebody@example.org --name "Some Body"[/cyan]
    """
    from outreach.desk.requesting import Wanted  # start-up time
    from outreach.joining import CameBy, RequestKind

    kind = RequestKind.LEAVE if leave else RequestKind.JOIN
    with opened() as house:
        wanted = Wanted(kind, name, address, called, came_by=CameBy.COORDINATOR)
        house.membership.ask(wanted, person=actor(person, house))
    if as_json:
        print_json({"asked": address.strip().lower()})
    else:
        say(f"{address} was asked by mail to confirm it.")


@verb
def accept(number: Number, person: Actor = None, as_json: AsJson = False) -> None:
    """Accept a request, and do on the list what can be done; else the mail to the list's owner is prepared.

    Example: [cyan]outreach requests accept 7[/cyan]
    """
    _decided(number, "accept", person, as_json=as_json)


@verb
def send(number: Number, person: Actor = None, as_json: AsJson = False) -> None:
    """Mail the prepared request to the list's owner; of one that is not confirmed yet, the link once more.

    Example: [cyan]outreach requests send 7[/cyan]
    """
    _decided(number, "send", person, as_json=as_json)


@verb
def done(number: Number, person: Actor = None, as_json: AsJson = False) -> None:
    """Say that an accepted request is done on the list; the person is told.

    Example: [cyan]outreach requests done 7[/cyan]
    """
    _decided(number, "done", person, as_json=as_json)


@verb
def decline(
    number: Number,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, which the person reads.")] = "",
    person: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Decline a request; who confirmed it is told.

    Example: [cyan]outreach requests decline 7 --why "The list is for members of the society."[/cyan]
    """
    _decided(number, "decline", person, as_json=as_json, why=why)


def _decided(number: int, what: str, person: str | None, *, as_json: bool, why: str = "") -> None:
    from outreach.doors import shapes  # start-up time

    with opened() as house:
        by, of = actor(person, house), house.membership
        if what == "accept":
            found = of.accept(number, person=by)
        elif what == "send":
            found = of.send(number, person=by)
        elif what == "done":
            found = of.done(number, person=by)
        else:
            found = of.decline(number, why, person=by)
        step = of.step(found)
    if as_json:
        print_json(shapes.request(found, step))
        return
    say(f"Request {found.id} is {found.state}. {found.note or ''}".strip())
    if found.state == "accepted" and step.way == "owner":
        say(
            f"To be mailed to {step.to}: outreach requests send {found.id}. The mail:\n\n{step.subject}\n\n{step.words}"
        )
