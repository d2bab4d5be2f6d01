"""All the SQL of the house. `open_store` gives a `Store`; its modules hold one subject each.

A store hands out transactions: `with store.write() as tx:` and `with store.read() as tx:`. The functions of `moves`,
`claims`, `announcements`, `posts`, `channels`, `history`, `safety`, `alarms` and `workers` take one as their first argument, so that what
belongs together commits together.
"""

from outreach.store.engine import NOT_STORABLE, ChangeWatch, Store, StoreTrouble, Transaction, explained, open_store

__all__ = ["NOT_STORABLE", "ChangeWatch", "Store", "StoreTrouble", "Transaction", "explained", "open_store"]
