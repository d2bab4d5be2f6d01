"""A process that has loaded the whole service and forks a worker for each order: a start costs milliseconds.

Orders come on standard input, one JSON line each. On standard output go `{"pid": N}` for each that was begun and
`{"ended": N, "status": S}` for each that ended. It has no threads, and it ends with its input, its children first.
"""

import gc
import importlib
import json
import os
import select
import signal
import sys
import tempfile
import traceback
from pathlib import Path

from tests.faults import points
from tests.faults.launcher import obey
from tests.faults.orders import Order

OURS = ("OUTREACH_", "FACEBOOK_", "LISTSERV_", "MAILMAN_", "SMTP_", "DKIM_", "IMAP_", "WATCHER_")
LOADED = (
    "outreach.doors.cli", "outreach.doors.worker", "outreach.doors.shapes", "outreach.doors.examination",
    "outreach.bootstrap", "outreach.channels.facebook_page", "outreach.channels.listserv",
    "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql.psycopg", "psycopg", "PIL.Image", "PIL.JpegImagePlugin",
    "markdown_it", "nh3", "css_inline", "encodings.idna",
)  # fmt: skip


def main() -> None:
    """Serve until the input ends."""
    _load()
    wake_in, wake_out = os.pipe()
    for end in (wake_in, wake_out):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake_out)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    alive: set[int] = set()
    rest = b""
    while True:
        ready, _, _ = select.select([0, wake_in], [], [])
        if wake_in in ready:
            os.read(wake_in, 4096)
            _reap(alive)
        if 0 in ready:
            data = os.read(0, 65536)
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                alive.add(_begin(Order.from_json(line.decode())))
    for pid in alive:
        os.kill(pid, signal.SIGKILL)


def _load() -> None:
    for name in LOADED:
        importlib.import_module(name)
    for point in points.POINTS.values():
        for seam in point:
            points.find(seam.function)
    with tempfile.TemporaryDirectory(prefix="outreach-zygote-") as folder:
        _warm_up(Path(folder))
    gc.collect()
    gc.freeze()


def _warm_up(folder: Path) -> None:
    """Queue one letter nowhere, so that no worker has to compile again what every worker needs."""
    from outreach.bootstrap import build
    from outreach.letter import parse
    from outreach.settings import read_settings

    given = {
        "OUTREACH_QUEUE": str(folder), "FACEBOOK_PAGE_ID": "1", "FACEBOOK_PAGE_TOKEN": "none", "SMTP_HOST": "127.0.0.1",
        "LISTSERV_ADDRESS": "list@example.org", "LISTSERV_SENDER": "me@example.org", "SMTP_SECURITY": "none",
    }  # fmt: skip
    house = build(read_settings(given))
    house.desk.add(parse("---\ntitle: Warm\nat: now\n---\nWords.\n"), folder=folder)
    house.close()


def _say(**said: int) -> None:
    os.write(1, json.dumps(said).encode() + b"\n")


def _reap(alive: set[int]) -> None:
    while alive:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        alive.discard(pid)
        _say(ended=pid, status=os.waitstatus_to_exitcode(status))


def _begin(order: Order) -> int:
    pid = os.fork()
    if pid:
        _say(pid=pid)
        return pid
    code = 70
    try:
        _settle_in(order)
        code = obey(order)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        if sys.exception() is not None:  # it says what it died of and goes, never back into the parent's loop
            traceback.print_exc()
        os._exit(code)


def _settle_in(order: Order) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(order.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for target, source in ((0, nothing), (1, log), (2, log)):
        os.dup2(source, target)
    Path(order.folder).mkdir(parents=True, exist_ok=True)
    os.chdir(order.folder)
    for name in [name for name in os.environ if name.startswith(OURS)]:
        del os.environ[name]
    os.environ.update(order.settings)


if __name__ == "__main__":
    main()
