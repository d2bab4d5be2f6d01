"""The card that a Page shows of a link: title, text and picture, read from the page behind it as Facebook reads them."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from io import BytesIO
from urllib.parse import SplitResult, urljoin, urlsplit

from outreach.channels._http import Answer, Http, Reply
from outreach.channels.links import DEADLINE_S, LookUp, Unreached, Visit, look_up
from outreach.model import Problem

MOST_PAGE_BYTES = 256 * 1024
MOST_PICTURE_BYTES = 4_000_000
_MOST_PIXELS = 30_000_000
_SHOWN_PX = (600, 600)
_MOST_CHARS = 300
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP")


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of the page behind a link. `picture` is a small JPEG; empty texts were not found there."""

    link: str
    host: str
    title: str = ""
    about: str = ""
    picture: bytes | None = None

    @property
    def is_bare(self) -> bool:
        """Tell whether the page says nothing of itself."""
        return not self.title


def host_of(link: str) -> str:
    """Give the name of the host as a card shows it."""
    try:
        return (urlsplit(link).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def fetch_card(
    link: str, *, is_sandbox: bool, look_up: LookUp = look_up, deadline_s: float = DEADLINE_S
) -> Card | Problem:
    """Read the page behind a link, and its picture, at most so many bytes of each and within the deadline for each.

    Never inside a private network; in a sandbox only on this machine, and a card with nothing but the host elsewhere.
    """
    visit = _Reading(link, MOST_PAGE_BYTES, is_sandbox=is_sandbox, look_up=look_up, deadline_s=deadline_s)
    found = visit.result()
    if isinstance(found, Unreached):
        return found.problem
    if isinstance(found, Problem):
        return found
    if visit.answer is None:
        return Card(link, host_of(link))
    head = _Head.of(visit.answer)
    picture_at = head.properties.get("og:image", "")
    picture = None
    if picture_at:
        looking = _Reading(
            _joined(visit.here, picture_at),
            MOST_PICTURE_BYTES,
            is_sandbox=is_sandbox,
            look_up=look_up,
            deadline_s=deadline_s,
        )
        picture = _small(looking.answer.body) if looking.result() is None and looking.answer else None
    return Card(link, host_of(visit.here), head.title, head.about, picture)


class _Reading(Visit):
    """A visit that reads the beginning of where the link leads."""

    def __init__(self, link: str, most: int, *, is_sandbox: bool, look_up: LookUp, deadline_s: float) -> None:
        super().__init__(link, is_sandbox=is_sandbox, look_up=look_up, deadline_s=deadline_s)
        self._most = most

    def ask(self, place: SplitResult, address: str | None) -> Reply:
        def read(http: Http, path: str) -> Reply:
            return http.read_some(path, self._most)

        return self.once(place, address, read)


class _Head(HTMLParser):
    """What the head of a page says of it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.properties: dict[str, str] = {}
        self._title: list[str] | None = None
        self._is_in_title = False

    @classmethod
    def of(cls, answer: Answer) -> "_Head":
        head = cls()
        if "html" in answer.headers.get("content-type", "text/html").lower():
            head.feed(_text_of(answer))
        return head

    @property
    def title(self) -> str:
        """The title for a card, else that of the window."""
        return _line(self.properties.get("og:title", "") or "".join(self._title or ()))

    @property
    def about(self) -> str:
        """The sentence below the title."""
        return _line(self.properties.get("og:description", "") or self.properties.get("description", ""))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = (given.get("property") or given.get("name", "")).strip().lower()
        if tag == "meta" and name and "content" in given:
            self.properties.setdefault(name, given["content"])
        if tag == "title" and self._title is None:
            self._title, self._is_in_title = [], True

    def handle_endtag(self, tag: str) -> None:
        self._is_in_title = self._is_in_title and tag != "title"

    def handle_data(self, data: str) -> None:
        if self._is_in_title and self._title is not None:
            self._title.append(data)


_CHARSET = re.compile(rb"""charset=["']?([A-Za-z0-9_-]{1,40})""")


def _text_of(answer: Answer) -> str:
    told = _CHARSET.search(answer.headers.get("content-type", "").encode("latin-1", "replace"))
    found = told or _CHARSET.search(answer.body[:2048])
    name = found[1].decode("ascii") if found else "utf-8"
    try:
        return answer.body.decode(name, "replace")
    except LookupError:
        return answer.body.decode("utf-8", "replace")


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_CHARS else f"{line[: _MOST_CHARS - 1]}…"


def _joined(page: str, link: str) -> str:
    try:
        return urljoin(page, link.strip())
    except ValueError:
        return ""


def _small(data: bytes) -> bytes | None:
    """Draw a picture anew, small: what was fetched is never handed on as it came."""
    from PIL import Image, ImageOps  # start-up time: most processes never show a card

    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as opened:
            if opened.width * opened.height > _MOST_PIXELS:
                return None
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    picture.thumbnail(_SHOWN_PX)
    out = BytesIO()
    picture.save(out, "JPEG", quality=78)
    return out.getvalue()
