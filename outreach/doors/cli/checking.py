"""The command that looks ahead: preflight."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.doors.cli.output import AsJson, opened, print_json, say, verb
from outreach.model import BadInput, Post

if TYPE_CHECKING:
    from outreach.store.checks import Check


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel="Look")(preflight)


@verb
def preflight(
    name: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="An announcement or a post (default: all due within 24 hours).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find out now, without publishing anything, what is wrong with posts that are to go out.

    Example: [cyan]outreach preflight 12[/cyan]
    """
    from outreach.doors import shapes  # start-up time

    with opened() as house:
        _ = house.targets  # writes the channels of the settings down
        found = _look(house, name)
    if as_json:
        print_json([shapes.post(post) | shapes.checked(check) for post, check in found])
    else:
        for post, check in found:
            _tell(post, check)
        if not found:
            say("Nothing is due within 24 hours.")
    if any(not problem.is_warning for _, check in found for problem in check.problems):
        raise typer.Exit(1)


def _look(house: Any, name: str | None) -> "list[tuple[Post, Check]]":
    if name is None:
        everything: list[tuple[Post, Check]] = house.new_preflight().of_the_next_day()
        return everything
    found: list[tuple[Post, Check]] = house.new_preflight().of_posts(house.desk.find(name))
    if not found:
        raise BadInput(
            f"Nothing of {name} is queued, so there is nothing to look ahead to.",
            next_step=f"Look at it with: outreach show {name}",
        )
    return found


def _tell(post: Post, check: "Check") -> None:
    from outreach.when import show  # start-up time

    if not check.problems:
        say(f"✓ {post.name}: all is well", style="green")
        return
    say(f"✗ {post.name}, due {show(post.due_at, post.time_zone)}:", style="bold")
    for problem in check.problems:
        say(f"    {problem.sentence()}", style="yellow" if problem.is_warning else "red")
