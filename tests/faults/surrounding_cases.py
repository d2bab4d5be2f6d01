"""Disks that are full or failing, files that are locked, damaged, moved or too new."""

import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.faults.cases import Case, Scenario
from tests.faults.children import ROOT
from tests.faults.ground import Ground

HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
held.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def _small_disk(ground: Ground) -> Iterator[Path | None]:
    """Move the database to a disk of one megabyte; None where only root could make one."""
    disk = ground.folder / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True, check=False)
    if made.returncode:
        yield None
        return
    home = ground.file
    try:
        ground.file = Path(shutil.move(home, disk / "outreach.db"))
        ground.settings["OUTREACH_DATABASE_URL"] = f"sqlite:///{ground.file}"
        yield disk
    finally:
        with sqlite3.connect(ground.file) as old, sqlite3.connect(home) as new:
            old.backup(new)
        old.close()
        new.close()
        ground.file = home
        del ground.settings["OUTREACH_DATABASE_URL"]
        subprocess.run(["umount", "--lazy", disk], check=True)


def _fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(b"x" * 4096)
        except OSError:
            return filler


def _full_before_the_intent(ground: Ground) -> None:
    with _small_disk(ground) as disk:
        if disk is None:
            return
        ground.write("Alpha", to="")
        ground.once(point="before-claim")
        filler = _fill(disk)
        ground.once()
        filler.unlink()


def _full_after_the_send(ground: Ground) -> None:
    with _small_disk(ground) as disk:
        if disk is None:
            return
        ground.write("Alpha")
        ground.box.graph.fail("feed", "delay", seconds=0.7)
        worker = ground.begin("worker", "--once")
        ground.until_public("Alpha")
        filler = _fill(disk)
        worker.wait()
        filler.unlink()


def _read_only(ground: Ground) -> None:
    with _small_disk(ground) as disk:
        if disk is None:
            return
        ground.write("Alpha")
        ground.once(point="before-claim")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        status = ground.once()
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        ground.expect(status == 1, f"on a disk that cannot be written it ended with {status}")
        ground.expect(ground.copies("Alpha", "facebook") == 0, "it sent without writing that down first")


def _at_sync(what: str, nth: int, ground: Ground) -> None:
    """Let the n-th sync of the disk fail, or kill the worker in it."""
    if shutil.which("strace") is None:
        return
    ground.write("Alpha", to="")
    rule = f"inject=fdatasync:{what}:when={nth}{'+' if what.startswith('error') else ''}"
    words = ["strace", "-f", "-qq", "-e", "trace=fdatasync", "-e", rule, "-o", "/dev/null"]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)} | ground.settings
    with ground.log.open("ab") as log:
        subprocess.run(
            [*words, sys.executable, "-m", "outreach", "worker", "--once"],
            cwd=ground.folder, env=environment, stdout=log, stderr=log, timeout=60, check=False,
        )  # fmt: skip


@contextmanager
def _held(file: Path) -> Iterator[None]:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdin is not None
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        yield
    finally:
        holder.stdin.close()
        holder.wait(20)
        holder.stdout.close()


def _locked(seconds: float, ground: Ground) -> None:
    ground.write("Alpha")
    ground.write("Omega")
    ground.box.graph.fail("feed", "delay", seconds=0.5)
    worker = ground.begin("worker", "--once")
    ground.until_public("Alpha")
    with _held(ground.file):
        threading.Event().wait(seconds)
        ground.expect(ground.copies("Omega", "facebook") == 0, "it sent without writing that down first")
    worker.wait()


def _moved_away(ground: Ground) -> None:
    """The file is moved away under a running worker, and back when that has been ended."""
    ground.write("Before")
    worker = ground.begin()
    ground.until_public("Before")
    aside = ground.folder / "aside"
    aside.mkdir()
    names = [ground.file.name + suffix for suffix in ("", "-wal", "-shm")]
    for name in names:
        if (ground.queue / name).exists():
            (ground.queue / name).rename(aside / name)
    ground.write("Meanwhile")
    threading.Event().wait(2.5)
    worker.kill()
    for name in names:
        (ground.queue / name).unlink(missing_ok=True)
        if (aside / name).exists():
            (aside / name).rename(ground.queue / name)


def _damaged(how: str, ground: Ground) -> None:
    ground.write("Alpha")
    ground.once(point="before-claim")
    with sqlite3.connect(ground.file) as whole:
        whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole.close()
    kept = ground.file.read_bytes()
    if how == "a corrupt page":
        ground.file.write_bytes(kept[:4096] + b"\xff" * (len(kept) - 4096))
    elif how == "not a database":
        ground.file.write_bytes(b"something else entirely" * 200)
    else:
        with sqlite3.connect(ground.file) as newer:
            newer.execute("PRAGMA user_version=99")
        newer.close()
    before = ground.file.read_bytes()
    status = ground.once()
    ground.expect(status == 1, f"with {how} it ended with {status}")
    ground.expect(ground.copies("Alpha", "facebook") == 0, f"with {how} it published")
    ground.expect(ground.file.read_bytes() == before, f"with {how} it wrote into the file")
    for suffix in ("-wal", "-shm"):
        ground.file.with_name(ground.file.name + suffix).unlink(missing_ok=True)
    ground.file.write_bytes(kept)


def _torn_log(ground: Ground) -> None:
    """The last frame of the log, the intent's, did not reach the disk whole: nothing was sent on it."""
    ground.write("Alpha", to="")
    ground.killed_at("after-intent")
    log = ground.file.with_name(ground.file.name + "-wal")
    if log.exists():
        with log.open("r+b") as torn:
            torn.truncate(max(0, log.stat().st_size - 100))


CASES = (
    Case(6, "killed inside a sync of the disk", tuple(
        Scenario(f"at sync {nth}", partial(_at_sync, "signal=KILL", nth)) for nth in range(6, 14)
    )),
    Case(16, "the disk is full, or read-only", (
        Scenario("before the intent", _full_before_the_intent),
        Scenario("after the send", _full_after_the_send),
        Scenario("read-only", _read_only),
    )),
    Case(17, "the disk fails at a sync", tuple(
        Scenario(f"from sync {nth}", partial(_at_sync, "error=EIO", nth)) for nth in range(6, 14)
    )),
    Case(18, "locked by another process; moved away", (
        Scenario("two seconds", partial(_locked, 2.0)),
        Scenario("longer than one waits", partial(_locked, 25.0)),
        Scenario("moved away", _moved_away),
    )),
    Case(19, "damaged, foreign, too new, torn", (
        *(Scenario(how, partial(_damaged, how)) for how in ("a corrupt page", "not a database", "a newer schema")),
        Scenario("a torn log", _torn_log),
    )),
)  # fmt: skip
