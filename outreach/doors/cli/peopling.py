"""Commands about people: who is here, invitations, roles, accounts, and the way in while there is none."""

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.doors.cli.output import Actor, AsJson, actor, opened, print_json, say, table, verb
from outreach.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outreach.access import Operator
    from outreach.roles import Role

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Their address.")]
Roles = Annotated[
    list[str] | None,
    typer.Option(
        "--role", metavar="ROLE", help="coordinator, approver, reviewer or admin; may be given several times."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(no_args_is_help=True, help="See who may use the page, invite, change roles, close accounts.")
    commands: dict[str, Callable[..., None]] = {
        "list": list_people,
        "invite": invite,
        "withdraw": withdraw,
        "reset-link": reset_link,
        "roles": roles,
        "close": close,
        "reopen": reopen,
        "end-second-factor": end_second_factor,
        "first-admin-link": first_admin_link,
    }
    for name, command in commands.items():
        group.command(name)(command)
    app.add_typer(group, name="people", rich_help_panel="Set up and serve")


@verb
def list_people(as_json: AsJson = False) -> None:
    """List who is here, what they are, and who is invited.

    Example: [cyan]outreach people list[/cyan]
    """
    from outreach.doors.shapes import instant  # start-up time
    from outreach.when import show

    with opened() as house:
        zone = house.settings.OUTREACH_TIME_ZONE
        found, invited = house.access.people(), house.access.invitations()
    if as_json:
        invitations = [{"email": one.email, "roles": one.roles, "ends_at": instant(one.ends_at)} for one in invited]
        print_json({"people": [_shape(person) for person in found], "invitations": invitations})
        return
    rows = [(person.email, person.name, ", ".join(sorted(person.roles)), _account(person)) for person in found]
    rows += [(str(i.email), "", ", ".join(i.roles or ()), f"invited until {show(i.ends_at, zone)}") for i in invited]
    empty = "Nobody is here yet. Make the first admin: outreach people first-admin-link"
    table(("address", "name", "roles", "account"), rows, empty=empty)


def _account(person: Any) -> str:
    if person.closed_at:
        return "closed"
    return "second factor" if person.totp else "open"


def _shape(person: Any) -> dict[str, Any]:
    from outreach.doors.shapes import instant  # start-up time

    return {
        "email": person.email,
        "name": person.name,
        "roles": sorted(person.roles),
        "closed_at": instant(person.closed_at),
        "password_set_at": instant(person.password_at),
        "second_factor_set_at": instant(person.totp_at),
    }


@verb
def invite(
    email: Email,
    role: Roles = None,
    mail: Annotated[bool, typer.Option("--mail", help="Mail it to them too.")] = False,
    person: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Invite somebody: prints a link that opens once, within 7 days.

    Example: [cyan]outreach people invite ben@example.org --role approver --role reviewer[/cyan]
    """
    from outreach.doors import mailing  # start-up time

    with _at_work(person) as (house, by):
        if mail and not mailing.can_mail(house):
            raise BadInput(
                "No mail server is set up.", where="--mail", next_step="Set SMTP_HOST, or leave --mail away."
            )
        link = _address(house, house.access.invite(email, _read(role), by=by))
        sender = by.email or house.settings.OUTREACH_COMMUNITY
        trouble = mailing.mail_invitation(house, email.strip().lower(), link, by=sender) if mail else None
    if as_json:
        print_json(
            {"email": email.strip().lower(), "link": link, "mailed": mail and trouble is None, "trouble": trouble}
        )
        return
    _say_link(f"{email} is invited. This opens once, within 7 days:", link)
    if mail:
        say(f"No mail went out: {trouble}" if trouble else "A mail with it is on its way.")


@verb
def withdraw(email: Email, person: Actor = None, as_json: AsJson = False) -> None:
    """Withdraw an invitation: its link opens nothing any more.

    Example: [cyan]outreach people withdraw ben@example.org[/cyan]
    """
    with _at_work(person) as (house, by):
        house.access.withdraw_invitation(email, by=by)
    _done(f"The invitation of {email} is withdrawn.", {"email": email.strip().lower()}, as_json)


@verb
def reset_link(email: Email, person: Actor = None, as_json: AsJson = False) -> None:
    """Print a link with which somebody chooses a new password; it opens once, within 2 hours.

    Example: [cyan]outreach people reset-link ben@example.org[/cyan]
    """
    with _at_work(person) as (house, by):
        found = house.access.person_called(email)
        key = house.access.reset_link(found.email, by=by)
        if key is None:
            raise BadInput(f"The account of {email} is closed.", next_step=f"Reopen it: outreach people reopen {email}")
        link = _address(house, key)
    if as_json:
        print_json({"email": found.email, "link": link})
    else:
        _say_link(f"With this {found.email} chooses a new password. It opens once, within 2 hours:", link)


@verb
def roles(email: Email, role: Roles = None, person: Actor = None, as_json: AsJson = False) -> None:
    """Make somebody's roles exactly these; without --role they have none here any more. One admin always stays.

    Example: [cyan]outreach people roles ben@example.org --role coordinator --role admin[/cyan]
    """
    with _at_work(person) as (house, by):
        wanted = _read(role)
        house.access.set_roles(house.access.person_called(email).id, wanted, by=by)
    words = ", ".join(sorted(wanted))
    said = f"{email} is now: {words}." if words else f"{email} has no role here any more."
    _done(said, {"email": email.strip().lower(), "roles": sorted(wanted)}, as_json)


@verb
def close(email: Email, person: Actor = None, as_json: AsJson = False) -> None:
    """Close an account: its sessions, links and tokens end at once. What they did stays in the history.

    Example: [cyan]outreach people close ben@example.org[/cyan]
    """
    with _at_work(person) as (house, by):
        house.access.close(house.access.person_called(email).id, by=by)
        found = house.access.person_called(email)
    _done(f"The account of {email} is closed.", _shape(found), as_json)


@verb
def reopen(email: Email, person: Actor = None, as_json: AsJson = False) -> None:
    """Open a closed account again; the password is the one it had.

    Example: [cyan]outreach people reopen ben@example.org[/cyan]
    """
    with _at_work(person) as (house, by):
        house.access.reopen(house.access.person_called(email).id, by=by)
        found = house.access.person_called(email)
    _done(f"The account of {email} is open again.", _shape(found), as_json)


@verb
def end_second_factor(email: Email, person: Actor = None, as_json: AsJson = False) -> None:
    """Let somebody log in without a code who lost what makes them; their sessions end.

    Example: [cyan]outreach people end-second-factor ben@example.org[/cyan]
    """
    with _at_work(person) as (house, by):
        house.access.end_totp_of(house.access.person_called(email).id, by=by)
        found = house.access.person_called(email)
    _done(f"{email} is asked for no code any more.", _shape(found), as_json)


@verb
def first_admin_link(as_json: AsJson = False) -> None:
    """Print the link that makes the first admin, while there is none. One printed before opens nothing any more.

    Example: [cyan]outreach people first-admin-link[/cyan]
    """
    with opened() as house:
        if not house.access.needs_a_first_admin():
            step = "See who it is: outreach people list; make a link: outreach people reset-link EMAIL"
            raise BadInput("There is an admin already.", next_step=step)
        link = _address(house, house.access.first_admin_link())
    if as_json:
        print_json({"link": link})
    else:
        _say_link("This makes the first admin. It opens once, within 24 hours, while the page runs:", link)


@contextmanager
def _at_work(person: str | None) -> "Iterator[tuple[Any, Operator]]":
    from outreach.access import Operator  # start-up time

    with opened() as house:
        yield house, Operator(actor(person, house))


def _read(words: Sequence[str] | None) -> "set[Role]":
    from outreach.roles import Role, role_of  # start-up time

    for word in words or ():
        if role_of(word) is None:
            raise BadInput(f"There is no role {word!r}.", where="--role", next_step=f"Roles: {', '.join(Role)}.")
    return {role for word in words or () if (role := role_of(word))}


def _address(house: Any, key: str) -> str:
    return f"{house.settings.OUTREACH_BASE_URL}/links/{key}"


def _say_link(sentence: str, link: str) -> None:
    say(sentence)
    say(link, style="bold")


def _done(sentence: str, shape: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(shape)
    else:
        say(sentence, style="green")
