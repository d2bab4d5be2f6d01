"""The video of a letter: found, looked at without reading it into the memory, and kept beside the pictures."""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePath

from outreach.channels import Limits
from outreach.extras import Extras, SentVideo
from outreach.model import BadInput, Letter

_MOST_CAPTIONS_BYTES = 2_000_000
_TIMED = re.compile(r"^\d{1,3}:\d\d:\d\d[,.]\d{1,3}\s*-->\s*\d{1,3}:\d\d:\d\d[,.]\d{1,3}", re.MULTILINE)
_BRAND = re.compile(rb"....(?:ftyp(?P<brand>....)|moov|mdat|wide|free)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where files of a letter are looked for; `kept` names the files in the last of the places by what the letter calls them."""

    places: Sequence[Path]
    kept: Mapping[str, str]

    def find(self, name: str) -> Path | None:
        """Give the file of this name; neither `..` nor a link leads out of a place."""
        named = self.kept.get(PurePath(name).name, name)
        for place, each in (*((place, name) for place in self.places), (self.places[-1], named)):
            try:
                file = (place / each).resolve()
                if file.is_relative_to(place.resolve()) and file.is_file():
                    return file
            except (OSError, RuntimeError, ValueError):  # no name that a disk takes
                continue
        return None


def with_video(extras: Extras, letter: Letter, shelf: Shelf, limits: Sequence[Limits]) -> Extras:
    """Add the letter's video, found by its name; its paths lead to where it is now. Raises `BadInput`."""
    if not letter.video:
        if letter.captions or letter.video_title:
            where = "captions" if letter.captions else "video_title"
            raise BadInput("It belongs to a video, and there is none.", where=where, next_step="Name one under video.")
        return extras
    if letter.pictures:
        raise _refused("A post has a video or pictures, not both.", "Take out one of the two.")
    most = max((each.max_video_bytes for each in limits), default=0)
    if not most:
        raise _refused("None of the channels takes a video.", "Add a Page to the channels, or take the video out.")
    file = _found(letter.video, shelf, "video")
    suffix_of(file, most)
    captions = _found(letter.captions, shelf, "captions") if letter.captions else None
    if captions is not None:
        read_captions(captions)
    video = SentVideo(
        file=Path(letter.video).name,
        title=letter.video_title or "",
        sha256=hashed(file),
        path=str(file),
        captions=captions.name if captions else "",
        captions_sha256=hashed(captions) if captions else "",
        captions_path=str(captions) if captions else "",
    )
    return replace(extras, video=video)


def kept(extras: Extras, media: Path) -> Extras:
    """Copy the video and its captions into the media folder, under names made of their bytes; give them with these names."""
    video = extras.video
    if video is None:
        return extras
    path = _kept(Path(video.path), f"{video.sha256}.{suffix_of(Path(video.path))}", video.sha256, media)
    captions = ""
    if video.captions_path:
        captions = _kept(Path(video.captions_path), f"{video.captions_sha256}.srt", video.captions_sha256, media)
    return replace(extras, video=replace(video, path=path, captions_path=captions))


def suffix_of(file: Path, most: int | None = None) -> str:
    """Tell MP4 from QuickTime by the first bytes. Raises `BadInput` for any other file, and for one larger than `most`."""
    size = file.stat().st_size
    with file.open("rb") as source:
        found = _BRAND.match(source.read(12))
    if found is None:
        raise _refused(f"The file {file.name!r} is no MP4 or MOV video.", "Save it as MP4 (H.264 and AAC).")
    if most is not None and size > most:
        told = f"The video {file.name!r} has {size / 1e6:.0f} MB; {most / 1e6:g} MB are taken."
        raise _refused(told, "Save it smaller, or link to it.")
    return "mov" if found["brand"] in (None, b"qt  ") else "mp4"


def read_captions(file: Path) -> str:
    """Read captions in the form of SubRip (.srt). Raises `BadInput` for anything else."""
    data = file.read_bytes() if file.stat().st_size <= _MOST_CAPTIONS_BYTES else b""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = ""
    if not _TIMED.search(text):
        told = f"The file {file.name!r} holds no captions that can be read."
        step = "Save them as .srt in UTF-8: a number, a line such as 00:00:01,000 --> 00:00:04,000, the words."
        raise BadInput(told, where="captions", next_step=step)
    return text


def as_web_captions(text: str) -> str:
    """Give captions in the form that browsers show."""
    times = re.compile(r"(\d:\d\d),(\d{1,3})(?=\s*-->|\s*$)", re.MULTILINE)
    return "WEBVTT\n\n" + times.sub(r"\1.\2", text.replace("\r\n", "\n"))


def hashed(file: Path) -> str:
    """Hash a file of any size, a piece at a time; one that did not change since is not read again."""
    about = file.stat()
    return _hashed(file, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=64)
def _hashed(file: Path, _size: int, _changed_ns: int) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _found(name: str, shelf: Shelf, where: str) -> Path:
    file = shelf.find(name)
    if file is None:
        step = "Put it beside the letter or into the media folder of the queue."
        raise BadInput(f"The file {name!r} was not found.", where=where, next_step=step)
    return file


def _kept(file: Path, name: str, sha256: str, media: Path) -> str:
    """Copy it whole or not at all; what is there with this name has these bytes."""
    if not (media / name).is_file():
        media.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=media, prefix=".new-", delete=False) as out, file.open("rb") as source:
            shutil.copyfileobj(source, out, 1024 * 1024)
        if _hashed(Path(out.name), -1, -1) != sha256:
            Path(out.name).unlink()
            raise _refused(f"The file {file.name!r} was changed just now.", "Add the letter again.")
        Path(out.name).chmod(0o644)
        Path(out.name).replace(media / name)
    return name


def _refused(message: str, step: str) -> BadInput:
    return BadInput(message, where="video", next_step=step)
