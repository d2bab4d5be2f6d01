"""Laying out a queue folder from the templates and seed letters that are shipped with the package."""

from importlib import resources
from pathlib import Path

from outreach.doors.inbox import FOLDERS

SHIPPED = ("templates", "seed")


def lay_out(folder: Path) -> list[str]:
    """Make the folders and copy what is shipped; a file that is there is left alone. Give the names of those added."""
    for name in (*FOLDERS, *SHIPPED, "media"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return [f"{name}/{file}" for name in SHIPPED for file in _copied(name, folder / name)]


def _copied(name: str, target: Path) -> list[str]:
    made = []
    for source in sorted((resources.files("outreach") / "shipped" / name).iterdir(), key=lambda entry: entry.name):
        place = target / source.name
        if not place.exists():
            place.write_bytes(source.read_bytes())
            made.append(source.name)
    return made
