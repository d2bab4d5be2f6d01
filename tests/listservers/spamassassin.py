"""What a real SpamAssassin, which asks no network, thinks of the mails that the service writes."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from outreach.mail.message import with_date
from tests.channels.builders import a_list, a_picture, a_wording
from tests.listservers.story import COORDINATOR, Row

MOST = 1.0
"""A mail at 5.0 is spam; a list server's own marks and a list's footer come on top of ours."""

_NEEDS_S = 60.0
_AT_A_TIME = 2
_SETTINGS = (
    "use_bayes 0",
    "dns_available no",
    "report_safe 0",
    "clear_trusted_networks",
    "trusted_networks 127.0.0.2",  # so that the servers on the way are not trusted, as they are not in the world
    "add_header all Tally _SCORE_ _TESTSSCORES( )_",
)
_TALLY = re.compile(r"(?m)^X-Spam-Tally: (-?[0-9.]+)((?:[ \t]|\r?\n[ \t])?[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)")
_WORDS = (
    "We meet on Friday at two in room 7 of the main building. The talk is about what a universe of many branches "
    "would mean for how we count what we see, and where such counting has gone wrong before. "
)
_HOP = (
    "Return-Path: <{sender}>\r\n"
    "Received: from mail.example.org (mail.example.org [10.9.8.25])\r\n"
    "\tby mx.example.net (Postfix) with ESMTPS id 4A1B2C3D4E\r\n"
    "\tfor <member@example.net>; {date}\r\n"
    "Received: from desk.example.org (desk.example.org [10.9.8.7])\r\n"
    "\tby mail.example.org (Postfix) with ESMTPSA id 5F6A7B8C9D; {date}\r\n"
)


def missing() -> str:
    """Say what to do where there is no SpamAssassin to be run; nothing where there is."""
    is_there = shutil.which("spamassassin") is not None
    return (
        ""
        if is_there
        else "There is no SpamAssassin: on Debian run python -m tests.listservers.fetch spamassassin as root."
    )


@dataclass(frozen=True)
class Letter:
    """One mail to be judged: what is written, and how many pictures are in it."""

    name: str
    title: str
    body: str
    link: str | None = None
    pictures: int = 0


LETTERS = (
    Letter("short", "Poster session", "Join us on *Friday*."),
    Letter("one word", "Colloquium", "Tomorrow."),
    Letter("letters of Europe", "Über Größen: naïve Façade – Vortrag", f"Grüße. {_WORDS}"),
    Letter("letters of Asia", "多元宇宙の研究会 – 金曜日", "金曜日の午後二時に七号室で集まります。"),
    Letter("right to left", "ندوة يوم الجمعة", "نلتقي يوم الجمعة في الغرفة 7."),
    Letter("signs", "🚀 Launch of the series 🎉", _WORDS),
    Letter(
        "long", "The programme of the year", "\n\n".join(f"## Week {week}\n\n{_WORDS * 4}" for week in range(1, 30))
    ),
    Letter("one link", "Registration", _WORDS, link="https://example.org/register?year=2026"),
    Letter(
        "many links",
        "All talks",
        "\n".join(f"- [Talk {n}](https://example.org/talks/{n}): {_WORDS}" for n in range(40)),
    ),
    Letter(
        "bare links",
        "Where to look",
        "\n".join(f"- <https://example.org/{n}/a-long-path-to-a-page>" for n in range(40)),
    ),
    Letter("a picture", "The poster", _WORDS, pictures=1),
    Letter("nearly only pictures", "The posters", "See below.", link="https://example.org/p", pictures=3),
    Letter(
        "shouting", "FREE ADMISSION!!! REGISTER NOW", "DO NOT MISS IT!!! CLICK THE LINK", link="https://example.org/r"
    ),
)


def rows() -> Iterator[Row]:
    """Judge every letter, as it leaves and as a member's mail server gets it."""
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        yield from pool.map(_judged, LETTERS)


def _judged(letter: Letter) -> Row:
    sent = written(letter)
    judged = [judge(sent), judge(_on_its_way(sent))]
    worst = max(score for score, _ in judged)
    rules = dict.fromkeys(rule for _, hits in judged for rule in hits)
    return Row(letter.name, len(judged), f"{worst:.1f}", f"below {MOST:.1f}", " ".join(rules), worst < MOST)


def written(letter: Letter) -> bytes:
    """Render a mail as the service does, and date it as it is when it leaves."""
    with tempfile.TemporaryDirectory() as folder:
        pictures = tuple(a_picture(Path(folder), seed=n, side=200) for n in range(letter.pictures))
        channel = a_list(1, Path(folder), max_bytes=400 * 1024)
        wording = a_wording(title=letter.title, body=letter.body, link=letter.link, pictures=pictures)
        content = channel.render(wording)
    return with_date((content.message or "").encode("ascii"), datetime.now(UTC))


def _on_its_way(raw: bytes) -> bytes:
    return _HOP.format(sender=COORDINATOR, date=format_datetime(datetime.now(UTC))).encode() + raw


def judge(raw: bytes) -> tuple[float, list[str]]:
    """Give the score of a mail and the rules that it fell under, each with its part of the score."""
    with tempfile.TemporaryDirectory(prefix="outreach-spam-") as home:
        (Path(home) / "prefs").touch()
        command = ["spamassassin", "--local", f"--prefspath={home}/prefs", *(f"--cf={each}" for each in _SETTINGS)]
        done = subprocess.run(command, input=raw, capture_output=True, timeout=_NEEDS_S, env={"HOME": home, **_PATH})
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    found = _TALLY.search(done.stdout.decode("utf-8", "replace"))
    assert found is not None, done.stdout[:2000]
    return float(found[1]), found[2].split()


_PATH = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
