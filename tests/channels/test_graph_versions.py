"""The shipped table of Graph API versions warns before one ends."""

from datetime import UTC, datetime

import pytest

from outreach.channels._graph_versions import VERSIONS, end_of, problems_of_version
from outreach.settings import Settings


@pytest.mark.parametrize(
    ("version", "now", "said"),
    [
        ("v21.0", datetime(2026, 11, 26, tzinfo=UTC), "ends on 21 January 2027"),
        ("v21.0", datetime(2027, 1, 21, tzinfo=UTC), "ended on 21 January 2027"),
        ("v21.0", datetime(2026, 10, 22, tzinfo=UTC), None),
        ("v25.0", datetime(2026, 11, 26, tzinfo=UTC), None),
        ("v26.0", datetime(2030, 1, 1, tzinfo=UTC), None),
        ("v99.0", datetime(2030, 1, 1, tzinfo=UTC), None),
    ],
)
def test_a_version_is_warned_of_from_ninety_days_before_its_end(version: str, now: datetime, said: str | None) -> None:
    problems = [problem.message for problem in problems_of_version(version, now=now) if problem.is_warning]
    assert problems == ([f"Version {version} of the Graph API {said}."] if said else [])


def test_the_default_version_is_in_the_table_and_each_ends_after_the_one_before() -> None:
    names = [name for name, _, _ in VERSIONS]
    assert Settings.model_fields["FACEBOOK_GRAPH_VERSION"].default == names[0]
    ends = [end_of(name) for name in names[1:]]
    assert ends == sorted(ends, reverse=True, key=str)
