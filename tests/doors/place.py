"""A queue folder of its own, set up for a sandbox, and every door into it."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from typer.testing import CliRunner

from outreach.bootstrap import House, build
from outreach.doors.cli import app
from outreach.model import Post
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from outreach.store.posts import HistoryFilter
from tests.tokens_left import without_tokens

OURS = ("OUTREACH_", "FACEBOOK_", "LISTSERV_", "MAILMAN_", "SMTP_", "DKIM_", "IMAP_", "WATCHER_")
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """What a refusal with `--json` says."""
        error: dict[str, Any] = self.json["error"]
        return error


class Place:
    """One install: a queue folder, its settings, and the sandbox behind it."""

    def __init__(self, folder: Path, box: Sandbox | None, *, database: Path | None = None, **settings: str) -> None:
        self.folder = folder
        self.queue = folder / "queue"
        self.queue.mkdir(parents=True, exist_ok=True)
        if database is not None:
            shutil.copyfile(database, self.queue / "outreach.db")
        self.settings = {"OUTREACH_QUEUE": str(self.queue), "OUTREACH_HTTP_TIMEOUT_S": "5"}
        self.settings |= (settings_for(box) if box else {}) | settings

    # Doors

    def cli(self, *words: str) -> Answer:
        """Run a command in this process."""
        before = os.getcwd()
        os.chdir(self.folder)
        try:
            result = CliRunner().invoke(app, list(words), env=self.settings, prog_name="outreach")
        finally:
            os.chdir(before)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, without_tokens(result.stdout), without_tokens(result.stderr))

    def json(self, *words: str) -> Any:
        """Run a command in this process that has to succeed, and give what it says as JSON."""
        answer = self.cli(*words, "--json")
        assert answer.code == 0, answer
        return answer.json

    def run(self, *words: str | bytes, timeout_s: float = PATIENCE_S) -> Answer:
        """Run a command as a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "outreach", *words],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        """Begin a command as a process of its own."""
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "outreach", *words],
                cwd=self.folder,
                env=self.environment(),
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def environment(self) -> dict[str, str]:
        around = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        return around | self.settings

    @property
    def log(self) -> str:
        """What the processes begun here logged."""
        return (self.folder / "log").read_text()

    def house(self, **settings: str) -> House:
        """Put the house together in this process; close it afterwards."""
        return build(read_settings(self.settings | settings))

    # Letters

    def letter(self, name: str = "letter.md", **parts: str) -> str:
        """Write a letter and give its path."""
        file = self.folder / name
        file.write_text(a_letter(**parts))
        return str(file)

    def drop(self, name: str = "letter.md", **parts: str) -> Path:
        """Drop a letter into the inbox, whole or not at all."""
        inbox = self.queue / "inbox"
        inbox.mkdir(exist_ok=True)
        (inbox / f"{name}.tmp").write_text(a_letter(**parts))
        return (inbox / f"{name}.tmp").rename(inbox / name)

    def inside(self, folder: str) -> list[str]:
        """The names of the files in a folder of the queue."""
        return sorted(file.name for file in (self.queue / folder).iterdir())

    # Looking

    def posts(self) -> dict[str, Post]:
        """Every post by its name, as the database has it now."""
        house = self.house()
        try:
            found = [*house.desk.queue(), *house.desk.history(HistoryFilter(limit=None))]
        finally:
            house.close()
        return {post.name: post for post in found}

    def states(self) -> dict[str, str]:
        """The state of every post by its name."""
        return {name: str(post.state) for name, post in self.posts().items()}


def settings_for(box: Sandbox) -> dict[str, str]:
    """What connects an install with a sandbox."""
    return {
        "FACEBOOK_GRAPH_URL": box.graph_url,
        "FACEBOOK_PAGE_ID": box.page_id,
        "FACEBOOK_PAGE_TOKEN": box.page_token,
        "FACEBOOK_APP_SECRET": box.app_secret,
        "LISTSERV_ADDRESS": box.list_address,
        "LISTSERV_SENDER": f"TMM SIG <{box.member}>",
        "SMTP_HOST": box.smtp_host,
        "SMTP_PORT": str(box.smtp_port),
        "SMTP_SECURITY": "none",
    }


def a_letter(
    *, title: str = "Colloquium on Tuesday", body: str = "Please come to room 7.", at: str = "now", **more: str
) -> str:
    """A letter. What is empty is left out; `more` are further lines of the front matter."""
    head = {"title": title, "at": at, **more}
    lines = [f"{name.replace('_', ' ')}: {value}" for name, value in head.items() if value]
    return "\n".join(["---", *lines, "---", body, ""])


def a_picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48), mode: str = "RGB") -> bytes:
    """The bytes of a small picture."""
    out = BytesIO()
    Image.new(mode, size).save(out, kind)
    return out.getvalue()


def until(is_so: Callable[[], bool], *, within_s: float = PATIENCE_S) -> None:
    """Wait until something is so; fail when it does not come."""
    deadline, pause = time.monotonic() + within_s, threading.Event()
    while not is_so():
        assert time.monotonic() < deadline, "it did not come in time"
        pause.wait(0.02)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process that a test began, whatever state it is in."""
    process.kill()
    process.wait()
