"""`python -m tests.listservers [--fetch] [--only NAMES] [--into DIR]`: play stories on real servers and print what each mail was taken for."""

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.listservers.fetch import fetch
from tests.listservers.stories import STORIES


def main() -> int:
    """Play them; exit code 1 if something was wrong, or if what was asked for by name is not there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="which ones, with commas between: " + ",".join(STORIES))
    parser.add_argument("--into", type=Path, help="keep every mail in folders below this one, with an index each")
    parser.add_argument("--fetch", action="store_true", help="install first what is not there, where that can be done")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(STORIES)
    if unknown := [name for name in names if name not in STORIES]:
        parser.error(f"there is no {unknown[0]!r}; there are {', '.join(STORIES)}")
    for name in names if options.fetch else ():
        if STORIES[name].missing():
            fetch(name)
    missing = {name: why for name in names if (why := STORIES[name].missing())}
    drawn, summary, wrong = Table("server", "case", "came", "taken for", "expected", "note", box=None), [], 0
    for name in names:
        if name not in missing:
            line, failed = _played(name, options.into, drawn)
            summary.append(line)
            wrong += failed
    Console(width=200).print(drawn, *summary, sep="\n")
    for why in missing.values():
        sys.stderr.write(f"{why}\n")
    return int(wrong > 0 or bool(options.only and missing))


def _played(name: str, into: Path | None, drawn: Table) -> tuple[str, int]:
    began, cases, wrong = time.monotonic(), 0, 0
    for row in STORIES[name].rows(into):
        cases += 1
        wrong += not row.is_right
        drawn.add_row(name, row.case, str(row.came), row.taken, row.expected, row.note)
    return f"{name}: {cases} cases in {time.monotonic() - began:.1f} s, {wrong} wrong", wrong


if __name__ == "__main__":
    sys.exit(main())
