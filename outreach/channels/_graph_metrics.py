"""The metrics of a Page and its posts: those alive in late 2026, by family, and those that died, with what took their place.

Asking for one dead metric fails the call for all, so a family is asked for at once and, when that fails, each alone. `since`
is the oldest version still served in which it is known; a name that ends in `*` stands for all that begin so.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from outreach.reach import CLICKS, ENGAGEMENTS, FOLLOWERS, JOINED, LEFT, REACHED, REACTIONS, VIEWS, VISITS


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `says` is our word for it; `died` the day or month in which Facebook took it away."""

    name: str
    family: str
    says: str = ""
    since: str = "v21.0"
    died: str = ""
    instead: str = ""


METRICS: tuple[Metric, ...] = (
    # Of a post, over its whole life
    Metric("post_total_media_view_unique", "post reach", REACHED, since="v25.0"),
    Metric("post_media_view", "post reach", VIEWS, since="v24.0"),
    Metric("post_reactions_by_type_total", "post response", REACTIONS),
    Metric("post_clicks", "post response", CLICKS),
    # Of a Page, of a day
    Metric("page_total_media_view_unique", "page reach", REACHED, since="v25.0"),
    Metric("page_media_view", "page reach", VIEWS, since="v24.0"),
    Metric("page_views_total", "page reach", VISITS),
    Metric("page_follows", "page following", FOLLOWERS),
    Metric("page_daily_follows_unique", "page following", JOINED),
    Metric("page_daily_unfollows_unique", "page following", LEFT),
    Metric("page_post_engagements", "page following", ENGAGEMENTS),
    # Dead: never asked for
    Metric("page_engaged_users", "page reach", died="2024-03", instead="page_post_engagements"),
    Metric("post_engaged_users", "post response", died="2024-03", instead="post_clicks"),
    Metric("page_impressions", "page reach", died="2025-11-15", instead="page_media_view"),
    Metric("page_impressions_unique*", "page reach", died="2026-06-15", instead="page_total_media_view_unique"),
    Metric("page_impressions_*", "page reach", died="2025-11-15", instead="page_media_view"),
    Metric("page_posts_impressions", "page reach", died="2025-11-15", instead="page_media_view"),
    Metric("page_posts_impressions_unique*", "page reach", died="2026-06-15", instead="page_total_media_view_unique"),
    Metric("page_posts_impressions_*", "page reach", died="2025-11-15", instead="page_media_view"),
    Metric("post_impressions", "post reach", died="2025-11-15", instead="post_media_view"),
    Metric("post_impressions_unique*", "post reach", died="2026-06-15", instead="post_total_media_view_unique"),
    Metric("post_impressions_*", "post reach", died="2025-11-15", instead="post_media_view"),
    Metric("page_fans*", "page following", died="2025-11-15", instead="page_follows"),
    Metric("page_fan_adds*", "page following", died="2025-11-15", instead="page_daily_follows_unique"),
    Metric("page_fan_removes*", "page following", died="2025-11-15", instead="page_daily_unfollows_unique"),
)


def families(of: str) -> dict[str, tuple[Metric, ...]]:
    """Give the living metrics of a `post` or a `page` by their families, each asked for in one call."""
    alive = [metric for metric in METRICS if not metric.died and metric.family.startswith(f"{of} ")]
    return {family: tuple(m for m in alive if m.family == family) for family in dict.fromkeys(m.family for m in alive)}


def dead(name: str) -> Metric | None:
    """Give the row by which a metric is dead; None for one that is not."""
    return next((metric for metric in METRICS if metric.died and fnmatchcase(name, metric.name)), None)
