"""Which Chromium the tests use: the one named, the one that `make test` fetched, or the machine's."""

import os
import shutil
from pathlib import Path

FETCHED = Path(__file__).parents[2] / ".cache" / "browser"
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--force-color-profile=srgb",
]


def find() -> Path:
    """Give the browser's executable. Raises `FileNotFoundError` that says what to do."""
    named = os.environ.get("OUTREACH_CHROMIUM")
    if named:
        return Path(named)
    if (FETCHED / "chromium").is_file():
        return FETCHED / "chromium"
    for name in ("chromium", "google-chrome"):
        if found := shutil.which(name):
            return Path(found)
    raise FileNotFoundError("No Chromium: run make test, or set OUTREACH_CHROMIUM to one.")
