"""Commands that set up and serve: init, doctor, up, worker, demo."""

from pathlib import Path
from typing import Annotated

import typer

from outreach.doors.cli.log import is_heard, set_up_logging
from outreach.doors.cli.output import AsJson, err, opened, out, print_json, say, verb


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (demo, init, doctor, up, worker):
        app.command(rich_help_panel="Set up and serve")(command)


@verb
def demo(
    exit_when_idle: Annotated[bool, typer.Option("--exit-when-idle", help="End when everything is out.")] = False,
    as_json: AsJson = False,
) -> None:
    """Try everything on the built-in sandbox: no account, nothing leaves this machine.

    Example: [cyan]outreach demo --exit-when-idle[/cyan]
    """
    from outreach.doors import demo as door  # start-up time

    done = door.run(exit_when_idle=exit_when_idle, screen=None if as_json else out)
    if as_json:
        print_json(done.shape())
    if not done.is_good():
        raise typer.Exit(1)


@verb
def init(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="The queue folder (default: OUTREACH_QUEUE).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Lay out a queue folder: templates, seed letters, inbox, media, the database. Changes nothing that is there.

    Example: [cyan]outreach init ~/outreach-queue[/cyan]
    """
    from outreach.bootstrap import build, settings_from_environment  # start-up time
    from outreach.doors.layout import lay_out

    settings = settings_from_environment()
    if folder is not None:
        settings = settings.model_copy(update={"OUTREACH_QUEUE": folder})
    made = lay_out(settings.OUTREACH_QUEUE)
    house = build(settings)
    try:
        _ = house.community, house.targets
    finally:
        house.close()
    if as_json:
        print_json({"folder": str(settings.OUTREACH_QUEUE), "made": made})
        return
    say(f"The queue folder is {settings.OUTREACH_QUEUE}; {len(made)} files were added.", style="green")
    if folder is not None and folder.absolute() != settings_from_environment().OUTREACH_QUEUE.absolute():
        say(f"Next: write OUTREACH_QUEUE={folder.absolute()} and the rest into .env (see .env.example).")
    else:
        say("Next: fill in .env (see .env.example).")
    say("Then run: outreach doctor")


@verb
def doctor(as_json: AsJson = False) -> None:
    """Check settings, database, templates, clock, mail log-in and Page token, and say what to do about each.

    Example: [cyan]outreach doctor[/cyan]
    """
    from outreach.doors.examination import examine  # start-up time

    findings = examine()
    if as_json:
        print_json({"checks": [finding.shape() for finding in findings]})
    else:
        for finding in findings:
            mark, style = ("!", "yellow") if finding.is_warning else ("✓", "green") if finding.is_good else ("✗", "red")
            say(f"{mark} {finding.what}: {finding.message}", style=style)
            if finding.next_step:
                say(f"    {finding.next_step}")
    if not all(finding.is_good for finding in findings):
        raise typer.Exit(1)


@verb
def up(
    host: Annotated[str, typer.Option(help="Where the page listens; only this machine.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False,
) -> None:
    """Run the worker and the page in one process. The first time it prints a link that makes the first admin.

    Example: [cyan]outreach up --port 8000[/cyan]
    """
    from outreach.doors import up as door  # start-up time

    set_up_logging(verbose=verbose)
    with opened() as house:
        door.run(house, host=host, port=port, say=say)


@verb
def worker(
    once: Annotated[bool, typer.Option("--once", help="Publish what is due now, then end.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False,
) -> None:
    """Publish what is due, look for what is unconfirmed, take letters from the inbox.

    Example: [cyan]outreach worker --once[/cyan]
    """
    from outreach.doors import worker as door  # start-up time

    set_up_logging(verbose=verbose)
    with opened() as house:
        if once:
            tried = door.run_once(house)
            if is_heard():
                say(f"{tried} {'post was' if tried == 1 else 'posts were'} tried." if tried else "Nothing was due.")
            return
        err.print(f"Working on {house.settings.OUTREACH_COMMUNITY}; end with Ctrl-C.")
        door.run(house)
