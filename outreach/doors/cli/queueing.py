"""Commands that queue and preview: add, preview, templates."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from outreach.bootstrap import House
from outreach.doors.cli.output import Actor, AsJson, actor, opened, out, print_json, say, table, verb
from outreach.doors.shapes import entry
from outreach.model import BadInput, FieldValue, Letter
from outreach.when import show

LetterFile = Annotated[Path | None, typer.Argument(metavar="LETTER.md", help="A letter file.", show_default=False)]
_OF_THE_LETTER = ("title", "body", "link")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel="Queue")(add)
    app.command(rich_help_panel="Queue")(preview)
    app.command(rich_help_panel="Queue")(collate)
    app.command(rich_help_panel="Queue")(correct)
    app.command(rich_help_panel="Queue")(retract)
    app.command(rich_help_panel="Queue")(templates)


@verb
def add(
    file: LetterFile = None,
    template: Annotated[str | None, typer.Option(help="Use this template instead of a letter.")] = None,
    field: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Fill a field; several times.")] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help='When, such as "2026-12-01 09:00" or "tomorrow 9am".')
    ] = None,
    now: Annotated[bool, typer.Option("--now", help="Send it at once.")] = False,
    zone: Annotated[str | None, typer.Option(help="IANA zone of the time, or AoE.")] = None,
    to: Annotated[
        str | None, typer.Option(metavar="CHANNELS", help="Channels with commas between (default: all).")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Keep it without queueing it.")] = False,
    person: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Queue an announcement from a letter or a template.

    Example: [cyan]outreach add call.md --at "2026-12-01 09:00"[/cyan]
    """
    if at and now:
        raise typer.BadParameter("use --at or --now, not both")
    if (file is None) == (template is None):
        raise typer.BadParameter("give a letter file, or --template")
    if file is not None and field:
        raise typer.BadParameter("--field goes with --template; a letter has its fields in it")
    letter, folder = _letter(file, template, field or [])
    letter = _with_options(letter, at="now" if now else at, zone=zone, to=to)
    with opened() as house:
        who = actor(person, house)
        added = house.desk.draft(letter, person=who) if draft else house.desk.add(letter, folder=folder, person=who)
    _tell_added(added, as_json)


def _letter(file: Path | None, template: str | None, fields: list[str]) -> tuple[Letter, Path]:
    if file is not None:
        return read_letter(file), file.absolute().parent
    values: dict[str, FieldValue] = {}
    for given in fields:
        name, equals, value = given.partition("=")
        if not equals:
            raise BadInput(
                f"{given!r} names no value.", where="--field", next_step="Write it such as deadline=2027-01-15."
            )
        earlier = values.get(name)
        values[name] = value if earlier is None else (*((earlier,) if isinstance(earlier, str) else earlier), value)
    return _from_template(template or "", values), Path.cwd()


def _from_template(template: str, values: dict[str, FieldValue]) -> Letter:
    own = {name: values.pop(name) for name in _OF_THE_LETTER if name in values}
    for name, value in own.items():
        if not isinstance(value, str):
            raise BadInput(f"There can be one {name} only.", where="--field", next_step="Give it once.")
    texts = {name: str(value) for name, value in own.items()}
    letter = Letter(template=template, fields=tuple(values.items()))
    return replace(letter, title=texts.get("title", ""), body=texts.get("body", ""), link=texts.get("link"))


def _with_options(letter: Letter, *, at: str | None, zone: str | None, to: str | None) -> Letter:
    names = tuple(name.strip() for name in to.split(",") if name.strip()) if to is not None else letter.to
    if to is not None and not names:
        raise BadInput("No channel is named.", where="--to", next_step="Write it such as --to facebook,listserv.")
    return replace(letter, at=at or letter.at, zone=zone or letter.zone, to=names)


def read_letter(file: Path) -> Letter:
    """Read a letter file. Raises `BadInput` with the place of what is wrong."""
    from outreach.doors import letterfile  # start-up time

    try:
        return letterfile.read_letter(file)
    except OSError as trouble:
        said = (trouble.strerror or "it cannot be read").lower()
        raise BadInput(f"The letter cannot be read: {said}.", where=str(file), next_step="Check the name.") from None


def _tell_added(added: Any, as_json: bool) -> None:
    from outreach.doors import shapes  # start-up time
    from outreach.when import show

    if as_json:
        print_json(shapes.added(added))
        return
    say(f"Announcement {added.announcement} is {'queued' if added.posts else 'kept as a draft'}.", style="green")
    for post in added.posts:
        say(f"  {post.name}: {show(post.due_at, post.time_zone)}")
    for note in added.notes:
        say(f"  Note: {note}", style="yellow")


@verb
def preview(
    what: Annotated[
        str, typer.Argument(metavar="ID|LETTER.md", help="A queued announcement or post, or a letter file.")
    ],
    channel: Annotated[str | None, typer.Option(help="Only this channel.")] = None,
    to_file: Annotated[Path | None, typer.Option("--to-file", help="Write what would go out into this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show exactly what goes out: the request to the Page, the whole mail.

    Example: [cyan]outreach preview 12 --channel listserv[/cyan]
    """
    from outreach.doors import shapes  # start-up time

    with opened() as house:
        if _is_a_file(what):
            letter, folder = read_letter(Path(what)), Path(what).absolute().parent
            shown = house.desk.preview_letter(letter, folder=folder, channel=channel)
        else:
            shown = house.desk.preview(what, channel=channel)
    shaped = [shapes.preview(one) for one in shown]
    if to_file is not None:
        _rehearse(shown, to_file)
    if as_json:
        print_json(shaped)
    else:
        for one in shaped:
            _tell_preview(one)


def _is_a_file(what: str) -> bool:
    return not what.replace("/", "").isdecimal() and (what.endswith(".md") or Path(what).is_file())


def _rehearse(shown: list[Any], file: Path) -> None:
    from outreach.channels.rehearsal import write  # start-up time

    write(file, [(one.channel, one.described) for one in shown])
    say(f"Written to {file}.")


def _tell_preview(one: dict[str, Any]) -> None:
    out.rule(f"{one['channel']} · sha256 {one['content_sha256'][:16]}…")
    if one["message"] is not None:
        say(f"MAIL FROM: {one['mail_from']}   RCPT TO: {one['rcpt_to']}", style="cyan")
        say(one["message"].replace("\r\n", "\n"))
        return
    for request in one["requests"]:
        say(f"{request['method']} {request['url']}", style="cyan")
        for name, value in request["form"].items():
            say(f"  {name}: {value}".replace("\n", "\n    "))


@verb
def collate(
    drafts: Annotated[list[int], typer.Argument(metavar="N…", help="The numbers of drafts, in their order.")],
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="The title (default: with the day).")] = "",
    weekly: Annotated[
        bool | None,
        typer.Option("--weekly/--not-weekly", help="Let them wait for the weekly mail instead, or no more."),
    ] = None,
    person: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Put several drafts into one for the list, with an index; they themselves are discarded.

    Example: [cyan]outreach collate 4 5 6 --title "News of the week"[/cyan]
    """
    with opened() as house:
        if weekly is not None:
            _mark_weekly(house, drafts, person=actor(person, house), waits=weekly, as_json=as_json)
            return
        saved = house.desk.collate(drafts, title=title, person=actor(person, house))
    if as_json:
        print_json({"announcement": saved.number})
    else:
        say(f"They are draft {saved.number} now. Read it through on the page, and queue it there.")


def _mark_weekly(house: House, drafts: list[int], *, person: str | None, waits: bool, as_json: bool) -> None:
    when = house.settings.weekly_mail
    if when is None:
        step = "Set OUTREACH_WEEKLY_MAIL, such as Friday 09:00."
        raise BadInput("There is no weekly mail.", where="--weekly", next_step=step)
    for number in drafts:
        if waits:
            house.desk.mark_weekly(number, person=person)
        else:
            house.desk.unmark_weekly(number)
    zone = house.settings.OUTREACH_TIME_ZONE
    due_at = when.next_due(house.clock.now(), zone)
    found = house.desk.waiting_for_weekly()
    if as_json:
        waiting = [{"announcement": each.number, "lacks": each.lacks} for each in found]
        print_json(entry({"due_at": due_at, "waiting": waiting}))
        return
    say(f"The next weekly mail goes out {show(due_at, zone)}. {len(found) or 'No'} drafts wait for it.")
    for each in found:
        say(f"  {each.number}{f': {each.lacks}' if each.lacks else ''}")


Announced = Annotated[int, typer.Argument(metavar="N", help="The number of an announcement that is out.", min=1)]


@verb
def correct(
    number: Announced,
    file: Annotated[Path, typer.Argument(metavar="LETTER.md", help="The file to write, which must not be there.")],
    as_json: AsJson = False,
) -> None:
    """Write the letter of a correction, with the text as it went out: change it there, look at it, and add it.

    Example: [cyan]outreach correct 12 correction.md[/cyan]
    """
    from outreach import letter as letters  # start-up time
    from outreach.model import FollowKind

    with opened() as house:
        letter = house.desk.follow_up(number, FollowKind.CORRECTION)
    if file.exists():
        raise BadInput("The file is there already.", where=str(file), next_step="Name one that is not.")
    file.write_text(letters.show(letter), encoding="utf-8")
    if as_json:
        print_json({"file": str(file), "corrects": number, "to": list(letter.to)})
        return
    say(f"Change the text in {file}, then: outreach preview {file} and outreach add {file}")


@verb
def retract(
    number: Announced,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, which everybody reads.")] = "",
    person: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Queue a retraction: the post on the Page is deleted, and the list gets a mail below the earlier one.

    Example: [cyan]outreach retract 12 --why "The meeting was cancelled."[/cyan]
    """
    from outreach.model import FollowKind  # start-up time

    with opened() as house:
        letter = house.desk.follow_up(number, FollowKind.RETRACTION)
        letter = replace(letter, body=f"{letter.body}\n\n{why}" if why else letter.body)
        added = house.desk.add(letter, folder=house.media, person=actor(person, house))
    _tell_added(added, as_json)


@verb
def templates(
    name: Annotated[str | None, typer.Argument(help="Show one of them with its fields.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the templates, or show one with its fields.

    Example: [cyan]outreach templates call-for-abstracts[/cyan]
    """
    with opened() as house:
        library = house.library
        found = [library.get(name)] if name else library.all()
    if as_json:
        print_json([_template_shape(template) for template in found])
    elif name:
        say(f"{found[0].name}: {found[0].about}")
        rows = [(f.name, f.type + (" (optional)" if f.optional else ""), f.help, f.example) for f in found[0].fields]
        table(("field", "type", "help", "example"), rows, empty="It has no fields.")
    else:
        rows_of_all = [(t.name, ", ".join(f.name for f in t.fields), t.about) for t in found]
        table(
            ("template", "fields", "about"), rows_of_all, empty="There are no templates. Make them with: outreach init"
        )


def _template_shape(template: Any) -> dict[str, Any]:
    fields = [
        {
            "name": f.name,
            "type": f.type,
            "help": f.help,
            "example": f.example,
            "optional": f.optional,
            "choices": list(f.choices),
        }
        for f in template.fields
    ]
    return {"name": template.name, "title": template.title, "about": template.about, "fields": fields}
