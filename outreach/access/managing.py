"""Managing: roles, passwords, second factors and tokens of people who are in already."""

import secrets as randomness
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from outreach.access import passwords
from outreach.access.entering import By, Visitor
from outreach.access.inviting import Inviting
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


class Managing(Inviting):
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

    def person_called(self, email: str) -> PersonRow:
        """Give a person of this community by their address. Raises `BadInput` for anybody else."""
        with self._store.read() as tx:
            found = people.by_email(tx, self._community_id, email)
        if found is None or not found.roles:
            raise BadInput(
                f"There is no {email} here.", where="email", next_step="See who is there: outreach people list"
            )
        return found

    def set_roles(self, number: int, wanted: Collection[Role], *, by: By) -> None:
        """Make somebody's roles exactly these; none at all takes them out. There is always an admin left."""
        person = self.person(number)
        with self._store.write() as tx:
            people.one_at_a_time(tx, self._community_id)
            had_an_admin = self._has_an_admin(tx)
            people.set_roles(tx, self._community_id, number, wanted)
            self._check_that_an_admin_is_left(tx, had_an_admin)
            if not people.communities_of(tx, number):
                self._shut_out(tx, person)
            note = f"{person.email}: {', '.join(sorted(wanted)) or 'none'}"
            people.tell(tx, "set roles", person=_name_of(by), note=note, now=self._now())

    def close(self, number: int, *, by: By) -> None:
        """Let somebody in no more: every session, link and token ends now. What they did stays in the history."""
        person = self.person(number)
        with self._store.write() as tx:
            people.one_at_a_time(tx, self._community_id)
            self._check_that_it_is_ours(tx, person, by)
            had_an_admin = self._has_an_admin(tx)
            people.change(tx, number, closed_at=self._now())
            self._check_that_an_admin_is_left(tx, had_an_admin)
            self._shut_out(tx, person)
            people.tell(tx, "close account", person=_name_of(by), note=person.email, now=self._now())

    def _shut_out(self, tx: Any, person: PersonRow) -> None:
        doorkeys.end_sessions_of(tx, person.id)
        doorkeys.end_links_of(tx, person.email, self._now(), kinds=("invitation", "reset", "approval"))
        doorkeys.revoke_tokens_of(tx, person.id, self._now())

    def reopen(self, number: int, *, by: By) -> None:
        """Let somebody in again."""
        person = self.person(number)
        with self._store.write() as tx:
            self._check_that_it_is_ours(tx, person, by)
            people.change(tx, number, closed_at=None)
            people.tell(tx, "reopen account", person=_name_of(by), note=person.email, now=self._now())

    def _has_an_admin(self, tx: Any) -> bool:
        return bool(people.with_role(tx, self._community_id, Role.ADMIN))

    def _check_that_an_admin_is_left(self, tx: Any, had_one: bool) -> None:
        if had_one and not self._has_an_admin(tx):
            raise BadInput("Nobody would be an admin any more.", next_step="Make somebody else an admin first.")

    # Oneself

    def rename(self, visitor: Visitor, name: str) -> None:
        """Give oneself another name."""
        with self._store.write() as tx:
            called = " ".join(name.split())[:80]
            people.change(tx, visitor.person.id, name=called)
            people.tell(tx, "change name", person=visitor.email, note=called, now=self._now())

    def change_password(self, visitor: Visitor, *, old: str, new: str) -> None:
        """Take another password; every other session and every link ends. Raises `BadInput`."""
        self.check_password(visitor, old, where="old")
        try:
            passwords.check(new, email=visitor.email)
        except BadInput as bad:
            raise BadInput(bad.message, where="new", next_step=bad.next_step) from None
        hashed = passwords.hashed(new)
        now = self._now()
        with self._store.write() as tx:
            people.change(tx, visitor.person.id, password=hashed, password_at=now)
            doorkeys.end_sessions_of(tx, visitor.person.id, but=visitor.session)
            doorkeys.end_links_of(tx, visitor.email, now, kinds=("reset", "approval"))
            people.tell(tx, "set password", person=visitor.email, note=None, now=self._now())

    def check_password(self, visitor: Visitor, password: str, *, where: str = "password") -> None:
        """Let somebody show that they are there themselves, not only their browser. Raises `BadInput` about the field."""
        self._throttle.note(f"self {visitor.email}", "")
        if not passwords.is_right(visitor.person.password, password):
            raise BadInput("Your password is not right.", where=where, next_step="Try again.")
        self._throttle.forgive(f"self {visitor.email}")

    def new_totp(self, visitor: Visitor, secret: str = "") -> NewTotp:
        """Propose a second factor, or one again. Nothing is kept before `begin_totp` has seen a code of it."""
        from pyotp import TOTP, random_base32  # start-up time

        secret = secret if _is_secret(secret) else random_base32()
        return NewTotp(secret, TOTP(secret).provisioning_uri(name=visitor.email, issuer_name=self._issuer))

    def begin_totp(self, visitor: Visitor, *, secret: str, code: str, password: str) -> None:
        """Ask for a code at each log-in from now on, if this code and the password are right. Every other session ends."""
        if visitor.person.totp is not None:
            raise BadInput("There is a second factor already.", where="code", next_step="End that one first.")
        self.check_password(visitor, password)
        step = self._step_of(secret, code) if _is_secret(secret) else None
        if step is None:
            raise BadInput(
                "The code is not right.", where="code", next_step="Take the next one; the clock of your phone matters."
            )
        now = self._now()
        with self._store.write() as tx:
            sealed = self._vault.encrypt("second factor", secret)
            people.change(tx, visitor.person.id, totp=sealed, totp_at=now, totp_step=step)
            doorkeys.end_sessions_of(tx, visitor.person.id, but=visitor.session)
            people.tell(tx, "begin second factor", person=visitor.email, note=None, now=now)

    def end_totp(self, visitor: Visitor, *, password: str) -> None:
        """Ask for no code any more."""
        self.check_password(visitor, password)
        self._end_totp(visitor.person, visitor, but=visitor.session)

    def end_totp_of(self, number: int, *, by: By) -> None:
        """Let somebody in without a code who lost what made them; their sessions end."""
        if isinstance(by, Visitor) and by.person.id == number:
            step = "End it on the page of your account, with your password."
            raise BadInput("This is your own second factor.", next_step=step)
        self._end_totp(self.person(number), by, but=None)

    def _end_totp(self, person: PersonRow, by: By, *, but: str | None) -> None:
        with self._store.write() as tx:
            self._check_that_it_is_ours(tx, person, by)
            people.change(tx, person.id, totp=None, totp_at=None, totp_step=None)
            doorkeys.end_sessions_of(tx, person.id, but=but)
            people.tell(tx, "end second factor", person=_name_of(by), note=person.email, now=self._now())

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


def _is_secret(text: str) -> bool:
    return len(text) == 32 and set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def _name_of(by: By) -> str | None:
    return by.email if by else None
