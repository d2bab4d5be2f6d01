"""`python -m tests.faults`: every case, the sweeps over single lines and the soak; a table, or JSON; exit 1 if a promise broke.

Numbers to 33 are rows of the fault matrix; 40 to 57 the Graph API, 60 to 63 SMTP, 90 to 98 and 100 to 102 sweeps, 99 the soak.
"""

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.faults.cases import Scenario, Stage, play
from tests.faults.catalogue import CASES, SOAK
from tests.faults.promises import Breach, Findings
from tests.faults.soak import batches
from tests.faults.sweeps import SWEEPS, Sweep, lines_of

AIM_ALONE = 0.95
SHOWN = 40
WIDTH = 132


@dataclass
class Row:
    """One line of the table."""

    number: int
    name: str
    scenarios: list[Scenario]
    found: Findings = field(default_factory=Findings)


def main() -> int:
    """Play, print, and say by the exit code whether every promise was kept."""
    options = _options()
    began = time.monotonic()
    stage = Stage()
    try:
        rows = _rows(stage, options)
        until_s = began + 60 * options.minutes
        skipped = _play_all(stage, rows, random.Random(options.seed), lanes=options.lanes, until_s=until_s)
    finally:
        stage.close()
    total = Findings()
    for row in rows:
        total.add(row.found)
    if options.json:
        sys.stdout.write(json.dumps(_as_json(rows, total, options.seed, skipped)) + "\n")
    else:
        _print(rows, total, options.seed, skipped, time.monotonic() - began)
    return 1 if total.breaches else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="brings the soak and samples back")
    parser.add_argument("--only", type=int, action="append", help="only the row of this number; may be given again")
    parser.add_argument("--posts", type=int, default=2000, help="how many posts the soak has")
    parser.add_argument("--lines", type=int, help="die at so many lines of each sweep (default: at all)")
    parser.add_argument(
        "--lanes", type=int, default=max(2, min(4, (os.cpu_count() or 2) + 1)), help="scenarios at a time"
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="begin nothing more after so many minutes")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args()


def _rows(stage: Stage, options: argparse.Namespace) -> list[Row]:
    wanted = set(options.only or ()) or None
    rows = [Row(case.number, case.name, list(case.scenarios)) for case in CASES if _is_in(case.number, wanted)]
    chance = random.Random(options.seed)
    rows += [
        Row(sweep.number, f"killed at each line: {sweep.name}", _swept(stage, sweep, options.lines, chance))
        for sweep in SWEEPS
        if _is_in(sweep.number, wanted)
    ]
    if _is_in(SOAK, wanted):
        rows.append(Row(SOAK, f"soak, seed {options.seed}", batches(options.posts, options.seed)))
    return rows


def _is_in(number: int, wanted: set[int] | None) -> bool:
    return wanted is None or number in wanted


def _swept(stage: Stage, sweep: Sweep, sample: int | None, chance: random.Random) -> list[Scenario]:
    return [sweep.scenario(line) for line in lines_of(sweep.count(stage), sample, chance)]


def _play_all(stage: Stage, rows: Sequence[Row], chance: random.Random, *, lanes: int, until_s: float) -> int:
    """Play everything; give how many scenarios there was no time for."""

    def one(scenario: Scenario) -> Findings | None:
        return play(stage, scenario) if time.monotonic() < until_s else None

    skipped = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as shown, ThreadPoolExecutor(lanes) as pool:
        task = shown.add_task("playing", total=sum(len(row.scenarios) for row in rows))
        begun: dict[Future[Findings | None], Row] = {
            pool.submit(one, scenario): row for row, scenario in _in_order(rows, chance)
        }
        for done in as_completed(begun):
            row, found = begun[done], done.result()
            if found is None:
                skipped += 1
            else:
                row.found.add(found)
            shown.update(task, advance=1, description=f"{row.number} {row.name}"[:50].ljust(50))
    return skipped


def _in_order(rows: Sequence[Row], chance: random.Random) -> list[tuple[Row, Scenario]]:
    """The soak first, the cases next, the lines of all sweeps last and mixed: what time cuts off is then a sample."""
    swept = {sweep.number for sweep in SWEEPS}
    pairs = [(row, scenario) for row in rows for scenario in row.scenarios]
    lines = [pair for pair in pairs if pair[0].number in swept]
    chance.shuffle(lines)
    others = [pair for pair in pairs if pair[0].number not in swept]
    return [*sorted(others, key=lambda pair: pair[0].number != SOAK), *lines]


# Printing

COLUMNS = ("runs", "posts", "copies", "lost", "silent", "by itself", "a person", "broken")


def _figures(found: Findings) -> dict[str, int]:
    rest = found.count() - found.count("twice", "lost", "silent")
    values = (
        found.runs,
        found.posts,
        found.copies,
        found.count("lost"),
        found.count("silent"),
        found.alone,
        found.asked,
        rest,
    )
    return dict(zip(COLUMNS, values, strict=True))  # fmt: skip


def _print(rows: Sequence[Row], total: Findings, seed: int, skipped: int, took_s: float) -> None:
    console = Console()
    console.width = max(console.width, WIDTH)
    table = Table("", "fault", *COLUMNS, "", box=None, pad_edge=False)
    for row in rows:
        is_good = not row.found.breaches
        figures = [str(value) for value in _figures(row.found).values()]
        table.add_row(str(row.number), row.name, *figures, "✓" if is_good else "✗", style=None if is_good else "red")
    console.print(table)
    for breach in _shown([breach for row in rows for breach in row.found.breaches]):
        console.print(breach, style="red", markup=False, highlight=False)
    console.print(
        f"{total.posts} posts in {total.runs} runs, {took_s:.0f} s, seed {seed}: "
        f"twice {total.count('twice')}, lost {total.count('lost')}, silent {total.count('silent')}, "
        f"other breaches {total.count() - total.count('twice', 'lost', 'silent')}."
    )
    for name, found in _doubted(rows, total):
        console.print(f"Page attempts whose end nobody knew, {name}: {found.doubts}; settled without a person: {_share(found):.1%}"
                      f" (aim: {AIM_ALONE:.0%}).")  # fmt: skip
    if skipped:
        console.print(f"{skipped} runs were left out: the time was over.", style="yellow")


def _shown(breaches: Sequence[Breach]) -> list[str]:
    more = len(breaches) - SHOWN
    return [str(breach) for breach in breaches[:SHOWN]] + ([f"… and {more} more"] if more > 0 else [])


def _doubted(rows: Sequence[Row], total: Findings) -> list[tuple[str, Findings]]:
    soak = [row.found for row in rows if row.number == SOAK]
    return [("in the soak", found) for found in soak] + [("in all", total)]


def _share(found: Findings) -> float:
    return found.settled / found.doubts if found.doubts else 1.0


def _as_json(rows: Sequence[Row], total: Findings, seed: int, skipped: int) -> dict[str, object]:
    return {
        "seed": seed,
        "faults": [
            {"number": row.number, "name": row.name, **_figures(row.found), "breaches": [str(b) for b in row.found.breaches]}
            for row in rows
        ],
        "total": {
            **_figures(total),
            "twice": total.count("twice"),
            "in_doubt": total.doubts,
            "settled_alone": total.settled,
            "share_alone": round(_share(total), 4),
            "share_alone_soak": next((round(_share(f), 4) for name, f in _doubted(rows, total) if name == "in the soak"), None),
            "left_out": skipped,
        },
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
