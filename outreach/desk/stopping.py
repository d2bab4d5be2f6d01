"""Stopping everything at once, and a person's word that all is right again."""

from outreach.desk.looking import Looking
from outreach.model import BadInput
from outreach.store import aftermath, home, safety


class Stopping(Looking):
    """Safe mode, as people begin and end it: while it is on, nothing goes out."""

    def stop_everything(self, *, reason: str, person: str | None = None) -> None:
        """Let nothing out any more, on any channel."""
        with self._store.write() as tx:
            safety.enter(tx, safety.Cause.PERSON, reason.strip() or "A person.", now=self._now(), person=person)

    def let_out_again(self, *, person: str | None = None) -> None:
        """Let posts out again: this is the right database, and somebody has looked through its queue.

        Raises `BadInput` while workers of before a restore run.
        """
        now = self._now()
        with self._store.write() as tx:
            if names := aftermath.workers_to_restart(tx, now):
                raise BadInput(
                    f"{len(names)} worker{'' if len(names) == 1 else 's'} that ran during the restore must begin anew first.",
                    next_step="Stop outreach worker and outreach up, start them again, then say: outreach safe-mode off",
                )
            safety.forget(tx, aftermath.WORKED_ON)
            if safety.leave(tx, now=now, person=person) and self._store.file is not None:
                home.move_in(tx, self._store.file)
        self.on_queued()
