"""Commands that act on posts and channels: approve, pause, resume, cancel, requeue, confirm, channels."""

import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from outreach.doors.cli.connecting import connect_page, disconnect_page
from outreach.doors.cli.following import follow_channel
from outreach.doors.cli.output import Actor, AsJson, PostName, actor, opened, print_json, say, table, verb
from outreach.model import BadInput, Problem, State


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (approve, pause, resume, cancel, requeue, confirm, comment, let_through, turn_down):
        app.command(rich_help_panel="Act")(command)
    channels = typer.Typer(invoke_without_command=True)
    channels.callback()(list_channels)
    channels.command("check")(check_channels)
    channels.command("connect")(connect_page)
    channels.command("disconnect")(disconnect_page)
    channels.command("test")(try_channel)
    channels.command("habits")(habits_of_channel)
    channels.command("follow")(follow_channel)
    channels.command("pause")(pause_channel)
    channels.command("resume")(resume_channel)
    app.add_typer(channels, name="channels", rich_help_panel="Act")


def _act(act: Callable[[Any, str | None], Any], person: str | None, as_json: bool) -> None:
    from outreach.doors import shapes  # start-up time

    with opened() as house:
        changed = act(house.desk, actor(person, house))
    if as_json:
        print_json(shapes.changed(changed))
        return
    for post in changed.posts:
        say(
            f"{post.name} is {post.state}{' and paused' if post.paused and post.state is State.QUEUED else ''}.",
            style="green",
        )
    if not changed.posts:
        say("Done; nothing of it is queued yet.", style="green")
    for note in changed.notes:
        say(note, style="yellow")


@verb
def approve(name: PostName, person: Actor = None, as_json: AsJson = False) -> None:
    """Approve the latest revision of an announcement; nobody approves their own.

    Example: [cyan]outreach approve 12 --as chair@example.org[/cyan]
    """

    def act(desk: Any, who: str | None) -> Any:
        if who is None:
            raise BadInput(
                "Who approves?", where="--as", next_step="Add --as name@example.org, or set OUTREACH_PERSON."
            )
        if not name.isdecimal():
            raise BadInput(
                "An approval is for a whole announcement.", next_step=f"Write: outreach approve {name.split('/')[0]}"
            )
        return desk.approve(int(name), person=who)

    _act(act, person, as_json)


@verb
def pause(name: PostName, person: Actor = None, as_json: AsJson = False) -> None:
    """Hold queued posts back.

    Example: [cyan]outreach pause 12/listserv[/cyan]
    """
    _act(lambda desk, who: desk.pause(name, person=who), person, as_json)


@verb
def resume(name: PostName, person: Actor = None, as_json: AsJson = False) -> None:
    """Let paused posts go on.

    Example: [cyan]outreach resume 12[/cyan]
    """
    _act(lambda desk, who: desk.resume(name, person=who), person, as_json)


@verb
def cancel(name: PostName, person: Actor = None, as_json: AsJson = False) -> None:
    """Take posts out of the queue for good.

    Example: [cyan]outreach cancel 12/facebook[/cyan]
    """
    _act(lambda desk, who: desk.cancel(name, person=who), person, as_json)


@verb
def requeue(name: PostName, person: Actor = None, as_json: AsJson = False) -> None:
    """Send posts again that failed, were missed, or turned out not to be there.

    Example: [cyan]outreach requeue 12/facebook[/cyan]
    """

    def act(desk: Any, who: str | None) -> Any:
        doubtful = [post for post in desk.find(name) if post.state is State.UNCONFIRMED]
        if doubtful and not as_json:
            _warn(doubtful, desk)
        return desk.requeue(name, person=who)

    _act(act, person, as_json)


def _warn(doubtful: list[Any], desk: Any) -> None:
    for post in doubtful:
        looked = {0: "not looked for yet", 1: "looked for once"}.get(post.looks, f"looked for {post.looks} times")
        say(f"{post.name} may be out already: {post.reason} It was {looked}.", style="yellow")
        if_sent_again = desk.if_sent_again(post)
        if if_sent_again:
            say(f"If it is sent again: {if_sent_again}", style="yellow")
    if sys.stdin.isatty() and not typer.confirm("Did you look, and is it not there?"):
        raise BadInput("Nothing was changed.", next_step="Look on the channel first.")


@verb
def confirm(
    name: PostName,
    url: Annotated[str | None, typer.Option(metavar="URL", help="The public address of the post.")] = None,
    person: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Say that an unconfirmed post is out, and where.

    Example: [cyan]outreach confirm 12/facebook --url https://www.facebook.com/…[/cyan]
    """
    _act(lambda desk, who: desk.confirm(name, url=url, person=who), person, as_json)


@verb
def comment(
    name: PostName,
    there: Annotated[bool, typer.Option("--there", help="You looked, and it is there.")] = False,
    again: Annotated[bool, typer.Option("--again", help="You looked, it is not there: make it again.")] = False,
    person: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Say what became of a first comment that failed or is in doubt. Its post stays as it is.

    Example: [cyan]outreach comment 12/facebook --there[/cyan]
    """
    if there == again:
        raise typer.BadParameter("say --there or --again")
    _act(lambda desk, who: desk.settle_first_comment(name, is_there=there, person=who), person, as_json)


@verb
def let_through(name: PostName, person: Actor = None, as_json: AsJson = False) -> None:
    """Tell the list to let a held post through, where it asked you as its moderator.

    Example: [cyan]outreach let-through 12/listserv[/cyan]
    """
    _act(lambda desk, who: desk.let_through(name, person=who), person, as_json)


@verb
def turn_down(name: PostName, person: Actor = None, as_json: AsJson = False) -> None:
    """Tell the list to refuse a held post, where it asked you as its moderator.

    Example: [cyan]outreach turn-down 12/listserv[/cyan]
    """
    _act(lambda desk, who: desk.turn_down(name, person=who), person, as_json)


# Channels


def list_channels(context: typer.Context, as_json: AsJson = False) -> None:
    """List the channels and how they stand; check, pause or resume one.

    Example: [cyan]outreach channels[/cyan]
    """
    if context.invoked_subcommand is None:
        _channels(as_json=as_json, checking=False)


@verb
def check_channels(
    name: Annotated[str | None, typer.Argument(help="Only this channel.")] = None, as_json: AsJson = False
) -> None:
    """Find out, without publishing anything, whether the channels would let a post out now.

    Example: [cyan]outreach channels check[/cyan]
    """
    _channels(name=name, as_json=as_json, checking=True)


@verb
def _channels(*, name: str | None = None, as_json: bool, checking: bool) -> None:
    from outreach.doors import shapes  # start-up time

    with opened() as house:
        if name is not None:
            house.desk.target(name)
        rows = [row for row in house.desk.channels() if name in (None, row.name)]
        known = {row.name: _problems(house, row.name, checking) for row in rows}
        found = [(row, [problem.sentence() for problem in known[row.name]]) for row in rows]
    if as_json:
        print_json([shapes.channel(row, problems) for row, problems in found])
    else:
        shown = [
            (r.name, r.kind, r.state, r.reason or "", "; ".join(p) or ("none found" if checking else ""))
            for r, p in found
        ]
        table(
            ("channel", "kind", "state", "reason", "problems"), shown, empty="No channel is set up. See .env.example."
        )
    if checking and any(not problem.is_warning for problems in known.values() for problem in problems):
        raise typer.Exit(1)


def _problems(house: Any, name: str, checking: bool) -> Sequence[Problem]:
    """Ask now, or give what the daily check found."""
    if name not in {target.name for target in house.targets}:
        return [Problem("It is not set up any more.")]
    found = house.new_preflight().of_channel(name) if checking else house.desk.check_of_channel(name)
    return found.problems if found else ()


@verb
def try_channel(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The channel of a list.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    person: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Send one test mail to everybody on a list, to see that mails come through and what the list makes of them.

    Example: [cyan]outreach channels test listserv[/cyan]
    """
    if not yes and (
        as_json or not sys.stdin.isatty() or not typer.confirm(f"Everybody on {name} gets a mail. Send it?")
    ):
        raise BadInput(
            "Nothing was sent.", where="--yes", next_step="Everybody on the list gets it: say --yes if you mean it."
        )
    with opened() as house:
        number = house.desk.send_a_test(name, person=actor(person, house))
        shown = house.desk.what_lists_show().get(name)
    if as_json:
        print_json({"announcement": number, "shown": shown})
        return
    say(f"The test is queued as {number}; a worker sends it. What became of it: outreach show {number}")
    say("Once its copy was seen, the page of the channels says what the list made of it.")


@verb
def pause_channel(
    name: Annotated[str, typer.Argument(help="The channel.")],
    reason: Annotated[str, typer.Option(help="Why.")] = "paused by a person",
    person: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Let nothing out on a channel until it is resumed.

    Example: [cyan]outreach channels pause facebook --reason "Page is being moved"[/cyan]
    """
    with opened() as house:
        house.desk.pause_channel(name, reason=reason, person=actor(person, house))
    _channels(name=name, as_json=as_json, checking=False)


@verb
def resume_channel(
    name: Annotated[str, typer.Argument(help="The channel.")], person: Actor = None, as_json: AsJson = False
) -> None:
    """Let posts out on a channel again.

    Example: [cyan]outreach channels resume facebook[/cyan]
    """
    with opened() as house:
        house.desk.resume_channel(name, person=actor(person, house))
    _channels(name=name, as_json=as_json, checking=False)


@verb
def habits_of_channel(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The list, such as listserv.")],
    dedupe: Annotated[
        str | None, typer.Option(metavar="WAY", help="How it knows a repeat: message-id, body, none, or empty.")
    ] = None,
    own_copy: Annotated[str | None, typer.Option(metavar="yes|no", help="Whether the sender gets its copy.")] = None,
    moderated: Annotated[str | None, typer.Option(metavar="yes|no", help="Whether a moderator looks first.")] = None,
    lead_h: Annotated[str | None, typer.Option(metavar="HOURS", help="So much earlier it is mailed.")] = None,
    size_kb: Annotated[str | None, typer.Option(metavar="KB", help="The longest mail that it takes.")] = None,
    calendar: Annotated[
        str | None, typer.Option(metavar="yes|no", help="Whether it lets a calendar file through.")
    ] = None,
    confirms: Annotated[
        str | None, typer.Option(metavar="yes|no", help="Whether its question if a mail is ours is answered by itself.")
    ] = None,
    person: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Show or say what a list does with mails; what is said outweighs what is learnt and the settings.

    Example: [cyan]outreach channels habits listserv --moderated yes --lead-h 24[/cyan]
    """
    from outreach.list_habits import read_habits  # start-up time

    given = {"dedupe": dedupe, "own_copy": own_copy, "moderated": moderated, "lead_h": lead_h, "size_kb": size_kb}
    given |= {"calendar": calendar, "confirms": confirms}
    with opened() as house:
        kept = house.desk.habits(name)
        if any(value is not None for value in given.values()):
            told = {key: value if value is not None else kept.laid_out()[key] for key, value in given.items()}
            house.desk.set_habits(name, read_habits(told), person=actor(person, house))
            kept = house.desk.habits(name)
    if as_json:
        print_json(kept.laid_out())
    else:
        say(kept.in_words() or "Nobody has said anything.")
