"""Inviting: links that open once, for the first admin, for who is invited, for a new password, to approve."""

import secrets as randomness
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from email_validator import EmailNotValidError, validate_email

from outreach.access import passwords
from outreach.access.entering import Entering, Visitor
from outreach.model import BadInput
from outreach.roles import Role, role_of
from outreach.store import doorkeys, people
from outreach.store.doorkeys import LinkRow
from outreach.store.people import PersonRow
from outreach.vault import fingerprint

LASTS = {
    "first admin": timedelta(hours=24),
    "invitation": timedelta(days=7),
    "reset": timedelta(hours=2),
    "approval": timedelta(days=7),
}


def address_of(text: str) -> str:
    """Read an e-mail address. Raises `BadInput`."""
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise BadInput(
            "This is no e-mail address.", where="email", next_step="Write it such as name@example.org."
        ) from None


class Inviting(Entering):
    """Links that open once. Each is given as the last part of an address and kept as a hash."""

    def needs_a_first_admin(self) -> bool:
        """Tell whether nobody can log in yet."""
        with self._store.read() as tx:
            return not people.is_anybody_there(tx)

    def first_admin_link(self) -> str:
        """Make the link that makes the first admin; one that was made before opens nothing any more."""
        return self._make("first admin", email=None)

    def invite(self, email: str, roles: Collection[Role], *, by: Visitor | None) -> str:
        """Invite somebody to be these in the community; give the key of the link."""
        if not roles:
            raise BadInput("An invitation needs a role.", where="roles", next_step="Tick at least one.")
        address = address_of(email)
        key = self._make("invitation", email=address, roles=sorted(map(str, roles)), made_by=_id_of(by))
        self._tell("invite", by, f"{address}: {', '.join(sorted(roles))}")
        return key

    def reset_link(self, email: str, *, by: Visitor | None) -> str | None:
        """Make a link for a new password; None where nobody with this address may log in, which is told to nobody."""
        address = email.strip().lower()
        with self._store.read() as tx:
            person = people.by_email(tx, self._community_id, address)
        if person is None or person.closed_at is not None or not person.roles:
            return None
        key = self._make("reset", email=person.email, made_by=_id_of(by))
        self._tell("make reset link", by, person.email)
        return key

    def approval_link(self, number: int, revision: int, email: str) -> str:
        """Make a link that leads one person to one revision that waits for approval. It logs in; it approves nothing."""
        return self._make("approval", email=email, announcement_id=number, revision=revision, keep=True)

    def _make(self, kind: str, *, email: str | None, keep: bool = False, **values: Any) -> str:
        key, now = randomness.token_urlsafe(24), self._now()
        with self._store.write() as tx:
            if not keep:
                doorkeys.end_links(tx, kind, email, now)
            doorkeys.make_link(
                tx, now=now, sha256=fingerprint(key), kind=kind, email=email, ends_at=now + LASTS[kind], **values
            )
        return key

    def look_at_link(self, key: str) -> LinkRow:
        """Give what a link is for, without using it. Raises `BadInput` for one that is used, ended or unknown."""
        with self._store.read() as tx:
            row = doorkeys.link(tx, fingerprint(key))
        if row is None or row.used_at is not None or row.ends_at <= self._now():
            raise BadInput(
                "This link was used already, or its time is over.",
                next_step="Ask an admin for another one, or log in if you have a password.",
            )
        if row.kind == "first admin" and not self.needs_a_first_admin():
            raise BadInput("There is an admin already.", next_step="Log in, or ask the admin for an invitation.")
        return row

    def invitations(self) -> list[LinkRow]:
        """Give the invitations that nobody has taken up yet."""
        with self._store.read() as tx:
            return doorkeys.open_invitations(tx, self._now())

    def withdraw_invitation(self, email: str, *, by: Visitor) -> None:
        """Let an invitation open nothing any more."""
        with self._store.write() as tx:
            doorkeys.end_links(tx, "invitation", email, self._now())
        self._tell("withdraw invitation", by, email)

    def join(self, key: str, *, email: str = "", name: str = "", password: str) -> PersonRow:
        """Take up a link of a first admin, an invitation or a reset: the person has this password from now on.

        Ends every session the person had. Raises `BadInput`; then the link can still be used.
        """
        link = self.look_at_link(key)
        if link.kind == "approval":
            raise BadInput("This link gives no password.", next_step="Open it in the browser.")
        address = link.email or address_of(email)
        passwords.check(password, email=address)
        hashed, now = passwords.hashed(password), self._now()
        with self._store.write() as tx:
            if not doorkeys.use_link(tx, link.sha256, now):
                raise BadInput("This link was used just now.", next_step="Log in.")
            if link.kind == "first admin" and people.is_anybody_there(tx):
                raise BadInput("There is an admin already.", next_step="Log in.")
            person = people.welcome(tx, self._community_id, address, _roles_of(link), now=now)
            values = {"password": hashed} | ({"name": " ".join(name.split())[:80]} if name.strip() else {})
            people.change(tx, person.id, **values)
            doorkeys.end_sessions_of(tx, person.id)
            people.tell(tx, "join" if link.kind != "reset" else "set password", person=address, note=None, now=now)
            found = people.by_id(tx, self._community_id, person.id)
        assert found is not None
        return found

    def enter_by_approval_link(self, key: str, agent: str) -> tuple[str, LinkRow]:
        """Log the person in for whom an approval link was made, once; raises `CodeNeeded` where a code is needed.

        It opens nothing for who is no approver any more.
        """
        link = self.look_at_link(key)
        with self._store.write() as tx:
            person = people.by_email(tx, self._community_id, link.email or "")
            is_fresh = link.kind == "approval" and doorkeys.use_link(tx, link.sha256, self._now())
        if person is None or not is_fresh or person.closed_at is not None or Role.APPROVER not in person.roles:
            raise BadInput("This link opens nothing any more.", next_step="Log in.")
        return self._welcomed_by_link(person, agent), link

    def _welcomed_by_link(self, person: PersonRow, agent: str) -> str:
        from outreach.access.entering import CodeNeeded

        key = self._begin(person, agent, is_whole=person.totp is None)
        if person.totp is not None:
            raise CodeNeeded(key)
        return key

    def _tell(self, kind: str, by: Visitor | None, note: str) -> None:
        with self._store.write() as tx:
            people.tell(tx, kind, person=by.email if by else None, note=note, now=self._now())


def _roles_of(link: LinkRow) -> set[Role]:
    if link.kind == "first admin":
        return {Role.ADMIN, Role.COORDINATOR}
    return {role for word in link.roles or () if (role := role_of(word))}


def _id_of(by: Visitor | None) -> int | None:
    return by.person.id if by else None
