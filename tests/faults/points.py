"""The named points at which a worker can be made to die. Production knows nothing of them.

A point is a side of one or more functions, named here by their dotted names and nowhere else: a name that is gone fails
loudly, in every case that uses it and in a test of its own.
"""

import importlib
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal

Side = Literal["before", "after", "half", "committed"]

CLOCK_NOW = "outreach.bootstrap.SystemClock.now"
CLOCK_ELAPSED = "outreach.bootstrap.SystemClock.elapsed_s"
TRANSACTION = "outreach.store.engine.Store.write"
RESCUE = "outreach.watch.Watch.rescue"


@dataclass(frozen=True, slots=True)
class Passing:
    """One passing of a seam: what the function was given, and what it gave when it is over already."""

    given: tuple[Any, ...]
    gave: Any = None


def _always(_: Passing) -> bool:
    return True


def _took_something(passing: Passing) -> bool:
    return bool(passing.gave)


def _in_a_sender(_: Passing) -> bool:
    return threading.current_thread().name.startswith("sender")


def _is_long(passing: Passing) -> bool:
    data = passing.given[1]
    return isinstance(data, bytes) and len(data) > 40 and not data.startswith((b"POST ", b"GET "))


def _moves(*names: str) -> Callable[[Passing], bool]:
    def is_one(passing: Passing) -> bool:
        return any(str(change.move) in names for change in passing.given[1])

    return is_one


@dataclass(frozen=True, slots=True)
class Seam:
    """A side of a function. `half` sends half of what it was given first; `committed` is after the transaction's end.

    `within` names a function that has to be at work in the same thread.
    """

    function: str
    side: Side
    counts: Callable[[Passing], bool] = _always
    within: str = ""


_APPLY = "outreach.store.moves.apply"
_PUBLISH = ("outreach.channels.facebook_page.FacebookPage.publish", "outreach.channels.listserv.Listserv.publish")
_RECORDS = _moves("publish", "defer", "fail", "doubt")

POINTS: Mapping[str, tuple[Seam, ...]] = {
    "before-claim": (Seam("outreach.store.claims.claim", "before"),),
    "claim-uncommitted": (Seam("outreach.store.claims.claim", "after", _took_something),),
    "before-sending": (Seam("outreach.model.Content.sha256", "before", _in_a_sender),),
    "after-intent": tuple(Seam(name, "before") for name in _PUBLISH),
    "before-connect": (
        Seam("urllib3.util.connection.create_connection", "before", _in_a_sender),
        Seam("smtplib.SMTP.connect", "before", _in_a_sender),
    ),
    "half-body": (
        Seam("http.client.HTTPConnection.send", "half", _is_long),
        Seam("smtplib.SMTP.send", "half", _is_long),
    ),
    "after-staging": (Seam("outreach.channels._http.Http.post", "after"),),
    "after-answer": tuple(Seam(name, "after") for name in _PUBLISH),
    "record-uncommitted": (Seam(_APPLY, "after", _RECORDS),),
    "after-record": (Seam(_APPLY, "committed", _RECORDS),),
    "in-rescue": (Seam(_APPLY, "after", _moves("doubt"), within=RESCUE),),
    "after-rescue": (Seam(_APPLY, "committed", _moves("doubt"), within=RESCUE),),
    "before-look": (Seam("outreach.channels.facebook_page.FacebookPage.find", "before"),),
    "in-look": (Seam("outreach.channels.facebook_page.FacebookPage.find", "after"),),
    "in-confirm": (Seam(_APPLY, "after", _moves("confirm")),),
    "after-confirm": (Seam(_APPLY, "committed", _moves("confirm")),),
    "in-absolve": (Seam(_APPLY, "after", _moves("absolve")),),
    "after-absolve": (Seam(_APPLY, "committed", _moves("absolve")),),
    "queue-uncommitted": (Seam("outreach.store.announcements.add", "after"),),
    "after-queue": (Seam("outreach.store.announcements.add", "committed"),),
    "in-decision": (Seam(_APPLY, "after", _moves("cancel", "requeue")),),
    "after-decision": (Seam(_APPLY, "committed", _moves("cancel", "requeue")),),
}


class Gone(LookupError):
    """A name of this table is not in the code any more."""


def find(dotted: str) -> tuple[Any, str]:
    """Give the module or class that holds a function, and its name there. Raises `Gone`."""
    parts = dotted.split(".")
    for end in range(len(parts) - 1, 0, -1):
        try:
            owner: Any = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:-1]:
            owner = getattr(owner, part, None)
        if callable(getattr(owner, parts[-1], None)):
            return owner, parts[-1]
        break
    raise Gone(f"{dotted} is gone; say in tests/faults/points.py what took its place")


class Trigger:
    """Counts the passings and strikes at the n-th: the process ends there, or stands still."""

    def __init__(self, nth: int, number: signal.Signals, about: str = "") -> None:
        self._left, self._number, self._about = nth, number, about
        self._lock = threading.Lock()

    def is_due(self, passing: Passing) -> bool:
        """Count one passing; tell whether it is the one to strike at."""
        if self._about and not any(self._about == _title(given) for given in passing.given):
            return False
        with self._lock:
            self._left -= 1
            return self._left == 0

    def strike(self) -> None:
        """End the process, or let it stand still, right here."""
        # To this very thread: sent to the process, SIGSTOP would let it run on for some statements.
        signal.pthread_kill(threading.get_ident(), self._number)

    def pull(self, passing: Passing) -> None:
        """Count one passing, and strike if it is the one."""
        if self.is_due(passing):
            self.strike()


def _title(given: Any) -> Any:
    return getattr(getattr(given, "post", None), "title", None)


def arm(point: str, trigger: Trigger) -> None:
    """Put a trigger at every seam of a point. Raises `KeyError` for an unknown point, `Gone` for a lost seam."""
    for seam in POINTS[point]:
        inside = _presence(seam.within) if seam.within else None
        _put(seam, trigger, (lambda: True) if inside is None else inside)


def _put(seam: Seam, trigger: Trigger, is_inside: Callable[[], bool]) -> None:
    owner, name = find(seam.function)
    original = getattr(owner, name)
    reached = threading.local()

    @wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        counts = is_inside() and (seam.side in ("after", "committed") or seam.counts(Passing(args)))
        if counts and seam.side == "half" and trigger.is_due(Passing(args)):
            original(args[0], args[1][: len(args[1]) // 2])
            trigger.strike()
        if counts and seam.side == "before":
            trigger.pull(Passing(args))
        gave = original(*args, **kwargs)
        if counts and seam.side in ("after", "committed") and seam.counts(Passing(args, gave)):
            if seam.side == "after":
                trigger.pull(Passing(args, gave))
            else:
                reached.passing = Passing(args, gave)
        return gave

    setattr(owner, name, wrapped)
    if seam.side == "committed":
        _after_commits(reached, trigger)


def _after_commits(reached: threading.local, trigger: Trigger) -> None:
    owner, name = find(TRANSACTION)
    original: Callable[[Any], AbstractContextManager[Any]] = getattr(owner, name)

    @contextmanager
    def wrapped(store: Any) -> Iterator[Any]:
        reached.passing = None
        with original(store) as tx:
            yield tx
        if reached.passing is not None:
            trigger.pull(reached.passing)

    setattr(owner, name, wrapped)


def _presence(function: str) -> Callable[[], bool]:
    owner, name = find(function)
    original = getattr(owner, name)
    here = threading.local()

    @wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        here.depth = getattr(here, "depth", 0) + 1
        try:
            return original(*args, **kwargs)
        finally:
            here.depth -= 1

    setattr(owner, name, wrapped)
    return lambda: getattr(here, "depth", 0) > 0
