"""What a correction says first: the lines that changed, what they said and what they say now."""

import re
from difflib import SequenceMatcher

from outreach.model import Follow, FollowKind

_MOST_SHOWN = 12
_MARKS = re.compile(r"^\s{0,3}(?:[#>]+\s+|[-*+]\s+|\d+[.)]\s+)")


def led_by_changes(body: str, follow: Follow | None) -> str:
    """Give the Markdown of a mail with what changed since the earlier one in front; a retraction says its own words."""
    if follow is None or follow.kind is not FollowKind.CORRECTION:
        return body
    changes = _changes(_lines(follow.before), _lines(body))
    if not changes:
        return body
    shown = "\n".join(changes[:_MOST_SHOWN])
    more = f"\n- and {len(changes) - _MOST_SHOWN} more lines" if len(changes) > _MOST_SHOWN else ""
    return f"**What is corrected**\n\n{shown}{more}\n\n**The corrected announcement**\n\n{body}"


def _lines(text: str) -> list[str]:
    return [stripped for line in text.splitlines() if (stripped := _MARKS.sub("", line).strip())]


def _changes(before: list[str], after: list[str]) -> list[str]:
    found = []
    for what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            continue
        was, now = " ".join(before[a:b]), " ".join(after[c:d])
        if was and now:
            found.append(f"- {now} (before: {was})")
        elif now:
            found.append(f"- new: {now}")
        else:
            found.append(f"- no more: {was}")
    return found
