"""Versions of templates: every text that somebody saved on the page, and what was in the file before."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select

from outreach.store.announcements import person_id
from outreach.store.engine import Transaction
from outreach.store.schema import people
from outreach.store.schema_access import template_versions as versions


@dataclass(frozen=True, slots=True)
class Kept:
    """One version of a template's file. `person` is None for what was found in the file, written by hand."""

    version: int
    person: str | None
    at: datetime
    text: str = ""


def of_file(tx: Transaction, file: str) -> list[Kept]:
    """Give the versions of a file without their texts, newest first."""
    query = select(versions.c.version, people.c.email, versions.c.at).where(versions.c.file == file)
    query = query.outerjoin(people, people.c.id == versions.c.person_id).order_by(versions.c.version.desc())
    return [Kept(*row) for row in tx.execute(query)]


def one(tx: Transaction, file: str, version: int | None = None) -> Kept | None:
    """Give one version of a file, or its latest."""
    query = select(versions.c.version, people.c.email, versions.c.at, versions.c.text).where(versions.c.file == file)
    query = query.outerjoin(people, people.c.id == versions.c.person_id).order_by(versions.c.version.desc()).limit(1)
    row = tx.execute(query if version is None else query.where(versions.c.version == version)).first()
    return Kept(*row) if row else None


def keep(tx: Transaction, file: str, text: str, *, person: str | None, at: datetime) -> int:
    """Keep a text as the next version of a file; give its number. Of two at once, one fails with `NOT_STORABLE`."""
    last = tx.execute(select(func.max(versions.c.version)).where(versions.c.file == file)).scalar() or 0
    who = person_id(tx, person, at) if person else None
    tx.execute(insert(versions), {"file": file, "version": last + 1, "text": text, "person_id": who, "at": at})
    return last + 1
