"""A queue folder with a database of either kind, backed up and restored as hands do it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from outreach.store import Store, backup, open_store, safety
from outreach.store.backup import Order, back_up
from outreach.store.restore import Restored, Wish, restore
from outreach.store.schema import metadata
from tests.builders import LATER, NOW, a_stored_post

SOON = NOW + timedelta(minutes=5)
LOOKS = (30, 120)


class Spot:
    """A queue folder with files in it, and a database of either kind."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder = folder
        self.queue = folder / "queue"
        for name in ("media", "templates"):
            (self.queue / name).mkdir(parents=True, exist_ok=True)
        self.file = self.queue / "outreach.db"
        self.url = url or f"sqlite:///{self.file}"
        self.zip = folder / "backup.zip"

    def backup(self, **order: Any) -> backup.Made:
        store = open_store(self.url)
        try:
            return back_up(store, self.queue, replace(Order(self.zip, NOW), **order))
        finally:
            store.close()

    def restore(self, file: Path | None = None, **wish: Any) -> Restored:
        usual = Wish(file or self.zip, SOON, "America/New_York", LOOKS)
        return restore(self.url, self.queue, replace(usual, **wish))


def a_spot(folder: Path) -> Spot:
    """A SQLite database with a post due now and one due later, a picture and a template."""
    made = Spot(folder)
    (made.queue / "media" / "poster.jpg").write_bytes(b"a picture")
    (made.queue / "templates" / "call.md").write_text("a template")
    store = open_store(made.url)
    a_stored_post(store, due_at=NOW)
    a_stored_post(store, due_at=LATER)
    store.close()
    return made


def rows(store: Store) -> dict[str, list[Any]]:
    """Every row of every table but those that belong to one place and time, as values."""
    with store.read() as tx:
        return {
            name: sorted((tuple(row) for row in tx.execute(select(table))), key=repr)
            for name, table in metadata.tables.items()
            if name not in ("meta", "heartbeats")
        }


def of(url: str, look: Callable[[Store], Any]) -> Any:
    store = open_store(url)
    try:
        return look(store)
    finally:
        store.close()


def safe_mode(store: Store) -> safety.SafeMode | None:
    with store.read() as tx:
        return safety.current(tx)


def rows_of(spot: Spot) -> Any:
    return of(spot.url, rows)
