"""Putting a backup in place: proved whole first, marked before anybody can see it, then there in one step or not at all."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import file_digest
from os.path import lexists
from pathlib import Path

from outreach import when
from outreach.model import BadInput
from outreach.store import aftermath, archive, backup, copies, home, safety, swap
from outreach.store.aftermath import Marked
from outreach.store.archive import DATABASE, Manifest, Tell
from outreach.store.engine import HEAD, file_of, open_store


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be put back, and how. `force` does it though a worker may be alive."""

    file: Path
    now: datetime
    zone: str
    look_after_s: tuple[int, ...]
    passphrase: str = field(default="", repr=False)
    force: bool = False
    tell: Tell = archive.in_silence


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back. `aside` holds what was there, if anything was; files that differ from the backup's are `left`."""

    manifest: Manifest
    marked: Marked
    aside: Path | None
    added: tuple[str, ...]
    left: tuple[str, ...]
    notes: tuple[str, ...]


def restore(url: str, queue: Path, wish: Wish) -> Restored:
    """Put a backup in the place of the database at `url`, in safe mode; add the pictures and templates that are missing.

    Raises `BadInput` for a file that is not a whole backup, and while a worker is alive: nothing was changed then.
    """
    manifest = archive.read(wish.file, tell=wish.tell)
    archive.check_schema(manifest, HEAD)
    secret = archive.secret_in(wish.file, wish.passphrase) if manifest.has_secret and wish.passphrase else None
    file = file_of(url)
    folder, queue = (file.parent if file else queue).absolute(), queue.absolute()
    with ExitStack() as stack:
        work = {place: _place_to_work(stack, place) for place in dict.fromkeys((folder, queue))}
        prepared = work[folder] / DATABASE
        archive.unpack(wish.file, manifest, {DATABASE: prepared})
        backup.prove_database(prepared, manifest)
        there = swap.look_at(file, url)
        alive = _alive(there, wish)
        kept = secret or there.secret
        marked = _make_ready(prepared, wish, manifest, secret=kept, alive=alive, becomes=(file, there.is_sound))
        wish.tell("putting it in place", 0, 1)
        added, left = _add_files(queue, work[queue], wish.file, manifest)  # first: the database names them
        aside = _new_name(folder, wish.now)
        swap.put(prepared, file or url, there, aside=aside, check=lambda now_there: _alive(now_there, wish))
    notes = (*_about_the_secret(kept, manifest), *_about_letters(queue, manifest))
    return Restored(manifest, marked, aside if aside.exists() else None, added, left, notes)


def _place_to_work(stack: ExitStack, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    stack.enter_context(backup.alone(folder))
    return stack.enter_context(backup.scratch(folder))


def _alive(there: swap.There, wish: Wish) -> list[str]:
    """Give the workers that are at work on the database. Raises `BadInput` for any, unless the wish is to go on."""
    alive = aftermath.living(there.beats, wish.now)
    if alive and not wish.force:
        raise BadInput(
            f"{len(alive)} worker{' is' if len(alive) == 1 else 's are'} at work on this database. Nothing was changed.",
            next_step="Stop outreach worker and outreach up and try again; one that is certainly gone: add --force.",
        )
    return alive


def _new_name(folder: Path, now: datetime) -> Path:
    name = f"before-restore-{now:%Y-%m-%dT%H-%M-%SZ}"
    names = (name, *(f"{name}-{n}" for n in range(2, 1000)))
    return next(folder / name for name in names if not lexists(folder / name))


# Making it ready


def _make_ready(
    prepared: Path,
    wish: Wish,
    manifest: Manifest,
    *,
    secret: str | None,
    alive: list[str],
    becomes: tuple[Path | None, bool],
) -> Marked:
    """Bring the copy up to date and mark its posts, in one transaction and before anybody else can see it.

    `becomes` is the SQLite file that it is to be, and whether that one is written over, and so stays the same file.
    """
    store = open_store(f"sqlite:///{prepared}")
    file, stays = becomes
    try:
        with store.write() as tx:
            marked = aftermath.mark(tx, _reason(wish, manifest), now=wish.now, look_after_s=wish.look_after_s)
            aftermath.remember_workers(tx, alive)
            backup.remember(tx, wish.file, manifest.about.made_at)
            home.forget(tx)
            if file is not None:
                home.move_in(tx, file, before_it_is_there=None if stays else prepared)
            if secret:
                safety.remember(tx, "secret", secret)
    finally:
        store.close()
    copies.as_one_file(prepared)
    return marked


def _reason(wish: Wish, manifest: Manifest) -> str:
    made_at = when.show(manifest.about.made_at, wish.zone)
    return (
        f"A backup made on {made_at} was put back; what went out since is not in it. Look through outreach queue, then"
        " let posts out again: outreach safe-mode off"
    )


# What belongs to it


def _add_files(queue: Path, work: Path, source: Path, manifest: Manifest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Add the pictures and templates that are missing; give their names, and those of files that are other ones here."""
    ours = {name: entry for name, entry in manifest.files.items() if name not in (DATABASE, archive.SECRET)}
    missing = [name for name in ours if not lexists(queue / name)]
    left = [name for name in ours if name not in missing and _sha256(queue / name) != ours[name].sha256]
    unpacked = {name: work / f"file-{n}" for n, name in enumerate(missing)}
    archive.unpack(source, manifest, unpacked)
    for name, file in unpacked.items():
        with file.open("rb") as whole:
            backup.sync(whole.fileno())
        (queue / name).parent.mkdir(parents=True, exist_ok=True)
        file.rename(queue / name)
    for folder in {(queue / name).parent for name in missing}:
        backup.sync_folder(folder)
    return tuple(missing), tuple(left)


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""


def _about_the_secret(kept: str | None, manifest: Manifest) -> tuple[str, ...]:
    if kept:
        return ()
    if manifest.has_secret:
        return ("The install secret in the backup was left in it: restore with --passphrase-file to have it back.",)
    return ("The backup does not hold the install secret; where OUTREACH_SECRET_KEY is not set a new one is made.",)


def _about_letters(queue: Path, manifest: Manifest) -> tuple[str, ...]:
    """Warn of letters that went through the inbox after the backup was made: the database does not know them any more."""
    accepted = queue / "accepted"
    made_at = manifest.about.made_at.timestamp()
    since = [f for f in accepted.glob("*.md") if f.stat().st_ctime > made_at] if accepted.is_dir() else []
    if not since:
        return ()
    names = ", ".join(sorted(file.name for file in since)[:5])
    return (
        f"Letters in {accepted} that came after the backup and are not in the database any more: {len(since)} ({names})."
        " See whether they went out before you add them again.",
    )
