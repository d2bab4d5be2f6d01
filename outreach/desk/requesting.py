"""Requests to join or to leave a list: asked, confirmed by who owns the address, decided by a coordinator, done, told.

Nobody is put on a list or taken off whose own link was not opened. What is told to a person goes to their address alone;
what the history says names a request by its number.
"""

import secrets as randomness
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from email_validator import EmailNotValidError, validate_email

from outreach.alarms import Note
from outreach.channels import HasMailbox, HasMembers
from outreach.desk import joining_words as words_of
from outreach.desk.rostering import Rostering
from outreach.joining import OPEN, CameBy, RequestKind, RequestState, Step, Way, step_for
from outreach.model import BadInput, Outcome, Published
from outreach.roster import Member, is_address, is_of_list, tidy_name
from outreach.store import Transaction, joinings, members
from outreach.store.joinings import Asked, Request
from outreach.vault import fingerprint

CONFIRM_WITHIN = timedelta(days=3)
KEPT_FOR = timedelta(days=180)
"""For so long after its end it is known whose request it was."""

MOST_FROM_MAILS = 20
"""So many consent mails a day at most answer mails that came by themselves: anybody can write anybody's address there."""

_AGAIN_AFTER = timedelta(minutes=10)
_MOST_WORDS = 500
_MOST_NUMBER = 2**63 - 1  # no database has a longer one


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for, as they wrote it."""

    kind: RequestKind
    channel: str
    address: str
    name: str = ""
    words: str = ""
    came_by: CameBy = CameBy.FORM
    mail_sha256: str | None = None


class Membership(Rostering):
    """Members of lists, and who asks to become one or to be one no more."""

    # Asking

    def ask(self, wanted: Wanted, *, person: str | None = None) -> None:
        """Write a request down and mail its consent link. Asked again, it is one request, and the link is a new one.

        Says the same whether somebody is on the list or not. Raises `BadInput` for what is no address, and where no mail
        goes out.
        """
        target, address = self._list(wanted.channel), self._address_of_a_person(wanted.address)
        key = randomness.token_urlsafe(24)
        asked = Asked(
            target.id,
            wanted.kind,
            wanted.came_by,
            address,
            fingerprint(key),
            self._now() + CONFIRM_WITHIN,
            tidy_name(wanted.name),
            " ".join(wanted.words.split())[:_MOST_WORDS],
            wanted.mail_sha256,
        )
        with self._store.write() as tx:
            number = self._write_down(tx, asked, person)
        if number is not None:
            self._mail_link(self.request(number), key)

    def _address_of_a_person(self, text: str) -> str:
        """Read an address; a list's own is none, since everybody on it would get the link. Raises `BadInput`."""
        address = read_address(text)
        if any(is_of_list(address, self.facts(name).address) for name in self.lists):
            step = "Write the address of the person who asks."
            raise BadInput("This is the address of a list, not of a person.", where="address", next_step=step)
        return address

    def _write_down(self, tx: Transaction, asked: Asked, person: str | None) -> int | None:
        """Give the number of the request whose link is to be mailed now; None where none is."""
        now = self._now()
        known = joinings.open_of(tx, asked.channel_id, asked.address, asked.kind)
        is_by_mail = asked.came_by is CameBy.MAIL
        if known is None:
            if is_by_mail and joinings.count_by_mail(tx, since=now - timedelta(days=1)) >= MOST_FROM_MAILS:
                return None
            return joinings.ask(tx, asked, now=now, person=person)
        if is_by_mail or known.state is not RequestState.UNCONFIRMED or now - known.made_at < _AGAIN_AFTER:
            return None
        joinings.renew(tx, known, asked.link_sha256, ends_at=asked.ends_at, now=now, person=person)
        return known.id

    def ask_again(self, number: int, *, person: str | None = None) -> Request:
        """Mail another consent link for a request that nobody confirmed; the one before opens nothing. Raises `BadInput`."""
        request = self._in(number, RequestState.UNCONFIRMED)
        key, now = randomness.token_urlsafe(24), self._now()
        with self._store.write() as tx:
            joinings.renew(tx, request, fingerprint(key), ends_at=now + CONFIRM_WITHIN, now=now, person=person)
        self._mail_link(self.request(number), key)
        return self.request(number)

    def _mail_link(self, request: Request, key: str) -> None:
        address = self.facts(request.channel).address
        link, community = self._around.link(key), self._around.community
        note = words_of.consent(
            request.kind, list_address=address, community=community, link=link, until=request.ends_at
        )
        trouble = self._around.tell(request.address, note)
        with self._store.write() as tx:
            said = f"The mail with the link could not be sent: {trouble}" if trouble else "The link was mailed."
            joinings.note(tx, request, said, now=self._now())
        if trouble:
            step = "Ask again in a while, or write to the coordinators."
            raise BadInput("The mail with the link could not be sent.", where="address", next_step=step)

    def look_at(self, key: str) -> Request:
        """Give the request that a link is of, however far it is. Raises `BadInput` for one that is none, or is over."""
        with self._store.read() as tx:
            found = joinings.by_link(tx, self._around.community.id, fingerprint(key))
        is_over = found is not None and found.state is RequestState.UNCONFIRMED and found.ends_at <= self._now()
        if found is None or found.state is RequestState.LAPSED or is_over:
            raise BadInput("This link opens nothing any more.", next_step="Ask again: then you get another one.")
        return found

    def confirm(self, key: str) -> Request:
        """Take the consent of who owns the address; from now on a coordinator decides. Raises `BadInput`."""
        found = self.look_at(key)
        if found.state is RequestState.UNCONFIRMED:
            now = self._now()
            with self._store.write() as tx:
                joinings.go_on(tx, found, RequestState.WAITING, now=now, confirmed_at=now)
        return self.look_at(key)

    # Deciding

    def requests(self) -> Sequence[Request]:
        """Give the requests that are open, those asked first first."""
        with self._store.read() as tx:
            return joinings.listed(tx, self._around.community.id, OPEN)

    def settled(self, *, most: int = 20) -> Sequence[Request]:
        """Give the requests that came to their end last."""
        with self._store.read() as tx:
            return joinings.settled(tx, self._around.community.id, most=most)

    def count_waiting(self) -> int:
        """Count those that wait for a coordinator."""
        with self._store.read() as tx:
            return joinings.count_waiting(tx, self._around.community.id)

    def request(self, number: int) -> Request:
        """Give one. Raises `BadInput`."""
        with self._store.read() as tx:
            is_one = number <= _MOST_NUMBER
            found = joinings.by_id(tx, self._around.community.id, number) if is_one else None
        if found is None:
            raise BadInput(f"There is no request {number}.", where="request", next_step="Look at the list again.")
        return found

    def step(self, request: Request) -> Step:
        """Say how a request is carried out once it is accepted."""
        return step_for(request.kind, self.facts(request.channel), address=request.address, name=request.name)

    def accept(self, number: int, *, person: str | None = None) -> Request:
        """Accept a request and carry it out as far as the service can; give it as it stands then.

        What cannot be done now waits again, with the reason. One that was accepted already is carried out once more: on a
        list nothing can be done twice. Raises `BadInput` for one that does not wait.
        """
        request = self._in(number, RequestState.WAITING, RequestState.ACCEPTED)
        step = self.step(request)
        if request.state is RequestState.WAITING:
            self._go_on(request, RequestState.ACCEPTED, person=person, note="", decided_by=person)
        accepted = self.request(number)
        if step.way is Way.REST:
            self._carried_out(accepted, self._by_rest(accepted), "Mailman did it.", is_whole=True)
        elif step.way is Way.COMMAND:
            told = f"The list server was told: {step.words}. What it answers is shown here."
            self._carried_out(accepted, self._mailed(accepted, step), told, is_whole=False)
        elif step.way is Way.PERSON:
            self._left_to_the_person(accepted, step)
        return self.request(number)

    def _by_rest(self, request: Request) -> Outcome:
        channel: object = self._list(request.channel).channel
        assert isinstance(channel, HasMembers)
        return channel.change_members(request.kind, request.address, request.name)

    def _mailed(self, request: Request, step: Step) -> Outcome:
        channel: object = self._list(request.channel).channel
        assert isinstance(channel, HasMailbox)
        return channel.answer(step.to, step.subject, step.words)

    def _carried_out(self, request: Request, outcome: Outcome, told: str, *, is_whole: bool) -> None:
        """Both commands and REST may be repeated without harm, so what is not known to be done is put back."""
        if not isinstance(outcome, Published):
            self._go_on(request, RequestState.WAITING, note=f"It could not be done: {outcome.reason}")
        elif is_whole:
            self._finish(request, told)
        else:
            with self._store.write() as tx:
                joinings.note(tx, request, told, now=self._now())

    def _left_to_the_person(self, request: Request, step: Step) -> None:
        note = Note(f"One step is left: {self.facts(request.channel).address}", step.words)
        trouble = self._around.tell(request.address, note)
        if trouble:
            self._go_on(request, RequestState.WAITING, note=f"The person could not be told: {trouble}")
            return
        told = f"The list takes this only from the person, who was told to mail {step.to}."
        self._go_on(request, RequestState.DONE, note=told)

    def send(self, number: int, *, person: str | None = None) -> Request:
        """Mail the prepared request to the list's owner, from the address that our mails come from.

        Of a request that nobody confirmed yet, the link once more. Raises `BadInput`.
        """
        request = self._in(number, RequestState.UNCONFIRMED, RequestState.ACCEPTED)
        if request.state is RequestState.UNCONFIRMED:
            return self.ask_again(number, person=person)
        step = self.step(request)
        if step.way is not Way.OWNER:
            raise BadInput(f"Nothing is to be mailed for request {number}.", next_step="Look at how it stands.")
        outcome = self._mailed(request, step)
        if not isinstance(outcome, Published):
            raise BadInput(f"The mail could not be sent: {outcome.reason}", next_step="Try again in a while.")
        with self._store.write() as tx:
            joinings.note(tx, request, f"{step.to} was asked by mail.", now=self._now(), person=person)
        return self.request(number)

    def done(self, number: int, *, person: str | None = None) -> Request:
        """Take a coordinator's word that an accepted request is done on the list. Raises `BadInput`."""
        self._finish(self._in(number, RequestState.ACCEPTED), "A coordinator said that it is done.", person=person)
        return self.request(number)

    def decline(self, number: int, why: str, *, person: str | None = None) -> Request:
        """Decline a request; who confirmed it is told, with the reason where one is given. Raises `BadInput`."""
        request = self._in(number, *OPEN)
        said = " ".join(why.split())[:_MOST_WORDS]
        note = f"Declined: {said}" if said else "Declined."
        self._go_on(request, RequestState.DECLINED, person=person, note=note, decided_by=person)
        if request.confirmed_at is not None:
            self._tell_person(request, words_of.declined(request.kind, self.facts(request.channel).address, said))
        return self.request(number)

    def heard(self, request: Request, *, is_done: bool, words: str) -> None:
        """Take what the list server answered about an accepted request."""
        if is_done:
            self._finish(request, f"The list server said: {words}")
            return
        with self._store.write() as tx:
            joinings.note(tx, request, f"The list server answered: {words}", now=self._now())

    def accepted_on(self, channel_id: int) -> Sequence[Request]:
        """Give the requests of a list whose commands the list server may answer."""
        with self._store.read() as tx:
            return joinings.accepted_on(tx, channel_id)

    def _finish(self, request: Request, note: str, *, person: str | None = None) -> None:
        now = self._now()
        with self._store.write() as tx:
            if not joinings.go_on(tx, request, RequestState.DONE, now=now, person=person, note=note):
                return
            if request.kind is RequestKind.JOIN:
                members.put(tx, request.channel_id, Member(request.address, request.name), now=now)
            else:
                members.take_off(tx, request.channel_id, request.address)
        facts = self.facts(request.channel)
        self._tell_person(request, words_of.done(request.kind, facts.address, self._around.community.name))

    def _tell_person(self, request: Request, note: Note) -> None:
        trouble = self._around.tell(request.address, note) if request.address else None
        if trouble:
            said = f"{self.request(request.id).note or ''} The person could not be told by mail: {trouble}".strip()
            with self._store.write() as tx:
                joinings.note(tx, request, said, now=self._now())

    def _in(self, number: int, *states: RequestState) -> Request:
        request = self.request(number)
        if request.state not in states:
            step = "Look at the list again."
            raise BadInput(f"Request {number} is {request.state} already.", next_step=step)
        return request

    def _go_on(self, request: Request, to: RequestState, **values: str | None) -> None:
        with self._store.write() as tx:
            if not joinings.go_on(tx, request, to, now=self._now(), **values):
                step = "Look at the list again."
                raise BadInput(f"Somebody decided about request {request.id} meanwhile.", next_step=step)

    # Forgetting

    def tidy(self) -> int:
        """Let lapse what nobody confirmed in time, and forget of whom those were that ended long ago; give how many."""
        now = self._now()
        with self._store.write() as tx:
            found = joinings.to_be_forgotten(tx, now=now, settled_before=now - KEPT_FOR)
            for request in found:
                joinings.erase(tx, request, now=now, person=None)
        return len(found)


def read_address(text: str) -> str:
    """Read an address that a list can take. Raises `BadInput`."""
    try:
        found = validate_email(text.strip()[:300], check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        found = ""
    if not is_address(found):
        step = "Write it such as name@example.org."
        raise BadInput("This is no e-mail address that a list can take.", where="address", next_step=step)
    return found
