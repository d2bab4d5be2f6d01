"""`python -m tests.listservers [--into DIR]`: play the story on a real Mailman; print what each mail was taken for, and keep the mails."""

import argparse
import json
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from outreach.mail.recognising import meaning
from tests.listservers import story
from tests.listservers.mailman import Mailman, is_installed

_MOST_TEXT = 1000


def main() -> int:
    """Play it; exit code 1 if a mail was taken for something else."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, help="keep every mail in this folder, with an index")
    options = parser.parse_args()
    if not is_installed():
        sys.stderr.write("There is no Mailman yet: run python -m tests.listservers.fetch first.\n")
        return 1
    drawn = Table("case", "came", "taken for", "expected", "reason", box=None)
    index, wrong, began = [], 0, time.monotonic()
    with Mailman() as server:
        for told in story.told(server):
            found = [meaning(raw, [told.sent]) for raw in told.mails]
            taken = tuple((each.verdict, str(each.basis)) for each in found)
            wrong += sorted(taken) != sorted(told.expected)
            reason = " / ".join(each.reason for each in found if each.reason)
            drawn.add_row(told.case, str(len(found)), _shown(taken), _shown(told.expected), reason)
            index += [_kept(options.into, told, number, raw) for number, raw in enumerate(told.mails, 1)]
    if options.into:
        (options.into / "index.json").write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n")
    Console(width=180).print(drawn, f"{time.monotonic() - began:.1f} s, {wrong} wrong")
    return int(wrong > 0)


def _shown(taken: tuple[tuple[object, str], ...]) -> str:
    return ", ".join(f"{verdict} ({basis})" for verdict, basis in taken) or "nothing"


def _kept(folder: Path | None, told: story.Told, number: int, raw: bytes) -> dict[str, object]:
    found = meaning(raw, [told.sent])
    file = f"{told.case}-{number}.eml"
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(raw)
    sent = {"message_id": told.sent.message_id, "list": told.sent.list_address, "subject": told.sent.subject}
    return {"file": file, "verdict": found.verdict, "basis": found.basis, **sent, "text": told.sent.text[:_MOST_TEXT]}


if __name__ == "__main__":
    sys.exit(main())
