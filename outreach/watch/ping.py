"""The ping: while all is well a monitor hears from us; when it hears nothing, it alarms, even with this machine gone."""

import logging
from collections.abc import Callable
from datetime import datetime

from outreach.alarms.ping import Ping
from outreach.store import Store, figures

log = logging.getLogger(__name__)


class Heart:
    """Pings while this worker is well."""

    def __init__(
        self,
        *,
        store: Store,
        ping: Ping,
        now: Callable[[], datetime],
        worker: str,
        is_in_trouble: Callable[[], bool],
    ) -> None:
        self._store = store
        self._ping = ping
        self._now = now
        self._worker = worker
        self._is_in_trouble = is_in_trouble
        self._is_heard = True

    def beat(self) -> None:
        """Ping, unless something is wrong: then silence is the message."""
        if not self.is_well():
            return
        reason = self._ping.send()
        if reason is not None and self._is_heard:
            log.warning("the monitor was not reached: %s", reason)
        self._is_heard = reason is None

    def is_well(self) -> bool:
        """Tell whether this worker lives and nothing keeps posts from going out."""
        if self._is_in_trouble():
            return False
        with self._store.read() as tx:
            return not list(figures.read(tx, self._now(), worker=self._worker).problems())
