"""Reading a letter from its file, never more of it than a letter can have."""

from pathlib import Path

from outreach import front_matter
from outreach import letter as letters
from outreach.model import BadInput, Letter


def read_letter(file: Path) -> Letter:
    """Read a letter. Raises `BadInput` with the place of what is wrong, and `OSError` for a file that cannot be read."""
    with file.open("rb") as opened:
        data = opened.read(front_matter.MAX_BYTES + 1)
    if len(data) > front_matter.MAX_BYTES:
        raise BadInput("The letter is larger than 1 MiB.", where=file.name, next_step="Keep pictures beside it.")
    return letters.parse(front_matter.decode(data, name=file.name), name=file.name)
