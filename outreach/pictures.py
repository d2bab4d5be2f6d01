"""Uploaded pictures made fit: upright, small enough for every channel, and without what they tell of place, person and camera."""

import struct
from collections.abc import Sequence
from io import BytesIO
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


def made_fit(data: bytes, *, name: str, limits: Sequence[Limits]) -> tuple[bytes, str]:
    """Make a picture that channels with these limits take; give its bytes and its kind: JPEG, PNG or GIF.

    A photo becomes a JPEG, what is partly transparent or was a PNG stays a PNG, what moves stays a GIF where every channel
    takes one. Nothing of EXIF, XMP, IPTC or comments is left. Raises `BadInput` for what is no picture or too large.
    """
    from PIL import Image  # start-up time: see compose

    Image.MAX_IMAGE_PIXELS = None  # what has too many points is refused here, in our own words
    try:
        with Image.open(BytesIO(data), formats=_OPENED) as opened:
            frames = getattr(opened, "n_frames", 1) if opened.format == "GIF" else 1
            _refuse_a_bomb(opened.size, frames, name)
            if frames > 1:
                return _moving(opened, name, limits), "GIF"
            return _still(opened, _most_bytes(limits))
    except _BROKEN as trouble:
        raise _refused(f"“{name}” is no picture that can be read.", _step(name)) from trouble


def _refuse_a_bomb(size: tuple[int, int], frames: int, name: str) -> None:
    """Before anything is decoded: a small file may unfold into more than the memory holds."""
    width, height = size
    if width * height * frames > MAX_PIXELS:
        parts = f" in {frames} frames" if frames > 1 else ""
        raise _refused(f"“{name}” has {width} × {height} points{parts}.", "Save it smaller and add it again.")


def _still(opened: "Image", most_bytes: int) -> tuple[bytes, str]:
    from PIL import ImageOps

    was_png = opened.format in ("PNG", "GIF")
    opened.thumbnail((MAX_SIDE, MAX_SIDE))
    upright = ImageOps.exif_transpose(opened)
    profile = upright.info.get("icc_profile")
    is_clear = upright.has_transparency_data
    bare = upright.convert("RGBA" if is_clear else "L" if upright.mode in ("1", "L", "I", "I;16") else "RGB")
    bare.info.clear()
    if is_clear or was_png:
        whole = _written(bare, "PNG", icc_profile=profile)
        if len(whole) <= most_bytes:
            return whole, "PNG"
    if is_clear:
        return _smaller(bare, most_bytes, profile), "PNG"
    return _pressed(bare, most_bytes, profile if bare.mode == "RGB" and opened.mode != "CMYK" else None), "JPEG"


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
