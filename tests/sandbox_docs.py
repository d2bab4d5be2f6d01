"""The part of `docs/sandbox.md` that is made from the code: the names of all errors. `python -m tests.sandbox_docs` writes it."""

import re
from pathlib import Path

from outreach.sandbox.error_table import ROWS

FILE = Path(__file__).parents[1] / "docs" / "sandbox.md"
_BLOCK = re.compile(r"(<!-- errors -->\n).*?(<!-- /errors -->)", re.DOTALL)


def errors() -> str:
    """Give a table of the errors; those that differ in their number alone share a row."""
    by_words: dict[tuple[str, int], list[str]] = {}
    for name, row in ROWS.items():
        by_words.setdefault((re.sub(r"^\(#\d+\) ", "", row.message), row.status), []).append(name)
    rows = [f"| {', '.join(f'`{n}`' for n in names)} | {status} | {words} |" for (words, status), names in by_words.items()]  # fmt: skip
    return "\n".join(["| name | status | words |", "|---|---|---|", *rows]) + "\n"


def written(text: str) -> str:
    """Give the document with its made part as it has to be."""
    return _BLOCK.sub(lambda found: found[1] + errors() + found[2], text)


if __name__ == "__main__":
    FILE.write_text(written(FILE.read_text(encoding="utf-8")), encoding="utf-8")
