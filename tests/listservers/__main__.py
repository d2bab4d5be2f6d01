"""`python -m tests.listservers [--only NAME,…] [--into DIR]`: play the story on real list servers, and ask real mail programs.

Prints what each mail was taken for. With `--into`, keeps the mails of each list server in a folder there, with an index.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from outreach.joining import RequestKind
from outreach.mail.recognising import meaning
from tests.listservers import dovecot, mailman, members, mlmmj, spamassassin, story, story_mlmmj, story_sympa, sympa
from tests.listservers.bed import Bed

_MOST_TEXT = 1000
PACKAGES = "apt-get install mlmmj sympa dovecot-imapd spamassassin, as root"


@dataclass(frozen=True)
class Row:
    """A line of what is printed."""

    case: str
    came: str
    taken: str
    expected: str
    reason: str
    is_right: bool


@dataclass(frozen=True)
class Player:
    """Something real to be asked: whether it is here, and what it does."""

    is_installed: Callable[[], bool]
    play: Callable[[Path | None], Iterator[Row]]


def _list_server(
    make: Callable[[], Bed], cases: Sequence[Callable[[Any], story.Told]]
) -> Callable[[Path | None], Iterator[Row]]:
    def play(folder: Path | None) -> Iterator[Row]:
        index: list[dict[str, object]] = []
        with make() as server:
            for told in story.told(server, cases):
                found = [meaning(raw, [told.sent]) for raw in told.mails]
                taken = sorted((str(each.verdict), str(each.basis)) for each in found)
                expected = sorted((str(verdict), basis) for verdict, basis in told.expected)
                reason = " / ".join(each.reason for each in found if each.reason)
                yield Row(told.case, str(len(found)), _shown(taken), _shown(expected), reason, taken == expected)
                index += [_kept(folder, told, number, raw) for number, raw in enumerate(told.mails, 1)]
        if folder:
            (folder / "index.json").write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n")

    return play


def _sympa(folder: Path | None) -> Iterator[Row]:
    yield from _list_server(sympa.Sympa, story_sympa.CASES)(folder)
    with sympa.Sympa() as server:
        for kind, told in zip(RequestKind, members.by_command(server), strict=True):
            is_done = [answer is not None and answer[0] for answer in told] == [True]
            words = " / ".join(answer[1] for answer in told if answer)
            yield Row(f"an owner's command: {kind}", str(len(told)), words, "done", "", is_done)


def _dovecot(_folder: Path | None) -> Iterator[Row]:
    for case, found, is_right in dovecot.checked():
        yield Row(case, "", found, "", "", is_right)


def _spamassassin(_folder: Path | None) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="outreach-spam-") as media:
        for kind, points, is_right in spamassassin.checked(Path(media)):
            yield Row(kind, "", points, f"below {spamassassin.MOST_POINTS:g}", "", is_right)


PLAYERS = {
    "mailman": Player(mailman.is_installed, _list_server(mailman.Mailman, story.CASES)),
    "mlmmj": Player(mlmmj.is_installed, _list_server(mlmmj.Mlmmj, story_mlmmj.CASES)),
    "sympa": Player(sympa.is_installed, _sympa),
    "dovecot": Player(dovecot.is_installed, _dovecot),
    "spamassassin": Player(spamassassin.is_installed, _spamassassin),
}


def main() -> int:
    """Play it; exit code 1 if something was not as it should be, or is not here though it was asked for by name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help=f"some of {', '.join(PLAYERS)}, with commas between")
    parser.add_argument("--into", type=Path, help="keep every mail in this folder, with an index")
    options = parser.parse_args()
    chosen = [name for name in options.only.split(",") if name]
    unknown = [name for name in chosen if name not in PLAYERS]
    if unknown:
        parser.error(f"there is no {unknown[0]}; there are {', '.join(PLAYERS)}")
    console, wrong = Console(width=200), 0
    for name in chosen or PLAYERS:
        if not PLAYERS[name].is_installed():
            console.print(f"{name}: not here, so it was not asked. It comes with: {PACKAGES}")
            wrong += bool(chosen)
            continue
        wrong += _played(console, name, options.into / name if options.into else None)
    return int(wrong > 0)


def _played(console: Console, name: str, folder: Path | None) -> int:
    began, drawn, wrong = time.monotonic(), Table(name, "came", "taken for", "expected", "reason", box=None), 0
    with console.status(f"asking {name} …"):
        for row in PLAYERS[name].play(folder):
            wrong += not row.is_right
            mark = "" if row.is_right else "WRONG: "
            drawn.add_row(f"{mark}{row.case}", row.came, row.taken, row.expected, row.reason)
    console.print(drawn, f"{name}: {drawn.row_count} cases, {time.monotonic() - began:.1f} s, {wrong} wrong\n")
    return wrong


def _shown(taken: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{verdict} ({basis})" for verdict, basis in taken) or "nothing"


def _kept(folder: Path | None, told: story.Told, number: int, raw: bytes) -> dict[str, object]:
    found = meaning(raw, [told.sent])
    file = f"{told.case}-{number}.eml"
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(raw)
    sent = {"message_id": told.sent.message_id, "list": told.sent.list_address, "subject": told.sent.subject}
    return {"file": file, "verdict": found.verdict, "basis": found.basis, **sent, "text": told.sent.text[:_MOST_TEXT]}


if __name__ == "__main__":
    sys.exit(main())
