"""The command that says what a mail means: mail explain."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outreach.doors.cli.output import AsJson, opened, print_json, say, verb
from outreach.model import BadInput

if TYPE_CHECKING:
    from outreach.mail.meaning import Meaning, Sent

_LOOKED_BACK = timedelta(days=400)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    mail = typer.Typer(no_args_is_help=True, help="Say what a mail of a list server means.")
    mail.command()(explain)
    mail.callback()(_only_a_group)
    app.add_typer(mail, name="mail", rich_help_panel="Look")


def _only_a_group() -> None:
    """Say what a mail of a list server means."""


@verb
def explain(
    file: Annotated[Path, typer.Argument(metavar="FILE.eml", help="The mail as it came, saved from a mail program.")],
    list_address: Annotated[
        str | None, typer.Option("--list", metavar="ADDRESS", help="The list; then no database is looked into.")
    ] = None,
    message_id: Annotated[
        str | None, typer.Option("--message-id", metavar="ID", help="The Message-ID of the post it may be about.")
    ] = None,
    subject: Annotated[str | None, typer.Option("--subject", metavar="TEXT", help="The subject of that post.")] = None,
    body_file: Annotated[
        Path | None, typer.Option("--body-file", metavar="FILE", help="The text of that post, as the list reads it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a mail means, for which post, and by which rule. Nothing is changed, and no link in it is opened.

    Example: [cyan]outreach mail explain notice.eml[/cyan]
    """
    from outreach.mail.opened import MOST_BYTES  # start-up time
    from outreach.mail.recognising import meaning

    raw = _read(file)[:MOST_BYTES]
    sent = _known() if list_address is None else [_given(list_address, message_id, subject, body_file)]
    found = meaning(raw, sent)
    if as_json:
        print_json(
            {
                "verdict": str(found.verdict),
                "rule": found.rule,
                "basis": found.basis,
                "post": found.post,
                "reason": found.reason,
            }
        )
    else:
        _tell(found)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as trouble:
        said = (trouble.strerror or "it is not possible").lower()
        step = "Save the mail as a file (.eml) and name that."
        raise BadInput(f"The file cannot be read: {said}.", where=str(file), next_step=step) from None


def _given(address: str, message_id: str | None, subject: str | None, body_file: Path | None) -> "Sent":
    from outreach.mail.meaning import Sent  # start-up time

    if "@" not in address:
        raise BadInput("That is no address of a list.", where="--list", next_step="Write it as list@example.org.")
    wanted = (message_id or "").strip()
    if wanted and not wanted.startswith("<"):
        wanted = f"<{wanted}>"
    text = _read(body_file).decode("utf-8", "replace") if body_file else ""
    return Sent("the post", wanted or "<nothing@invalid>", address.strip(), (subject or "").strip(), text)


def _known() -> "Sequence[Sent]":
    from outreach.chores import replies_of  # start-up time

    with opened() as house:
        sent: list[Sent] = replies_of(house).sent(since=house.clock.now() - _LOOKED_BACK)
    return sent


_SAYS = {
    "distributed": "The list sent it out.",
    "acknowledged": "The list says that it sent it out.",
    "held": "The list holds it for a moderator.",
    "throttled": "The list server answers no more mails today.",
    "needs-confirm": "The list server asks for a confirmation before it sends it out.",
    "rejected": "The list did not take it.",
    "bounced": "It came back: it could not be delivered to the list.",
    "member-bounce": "A member's mailbox did not take it, so the list did send it out.",
    "delayed": "Its delivery to the list is delayed; the mail server goes on trying.",
    "moderate": "The list asks the reader of this mailbox to decide about it.",
    "vacation": "An automatic answer of a person. It says nothing about a post.",
    "own-copy": "The sender's own copy. It says nothing about the list.",
    "unrelated": "It says nothing about a post.",
}


def _tell(found: "Meaning") -> None:
    say(f"{found.verdict}: {_SAYS[str(found.verdict)]}", style="bold")
    if found.post:
        say(f"It is about {found.post}.")
    say(f"Rule: {found.rule}. It rests on: {found.basis}.")
    if found.reason:
        say(f"Its reason: {found.reason}")
