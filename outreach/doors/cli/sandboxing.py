"""The command that runs the sandbox alone: `sandbox`, for this project and for anybody's own."""

from typing import Annotated, Any

import typer

from outreach.doors.cli.output import AsJson, print_json, say, table, verb

_SHOWN = (
    ("Graph API", "graph_url"),
    ("Page", "page_id"),
    ("Page token", "page_token"),
    ("user token", "user_token"),
    ("app", "app_id"),
    ("app secret", "app_secret"),
    ("the Page as the public sees it", "page_url"),
    ("list", "list_address"),
    ("the list's archive", "archive_url"),
    ("member", "member"),
    ("mailboxes", "mailboxes_url"),
    ("password of each mailbox", "mailbox_password"),
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel="Set up and serve")(sandbox)


@verb
def sandbox(
    http_port: Annotated[int, typer.Option("--http-port", min=0, max=65535, help="0 picks a free one.")] = 0,
    smtp_port: Annotated[int, typer.Option("--smtp-port", min=0, max=65535, help="0 picks a free one.")] = 0,
    pages: Annotated[int, typer.Option("--pages", min=1, max=100, help="How many Pages.")] = 1,
    lists: Annotated[int, typer.Option("--lists", min=1, max=100, help="How many mailing lists.")] = 1,
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option("--redirect-uri", help="Where the log-in dialog may lead back to; several times."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the stand-ins for Facebook and a list server alone, until SIGINT or SIGTERM; nothing leaves this machine.

    Example: [cyan]outreach sandbox --http-port 8086 --pages 2[/cyan]
    """
    from outreach.model import BadInput  # start-up time
    from outreach.sandbox import Sandbox
    from outreach.sandbox.__main__ import REDIRECT, until_told_to_stop

    box = Sandbox(http_port=http_port, smtp_port=smtp_port, pages=pages, lists=lists)
    box.graph.rules.redirect_uris = set(redirect_uri or [REDIRECT])
    try:
        with until_told_to_stop(box) as addresses:
            if as_json:
                print_json(addresses)
            else:
                _show(addresses)
    except OSError as trouble:
        raise BadInput(
            f"The sandbox cannot listen: {(trouble.strerror or 'no reason given').lower()}.",
            where="--http-port, --smtp-port",
            next_step="Choose another port, or 0 for a free one.",
        ) from trouble


def _show(told: dict[str, Any]) -> None:
    say("This is a sandbox, not Facebook: nothing it takes is published. These credentials open nothing else.")
    rows = [(words, str(told[key])) for words, key in _SHOWN]
    rows.insert(7, ("mail is taken at (SMTP)", f"{told['smtp_host']}:{told['smtp_port']}"))
    rows.append(("mailboxes are read at (IMAP)", f"{told['smtp_host']}:{told['imap_port']}"))
    rows += [(f"Page token of {page['name']} ({page['id']})", page["token"]) for page in told["pages"][1:]]
    rows += [("list", address) for address in told["lists"][1:]]
    table(("what", "value"), rows, empty="")
    say("Stop it with Ctrl-C.")
