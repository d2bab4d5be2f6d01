"""What `doctor` looks at: everything a post needs, found out without publishing anything."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from outreach.bootstrap import House, build, settings_from_environment
from outreach.model import BadInput
from outreach.store import StoreTrouble, backup, explained, health, safety, seals, workers
from outreach.when import show

_LEAST_FREE_BYTES = 50_000_000
_MOST_ALARMS = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    what: str
    is_good: bool
    message: str
    next_step: str = ""
    is_warning: bool = False

    def shape(self) -> dict[str, Any]:
        """Lay it out as JSON."""
        told = {"name": self.what, "ok": self.is_good, "message": self.message, "next": self.next_step or None}
        return told | {"warning": self.is_warning}


def examine() -> list[Finding]:
    """Look at everything; what cannot be looked at because an earlier thing is broken is left out."""
    try:
        house = build(settings_from_environment())
    except BadInput as bad:
        return [Finding("settings", False, f"{bad.where}: {bad.message}", bad.next_step)]
    with_settings = [_settings(house), *_guarded("database", lambda: _database(house))]
    try:
        return [
            *with_settings,
            *_templates(house),
            *_disk(house.settings.OUTREACH_QUEUE),
            *_guarded("worker", lambda: _worker(house)),
            *_guarded("alarms", lambda: _alarms(house)),
            *_guarded("backup", lambda: _kept_safe(house)),
            *_guarded("channels", lambda: _channels(house)),
        ]
    finally:
        house.close()


def _guarded(what: str, look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    try:
        return list(look())
    except BadInput as bad:
        return [Finding(what, False, f"{bad.where}: {bad.message}" if bad.where else bad.message, bad.next_step)]
    except StoreTrouble as trouble:
        told = explained(trouble)
        return [Finding(what, False, told.message, told.next_step)]


def _settings(house: House) -> Finding:
    settings = house.settings
    where = f"{settings.OUTREACH_COMMUNITY}, {settings.OUTREACH_TIME_ZONE}, queue folder {settings.OUTREACH_QUEUE}"
    return Finding("settings", True, where)


def _database(house: House) -> Iterator[Finding]:
    with house.store.read() as tx:
        broken = health.broken_promises(tx)
        newest, overdue = health.newest_event(tx), health.overdue(tx, house.clock.now())
    yield Finding(
        "database",
        not broken,
        "; ".join(broken) or "sound",
        "Restore a backup: outreach restore FILE" if broken else "",
    )
    now = house.clock.now()
    is_behind = newest is not None and newest > now
    message = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    yield Finding(
        "clock",
        not is_behind and now.year >= 2026,
        f"{message}, which is before the latest entry of the history" if is_behind else message,
        "Set the clock of this machine (NTP)." if is_behind or now.year < 2026 else "",
    )
    told = f"{overdue} posts are overdue" if overdue else "nothing is overdue"
    yield Finding("queue", not overdue, told, "Is a worker running? Start one with: outreach worker" if overdue else "")


def _templates(house: House) -> list[Finding]:
    problems = house.library.problems()
    if problems:
        return [Finding("templates", False, f"{bad.where}: {bad.message}", bad.next_step) for bad in problems]
    return [Finding("templates", True, f"{len(house.library.names())} are ready")]


def _disk(folder: Path) -> Iterator[Finding]:
    with suppress(OSError):
        free = shutil.disk_usage(folder).free
        step = "Free some space: below this, answers of channels may be lost." if free < _LEAST_FREE_BYTES else ""
        yield Finding("disk", free >= _LEAST_FREE_BYTES, f"{free / 1e6:,.0f} MB are free", step)


def _worker(house: House) -> Iterator[Finding]:
    with house.store.read() as tx:
        beats = workers.last_beats(tx)
    zone = house.settings.OUTREACH_TIME_ZONE
    yield Finding("worker", True, f"the last sign: {show(beats[0][1], zone)}" if beats else "none runs now")


def _alarms(house: House) -> Iterator[Finding]:
    found = house.alarms.look()
    for alarm in found[:_MOST_ALARMS]:
        yield Finding("alarm", False, alarm.message, alarm.next_step)
    if len(found) > _MOST_ALARMS:
        yield Finding("alarm", False, f"and {len(found) - _MOST_ALARMS} more", "See all of them with: outreach alarms")
    names = ", ".join(route.name for route in house.routes.all)
    yield Finding("alerts", True, names or "only the log tells of trouble; set OUTREACH_ALERT_EMAIL to be told by mail")


def _kept_safe(house: House) -> Iterator[Finding]:
    with house.store.read() as tx:
        safe, known, seal = safety.current(tx), backup.known(tx), seals.latest(tx)
    if safe is not None:
        at = show(safe.since, house.settings.OUTREACH_TIME_ZONE)
        yield Finding("safe mode", False, f"on since {at}, nothing goes out: {safe.reason}", _LEAVE)
    yield _backup(house, known)
    told = f"seal {seal.id} of {show(seal.at, house.settings.OUTREACH_TIME_ZONE)}" if seal else "not sealed yet"
    yield Finding("history", True, f"{told}; prove it with: outreach verify-history")


def _backup(house: House, known: backup.Known) -> Finding:
    if known.trouble:
        return Finding("backup", False, f"the last one could not be made: {known.trouble}", _BACK_UP)
    if known.made_at is None:
        nightly = house.settings.OUTREACH_BACKUPS_KEPT > 0
        return Finding("backup", True, "none yet; a worker makes one each night" if nightly else "none yet", "")
    told = f"the last was made on {show(known.made_at, house.settings.OUTREACH_TIME_ZONE)}: {known.where}"
    if known.file is not None and not known.file.is_file():
        return Finding("backup", False, f"{told}, which is not there any more", _BACK_UP)
    is_old = house.clock.now() - known.made_at > _OLD
    return Finding("backup", not is_old, told, _BACK_UP if is_old else "")


_OLD = timedelta(days=8)
_BACK_UP = "Make one with: outreach backup FILE"
_LEAVE = "Let posts out again: outreach safe-mode off"


def _channels(house: House) -> Iterator[Finding]:
    channels = house.new_channels()
    if not channels:
        step = "Set FACEBOOK_PAGE_ID and FACEBOOK_PAGE_TOKEN, or LISTSERV_ADDRESS, LISTSERV_SENDER and SMTP_HOST."
        yield Finding("channels", False, "none is set up", step)
    rows = {row.name: row for row in house.desk.channels()}
    for name, channel in channels.items():
        problems = channel.check()
        for problem in problems:
            is_warning = problem.is_warning
            yield Finding(name, is_warning, problem.message, problem.next_step, is_warning)
        if name in rows and rows[name].state == "paused":
            yield Finding(
                name, False, f"it is paused: {rows[name].reason}", f"Let it go on: outreach channels resume {name}"
            )
        elif all(problem.is_warning for problem in problems):
            yield Finding(name, True, "would let a post out now")
