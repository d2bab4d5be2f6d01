"""`/{page}/subscribed_apps`: which events of a Page the app is told. A subscription replaces the one before."""

from typing import Any

from .calls import Call, Done
from .error_table import GraphError, error_named
from .permissions import require_scope
from .world import World

FIELDS = frozenset({"feed", "mention", "name", "picture", "ratings", "messages", "videos", "live_videos", "leadgen"})


def list_apps(world: World, call: Call) -> Done:
    """`GET`: our app alone is ever listed."""
    page_id = _page(world, call)
    fields = world.subscribed.get(page_id)
    if not fields:
        return Done({"data": []})
    app: dict[str, Any] = {"category": "Business", "link": "https://example.org/", "name": "Announcements"}
    return Done({"data": [app | {"id": world.app_id, "subscribed_fields": list(fields)}]})


def subscribe(world: World, call: Call) -> Done:
    """`POST` with `subscribed_fields`: from now on these, and no others."""
    page_id = _page(world, call)
    given = call.params.values.get("subscribed_fields")
    names = given if isinstance(given, list) else str(given or "").strip("[]").replace('"', "").split(",")
    fields = [str(name).strip() for name in names if str(name).strip()]
    if not fields:
        raise GraphError(100, "(#100) The parameter subscribed_fields is required.")
    if unknown := sorted(set(fields) - FIELDS):
        raise GraphError(
            100, f"(#100) Param subscribed_fields[0] must be one of {{FEED, MENTION, …}} - got {unknown[0]}"
        )
    world.subscribed[page_id] = tuple(dict.fromkeys(fields))
    return Done({"success": "true" if world.rules.success_is_text else True}, wrote=True)


def unsubscribe(world: World, call: Call) -> Done:
    """`DELETE`: nothing is told any more."""
    world.subscribed.pop(_page(world, call), None)
    return Done({"success": True}, wrote=True)


def _page(world: World, call: Call) -> str:
    page_id = call.token.page_id if call.segments[0] == "me" else call.segments[0]
    if page_id not in world.pages:
        raise error_named("100_33")
    if call.token.page_id is None:
        raise error_named("190_2069032")
    if call.token.page_id != page_id:
        raise error_named("200")
    require_scope(call.token, "pages_manage_metadata", code=200)
    return call.token.page_id
