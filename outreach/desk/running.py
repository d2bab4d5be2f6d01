"""Running: what people decide about channels, about everything at once, and about how the community works."""

from typing import Any

from outreach.desk.looking import Looking
from outreach.lifecycle import Pause
from outreach.model import BadInput, sha256_of_json
from outreach.store import aftermath, channels, home, safety, wellbeing
from outreach.store.channels import ChannelRow
from outreach.store.safety import SafeMode
from outreach.store.wellbeing import Wellbeing
from outreach.wishes import Wishes

MOST_REASON = 300


class Overtaken(BadInput):
    """Something is not as the page showed it any more, so nothing was done."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} has changed since you opened the page, so nothing was done.", next_step="Look again.")


def key_of_channel(row: ChannelRow) -> str:
    """Name how a channel stands, so that who decides about it can say what they saw."""
    return sha256_of_json([row.state, row.reason, row.paused_by])[:16]


def key_of_safe_mode(mode: SafeMode | None) -> str:
    """Name the safe mode that is on, or that none is."""
    return sha256_of_json([mode.reason, mode.since.isoformat()])[:16] if mode else "off"


class Running(Looking):
    """Decisions of people about channels, each with its reason."""

    def how_channels_are(self) -> list[tuple[ChannelRow, Wellbeing]]:
        """Give the channels, and how each is."""
        now = self._now()
        with self._store.read() as tx:
            rows = channels.of_community(tx, self._community.id)
            return [(row, wellbeing.of_channel(tx, row.id, row.name, now)) for row in rows]

    def pause_channel(self, name: str, *, reason: str, person: str | None = None, seen: str | None = None) -> None:
        """Let nothing out on a channel until it is resumed. `seen` is the key of how it stood on the page.

        Raises `Overtaken` when it stands otherwise by now.
        """
        with self._store.write() as tx:
            row = _as_seen(channels.by_name(tx, self._community.id, name), seen)
            channels.pause(tx, row.id, Pause(reason, None), now=self._now(), person=person or "a person")

    def resume_channel(
        self, name: str, *, person: str | None = None, reason: str | None = None, seen: str | None = None
    ) -> None:
        """Let posts out on a channel again. Raises `Overtaken`, as `pause_channel`."""
        with self._store.write() as tx:
            row = _as_seen(channels.by_name(tx, self._community.id, name), seen)
            channels.resume(tx, row.id, now=self._now(), person=person or "a person", note=reason)
        self.on_queued()

    # Everything at once

    def stop_everything(self, *, reason: str, person: str | None = None, seen: str | None = None) -> None:
        """Let nothing out any more, on any channel. Raises `Overtaken`."""
        with self._store.write() as tx:
            _check_mode(tx, seen)
            safety.enter(tx, safety.Cause.PERSON, reason, now=self._now(), person=person)

    def let_out_again(self, *, person: str | None = None, reason: str | None = None, seen: str | None = None) -> None:
        """End safe mode: somebody's word that this is the right database and that they looked through its queue.

        Raises `BadInput` while a worker runs that was there before a restore, and `Overtaken`.
        """
        now = self._now()
        with self._store.write() as tx:
            _check_mode(tx, seen)
            if names := aftermath.workers_to_restart(tx, now):
                raise BadInput(
                    f"{len(names)} worker{'' if len(names) == 1 else 's'} that ran during the restore must begin anew first.",
                    next_step="Stop outreach worker and outreach up, start them again, then say: outreach safe-mode off",
                )
            safety.forget(tx, aftermath.WORKED_ON)
            if safety.leave(tx, now=now, person=person, note=reason) and self._store.file is not None:
                home.move_in(tx, self._store.file)
        self.on_queued()

    # The community

    def set_wishes(self, wanted: Wishes, *, person: str) -> None:
        """Keep what the community wishes of its page."""
        with self._store.write() as tx:
            channels.set_wishes(tx, self._community.id, wanted.laid_out(), now=self._now(), person=person)

    def ask_for_approval(self, wanted: bool, *, person: str) -> None:
        """Ask for approval from now on, or no more; it counts at once, for every worker."""
        approval = "required" if wanted else "off"
        with self._store.write() as tx:
            if channels.community(tx, self._community.id).approval != approval:
                channels.set_approval(tx, self._community.id, approval, now=self._now(), person=person)
        self.on_queued()


def read_reason(given: str) -> str:
    """Read why somebody does something: one line that says it. Raises `BadInput`."""
    reason = " ".join(given.split())
    if not reason:
        raise BadInput("A reason is missing.", where="reason", next_step="Say in a few words why, for the others.")
    if len(reason) > MOST_REASON or not reason.isprintable():
        raise BadInput(
            f"The reason is longer than {MOST_REASON} characters, or holds one that nobody can see.",
            where="reason",
            next_step="Say it in one plain line.",
        )
    return reason


def _as_seen(row: ChannelRow, seen: str | None) -> ChannelRow:
    if seen is not None and key_of_channel(row) != seen:
        raise Overtaken(f"The channel {row.name}")
    return row


def _check_mode(tx: Any, seen: str | None) -> None:
    if seen is not None and key_of_safe_mode(safety.current(tx)) != seen:
        raise Overtaken("Safe mode")
