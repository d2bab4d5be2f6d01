"""Posts that Facebook itself publishes later."""

import pytest

from outreach.sandbox import Sandbox

from .clients import Caller, error_of, media

DAY_S = 24 * 3600


def due_in(box: Sandbox, seconds: float) -> int:
    return int(box.graph.clock.now().timestamp() + seconds)


def test_a_scheduled_post_moves_when_its_time_comes(box: Sandbox, call: Caller) -> None:
    due = due_in(box, 3600)
    post_id = call.publish("later", published="false", scheduled_publish_time=due)
    assert (call.ids("scheduled_posts"), call.ids()) == ([post_id], [])
    box.graph.clock.advance(3600)
    assert (call.ids("scheduled_posts"), call.ids()) == ([], [post_id])
    (post,) = box.graph.public_posts()
    assert post.created_at.timestamp() == due


def test_the_time_is_read_back_as_a_number(box: Sandbox, call: Caller) -> None:
    due = due_in(box, 3600)
    post_id = call.publish("later", published="false", scheduled_publish_time=due)
    answer = call.get(post_id, fields="scheduled_publish_time,is_published").json()
    assert answer == {"id": post_id, "scheduled_publish_time": due, "is_published": False}


@pytest.mark.parametrize("seconds", [-60, 0, 590, 30 * DAY_S + 1])
def test_a_time_out_of_bounds_is_refused(box: Sandbox, call: Caller, seconds: float) -> None:
    answer = call.feed(message="x", published="false", scheduled_publish_time=due_in(box, seconds))
    assert answer.json()["error"]["message"] == "(#100) The specified scheduled publish time is invalid."


@pytest.mark.parametrize("seconds", [600, 30 * DAY_S])
def test_the_bounds_themselves_are_taken(box: Sandbox, call: Caller, seconds: float) -> None:
    assert call.feed(message="x", published="false", scheduled_publish_time=due_in(box, seconds)).ok


def test_the_bounds_can_be_moved(box: Sandbox, call: Caller) -> None:
    box.graph.rules.schedule_max_s = 75 * DAY_S
    assert call.feed(message="x", published="false", scheduled_publish_time=due_in(box, 74 * DAY_S)).ok


def test_published_and_a_time_contradict_each_other(box: Sandbox, call: Caller) -> None:
    answer = call.feed(message="x", scheduled_publish_time=due_in(box, 3600))
    assert error_of(answer) == (400, 100, None)
    assert box.graph.public_posts() == []


def test_a_feed_post_takes_an_iso_time(box: Sandbox, call: Caller) -> None:
    assert call.feed(message="x", published="false", scheduled_publish_time="2026-11-24T14:00:00+00:00").ok
    box.graph.clock.advance(2 * 3600)
    assert len(box.graph.public_posts()) == 1


@pytest.mark.strays
def test_an_edit_takes_whole_seconds_only(box: Sandbox, call: Caller) -> None:
    post_id = call.publish("x", published="false", scheduled_publish_time=due_in(box, 3600))
    assert not call.post(post_id, scheduled_publish_time="2026-11-24T15:00:00+00:00").ok
    assert call.post(post_id, scheduled_publish_time=due_in(box, 7200)).ok
    box.graph.clock.advance(3600)
    assert box.graph.public_posts() == []
    box.graph.clock.advance(3600)
    assert len(box.graph.public_posts()) == 1


def test_pictures_are_scheduled_only_with_the_content_type(box: Sandbox, call: Caller) -> None:
    picture = {"attached_media": media(call.stage(temporary="true"))}
    times = {"published": "false", "scheduled_publish_time": due_in(box, 3600)}
    assert error_of(call.feed(message="x", **times, **picture)) == (400, 100, None)
    assert call.feed(message="x", **times, **picture, unpublished_content_type="SCHEDULED").ok


def test_posts_come_out_in_the_order_of_their_times(box: Sandbox, call: Caller) -> None:
    call.publish("second", published="false", scheduled_publish_time=due_in(box, 7200))
    call.publish("first", published="false", scheduled_publish_time=due_in(box, 3600))
    box.graph.clock.advance(24 * 3600)
    assert [post.message for post in box.graph.public_posts()] == ["first", "second"]


def test_a_scheduled_post_can_be_deleted_before_its_time(box: Sandbox, call: Caller) -> None:
    post_id = call.publish("x", published="false", scheduled_publish_time=due_in(box, 3600))
    assert call.delete(post_id).ok
    box.graph.clock.advance(3600)
    assert box.graph.public_posts() == []


def test_a_scheduled_post_can_fail_in_silence(box: Sandbox, call: Caller) -> None:
    box.graph.rules.scheduled_posts_fail_silently = True
    call.publish("x", published="false", scheduled_publish_time=due_in(box, 3600))
    box.graph.clock.advance(3600)
    assert (call.ids("scheduled_posts"), call.ids()) == ([], [])


def test_a_scheduled_photo_waits_too(box: Sandbox, call: Caller) -> None:
    call.post(
        f"{box.page_id}/photos",
        files={"source": ("a.gif", b"GIF89a")},
        published="false",
        scheduled_publish_time=due_in(box, 3600),
    )
    assert box.graph.public_posts() == []
    box.graph.clock.advance(3600)
    assert len(box.graph.public_posts()) == 1


def test_the_clock_does_not_go_back(box: Sandbox) -> None:
    with pytest.raises(ValueError, match="only moves forward"):
        box.graph.clock.advance(-1)
