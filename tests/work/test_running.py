"""Running: channels paused and resumed as they were seen, everything stopped at once, approval that counts at once."""

from datetime import timedelta
from pathlib import Path

import pytest

from outreach.bootstrap import House
from outreach.desk import Overtaken
from outreach.desk.running import key_of_channel, key_of_safe_mode, read_reason
from outreach.doors.worker import Worker
from outreach.letter import parse
from outreach.lifecycle import Pause
from outreach.model import BadInput, State
from outreach.sandbox import Sandbox
from outreach.store import channels
from outreach.wishes import read_wishes
from tests.builders import NOW, column
from tests.work.clocks import StillClock

ANN = "ann@example.org"
LETTER = "---\ntitle: Colloquium\nat: now\n---\nPlease come to room 7.\n"


def key(house: House, name: str = "facebook") -> str:
    return key_of_channel(next(row for row in house.desk.channels() if row.name == name))


def test_a_channel_is_paused_and_resumed_with_reasons_that_stand_in_the_history(house: House) -> None:
    house.desk.pause_channel("facebook", reason="The Page moves.", person=ANN, seen=key(house))
    house.desk.resume_channel("facebook", person=ANN, reason="It has moved.", seen=key(house))

    told = column(house.store, "SELECT kind || ': ' || note || ' ' || person FROM events ORDER BY id")
    assert told == [f"pause channel: The Page moves. {ANN}", f"resume channel: It has moved. {ANN}"]


def test_who_saw_another_reason_does_not_resume(house: House) -> None:
    row = next(row for row in house.desk.channels() if row.name == "facebook")
    with house.store.write() as tx:
        channels.pause(tx, row.id, Pause("The token ended.", None), now=NOW)
    seen = key(house)
    house.desk.pause_channel("facebook", reason="A wrong link went out.", person="ben@example.org")

    with pytest.raises(Overtaken, match="facebook has changed"):
        house.desk.resume_channel("facebook", person=ANN, reason="A new token is set.", seen=seen)

    assert house.desk.channels()[0].state == "paused"


def test_who_saw_it_ready_does_not_pause_what_another_paused(house: House) -> None:
    seen = key(house)
    house.desk.pause_channel("facebook", reason="First.", person=ANN, seen=seen)

    with pytest.raises(Overtaken):
        house.desk.pause_channel("facebook", reason="Second.", person=ANN, seen=seen)

    assert house.desk.channels()[0].reason == "First."


def test_everything_is_stopped_and_let_out_by_who_saw_how_it_is(house: House, box: Sandbox, tmp_path: Path) -> None:
    house.desk.add(parse(LETTER), folder=tmp_path)
    house.desk.stop_everything(reason="A wrong link.", person=ANN, seen="off")
    Worker(house).once()
    assert box.graph.public_posts() == []

    with pytest.raises(Overtaken, match="Safe mode has changed"):
        house.desk.let_out_again(reason="Mended.", person=ANN, seen="off")
    with pytest.raises(Overtaken):
        house.desk.stop_everything(reason="Once more.", person=ANN, seen="off")
    house.desk.let_out_again(reason="Mended.", person=ANN, seen=key_of_safe_mode(house.desk.safe_mode()))
    Worker(house).once()

    assert len(box.graph.public_posts()) == 1


def test_approval_counts_at_once_also_for_a_worker_that_runs(house: House, box: Sandbox, tmp_path: Path) -> None:
    worker = Worker(house)
    house.desk.add(parse(LETTER), folder=tmp_path)

    house.desk.ask_for_approval(True, person=ANN)
    worker.once()
    assert (box.graph.public_posts(), house.desk.asks_for_approval()) == ([], True)

    house.desk.ask_for_approval(False, person=ANN)
    Worker(house).once()
    assert [post.state for post in house.desk.find("1")] == [State.PUBLISHED, State.PUBLISHED]
    assert column(house.store, "SELECT note FROM events WHERE kind = 'set approval'") == ["required", "off"]


def test_asking_for_what_is_so_already_is_no_action(house: House) -> None:
    house.desk.ask_for_approval(False, person=ANN)

    assert column(house.store, "SELECT kind FROM events") == []


def test_wishes_are_kept_and_told(house: House) -> None:
    wanted = read_wishes({"quiet_from": "22:00", "quiet_to": "06:30", "country": "", "apart_min": "30"})

    house.desk.set_wishes(wanted, person=ANN)

    assert house.desk.wishes() == wanted
    told = column(house.store, "SELECT note FROM events WHERE kind = 'set wishes'")
    assert told == ["quiet from 22:00, quiet to 06:30, country none, apart min 30"]


@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 301, "a\x00b", "a\u202eb", "\ud800"])
def test_a_reason_is_one_plain_line(reason: str) -> None:
    with pytest.raises(BadInput) as bad:
        read_reason(reason)
    assert bad.value.where == "reason"


def test_how_a_channel_is_shows_what_went_out_and_what_did_not(
    house: House, box: Sandbox, tmp_path: Path, still: StillClock
) -> None:
    house.desk.add(parse(LETTER), folder=tmp_path)
    Worker(house).once()
    is_ = {row.name: how for row, how in house.desk.how_channels_are()}["facebook"]

    assert is_.last_good is not None
    assert (is_.last_good.post, is_.last_good.title, is_.last_bad) == ("1/facebook", "Colloquium", None)
    assert (is_.in_hour, is_.in_day, is_.next_due) == (1, 1, None)
    still.tick(timedelta(hours=2).total_seconds())
    later = {row.name: how for row, how in house.desk.how_channels_are()}["facebook"]
    assert (later.in_hour, later.in_day) == (0, 1)
