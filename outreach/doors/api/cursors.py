"""Cursors: where a list goes on. Signed, so that nobody has to trust what stands in one, and each for one list only."""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Query

from outreach.doors.api.problems import Problem
from outreach.model import Post
from outreach.store.slices import Place
from outreach.vault import Vault

MOST = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Limit = Annotated[int, Query(ge=1, le=MOST, description="at most so many", examples=[50])]
Cursor = Annotated[
    str | None, Query(max_length=200, pattern=r"^[A-Za-z0-9_-]+$", description="`next` of the part before")
]


class Cursors:
    """Makes and reads them. `secret` is the one of the install."""

    def __init__(self, secret: str) -> None:
        self._vault = Vault(secret)

    def make(self, purpose: str, last: Post) -> str:
        """Name the place behind a post in a list that is in the order of due times."""
        return self._made(purpose, f"{(last.due_at - _EPOCH) // timedelta(microseconds=1)}.{last.id}")

    def make_key(self, purpose: str, key: int) -> str:
        """Name a place that the store calls by one number."""
        return self._made(purpose, f"{key}.0")

    def _made(self, purpose: str, told: str) -> str:
        text = f"{told}.{self._vault.sign('cursor', purpose, told)}"
        return base64.urlsafe_b64encode(text.encode()).decode("ascii").rstrip("=")

    def read(self, purpose: str, cursor: str | None) -> Place | None:
        """Give the place. Raises `Problem` for what this list never gave out."""
        found = self._read(purpose, cursor) if cursor is not None else None
        return (_EPOCH + timedelta(microseconds=found[0]), found[1]) if found else None

    def read_key(self, purpose: str, cursor: str | None) -> int | None:
        """Give the number of a place. Raises `Problem` for what this list never gave out."""
        return self._read(purpose, cursor)[0] if cursor is not None else None

    def _read(self, purpose: str, cursor: str) -> tuple[int, int]:
        try:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
            told, _, signature = text.rpartition(".")
            if self._vault.is_signed(signature, "cursor", purpose, told):
                micros, _, number = told.partition(".")
                return int(micros), int(number)
        except (ValueError, binascii.Error):
            pass
        step = "Take `next` of the answer before, with the same filters."
        raise Problem("bad-input", "This cursor was not given out by this list.", "cursor", step)
