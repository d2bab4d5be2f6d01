"""Looks for the sandbox's tokens and secrets where none may be: in every file and answer that a test run leaves behind.

`python -m tests.tokens_left FOLDER` looks through a folder; after a whole run of the tests, pytest does so by itself.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from outreach.sandbox.identifiers import EAA_MARK, HEX_MARK

MARKS = (EAA_MARK.encode(), HEX_MARK.encode())
_PIECE = 1 << 20
GIVEN = re.compile(r"(^|/)(\.env|settings\.json|sandbox-addresses\.json|token-left-on-purpose\.txt)$")
"""Files that a test is to put tokens into."""


def tokens_left(folder: Path) -> list[str]:
    """Name every file below a folder that holds a token or a secret of a sandbox and was not given it on purpose."""
    return sorted(str(file.relative_to(folder)) for file in _files(folder) if _holds_one(file))


def _files(folder: Path) -> Iterator[Path]:
    for place in folder.rglob("*"):
        is_picture = place.suffix in (".jpg", ".png", ".gif")
        if not (is_picture or place.is_symlink() or GIVEN.search(place.as_posix())) and place.is_file():
            yield place


def _holds_one(file: Path) -> bool:
    """Read it by pieces that overlap: some files of a run are larger than memory."""
    kept = b""
    try:
        with file.open("rb") as opened:
            while piece := opened.read(_PIECE):
                if any(mark in kept + piece for mark in MARKS):
                    return True
                kept = piece[-max(map(len, MARKS)) :]
    except OSError:  # it was taken away meanwhile, or is a socket
        return False
    return False


def without_tokens(text: str) -> str:
    """Give a text that may be shown back; fail where it holds a token or a secret."""
    assert not any(mark.decode() in text for mark in MARKS), "a token or a secret of the sandbox is shown"
    return text


if __name__ == "__main__":
    found = tokens_left(Path(sys.argv[1]))
    print("\n".join(found) or "no token")
    raise SystemExit(bool(found))
