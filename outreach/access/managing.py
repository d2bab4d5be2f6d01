"""Managing: roles, passwords, second factors and tokens of people who are in already."""

import secrets as randomness
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from outreach.access import passwords
from outreach.access.entering import Entering, Visitor
from outreach.model import BadInput
from outreach.roles import Role
from outreach.store import doorkeys, people
from outreach.store.doorkeys import TokenRow
from outreach.store.people import PersonRow
from outreach.vault import fingerprint

SCOPES = ("read", "write", "approve", "set up", "calendar")
MOST_TOKENS = 50


@dataclass(frozen=True, slots=True)
class NewTotp:
    """A second factor about to begin: what an app scans or a person types, not yet in force."""

    secret: str = field(repr=False)
    address: str = field(repr=False)


class Managing(Entering):
    """What admins do about people, and people about themselves."""

    def people(self) -> list[PersonRow]:
        """Give everybody with a role in the community, by address."""
        with self._store.read() as tx:
            return people.of_community(tx, self._community_id)

    def person(self, number: int) -> PersonRow:
        """Give a person of this community. Raises `BadInput` for anybody else."""
        with self._store.read() as tx:
            found = people.by_id(tx, self._community_id, number)
        if found is None or not found.roles:
            raise BadInput("There is no such person here.", next_step="Look at the list again.")
        return found

    def set_roles(self, number: int, wanted: Collection[Role], *, by: Visitor) -> None:
        """Make somebody's roles exactly these; none at all takes them out. There is always an admin left."""
        person = self.person(number)
        with self._store.write() as tx:
            people.set_roles(tx, self._community_id, number, wanted)
            self._check_that_an_admin_is_left(tx)
            if not wanted:
                doorkeys.end_sessions_of(tx, number)
                doorkeys.revoke_tokens_of(tx, number, self._now())
            note = f"{person.email}: {', '.join(sorted(wanted)) or 'none'}"
            people.tell(tx, "set roles", person=by.email, note=note, now=self._now())

    def close(self, number: int, *, by: Visitor) -> None:
        """Let somebody in no more: every session and token ends now. What they did stays in the history."""
        person = self.person(number)
        with self._store.write() as tx:
            people.change(tx, number, closed_at=self._now())
            self._check_that_an_admin_is_left(tx)
            doorkeys.end_sessions_of(tx, number)
            doorkeys.revoke_tokens_of(tx, number, self._now())
            people.tell(tx, "close account", person=by.email, note=person.email, now=self._now())

    def reopen(self, number: int, *, by: Visitor) -> None:
        """Let somebody in again."""
        person = self.person(number)
        with self._store.write() as tx:
            people.change(tx, number, closed_at=None)
            people.tell(tx, "reopen account", person=by.email, note=person.email, now=self._now())

    def _check_that_an_admin_is_left(self, tx: Any) -> None:
        if not people.with_role(tx, self._community_id, Role.ADMIN):
            raise BadInput("Nobody would be an admin any more.", next_step="Make somebody else an admin first.")

    # Oneself

    def rename(self, visitor: Visitor, name: str) -> None:
        """Give oneself another name."""
        with self._store.write() as tx:
            people.change(tx, visitor.person.id, name=" ".join(name.split())[:80])

    def change_password(self, visitor: Visitor, *, old: str, new: str) -> None:
        """Take another password; every other session ends. Raises `BadInput`."""
        self._check_password(visitor, old)
        passwords.check(new, email=visitor.email)
        hashed = passwords.hashed(new)
        with self._store.write() as tx:
            people.change(tx, visitor.person.id, password=hashed)
            doorkeys.end_sessions_of(tx, visitor.person.id, but=visitor.session)
            people.tell(tx, "set password", person=visitor.email, note=None, now=self._now())

    def _check_password(self, visitor: Visitor, password: str) -> None:
        self._check_throttle(visitor.email, "")
        if passwords.is_right(visitor.person.password, password):
            return
        with self._store.write() as tx:
            doorkeys.note_log_in(tx, visitor.email, "", is_good=False, now=self._now())
        raise BadInput("Your password is not right.", where="old", next_step="Try again.")

    def new_totp(self, visitor: Visitor) -> NewTotp:
        """Propose a second factor. Nothing is kept before `begin_totp` has seen a code of it."""
        from pyotp import TOTP, random_base32  # start-up time

        secret = random_base32()
        return NewTotp(secret, TOTP(secret).provisioning_uri(name=visitor.email, issuer_name=self._issuer))

    def begin_totp(self, visitor: Visitor, *, secret: str, code: str, password: str) -> None:
        """Ask for a code at each log-in from now on, if this code and the password are right."""
        from pyotp import TOTP  # start-up time

        self._check_password(visitor, password)
        now = self._now()
        is_well_formed = len(secret) == 32 and set(secret) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        digits = "".join(code.split())
        if not (is_well_formed and TOTP(secret).verify(digits, for_time=now, valid_window=1)):
            raise BadInput(
                "The code is not right.", where="code", next_step="Scan the picture again and take a new one."
            )
        with self._store.write() as tx:
            sealed = self._vault.encrypt("second factor", secret)
            people.change(tx, visitor.person.id, totp=sealed, totp_step=int(now.timestamp()) // 30 + 1)
            people.tell(tx, "begin second factor", person=visitor.email, note=None, now=now)

    def end_totp(self, visitor: Visitor, *, password: str) -> None:
        """Ask for no code any more."""
        self._check_password(visitor, password)
        self._end_totp(visitor.person, visitor)

    def end_totp_of(self, number: int, *, by: Visitor) -> None:
        """Let somebody in without a code who lost what made them; their sessions end."""
        self._end_totp(self.person(number), by)

    def _end_totp(self, person: PersonRow, by: Visitor) -> None:
        with self._store.write() as tx:
            people.change(tx, person.id, totp=None, totp_step=None)
            if person.id != by.person.id:
                doorkeys.end_sessions_of(tx, person.id)
            people.tell(tx, "end second factor", person=by.email, note=person.email, now=self._now())

    # Tokens

    def new_token(self, visitor: Visitor, *, name: str, scopes: Sequence[str], days: int | None = 365) -> str:
        """Make a token for a program; it is shown once. It may what its scopes and the person's roles both allow."""
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown or not scopes or not name.strip():
            what = f"There is no scope {unknown[0]!r}." if unknown else "A token needs a name and a scope."
            raise BadInput(
                what, where="scopes" if unknown or name.strip() else "name", next_step=f"Scopes: {', '.join(SCOPES)}."
            )
        key, now = f"outreach_{randomness.token_urlsafe(32)}", self._now()
        with self._store.write() as tx:
            if doorkeys.count_tokens(tx, visitor.person.id) >= MOST_TOKENS:
                raise BadInput(f"There are {MOST_TOKENS} tokens already.", where="name", next_step="Revoke one first.")
            ends_at = now + timedelta(days=days) if days else None
            called = " ".join(name.split())[:80]
            row = {"person_id": visitor.person.id, "name": called, "scopes": list(scopes), "ends_at": ends_at}
            doorkeys.make_token(tx, now=now, sha256=fingerprint(key), **row)
            people.tell(tx, "make token", person=visitor.email, note=called, now=now)
        return key

    def tokens(self, visitor: Visitor) -> list[TokenRow]:
        """Give the visitor's own tokens, newest first."""
        with self._store.read() as tx:
            return doorkeys.tokens_of(tx, visitor.person.id)

    def revoke_token(self, visitor: Visitor, number: int) -> None:
        """End one of the visitor's own tokens. Raises `BadInput` where there is no such one."""
        with self._store.write() as tx:
            if not doorkeys.revoke_token(tx, number, visitor.person.id, self._now()):
                raise BadInput("There is no such token any more.", next_step="Look at the list again.")
            people.tell(tx, "revoke token", person=visitor.email, note=None, now=self._now())
