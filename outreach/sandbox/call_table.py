"""The Graph calls of a publishing client as data: what may be asked of which edge, with which parameters of which types.

Restated from Facebook's published references; a call that is not here, or a parameter that is not, is a stray one, and a
sandbox whose rule `strict` is on keeps a list of them. Of each call also what it needs, since which version it has been
seen, and the title of the page of Facebook's documentation that it rests on.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

POSTS_GUIDE = "Pages API: Posts"
FEED = "Graph API Reference: Page Feed"
PHOTOS = "Graph API Reference: Page Photos"
VIDEOS = "Graph API Reference: Page Videos"
PAGE_POST = "Graph API Reference: Page Post"
COMMENTS = "Pages API: Comments and @Mentions"
TOKENS = "Facebook Login: Access Tokens"
SECURITY = "Facebook Login: Security"
FLOW = "Facebook Login: Manually Build a Login Flow"
DEBUG = "Graph API Reference: Debug Token"
ACCOUNTS = "Graph API Reference: User Accounts"
BUSINESS = "Business Management APIs: Pages"
INSIGHTS = "Graph API Reference: Page Insights"
WEBHOOKS = "Webhooks for Pages"
SHARING = "Sharing: Best Practices, Updating the Cache"
SCHEDULED = "Graph API Reference: Page Scheduled Posts"
PAGING = "Graph API: Paginated Results"
PAGE = "Graph API Reference: Page"


@dataclass(frozen=True, slots=True)
class GraphCall:
    """One call. `edge` names nodes in braces; `parameters` gives the type of each: text, url, bool, int, time, json, file, id."""

    method: str
    edge: str
    parameters: Mapping[str, str]
    permission: str
    rests_on: str
    seen_in: str = "v25.0"

    def fits(self, method: str, segments: tuple[str, ...]) -> bool:
        """Say whether a call is one of these."""
        own = tuple(part for part in self.edge.split("/") if part)
        if method != self.method or len(own) != len(segments):
            return False
        return all(_NODES[mine].fullmatch(theirs) if mine in _NODES else mine == theirs for mine, theirs in zip(own, segments, strict=True))  # fmt: skip


watchers: list[Callable[[str], None]] = []
"""Told of each stray call of every sandbox of this process whose rule `strict` is on."""

_NUMBER = re.compile("[0-9]+")
_NODES = {
    "{page}": re.compile("[0-9]+|me"),
    "{post}": re.compile("[0-9]+_[0-9]+"),
    "{object}": re.compile("[0-9]+(_[0-9]+)?"),
    "{video}": _NUMBER,
    "{business}": _NUMBER,
}
EVERYWHERE = {"access_token": "text", "appsecret_proof": "text", "appsecret_time": "int", "fields": "text", "method": "text", "format": "text", "pretty": "bool", "locale": "text", "debug": "text"}  # fmt: skip
"""What any call may carry."""

_LIST = {"limit": "int", "after": "text", "before": "text"}
_SPAN = {"since": "time", "until": "time"}
_MANAGE = "pages_manage_posts, pages_read_engagement"
_READ = "pages_read_engagement"
_SCHEDULE = {"published": "bool", "scheduled_publish_time": "time", "unpublished_content_type": "text"}

CALLS: tuple[GraphCall, ...] = (
    # Publishing
    GraphCall(
        "POST", "/{page}/feed",
        {"message": "text", "link": "url", **_SCHEDULE, "attached_media": "json", "targeting": "json",
         "feed_targeting": "json", "backdated_time": "time", "place": "id", "call_to_action": "json",
         "child_attachments": "json", "picture": "url", "name": "text", "description": "text", "thumbnail": "file"},
        _MANAGE, FEED,
    ),
    GraphCall(
        "POST", "/{page}/photos",
        {"source": "file", "url": "url", "caption": "text", "message": "text", "name": "text", "alt_text_custom": "text",
         "temporary": "bool", **_SCHEDULE, "scheduled_publish_time": "int", "targeting": "json"},
        _MANAGE, PHOTOS, "v26.0",
    ),
    GraphCall(
        "POST", "/{page}/videos",
        {"file_url": "url", "source": "file", "fbuploader_video_file_chunk": "text", "title": "text", "description": "text",
         "thumb": "file", **_SCHEDULE, "scheduled_publish_time": "int", "upload_phase": "text", "file_size": "int",
         "upload_session_id": "id", "start_offset": "int", "video_file_chunk": "file"},
        f"{_MANAGE}, publish_video", VIDEOS,
    ),
    GraphCall("POST", "/{video}/captions", {"captions_file": "file", "default_locale": "text", "locales_to_delete": "json"}, _MANAGE, VIDEOS),
    GraphCall("GET", "/{video}/captions", _LIST, _READ, VIDEOS),
    GraphCall(
        "POST", "/{post}",
        {"message": "text", "is_published": "bool", "is_hidden": "bool", "is_pinned": "bool", "attached_media": "json",
         "scheduled_publish_time": "int", "backdated_time": "time"},
        _MANAGE, PAGE_POST,
    ),
    GraphCall("DELETE", "/{object}", {}, _MANAGE, PAGE_POST),
    GraphCall(
        "POST", "/{object}/comments",
        {"message": "text", "attachment_id": "id", "attachment_url": "url", "attachment_share_url": "url"},
        "pages_manage_engagement", COMMENTS,
    ),
    GraphCall("POST", "/", {"id": "url", "scrape": "bool"}, "none", SHARING),
    # Reading
    GraphCall("GET", "/", {"ids": "text", "id": "url", "scrape": "bool"}, _READ, PAGING),
    GraphCall("GET", "/me", {}, "none", PAGE),
    GraphCall("GET", "/{object}", {}, _READ, PAGE_POST),
    GraphCall("GET", "/{page}/published_posts", {**_LIST, **_SPAN, "include_hidden": "bool", "show_expired": "bool", "with": "text"}, _READ, FEED),
    GraphCall("GET", "/{page}/posts", {**_LIST, **_SPAN}, _READ, FEED),
    GraphCall("GET", "/{page}/feed", {**_LIST, **_SPAN}, f"{_READ}, pages_read_user_content", FEED),
    GraphCall("GET", "/{page}/photos", {**_LIST, **_SPAN, "type": "text"}, _READ, PHOTOS),
    GraphCall("GET", "/{page}/videos", {**_LIST, **_SPAN, "type": "text"}, _READ, VIDEOS),
    GraphCall("GET", "/{page}/scheduled_posts", _LIST, _MANAGE, SCHEDULED),
    GraphCall("GET", "/{object}/comments", {**_LIST, "order": "text", "filter": "text", "summary": "bool"}, f"{_READ}, pages_read_user_content", COMMENTS),
    *(
        GraphCall(
            "GET", f"/{node}/insights",
            {**_SPAN, "metric": "text", "period": "text", "date_preset": "text", "breakdown": "text", "show_description_from_api_doc": "bool"},
            f"read_insights, {_READ}", INSIGHTS,
        )
        for node in ("{page}", "{post}")
    ),
    # Tokens and connecting
    GraphCall("GET", "/dialog/oauth", {"client_id": "id", "redirect_uri": "url", "state": "text", "scope": "text", "response_type": "text", "auth_type": "text", "display": "text", "config_id": "id"}, "none", FLOW),
    GraphCall("POST", "/dialog/oauth", {"client_id": "id", "redirect_uri": "url", "state": "text", "scope": "text", "response_type": "text", "auth_type": "text", "answer": "text", "page": "id"}, "none", FLOW),
    *(
        GraphCall(
            method, "/oauth/access_token",
            {"client_id": "id", "client_secret": "text", "redirect_uri": "url", "code": "text", "grant_type": "text", "fb_exchange_token": "text"},
            "none", TOKENS,
        )
        for method in ("GET", "POST")
    ),
    GraphCall("GET", "/debug_token", {"input_token": "text"}, "none", DEBUG),
    GraphCall("GET", "/me/accounts", {**_LIST, "summary": "bool"}, "pages_show_list", ACCOUNTS),
    GraphCall("GET", "/me/permissions", {"permission": "text", "status": "text"}, "none", SECURITY),
    GraphCall("DELETE", "/me/permissions", {}, "none", SECURITY),
    GraphCall("GET", "/me/businesses", _LIST, "business_management", BUSINESS),
    *(GraphCall("GET", f"/{{business}}/{edge}", _LIST, "business_management", BUSINESS) for edge in ("owned_pages", "client_pages")),
    GraphCall("POST", "/{page}/subscribed_apps", {"subscribed_fields": "text"}, "pages_manage_metadata, pages_show_list", WEBHOOKS),
    GraphCall("GET", "/{page}/subscribed_apps", _LIST, "pages_manage_metadata, pages_show_list", WEBHOOKS),
    GraphCall("DELETE", "/{page}/subscribed_apps", {}, "pages_manage_metadata", WEBHOOKS),
)  # fmt: skip


def call_of(method: str, segments: tuple[str, ...]) -> GraphCall | None:
    """Give the call that a request is, by its method and its path without the version; None for a stray one."""
    return next((call for call in CALLS if call.fits(method, segments)), None)


def strays(method: str, segments: tuple[str, ...], values: Mapping[str, Any], files: Iterable[str] = ()) -> list[str]:
    """Name everything about a request that is in no reference: its edge, its parameters, their types."""
    where = f"{method} /{'/'.join(_NUMBER.sub('N', segment) for segment in segments)}"
    call = call_of(method, segments)
    if call is None:
        return [f"{where}: no such call"]
    known = EVERYWHERE | dict(call.parameters)
    return [f"{where}: {what}" for what in (*_odd_values(values, known), *_odd_files(files, known))]


def _odd_values(values: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[str]:
    for name, value in values.items():
        kind = known.get(name.partition("[")[0])
        if kind is None:
            yield f"no parameter {name}"
        elif not _is_of(kind, value):
            yield f"{name} is no {kind}"


def _odd_files(files: Iterable[str], known: Mapping[str, str]) -> Iterator[str]:
    """Facebook takes a file by any name: only a call that takes none is odd."""
    if "file" not in known.values():
        yield from (f"no file {name}" for name in files)


def _is_of(kind: str, value: Any) -> bool:
    text = "true" if value is True else "false" if value is False else str(value)
    match kind:
        case "bool":
            return text.lower() in {"true", "false", "1", "0"}
        case "int":
            return re.fullmatch("-?[0-9]+", text) is not None
        case "id":
            return re.fullmatch("[0-9]+(_[0-9]+)?", text) is not None
        case "url":
            return urlsplit(text).scheme in {"http", "https"}
        case "json":
            return not isinstance(value, str) or _is_json(value)
        case "file":
            return False
    return True


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
