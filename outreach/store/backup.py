"""Making a backup: one verified file, written while the service runs, that is there whole or not at all."""

import fcntl
import json
import os
import platform
import secrets as randomness
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from outreach.model import BadInput
from outreach.store import archive, copies, safety
from outreach.store.archive import About, Manifest, Tell
from outreach.store.engine import Store, Transaction

MADE_AT = "backup at"
MADE_AS = "backup file"


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted of a backup. With a passphrase the install secret is in it, encrypted; without, it is not."""

    target: Path
    now: datetime
    passphrase: str = field(default="", repr=False)
    force: bool = False
    tell: Tell = archive.in_silence


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made and proved; `left_out` are files whose names no backup takes."""

    file: Path
    size: int
    manifest: Manifest
    left_out: tuple[str, ...]


class Busy(BadInput):
    """Another backup or restore is going on in this folder."""


def back_up(store: Store, queue: Path, order: Order) -> Made:
    """Make a backup of the database, the pictures and the templates, read it back whole, and only then name it.

    Raises `BadInput`, or `OSError` from a disk that is full or failing; then there is no new file. An existing file is
    replaced only when the order says so.
    """
    _check(order)
    folder = store.file.parent if store.file else queue
    with alone(folder), scratch(folder) as work:
        copy = work / archive.DATABASE
        order.tell("copying the database", 0, 1)
        copies.make(store, copy)
        secret = copies.take_out_the_secret(copy)
        locked = _locked(secret, order.passphrase)
        pictures, left_out = kept_files(queue)  # after the database: what that names is there by now
        about = About(order.now, copies.revision(copy), copies.posts_by_state(copy))
        with _named_at_the_end(order) as part:
            with part.open("wb") as out:
                archive.write(out, about, {archive.DATABASE: copy, **pictures}, secret=locked, tell=order.tell)
                out.flush()
                sync(out.fileno())
            manifest = _proved(part, work, order.tell)
    return Made(order.target, order.target.stat().st_size, manifest, left_out)


def _check(order: Order) -> None:
    target = order.target
    if not target.absolute().parent.is_dir():
        step = "Make the folder, or write another place."
        raise BadInput("There is no such folder.", where=str(target.absolute().parent), next_step=step)
    if target.is_dir():
        step = f"Write a file's name, such as {target / 'outreach.zip'}."
        raise BadInput("That is a folder.", where=str(target), next_step=step)
    if os.path.lexists(target) and not order.force:
        raise _is_there(target)


def _is_there(target: Path) -> BadInput:
    step = "Write another name, or add --force to replace it."
    return BadInput("There is such a file already; it was left alone.", where=str(target), next_step=step)


def _locked(secret: str | None, passphrase: str) -> bytes | None:
    if secret is None or not passphrase:
        return None
    return archive.lock_away(secret, passphrase, salt=randomness.token_bytes(16))


def kept_files(queue: Path) -> tuple[Mapping[str, Path], tuple[str, ...]]:
    """Give the pictures and templates by their names in a backup, and those files whose names no backup takes."""
    found = {
        file.relative_to(queue).as_posix(): file
        for folder in archive.FOLDERS
        for file in sorted((queue / folder).rglob("*"))
        if file.is_file() and not file.name.startswith(".")
    }
    fit = {name: file for name, file in found.items() if archive.may_be_in_it(name)}
    return fit, tuple(name.encode("utf-8", "backslashreplace").decode() for name in found if name not in fit)


@contextmanager
def _named_at_the_end(order: Order) -> Iterator[Path]:
    """Give a file beside the target to write; it gets the target's name only when the block ends well."""
    target = order.target.absolute()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.", suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        yield part
        if order.force:
            part.replace(target)
        else:
            _rename_to_a_new_name(part, target)
        sync_folder(target.parent)
    finally:
        part.unlink(missing_ok=True)


def _rename_to_a_new_name(part: Path, target: Path) -> None:
    try:
        target.hardlink_to(part)  # fails where the name is taken, which a rename does not
    except FileExistsError:
        raise _is_there(target) from None
    except OSError:  # a disk without links
        if os.path.lexists(target):
            raise _is_there(target) from None
        part.rename(target)


def _proved(part: Path, work: Path, tell: Tell) -> Manifest:
    copy = work / "read-back.db"
    manifest = archive.read(part, database_to=copy, tell=tell)
    prove_database(copy, manifest)
    return manifest


def prove_database(copy: Path, manifest: Manifest) -> None:
    """Read the database of a backup whole. Raises `BadInput` when it is not what the manifest says."""
    copies.check(copy)
    if (copies.revision(copy), copies.posts_by_state(copy)) != (manifest.about.schema, dict(manifest.about.posts)):
        raise BadInput("The database in the backup is not the one that its manifest names.", where=copy.name)


# Alone, and in a place of its own


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only backup or restore in a folder; the system lets go of it when the process dies. Raises `Busy`."""
    with (folder / "backup.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            step = "Wait until it has ended, then try again."
            raise Busy("Another backup or restore is going on.", where=str(folder), next_step=step) from None
        yield


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Give an empty folder that goes away at the end. Only for who is alone: what an earlier one left is cleared away."""
    work = folder / ".backup"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def sync(handle: int) -> None:
    """Bring a file to the disk, and let reading it back read the disk."""
    os.fsync(handle)
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some systems cannot
            os.fsync(handle)
    finally:
        os.close(handle)


# What is remembered of it


def remember(tx: Transaction, file: Path, made_at: datetime) -> None:
    """Write down that there is a good backup, and where."""
    safety.remember(tx, MADE_AT, made_at.isoformat())
    safety.remember(tx, MADE_AS, json.dumps({"host": platform.node(), "file": str(file.absolute())}))


@dataclass(frozen=True, slots=True)
class Known:
    """The last good backup, if there was one: `file` is None for one made on another machine. `trouble` may be empty."""

    made_at: datetime | None
    where: str
    file: Path | None
    trouble: str


def known(tx: Transaction) -> Known:
    """Give what is remembered."""
    at, kept = safety.remembered(tx, MADE_AT), json.loads(safety.remembered(tx, MADE_AS) or "{}")
    is_here = kept.get("host") == platform.node()
    return Known(
        made_at=datetime.fromisoformat(at) if at else None,
        where=str(kept.get("file", "")) if is_here else f"{kept.get('file', '')} on {kept.get('host', '')}",
        file=Path(kept["file"]) if is_here and kept else None,
        trouble=safety.remembered(tx, safety.BACKUP_TROUBLE) or "",
    )
