"""The command that connects a Page by a pasted token: in a terminal without echo, or from standard input."""

import sys
from typing import Annotated, Any

import typer

from outreach.doors.cli.output import Actor, AsJson, actor, opened, print_json, say, table, verb
from outreach.model import BadInput

_MOST_CHARS = 4000


@verb
def connect_page(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The channel of the Page, such as facebook.")],
    page: Annotated[str, typer.Option(metavar="ID", help="Which Page, where the token opens several.")] = "",
    another: Annotated[
        bool, typer.Option("--another", help="Yes, it is another Page than before: publish there from now on.")
    ] = False,
    person: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Connect a Page by a token: a person's, or the Page's own. It is asked for, or read from standard input.

    Example: [cyan]outreach channels connect facebook --page 1234567890[/cyan]
    """
    from outreach.desk.connecting import AnotherPage, Who  # start-up time

    with opened() as house:
        if name != house.connecting.channel or house.connecting.standing() is None:
            raise _not_a_page(house, name)
        bad = house.connecting.obstacle()
        if bad is not None:
            raise bad
        token = _token()
        chosen = page or _chosen(house, token, as_json)
        who = Who(actor(person, house) or "a person")
        try:
            done = house.connecting.connect_by(token, who, page_id=chosen, means_another=another)
        except AnotherPage as other:
            raise BadInput(other.message, where="--another", next_step="Say --another if you mean it.") from None
        problems = house.new_preflight().of_channel(name).problems
    if as_json:
        told = {"channel": done.channel, "page": {"id": done.page_id, "name": done.page_name}}
        told |= {"waiting": [post.name for post in done.waiting], "paused_by": done.paused_by}
        print_json(told | {"problems": [problem.sentence() for problem in problems]})
        return
    say(f"{done.page_name} ({done.page_id}) is connected. Running workers use it from now on.")
    if done.waiting:
        say(f"Waiting for it: {', '.join(post.name for post in done.waiting)}.")
    if done.paused_by:
        say(f"The channel is still paused by {done.paused_by}: outreach channels resume {name}", style="yellow")
    elif done.until:
        say("The channel still rests, as Facebook asked: see it with outreach channels", style="yellow")
    for problem in problems:
        say(problem.sentence(), style="yellow")


@verb
def disconnect_page(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The channel of the Page, such as facebook.")],
    person: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Forget what opens the connected Page, and pause its channel; what is queued stays queued.

    Example: [cyan]outreach channels disconnect facebook[/cyan]
    """
    with opened() as house:
        if name != house.connecting.channel or house.connecting.standing() is None:
            raise _not_a_page(house, name)
        house.connecting.disconnect(person=actor(person, house) or "a person")
    if as_json:
        print_json({"channel": name, "connected": False})
        return
    say("What opened the Page is forgotten, and the channel is paused. What is queued stays queued.")
    say("To take the permission back on Facebook, too: Settings, Business integrations, the app, Remove.")


def _not_a_page(house: Any, name: str) -> BadInput:
    bad: BadInput | None = house.connecting.obstacle()
    if bad is not None:
        return bad
    channel = house.connecting.channel
    return BadInput(f"{name} is no Page.", next_step=f"Say: outreach channels connect {channel}")


def _token() -> str:
    """Take the token without showing it. Raises `BadInput` for what cannot be one."""
    if sys.stdin.isatty():
        token = str(typer.prompt("Paste the token (it is not shown)", hide_input=True, err=True))
    else:
        token = sys.stdin.read(_MOST_CHARS + 1)
    token = token.strip()
    if not token or len(token) > _MOST_CHARS or not (token.isascii() and token.isprintable()) or " " in token:
        step = "Give one token and nothing else: paste it when asked, or pass it on standard input."
        raise BadInput("This is no token.", where="standard input", next_step=step)
    return token


def _chosen(house: Any, token: str, as_json: bool) -> str:
    """In a terminal, let a person choose among several Pages; otherwise leave it open."""
    if as_json or not sys.stdin.isatty():
        return ""
    offers = house.connecting.pages_of(token).offers
    if len(offers) < 2:
        return ""
    shown = [(each.id, each.name, each.hindrance.message if each.hindrance else "") for each in offers]
    table(("Page", "name", "what is missing"), shown, empty="")
    return str(typer.prompt("Which Page (its number)?")).strip()
