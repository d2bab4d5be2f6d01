"""Approving: what waits for another pair of eyes, and what those decide about exactly one revision."""

from datetime import timedelta
from typing import Any

from outreach.desk.looking import Changed, Looking
from outreach.model import BadInput, Post
from outreach.store import announcements, reviews
from outreach.store.reviews import Comment

HERE_FOR = timedelta(seconds=45)
"""For so long after the last sign somebody counts as writing on an announcement."""


class Approving(Looking):
    """Decisions about a revision. Each names the revision it is about: nobody approves what they did not see."""

    def waiting_for_approval(self) -> list[Post]:
        """Give the queued posts that nobody approved as they are now, next due first."""
        with self._store.read() as tx:
            return reviews.waiting(tx, self._community.id)

    def approve(self, number: int, *, person: str, revision: int | None = None) -> Changed:
        """Approve a revision, which must be the latest (None: whatever that is) and somebody else's."""
        with self._store.write() as tx:
            about = self._about(tx, number, revision)
            if (about["written_by"] or "").casefold() == person.casefold():
                raise BadInput("Nobody approves what they wrote themselves.", next_step="Ask another coordinator.")
            announcements.approve(tx, number, about["revision"], person=person, now=self._now())
            reviews.saw(tx, number, about["revision"], person=person, now=self._now())
        self.on_queued()
        return Changed(tuple(self.find(str(number))))

    def ask_for_changes(self, number: int, *, revision: int, said: str, person: str) -> None:
        """Send a revision back with a comment: nothing of it goes out until it was approved after all."""
        with self._store.write() as tx:
            about = self._about(tx, number, revision)
            reviews.add_comment(tx, number, self._comment(about["revision"], said, person, asks_for_changes=True))
            reviews.withdraw_approval(tx, number)

    def comment(self, number: int, *, said: str, person: str) -> None:
        """Say something about the latest revision; it changes nothing."""
        with self._store.write() as tx:
            about = self._about(tx, number, None)
            reviews.add_comment(tx, number, self._comment(about["revision"], said, person, asks_for_changes=False))

    def comments(self, number: int) -> list[Comment]:
        """Give everything said about an announcement, oldest first."""
        with self._store.read() as tx:
            self._about(tx, number, None)
            return reviews.comments_on(tx, number)

    def last_seen(self, number: int, *, person: str) -> int | None:
        """Give the revision of an announcement that a person last saw."""
        with self._store.read() as tx:
            return reviews.last_seen(tx, number, person)

    def saw(self, number: int, revision: int, *, person: str) -> None:
        """Write down which revision a person saw."""
        with self._store.write() as tx:
            self._about(tx, number, None)
            reviews.saw(tx, number, revision, person=person, now=self._now())

    def also_writing(self, number: int, *, person: str) -> list[str]:
        """Note that a person writes on an announcement, and give who else does."""
        now = self._now()
        with self._store.write() as tx:
            self._about(tx, number, None)
            reviews.is_writing(tx, number, person=person, now=now)
            return [who for who in reviews.writing_since(tx, number, now - HERE_FOR) if who != person]

    def _comment(self, revision: int, said: str, person: str, *, asks_for_changes: bool) -> Comment:
        if not said.strip():
            raise BadInput("The comment is empty.", where="comment", next_step="Say what should be changed.")
        return Comment(0, revision, person, self._now(), said.strip()[:4000], asks_for_changes)

    def _about(self, tx: Any, number: int, revision: int | None) -> dict[str, Any]:
        about = announcements.get(tx, number)
        if about is None or about["community_id"] != self._community.id:
            raise BadInput(f"There is no announcement {number}.", next_step="See them with: outreach queue")
        if revision not in (None, about["revision"]):
            raise BadInput(
                f"Announcement {number} was changed meanwhile; revision {revision} is not its latest any more.",
                where="revision",
                next_step=f"Look at revision {about['revision']} first.",
            )
        return about
