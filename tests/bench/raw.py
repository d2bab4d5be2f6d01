"""The baseline: the same rows written in the same commits by the standard library's `sqlite3` alone, in one thread."""

import sqlite3
import time
from pathlib import Path

_CLAIM = """
    UPDATE posts SET state = 'publishing', attempt = attempt + 1, worker = 'raw', lease_until = :lease
    WHERE state = 'queued' AND id IN (
        SELECT (SELECT p.id FROM posts p JOIN announcements a ON a.id = p.announcement_id
                WHERE p.channel_id = c.id AND p.state = 'queued' AND p.miss_at > :now AND NOT p.paused
                  AND (a.approved_revision = a.revision OR m.approval = 'off') AND p.due_at <= :now
                ORDER BY p.due_at, p.id LIMIT 1)
        FROM channels c JOIN communities m ON m.id = c.community_id
        WHERE (c.state = 'ready' OR c.until <= :now)
          AND NOT EXISTS (SELECT 1 FROM posts f WHERE f.channel_id = c.id AND f.state = 'publishing'))
    RETURNING id, attempt, content_sha256
"""
_READ = """
    SELECT p.*, a.title, a.revision, c.name, c.kind, t.text, t.body
    FROM posts p JOIN announcements a ON a.id = p.announcement_id JOIN channels c ON c.id = p.channel_id
    JOIN contents t ON t.post_id = p.id AND t.sha256 = p.content_sha256
    WHERE p.state = 'publishing' AND p.worker = 'raw'
"""


def _open(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def drain(file: Path) -> tuple[int, float]:
    """Claim and record everything due, one post of each channel to a commit; give how many, and how many a second."""
    connection = _open(file)
    began, made = time.perf_counter(), 0
    claimed: list[tuple[int, int, str]] = []
    while True:
        connection.execute("BEGIN IMMEDIATE")
        _record(connection, claimed)
        claimed = _claim(connection)
        connection.execute("COMMIT")
        if not claimed:
            break
        made += len(claimed)
    rate = made / (time.perf_counter() - began)
    connection.close()
    return made, rate


def _record(connection: sqlite3.Connection, claimed: list[tuple[int, int, str]]) -> None:
    now = int(time.time() * 1e6)
    connection.executemany(
        "UPDATE attempts SET ended_at = ?, outcome = 'published' WHERE post_id = ? AND number = ? AND ended_at IS NULL",
        [(now, post, number) for post, number, _ in claimed],
    )
    connection.executemany(
        "UPDATE posts SET state = 'published', worker = NULL, lease_until = NULL, remote_id = ?, reason = NULL"
        " WHERE id = ? AND attempt = ? AND state = 'publishing'",
        [(str(post), post, number) for post, number, _ in claimed],
    )
    connection.executemany(
        "INSERT INTO events (at, kind, post_id, attempt) VALUES (?, 'publish', ?, ?)",
        [(now, post, number) for post, number, _ in claimed],
    )


def _claim(connection: sqlite3.Connection) -> list[tuple[int, int, str]]:
    now = int(time.time() * 1e6)
    claimed = connection.execute(_CLAIM, {"now": now, "lease": now + 120_000_000}).fetchall()
    connection.execute(_READ).fetchall()
    connection.executemany(
        "INSERT INTO attempts (post_id, number, worker, content_sha256, started_at) VALUES (?, ?, 'raw', ?, ?)",
        [(post, number, sha256, now) for post, number, sha256 in claimed],
    )
    return claimed


def enqueue(file: Path, channel_id: int, how_many: int) -> float:
    """Queue posts one by one, each in a commit of its own; give how many a second."""
    connection = _open(file)
    began = time.perf_counter()
    for n in range(how_many):
        now = int(time.time() * 1e6)
        connection.execute("BEGIN IMMEDIATE")
        key = connection.execute(
            "INSERT INTO announcements (community_id, title, title_key, revision, said, letter_key, created_at)"
            " VALUES (1, ?, ?, 1, ?, ?, ?)",
            (f"Raw {n}", f"raw {n}", f"r{n:063x}", f"raw{n}", now),
        ).lastrowid
        connection.execute(
            "INSERT INTO revisions (announcement_id, revision, letter, at) VALUES (?, 1, ?, ?)", (key, "x" * 180, now)
        )
        post = connection.execute(
            "INSERT INTO posts (announcement_id, channel_id, state, due_at, planned_at, miss_at, wall_time, time_zone,"
            " content_sha256) VALUES (?, ?, 'queued', ?, ?, ?, '2026-12-01 09:00', 'UTC', ?)",
            (key, channel_id, now + 10**12, now, now + 10**13, f"{n:064x}"),
        ).lastrowid
        connection.execute(
            "INSERT INTO contents (post_id, sha256, revision, text, body) VALUES (?, ?, 1, ?, '{}')",
            (post, f"{n:064x}", "x" * 180),
        )
        connection.execute(
            "INSERT INTO events (at, kind, post_id, announcement_id) VALUES (?, 'queue', ?, ?)", (now, post, key)
        )
        connection.execute("COMMIT")
    rate = how_many / (time.perf_counter() - began)
    connection.close()
    return rate
