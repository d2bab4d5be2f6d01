"""The nightly backup: one for each local day, made by one worker, and only the newest few of them kept."""

import json
import logging
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from outreach.model import BadInput
from outreach.store import Store, StoreTrouble, Transaction, explained, safety
from outreach.store.backup import Busy, Order, back_up, remember
from outreach.when import AOE

log = logging.getLogger(__name__)

NOT_BEFORE = time(3)
AGAIN_AFTER = timedelta(hours=1)
_TAKEN = "nightly backup"
_OURS = re.compile(r"outreach-\d{4}-\d{2}-\d{2}\.zip")
_LEFT_OVER = re.compile(r"\.outreach-\d{4}-\d{2}-\d{2}\.zip\..*\.part")
_AOE = ZoneInfo("Etc/GMT+12")


class Nightly:
    """Makes `backups/outreach-YYYY-MM-DD.zip` once a local day. What goes wrong is remembered, not raised."""

    def __init__(
        self, *, store: Store, queue: Path, kept: int, passphrase: str, zone: str, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._queue = queue
        self._kept = kept
        self._passphrase = passphrase
        self._zone = _AOE if zone == AOE else ZoneInfo(zone)
        self._now = now

    def round(self) -> None:
        """Make today's backup if it is time and nobody has made it. To be called about once a minute."""
        now = self._now()
        local = now.astimezone(self._zone)
        if self._kept == 0 or local.time() < NOT_BEFORE:
            return
        try:
            if self._take(local.date(), now):
                self._make(local.date(), now)
        except StoreTrouble as trouble:
            log.error("the nightly backup has to wait: %s", explained(trouble).message)

    def _take(self, day: date, now: datetime) -> bool:
        """Tell whether today's is to be made by this worker, now; another then leaves it alone for an hour."""
        with self._store.read() as tx:
            if not _is_free(safety.remembered(tx, _TAKEN), day, now):
                return False
        with self._store.write() as tx:
            if not _is_free(safety.remembered(tx, _TAKEN), day, now):
                return False
            _note(tx, day, now, is_made=False)
        return True

    def _make(self, day: date, now: datetime) -> None:
        folder = self._queue / "backups"
        target = folder / f"outreach-{day}.zip"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not target.exists():  # one that is there was read back whole before it got its name
                back_up(self._store, self._queue, Order(target, now, self._passphrase))
        except Busy:
            return
        except BadInput as bad:
            self._tell(str(bad))
        except StoreTrouble as trouble:
            self._tell(str(explained(trouble)))
        except OSError as trouble:
            self._tell(f"{trouble.filename or folder}: {(trouble.strerror or type(trouble).__name__).lower()}.")
        else:
            self._remember(target, day, now)
            self._prune(folder)

    def _remember(self, target: Path, day: date, now: datetime) -> None:
        log.info("the backup of this night is %s", target)
        with self._store.write() as tx:
            _note(tx, day, now, is_made=True)
            remember(tx, target, now)
            safety.forget(tx, safety.BACKUP_TROUBLE)

    def _tell(self, trouble: str) -> None:
        log.error("the nightly backup could not be made: %s", trouble)
        with self._store.write() as tx:
            safety.remember(tx, safety.BACKUP_TROUBLE, trouble)

    def _prune(self, folder: Path) -> None:
        """Remove the nightly backups beyond the newest few, and what one that was interrupted left."""
        ours = sorted(file for file in folder.iterdir() if _OURS.fullmatch(file.name))
        broken = [file for file in folder.iterdir() if _LEFT_OVER.fullmatch(file.name)]
        for file in (*ours[: -self._kept], *broken):
            try:
                file.unlink()
            except OSError as trouble:
                log.warning("%s could not be removed: %s", file, trouble.strerror)


def _is_free(taken: str | None, day: date, now: datetime) -> bool:
    if taken is None:
        return True
    read = json.loads(taken)
    if read["day"] != day.isoformat():
        return True
    since = now - datetime.fromisoformat(read["at"])
    return not read["is_made"] and not timedelta() <= since < AGAIN_AFTER


def _note(tx: Transaction, day: date, now: datetime, *, is_made: bool) -> None:
    safety.remember(tx, _TAKEN, json.dumps({"day": day.isoformat(), "at": now.isoformat(), "is_made": is_made}))
