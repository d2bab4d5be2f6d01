"""The database itself refuses rows that cannot be true: each CHECK and each UNIQUE is broken once, and holds."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, create_engine, inspect, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from outreach.migrations import upgrade
from outreach.model import State
from outreach.store import Store, announcements, open_store
from outreach.store.engine import APPLICATION_ID, HEAD
from outreach.store.schema import metadata
from tests.builders import (
    NOW,
    a_channel,
    a_new_announcement,
    a_new_post,
    a_stored_post,
    an_announcement,
    column,
    everything,
)
from tests.conftest import Cluster

POST = "UPDATE posts SET"
_NOTICE = (
    "INSERT INTO notices (announcement_id, revision, person_id, made_at, kind, next_at, told_at)"
    " VALUES (1, 1, 1, 0, {})"
)
_HANDOVER = "INSERT INTO handovers (post_id, state, remote_id, content_sha256, due_at, at) VALUES (1, {}, '', 0, 0)"
_MEMBER = "INSERT INTO members (channel_id, address, status, since) VALUES (1, {}, {}, 0)"
_REQUEST = (
    "INSERT INTO requests (channel_id, address, made_at, link_sha256, ends_at, kind, state, came_by, confirmed_at,"
    " settled_at) VALUES (1, 'a@example.org', 0, 'x', 0, {})"
)
_VALUE = "INSERT INTO reached_{} ({}, measure, at, value) VALUES (1, {}, 0, {})"
_USAGE = (
    "INSERT INTO usage (channel_id, slot, at, call_count, total_cputime, total_time, regain_min) VALUES (1, 1, 0, {})"
)
_CONNECTION = (
    "INSERT INTO connections (channel_id, page_name, scopes, person, facebook_id, facebook_name, at, page_id, sealed)"
    " VALUES (1, '', '[]', 'a@example.org', '', '', 0, {})"
)
_DIALOG = (
    "INSERT INTO dialogs (state_sha256, channel_id, session, person, scopes, begun_at, ends_at, answered_at, sealed)"
    " VALUES ('x', 1, 's', 'a@example.org', '[]', 5, {})"
)
_COMMENT = "INSERT INTO first_comments (post_id, state, worker, lease_until, reason, doubted_at) VALUES (1, {})"
IMPOSSIBLE = [
    (
        "reached_remark",
        "published",
        "INSERT INTO reached (post_id, channel_id, published_at, remark_text) VALUES (1, 1, 0, 'When?')",
    ),
    ("reached_values_measure", "published", _VALUE.format("values", "post_id", "''", 1)),
    ("reached_values_value", "published", _VALUE.format("values", "post_id", "'views'", -1)),
    ("reached_channels_measure", "queued", _VALUE.format("channels", "channel_id", "''", 1)),
    ("reached_channels_value", "queued", _VALUE.format("channels", "channel_id", "'views'", -1)),
    (
        "hook_events_done",
        "queued",
        "INSERT INTO hook_events (channel_id, sha256, at, body, done_at) VALUES (1, 'a', 0, 'text', 0)",
    ),
    ("usage_not_below_nothing", "queued", _USAGE.format("-1, 0, 0, 0")),
    ("usage_not_below_nothing", "queued", _USAGE.format("0, 0, 0, -1")),
    ("connections_page_id", "queued", _CONNECTION.format("'', 'x'")),
    ("connections_sealed", "queued", _CONNECTION.format("'1', ''")),
    ("dialogs_end", "queued", _DIALOG.format("5, NULL, NULL")),
    ("dialogs_sealed", "queued", _DIALOG.format("6, NULL, 'x'")),
    (
        "visibility_answer",
        "queued",
        "INSERT INTO visibility (channel_id, page_id, app_id, answer, permalink, person, at)"
        " VALUES (1, '1', '2', 'maybe', '', 'a@example.org', 0)",
    ),
    ("communities_approval", "queued", "UPDATE communities SET approval = 'maybe'"),
    ("people_email", "queued", "INSERT INTO people (email, created_at) VALUES ('', 0)"),
    ("roles_role", "queued", "INSERT INTO roles (community_id, person_id, role) VALUES (1, 1, 'owner')"),
    ("channels_reason", "queued", "UPDATE channels SET state = 'paused'"),
    ("channels_reason", "queued", "UPDATE channels SET reason = 'The token ended.'"),
    ("channels_until", "queued", "UPDATE channels SET until = 0"),
    ("channels_name", "queued", "UPDATE channels SET name = ''"),
    ("channels_state", "queued", "UPDATE channels SET state = 'closed'"),
    ("announcements_approved_revision", "queued", "UPDATE announcements SET approved_revision = 2"),
    ("announcements_title", "queued", "UPDATE announcements SET title = ''"),
    ("announcements_revision", "queued", "UPDATE announcements SET revision = 0"),
    ("posts_lease", "publishing", f"{POST} worker = NULL"),
    ("posts_lease", "publishing", f"{POST} lease_until = NULL"),
    ("posts_lease", "queued", f"{POST} worker = 'w'"),
    ("posts_lease", "queued", f"{POST} lease_until = 0"),
    ("posts_lease", "published", f"{POST} worker = 'w', lease_until = 0"),
    ("posts_evidence", "published", f"{POST} remote_id = NULL"),
    ("posts_evidence", "held", f"{POST} remote_id = NULL"),
    ("posts_evidence", "retracted", f"{POST} remote_id = NULL"),
    ("posts_reason", "failed", f"{POST} reason = NULL"),
    ("posts_reason", "missed", f"{POST} reason = NULL"),
    ("posts_reason", "unconfirmed", f"{POST} reason = NULL"),
    ("posts_doubt", "unconfirmed", f"{POST} doubted_at = NULL"),
    ("posts_doubt", "queued", f"{POST} doubted_at = 0"),
    ("posts_look", "queued", f"{POST} look_at = 0"),
    ("posts_counts", "queued", f"{POST} attempt = -1"),
    ("posts_counts", "queued", f"{POST} occurrence = 0"),
    ("posts_counts", "unconfirmed", f"{POST} clean_looks = 1"),
    ("posts_attempted", "publishing", f"{POST} attempt = 0"),
    ("posts_attempted", "published", f"{POST} attempt = 0"),
    ("posts_attempted", "unconfirmed", f"{POST} attempt = 0"),
    ("posts_attempted", "failed", f"{POST} attempt = 0"),
    ("posts_state", "published", f"{POST} state = 'lost'"),
    ("attempts_ended", "published", "UPDATE attempts SET outcome = NULL"),
    ("attempts_ended", "published", "UPDATE attempts SET ended_at = NULL"),
    ("attempts_number", "published", "UPDATE attempts SET number = 0"),
    (
        "alarms_end",
        "queued",
        "INSERT INTO alarms (cause, kind, message, raised_at, end_told_at) VALUES ('c', 'failed', 'm', 0, 0)",
    ),
    (
        "links_kind",
        "queued",
        "INSERT INTO links (sha256, community_id, kind, made_at, ends_at) VALUES ('a', 1, 'back door', 0, 0)",
    ),
    (
        "tokens_name",
        "queued",
        "INSERT INTO tokens (person_id, name, sha256, scopes, made_at) VALUES (1, '', 'a', '[]', 0)",
    ),
    (
        "deliveries_done",
        "queued",
        "INSERT INTO deliveries (webhook_id, event_id, body, made_at, next_at, done_at) VALUES (1, 1, '', 0, 1, 1)",
    ),
    (
        "comments_text",
        "queued",
        "INSERT INTO comments (announcement_id, revision, person_id, at, text, asks_for_changes)"
        " VALUES (1, 1, 1, 0, '', true)",
    ),
    ("notices_told", "queued", _NOTICE.format("'asks', 0, 0")),
    ("notices_kind", "queued", _NOTICE.format("'a postcard', 0, NULL")),
    (
        "template_versions_version",
        "queued",
        "INSERT INTO template_versions (file, version, text, at) VALUES ('a', 0, '', 0)",
    ),
    ("posts_handed_over", "published", f"{POST} handed_over = true"),
    ("handovers_state", "queued", _HANDOVER.format("'lost', NULL")),
    ("handovers_given", "queued", _HANDOVER.format("'given', NULL")),
    ("handovers_given", "queued", _HANDOVER.format("'doubtful', '1_2'")),
    ("first_comments_state", "queued", _COMMENT.format("'lost', NULL, NULL, NULL, NULL")),
    ("first_comments_lease", "queued", _COMMENT.format("'posting', NULL, NULL, NULL, NULL")),
    ("first_comments_lease", "queued", _COMMENT.format("'waiting', 'w', 0, NULL, NULL")),
    ("first_comments_reason", "queued", _COMMENT.format("'failed', NULL, NULL, NULL, NULL")),
    ("first_comments_doubt", "queued", _COMMENT.format("'in doubt', NULL, NULL, 'lost', NULL")),
    (
        "first_comments_counts",
        "queued",
        "INSERT INTO first_comments (post_id, state, attempt) VALUES (1, 'waiting', -1)",
    ),
    ("follows_kind", "queued", "INSERT INTO follows (announcement_id, of_id, kind) VALUES (1, 2, 'answer')"),
    ("follows_itself", "queued", "INSERT INTO follows (announcement_id, of_id, kind) VALUES (1, 1, 'correction')"),
    ("members_address", "queued", _MEMBER.format("''", "'member'")),
    ("members_status", "queued", _MEMBER.format("'a@example.org'", "'king'")),
    ("rosters_source", "queued", "INSERT INTO rosters (channel_id, at, source) VALUES (1, 0, '')"),
    ("requests_kind", "queued", _REQUEST.format("'visit', 'unconfirmed', 'form', NULL, NULL")),
    ("requests_state", "queued", _REQUEST.format("'join', 'lost', 'form', 0, NULL")),
    ("requests_came_by", "queued", _REQUEST.format("'join', 'unconfirmed', 'pigeon', NULL, NULL")),
    ("requests_consent", "queued", _REQUEST.format("'join', 'waiting', 'form', NULL, NULL")),
    ("requests_consent", "queued", _REQUEST.format("'join', 'accepted', 'coordinator', NULL, NULL")),
    ("requests_consent", "queued", _REQUEST.format("'join', 'done', 'mail', NULL, 0")),
    ("requests_settled", "queued", _REQUEST.format("'join', 'done', 'form', 0, NULL")),
    ("requests_settled", "queued", _REQUEST.format("'leave', 'waiting', 'form', 0, 0")),
]
WORDS_FOR_YES_AND_NO = {
    f"ck_{name}" for name in ("sessions_is_whole", "log_ins_is_good", "comments_asks_for_changes", "posts_paused")
}


@pytest.mark.parametrize(("constraint", "state", "sql"), IMPOSSIBLE)
def test_a_row_that_cannot_be_true_is_refused_by_the_database(
    store: Store, constraint: str, state: str, sql: str
) -> None:
    a_stored_post(store, State(state))
    before = everything(store)

    with pytest.raises(IntegrityError, match=f"ck_{constraint}"), store.write() as tx:
        tx.execute(text(sql))

    assert everything(store) == before


def test_every_check_of_the_schema_was_tried_above() -> None:
    checks = {
        str(check.name)
        for table in metadata.tables.values()
        for check in table.constraints
        if isinstance(check, CheckConstraint)
    }

    assert checks == {f"ck_{name}" for name, _, _ in IMPOSSIBLE} | WORDS_FOR_YES_AND_NO


def test_a_post_is_paused_or_it_is_not(store: Store) -> None:
    a_stored_post(store)

    with pytest.raises(SQLAlchemyError), store.write() as tx:
        tx.execute(text("UPDATE posts SET paused = 2"))


# What there is only once


def test_two_posts_are_never_in_flight_on_one_channel(store: Store) -> None:
    a_stored_post(store, State.PUBLISHING)

    with pytest.raises(IntegrityError):
        a_stored_post(store, State.PUBLISHING)


def test_two_posts_are_never_the_same_thing_on_the_channel(store: Store) -> None:
    for _ in range(2):
        a_stored_post(store, State.PUBLISHED)

    with pytest.raises(IntegrityError), store.write() as tx:
        tx.execute(text("UPDATE posts SET remote_id = '1_1'"))


def test_two_channels_may_use_the_same_id(store: Store) -> None:
    for name in ("facebook", "list-2"):
        a_stored_post(store, State.PUBLISHED, channel=name)

    with store.write() as tx:
        tx.execute(text("UPDATE posts SET remote_id = '1_1'"))


ROWS_THAT_ARE_THERE_ALREADY = {
    "one open attempt": "INSERT INTO attempts (post_id, number, worker, content_sha256, started_at)"
    " VALUES (1, 2, 'w', 'x', 0)",
    "one attempt of a number": "INSERT INTO attempts (post_id, number, worker, content_sha256, started_at, ended_at,"
    " outcome) VALUES (1, 1, 'w', 'x', 0, 0, 'refused')",
    "one post of an occurrence": "INSERT INTO posts (announcement_id, channel_id, state, due_at, planned_at, miss_at,"
    " wall_time, time_zone, content_sha256) SELECT announcement_id, channel_id, 'queued', due_at, planned_at, miss_at,"
    " wall_time, time_zone, content_sha256 FROM posts",
    "one announcement of a letter": "INSERT INTO announcements (community_id, title, revision, said, letter_key,"
    " created_at) SELECT community_id, title, 1, 'x', letter_key, 0 FROM announcements",
    "one channel of a name": "INSERT INTO channels (community_id, name, kind, state, fingerprint, created_at)"
    " SELECT community_id, name, kind, state, '', 0 FROM channels",
    "one community of a name": "INSERT INTO communities (name, time_zone, approval, created_at)"
    " SELECT name, time_zone, approval, 0 FROM communities",
    "one person of an address": "INSERT INTO people (email, created_at) VALUES ('ann@example.org', 0)",
    "one text of a revision": "INSERT INTO revisions (announcement_id, revision, letter, at) VALUES (1, 1, '', 0)",
    "one open alarm of a cause": "INSERT INTO alarms (cause, kind, message, raised_at) VALUES ('c', 'failed', 'm', 0),"
    " ('c', 'failed', 'm', 0)",
    "one notice of each kind": "INSERT INTO notices (announcement_id, revision, person_id, kind, made_at)"
    " VALUES (1, 1, 1, 'asks', 0), (1, 1, 1, 'asks', 0)",
    "one content of a hash": "INSERT INTO contents (post_id, sha256, revision, text, body)"
    " SELECT post_id, sha256, 1, '', body FROM contents",
}


@pytest.mark.parametrize("what", ROWS_THAT_ARE_THERE_ALREADY)
def test_there_is_only_one_of_each(store: Store, what: str) -> None:
    a_stored_post(store, State.PUBLISHING, by="ann@example.org")
    before = everything(store)

    with pytest.raises(IntegrityError, match=r"(?i)unique"), store.write() as tx:
        tx.execute(text(ROWS_THAT_ARE_THERE_ALREADY[what]))

    assert everything(store) == before


def test_a_post_on_a_channel_that_is_not_there_is_refused(store: Store) -> None:
    a_channel(store)

    with pytest.raises(IntegrityError, match=r"(?i)foreign key"), store.write() as tx:
        announcements.add(tx, a_new_announcement(), [a_new_post(99)], NOW)


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    naive = datetime(2026, 12, 1, 9, 0)  # noqa: DTZ001

    with pytest.raises((SQLAlchemyError, TypeError)):
        an_announcement(store, due_at=naive, miss_at=NOW)

    assert everything(store)["posts"] == []


# Migrations


def test_the_migrations_make_exactly_the_tables_of_the_schema(store: Store) -> None:
    with store.read() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True, "include_object": is_no_index_of_words})
        differences = compare_metadata(context, metadata)

    assert differences == []


def is_no_index_of_words(_thing: object, name: str | None, *_: object) -> bool:
    """What only one of the databases has is compared by its statement, below."""
    return not str(name).startswith("past_")


def test_the_migrations_make_the_same_checks_indexes_and_keys_on_sqlite(sqlite_store: Store) -> None:
    straight = create_engine("sqlite://")
    metadata.create_all(straight)

    with straight.connect() as made, sqlite_store.read() as migrated:
        assert described(migrated) == described(made)
        assert indexes(migrated) == indexes(made)


@pytest.mark.postgres
def test_the_migrations_make_the_same_checks_indexes_and_keys_on_postgresql(
    postgres_cluster: Cluster, postgres_store: Store
) -> None:
    straight = create_engine(postgres_cluster.new_empty())
    metadata.create_all(straight)

    with straight.connect() as made, postgres_store.read() as migrated:
        assert described(migrated) == described(made)
    straight.dispose()


OF_THE_FIRST_VERSION = (
    "INSERT INTO communities VALUES (1, 'TMM SIG', 'UTC', 'off', 0)",
    "INSERT INTO channels (id, community_id, name, kind, state, fingerprint, created_at)"
    " VALUES (7, 1, 'facebook', 'facebook_page', 'ready', '', 0)",
    "INSERT INTO announcements (id, community_id, title, revision, said, created_at) VALUES (1, 1, 'T', 1, 's', 0)",
    "INSERT INTO posts (id, announcement_id, channel_id, state, attempt, due_at, planned_at, miss_at, wall_time,"
    " time_zone, content_sha256, reason, doubted_at) VALUES (3, 1, 7, 'unconfirmed', 2, 0, 0, 0, '', 'UTC', '', 'lost', 9)",
    "INSERT INTO attempts (post_id, number, worker, content_sha256, started_at, ended_at, outcome)"
    " VALUES (3, 1, 'w', '', 5, 6, 'unconfirmed'), (3, 2, 'w', '', 8, 9, 'unconfirmed')",
)


def test_a_database_of_the_first_version_is_brought_up_to_date_with_what_is_in_it(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    with create_engine(f"sqlite:///{file}").begin() as tx:
        upgrade(tx, "0001")
        for sql in OF_THE_FIRST_VERSION:
            tx.execute(text(sql))
        tx.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
        tx.exec_driver_sql("PRAGMA user_version=1")

    store = open_store(f"sqlite:///{file}")

    assert column(store, "SELECT channel_id FROM attempts") == [7, 7]
    assert column(store, "SELECT doubtful_since FROM posts") == [5]
    assert column(store, "SELECT version_num FROM alembic_version") == [HEAD]
    store.close()


def test_opening_a_second_time_migrates_nothing(database_url: str) -> None:
    store = open_store(database_url)
    a_stored_post(store, State.PUBLISHED)
    before = everything(store)
    store.close()

    again = open_store(database_url)

    assert everything(again) == before
    again.close()


def indexes(connection: Connection) -> list[str]:
    """On SQLite as they are written: reflection leaves out those over an expression."""
    rows = connection.execute(
        text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND (type = 'index' OR name LIKE 'past_%')")
    )
    return sorted(" ".join(sql.replace('"', "").split()) for sql in rows.scalars())


def described(connection: Connection) -> dict[str, dict[str, list[str]]]:
    """Say everything that reflection finds about each table, in an order of its own."""
    found = inspect(connection)
    on_sqlite = connection.dialect.name == "sqlite"

    def plain(things: Any) -> list[str]:
        return sorted(repr(sorted((key, _said(value)) for key, value in dict(thing).items())) for thing in things)

    return {
        table: {
            "columns": plain(found.get_columns(table)),
            "checks": plain(found.get_check_constraints(table)),
            "indexes": [] if on_sqlite else plain(found.get_indexes(table)),
            "uniques": plain(found.get_unique_constraints(table)),
            "foreign keys": plain(found.get_foreign_keys(table)),
            "primary key": plain([found.get_pk_constraint(table)]),
        }
        for table in found.get_table_names()
        if table != "alembic_version"
    }


def _said(value: Any) -> str:
    return repr({key: str(inner) for key, inner in value.items()}) if isinstance(value, dict) else str(value)
