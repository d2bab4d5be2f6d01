"""The harness itself: what breaks a promise is seen, each by its name."""

import pytest

from tests.faults.cases import Scenario, Stage, play
from tests.faults.ground import SMTP_PASSWORD, Ground


def kinds(stage: Stage, play_: object) -> set[str]:
    assert callable(play_)
    return {breach.kind for breach in play(stage, Scenario("wrong", play_)).breaches}


def published(ground: Ground) -> None:
    ground.write("Alpha")
    ground.once()


def test_a_second_copy_is_seen(stage: Stage) -> None:
    def twice(ground: Ground) -> None:
        published(ground)
        [mine] = [post for post in ground.box.graph.public_posts() if post.message != "An older post"]
        ground._post_by_hand(mine.message or "")

    assert "twice" in kinds(stage, twice)


def test_a_post_that_is_not_out_is_seen(stage: Stage) -> None:
    def vanished(ground: Ground) -> None:
        published(ground)
        ground.box.graph.world.clear()

    assert "lost" in kinds(stage, vanished)


def test_a_letter_that_nobody_took_is_seen(stage: Stage) -> None:
    def mislaid(ground: Ground) -> None:
        ground.write("Alpha")
        (ground.queue / "inbox" / "alpha.md").unlink()

    assert kinds(stage, mislaid) == {"lost"}


def test_another_text_than_the_approved_one_is_seen(stage: Stage) -> None:
    def edited(ground: Ground) -> None:
        published(ground)
        world = ground.box.graph.world
        for post in world.posts.values():
            post.message = f"{post.message} And more."

    assert "other than approved" in kinds(stage, edited)


def test_a_post_of_nobody_is_seen(stage: Stage) -> None:
    assert kinds(stage, lambda ground: ground._post_by_hand("A stranger")) == {"untrue"}


@pytest.mark.parametrize("place", ["log", "queue/inbox/note.txt"])
def test_a_secret_on_disk_is_seen(stage: Stage, place: str) -> None:
    def careless(ground: Ground) -> None:
        (ground.folder / place).write_text(f"logged in with {SMTP_PASSWORD}")

    assert kinds(stage, careless) == {"secret"}


def test_a_kill_point_that_is_not_passed_is_seen(stage: Stage) -> None:
    assert kinds(stage, lambda ground: ground.killed_at("after-intent")) == {"unmet"}
