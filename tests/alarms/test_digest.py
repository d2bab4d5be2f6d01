"""The weekly digest: its exact words, once a week on Monday from eight o'clock, also when nothing happened."""

from datetime import UTC, datetime, timedelta

import pytest

from outreach.doors.worker import Worker
from outreach.model import State
from outreach.sandbox import Sandbox
from outreach.store import checks
from outreach.store.channels import ChannelRow
from outreach.watch.digest import Digest, Standing, digest_note, latest_monday
from tests.alarms.world import World
from tests.builders import NOW, a_post, a_stored_post
from tests.doors.place import Place

ZONE = "America/New_York"
MONDAY = datetime(2026, 12, 7, 13, 0, tzinfo=UTC)  # eight o'clock in New York
FACEBOOK = ChannelRow(1, 1, "facebook", "facebook_page", "ready", None, None, None)
LISTSERV = ChannelRow(2, 1, "listserv", "listserv", "paused", "The log-in failed.", None, None)
CLOSING = """
This mail comes once a week, on Monday, also when nothing happened.
When it does not come, see whether the worker runs: outreach doctor
"""


def standing(**changes: object) -> Standing:
    values: dict[str, object] = {
        "community": "TMM SIG",
        "zone": ZONE,
        "at": MONDAY,
        "channels": [FACEBOOK],
        "went_out": [],
        "planned": [],
        "waiting": [],
        "ends": [],
    }
    return Standing(**values | changes)  # type: ignore[arg-type]


def test_a_week_in_which_nothing_happened_says_so() -> None:
    note = digest_note(standing())
    assert note.subject == "[outreach] TMM SIG: the week: all is well"
    assert (
        note.body
        == """TMM SIG, as of Mon 7 Dec 2026, 08:00 America/New_York (EST)

Went out in the last 7 days: nothing

Planned for the next 14 days: nothing

Waits for a person: nothing

Access that ends: nothing

Paused channels: nothing
"""
        + CLOSING
    )


def test_a_week_in_which_much_happened_says_what_where_and_when() -> None:
    note = digest_note(
        standing(
            channels=[FACEBOOK, LISTSERV],
            went_out=[
                a_post(id=2, channel="listserv", state=State.PUBLISHED, message_id="<1@example.org>"),
                a_post(state=State.PUBLISHED, url="https://www.facebook.com/1/posts/2"),
            ],
            planned=[
                a_post(due_at=NOW + timedelta(days=7), title="Webinar"),
                a_post(due_at=NOW + timedelta(days=8), title="Awards", approved=False),
                a_post(due_at=NOW + timedelta(days=9), title="Election", paused=True),
            ],
            waiting=[a_post(state=State.MISSED, title="Business meeting")],
            ends=[("facebook", NOW + timedelta(days=60))],
            safe_mode="The clock jumped.",
        )
    )
    assert note.subject == "[outreach] TMM SIG: the week: safe mode is on, 1 wait for a person, 1 paused"
    assert (
        note.body
        == """TMM SIG, as of Mon 7 Dec 2026, 08:00 America/New_York (EST)

Safe mode is on, so nothing goes out: The clock jumped.

Went out in the last 7 days: 2
- facebook: Poster session, Tue 1 Dec 2026, 09:00 America/New_York (EST)
  https://www.facebook.com/1/posts/2
- listserv: Poster session, Tue 1 Dec 2026, 09:00 America/New_York (EST)
  the mail server took it as <1@example.org>

Planned for the next 14 days: 3
- facebook: Webinar, Tue 8 Dec 2026, 09:00 America/New_York (EST)
- facebook: Awards, Wed 9 Dec 2026, 09:00 America/New_York (EST) (waits for an approval)
- facebook: Election, Thu 10 Dec 2026, 09:00 America/New_York (EST) (paused)

Waits for a person: 1
- facebook: Business meeting, Tue 1 Dec 2026, 09:00 America/New_York (EST): missed. See: outreach show 12/facebook

Access that ends: 1
- facebook: Sat 30 Jan 2027, 09:00 America/New_York (EST)

Paused channels: 1
- listserv: The log-in failed.
"""
        + CLOSING
    )


def test_a_long_list_is_cut_and_says_so() -> None:
    body = digest_note(standing(planned=[a_post(id=n) for n in range(25)])).body
    assert "Planned for the next 14 days: 25\n" in body
    assert body.count("Poster session") == 20
    assert "- and 5 more: outreach queue, outreach history" in body


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        (MONDAY, ZONE, MONDAY),
        (MONDAY - timedelta(seconds=1), ZONE, MONDAY - timedelta(days=7)),
        (MONDAY + timedelta(days=6, hours=23), ZONE, MONDAY),
        (datetime(2026, 12, 6, 23, 0, tzinfo=UTC), "Asia/Tokyo", datetime(2026, 12, 6, 23, 0, tzinfo=UTC)),
        (datetime(2026, 12, 7, 19, 59, tzinfo=UTC), "AoE", datetime(2026, 11, 30, 20, 0, tzinfo=UTC)),
    ],
)
def test_monday_is_that_of_the_communitys_zone(now: datetime, zone: str, expected: datetime) -> None:
    assert latest_monday(now, zone) == expected


def counts(world: World, *moments: timedelta) -> list[int]:
    """Do the errand at these moments after Monday, eight o'clock; give how many mails there are after each."""
    found = []
    for moment in moments:
        world.clock._now = MONDAY + moment
        world.run("digest")
        found.append(len(world.mails))
    return found


MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def test_it_comes_once_a_week_from_monday_eight_o_clock(world: World) -> None:
    assert counts(world, -MINUTE, 0 * DAY, MINUTE, 3 * DAY, 7 * DAY - MINUTE) == [0, 1, 1, 1, 1]
    assert counts(world, 7 * DAY, 8 * DAY) == [2, 2]
    assert world.mails[0]["Subject"] == "[outreach] TMM SIG: the week: all is well"


def test_a_new_install_waits_for_its_first_monday(world: World) -> None:
    assert counts(world, 2 * DAY, 7 * DAY - MINUTE, 7 * DAY) == [0, 0, 1]


def test_a_machine_that_was_off_on_monday_tells_on_tuesday(world: World) -> None:
    assert counts(world, -MINUTE, DAY + MINUTE) == [0, 1]


def test_a_digest_that_was_not_taken_is_tried_again_ten_minutes_later(world: World, box: Sandbox) -> None:
    box.mail.fail("RCPT", "450", times=1)
    assert counts(world, 0 * DAY, 9 * MINUTE, 10 * MINUTE, 20 * MINUTE) == [0, 0, 1, 1]


def test_it_tells_what_went_out_what_waits_and_what_ends(world: World, place: Place) -> None:
    a_stored_post(world.store, State.MISSED, title="Business meeting")
    a_stored_post(world.store, title="Poster session", due_at=MONDAY + 3 * DAY, channel="listserv")
    a_stored_post(world.store, title="Next year", due_at=MONDAY + 15 * DAY, channel="listserv")
    with world.store.write() as tx:
        checks.keep_expiry(tx, "facebook", MONDAY + 60 * DAY)
    world.house.desk.pause_channel("listserv", reason="A holiday.", person="ann@example.org")
    assert counts(world, 0 * DAY) == [1]
    [text] = world.texts()
    assert "Planned for the next 14 days: 1 - listserv: Poster session, Thu 10 Dec 2026, 08:00" in text
    assert "Waits for a person: 1 - facebook: Business meeting" in text
    assert "Access that ends: 1 - facebook: Fri 5 Feb 2027, 08:00" in text
    assert "Paused channels: 1 - listserv: A holiday." in text


def test_what_really_went_out_is_told_with_its_address(place: Place, box: Sandbox) -> None:
    place.json("add", place.letter(title="Colloquium"))
    house = place.house()
    Worker(house).once()
    digest = Digest(store=house.store, routes=(), now=house.clock.now, community="TMM SIG", zone=ZONE)
    body = digest_note(digest.standing()).body
    house.close()
    permalink = box.graph.public_posts()[0].permalink_url
    [listed] = box.mail.distributed()
    assert "Went out in the last 7 days: 2\n- facebook: Colloquium, " in body
    assert f"\n  {permalink}\n" in body
    assert f"\n  the mail server took it as {listed.message_id}\n" in body


def test_it_can_be_turned_off(world: World, place: Place) -> None:
    house = place.house(OUTREACH_DIGEST="off")
    publisher, watch = house.new_worker()
    publisher.close()
    house.close()
    assert "digest" not in {errand.name for errand in watch.errands}
