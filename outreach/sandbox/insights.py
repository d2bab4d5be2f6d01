"""`GET /{page}/insights` and `GET /{post}/insights`: one dead metric fails the whole call, small Pages get nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from .calls import Call, Done
from .error_table import GraphError, error_named
from .permissions import require_scope
from .records import Page, Post, PostState
from .shapes import graph_time, nonexisting
from .world import World

PAGE_METRICS = frozenset(
    {"page_media_view", "page_total_media_view_unique", "page_post_engagements", "page_follows", "page_daily_follows",
     "page_daily_follows_unique", "page_daily_unfollows_unique", "page_views_total", "page_total_actions"}
)  # fmt: skip
POST_METRICS = frozenset(
    {"post_media_view", "post_total_media_view_unique", "post_reactions_by_type_total", "post_reactions_like_total",
     "post_reactions_love_total", "post_reactions_wow_total", "post_reactions_haha_total", "post_reactions_sorry_total",
     "post_reactions_anger_total", "post_clicks", "post_clicks_by_type", "post_activity_by_action_type"}
)  # fmt: skip
FEWEST_FOLLOWERS = 100
_PERIODS = {"day": 1, "week": 7, "days_28": 28}
_LONGEST = timedelta(days=90)
_DAYS_SHOWN = 2


def read_insights(world: World, call: Call) -> Done:
    """Answer one call; its order of refusals is: object, token, permission, task, metric, period, size of the Page."""
    node = _node(world, call)
    _check_access(world, call, node)
    metrics = _metrics(world, call, node)
    period = call.params.text("period") or ("lifetime" if isinstance(node, Post) else "day")
    _check_period(call, node, period)
    if world.rules.followers < FEWEST_FOLLOWERS:
        if world.rules.small_pages == "2874008":
            raise error_named("2874008")
        return Done({"data": []})
    if isinstance(node, Post) and node.state is not PostState.PUBLISHED:
        raise error_named("2932001")
    data = [_entry(world, node, name, period) for name in metrics if world.audience.figure(node.id, name) is not None]
    return Done({"data": data, "paging": _paging(world, call)})


def _node(world: World, call: Call) -> Page | Post:
    name = call.token.page_id if call.segments[0] == "me" else call.segments[0]
    node = world.pages.get(name or "") or world.posts.get(name or "")
    if isinstance(node, Post) and not world.visible(node):
        node = None
    if node is None:
        if name in world.photos or name in world.comments:
            raise nonexisting("insights", "Photo" if name in world.photos else "Comment")
        raise error_named("100_33")
    return node


def _check_access(world: World, call: Call, node: Page | Post) -> None:
    page_id = node.page_id if isinstance(node, Post) else node.id
    if call.token.page_id is None:
        raise error_named("190_2069032")
    if call.token.page_id != page_id:
        raise error_named("200")
    require_scope(call.token, "read_insights", code=10)
    require_scope(call.token, "pages_read_engagement", code=10)
    if "ANALYZE" not in world.rules.tasks:
        raise GraphError(200, "(#200) The task ANALYZE is missing for this Page")


def _metrics(world: World, call: Call, node: Page | Post) -> list[str]:
    given = call.params.structure("metric") if (call.params.text("metric") or "").startswith("[") else None
    text = call.params.text("metric") or ""
    names = [str(name) for name in given] if isinstance(given, list) else [n.strip() for n in text.split(",")]
    names = list(dict.fromkeys(name for name in names if name))
    if not names:
        raise error_named("3001_1504028")
    alive = (POST_METRICS if isinstance(node, Post) else PAGE_METRICS) - world.rules.dead_metrics
    if not set(names) <= alive:
        raise error_named("100_metric")
    return names


def _check_period(call: Call, node: Page | Post, period: str) -> None:
    if period != "lifetime" and period not in _PERIODS:
        raise GraphError(100, f"(#100) Param period must be one of day, week, days_28, lifetime: {period}")
    if isinstance(node, Page) and period == "lifetime":
        raise GraphError(100, "(#100) This metric is not available for the period lifetime")
    since, until = (_instant(call.params.text(name)) for name in ("since", "until"))
    if since and until and until - since > _LONGEST:
        raise GraphError(100, "(#100) There cannot be more than 90 days between since and until")


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromtimestamp(int(text), UTC) if text.isdecimal() else datetime.fromisoformat(text + "T00:00Z")
    except (ValueError, OverflowError):
        raise GraphError(100, "(#100) Param since and until must be times") from None


def _entry(world: World, node: Page | Post, name: str, period: str) -> dict[str, Any]:
    value = world.audience.figure(node.id, name)
    title = name.replace("_", " ").capitalize()
    return {
        "name": name,
        "period": period,
        "values": _values(world.clock.now(), value, period),
        "title": title,
        "description": f"{title}, as the sandbox counts it.",
        "id": f"{node.id}/insights/{name}/{period}",
    }


def _values(now: datetime, value: Any, period: str) -> list[dict[str, Any]]:
    """A day ends the day after at 08:00 UTC; what was set stands in the latest one."""
    if period == "lifetime":
        return [{"value": value}]
    last = now.replace(hour=8, minute=0, second=0, microsecond=0)
    ends = [last - timedelta(days=back) for back in reversed(range(_DAYS_SHOWN))]
    blank: Any = {} if isinstance(value, dict) else 0
    return [{"value": value if end == last else blank, "end_time": graph_time(end)} for end in ends]


def _paging(world: World, call: Call) -> dict[str, str]:
    """Both addresses hold the token, as the real ones do."""
    now = int(world.clock.now().timestamp())
    where = f"{world.base_url}/{call.version}/{'/'.join(call.segments)}"
    kept = {"access_token": call.token.text, "metric": call.params.text("metric") or ""}
    return {
        "previous": f"{where}?{urlencode(kept | {'since': now - 172_800, 'until': now - 86_400})}",
        "next": f"{where}?{urlencode(kept | {'since': now, 'until': now + 86_400})}",
    }
