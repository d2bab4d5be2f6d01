"""A case: a fault with a number and a name, played in one or more scenarios, each on a ground of its own."""

import shutil
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from outreach.store import open_store
from tests.conftest import Cluster
from tests.faults.children import Zygote
from tests.faults.ground import Ground, Unmet, somewhere
from tests.faults.promises import Breach, Findings, examine

On = Literal["sqlite", "postgres"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way for a fault to happen. `play` brings it about; recovery and examination follow by themselves.

    `at_last` says what more has to be so when all is over and a person has decided what only a person can.
    """

    name: str
    play: Callable[[Ground], None]
    settings: Mapping[str, str] = field(default_factory=dict)
    on: On = "sqlite"
    is_page_empty: bool = False
    at_last: Callable[[Ground], None] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A fault. Its number is that of its row in the table that is printed."""

    number: int
    name: str
    scenarios: tuple[Scenario, ...]


class Stage:
    """What all grounds share: the process that forks workers, a migrated database, and a PostgreSQL once it is asked for."""

    def __init__(self) -> None:
        self.zygote = Zygote()
        self.folder = somewhere()
        self.migrated = self.folder / "migrated.db"
        open_store(f"sqlite:///{self.migrated}").close()
        self._cluster: Cluster | None = None
        self._cluster_folder = somewhere()
        self._one_at_a_time = threading.Lock()
        self._serial = 0
        self._counting = threading.Lock()

    @contextmanager
    def ground(self, scenario: Scenario) -> Iterator[Ground]:
        """Make a ground, and clear it away. There is one PostgreSQL database, so those scenarios wait for each other."""
        with self._counting:
            self._serial += 1
            folder = self.folder / str(self._serial)
        if scenario.on == "sqlite":
            yield from self._made(folder, self.migrated, scenario)
            return
        with self._one_at_a_time:
            yield from self._made(folder, self._postgres(), scenario)

    def _made(self, folder: Path, database: Path | str, scenario: Scenario) -> Iterator[Ground]:
        ground = Ground(folder, self.zygote, database, settings=scenario.settings, is_page_empty=scenario.is_page_empty)
        try:
            yield ground
        finally:
            ground.close()
            shutil.rmtree(folder, ignore_errors=True)

    def _postgres(self) -> str:
        if self._cluster is None:
            self._cluster = Cluster(self._cluster_folder)
        return self._cluster.washed()

    def close(self) -> None:
        """End everything."""
        self.zygote.close()
        if self._cluster is not None:
            self._cluster.stop()
        for folder in (self.folder, self._cluster_folder):
            shutil.rmtree(folder, ignore_errors=True)


def play(stage: Stage, scenario: Scenario) -> Findings:
    """Bring a fault about, recover, examine; then let a person decide what is left, and examine again."""
    with stage.ground(scenario) as ground:
        try:
            return _played(ground, scenario)
        except (AssertionError, TimeoutError, OSError, LookupError) as trouble:
            what = f"{scenario.name}: {type(trouble).__name__}: {trouble}"
            if not isinstance(trouble, Unmet):
                what += f"\n{traceback.format_exc()}"
            return Findings(runs=1, breaches=[Breach("unmet", what)])


def _played(ground: Ground, scenario: Scenario) -> Findings:
    scenario.play(ground)
    ground.recover()
    found = examine(ground)
    ground.unmet.clear()
    if not found.breaches:
        found.breaches += _after_a_person(ground, scenario, is_needed=found.asked > 0)
    found.breaches = [Breach(breach.kind, f"[{scenario.name}] {breach.what}") for breach in found.breaches]
    return found


def _after_a_person(ground: Ground, scenario: Scenario, *, is_needed: bool) -> list[Breach]:
    if is_needed:
        ground.be_the_person()
        ground.recover()
    if scenario.at_last:
        scenario.at_last(ground)
    return examine(ground).breaches if is_needed or scenario.at_last else []
