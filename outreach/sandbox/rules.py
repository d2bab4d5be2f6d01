"""Switches of the sandbox's Facebook: everything a test may want otherwise than by default."""

from dataclasses import dataclass, field
from typing import Literal

ALL_TASKS = ("ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE")


@dataclass
class Rules:
    """Defaults are Facebook on a good day. Times ending in `_s` are seconds of the sandbox clock."""

    strict: bool = True
    """Calls and parameters that are in no reference are told to whoever watches; they are listed in any case."""
    require_proof: bool = False
    tasks: tuple[str, ...] = ALL_TASKS
    max_message_chars: int = 63_206
    max_photo_bytes: int = 4 * 1024 * 1024
    staged_photo_lives_s: float = 24 * 3600
    schedule_min_s: float = 10 * 60
    schedule_max_s: float = 30 * 24 * 3600
    scheduled_posts_fail_silently: bool = False
    lag_s: float = 0.0
    max_video_bytes: int = 1024**3
    video_takes_s: float = 0.0
    video_lag_s: float = 0.0
    video_verdict: Literal["ready", "error"] = "ready"
    videos_may_be_attached: bool = True
    videos_ignore_published: bool = False
    """A Facebook that publishes a video when its upload is finished, whatever it was asked."""
    duplicates: Literal["506", "368_1404082"] | None = None
    duplicate_window_s: float = 3600.0
    may_edit: bool = True
    may_delete: bool = True
    followers: int = 1_240
    """Below 100 no Page has insights: then they are empty, or refused as `small_pages` says."""
    small_pages: Literal["empty", "2874008"] = "empty"
    dead_metrics: set[str] = field(default_factory=set)
    """Metrics that died besides those that are dead anyway."""
    counts_need_user_content: bool = False
    """Whether summaries of reactions and comments ask for `pages_read_user_content`."""
    success_is_text: bool = False
    call_budget: int = 0
    """Calls in all before usage reaches 100 % and 80001 is answered; 0 means usage stays at 0."""
    development_mode: bool = False
    """The app is in Development mode: what it posts is answered as ever, and only people with a role on the app see it."""
    hollow_pages: int = 0
    """So many pages of a list come empty, yet with a `next`, before those that hold something."""
    dead_links: set[str] = field(default_factory=set)
    """Links that Facebook's scraper cannot reach: answered with 1609005."""
    link_cards: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Title and description by link, as its Open Graph tags would say."""
    redirect_uris: set[str] = field(default_factory=set)
    """The app's Valid OAuth Redirect URIs: the log-in dialog leads back to exactly these."""
    omit_expires_in: bool = False
    """Whether `/oauth/access_token` says nothing of how long a token lives."""
    tasks_by_page: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The person's tasks on a Page where they are not `tasks`."""
    portfolio: dict[str, str] = field(default_factory=dict)
    """Pages that only a business portfolio has, each with its edge there: `owned_pages` or `client_pages`."""
    pictures_by_url: dict[str, bytes] = field(default_factory=dict)
    """What the sandbox finds when a photo is sent as `url`; it never fetches anything itself."""
