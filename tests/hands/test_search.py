"""Looking into the history: the same is found on both databases, whatever was typed, whatever else is asked for."""

import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, event, text

from outreach.model import State
from outreach.store import Store, past, search
from outreach.store.posts import HistoryFilter
from outreach.store.search import Gone
from outreach.store.words import read_question, words_of
from tests.builders import NOW, a_channel, a_stored_post, an_announcement

A_DAY = timedelta(days=1)
ANN, BEN = "ann@example.org", "ben@example.org"


def everything(store: Store, **wanted: Any) -> list[Gone]:
    past.catch_up(store)
    return list(search.each(store, 1, HistoryFilter(**({"limit": None} | wanted))))


def titles(store: Store, **wanted: Any) -> list[str]:
    return [gone.post.title for gone in everything(store, **wanted)]


def of_template(store: Store, announcement: int, name: str) -> None:
    with store.write() as tx:
        sql = text("UPDATE revisions SET letter = :letter WHERE announcement_id = :id")
        tx.execute(sql, {"letter": f"---\ntitle: T\ntemplate: {name}\n---\nText", "id": announcement})


# Words

FOUND = [
    ("Müller speaks", "muller"),
    ("Muller speaks", "MÜLLER"),
    ("Straße", "strasse"),
    ("Øresund", "oresund"),
    ("Łódź", "lodz"),
    ("Ένα μήνυμα", "μηνυμα"),
    ("Выборы", "выборы"),
    ("Й or Й", "й"),
    ("日本の学会", "学会"),
    ("Poster session", "post sess"),
    ("Poster session", '"poster session"'),
    ("Poster session", '"Poster  SESSION'),
    ("Poster-session", "poster-session"),
    ("Poster_session", "poster_session"),
    ("Poster session", "session poster"),
    ("50 % off", "50 %"),
    ("C++ & R", "r"),
    ("a NEAR b", "near"),
    ("cats AND dogs", "and"),
    ("it's ours", "it's"),
    ("x" * 60, "x" * 60),
    ("Annual 👩‍🔬 dinner", "👩‍🔬 dinner"),
    ("Networking", "networki"),
    ("Interdisciplinary", "interdisciplin"),
]
NOT_FOUND = [
    ("Poster session", "poster webinar"),
    ("Poster session", '"session poster"'),
    ("Poster session", '"post session"'),
    ("Poster session", "oster"),
    ("Airports", "ai"),
    ("日本の学会", "会学"),
    ("Poster session", "sessions"),
    ("Poster session", "-"),
    ("Poster session", "👩‍🔬"),
    ("Poster session", "_sqpublished"),
    ("Poster session", "_spublished"),
]


@pytest.mark.parametrize(("title", "question"), FOUND)
def test_what_is_meant_is_found(store: Store, title: str, question: str) -> None:
    a_stored_post(store, State.PUBLISHED, title=title, body="-")
    a_stored_post(store, State.PUBLISHED, title="Something else", body="-")
    assert titles(store, search=question) == [title]


@pytest.mark.parametrize(("title", "question"), NOT_FOUND)
def test_what_is_not_meant_is_not_found(store: Store, title: str, question: str) -> None:
    a_stored_post(store, State.PUBLISHED, title=title, body="-")
    assert titles(store, search=question) == []


HOSTILE = [
    '"',
    '""',
    '"a',
    "a*",
    "*",
    "NEAR(a b)",
    "a NEAR/2 b",
    "a OR",
    "AND",
    "NOT a",
    "words:a",
    "{words}:a",
    "^a",
    "-a",
]
HOSTILE += [
    "a\x00b",
    "'",
    "''); DROP TABLE past; --",
    ":a",
    "a:*",
    "!a",
    "a & b |",
    "(",
    ")",
    "\\",
    "%",
    "_",
    "<->",
    "👩‍🔬",
]
HOSTILE += ["x" * 10_000, "x " * 5_000, '"' * 10_000, "\ud800", "ÿ" * 9_999, "́" * 100, "\u202e", "a\tb\nc"]


@pytest.mark.parametrize("question", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_is_typed_is_a_question_and_never_an_error(store: Store, question: str) -> None:
    a_stored_post(store, State.PUBLISHED, title="Poster session", body="-")
    assert titles(store, search=question) in ([], ["Poster session"])
    with store.read() as tx:
        assert tx.execute(text("SELECT count(*) FROM past")).scalar() == 1


@given(st.text())
def test_a_question_is_made_of_the_words_of_a_text(question: str) -> None:
    for term in read_question(question):
        assert all(words_of(word) == [word] for word in term.words)


def test_the_name_of_the_channel_is_searched_too(store: Store) -> None:
    a_stored_post(store, State.PUBLISHED, title="Here")
    a_stored_post(store, State.PUBLISHED, title="There", channel="list-2")
    assert titles(store, search="list-2") == ["There"]


# Filters


def test_each_filter_narrows_it_down(store: Store) -> None:
    by_ann = a_stored_post(store, State.PUBLISHED, title="by Ann", by=ANN)
    a_stored_post(store, State.FAILED, title="failed", by=BEN, due_at=NOW + A_DAY)
    a_stored_post(store, State.PUBLISHED, title="on the list", channel="listserv", due_at=NOW + 2 * A_DAY)
    of_template(store, by_ann.announcement, "call")

    assert titles(store, person=ANN) == ["by Ann"]
    assert titles(store, person=BEN.upper()) == ["failed"]
    assert titles(store, template="call") == ["by Ann"]
    assert titles(store, state=State.FAILED) == ["failed"]
    assert titles(store, channel="listserv") == ["on the list"]
    assert titles(store, since=NOW + A_DAY, until=NOW + 2 * A_DAY) == ["failed"]
    for nothing in ({"person": "who@example.org"}, {"template": "cal"}, {"channel": "face"}, {"channel": ""}):
        assert titles(store, **nothing) == []


def test_the_posts_of_another_community_are_never_found(store: Store) -> None:
    ours, theirs = (a_stored_post(store, State.PUBLISHED, title=title) for title in ("Ours", "Theirs"))
    with store.write() as tx:
        tx.execute(
            text(
                "INSERT INTO communities (id, name, time_zone, approval, created_at) VALUES (9, 'Them', 'UTC', 'off', 0)"
            )
        )
        tx.execute(text("UPDATE announcements SET community_id = 9 WHERE id = :id"), {"id": theirs.announcement})

    assert titles(store) == ["Ours"]
    assert titles(store, search="theirs") == titles(store, search="on friday", state=State.FAILED) == []
    assert titles(store, state=State.PUBLISHED) == ["Ours"]
    with store.read() as tx:
        assert search.page(tx, 1, HistoryFilter()).count == search.page(tx, 9, HistoryFilter()).count == 1
    assert ours.community == 1


VOCABULARY = ("abstract", "abstracts", "absent", "poster", "session", "Müller", "AI", "room", "日本")


@pytest.fixture
def library(store: Store) -> Store:
    """A store with five dozen posts of every kind."""
    pick = random.Random(3)
    for number in range(60):
        post = a_stored_post(
            store,
            pick.choice([s for s in State if s is not State.PUBLISHING]),
            channel=pick.choice(["facebook", "listserv"]),
            title=" ".join(pick.choices(VOCABULARY, k=2)) + f" {number}",
            body=" ".join(pick.choices(VOCABULARY, k=4)),
            by=pick.choice([None, ANN, BEN]),
            due_at=NOW + pick.randrange(40) * A_DAY / 4,
        )
        if pick.random() < 0.5:
            of_template(store, post.announcement, pick.choice(["call", "webinar"]))
    past.catch_up(store)
    return store


ASKED = st.fixed_dictionaries(
    {},
    optional={
        "search": st.lists(
            st.sampled_from([*VOCABULARY, "abs", "abstr", '"poster session"', "pos", "zebra"]), max_size=2
        ).map(" ".join),
        "channel": st.sampled_from(["facebook", "listserv", "none"]),
        "template": st.sampled_from(["call", "webinar", "none"]),
        "person": st.sampled_from([ANN, BEN]),
        "state": st.sampled_from(list(State)),
        "since": st.integers(0, 10).map(lambda n: NOW + n * A_DAY),
        "until": st.integers(0, 10).map(lambda n: NOW + n * A_DAY),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=ASKED)
def test_what_is_found_is_what_a_plain_look_at_each_post_finds(library: Store, wanted: dict[str, Any]) -> None:
    texts = _texts(library)
    plain = [gone for gone in search.each(library, 1, HistoryFilter(limit=None)) if _is_meant(gone, texts, wanted)]
    found = list(search.each(library, 1, HistoryFilter(limit=None, **wanted)))
    assert [gone.post.name for gone in found] == [gone.post.name for gone in plain]
    with library.read() as tx:
        assert search.page(tx, 1, HistoryFilter(**wanted)).count == len(plain)


def _texts(store: Store) -> dict[int, str]:
    with store.read() as tx:
        return {row[0]: row[1] for row in tx.execute(text("SELECT post_id, text FROM contents"))}


def _is_meant(gone: Gone, texts: dict[int, str], wanted: dict[str, Any]) -> bool:
    post = gone.post
    said = words_of(f"{post.title} {post.channel} {texts[post.id]}")
    return (
        wanted.get("channel", post.channel) == post.channel
        and wanted.get("template", gone.template) == gone.template
        and wanted.get("person") in (None, gone.written_by, gone.approved_by)
        and wanted.get("state", post.state) == post.state
        and ("since" not in wanted or post.planned_at >= wanted["since"])
        and ("until" not in wanted or post.planned_at < wanted["until"])
        and all(_says(said, term.words, term.may_go_on) for term in read_question(wanted.get("search", "")))
    )


def _says(said: list[str], words: tuple[str, ...], may_go_on: bool) -> bool:
    if may_go_on:
        return any(word.startswith(words[0]) for word in said)
    return any(tuple(said[n : n + len(words)]) == words for n in range(len(said)))


# Pages


def test_pages_neither_skip_nor_repeat_while_posts_are_added(store: Store) -> None:
    for number in range(70):
        a_stored_post(store, State.CANCELLED, title=f"t{number}", due_at=NOW + number // 3 * A_DAY)
    there = {gone.post.id for gone in everything(store)}

    seen: list[int] = []
    below: int | None = None
    for number in itertools.count():
        with store.read() as tx:
            page = search.page(tx, 1, HistoryFilter(), below=below)
        seen += [gone.post.id for gone in page.rows if gone.post.id in there]
        a_stored_post(store, State.CANCELLED, title=f"new {number}", due_at=NOW + number * 9 * A_DAY)
        past.catch_up(store)
        if page.older is None:
            break
        below = page.older

    assert len(seen) == len(set(seen)) == 70


def test_one_gets_back_the_way_one_came(store: Store) -> None:
    for number in range(70):
        a_stored_post(store, State.CANCELLED, title=f"t{number}")
    past.catch_up(store)
    with store.read() as tx:
        first = search.page(tx, 1, HistoryFilter(state=State.CANCELLED))
        second = search.page(tx, 1, HistoryFilter(state=State.CANCELLED), below=first.older)
        third = search.page(tx, 1, HistoryFilter(state=State.CANCELLED), below=second.older)
        back = search.page(tx, 1, HistoryFilter(state=State.CANCELLED), above=second.newer)
        beyond = search.page(tx, 1, HistoryFilter(), above=first.rows[0].key)

    assert (first.newer, third.older) == (None, None)
    assert [len(page.rows) for page in (first, second, third)] == [search.PAGE, search.PAGE, 70 - 2 * search.PAGE]
    assert back == first
    assert beyond.rows == ()


def test_a_count_goes_no_further_than_it_has_to(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        a_stored_post(store, State.CANCELLED)
    past.catch_up(store)
    monkeypatch.setattr(search, "COUNTED", 3)
    with store.read() as tx:
        assert (
            search.page(tx, 1, HistoryFilter()).count == search.page(tx, 1, HistoryFilter(search="poster")).count == 4
        )


# Plans


@pytest.fixture
def said() -> Iterator[list[tuple[str, Any]]]:
    """Every statement that goes to a database, with its values."""
    heard: list[tuple[str, Any]] = []

    def hear(_connection: Connection, _cursor: object, sql: str, values: Any, *_: object) -> None:
        heard.append((sql, values))

    event.listen(Engine, "before_cursor_execute", hear)
    yield heard
    event.remove(Engine, "before_cursor_execute", hear)


QUESTIONS = [
    pytest.param({}, "in_order", id="everything"),
    pytest.param({"since": NOW, "until": NOW + A_DAY}, "in_order", id="some days"),
    pytest.param({"state": State.FAILED}, "past_words", id="a state"),
    pytest.param({"search": "poster"}, "past_words", id="a word"),
    pytest.param({"search": "networking", "channel": "facebook", "person": ANN}, "past_words", id="all at once"),
]


def _places_asked_for(said: list[tuple[str, Any]], ask: Callable[[], object]) -> tuple[str, Any]:
    said.clear()
    ask()
    return next((sql, values) for sql, values in said if "ORDER BY" in sql and "LIMIT" in sql and "lexicon" not in sql)


@pytest.mark.parametrize(("wanted", "index"), QUESTIONS)
def test_sqlite_goes_along_an_index_in_its_order(
    sqlite_store: Store, said: list[tuple[str, Any]], wanted: dict[str, Any], index: str
) -> None:
    an_announcement(sqlite_store, by=ANN)
    a_stored_post(sqlite_store, State.FAILED, title="Poster networking", by=ANN)
    past.catch_up(sqlite_store)

    with sqlite_store.read() as tx:
        sql, values = _places_asked_for(said, lambda: search.page(tx, 1, HistoryFilter(**wanted)))
        plan = [row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]

    assert len(plan) == 1, plan
    assert index in plan[0]
    assert "past_words VIRTUAL TABLE INDEX" in plan[0] or "COVERING INDEX in_order (community_id=? AND key>" in plan[0]


@pytest.mark.postgres
@pytest.mark.parametrize(("wanted", "index"), QUESTIONS)
def test_postgresql_can_use_the_same_indexes(
    postgres_store: Store, said: list[tuple[str, Any]], wanted: dict[str, Any], index: str
) -> None:
    a_channel(postgres_store)
    a_stored_post(postgres_store, State.FAILED, title="Poster networking", by=ANN)
    past.catch_up(postgres_store)

    with suppress(Undone), postgres_store.write() as tx:
        sql, values = _places_asked_for(said, lambda: search.page(tx, 1, HistoryFilter(**wanted)))
        tx.execute(text("SET LOCAL enable_seqscan = off"))
        if index == "past_words":  # which of the two it takes depends on how rare the words are
            tx.execute(text("DROP INDEX in_order"))
            tx.execute(text("ALTER TABLE past DROP CONSTRAINT pk_past"))
        plan = " ".join(tx.exec_driver_sql(f"EXPLAIN {sql}", values).scalars())
        raise Undone

    assert index in plan


class Undone(Exception):
    """Leaves no trace of what a transaction did."""
