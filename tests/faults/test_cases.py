"""A part of the fault cases for every day; `make faults` plays all of them."""

import random

import pytest

from tests.faults.cases import Scenario, Stage, play
from tests.faults.catalogue import CASES
from tests.faults.points import POINTS, Gone, find
from tests.faults.soak import batches
from tests.faults.sweeps import SWEEPS, Sweep, lines_of

SEED = 20_261
DAILY = {
    1: ("mail claim-uncommitted sqlite",),
    2: ("photos after-intent sqlite", "mail before-connect sqlite"),
    3: ("text half-body sqlite",),
    4: ("text after-accept sqlite", "mail after-accept sqlite"),
    5: ("text record-uncommitted sqlite", "photos after-record sqlite"),
    7: ("it had arrived", "it had not"),
    10: ("nobody accepts",),
    13: ("400 with code 987654, written: True", "503 with code 190, written: False"),
    15: ("190_463 dies_mid_photos",),
    20: ("two",),
    21: ("frozen_in_flight sqlite", "frozen_with_an_answer sqlite", "frozen_before_sending sqlite"),
    26: ("close at DOT, kept",),
    30: ("cancel, killed in-decision", "cancel 0.03 s later"),
    31: ("after the commit",),
    41: ("500-2, photos, written", "500-2, second photo, written"),
    44: ("hang, text, written",),
    54: ("short looks", "the usual looks"),
    55: ("empty-list always, not written",),
    60: ("close-mid at BODY",),
}
CHOSEN = [(case.number, s) for case in CASES for s in case.scenarios if s.name in DAILY.get(case.number, ())]
LINES_OF_EACH = 1


def assert_every_promise_is_kept(stage: Stage, scenario: Scenario) -> None:
    found = play(stage, scenario)
    assert [str(breach) for breach in found.breaches] == []
    assert found.runs == 1


@pytest.mark.parametrize("scenario", [s for _, s in CHOSEN], ids=[f"{number}: {s.name}" for number, s in CHOSEN])
def test_whatever_happens_nothing_is_twice_lost_or_silent(stage: Stage, scenario: Scenario) -> None:
    assert_every_promise_is_kept(stage, scenario)


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.name)
def test_at_whichever_line_the_process_dies_it_ends_well(stage: Stage, sweep: Sweep) -> None:
    lines = lines_of(sweep.count(stage), LINES_OF_EACH, random.Random(SEED))
    for line in lines:
        assert_every_promise_is_kept(stage, sweep.scenario(line))


def test_a_small_soak_keeps_every_promise(stage: Stage) -> None:
    [batch] = batches(20, SEED)
    assert_every_promise_is_kept(stage, batch)


def test_what_is_played_daily_is_among_the_cases() -> None:
    assert {(number, s.name) for number, s in CHOSEN} == {(n, name) for n, names in DAILY.items() for name in names}


def test_the_names_of_scenarios_tell_them_apart() -> None:
    for case in CASES:
        names = [scenario.name for scenario in case.scenarios]
        assert len(names) == len(set(names)), case.number


@pytest.mark.parametrize("point", POINTS)
def test_every_kill_point_still_exists(point: str) -> None:
    for seam in POINTS[point]:
        find(seam.function)


def test_a_kill_point_that_is_gone_fails_loudly() -> None:
    for gone in (
        "outreach.publisher.Publisher.send_twice",
        "outreach.nowhere.at_all",
        "outreach.store.claims.claim.more",
    ):
        with pytest.raises(Gone, match=r"points\.py"):
            find(gone)
