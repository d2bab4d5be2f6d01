"""The command line: `outreach`."""

import typer

from outreach.doors.cli import acting, looking, queueing, serving

app = typer.Typer(
    name="outreach",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Write an announcement once; know that it went out to the Page and the listserv: on time, once, as approved.",
)
for part in (serving, queueing, looking, acting):
    part.register(app)


def main() -> None:
    """Run the command line."""
    app()
