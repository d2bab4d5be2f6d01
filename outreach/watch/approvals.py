"""Telling of approvals by mail: approvers of what waits, authors of what became of it. Each person once for each cause.

What is to be told is written down first, then taken, told and noted as told, each in a commit of its own: who dies between
tells once more at most, and nothing is lost.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from outreach.alarms import Route
from outreach.model import NoticeKind, Post, State
from outreach.roles import Role
from outreach.store import Store, Transaction, announcements, notices, posts, reviews, waiting
from outreach.store import people as persons
from outreach.store.notices import Notice, Owed
from outreach.store.people import PersonRow
from outreach.store.waiting import Place, Waiting
from outreach.watch.approval_words import Facts, approval_note

log = logging.getLogger(__name__)

MOST_AT_ONCE = 500
MOST_MAILS = 50
GIVE_UP_AFTER = timedelta(hours=24)
NEWS_FOR = timedelta(days=2)
"""For so long after it happened people are told what became of something, as when a mail server is set up later."""
FOLLOWED_AFTER = timedelta(minutes=10)
"""After so long another worker takes a mail over from one that gave no sign; longer than a mail can take."""
_STAGES = ((NoticeKind.HOURS_BEFORE, timedelta(hours=2)), (NoticeKind.DAY_BEFORE, timedelta(hours=24)))
_TO_DECIDE = frozenset({NoticeKind.ASKS, NoticeKind.DAY_BEFORE, NoticeKind.HOURS_BEFORE})


def owed(each: Waiting, approvers: Sequence[PersonRow], now: datetime) -> Iterator[Owed]:
    """Say who has to be told what about something that waits. Pure; what was told already is among it.

    Approvers but its author are asked, and reminded where there was time for that since it was written. When changes
    were asked for, it is the author whom one waits for.
    """
    others = [person.id for person in approvers if not _is_author(person, each)]
    if not each.is_back_with_its_author:
        yield from (Owed(each.announcement, each.revision, one, NoticeKind.ASKS) for one in others)
    kind = _stage(each, now)
    if kind is not None:
        waited_for = [each.author_id] if each.is_back_with_its_author else others
        due = int(each.due_at.timestamp())
        yield from (Owed(each.announcement, each.revision, one, kind, due) for one in waited_for if one is not None)


def _stage(each: Waiting, now: datetime) -> NoticeKind | None:
    left = each.due_at - now
    if left <= timedelta():
        return None
    reached = next(((kind, before) for kind, before in _STAGES if left <= before), None)
    return reached[0] if reached and each.revised_at < each.due_at - reached[1] else None


def _is_author(person: PersonRow, each: Waiting) -> bool:
    return person.email.casefold() == (each.written_by or "").casefold()


def again_after(tries: int) -> timedelta:
    """Say how long to wait after so many vain tries: a minute, doubled each time, at most an hour."""
    return timedelta(minutes=min(2 ** (max(tries, 1) - 1), 60))


@dataclass(frozen=True)
class Reach:
    """What the telling needs from outside: ways to people, links that log one in to a revision, the page's address."""

    route_to: Callable[[str], Route | None]
    link: Callable[[int, int, str], str]
    base_url: str
    community: str


class Approvals:
    """The round of mails about approvals of one community. Any number of workers may do it on one database."""

    def __init__(self, *, store: Store, community_id: int, around: Reach, now: Callable[[], datetime]) -> None:
        self._store = store
        self._community_id = community_id
        self._around = around
        self._now = now
        self._after: Place | None = None

    def round(self) -> None:
        """Write down whom to tell, then tell those whose time has come."""
        self._owe()
        self._tell()

    # Whom to tell

    def _owe(self) -> None:
        """Look at what is due next, and at a further part of all that waits, so that nobody is forgotten for long."""
        now = self._now()
        with self._store.read() as tx:
            soon = waiting.first(tx, self._community_id, limit=MOST_AT_ONCE)
            part = waiting.first(tx, self._community_id, after=self._after, limit=MOST_AT_ONCE) if self._after else []
            self._after = self._further(part or soon)
            found = waiting.of(tx, list({post.id: post for post in (*soon, *part)}.values()))
            if not found:
                return
            approvers = persons.with_role(tx, self._community_id, Role.APPROVER)
            known = notices.known(tx, [each.announcement for each in found])
        missing = [one for each in found for one in owed(each, approvers, now) if one not in known]
        if missing:
            with self._store.write() as tx:
                notices.owe(tx, missing, now)

    @staticmethod
    def _further(part: Sequence[Post]) -> Place | None:
        return waiting.place(part[-1]) if len(part) == MOST_AT_ONCE else None

    # Telling

    def _tell(self) -> None:
        with self._store.read() as tx:
            due = notices.to_be_told(tx, self._community_id, self._now(), most=MOST_MAILS)
        for notice in due:
            if not self._tell_one(notice):
                return  # the server may be gone: the others are tried in the next round

    def _tell_one(self, notice: Notice) -> bool:
        now = self._now()
        with self._store.write() as tx:
            if not notices.take(tx, notice, again_at=now + FOLLOWED_AFTER):
                return True
            facts = self._facts(tx, notice)
            if facts is None:
                notices.drop(tx, notice)
                return True
        reason = self._hand_over(notice, facts)
        now = self._now()
        with self._store.write() as tx:
            if reason is None:
                notices.told(tx, notice, now)
                return True
            again_at = now + again_after(notice.tries + 1)
            is_given_up = again_at > notice.made_at + GIVE_UP_AFTER
            notices.not_told(tx, notice, reason, again_at=None if is_given_up else again_at)
        what = "given up after a day" if is_given_up else "not taken, it is tried again"
        log.log(logging.ERROR if is_given_up else logging.WARNING, "mail about an approval: %s: %s", what, reason)
        return False

    def _hand_over(self, notice: Notice, facts: Facts) -> str | None:
        route = self._around.route_to(notice.email)
        if route is None:
            return "No mail server is set up."
        if notice.kind in _TO_DECIDE and not facts.is_author:
            key = self._around.link(notice.announcement, notice.revision, notice.email)
            facts = replace(facts, link=f"{self._around.base_url}/links/{key}")
        return route.tell(approval_note(notice.kind, facts))

    # What is told

    def _facts(self, tx: Transaction, notice: Notice) -> Facts | None:
        """Look up what a mail has to say; None when nobody needs it any more."""
        person = persons.by_id(tx, self._community_id, notice.person_id)
        about = announcements.get(tx, notice.announcement)
        is_old = notice.kind not in _TO_DECIDE and self._now() - notice.made_at > NEWS_FOR
        if is_old or person is None or person.closed_at is not None or about is None or "@" not in person.email:
            return None
        base = Facts(
            community=self._around.community,
            number=notice.announcement,
            title=about["title"],
            revision=notice.revision,
            posts=(),
            link=f"{self._around.base_url}/announcements/{notice.announcement}",
            at=self._now(),
            written_by=about["written_by"],
            is_author=person.email.casefold() == (about["written_by"] or "").casefold(),
        )
        if notice.kind in _TO_DECIDE:
            return self._to_decide(tx, notice, person, base)
        if notice.kind is NoticeKind.CHANGES:
            return self._wish(tx, notice, base)
        found = posts.of_announcement(tx, notice.announcement)
        if notice.kind is NoticeKind.APPROVED:
            by = persons.by_id(tx, self._community_id, about["approved_by"] or 0)
            is_still = about["approved_revision"] == notice.revision
            return replace(base, posts=found, by=by.email if by else None) if is_still else None
        missed = [p for p in found if p.state is State.MISSED and int(p.planned_at.timestamp()) == notice.about]
        link = self._to_write(notice) if base.is_author else base.link
        return replace(base, posts=missed, link=link) if missed else None

    def _to_decide(self, tx: Transaction, notice: Notice, person: PersonRow, base: Facts) -> Facts | None:
        found = posts.of_announcement(tx, notice.announcement)
        each = next(iter(waiting.of(tx, found[:1])), None)
        if each is None or each.revision != notice.revision:
            return None
        if notice.kind is not NoticeKind.ASKS and int(each.due_at.timestamp()) != notice.about:
            return None
        told = replace(base, posts=each.posts)
        if base.is_author:
            return replace(told, link=self._to_write(notice)) if each.is_back_with_its_author else None
        return None if each.is_back_with_its_author or Role.APPROVER not in person.roles else told

    def _wish(self, tx: Transaction, notice: Notice, base: Facts) -> Facts | None:
        wish = next((c for c in reviews.comments_on(tx, notice.announcement) if c.id == notice.about), None)
        return replace(base, by=wish.person, said=wish.text, link=self._to_write(notice)) if wish else None

    def _to_write(self, notice: Notice) -> str:
        return f"{self._around.base_url}/write/{notice.announcement}"
