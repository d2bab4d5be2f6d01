"""The life of posts, driven by hypothesis, on both databases."""

import itertools
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import Cluster
from tests.faults.machine import LifeOfPosts

BOUNDS = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), print_blob=True)


def test_whatever_is_done_in_whatever_order_nothing_is_twice_or_untrue(migrated_file: Path, tmp_path: Path) -> None:
    serials = itertools.count()

    def fresh() -> LifeOfPosts:
        file = tmp_path / f"{next(serials)}.db"
        shutil.copyfile(migrated_file, file)
        return LifeOfPosts(f"sqlite:///{file}")

    run_state_machine_as_test(fresh, settings=settings(BOUNDS, max_examples=20, stateful_step_count=25))  # type: ignore[arg-type]


@pytest.mark.postgres
def test_the_same_on_postgresql(postgres_cluster: Cluster) -> None:
    bounds = settings(BOUNDS, max_examples=4, stateful_step_count=20)
    run_state_machine_as_test(lambda: LifeOfPosts(postgres_cluster.washed()), settings=bounds)  # type: ignore[arg-type]
