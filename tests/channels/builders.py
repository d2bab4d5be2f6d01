"""Channels of a sandbox, or of any server, and attempts on them."""

import hashlib
import itertools
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from outreach.channels import Surroundings
from outreach.channels.facebook_page import FacebookPage
from outreach.channels.listserv import Listserv
from outreach.mail.submission import Server
from outreach.model import Attempt, Content, SentPicture, Wording
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from tests.builders import a_post

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
TOKEN = "EAABsecretPageToken0123456789secret"
SECRET = "0123456789abcdef0123456789abcdef"
PASSWORD = "correct horse battery"
_identities = itertools.count(1)


def surroundings(media: Path, now: Callable[[], datetime] = lambda: NOON) -> Surroundings:
    return Surroundings(media, now)


def a_page(
    url: str, media: Path = Path(), *, now: Callable[[], datetime] = lambda: NOON, **settings: str
) -> FacebookPage:
    """A Page at any address, with a token and a secret."""
    values = {
        "FACEBOOK_GRAPH_URL": url,
        "FACEBOOK_PAGE_ID": "1234567890",
        "FACEBOOK_PAGE_TOKEN": TOKEN,
        "FACEBOOK_APP_SECRET": SECRET,
        "OUTREACH_HTTP_TIMEOUT_S": "5",
    }
    page = FacebookPage.from_settings(read_settings(values | settings), surroundings(media, now))
    assert page is not None
    return page


def the_page(box: Sandbox, media: Path = Path(), **settings: Any) -> FacebookPage:
    """The sandbox's first Page."""
    values = {
        "FACEBOOK_PAGE_ID": box.page_id,
        "FACEBOOK_PAGE_TOKEN": box.page_token,
        "FACEBOOK_APP_SECRET": box.app_secret,
    }
    return a_page(box.graph_url, media, **values | settings)


def a_list(port: int, media: Path = Path(), **changes: Any) -> Listserv:
    """A list whose mail is submitted at a port of this machine."""
    server: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "timeout_s": 5.0,
        "final_dot_timeout_s": 5.0,
    }
    server |= changes.pop("server", {})
    values: dict[str, Any] = {
        "address": "tmm-sig@lists.example.org",
        "sender": "Coordinator <coordinator@example.org>",
        "max_bytes": 40 * 1024,
        "surroundings": surroundings(media, changes.pop("now", lambda: NOON)),
    }
    return Listserv(server=Server(**server), **values | changes)


def the_list(box: Sandbox, media: Path = Path(), **changes: Any) -> Listserv:
    """The sandbox's first list."""
    return a_list(box.smtp_port, media, **{"address": box.list_address} | changes)


def a_wording(**changes: Any) -> Wording:
    identity = f"{next(_identities):040x}"
    return replace(Wording("Poster session", "Join us on *Friday*.", None, (), identity, NOON), **changes)


def an_attempt(content: Content, **changes: Any) -> Attempt:
    post = a_post(kind=content.kind, content_sha256=content.sha256(), attempt=1)
    return replace(Attempt(post, 1, NOON, NOON, content), **changes)


def a_picture(
    media: Path, name: str = "poster.jpg", alt: str | None = "A poster", *, seed: int = 1, side: int = 64
) -> SentPicture:
    """A picture of noise, kept in the media folder as the queue keeps it."""
    noise = random.Random(seed).randbytes(side * side * 3)
    out = BytesIO()
    Image.frombytes("RGB", (side, side), noise).save(out, "JPEG")
    digest = hashlib.sha256(out.getvalue()).hexdigest()
    (media / f"{digest}.jpg").write_bytes(out.getvalue())
    return SentPicture(name, alt, digest, f"{digest}.jpg")
