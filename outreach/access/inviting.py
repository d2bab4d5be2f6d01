"""Inviting: links that open once, for the first admin, for who is invited, for a new password, to approve."""

import secrets as randomness
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from email_validator import EmailNotValidError, validate_email

from outreach.access import passwords
from outreach.access.entering import By, Entering, Visitor
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
MOST_RESETS = 3
_MOST_CHARS = 200


def address_of(text: str) -> str:
    """Read an e-mail address. Raises `BadInput`."""
    try:
        return validate_email(text.strip()[:_MOST_CHARS], check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise BadInput(
            "This is no e-mail address.", where="email", next_step="Write it such as name@example.org."
        ) from None


class Inviting(Entering):
    """Links that open once. Each is given as the last part of an address and kept as a hash."""

    def needs_a_first_admin(self) -> bool:
        """Tell whether no admin of the community can log in."""
        with self._store.read() as tx:
            return not people.is_an_admin_there(tx, self._community_id)

    def first_admin_link(self) -> str:
        """Make the link that makes the first admin; one that was made before opens nothing any more."""
        return self._make("first admin", email=None)

    def invite(self, email: str, roles: Collection[Role], *, by: By) -> str:
        """Invite somebody to be these in the community; give the key of the link. One made before for them ends."""
        address = address_of(email)
        if not roles:
            raise BadInput("An invitation needs a role.", where="roles", next_step="Tick at least one.")
        with self._store.read() as tx:
            known = people.by_email(tx, self._community_id, address)
        if known is not None and (known.roles or known.closed_at):
            what = "This account is closed." if known.closed_at else "This person is here already."
            step = (
                "Reopen it from the list of people." if known.closed_at else "Change their roles in the list of people."
            )
            raise BadInput(what, where="email", next_step=step)
        key = self._make("invitation", email=address, roles=sorted(map(str, roles)), made_by=_id_of(by))
        self._tell("invite", by, f"{address}: {', '.join(sorted(roles))}")
        return key

    def note_reset_wish(self, email: str, *, address: str) -> str:
        """Count that a stranger asks for a reset link, the same for everybody; give the e-mail address as it is kept.

        Raises `BadInput`, also `TooManyTries`.
        """
        who = address_of(email)
        self._throttle.note(f"reset {who}", address, most=MOST_RESETS)
        return who

    def note_wish(self, email: str, *, address: str) -> None:
        """Count that a stranger asks something of a list for an e-mail address. Raises `TooManyTries`."""
        self._throttle.note(f"wish {email}", address, most=MOST_RESETS)

    def reset_link(self, email: str, *, by: By) -> str | None:
        """Make a link for a new password; None where nobody with this address may log in, which is told to nobody.

        One that an admin made stays when a stranger asks for another. Raises `BadInput` for an admin of one community
        and a person of several: who has a link for somebody's password is that person everywhere.
        """
        with self._store.read() as tx:
            person = people.by_email(tx, self._community_id, email)
            if person is None or person.closed_at is not None or not person.roles:
                return None
            self._check_that_it_is_ours(tx, person, by)
        key = self._make("reset", email=person.email, made_by=_id_of(by), keep=by is None)
        self._tell("make reset link", by, person.email)
        return key

    def _check_that_it_is_ours(self, tx: Any, person: PersonRow, by: By) -> None:
        """Raise `BadInput` where an admin would decide about an account that other communities rely on."""
        is_of_another = isinstance(by, Visitor) and by.person.id != person.id
        if is_of_another and people.communities_of(tx, person.id) - {self._community_id}:
            step = "They can do it themselves; here you can take their roles away."
            raise BadInput("This person belongs to another community too.", next_step=step)

    def approval_link(self, number: int, revision: int, email: str) -> str:
        """Make a link that leads one person to one revision that waits for approval. It logs in; it approves nothing."""
        return self._make("approval", email=email, announcement_id=number, revision=revision, keep=True)

    def _make(self, kind: str, *, email: str | None, keep: bool = False, **values: Any) -> str:
        key, now = randomness.token_urlsafe(24), self._now()
        row = {"community_id": self._community_id, "kind": kind, "email": email, "ends_at": now + LASTS[kind]}
        with self._store.write() as tx:
            if not keep:
                doorkeys.end_links(tx, self._community_id, kind, email, now)
            doorkeys.make_link(tx, now=now, sha256=fingerprint(key), **row, **values)
        return key

    def look_at_link(self, key: str) -> LinkRow:
        """Give what a link is for, without using it. Raises `BadInput` for one that is used, ended or unknown."""
        with self._store.read() as tx:
            row = doorkeys.link(tx, self._community_id, fingerprint(key))
        if row is None or row.used_at is not None or row.ends_at <= self._now():
            raise BadInput(
                "This link was used already, or its time is over.",
                next_step="Ask an admin for another one, or log in if you have a password.",
            )
        if row.kind == "first admin" and not self.needs_a_first_admin():
            raise BadInput("There is an admin already.", next_step="Log in, or ask the admin for an invitation.")
        return row

    def asks_for_own_password(self, link: LinkRow) -> bool:
        """Tell whether it leads somebody in who has a password that opens another community.

        They have to give that one: who sent the invitation, and so knows the link, is not to choose it for them.
        """
        with self._store.read() as tx:
            return self._is_held_elsewhere(tx, link.kind, link.email or "")

    def _is_held_elsewhere(self, tx: Any, kind: str, email: str) -> bool:
        person = people.by_email(tx, self._community_id, email) if kind != "reset" else None
        return person is not None and person.password is not None and bool(people.communities_of(tx, person.id))

    def invitations(self) -> list[LinkRow]:
        """Give the invitations that nobody has taken up yet."""
        with self._store.read() as tx:
            return doorkeys.open_invitations(tx, self._community_id, self._now())

    def withdraw_invitation(self, email: str, *, by: By) -> None:
        """Let an invitation open nothing any more. Raises `BadInput` where there is none."""
        with self._store.write() as tx:
            if not doorkeys.end_links(tx, self._community_id, "invitation", email.strip().lower(), self._now()):
                raise BadInput("There is no such invitation any more.", next_step="Look at the list again.")
        self._tell("withdraw invitation", by, email.strip().lower())

    def take_up(
        self, key: str, *, email: str = "", name: str = "", password: str, address: str = "", agent: str = ""
    ) -> tuple[str, PersonRow]:
        """Take up a link as `join` does and log in; give the key of the session. Raises `CodeNeeded` beside what `join` does."""
        person = self.join(key, email=email, name=name, password=password, address=address)
        return self._welcomed(person, agent), person

    def join(self, key: str, *, email: str = "", name: str = "", password: str, address: str = "") -> PersonRow:
        """Take up a link of a first admin, an invitation or a reset: the person has this password from now on.

        Ends every session and every other link the person had. Raises `BadInput`; then the link can still be used.
        """
        link = self.look_at_link(key)
        if link.kind == "approval":
            raise BadInput("This link gives no password.", next_step="Open it in the browser.")
        who = link.email or address_of(email)
        hashed = self._own_password_or_new(link.kind, who, password, address)
        now = self._now()
        with self._store.write() as tx:
            people.one_at_a_time(tx, self._community_id)
            if not doorkeys.use_link(tx, link.sha256, now):
                raise BadInput("This link was used just now.", next_step="Log in.")
            if link.kind == "first admin" and people.is_an_admin_there(tx, self._community_id):
                raise BadInput("There is an admin already.", next_step="Log in.")
            person = people.welcome(tx, self._community_id, who, _roles_of(link), now=now)
            if person.closed_at is not None or not person.roles:
                raise BadInput("This account is closed.", next_step="Ask an admin to open it again.")
            if hashed is None and not self._is_held_elsewhere(tx, link.kind, who):
                raise BadInput("Something changed meanwhile.", next_step="Open the link again.")
            self._settle_in(tx, person, hashed, name)
            people.tell(tx, "join" if link.kind != "reset" else "set password", person=who, note=None, now=now)
            found = people.by_id(tx, self._community_id, person.id)
        assert found is not None
        return found

    def _own_password_or_new(self, kind: str, who: str, password: str, address: str) -> str | None:
        """Give the hash of a new password; None where the one they have was given."""
        with self._store.read() as tx:
            known = people.by_email(tx, self._community_id, who)
            is_held = self._is_held_elsewhere(tx, kind, who)
        if not is_held or known is None:
            passwords.check(password, email=who)
            return passwords.hashed(password)
        tried = self._throttle.note(who, address)
        if not passwords.is_right(known.password, password):
            raise BadInput(
                "This is not the password of your account.", where="password", next_step="Give the one you log in with."
            )
        self._throttle.take_back(tried)
        return None

    def _settle_in(self, tx: Any, person: PersonRow, hashed: str | None, name: str) -> None:
        now = self._now()
        values: dict[str, Any] = {"name": " ".join(name.split())[:80]} if name.strip() else {}
        if hashed is not None:
            values |= {"password": hashed, "password_at": now}
            doorkeys.end_sessions_of(tx, person.id)
            doorkeys.end_links_of(tx, person.email, now, kinds=("reset", "approval"))
        if values:
            people.change(tx, person.id, **values)
        doorkeys.forgive(tx, [person.email])

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
        return self._welcomed(person, agent), link

    def _tell(self, kind: str, by: By, note: str) -> None:
        with self._store.write() as tx:
            people.tell(tx, kind, person=by.email if by else None, note=note, now=self._now())


def _roles_of(link: LinkRow) -> set[Role]:
    if link.kind == "first admin":
        return {Role.ADMIN, Role.COORDINATOR}
    return {role for word in link.roles or () if (role := role_of(word))}


def _id_of(by: By) -> int | None:
    return by.person.id if isinstance(by, Visitor) else None
