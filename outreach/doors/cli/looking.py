"""Commands that look: queue, show, history."""

import csv
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.doors.cli.output import AsJson, PostName, opened, print_json, say, table, verb
from outreach.model import BadInput, Post, State

if TYPE_CHECKING:
    from outreach.store.checks import Check
    from outreach.store.first_comments import FirstComment
    from outreach.store.reached import Reach

_COLUMNS = ("post", "state", "when", "title, and what is known")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (queue, show, history):
        app.command(rich_help_panel="Look")(command)


@verb
def queue(as_json: AsJson = False) -> None:
    """List what goes out next and what needs a person.

    Example: [cyan]outreach queue[/cyan]
    """
    from outreach.doors import shapes  # start-up time

    with opened() as house:
        found, safe = house.desk.queue(), house.desk.safe_mode()
        checks = {} if as_json else house.desk.checks()
    if as_json:
        print_json(shapes.posts(found))
    else:
        if safe:
            say(f"Safe mode is on, nothing goes out. {safe.reason}", style="yellow")
        rows = [_row(post, checks.get(post.id)) for post in found]
        table(_COLUMNS, rows, empty="The queue is empty. Fill it with: outreach add LETTER.md", whole=3)


def _row(post: Post, check: "Check | None" = None) -> tuple[str, ...]:
    problems = [f"! {problem.sentence()}" for problem in check.problems] if check else []
    what = "\n".join(part for part in (post.title, _known(post), *problems) if part)
    return post.name, str(post.state), _brief(post.due_at, post.time_zone), what


def _known(post: Post) -> str:
    if post.state is State.QUEUED and post.paused:
        return "paused"
    if post.state is State.QUEUED and not post.approved:
        return "waits for an approval"
    taken = "the mail server took it" if post.state is State.PUBLISHED and post.message_id else ""
    return post.url or post.reason or taken


def _brief(at: datetime, zone: str) -> str:
    """Show an instant with the short name of its zone, so that a row fits into 80 columns."""
    from outreach.when import show as show_when  # start-up time

    return re.sub(r" \S+ \((\S+)\)$", r" \1", show_when(at, zone))


@verb
def show(name: PostName, as_json: AsJson = False) -> None:
    """Show an announcement, or one post of it, with everything that happened.

    Example: [cyan]outreach show 12[/cyan]
    """
    from outreach.doors import shapes  # start-up time

    with opened() as house:
        about, found = house.desk.show(name)
        checks, comments = house.desk.checks(), house.desk.first_comments([post for post, _ in found])
        reach = house.desk.reach_of([post.id for post, _ in found])
        repeats = {post.name: house.desk.if_sent_again(post) for post, _ in found if post.state is State.UNCONFIRMED}
    if as_json:
        shaped = [
            shapes.post(post)
            | shapes.checked(checks.get(post.id))
            | shapes.first_comment(comments.get(post.id))
            | ({"if_sent_again": repeats[post.name]} if post.name in repeats else {})
            | {"history": [shapes.entry(e) for e in told], "figures": shapes.figures(reach.get(post.id))}
            for post, told in found
        ]
        print_json({"announcement": shapes.announcement(about), "posts": shaped})
        return
    say(f"Announcement {about['id']}: {about['title']} ({about['status']}, revision {about['revision']})", style="bold")
    for post, told in found:
        _tell_post(post, told, checks.get(post.id))
        _tell_reach(post, reach.get(post.id))
        _tell_comment(post, comments.get(post.id))
    for post, _ in found:
        if post.name in repeats:
            _say_what_a_person_can_do(post, repeats[post.name])


def _tell_post(post: Post, told: list[dict[str, Any]], check: "Check | None") -> None:
    from outreach.when import show as show_when  # start-up time

    say(f"\n{post.name}: {post.state}, due {show_when(post.due_at, post.time_zone)}", style="bold")
    for label, value in (
        ("Address", post.url),
        ("Id", post.remote_id),
        ("Message-ID", post.message_id),
        ("Reason", post.reason),
    ):
        if value:
            say(f"  {label}: {value}")
    if check is not None:
        say(f"  Checked: {_brief(check.at, post.time_zone)}{'' if check.problems else ', all is well'}")
        for problem in check.problems:
            say(f"  ! {problem.sentence()}", style="yellow" if problem.is_warning else "red")
    rows = [(_brief(e["at"], post.time_zone), *_words(e)) for e in told]
    table(("at", "what", "details"), rows, empty="  Nothing has happened yet.", whole=2)


def _tell_reach(post: Post, reach: "Reach | None") -> None:
    if reach is None:
        return
    from outreach.reach import in_words  # start-up time

    said = in_words(reach.values) or "nothing is counted yet"
    say(f"  Figures: {said} (as of {_brief(reach.asked_at, post.time_zone)})")
    if reach.remark is not None:
        say(f"  Latest comment: {reach.remark.text} {reach.remark.url or ''}".rstrip())


def _tell_comment(post: Post, comment: "FirstComment | None") -> None:
    if comment is not None:
        again = f", next {_brief(comment.next_at, post.time_zone)}" if comment.next_at and comment.attempt else ""
        say(f"  First comment: {comment.state}{again}{f'. {comment.reason}' if comment.reason else ''}")
    if comment is not None and comment.state in ("failed", "in doubt"):
        say(f"  It is there:      outreach comment {post.name} --there")
        say(f"  It is not there:  outreach comment {post.name} --again")


def _words(entry: dict[str, Any]) -> tuple[str, str]:
    from outreach.doors.shapes import happened, seen  # start-up time

    kind = entry["kind"]
    if kind == "attempt":
        return f"attempt {entry['attempt']}: {entry.get('outcome') or 'going on'}", str(entry.get("note") or "")
    if kind == "sighting":
        return seen(entry)
    by = f" by {entry['person']}" if entry.get("person") else ""
    return f"{happened(kind)}{by}", str(entry.get("note") or "")


def _say_what_a_person_can_do(post: Post, if_sent_again: str | None) -> None:
    at = f" It is looked for again on {_brief(post.look_at, post.time_zone)}." if post.look_at else ""
    next_look = at or " Nobody looks any more: decide."
    lines = [
        f"\n{post.name} may be out.{next_look}",
        f"  Search for:       {post.message_id}" if post.message_id else "",
        f"  It is there:      outreach confirm {post.name} --url ADDRESS",
        f"  It is not there:  outreach requeue {post.name}",
        f"  If sent again:    {if_sent_again}" if if_sent_again else "",
    ]
    for line in filter(None, lines):
        say(line, style="yellow")


@verb
def history(
    search: Annotated[
        str | None, typer.Option(help='Words in the title, the text or the channel, "as a phrase".')
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="Planned on this day or later.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Planned before this day.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only this channel.")] = None,
    template: Annotated[str | None, typer.Option(help="Only what was written with this template.")] = None,
    person: Annotated[
        str | None, typer.Option(metavar="EMAIL", help="Only what this person wrote or approved.")
    ] = None,
    state: Annotated[str | None, typer.Option(help="Only posts in this state.")] = None,
    limit: Annotated[int, typer.Option(min=0, max=1_000_000_000, help="At most so many; 0 for all.")] = 50,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what was attempted or came to rest, newest first: by the time it was planned for.

    Example: [cyan]outreach history --since 2026-01-01 --csv[/cyan]
    """
    if as_csv and as_json:
        raise typer.BadParameter("use --csv or --json, not both")
    from outreach.doors import shapes  # start-up time
    from outreach.store.posts import HistoryFilter

    with opened() as house:
        zone = house.settings.OUTREACH_TIME_ZONE
        wanted = HistoryFilter(
            search=search,
            since=_day(since, "--since", zone),
            until=_day(until, "--until", zone),
            channel=channel,
            template=template,
            person=person,
            state=_state(state),
            limit=limit or None,
        )
        found = house.desk.history(wanted)
    shaped = shapes.posts(found)
    if as_csv:
        _print_csv(shaped)
    elif as_json:
        print_json(shaped)
    else:
        table(_COLUMNS, map(_row, found), empty="Nothing like that has gone out yet.", whole=3)


def _state(name: str | None) -> State | None:
    if name is None:
        return None
    try:
        return State(name)
    except ValueError:
        known = ", ".join(State)
        raise BadInput(f"There is no state {name!r}.", where="--state", next_step=f"The states are: {known}.") from None


def _day(text: str | None, option: str, zone: str) -> datetime | None:
    if text is None:
        return None
    from outreach.when import wall_time_to_utc  # start-up time

    try:
        return wall_time_to_utc(datetime.fromisoformat(text).replace(tzinfo=None), zone)[0].astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(f"{text!r} is no date.", where=option, next_step="Write it such as 2026-12-01.") from None


def _print_csv(shaped: list[dict[str, Any]]) -> None:
    from outreach.doors.shapes import POST_KEYS, for_a_spreadsheet  # start-up time

    writer = csv.DictWriter(sys.stdout, POST_KEYS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(map(for_a_spreadsheet, shaped))
