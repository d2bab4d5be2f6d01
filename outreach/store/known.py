"""Since when a secret of the settings is the one it is: kept as a keyed hash, never the secret itself."""

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256

from outreach.store import safety
from outreach.store.engine import Store

_PREFIX = "secret "


def since(store: Store, given: Mapping[str, str], *, key: str, now: datetime) -> dict[str, datetime]:
    """Give, by name, when each was first seen as it is; what is new or was changed is so from now on.

    Where nothing changed, nothing is written.
    """
    marks = {
        name: hmac.new(key.encode(), f"{name}={text}".encode(), sha256).hexdigest() for name, text in given.items()
    }
    with store.read() as tx:
        kept = {name: _read(safety.remembered(tx, _PREFIX + name)) for name in marks}
    new = {name: mark for name, mark in marks.items() if kept[name].get("mark") != mark}
    if new:
        with store.write() as tx:
            for name, mark in new.items():
                kept[name] = {"mark": mark, "at": now.astimezone(UTC).isoformat()}
                safety.remember(tx, _PREFIX + name, json.dumps(kept[name]))
    return {name: datetime.fromisoformat(kept[name]["at"]) for name in marks}


def _read(text: str | None) -> dict[str, str]:
    return dict(json.loads(text)) if text else {}
