"""Uploads in the database: kept by post and place, and never in the way when the database is."""

from datetime import timedelta

from outreach.channels import Upload
from outreach.store import Store, open_store
from outreach.store.uploads import StoredUploads
from tests.builders import NOW, a_stored_post

FIRST, SECOND = Upload("a", "11", NOW), Upload("b", "12", NOW + timedelta(hours=1))


def test_uploads_are_kept_by_post_and_place(store: Store) -> None:
    mine, other = a_stored_post(store), a_stored_post(store)
    uploads = StoredUploads(store)
    uploads.keep(mine.id, 0, SECOND)
    uploads.keep(mine.id, 0, FIRST)
    uploads.keep(mine.id, 1, SECOND)
    uploads.keep(other.id, 0, SECOND)

    assert uploads.of(mine.id) == {0: FIRST, 1: SECOND}
    uploads.forget(mine.id)
    assert (uploads.of(mine.id), uploads.of(other.id)) == ({}, {0: SECOND})


def test_uploads_that_cannot_be_kept_are_in_nobodys_way(store: Store) -> None:
    uploads = StoredUploads(store)
    uploads.keep(4711, 0, FIRST)  # no such post: the database refuses

    assert uploads.of(4711) == {}


def test_a_database_that_is_gone_keeps_nothing_and_raises_nothing(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    with store.write() as tx:
        tx.exec_driver_sql("DROP TABLE uploads")
    uploads = StoredUploads(store)

    assert uploads.of(1) == {}
    uploads.keep(1, 0, FIRST)
    uploads.forget(1)
    store.close()
