"""Entering: log-ins that are throttled, sessions that can be revoked, and who a visitor is."""

import secrets as randomness
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from outreach.access import passwords
from outreach.access.throttle import Throttle
from outreach.model import BadInput
from outreach.roles import Role, Verb, may
from outreach.store import Store, doorkeys, people
from outreach.store.doorkeys import SessionRow
from outreach.store.people import PersonRow
from outreach.vault import Vault, fingerprint

LASTS = timedelta(days=14)
LONGEST = timedelta(days=90)
TOUCHED_EACH = timedelta(minutes=1)
CODE_WITHIN = timedelta(minutes=10)
_STEP_S = 30


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


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody at the command line, who has the database in hand and so may do everything. `email` is who they say they are."""

    email: str | None = None


By: TypeAlias = Visitor | Operator | None
"""Who does something; None is a stranger."""


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
        self._throttle = Throttle(store, community_id, now)

    def log_in(
        self, email: str, password: str, *, address: str, agent: str = "", is_known_browser: bool = False
    ) -> str:
        """Give the key of a new session. Takes the same time whether there is such a person or not.

        Tries from a browser in which the person was before are counted apart: who is no friend cannot lock them out.
        Raises `TooManyTries`, `CodeNeeded`, and `BadInput` that does not tell which of the two was wrong.
        """
        who = email.strip().lower()[:200]
        tried = self._throttle.note(f"known {who}" if is_known_browser else who, address)
        with self._store.read() as tx:
            person = people.by_email(tx, self._community_id, who)
        kept = person.password if person and person.closed_at is None and person.roles else None
        if not passwords.is_right(kept, password) or person is None or kept is None:
            raise BadInput(
                "The address or the password is not right.", where="password", next_step="Try again, or get a new one."
            )
        self._throttle.take_back(tried)
        if passwords.is_outdated(kept):
            with self._store.write() as tx:
                people.change(tx, person.id, password=passwords.hashed(password))
        return self._welcomed(person, agent)

    def _welcomed(self, person: PersonRow, agent: str) -> str:
        key = self._begin(person, agent, is_whole=person.totp is None)
        if person.totp is not None:
            raise CodeNeeded(key)
        return key

    def _begin(self, person: PersonRow, agent: str, *, is_whole: bool) -> str:
        key, now = randomness.token_urlsafe(32), self._now()
        ends_at = now + (LASTS if is_whole else CODE_WITHIN)
        row = SessionRow(fingerprint(key), person.id, now, now, ends_at, agent[:200], is_whole)
        with self._store.write() as tx:
            doorkeys.begin_session(tx, row)
            if is_whole:
                # Not before: who guesses codes has the password.
                doorkeys.forgive(tx, [person.email, f"known {person.email}", f"code {person.email}"])
                people.tell(tx, "log in", person=person.email, note=None, now=now)
        return key

    def give_code(self, key: str, code: str, *, address: str) -> str:
        """Finish a log-in with a code of the second factor; give the key of the whole session. Each code opens once."""
        with self._store.read() as tx:
            session = doorkeys.session(tx, fingerprint(key), self._now())
            person = people.by_id(tx, self._community_id, session.person_id) if session else None
        if session is None or person is None or session.is_whole or person.closed_at or not person.roles:
            raise BadInput("The log-in took too long.", next_step="Begin again with your address and password.")
        tried = self._throttle.note(f"code {person.email}", address)
        if not self._takes_code(person, code):
            raise BadInput("The code is not right, or was used.", where="code", next_step="Take the next one.")
        self._throttle.take_back(tried)
        with self._store.write() as tx:
            if not doorkeys.end_session(tx, session.sha256, person.id):
                raise BadInput("This log-in was finished already.", next_step="Begin again.")
        return self._begin(person, session.agent, is_whole=True)

    def _takes_code(self, person: PersonRow, code: str) -> bool:
        if person.totp is None:
            return False
        step = self._step_of(self._vault.decrypt("second factor", person.totp), code)
        if step is None:
            return False
        with self._store.write() as tx:
            return people.take_step(tx, person.id, step)

    def _step_of(self, secret: str, code: str) -> int | None:
        """Give the time step whose code this is: the present one, or a neighbour for a clock that is a bit off."""
        from pyotp import TOTP  # start-up time

        totp, now, digits = TOTP(secret), int(self._now().timestamp()) // _STEP_S, "".join(code.split())
        if not digits.isascii():
            return None
        right = [step for step in (now - 1, now, now + 1) if randomness.compare_digest(totp.generate_otp(step), digits)]
        return right[-1] if right else None

    def visitor(self, key: str) -> Visitor | None:
        """Say whose session it is; None for one that ended, was revoked, or is not whole yet."""
        now = self._now()
        with self._store.read() as tx:
            session = doorkeys.session(tx, fingerprint(key), now)
            person = people.by_id(tx, self._community_id, session.person_id) if session else None
        if session is None or person is None or not session.is_whole or person.closed_at or not person.roles:
            return None
        if now - session.seen_at > TOUCHED_EACH:
            ends_at = min(now + LASTS, session.began_at + LONGEST)
            with self._store.write() as tx:
                doorkeys.touch(tx, session.sha256, seen_at=now, ends_at=ends_at)
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

    def leave_behind(self, key: str) -> None:
        """End the session of a browser that gets another one: a key that somebody knew before is worth nothing after."""
        with self._store.write() as tx:
            doorkeys.end_session_of_key(tx, fingerprint(key))

    def sessions(self, visitor: Visitor) -> Sequence[SessionRow]:
        """Give where the visitor is logged in, latest seen first."""
        with self._store.read() as tx:
            return [row for row in doorkeys.sessions_of(tx, visitor.person.id, self._now()) if row.is_whole]

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
