"""What a correction or a retraction follows: an announcement that is out on the same channel, or a refusal."""

from collections.abc import Callable
from dataclasses import dataclass

from outreach.model import BadInput, FollowKind, Letter

_MOST_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Gone:
    """What is out of an announcement on a channel: by what the channel calls it, its text there, and its letter."""

    remote_id: str | None
    references: tuple[str, ...]
    text: str
    letter: str
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a letter does to which announcement; `where` is the key of the letter that says so."""

    kind: FollowKind
    number: int
    written: str
    where: str


def wish_of(letter: Letter) -> Wish | None:
    """Read it; None for an announcement of its own. Raises `BadInput` for both at once."""
    written = letter.corrects or letter.retracts
    if not written:
        return None
    where = "corrects" if letter.corrects else "retracts"
    if letter.corrects and letter.retracts:
        raise BadInput("It corrects and retracts at once.", where=where, next_step="Do one of the two.")
    is_number = written.isascii() and written.isdecimal() and len(written) < _MOST_DIGITS
    kind = FollowKind.CORRECTION if letter.corrects else FollowKind.RETRACTION
    return Wish(kind, int(written) if is_number else 0, written, where)


def gone_of(wish: Wish, channel: str, gone: Callable[[int, str], Gone | None]) -> Gone:
    """Give what is out of it on a channel. Raises `BadInput` where nothing is."""
    found = gone(wish.number, channel)
    if found is None:
        step = "Leave this channel out, or name an announcement that is out there. What is queued is edited."
        raise BadInput(f"Nothing of announcement {wish.written} is out on {channel}.", where=wish.where, next_step=step)
    return found
