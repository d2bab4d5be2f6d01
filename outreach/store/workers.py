"""Who works on this database: heartbeats, and whether a worker of this machine is gone."""

import os
import platform
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, insert, select, update

from outreach.store.engine import Transaction
from outreach.store.schema import heartbeats


def host() -> str:
    """Name this machine."""
    return platform.node()


def this_worker(serial: int = 0) -> str:
    """Name this worker so that nobody else, before or after, has the name: host, boot, process and its start.

    `serial` tells several workers of one process apart.
    """
    return "|".join((host(), boot(), str(os.getpid()), _started(os.getpid()) or "", str(serial)))


def is_gone(worker: str) -> bool:
    """Tell whether a worker certainly does not run any more. One on another machine: never certain."""
    its_host, its_boot, pid, started, *_ = [*worker.split("|"), "", "", "", ""]
    if its_host != host() or not pid.isdecimal():
        return False
    if its_boot != boot():
        return True
    now_started = _started(int(pid))
    return now_started is None or now_started != started


def beat(tx: Transaction, worker: str, now: datetime) -> None:
    """Say that the worker is alive."""
    if tx.execute(update(heartbeats).where(heartbeats.c.worker == worker).values(beat_at=now)).rowcount == 0:
        tx.execute(insert(heartbeats), {"worker": worker, "started_at": now, "beat_at": now})


def leave(tx: Transaction, worker: str) -> None:
    """Say that the worker has ended in an orderly way."""
    tx.execute(delete(heartbeats).where(heartbeats.c.worker == worker))


def forget_the_gone(tx: Transaction, *, older_than: datetime) -> None:
    """Clear away the heartbeats of workers that were not heard of since `older_than`."""
    tx.execute(delete(heartbeats).where(heartbeats.c.beat_at < older_than))


def last_beats(tx: Transaction) -> list[tuple[str, datetime]]:
    """Give (worker, last heartbeat), the latest first."""
    query = select(heartbeats.c.worker, heartbeats.c.beat_at).order_by(heartbeats.c.beat_at.desc())
    return [(row[0], row[1]) for row in tx.execute(query)]


def boot() -> str:
    """Name the boot of this machine; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """Give the start time of a process in the kernel's own count, or None when there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]  # killed, though its parent has not taken notice yet
    except (OSError, IndexError):
        return _started_without_proc(pid)


def _started_without_proc(pid: int) -> str | None:
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        return ""
    return ""
