"""The command line: `outreach`."""

import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from outreach.doors.cli import (
    acting,
    alarming,
    checking,
    keeping,
    looking,
    mailing,
    membering,
    peopling,
    proving,
    queueing,
    sandboxing,
    serving,
)
from outreach.doors.cli.output import print_json


class Commands(TyperGroup):
    """The commands. With `--json`, what is wrong with the command line itself is told as JSON too."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **options: Any) -> Any:
        """Run the command line; exit code 2 for one that cannot be understood."""
        given = list(sys.argv[1:] if args is None else args)
        if "--json" not in given:
            return super().main(args, *more, **options)
        try:
            sys.exit(super().main(given, *more, **{**options, "standalone_mode": False}))
        except typer.Abort:
            sys.exit(1)
        except typer.TyperException as wrong:
            next_step = "See what it takes with --help."
            print_json({"error": {"message": wrong.format_message(), "where": "command line", "next": next_step}})
            sys.exit(wrong.exit_code)


app = typer.Typer(
    name="outreach",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Write an announcement once; know that it went out to the Page and the listserv: on time, once, as approved.",
)
for part in (
    serving,
    queueing,
    looking,
    checking,
    mailing,
    alarming,
    acting,
    membering,
    peopling,
    keeping,
    proving,
    sandboxing,
):
    part.register(app)


def main() -> None:
    """Run the command line."""
    app()
