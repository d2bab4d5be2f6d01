"""How the command line speaks: tables and sentences for people, JSON for programs, one exit code for each end."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from outreach.model import BadInput

P = ParamSpec("P")

REFUSED = 1

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]
Actor = Annotated[str | None, typer.Option("--as", metavar="EMAIL", help="Who acts (default: OUTREACH_PERSON).")]
PostName = Annotated[
    str, typer.Argument(metavar="ID", help="An announcement such as 12, or a post such as 12/facebook.")
]

out = Console(highlight=False, soft_wrap=False)
err = Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """Print one JSON value on one line; in ASCII where the output could not take every character."""
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    sys.stdout.write(json.dumps(value, ensure_ascii=not is_unicode) + "\n")


def say(sentence: str, *, style: str | None = None) -> None:
    """Print a sentence for a person; nothing in it is read as markup."""
    out.print(escape(sentence), style=style, soft_wrap=True)


def table(columns: Iterable[str], rows: Iterable[Iterable[str]], *, empty: str, whole: int = 1) -> None:
    """Print a table, or a sentence when there is nothing in it. The first `whole` columns are never wrapped."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        drawn.add_column(name, overflow="fold", no_wrap=place < whole)  # an address that was cut short is of no use
    for row in rows:
        drawn.add_row(*(escape(cell) for cell in row))
    if drawn.row_count:
        out.print(drawn)
    else:
        say(empty)


def verb(command: Callable[P, None]) -> Callable[P, None]:
    """Make a command end as the contract says: a refusal is a sentence, or JSON, and exit code 1; never a traceback."""

    @wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("as_json"))
        try:
            _check_words([*args, *kwargs.values()])
            command(*args, **kwargs)
            sys.stdout.flush()
        except BadInput as bad:
            refuse(bad, as_json=as_json)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(REFUSED) from None
        except OSError as trouble:
            refuse(_from_the_system(trouble), as_json=as_json)

    return guarded


def _check_words(given: Iterable[object]) -> None:
    """Refuse what no file and no database could hold; the command line passes any bytes on."""
    for value in given:
        for word in value if isinstance(value, list) else [value]:
            if isinstance(word, (str, Path)) and _IS_NO_TEXT.search(str(word)):
                shown = str(word).encode("utf-8", "backslashreplace").decode()
                raise BadInput(f"{shown!r} is not UTF-8 text.", next_step="Type it again, or rename the file.")


_IS_NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")


def refuse(bad: BadInput, *, as_json: bool) -> None:
    """Say why not, and end with exit code 1."""
    if as_json:
        from outreach.doors import shapes  # start-up time

        print_json(shapes.error(bad))
    else:
        place = f"{bad.where}: " if bad.where else ""
        err.print(f"[red]✗[/red] {escape(place + bad.message)}", soft_wrap=True)
        if bad.next_step:
            err.print(f"  {escape(bad.next_step)}", soft_wrap=True)
    raise typer.Exit(REFUSED)


def _from_the_system(trouble: OSError) -> BadInput:
    where = str(trouble.filename) if trouble.filename else ""
    said = (trouble.strerror or type(trouble).__name__).lower()
    return BadInput(f"The system refused: {said}.", where=where, next_step="Check the disk and the permissions there.")


@contextmanager
def opened() -> Iterator[Any]:
    """Put the house together from the environment, and close it at the end."""
    from outreach.bootstrap import build, settings_from_environment  # start-up time: --help needs none of it
    from outreach.store import StoreTrouble, explained

    house = build(settings_from_environment())
    try:
        yield house
    except StoreTrouble as trouble:
        raise explained(trouble) from None
    finally:
        house.close()


def actor(given: str | None, house: Any) -> str | None:
    """Say who acts: the one named, or the one of the settings, or nobody in particular."""
    person: str = given or house.settings.OUTREACH_PERSON
    person = person.strip().lower()
    if person and not _ADDRESS.fullmatch(person):
        raise BadInput(
            f"{person!r} is no e-mail address.", where="--as", next_step="Write it such as name@example.org."
        )
    return person or None


_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
