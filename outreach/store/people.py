"""People and their roles: who is in a community, and what each may."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, insert, select, update

from outreach.roles import Role
from outreach.store.announcements import person_id
from outreach.store.engine import Transaction
from outreach.store.once import insert_once
from outreach.store.schema import communities, events, people, roles


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person as the database knows them. `password` is an argon2 hash, `totp` an encrypted secret; neither is shown."""

    id: int
    email: str
    name: str
    password: str | None = field(repr=False)
    totp: str | None = field(repr=False)
    totp_step: int | None
    closed_at: datetime | None
    password_at: datetime | None
    totp_at: datetime | None
    roles: frozenset[Role] = frozenset()

    @property
    def called(self) -> str:
        """Give the name, or the address of who gave none."""
        return self.name or self.email


_SELECT = select(
    people.c.id,
    people.c.email,
    people.c.name,
    people.c.password,
    people.c.totp,
    people.c.totp_step,
    people.c.closed_at,
    people.c.password_at,
    people.c.totp_at,
)


def by_id(tx: Transaction, community_id: int, number: int) -> PersonRow | None:
    """Give a person with the roles in this community."""
    return _one(tx, community_id, _WITH_ID, number)


def by_email(tx: Transaction, community_id: int, email: str) -> PersonRow | None:
    """Give the person with this address, with the roles in this community."""
    return _one(tx, community_id, _WITH_EMAIL, email.strip().lower())


_WITH_ID = _SELECT.where(people.c.id == bindparam("wanted"))
_WITH_EMAIL = _SELECT.where(people.c.email == bindparam("wanted"))
_ROLES = select(roles.c.role).where(
    roles.c.community_id == bindparam("community"), roles.c.person_id == bindparam("person")
)


def _one(tx: Transaction, community_id: int, asked: Select[Any], wanted: object) -> PersonRow | None:
    row = tx.execute(asked, {"wanted": wanted}).first()
    return _person(tx, community_id, row) if row else None


def _person(tx: Transaction, community_id: int, row: Any) -> PersonRow:
    return replace(PersonRow(*row), roles=_roles(tx, community_id, row[0]))


def _roles(tx: Transaction, community_id: int, number: int) -> frozenset[Role]:
    return frozenset(map(Role, tx.execute(_ROLES, {"community": community_id, "person": number}).scalars()))


def of_community(tx: Transaction, community_id: int) -> list[PersonRow]:
    """Give everybody with a role in the community, by address."""
    known = select(roles.c.person_id).where(roles.c.community_id == community_id)
    rows = tx.execute(_SELECT.where(people.c.id.in_(known)).order_by(people.c.email)).all()
    return [_person(tx, community_id, row) for row in rows]


def with_role(tx: Transaction, community_id: int, role: Role) -> list[PersonRow]:
    """Give everybody who has this role and may get in."""
    return [one for one in of_community(tx, community_id) if role in one.roles and one.closed_at is None]


def is_an_admin_there(tx: Transaction, community_id: int) -> bool:
    """Tell whether an admin of the community can log in."""
    query = select(func.count()).where(people.c.password.is_not(None), people.c.closed_at.is_(None))
    is_admin = people.c.id == roles.c.person_id, roles.c.community_id == community_id, roles.c.role == str(Role.ADMIN)
    return bool(tx.execute(query.where(*is_admin)).scalar())


def communities_of(tx: Transaction, number: int) -> set[int]:
    """Give the communities in which a person has a role."""
    return set(tx.execute(select(roles.c.community_id).where(roles.c.person_id == number)).scalars())


def one_at_a_time(tx: Transaction, community_id: int) -> None:
    """Let every other transaction that asks for this wait until this one is over.

    Two that each look first and write then would otherwise not see each other on PostgreSQL.
    """
    tx.execute(select(communities.c.id).where(communities.c.id == community_id).with_for_update())


def welcome(tx: Transaction, community_id: int, email: str, given: Collection[Role], *, now: datetime) -> PersonRow:
    """Give the person with this address further roles; a new one is written down."""
    number = person_id(tx, email.strip().lower(), now)
    for role in sorted(given):
        insert_once(tx, roles, {"community_id": community_id, "person_id": number, "role": str(role)})
    found = by_id(tx, community_id, number)
    assert found is not None
    return found


def set_roles(tx: Transaction, community_id: int, number: int, wanted: Collection[Role]) -> None:
    """Make the roles of a person in the community exactly these."""
    tx.execute(delete(roles).where(roles.c.community_id == community_id, roles.c.person_id == number))
    rows = [{"community_id": community_id, "person_id": number, "role": str(role)} for role in sorted(wanted)]
    if rows:
        tx.execute(insert(roles), rows)


def change(tx: Transaction, number: int, **values: Any) -> None:
    """Set columns of a person: `name`, `password`, `totp`, each with its `_at`, `totp_step`, `closed_at`."""
    tx.execute(update(people).where(people.c.id == number).values(**values))


def take_step(tx: Transaction, number: int, step: int) -> bool:
    """Use up the one-time code of a time step; False when it, or a later one, was used already."""
    fresh = people.c.totp_step.is_(None) | (people.c.totp_step < step)
    return tx.execute(update(people).where(people.c.id == number, fresh).values(totp_step=step)).rowcount == 1


def tell(tx: Transaction, kind: str, *, person: str | None, note: str | None, now: datetime) -> None:
    """Write an action that is about no post into the history."""
    tx.execute(insert(events), {"at": now, "kind": kind, "person": person, "note": note})
