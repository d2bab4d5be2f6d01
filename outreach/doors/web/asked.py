"""What a visitor asks of the history: read from an address, and written into one again."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from outreach.model import BadInput, State
from outreach.store.posts import HistoryFilter
from outreach.when import midnight

NAMES = ("search", "channel", "template", "person", "state", "since", "until")
_MOST_CHARS = 500
_MOST_KEY = 1 << 62


@dataclass(frozen=True, slots=True)
class Asked:
    """The texts as they were typed, each empty when nothing was, and the page that is wanted.

    `below` and `above` are places of the history. What cannot be read is in `bad`; then nothing is to be looked for.
    """

    texts: dict[str, str]
    wanted: HistoryFilter
    below: int | None = None
    above: int | None = None
    bad: BadInput | None = field(default=None)

    @property
    def is_narrowed(self) -> bool:
        """Tell whether anything is asked for at all."""
        return any(self.texts.values())

    def address(self, path: str, **more: object) -> str:
        """Write the address of the same question elsewhere, or of another page of the answer."""
        given = {name: text for name, text in self.texts.items() if text} | more
        return f"{path}?{urlencode(given)}" if given else path


def read(given: QueryParams, zone: str) -> Asked:
    """Read what is asked for. Days are those of the zone; the last one is included."""
    texts = {name: given.get(name, "")[:_MOST_CHARS].replace("\x00", " ").strip() for name in NAMES}
    try:
        wanted = HistoryFilter(
            search=texts["search"] or None,
            since=_start_of(texts["since"], "since", zone),
            until=_start_of(texts["until"], "until", zone, days=1),
            channel=texts["channel"] or None,
            template=texts["template"] or None,
            person=texts["person"] or None,
            state=_state(texts["state"]),
            limit=None,
        )
    except BadInput as bad:
        return Asked(texts, HistoryFilter(), bad=bad)
    return Asked(texts, wanted, _place(given.get("below")), _place(given.get("above")))


def year_of(year: int, zone: str) -> tuple[datetime, datetime]:
    """Give the instants between which a year of the zone lies."""
    return midnight(date(year, 1, 1), zone), midnight(date(year + 1, 1, 1), zone)


def _start_of(text: str, name: str, zone: str, *, days: int = 0) -> datetime | None:
    if not text:
        return None
    try:
        return midnight(date.fromisoformat(text) + timedelta(days=days), zone)
    except (ValueError, OverflowError, BadInput):
        raise BadInput(f"“{text}” is no day.", where=name, next_step="Write it such as 2026-12-01.") from None


def _state(text: str) -> State | None:
    if text and text not in set(State):
        raise BadInput(f"There is no state “{text}”.", where="state", next_step="Choose one of the list.")
    return State(text) if text else None


def _place(text: str | None) -> int | None:
    if not text or not (text.isascii() and text.isdecimal() and len(text) < 20):
        return None
    return min(int(text), _MOST_KEY)
