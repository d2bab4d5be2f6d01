"""Sweeps: one thing the service does, killed at every single line it executes in some modules, one run for each line.

A sweep is data: its command, the modules whose lines count, what is to be there before, and what has to be so at last.
To take up another path, add a `Sweep` to `SWEEPS`.
"""

import random
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from outreach.model import State
from tests.faults.cases import Scenario, Stage
from tests.faults.ground import Ground

WORK = ("worker", "--once")


def _nothing(_: Ground) -> None:
    """Prepare nothing, or ask for no more."""


@dataclass(frozen=True)
class Sweep:
    """What is killed, line by line. `again` is run once after the kill, as whoever saw it die would do."""

    number: int
    name: str
    modules: tuple[str, ...]
    words: tuple[str, ...] = WORK
    prepare: Callable[[Ground], None] = _nothing
    again: bool = False
    at_last: Callable[[Ground], None] = _nothing
    settings: dict[str, str] = field(default_factory=dict)

    def scenario(self, line: int) -> Scenario:
        """The run that dies at one line."""
        return Scenario(f"line {line}", partial(self._play, line), self.settings, at_last=self.at_last)

    def _play(self, line: int, ground: Ground) -> None:
        self.prepare(ground)
        status = ground.run(*self.words, modules=self.modules, line=line)
        ground.expect(status in (0, -signal.SIGKILL), f"it ended with {status}")
        if self.again:
            ground.run(*self.words)

    def count(self, stage: Stage) -> int:
        """Run it once unharmed, and count the lines."""
        with stage.ground(self.scenario(0)) as ground:
            self.prepare(ground)
            counted = ground.folder / "lines"
            ground.run(*self.words, modules=self.modules, count_to=str(counted))
            return int(counted.read_text())


def lines_of(total: int, sample: int | None, chance: random.Random) -> list[int]:
    """Choose the lines to die at: all, or a sample."""
    every = range(1, total + 1)
    return list(every) if sample is None or sample >= total else sorted(chance.sample(every, sample))


# What is there before, and what has to be so at last


def _a_letter_on_both(ground: Ground) -> None:
    ground.write("Alpha", to="", pictures=1)


def _a_text_and_a_mail(ground: Ground) -> None:
    ground.write("Alpha", to="")
    ground.once(point="before-claim")


def _taken_once(ground: Ground) -> None:
    posts = ground.posts()
    ground.expect(len({post.announcement for post in posts}) == 1, f"{len(posts)} posts of one letter")
    where = {name: ground.inside(name) for name in ("inbox", "accepted", "rejected")}
    ground.expect(where == {"inbox": [], "accepted": ["alpha.md"], "rejected": []}, f"the letter is in {where}")
    _out_once(ground)


def _out_once(ground: Ground) -> None:
    copies = ground.copies("Alpha", "facebook"), ground.copies("Alpha", "listserv")
    ground.expect(copies == (1, 1), f"{copies[0]} posts and {copies[1]} mails are out")


def _in_doubt(arrived: bool, ground: Ground) -> None:
    ground.write("Alpha")
    ground.box.graph.fail("feed", "close", write=arrived)
    ground.killed_at("after-answer")
    if not arrived:
        ground.once()
        ground.let_pass(1.1)


def _on_the_page_once(ground: Ground) -> None:
    copies = ground.copies("Alpha", "facebook")
    ground.expect(copies == 1, f"it is out {copies} times")


def _planned(ground: Ground) -> None:
    ground.write("Alpha", to="", at=f"{ground.now() + timedelta(days=30):%Y-%m-%d %H:%M}", zone="UTC")
    ground.once()


def _to_be_handed_over(ground: Ground) -> None:
    ground.write("Alpha", at=f"{ground.now() + timedelta(minutes=40):%Y-%m-%d %H:%M}", zone="UTC")


def _handed_over(ground: Ground) -> None:
    _to_be_handed_over(ground)
    ground.once()
    ground.expect(ground.post("Alpha").handed_over, "it was not handed over")


def _out_there(ground: Ground) -> None:
    _handed_over(ground)
    ground.let_pass(42 * 60)


def _cancelled_and_not_out(ground: Ground) -> None:
    _cancelled(ground)
    ground.let_pass(60 * 60)
    ground.once()
    ground.expect(ground.copies("Alpha", "facebook") == 0, "what was cancelled is out")


def _cancelled(ground: Ground) -> None:
    states = {post.state for post in ground.posts()}
    ground.expect(states == {State.CANCELLED}, f"cancelled twice, they are {sorted(states)}")


def _failed(ground: Ground) -> None:
    ground.box.graph.fail_with("100")
    ground.box.mail.fail("MAIL", "550")
    ground.write("Alpha", to="")
    ground.once()


def _unapproved(ground: Ground) -> None:
    ground.write("Alpha", to="")
    ground.once()
    ground.expect(not ground.post("Alpha").approved, "it is approved before anybody approved it")


def _out_since_a_backup(ground: Ground) -> None:
    _a_text_and_a_mail(ground)
    ground.expect(ground.run("backup", KEPT_BACKUP, "--json") == 0, "no backup could be made")
    ground.once()
    _out_once(ground)


def _backed_up(ground: Ground) -> None:
    """Whatever the kill left, a backup that has its name is whole, and one can be made."""
    ground.expect(ground.run("backup", KEPT_BACKUP, "--force", "--json") == 0, "no backup can be made any more")
    ground.expect(ground.run("restore", KEPT_BACKUP, "--json") == 0, "what was made cannot be put back")


def _nothing_twice_after_it(ground: Ground) -> None:
    """Before it or after it: a restored one sends nothing until a person says so, and what was due then is asked about."""
    ground.run("safe-mode", "off", "--json")
    ground.once()
    for channel in ("facebook", "listserv"):
        ground.expect(ground.copies("Alpha", channel) <= 1, f"it is out more than once on {channel}")


KEPT_BACKUP = "kept.zip"
_COPIES = ("outreach.store.copies", "outreach.store.archive", "outreach.store.backup")
_STORE = ("outreach.store.moves", "outreach.store.announcements")
_AHEAD = ("outreach.watch.handing_over", "outreach.store.handovers", "outreach.channels._page_plans")
_HANDS_OVER = {"FACEBOOK_HAND_OVER_DAYS": "28"}
SWEEPS = (
    Sweep(
        90,
        "the inbox takes a letter",
        ("outreach.doors.inbox", "outreach.doors.letterfile", "outreach.desk.queueing", "outreach.store.announcements"),
        prepare=_a_letter_on_both,
        at_last=_taken_once,
    ),
    Sweep(
        91,
        "a text and a mail are published",
        ("outreach.publisher", "outreach.store.claims", "outreach.store.moves"),
        prepare=_a_text_and_a_mail,
        at_last=_out_once,
    ),
    *(
        Sweep(
            number,
            f"one in doubt is looked for, and {'there' if arrived else 'not there'}",
            ("outreach.watch", "outreach.watch.doubts", "outreach.store.moves", "outreach.store.history"),
            prepare=partial(_in_doubt, arrived),
            at_last=_on_the_page_once,
        )
        for number, arrived in ((92, True), (93, False))
    ),
    Sweep(94, "posts are cancelled", ("outreach.desk.acting", *_STORE), ("cancel", "1", "--json"), _planned, True, _cancelled),
    Sweep(95, "posts are requeued", ("outreach.desk.acting", *_STORE), ("requeue", "1", "--json"), _failed, True, _out_once),
    Sweep(
        96,
        "an announcement is approved",
        ("outreach.desk.acting", *_STORE),
        ("approve", "1", "--as", "chair@example.org", "--json"),
        _unapproved,
        True,
        _out_once,
        {"OUTREACH_APPROVAL": "required"},
    ),
    Sweep(97, "a backup is made", _COPIES, ("backup", KEPT_BACKUP, "--json"), _a_text_and_a_mail, False, _backed_up),
    Sweep(
        98,
        "a backup is put back",
        ("outreach.store.restore", "outreach.store.swap", "outreach.store.aftermath", "outreach.store.home"),
        ("restore", KEPT_BACKUP, "--json"),
        _out_since_a_backup,
        True,
        _nothing_twice_after_it,
    ),
    Sweep(100, "a post is handed over", _AHEAD, WORK, _to_be_handed_over, False, _on_the_page_once, _HANDS_OVER),
    Sweep(101, "what was handed over is out", _AHEAD, WORK, _out_there, False, _on_the_page_once, _HANDS_OVER),
    Sweep(
        102,
        "what was handed over is cancelled",
        _AHEAD,
        ("cancel", "1", "--json"),
        _handed_over,
        True,
        _cancelled_and_not_out,
        _HANDS_OVER,
    ),
)  # fmt: skip
