"""What only a post on a Page may have besides text, link and pictures: a first comment, a video, a place, an audience."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class CommentState(StrEnum):
    """Where a first comment stands. Nothing of it ever changes its post."""

    WAITING = "waiting"
    POSTING = "posting"
    POSTED = "posted"
    FAILED = "failed"
    IN_DOUBT = "in doubt"


@dataclass(frozen=True, slots=True)
class SentVideo:
    """A video as it will leave. Paths are names in the media folder and no part of what is approved; the bytes are."""

    file: str
    title: str
    sha256: str
    path: str = ""
    captions: str = ""
    captions_sha256: str = ""
    captions_path: str = ""

    def said(self) -> dict[str, str]:
        """Say what of it is approved."""
        told = {"sha256": self.sha256, "title": self.title, "captions": self.captions_sha256}
        return {key: value for key, value in told.items() if value}


@dataclass(frozen=True, slots=True)
class Extras:
    """All of them, empty where there are none. `first_comment` is Markdown in a wording, plain text in a content.

    `place` is the number of a Facebook place, `countries` are ISO codes of where the post can be seen; none: everywhere.
    """

    first_comment: str = ""
    video: SentVideo | None = None
    place: str = ""
    countries: tuple[str, ...] = ()

    def said(self) -> dict[str, Any]:
        """Say what of them is approved: only what is there, so that a post without them keeps its hash."""
        told: dict[str, Any] = {"first_comment": self.first_comment, "place": self.place}
        told |= {"countries": list(self.countries), "video": self.video.said() if self.video else None}
        return {key: value for key, value in told.items() if value}

    def kept(self) -> dict[str, Any]:
        """Lay them out to be kept."""
        video = {name: getattr(self.video, name) for name in SentVideo.__slots__} if self.video else None
        return {key: video if key == "video" else value for key, value in self.said().items()}


NO_EXTRAS = Extras()


def read_extras(kept: Mapping[str, Any]) -> Extras:
    """Read what `kept` laid out. Raises `TypeError` for anything else."""
    video = SentVideo(**kept["video"]) if kept.get("video") else None
    return Extras(kept.get("first_comment", ""), video, kept.get("place", ""), tuple(kept.get("countries", ())))
