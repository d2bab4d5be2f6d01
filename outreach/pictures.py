"""Pictures made fit: upright, small enough for every channel, and without what they tell of place, person and camera."""

import importlib
import re
import struct
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from outreach.channels import Limits
from outreach.model import BadInput

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SIDE = 2048
MAX_PIXELS = 60_000_000
_USUAL_BYTES = 4_000_000
_OPENED = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF")
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, OverflowError)
_QUALITIES = (90, 82, 70)
_SIXTEEN_BITS = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_TELLS = ("exif", "xmp", "XML:com.adobe.xmp", "photoshop", "Raw profile type exif", "Raw profile type iptc")
_HEIC = re.compile(rb"....ftyp(?:heic|heix|heim|heis|hevc|hevx|mif1|msf1)", re.DOTALL)
MAX_ORIGINAL_BYTES = 60_000_000


def formats() -> tuple[str, ...]:
    """Give what can be opened, as Pillow names it: HEIC only where pillow-heif is installed beside it."""
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError:
        return _OPENED
    return (*_OPENED, "HEIF")


def fitted(data: bytes, kind: str, *, name: str, limits: Sequence[Limits]) -> tuple[bytes, str] | None:
    """Make a picture of a known kind fit where it is not: of a kind or a size that a channel does not take, lying on its side,
    or telling where, when or with what it was taken. None where it may leave as it is, byte for byte.
    """
    from PIL import Image  # start-up time: see compose

    takes = all(kind in given.picture_formats for given in limits if given.max_pictures)
    if takes and len(data) <= _most_bytes(limits):
        with Image.open(BytesIO(data), formats=formats()) as opened:
            if not any(opened.info.get(told) for told in _TELLS) and not len(opened.getexif()):
                return None
    return made_fit(data, name=name, limits=limits)


def original_name(sha256: str, name: str) -> str:
    """Name the file in the media folder that keeps what a picture with this hash was made of."""
    suffix = re.sub("[^a-z0-9]", "", PurePath(name).suffix.lower())[:5] or "bin"
    return f"{sha256}.original.{suffix}"


def original_of(media: Path, sha256: str) -> Path | None:
    """Give the file that a picture was made of, where it is kept."""
    return next(iter(sorted(media.glob(f"{sha256}.original.*"))), None) if sha256.isalnum() else None


def refused_unread(data: bytes, name: str) -> BadInput:
    """Say of what cannot be opened what it is and what to do, as far as that can be told."""
    if _HEIC.match(data[:12]):
        told = f"“{name}” is a HEIC photo, as telephones make them, which cannot be read here."
        return _refused(told, f"{_step('.heic')} Or let whoever runs this install add the package pillow-heif.")
    return _refused(f"“{name}” is no picture that can be read.", _step(name))


def made_fit(data: bytes, *, name: str, limits: Sequence[Limits]) -> tuple[bytes, str]:
    """Make a picture that channels with these limits take; give its bytes and its kind: JPEG, PNG or GIF.

    A photo becomes a JPEG, what is partly transparent or was a PNG stays a PNG, what moves stays a GIF where every channel
    takes one. Nothing of EXIF, XMP, IPTC or comments is left. Raises `BadInput` for what is no picture or too large.
    """
    from PIL import Image  # start-up time: see compose

    Image.MAX_IMAGE_PIXELS = None  # what has too many points is refused here, in our own words
    try:
        with Image.open(BytesIO(data), formats=formats()) as opened:
            frames = getattr(opened, "n_frames", 1) if opened.format == "GIF" else 1
            _refuse_a_bomb(opened.size, frames, name)
            if frames > 1:
                return _moving(opened, name, limits), "GIF"
            return _still(opened, _most_bytes(limits))
    except _BROKEN as trouble:
        raise refused_unread(data, name) from trouble


def _refuse_a_bomb(size: tuple[int, int], frames: int, name: str) -> None:
    """Before anything is decoded: a small file may unfold into more than the memory holds."""
    width, height = size
    if width * height * frames > MAX_PIXELS:
        parts = f" in {frames} frames" if frames > 1 else ""
        raise _refused(f"“{name}” has {width} × {height} points{parts}.", "Save it smaller and add it again.")


def _still(opened: "Image", most_bytes: int) -> tuple[bytes, str]:
    from PIL import ImageOps

    was_png = opened.format in ("PNG", "GIF")
    is_clear = opened.has_transparency_data
    plain = _in_plain_colours(opened, is_clear)
    plain.thumbnail((MAX_SIDE, MAX_SIDE))
    upright = ImageOps.exif_transpose(plain)
    profile = upright.info.get("icc_profile")
    bare = upright.convert("RGBA" if is_clear else "L" if upright.mode in ("1", "L") else "RGB")
    bare.info.clear()
    if is_clear or was_png:
        whole = _written(bare, "PNG", icc_profile=profile)
        if len(whole) <= most_bytes:
            return whole, "PNG"
    if is_clear:
        return _smaller(bare, most_bytes, profile), "PNG"
    return _pressed(bare, most_bytes, profile if bare.mode == "RGB" and opened.mode != "CMYK" else None), "JPEG"


def _in_plain_colours(opened: "Image", is_clear: bool) -> "Image":
    """Before it is made smaller: a palette cannot be averaged, and 16 bits would be cut off, not scaled."""
    from PIL import ImageOps

    if opened.mode in _SIXTEEN_BITS:
        return ImageOps.exif_transpose(opened).convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if opened.mode in ("P", "PA", "1"):
        return ImageOps.exif_transpose(opened).convert("RGBA" if is_clear else "L" if opened.mode == "1" else "RGB")
    return opened


def _pressed(bare: "Image", most_bytes: int, profile: bytes | None) -> bytes:
    while True:
        for quality in _QUALITIES:
            whole = _written(bare, "JPEG", quality=quality, progressive=True, icc_profile=profile)
            if len(whole) <= most_bytes:
                return whole
        bare = bare.resize(_three_quarters(bare.size))


def _smaller(bare: "Image", most_bytes: int, profile: bytes | None) -> bytes:
    while True:
        bare = bare.resize(_three_quarters(bare.size))
        whole = _written(bare, "PNG", icc_profile=profile)
        if len(whole) <= most_bytes:
            return whole


def _three_quarters(size: tuple[int, int]) -> tuple[int, int]:
    return max(1, size[0] * 3 // 4), max(1, size[1] * 3 // 4)


def _moving(opened: "Image", name: str, limits: Sequence[Limits]) -> bytes:
    from PIL import ImageSequence

    if any("GIF" not in given.picture_formats for given in limits if given.max_pictures):
        raise _refused(f"“{name}” moves, and not every channel takes that.", "Save one frame of it as PNG.")
    frames = [frame.copy() for frame in ImageSequence.Iterator(opened)]
    times = [frame.info.get("duration", 100) for frame in frames]
    for frame in frames:
        frame.info.pop("comment", None)
    loop = {"loop": opened.info["loop"]} if "loop" in opened.info else {}
    rest: dict[str, Any] = {"append_images": frames[1:], "duration": times, "disposal": 2, "comment": b"", **loop}
    whole = _written(frames[0], "GIF", save_all=True, **rest)
    if len(whole) > _most_bytes(limits) or max(opened.size) > MAX_SIDE:
        raise _refused(f"“{name}” moves and is too large ({len(whole) / 1e6:.1f} MB).", "Save it smaller.")
    return whole


def _written(picture: "Image", kind: str, **how: Any) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **{key: value for key, value in how.items() if value is not None})
    return out.getvalue()


def _most_bytes(limits: Sequence[Limits]) -> int:
    return min((given.max_picture_bytes for given in limits if given.max_pictures), default=_USUAL_BYTES)


def _step(name: str) -> str:
    if name.lower().endswith((".heic", ".heif")):
        return "Save it as JPEG on the telephone or in a picture program, and add that."
    return "Open it in a picture program, save it as JPEG or PNG, and add that."


def _refused(message: str, step: str) -> BadInput:
    return BadInput(message, where="pictures", next_step=step)
