"""The pictures of letters on the disk: found, opened and measured, made fit, and kept under names made of their bytes."""

import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from outreach import pictures
from outreach.channels import Limits
from outreach.model import BadInput, Picture, SentPicture

_SUFFIX = {"JPEG": "jpg", "PNG": "png", "GIF": "gif", "BMP": "bmp", "TIFF": "tiff"}
_MOST_PIXELS = 60_000_000


@dataclass(frozen=True, slots=True)
class FoundPicture:
    """A picture that was opened and measured. `file` is where it is now, `made` what was made of that where it was not fit."""

    sent: SentPicture
    file: Path
    kind: str
    size: int
    width: int
    height: int
    made: bytes | None = None


class PictureFolder:
    """The media folder, as far as it holds pictures."""

    def __init__(self, media: Path) -> None:
        self._media = media

    def find(self, picture: Picture, folder: Path, limits: Sequence[Limits], kept: Mapping[str, str]) -> FoundPicture:
        """Find a letter's picture beside it or in the media folder, and make it fit. Raises `BadInput`.

        `kept` gives the name in the media folder of what was found before, by the name that the letter has for it.
        """
        named = kept.get(Path(picture.file).name, picture.file)
        for place, name in ((folder, picture.file), (self._media, picture.file), (self._media, named)):
            file = _beneath(place, name)
            if file is not None:
                return _measured(picture, file, limits)
        raise _trouble(
            f"The picture {picture.file!r} was not found.", f"Put it beside the letter or into {self._media}."
        )

    def keep(self, picture: FoundPicture) -> FoundPicture:
        """Copy a picture into the media folder. Raises `BadInput` where its file is not any more what was measured."""
        wanted = picture.sent.sha256
        name = f"{wanted}.{_SUFFIX.get(picture.kind, picture.kind.lower())}"
        kept = self._media / name
        if not kept.is_file() or _sha256(kept.read_bytes()) != wanted:
            data = picture.made or picture.file.read_bytes()
            if _sha256(data) != wanted:
                raise _trouble(f"The picture {picture.sent.file!r} was changed just now.", "Add the letter again.")
            _write_whole(kept, data)
        if picture.made:
            self._keep_original(wanted, picture.file.name, picture.file.read_bytes())
        return replace(picture, sent=replace(picture.sent, path=name))

    def _keep_original(self, sha256: str, name: str, data: bytes) -> None:
        place = self._media / pictures.original_name(sha256, name)
        if not place.is_file():
            _write_whole(place, data)

    def take(self, data: bytes, *, name: str, limits: Sequence[Limits]) -> str:
        """Keep an uploaded picture as channels with these limits take it; give the name that it has in the media folder."""
        fit, kind = pictures.made_fit(data, name=name, limits=limits)
        kept = self._media / f"{_sha256(fit)}.{_SUFFIX[kind]}"
        if not kept.is_file() or kept.read_bytes() != fit:
            _write_whole(kept, fit)
        if fit != data:
            self._keep_original(_sha256(fit), name, data)
        return kept.name


def _trouble(message: str, next_step: str) -> BadInput:
    return BadInput(message, where="pictures", next_step=next_step)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _beneath(folder: Path, name: str) -> Path | None:
    """Give the file of this name in the folder, or nothing: neither `..` nor a link leads out of it."""
    try:
        file = (folder / name).resolve()
        return file if file.is_relative_to(folder.resolve()) and file.is_file() else None
    except (OSError, RuntimeError, ValueError):  # too long a name, links that go in a circle, a character no name holds
        return None


def _measured(picture: Picture, file: Path, limits: Sequence[Limits]) -> FoundPicture:
    size = file.stat().st_size
    if size > pictures.MAX_ORIGINAL_BYTES:  # before it is read: a file may be larger than the memory
        most = pictures.MAX_ORIGINAL_BYTES
        told = f"The picture {picture.file!r} has {size / 1e6:.1f} MB; {most / 1e6:g} MB are taken."
        raise _trouble(told, "Save it smaller.")
    data = _read(picture, file)
    kind, width, height = _opened(picture, data)
    fit = pictures.fitted(data, kind, name=picture.file, limits=limits)
    if fit:
        data, kind = fit
        kind, width, height = _opened(picture, data)
    sent = SentPicture(Path(picture.file).name, picture.alt, _sha256(data), str(file))
    return FoundPicture(sent, file, kind, len(data), width, height, fit[0] if fit else None)


def _read(picture: Picture, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as trouble:
        raise _trouble(
            f"The picture {picture.file!r} cannot be read ({trouble.strerror}).", "Check the file."
        ) from None


def _opened(picture: Picture, data: bytes) -> tuple[str, int, int]:
    from PIL import Image  # start-up time: Pillow costs 20 MB and most letters have no picture

    try:
        Image.MAX_IMAGE_PIXELS = None  # Pillow would print a warning; here a picture with too many points is refused
        with Image.open(BytesIO(data), formats=pictures.formats()) as opened:
            kind, (width, height) = opened.format or "unknown", opened.size
            if width * height > _MOST_PIXELS:
                raise _trouble(f"The picture {picture.file!r} has {width} × {height} points.", "Save it smaller.")
            opened.load()
    except (OSError, SyntaxError, ValueError):
        bad = pictures.refused_unread(data, picture.file)
        if "HEIC" in bad.message:
            raise bad from None
        raise _trouble(
            f"The file {picture.file!r} is not a picture, or is damaged.",
            "Open it in a picture program and save it again as JPEG or PNG.",
        ) from None
    return ("JPEG" if kind == "MPO" else kind), width, height


def _write_whole(place: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all, whatever happens."""
    place.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(place)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
