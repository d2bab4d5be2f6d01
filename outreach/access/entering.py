"""Entering: log-ins that are throttled, sessions that can be revoked, and who a visitor is."""

import secrets as randomness
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from outreach.access import passwords
from outreach.model import BadInput
from outreach.roles import Role, Verb, may
from outreach.store import Store, doorkeys, people
from outreach.store.doorkeys import SessionRow
from outreach.store.people import PersonRow
from outreach.vault import Vault, fingerprint

LASTS = timedelta(days=14)
TOUCHED_EACH = timedelta(minutes=1)
COUNTED_FOR = timedelta(minutes=15)
MOST_OF_ACCOUNT = 5
MOST_OF_ADDRESS = 20
CODE_WITHIN = timedelta(minutes=10)


class TooManyTries(BadInput):
    """Log-ins are throttled until `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__("There were too many wrong tries.", next_step="Wait a few minutes, or ask for a new password.")
        self.until = until


class CodeNeeded(BadInput):
    """The password was right, and a code of the second factor is needed. `session` is the key to give it with."""

    def __init__(self, session: str) -> None:
        super().__init__("A code is needed.", where="code", next_step="Open the app that makes your codes.")
        self.session = session


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is there: a person with their roles, by a session of the browser or by a token of a program."""

    person: PersonRow
    session: str | None = None
    token: int | None = None
    scopes: frozenset[str] | None = None

    @property
    def email(self) -> str:
        """The address, by which the history names people."""
        return self.person.email

    @property
    def roles(self) -> frozenset[Role]:
        """What the person is in this community."""
        return self.person.roles

    def may(self, verb: Verb) -> bool:
        """Tell whether the person may do it."""
        return may(self.person.roles, verb)


class Entering:
    """Ways in. `secret` is the one of the install."""

    def __init__(
        self, *, store: Store, community_id: int, secret: str, now: Callable[[], datetime], issuer: str = "outreach"
    ) -> None:
        self._store = store
        self._community_id = community_id
        self._vault = Vault(secret)
        self._now = now
        self._issuer = issuer

    def log_in(self, email: str, password: str, *, address: str, agent: str = "") -> str:
        """Give the key of a new session. Takes the same time whether there is such a person or not.

        Raises `TooManyTries`, `CodeNeeded`, and `BadInput` that does not tell which of the two was wrong.
        """
        who = email.strip().lower()[:200]
        self._check_throttle(who, address)
        with self._store.read() as tx:
            person = people.by_email(tx, self._community_id, who)
        kept = person.password if person and person.closed_at is None else None
        is_good = passwords.is_right(kept, password) and person is not None and bool(person.roles)
        with self._store.write() as tx:
            doorkeys.forget_log_ins(tx, self._now() - timedelta(days=2))
            doorkeys.note_log_in(tx, who, address, is_good=is_good, now=self._now())
        if not is_good or person is None or kept is None:
            raise BadInput(
                "The address or the password is not right.", where="password", next_step="Try again, or get a new one."
            )
        return self._welcomed(person, kept, password, agent)

    def _welcomed(self, person: PersonRow, kept: str, password: str, agent: str) -> str:
        if passwords.is_outdated(kept):
            with self._store.write() as tx:
                people.change(tx, person.id, password=passwords.hashed(password))
        key = self._begin(person, agent, is_whole=person.totp is None)
        if person.totp is not None:
            raise CodeNeeded(key)
        return key

    def _check_throttle(self, who: str, address: str) -> None:
        since = self._now() - COUNTED_FOR
        with self._store.read() as tx:
            of_account = doorkeys.failures(tx, since=since, who=who)
            of_address = doorkeys.failures(tx, since=since, address=address)
        for failed, most in ((of_account, MOST_OF_ACCOUNT), (of_address, MOST_OF_ADDRESS)):
            if len(failed) >= most:
                raise TooManyTries(failed[-most] + COUNTED_FOR)

    def _begin(self, person: PersonRow, agent: str, *, is_whole: bool) -> str:
        key, now = randomness.token_urlsafe(32), self._now()
        ends_at = now + (LASTS if is_whole else CODE_WITHIN)
        row = SessionRow(fingerprint(key), person.id, now, now, ends_at, agent[:200], is_whole)
        with self._store.write() as tx:
            doorkeys.begin_session(tx, row)
            if is_whole:
                people.tell(tx, "log in", person=person.email, note=None, now=now)
        return key

    def give_code(self, key: str, code: str, *, address: str) -> str:
        """Finish a log-in with a code of the second factor; give the key of the whole session. Each code opens once."""
        with self._store.read() as tx:
            session = doorkeys.session(tx, fingerprint(key), self._now())
            person = people.by_id(tx, self._community_id, session.person_id) if session else None
        if session is None or person is None or session.is_whole:
            raise BadInput("The log-in took too long.", next_step="Begin again with your address and password.")
        self._check_throttle(person.email, address)
        if not self._takes_code(person, code):
            with self._store.write() as tx:
                doorkeys.note_log_in(tx, person.email, address, is_good=False, now=self._now())
            raise BadInput("The code is not right, or was used.", where="code", next_step="Take the next one.")
        with self._store.write() as tx:
            doorkeys.end_session(tx, session.sha256, person.id)
        return self._begin(person, session.agent, is_whole=True)

    def _takes_code(self, person: PersonRow, code: str) -> bool:
        from pyotp import TOTP  # start-up time

        if person.totp is None:
            return False
        totp, now = TOTP(self._vault.decrypt("second factor", person.totp)), self._now()
        digits = "".join(code.split())
        for step in (-1, 0, 1):
            at = now + timedelta(seconds=30 * step)
            if digits.isascii() and randomness.compare_digest(totp.at(at), digits):
                with self._store.write() as tx:
                    return people.take_step(tx, person.id, int(at.timestamp()) // 30)
        return False

    def visitor(self, key: str) -> Visitor | None:
        """Say whose session it is; None for one that ended, was revoked, or is not whole yet."""
        now = self._now()
        with self._store.read() as tx:
            session = doorkeys.session(tx, fingerprint(key), now)
            person = people.by_id(tx, self._community_id, session.person_id) if session else None
        if session is None or person is None or not session.is_whole or person.closed_at or not person.roles:
            return None
        if now - session.seen_at > TOUCHED_EACH:
            with self._store.write() as tx:
                doorkeys.touch(tx, session.sha256, seen_at=now, ends_at=now + LASTS)
        return Visitor(person, session=session.sha256)

    def visitor_by_token(self, token: str) -> Visitor | None:
        """Say whose token it is; None for one that ended or was revoked."""
        now = self._now()
        with self._store.read() as tx:
            row = doorkeys.token(tx, fingerprint(token), now)
            person = people.by_id(tx, self._community_id, row.person_id) if row else None
        if row is None or person is None or person.closed_at or not person.roles:
            return None
        if row.used_at is None or now - row.used_at > TOUCHED_EACH:
            with self._store.write() as tx:
                doorkeys.token_used(tx, row.id, now)
        return Visitor(person, token=row.id, scopes=frozenset(row.scopes))

    def log_out(self, visitor: Visitor) -> None:
        """End the session the visitor came with."""
        if visitor.session is not None:
            self.end_session(visitor, visitor.session)

    def sessions(self, visitor: Visitor) -> Sequence[SessionRow]:
        """Give where the visitor is logged in."""
        with self._store.read() as tx:
            return [replace(row) for row in doorkeys.sessions_of(tx, visitor.person.id, self._now()) if row.is_whole]

    def end_session(self, visitor: Visitor, sha256: str) -> None:
        """End one of the visitor's own sessions. Raises `BadInput` where there is no such one."""
        with self._store.write() as tx:
            if not doorkeys.end_session(tx, sha256, visitor.person.id):
                raise BadInput("There is no such session any more.", next_step="Look at the list again.")
            people.tell(tx, "log out", person=visitor.email, note=None, now=self._now())

    def end_other_sessions(self, visitor: Visitor) -> None:
        """End every session of the visitor but this one."""
        with self._store.write() as tx:
            doorkeys.end_sessions_of(tx, visitor.person.id, but=visitor.session)
            people.tell(tx, "log out", person=visitor.email, note="everywhere else", now=self._now())
