"""What a process keeps in memory for some minutes, bounded in number, in size and in age. Losing it costs a look anew."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[T]):
    value: T
    size: int
    until_s: float


class Kept(Generic[T]):
    """Values by their keys. The one put in first goes first when there are too many or they are too large."""

    def __init__(self, *, most: int, most_bytes: int, age_s: float) -> None:
        self._most, self._most_bytes, self._age_s = most, most_bytes, age_s
        self._entries: OrderedDict[str, _Entry[T]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def put(self, key: str, value: T, *, size: int, now_s: float) -> None:
        """Keep a value from now on; one of the same key is replaced."""
        with self._lock:
            self._drop(key)
            self._entries[key] = _Entry(value, size, now_s + self._age_s)
            self._size += size
            while self._entries and (len(self._entries) > self._most or self._size > self._most_bytes):
                self._drop(next(iter(self._entries)))

    def get(self, key: str, *, now_s: float) -> T | None:
        """Give a value that is kept and not too old."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry.until_s <= now_s:
                self._drop(key)
                return None
            return entry.value if entry is not None else None

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        self._size -= entry.size if entry is not None else 0
