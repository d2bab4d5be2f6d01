"""What can be played on a real server: the rows of the table that come of it, and the mails that are kept."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from outreach.mail.meaning import Meaning
from tests.listservers import (
    dovecot,
    dovecot_story,
    mailman,
    mailman_story,
    members,
    mlmmj,
    mlmmj_story,
    spamassassin,
    sympa,
    sympa_story,
)
from tests.listservers.server import ListServer
from tests.listservers.story import Row, Told

S = TypeVar("S", bound=ListServer)
_MOST_TEXT = 1000


@dataclass(frozen=True)
class Story:
    """What is played on one server. `missing` says in a sentence what to do where the server is not there, else nothing."""

    missing: Callable[[], str]
    rows: Callable[[Path | None], Iterator[Row]]


def _of_list(
    server: type[S], cases: Sequence[Callable[[S], Told]], members: Callable[[S], Iterator[Row]] | None = None
) -> Callable[[Path | None], Iterator[Row]]:
    def rows(corpus: Path | None) -> Iterator[Row]:
        every = []
        with server() as running:
            for case in cases:
                told = case(running)
                every.append(told)
                yield _row(told)
            yield from members(running) if members else ()
        if corpus is not None:
            keep(corpus / server.corpus, every)

    return rows


def _row(told: Told) -> Row:
    found = told.found()
    taken = ", ".join(f"{each.verdict} ({each.basis})" for each in found) or "nothing"
    expected = ", ".join(f"{verdict} ({basis})" for verdict, basis in told.expected) or "nothing"
    note = " / ".join(each.reason for each in found if each.reason)
    return Row(told.case, len(found), taken, expected, note, told.is_right())


def keep(folder: Path, every: Sequence[Told]) -> None:
    """Write the mails into a folder, with an index that says what each was taken for."""
    folder.mkdir(parents=True, exist_ok=True)
    index = []
    for told in every:
        for number, (raw, means) in enumerate(zip(told.mails, told.found(), strict=True), 1):
            file = f"{told.case}-{number}.eml"
            (folder / file).write_bytes(raw)
            index.append(_entry(file, told, means))
    (folder / "index.json").write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n")


def _entry(file: str, told: Told, means: Meaning) -> dict[str, object]:
    sent = {"message_id": told.sent.message_id, "list": told.sent.list_address, "subject": told.sent.subject}
    return {
        "file": file,
        "verdict": means.verdict,
        "basis": means.basis,
        **sent,
        "text": told.sent.text[:_MOST_TEXT],
    }


STORIES = {
    "mailman": Story(mailman.missing, _of_list(mailman.Mailman, mailman_story.CASES, members.by_rest)),
    "mlmmj": Story(mlmmj.missing, _of_list(mlmmj.Mlmmj, mlmmj_story.CASES, members.by_themselves)),
    "sympa": Story(sympa.missing, _of_list(sympa.Sympa, sympa_story.CASES, members.by_command)),
    "dovecot": Story(dovecot.missing, lambda _: dovecot_story.rows()),
    "spamassassin": Story(spamassassin.missing, lambda _: spamassassin.rows()),
}
"""By the name that `--only` takes, in the order in which they are played."""
