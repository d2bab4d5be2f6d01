"""The versions of the Graph API, as Facebook's changelog lists them: until when each is served."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from outreach.model import Problem

# (version, introduced, served until; None: not announced yet)
VERSIONS: tuple[tuple[str, date, date | None], ...] = (
    ("v26.0", date(2026, 7, 29), None),
    ("v25.0", date(2026, 2, 18), date(2028, 7, 29)),
    ("v24.0", date(2025, 10, 8), date(2028, 2, 18)),
    ("v23.0", date(2025, 5, 29), date(2027, 10, 8)),
    ("v22.0", date(2025, 1, 21), date(2027, 5, 20)),
    ("v21.0", date(2024, 10, 2), date(2027, 1, 21)),
    ("v20.0", date(2024, 5, 21), date(2026, 9, 24)),
    ("v19.0", date(2024, 1, 23), date(2026, 5, 21)),
)
WARN_BEFORE = timedelta(days=90)
_NEWEST = VERSIONS[0][0]


def end_of(version: str) -> date | None:
    """Say until when a version is served, where that is known."""
    return next((end for name, _, end in VERSIONS if name == version), None)


def problems_of_version(version: str, *, now: datetime) -> Iterator[Problem]:
    """Warn before a version ends: after that Facebook serves a later one unasked, in which things may differ."""
    end = end_of(version)
    if end is None:
        return
    shown, step = f"{end.day} {end:%B %Y}", f"Set FACEBOOK_GRAPH_VERSION={_NEWEST} and start outreach again."
    if end <= now.date():
        yield Problem(f"Version {version} of the Graph API ended on {shown}.", step, is_warning=True)
    elif end - now.date() <= WARN_BEFORE:
        yield Problem(f"Version {version} of the Graph API ends on {shown}.", step, is_warning=True)
