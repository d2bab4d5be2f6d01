"""The demo: sandbox, worker, page and seed announcements in one process, in a folder that is gone afterwards."""

import secrets
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from outreach import when
from outreach.bootstrap import House, build
from outreach.doors.layout import lay_out
from outreach.doors.letterfile import read_letter
from outreach.doors.web import create
from outreach.doors.web.serving import open_port, served
from outreach.doors.worker import Worker, stopping_on_signals
from outreach.model import Post, State
from outreach.sandbox import Sandbox
from outreach.settings import Settings, read_settings
from outreach.store.posts import HistoryFilter

_FIRST_DUE_S = 2
_HELD = "Come and talk with us: the TMM SIG has a listserv"
_APART_S = 2
_MOST_S = 60.0
_STYLES = {State.PUBLISHED: "green", State.QUEUED: "cyan", State.PUBLISHING: "yellow"}


@dataclass(frozen=True, slots=True)
class Done:
    """What the demo saw: states as the store has them, posts and mails as the sandbox counted them."""

    published: int
    failed: int
    unconfirmed: int
    page_posts: int
    list_mails: int
    seconds: float

    def shape(self) -> dict[str, Any]:
        """Lay it out as JSON."""
        return {
            "published": self.published,
            "failed": self.failed,
            "unconfirmed": self.unconfirmed,
            "page_posts": self.page_posts,
            "list_mails": self.list_mails,
            "seconds": round(self.seconds, 2),
        }

    def is_good(self) -> bool:
        """Tell whether everything that is published was seen, once, and nothing else."""
        return not (self.failed or self.unconfirmed) and self.published == self.page_posts + self.list_mails


class _Stop:
    """Ctrl-C, whether the worker is there already or not."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def ask_to_stop(self) -> None:
        self._asked.set()

    def wait(self, timeout_s: float) -> bool:
        return self._asked.wait(timeout_s)


def run(*, exit_when_idle: bool, screen: Console | None) -> Done:
    """Run the demo; without `exit_when_idle` until Ctrl-C. `screen` None is silent."""
    began = time.monotonic()
    stop = _Stop()
    with (
        stopping_on_signals(stop),
        tempfile.TemporaryDirectory(prefix="outreach-demo-") as folder,
        Sandbox(pages=2) as sandbox,
    ):
        queue = Path(folder) / "queue"
        lay_out(queue)
        port = open_port()
        house = build(_settings(queue, sandbox, port.getsockname()[1]))
        sandbox.graph.rules.redirect_uris = {house.connecting.redirect_uri}
        worker = Worker(house)
        if not exit_when_idle:
            _hold_one(sandbox)
        sandbox.mail.open_to_everybody()  # whoever is invited or told gets a mail, which can be read there
        elsewhere = {
            "the Page": sandbox.page_url,
            "the list's archive": sandbox.archive_url,
            "people's mail": sandbox.mailboxes_url,
        }
        with served(create(house, links=elsewhere), on=port) as address:
            worker.start()
            _queue_seeds(house, queue / "seed")
            begin = f"{address}/links/{house.access.first_admin_link()}"
            with _shown(house, {"begin here (once)": begin, "the page": address} | elsewhere, screen) as show:
                _wait(house, stop, show, exit_when_idle=exit_when_idle)
            worker.stop()
        done = _done(house, sandbox, time.monotonic() - began)
        house.close()
    if screen is not None:
        screen.print(
            f"\nThe Page shows {_count(done.page_posts, 'post')}, the list got {_count(done.list_mails, 'mail')}."
        )
    return done


def _settings(queue: Path, sandbox: Sandbox, port: int) -> Settings:
    return read_settings(
        {
            "OUTREACH_QUEUE": str(queue),
            "OUTREACH_BASE_URL": f"http://127.0.0.1:{port}",
            "OUTREACH_SECRET_KEY": secrets.token_hex(32),
            "FACEBOOK_GRAPH_URL": sandbox.graph_url,
            "FACEBOOK_PAGE_ID": sandbox.page_id,
            "FACEBOOK_PAGE_TOKEN": sandbox.page_token,
            "FACEBOOK_APP_ID": sandbox.app_id,
            "FACEBOOK_APP_SECRET": sandbox.app_secret,
            "LISTSERV_ADDRESS": sandbox.list_address,
            "LISTSERV_SENDER": f"TMM SIG coordinators <{sandbox.member}>",
            "LISTSERV_JOINING": "both",
            "OUTREACH_WEEKLY_MAIL": "Friday 09:00",
            "SMTP_HOST": sandbox.smtp_host,
            "SMTP_PORT": str(sandbox.smtp_port),
            "SMTP_SECURITY": "none",
            "IMAP_HOST": sandbox.smtp_host,
            "IMAP_PORT": str(sandbox.imap_port),
            "IMAP_SECURITY": "none",
            "IMAP_USERNAME": sandbox.member,
            "IMAP_PASSWORD": sandbox.mailbox_password,
        }
    )


def _hold_one(sandbox: Sandbox) -> None:
    """Let the list hold one of the mails, and ask the coordinator as its moderator: it is let through from the page."""
    mail_list = sandbox.mail.lists[sandbox.list_address]
    mail_list.moderators = {sandbox.member}
    mail_list.looked_at_first = {_HELD}


def _queue_seeds(house: House, folder: Path) -> None:
    """Queue the seed letters, due within seconds of each other, at whole seconds as a person would write them."""
    first = house.clock.now().replace(microsecond=0) + timedelta(seconds=_FIRST_DUE_S)
    for place, file in enumerate(sorted(folder.glob("*.md"))):
        at = (first + timedelta(seconds=place * _APART_S)).isoformat()
        house.desk.add(replace(read_letter(file), at=at), folder=folder)


def _wait(house: House, stop: _Stop, show: Any, *, exit_when_idle: bool) -> None:
    until = time.monotonic() + _MOST_S
    while not stop.wait(0.1):
        show()
        if exit_when_idle and (_is_idle(house) or time.monotonic() > until):
            return


def _is_idle(house: House) -> bool:
    return all(post.state not in (State.QUEUED, State.PUBLISHING) for post in house.desk.queue())


def _all_posts(house: House) -> list[Post]:
    found = {post.id: post for post in (*house.desk.history(HistoryFilter(limit=None)), *house.desk.queue())}
    return [found[number] for number in sorted(found)]


def _done(house: House, sandbox: Sandbox, seconds: float) -> Done:
    states = [post.state for post in _all_posts(house)]
    return Done(
        published=states.count(State.PUBLISHED),
        failed=states.count(State.FAILED),
        unconfirmed=states.count(State.UNCONFIRMED),
        page_posts=len(sandbox.graph.public_posts()),
        list_mails=len(sandbox.mail.distributed()),
        seconds=seconds,
    )


@contextmanager
def _shown(house: House, addresses: dict[str, str], screen: Console | None) -> Iterator[Any]:
    if screen is None:
        yield lambda: None
        return
    screen.print("[bold]Outreach on its sandbox.[/bold] Nothing leaves this machine. Open while it runs:")
    for name, address in addresses.items():
        screen.print(f"  {name:<20}{address}", soft_wrap=True)
    screen.print("  The list holds one mail for you as its moderator: open it on the page and let it through.")
    screen.print("  Try Channels, Connect a Page: the log-in of the sandbox looks like Facebook's.")
    screen.print("  end with Ctrl-C\n")
    with Live(_drawn(house), console=screen, refresh_per_second=8, transient=False) as live:
        yield lambda: live.update(_drawn(house))
        live.update(_drawn(house))


def _drawn(house: House) -> Table:
    drawn = Table("post", "state", "due", "title", box=None, pad_edge=False)
    for post in _all_posts(house):
        due = when.show(post.planned_at, post.time_zone)
        drawn.add_row(post.name, f"[{_STYLES.get(post.state, 'red')}]{post.state}[/]", due, escape(post.title))
    states = [post.state for post in _all_posts(house)]
    drawn.caption = f"{states.count(State.PUBLISHED)} of {len(states)} published"
    return drawn


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
