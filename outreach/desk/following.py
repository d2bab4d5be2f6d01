"""Following up: beginning a correction or a retraction of what is out, on every channel where it is."""

from dataclasses import replace

from outreach import letter as letters
from outreach.desk.looking import Looking
from outreach.model import BadInput, FollowKind, Letter, State
from outreach.store import announcements, drafts, follows

_OUT = (State.PUBLISHED, State.HELD)
_RETRACTED = "This announcement is retracted. Please disregard it.\n\n"


class Following(Looking):
    """Nothing goes out by it: what it gives is written on, queued and approved like any announcement."""

    def follow_up(self, number: int, kind: FollowKind) -> Letter:
        """Give the letter to begin with. Raises `BadInput` where nothing of the announcement is out, or it follows one itself."""
        channels = [post.channel for post in self.find(str(number)) if post.state in _OUT]
        if not channels:
            step = "What is queued is edited or cancelled; what failed was never seen."
            raise BadInput(f"Nothing of announcement {number} is out.", next_step=step)
        with self._store.read() as tx:
            was = drafts.latest(tx, self._community.id, number)
            title = str((announcements.get(tx, number) or {}).get("title", ""))
        if was is None:
            raise BadInput(f"There is no announcement {number}.", next_step="Look for it in the queue.")
        letter = letters.parse(was.letter)
        bare = title.removeprefix("Correction: ")
        to = tuple(dict.fromkeys(channels))
        if kind is FollowKind.RETRACTION:
            body = f"{_RETRACTED}It said: “{bare}”.\n"
            return Letter(f"Retracted: {bare}", body, to=to, at="now", retracts=str(number))
        told = replace(letter, title=f"Correction: {bare}" if not letter.template else "", to=to, at="now", times=())
        return replace(told, corrects=str(number), retracts=None, not_after=None, grace=None, pictures=())

    def followed_by(self, number: int) -> list[tuple[int, FollowKind]]:
        """Give the announcements that correct or retract one."""
        with self._store.read() as tx:
            return list(follows.of(tx, number))
