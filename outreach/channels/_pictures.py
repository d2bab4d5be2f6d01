"""Whether the pictures of a post lie on the disk as they were queued, and as a channel takes them."""

import hashlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from outreach.channels import Limits
from outreach.model import Problem, SentPicture

_AGAIN = "Put it into the media folder again, or cancel the post and add its letter again."
_ANOTHER = "Cancel the post and add its letter again with another picture."


def check_pictures(pictures: Sequence[SentPicture], media: Path, limits: Limits) -> list[Problem]:
    """Look at every picture of a post."""
    found = [problem for picture in pictures if (problem := _looked_at(picture, media, limits))]
    if len(pictures) > limits.max_pictures:
        found.append(Problem(f"The post has {len(pictures)} pictures; {limits.max_pictures} are taken.", _ANOTHER))
    return found


def _looked_at(picture: SentPicture, media: Path, limits: Limits) -> Problem | None:
    try:
        size = (media / picture.path).stat().st_size
        if size > limits.max_picture_bytes:
            most = f"{limits.max_picture_bytes / 1e6:g} MB"
            return Problem(f"The picture {picture.file} has {size / 1e6:.1f} MB; {most} are taken.", _ANOTHER)
        data = (media / picture.path).read_bytes()
    except FileNotFoundError:
        return Problem(f"The picture {picture.file} is gone from the media folder.", _AGAIN)
    except OSError as trouble:
        return Problem(f"The picture {picture.file} cannot be read ({trouble.strerror}).", "Check the file.")
    if hashlib.sha256(data).hexdigest() != picture.sha256:
        return Problem(f"The picture {picture.file} in the media folder is not the one that was queued.", _AGAIN)
    return _decoded(picture, data, limits)


def _decoded(picture: SentPicture, data: bytes, limits: Limits) -> Problem | None:
    from PIL import Image  # start-up time: Pillow costs 20 MB and most posts have no picture

    try:
        with Image.open(BytesIO(data)) as opened:
            kind = opened.format or "of no known kind"
            opened.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return Problem(f"The picture {picture.file} is no picture, or is damaged.", _ANOTHER)
    if kind not in limits.picture_formats and kind != "MPO":
        return Problem(f"The picture {picture.file} is {kind}, which is not taken.", _ANOTHER)
    return None
