"""One piece of advice."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a piece of advice is about."""

    QUIET = "quiet hours"
    CLOSE = "close to another post"
    ALIKE = "nearly the same text"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    CLOCKS = "clocks change"
    FAR = "far ahead"
    PAST = "past"
    DEADLINE = "deadline"
    DAY = "day"
    NO_LINK = "no link"
    SHOUTING = "shouting"
    HASHTAG = "hashtag"
    MENTION = "mention"
    LINKS = "many links"
    FOLD = "behind the fold"
    ALT = "alternative text"
    SUBJECT = "subject"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Advice:
    """What may be unwise, and what to do about it. `is_grave`: hardly anybody would want it so."""

    kind: Kind
    message: str
    next_step: str = ""
    is_grave: bool = False

    def sentence(self) -> str:
        """All of it in one line."""
        return f"{self.message} {self.next_step}".strip()
