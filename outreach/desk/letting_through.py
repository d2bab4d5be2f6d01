"""Deciding about a held post: a coordinator who is also the list's moderator lets it through, or turns it down.

By a mail that answers the list's own question, or by Mailman's REST interface where it is set up. Neither moves anything by
itself: the list's copy, or its refusal, does once it is seen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from outreach.channels import HasMailbox, HasMembers
from outreach.desk.acting import Acting
from outreach.desk.looking import Changed
from outreach.desk.seeing import Seen
from outreach.mail.answering import Answer, turned_down
from outreach.model import BadInput, Outcome, Post, Published, State
from outreach.store import Transaction, arrivals, history


@dataclass(frozen=True, slots=True)
class _Way:
    """One of the two decisions: its words, its word for REST, and which mail says it."""

    done: str
    action: str
    said: str
    mail: Callable[[Answer], Answer | None]


_LET_THROUGH = _Way("let through", "accept", "The list was told to let {} through.", lambda answer: answer)
_TURN_DOWN = _Way("turn down", "reject", "The list was told not to distribute {}.", turned_down)


class LettingThrough(Acting):
    """Each answer is given once: two clicks are one."""

    def let_through(self, name: str, *, person: str | None = None, seen: Sequence[Seen] | None = None) -> Changed:
        """Tell the list to let held posts through. Raises `BadInput` where nobody here was asked."""
        return self._decide_held(name, _LET_THROUGH, person, seen)

    def turn_down(self, name: str, *, person: str | None = None, seen: Sequence[Seen] | None = None) -> Changed:
        """Tell the list to refuse held posts, which are failed once it has done so. Raises `BadInput` where it cannot be told."""
        return self._decide_held(name, _TURN_DOWN, person, seen)

    def _decide_held(self, name: str, way: _Way, person: str | None, seen: Sequence[Seen] | None) -> Changed:
        held = [post for post in self._meant(name, seen) if post.state is State.HELD]
        if not held:
            raise BadInput(f"Nothing of {name} is held by its list.", next_step="Look at how it stands now.")
        for post in held:
            self._answer(post, way, person)
        return Changed(self._again(held), tuple(way.said.format(post.name) for post in held))

    def _answer(self, post: Post, way: _Way, person: str | None) -> None:
        rest = _rest(self._channel_of(post))
        with self._store.write() as tx:  # taken before it is sent: two clicks are one answer
            kept = arrivals.answer_of(tx, post.id)
            answer = way.mail(Answer(*kept)) if kept else None
            if rest is None and answer is None:
                raise BadInput(
                    f"{post.name} waits for somebody else: the list has asked nobody at this address, or was answered.",
                    next_step="Ask the list's owner.",
                )
            arrivals.forget_answer(tx, post.id)
            history.happened_to(tx, post, way.done, now=self._now(), person=person)
        outcome = self._told(post, way, rest, answer)
        if isinstance(outcome, Published):
            return
        why = getattr(outcome, "reason", "the channel is not set up any more")
        with self._store.write() as tx:
            if kept:
                arrivals.keep_answer(tx, post.id, *kept)
            history.happened_to(tx, post, f"{way.done} failed", now=self._now(), note=why)
        raise BadInput(f"The list could not be told: {why}", next_step="Try again in a while.")

    def _told(self, post: Post, way: _Way, rest: HasMembers | None, answer: Answer | None) -> Outcome | None:
        if rest is not None:
            return rest.decide(post.message_id or "", way.action)
        channel = self._channel_of(post)
        if not isinstance(channel, HasMailbox) or answer is None:
            return None
        return channel.answer(answer.to, answer.subject, answer.words)


def _rest(channel: object) -> HasMembers | None:
    return channel if isinstance(channel, HasMembers) and channel.facts().has_rest else None


def may_decide(tx: Transaction, post: Post, channel: object) -> tuple[bool, bool]:
    """Tell whether a held post can be let through, and turned down, from here."""
    if post.state is not State.HELD:
        return False, False
    kept = arrivals.answer_of(tx, post.id)
    by_rest = _rest(channel) is not None
    return by_rest or kept is not None, by_rest or (kept is not None and turned_down(Answer(*kept)) is not None)
