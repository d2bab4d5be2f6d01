"""Errands: slow chores that may wait for the network, each in a thread of its own so that none holds up another."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol


class Ear(Protocol):
    """What listens for news, in a thread of its own, so that an errand need not wait for its time."""

    def listen(self, stop: threading.Event) -> None:
        """Listen until told to stop; then return within two seconds."""


@dataclass(frozen=True)
class Errand:
    """Something the worker does every so many seconds, at once when it is `called`, and `worker --once` once at its end."""

    name: str
    every_s: int
    do: Callable[[], object]
    called: threading.Event = field(default_factory=threading.Event)
    ears: tuple[Ear, ...] = ()
