"""Where a Page folds a long post: what most people read of it."""

from outreach import markup
from outreach.advice.counsel import Advice, Kind

FOLD_CHARS = 477
FOLD_LINES = 5
"""Meta states neither number. They are what schedulers and agencies report of the desktop page: after about 477 characters
or five lines, whichever is first, the rest is behind “See more”; a phone folds a little earlier or later. So it is shown
as an estimate, and nothing that leaves depends on it."""

_SLACK = 20  # Facebook does not fold for a word or two


def fold(text: str) -> int:
    """Give the place in a text from which on it is folded away; its length where nothing is."""
    lines = text.split("\n")
    by_lines = len("\n".join(lines[:FOLD_LINES])) if len(lines) > FOLD_LINES else len(text)
    by_chars = len(text)
    if len(text) > FOLD_CHARS + _SLACK:
        blank = max(text.rfind(" ", 0, FOLD_CHARS), text.rfind("\n", 0, FOLD_CHARS))
        by_chars = blank if blank > FOLD_CHARS // 2 else FOLD_CHARS
    return min(by_lines, by_chars)


def on_fold(text: str, *, has_card: bool) -> list[Advice]:
    """Say when the way on, the first web address, is folded away and no card shows it."""
    addresses = markup.addresses(text)
    if has_card or not addresses or text.find(addresses[0]) < fold(text):
        return []
    told = "The first web address is behind “See more”, where fewer people see it."
    return [Advice(Kind.FOLD, told, "Move it up, into the first lines.")]
