"""Workers in the process of the test, and changes made behind their back."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from outreach.doors.worker import Worker
from tests.doors.place import Place


def once(place: Place, **settings: str) -> int:
    """`worker --once`, in this process; give how many attempts it made."""
    house = place.house(**settings)
    try:
        return Worker(house).once()
    finally:
        house.close()


@contextmanager
def working(place: Place, **settings: str) -> Iterator[Worker]:
    """A worker that runs in this process."""
    house = place.house(**settings)
    worker = Worker(house)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()
        house.close()


def change(place: Place, sql: str) -> None:
    house = place.house()
    with house.store.write() as tx:
        tx.execute(text(sql))
    house.close()
