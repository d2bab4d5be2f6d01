"""Letting a held post through: a coordinator who is also the list's moderator answers the list's question with one click."""

from collections.abc import Sequence

from outreach.channels import HasMailbox
from outreach.desk.acting import Acting
from outreach.desk.looking import Changed
from outreach.desk.seeing import Seen
from outreach.model import BadInput, Post, Published, State
from outreach.store import arrivals, history


class LettingThrough(Acting):
    """Moves nothing by itself: the list's copy, once seen, does."""

    def let_through(self, name: str, *, person: str | None = None, seen: Sequence[Seen] | None = None) -> Changed:
        """Tell the list by mail to let held posts through, each once. Raises `BadInput` where nobody here was asked."""
        held = [post for post in self._meant(name, seen) if post.state is State.HELD]
        if not held:
            raise BadInput(f"Nothing of {name} is held by its list.", next_step="Look at how it stands now.")
        for post in held:
            self._answer(post, person)
        return Changed(self._again(held), tuple(f"The list was told to let {post.name} through." for post in held))

    def _answer(self, post: Post, person: str | None) -> None:
        target = self._targets.get(post.channel)
        with self._store.write() as tx:  # taken before it is sent: two clicks are one answer
            kept = arrivals.answer_of(tx, post.id)
            if kept is None:
                raise BadInput(
                    f"{post.name} waits for somebody else: the list has asked nobody at this address, or was answered.",
                    next_step="Ask the list's owner.",
                )
            arrivals.forget_answer(tx, post.id)
            history.happened_to(tx, post, "let through", now=self._now(), person=person)
        channel: object = target.channel if target else None
        outcome = channel.answer(*kept) if isinstance(channel, HasMailbox) else None
        if isinstance(outcome, Published):
            return
        why = outcome.reason if outcome else "the channel is not set up any more"
        with self._store.write() as tx:
            arrivals.keep_answer(tx, post.id, *kept)
            history.happened_to(tx, post, "let through failed", now=self._now(), note=why)
        raise BadInput(f"The answer could not be mailed to the list: {why}", next_step="Try again in a while.")
