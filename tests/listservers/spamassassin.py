"""A real SpamAssassin, by its own rules alone and without asking the network: what it thinks of our mails."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from outreach.mail.message import with_date
from outreach.model import Wording
from tests.channels.builders import a_list, a_wording

MOST_POINTS = 1.0
"""A mail of ours stays below: five points make one spam by default, and a provider adds its own."""

_LINKS = "\n\n".join(f"- [Session {n}](https://example.org/sessions/{n})" for n in range(1, 25))
_KINDS: dict[str, Wording] = {
    "a short text": a_wording(title="Colloquium on Friday", body="Please come to room 7 on *Friday* at 5 pm."),
    "other letters": a_wording(
        title="Kolloquium über Ωmega: Zoë spricht", body="Liebe Kolleginnen,\n\nkommt in Raum 7."
    ),
    "a long text": a_wording(title="Call for abstracts", body="We invite abstracts for the poster session. " * 200),
    "many links": a_wording(title="The programme is out", body=f"All sessions:\n\n{_LINKS}"),
    "a deadline": a_wording(
        title="Last day for abstracts: 15 January", body="**Only three days are left!** Hand in by 15 January."
    ),
    "a table of dates": a_wording(
        title="Dates of the spring", body="| what | when |\n|---|---|\n| Colloquium | 3 March |\n"
    ),
}
_SCORE = re.compile(r"X-Spam-Status: \S+ score=(-?[\d.]+) .*?tests=(.*?)\s+autolearn", re.DOTALL)


def is_installed() -> bool:
    """Tell whether there is a SpamAssassin to be run."""
    return shutil.which("spamassassin") is not None


def checked(folder: Path) -> Iterator[tuple[str, str, bool]]:
    """Give each kind of mail, its points with the rules that gave them, and whether they are few enough."""
    for kind, wording in _KINDS.items():
        content = a_list(1, folder).render(wording)
        raw = with_date((content.message or "").encode("ascii"), datetime.now(UTC))
        points, rules = _judged(raw)
        yield kind, f"{points:+.1f} points: {rules}", points < MOST_POINTS


def _judged(raw: bytes) -> tuple[float, str]:
    command = ["spamassassin", "--local", "--cf=dns_available no", "--cf=use_bayes 0"]
    done = subprocess.run(command, input=raw, capture_output=True, timeout=120, check=True)
    found = _SCORE.search(done.stdout.decode("utf-8", "replace"))
    assert found is not None, done.stdout[:1000]
    return float(found[1]), "".join(found[2].split())
