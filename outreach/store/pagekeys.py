"""The key of a connected Page, read from the database at every use, so that every process has a new one at once."""

import logging
from collections.abc import Callable

from outreach.channels._page_key import WHERE, PageKey
from outreach.model import BadInput, Problem
from outreach.store import connections
from outreach.store.engine import Store, StoreTrouble
from outreach.vault import Vault

log = logging.getLogger(__name__)
PURPOSE = "token of the Page"


class StoredKey:
    """Gives the key of one channel. A database that cannot say gives a passing trouble, never an older key."""

    def __init__(self, store: Store, *, channel: str, vault: Callable[[], Vault]) -> None:
        self._store = store
        self._channel = channel
        self._vault = vault
        self._opened: tuple[str, PageKey] | None = None

    def __call__(self) -> PageKey | None:
        """Give it; None where no Page was connected."""
        try:
            with self._store.read() as tx:
                row = connections.of_name(tx, self._channel)
        except StoreTrouble as trouble:
            log.warning("which Page %s is connected with is not known: %s", self._channel, type(trouble).__name__)
            return PageKey("", trouble=Problem("The database does not say which Page is connected."), is_passing=True)
        if row is None:
            return None
        if self._opened is None or self._opened[0] != row.page_id + row.sealed:
            self._opened = (row.page_id + row.sealed, self._open(row))
        return self._opened[1]

    def _open(self, row: connections.ConnectionRow) -> PageKey:
        try:
            return PageKey(row.page_id, self._vault().decrypt(PURPOSE, row.sealed))
        except BadInput as bad:
            step = f"Set that key again, or connect the Page anew. {WHERE}"
            return PageKey(row.page_id, trouble=Problem(bad.message, step))
