"""The file of a backup: a zip of the database, the pictures and the templates, with a manifest that proves each of them.

The install secret is in it only when a passphrase is given, and then encrypted with it.
"""

import base64
import errno
import hashlib
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeAlias

from outreach import __version__
from outreach.model import BadInput

FORMAT = 1
DATABASE = "outreach.db"
SECRET = "secret.json"  # noqa: S105 - a file's name
FOLDERS = ("media", "templates")
_MANIFEST = "manifest.json"
_MOST_MANIFEST_BYTES = 100_000_000
_CHUNK = 1 << 20
# Bytes that were changed may be taken for anything.
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError)
_SENSELESS = (KeyError, IndexError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)

Tell: TypeAlias = Callable[[str, int, int], None]
"""Told what is going on, how many bytes of it are done, and of how many."""


def in_silence(_what: str, _done: int, _of: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one file in the backup has to be."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class About:
    """What a backup says of itself: `made_at` is the moment of the database, `posts` how many there were by state."""

    made_at: datetime
    schema: str
    posts: Mapping[str, int]
    version: str = __version__


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is, and every file in it by its name."""

    about: About
    files: Mapping[str, Entry]

    @property
    def has_secret(self) -> bool:
        """Tell whether the install secret is in it, encrypted."""
        return SECRET in self.files


# Writing


def write(out: IO[bytes], about: About, files: Mapping[str, Path], *, secret: bytes | None, tell: Tell) -> Manifest:
    """Write a backup of these files; one that has gone meanwhile is left out, the database apart."""
    sizes = {name: _size(file) for name, file in files.items()}
    written: dict[str, Entry] = {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        counted = _Counted(tell, "packing", sum(sizes.values()))
        for name, file in files.items():
            entry = _pack(archive, name, file, counted)
            if entry is not None:
                written[name] = entry
        if secret is not None:
            archive.writestr(SECRET, secret)
            written[SECRET] = Entry(hashlib.sha256(secret).hexdigest(), len(secret))
        manifest = Manifest(about, written)
        archive.writestr(_MANIFEST, json.dumps(_laid_out(manifest), indent=1))
    return manifest


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


class _Counted:
    """Counts the bytes that went through and tells of them."""

    def __init__(self, tell: Tell, what: str, of: int) -> None:
        self._tell, self._what, self._of, self._done = tell, what, of, 0

    def chunks(self, source: IO[bytes]) -> Iterator[bytes]:
        while chunk := source.read(_CHUNK):
            yield chunk
            self._done += len(chunk)
            self._tell(self._what, self._done, max(self._of, self._done))


def _pack(archive: zipfile.ZipFile, name: str, file: Path, counted: _Counted) -> Entry | None:
    try:
        source = file.open("rb")
    except FileNotFoundError:
        if name == DATABASE:
            raise
        return None
    place: str | zipfile.ZipInfo = name
    if name.startswith("media/"):
        place = zipfile.ZipInfo(name)  # pictures are small already: not compressed again
    digest, size = hashlib.sha256(), 0
    with source, archive.open(place, "w", force_zip64=True) as out:
        for chunk in counted.chunks(source):
            digest.update(chunk)
            size += len(chunk)
            out.write(chunk)
    return Entry(digest.hexdigest(), size)


def _laid_out(manifest: Manifest) -> dict[str, Any]:
    about = manifest.about
    return {
        "format": FORMAT,
        "outreach": about.version,
        "schema": about.schema,
        "made_at": about.made_at.isoformat(),
        "posts": dict(about.posts),
        "files": {name: {"sha256": e.sha256, "size": e.size} for name, e in manifest.files.items()},
    }


# Reading


def read(file: Path, *, database_to: Path | None = None, tell: Tell = in_silence) -> Manifest:
    """Read a backup whole and prove every byte of it; the database is written to `database_to` on the way.

    Raises `BadInput` for anything that is not a whole backup, and for one of a newer version. Changes nothing.
    """
    with _opened(file) as archive:
        manifest = _manifest(archive)
        counted = _Counted(tell, "reading back", sum(entry.size for entry in manifest.files.values()))
        for name, entry in manifest.files.items():
            _prove(archive, name, entry, counted, to=database_to if name == DATABASE else None)
    return manifest


def unpack(file: Path, manifest: Manifest, places: Mapping[str, Path]) -> None:
    """Write files of a backup, by their names in it, to places where nothing is yet; each is proved on the way."""
    with _opened(file) as archive:
        counted = _Counted(in_silence, "", 0)
        for name, to in places.items():
            _prove(archive, name, manifest.files[name], counted, to=to)


def _prove(archive: zipfile.ZipFile, name: str, entry: Entry, counted: _Counted, *, to: Path | None) -> None:
    digest, size = hashlib.sha256(), 0
    with archive.open(name) as source, to.open("xb") if to else nullcontext() as out:
        for chunk in counted.chunks(source):
            digest.update(chunk)
            size += len(chunk)
            if size > entry.size:
                break
            if out is not None:
                out.write(chunk)
    if (digest.hexdigest(), size) != (entry.sha256, entry.size):
        raise _Damaged(name)


class _Damaged(Exception):
    """Something in the file is not what the manifest says."""


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    if not file.is_file():
        raise BadInput("There is no such file.", where=str(file), next_step="Look for backups in queue/backups/.")
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (_Damaged, *_BROKEN, *_SENSELESS):
        raise _is_damaged(file) from None
    except OSError as trouble:
        if (
            trouble.errno != errno.EINVAL
        ):  # which is no trouble of the disk: the file names a place before its beginning
            raise
        raise _is_damaged(file) from None


def _is_damaged(file: Path) -> BadInput:
    return BadInput(
        "This is no backup of outreach, or it is damaged. Nothing was changed.",
        where=str(file),
        next_step="Take another backup; the nightly ones are in queue/backups/.",
    )


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    infos = {info.filename: info for info in archive.infolist()}
    wanted = infos.get(_MANIFEST)
    if wanted is None or wanted.file_size > _MOST_MANIFEST_BYTES:
        raise _Damaged(_MANIFEST)
    try:
        given = json.loads(archive.read(wanted))
        if given["format"] > FORMAT:
            raise _newer(given.get("outreach"))
        manifest = _understood(given)
    except _SENSELESS:
        raise _Damaged(_MANIFEST) from None
    is_whole = sorted(info.filename for info in archive.infolist()) == sorted([*manifest.files, _MANIFEST])
    is_plain = all(i.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for i in infos.values())
    if not (is_whole and is_plain and DATABASE in manifest.files and all(map(may_be_in_it, manifest.files))):
        raise _Damaged(_MANIFEST)
    return manifest


def _understood(given: Any) -> Manifest:
    made_at = datetime.fromisoformat(given["made_at"])
    posts = {str(state): int(count) for state, count in given["posts"].items()}
    files = {str(name): Entry(str(e["sha256"]), int(e["size"])) for name, e in given["files"].items()}
    if made_at.tzinfo is None:
        raise ValueError(made_at)
    return Manifest(About(made_at, str(given["schema"]), posts, str(given["outreach"])), files)


def _newer(version: object) -> BadInput:
    return BadInput(
        f"The backup was made by a newer version of outreach ({version}). Nothing was changed.",
        next_step="Install that version and restore with it.",
    )


def check_schema(manifest: Manifest, head: str) -> None:
    """Raise `BadInput` for a backup whose database is newer than this version knows."""
    if manifest.about.schema > head:
        raise _newer(manifest.about.version)


def may_be_in_it(name: str) -> bool:
    """Tell whether a file of a backup may be written under this name: none leads out of its folder."""
    path = PurePosixPath(name)
    is_clean = str(path) == name and ".." not in path.parts and not _IN_NO_NAME.search(name)
    return name in (DATABASE, SECRET) or (is_clean and len(path.parts) > 1 and path.parts[0] in FOLDERS)


_IN_NO_NAME = re.compile(r"[\\\x00-\x1f\x7f\ud800-\udfff]")


# The secret

_WORK = {"n": 1 << 15, "r": 8, "p": 1}


def lock_away(secret: str, passphrase: str, *, salt: bytes) -> bytes:
    """Encrypt the install secret with a passphrase; `salt` is 16 random bytes."""
    from cryptography.fernet import Fernet  # start-up time

    token = Fernet(_key(passphrase, salt)).encrypt(secret.encode())
    return json.dumps({"kdf": "scrypt", **_WORK, "salt": salt.hex(), "token": token.decode()}).encode()


def unlock(locked: bytes, passphrase: str) -> str:
    """Give the install secret back. Raises `BadInput` for another passphrase than it was locked away with."""
    from cryptography.fernet import Fernet, InvalidToken  # start-up time

    try:
        kept = json.loads(locked)
        return Fernet(_key(passphrase, bytes.fromhex(kept["salt"]))).decrypt(kept["token"]).decode()
    except (InvalidToken, *_SENSELESS):
        raise BadInput(
            "The passphrase does not open the secret in this backup. Nothing was changed.",
            where="--passphrase-file",
            next_step="Give the one that it was made with, or none: the secret is then left as it is.",
        ) from None


def secret_in(file: Path, passphrase: str) -> str:
    """Give the install secret of a backup that has it."""
    with _opened(file) as archive:
        locked = archive.read(SECRET)
    return unlock(locked, passphrase)


def _key(passphrase: str, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # start-up time

    return base64.urlsafe_b64encode(Scrypt(salt=salt, length=32, **_WORK).derive(passphrase.encode()))
