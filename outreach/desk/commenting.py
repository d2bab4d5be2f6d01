"""Deciding about a first comment that failed or is in doubt: it is there, or it is to be made again. Its post stays as it is."""

from outreach.desk.acting import Acting
from outreach.desk.looking import Changed
from outreach.extras import CommentState
from outreach.model import BadInput, Post
from outreach.store import Transaction, first_comments
from outreach.store.first_comments import FirstComment, Step


class Commenting(Acting):
    """What a person says of first comments outweighs what the service knows of them."""

    def settle_first_comment(self, name: str, *, is_there: bool, person: str | None = None) -> Changed:
        """Take a person's word that a first comment is there, or make it again. Raises `BadInput` where none is open."""
        found = self.find(name)
        settled = []
        with self._store.write() as tx:
            stand = first_comments.of_posts(tx, [post.id for post in found])
            for post in found:
                comment = stand.get(post.id)
                if comment and comment.state in (CommentState.FAILED, CommentState.IN_DOUBT):
                    self._settle(tx, post, comment, is_there=is_there, person=person)
                    settled.append(post)
        if not settled:
            step = f"Look at it with: outreach show {name}"
            raise BadInput(f"No first comment of {name} failed or is in doubt.", next_step=step)
        said = "is there" if is_there else "is made again"
        return Changed(self._again(settled), tuple(f"The first comment of {post.name} {said}." for post in settled))

    def _settle(
        self, tx: Transaction, post: Post, comment: FirstComment, *, is_there: bool, person: str | None
    ) -> None:
        if is_there:
            step = Step(CommentState.POSTED, "comment there", values={"reason": None}, person=person)
        else:
            values = {"reason": None, "next_at": self._now(), "attempt": 0, "looks": 0, "clean_looks": 0}
            step = Step(CommentState.WAITING, "comment again", values=values, person=person)
        first_comments.take(tx, post, comment, step, now=self._now())
