"""Errands: slow chores that may wait for the network, each in a thread of its own so that none holds up another."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Errand:
    """Something the worker does every so many seconds, and `worker --once` once at its end."""

    name: str
    every_s: int
    do: Callable[[], object]
