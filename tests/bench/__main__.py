"""`python -m tests.bench [--json] [--only NAME]`: run every measurement and print a table, or JSON."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.bench import measures, pages

MEASURES: dict[str, Callable[[Path], measures.Figures]] = {
    "enqueue": measures.enqueue,
    "drain": measures.drain,
    "http": measures.over_http,
    "lateness": measures.lateness,
    "resident": measures.resident,
    "syncs": measures.syncs,
    "history": pages.history,
    "pages": pages.pages,
}
# What is aimed at: (figure, at least or at most, how much).
AIMS: dict[str, tuple[str, float]] = {
    "enqueue_per_s": (">=", 2000),
    "drain_over_1m_per_s": (">=", 8000),
    "drain_ratio": (">=", 0.5),
    "ballast_ratio": (">=", 0.9),
    "http_ratio": (">=", 0.7),
    "late_p50_ms": ("<=", 2),
    "late_p99_ms": ("<=", 10),
    "late_other_process_p99_ms": ("<=", 300),
    "start_to_first_post_s": ("<=", 0.6),
    "idle_cpu_percent": ("<=", 0.1),
    "worker_rss_mb": ("<=", 70),
    "syncs_per_post": ("<=", 0.3),
    "history_per_s": (">=", 1000),
    "history_step_ms": ("<=", 20),
    **{f"page_{name}_{size}_p95_ms": ("<=", 50) for name in pages.OF_THE_HISTORY for size in ("1k", "1m")},
    "page_server_1m_rss_mb": ("<=", 200),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", choices=MEASURES, action="append")
    options = parser.parse_args()
    figures = measure(options.only or list(MEASURES))
    if options.json:
        sys.stdout.write(json.dumps({name: round(value, 4) for name, value in figures.items()}) + "\n")
    else:
        Console().print(drawn(figures))


def measure(names: list[str]) -> measures.Figures:
    """Run the measurements one after the other, showing which goes on."""
    figures: measures.Figures = {}
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with (
        tempfile.TemporaryDirectory(prefix="outreach-bench-") as folder,
        Progress(*columns, console=Console(stderr=True)) as shown,
    ):
        for name in names:
            task = shown.add_task(name, total=1)
            place = Path(folder) / name
            place.mkdir()
            os.sync()  # what the one before left to be written is not the next one's to wait for
            figures |= MEASURES[name](place)
            shown.update(task, completed=1)
    return figures


def drawn(figures: measures.Figures) -> Table:
    """Lay the figures out beside what is aimed at."""
    table = Table("figure", "measured", "aim", "", box=None, pad_edge=False)
    for name, value in figures.items():
        sign, aim = AIMS.get(name, ("", 0.0))
        is_met = not sign or (value >= aim if sign == ">=" else value <= aim)
        shown = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
        table.add_row(name, shown, f"{sign} {aim:g}" if sign else "", "" if not sign else "✓" if is_met else "✗")
    return table


if __name__ == "__main__":
    main()
