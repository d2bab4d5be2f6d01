"""Looking into the history: what is asked for, newest first, a page at a time, found in an index however much there is.

The order is that of the planned times. A page is named by the place where it begins, so nothing is skipped or shown twice
when posts are added meanwhile. Every condition is a word of one index, also those that are no words, such as a channel.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select, text

from outreach.model import Post
from outreach.store.engine import Store, Transaction
from outreach.store.past import key_of, marks
from outreach.store.posts import SELECT_POSTS, HistoryFilter, as_post
from outreach.store.schema import channels, communities, people, posts
from outreach.store.schema_past import months, past
from outreach.store.words import Term, read_question

PAGE = 30
COUNTED = 1000
"""A count goes no further than one more than this."""

_MOST_ENDINGS = 200
_INDEXED_BEGINNING = 5
_STREAMED = 500
_LAST = 1 << 62
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Gone:
    """A post of the history: its `key` is its place there, `template` may be empty, who wrote and approved may be None.

    People are given by address, and as they are called. `is_on_time` is None for a post that was not sent.
    """

    post: Post
    key: int
    template: str
    written_by: str | None
    writer: str | None
    approved_by: str | None
    approver: str | None
    is_on_time: bool | None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of what was asked for, newest first. `older` and `newer` are where those parts begin, where there are any.

    `count` is how many there are in all; more than `COUNTED` is told as one more than that.
    """

    rows: tuple[Gone, ...]
    older: int | None
    newer: int | None
    count: int


def page(
    tx: Transaction, community: int, wanted: HistoryFilter, *, below: int | None = None, above: int | None = None
) -> Page:
    """Give the newest page, or the one next below a place, or the one next above a place."""
    index = _index(tx, community, wanted)
    keys = index.keys(tx, below=below, above=above, most=PAGE + 1) if index else []
    is_more, keys = len(keys) > PAGE, sorted(keys[:PAGE], reverse=True)
    if index is None or not keys:
        return Page((), None, None, index.count(tx) if index and (below, above) != (None, None) else 0)
    has_older = is_more if above is None else bool(index.keys(tx, below=keys[-1], most=1))
    has_newer = is_more if above is not None else below is not None and bool(index.keys(tx, above=keys[0], most=1))
    is_all = below is None and above is None and not has_older
    count = min(len(keys), COUNTED + 1) if is_all else index.count(tx)
    return Page(tuple(_gone(tx, keys)), keys[-1] if has_older else None, keys[0] if has_newer else None, count)


def each(store: Store, community: int, wanted: HistoryFilter) -> Iterator[Gone]:
    """Give all of what was asked for, up to its limit, newest first, with no transaction open between two parts."""
    below, left = None, wanted.limit
    while left is None or left > 0:
        with store.read() as tx:
            index = _index(tx, community, wanted)
            most = _STREAMED if left is None else min(_STREAMED, left)
            keys = index.keys(tx, below=below, most=most) if index else []
            found = _gone(tx, keys)
        yield from found
        if len(keys) < most:
            return
        below = keys[-1]
        left = None if left is None else left - len(keys)


# The rows of some places


def _called(who: Any) -> tuple[Any, Any]:
    return who.c.email, func.coalesce(func.nullif(who.c.name, ""), who.c.email)


_writers, _approvers = people.alias(), people.alias()
_GONE: Select[Any] = (
    SELECT_POSTS.join(past, past.c.post_id == posts.c.id)
    .outerjoin(_writers, _writers.c.id == past.c.written_by)
    .outerjoin(_approvers, _approvers.c.id == past.c.approved_by)
    .add_columns(past.c.key, past.c.template, *_called(_writers), *_called(_approvers), past.c.is_on_time)
    .order_by(past.c.key.desc())
)


def _gone(tx: Transaction, keys: Sequence[int]) -> list[Gone]:
    if not keys:
        return []
    return [Gone(as_post(row), *row[-7:]) for row in tx.execute(_GONE.where(past.c.key.in_(keys)))]


# The index


@dataclass(frozen=True, slots=True)
class _Index:
    """Where the places are found: FROM and WHERE of a query, the name of the place in it, and its values."""

    key: str
    place: str
    values: dict[str, Any]

    def keys(self, tx: Transaction, *, most: int, below: int | None = None, above: int | None = None) -> list[int]:
        order = "" if above is not None else " DESC"
        sql = f"SELECT {self.key} {self.place} ORDER BY {self.key}{order} LIMIT :most"
        return list(tx.execute(text(sql), self._bounded(below, above) | {"most": most}).scalars())

    def count(self, tx: Transaction) -> int:
        sql = f"SELECT count(*) FROM (SELECT 1 {self.place} LIMIT :most) AS found"  # noqa: S608 - no value is in it
        return int(tx.execute(text(sql), self._bounded(None, None) | {"most": COUNTED + 1}).scalar_one())

    def _bounded(self, below: int | None, above: int | None) -> dict[str, Any]:
        low, high = self.values["low"], self.values["high"]
        if above is not None:
            low = max(low, above + 1)
        return self.values | {"low": low, "high": high if below is None else min(high, below)}


_RANGE = "{key} >= :low AND {key} < :high"


def _index(tx: Transaction, community: int, wanted: HistoryFilter) -> _Index | None:
    """Give where to look; None where nothing can be found."""
    asked = _asked(tx, community, wanted)
    if asked is None:
        return None
    is_, alternatives, terms = asked
    span = _span(tx, is_) if len(is_) > 2 else (0, _LAST)
    if span is None:
        return None
    values: dict[str, Any] = {
        "low": max(span[0], key_of(wanted.since) if wanted.since else 0),
        "high": min(span[1], key_of(wanted.until) if wanted.until else _LAST),
    }
    if wanted == _days_only(wanted):
        place = f"FROM past WHERE community_id = :community AND {_RANGE.format(key='key')}"
        return _Index("key", place, values | {"community": community})
    if tx.dialect.name == "sqlite":
        return _on_sqlite(tx, alternatives, terms, values)
    return _on_postgresql(community, alternatives, terms, values)


def _days_only(wanted: HistoryFilter) -> HistoryFilter:
    return HistoryFilter(since=wanted.since, until=wanted.until, limit=wanted.limit)


def _span(tx: Transaction, is_: dict[str, Any]) -> tuple[int, int] | None:
    """Give the places between which posts are that are several things at once; None where there are none at all.

    Of things that each are many and never together, an index of words would go through all places.
    """
    those = [months.c[name] == value for name, value in is_.items()]
    found = select(func.min(months.c.month), func.max(months.c.month)).where(*those, months.c.posts > 0)
    first, last = tx.execute(found).one()
    if first is None:
        return None
    return key_of(_first_of(first) - _A_DAY), key_of(_first_of(last) + 32 * _A_DAY)


def _is_alone(tx: Transaction, community: int) -> bool:
    return tx.execute(select(communities.c.id).limit(2)).scalars().all() == [community]


def _first_of(month: int) -> datetime:
    return datetime(month // 100, month % 100, 1, tzinfo=UTC)


def _asked(
    tx: Transaction, community: int, wanted: HistoryFilter
) -> tuple[dict[str, Any], list[tuple[str, ...]], tuple[Term, ...]] | None:
    """Give what a post is to be, the words for that, each with those that are as good, and the terms it is to say."""
    is_: dict[str, Any] = {"community_id": community}
    if wanted.channel is not None:
        query = select(channels.c.id).where(channels.c.community_id == community, channels.c.name == wanted.channel)
        is_["channel_id"] = tx.execute(query).scalar()
    if wanted.state is not None:
        is_["state"] = str(wanted.state)
    if wanted.template is not None:
        is_["template"] = wanted.template
    if None in is_.values() or wanted.template == "":
        return None
    # Where there is one community, a word that every post has would only be looked up again for each place.
    is_more = len(is_) > 1 or wanted.person is not None or wanted.search
    named = {k: v for k, v in is_.items() if k != "community_id"} if is_more and _is_alone(tx, community) else is_
    asked: list[tuple[str, ...]] = [(mark,) for mark in marks(named)]
    if wanted.person is not None:
        who = tx.execute(select(people.c.id).where(people.c.email == wanted.person.strip().lower())).scalar()
        if who is None:
            return None
        asked.append(tuple(marks({"written_by": who, "approved_by": who})))
    terms = read_question(wanted.search or "")
    return None if wanted.search and not terms else (is_, asked, terms)


# SQLite: FTS5 goes through the places in their order by itself


def _on_sqlite(
    tx: Transaction, asked: Sequence[tuple[str, ...]], terms: Sequence[Term], values: dict[str, Any]
) -> _Index | None:
    parts = [_any_of(marks_) for marks_ in asked]
    for term in terms:
        said = _said(tx, term)
        if said is None:
            return None
        parts.append(said)
    place = f"FROM past_words WHERE past_words MATCH :match AND {_RANGE.format(key='rowid')}"
    return _Index("rowid", place, values | {"match": " AND ".join(parts)})


def _any_of(words: Sequence[str]) -> str:
    quoted = (f'"{word}"' for word in words)
    return f"({' OR '.join(quoted)})"


def _said(tx: Transaction, term: Term) -> str | None:
    if not term.may_go_on:
        return _any_of([" ".join(term.words)])
    [word] = term.words
    if len(word) <= _INDEXED_BEGINNING:
        return f'"{word}" *'
    endings = tx.execute(_ENDINGS, {"word": word, "beyond": word + chr(0x10FFFF)}).scalars().all()
    if len(endings) > _MOST_ENDINGS:
        return f'"{word}" *'
    return _any_of(endings) if endings else None


# FTS5 would put the places of all words that begin so in order before it gives the first.
_ENDINGS = text(
    f"SELECT word FROM past_lexicon WHERE word >= :word AND word < :beyond ORDER BY word LIMIT {_MOST_ENDINGS + 1}"  # noqa: S608
)


# PostgreSQL: the index says which rows have all the words, the words themselves whether they stand beside each other


def _on_postgresql(
    community: int, asked: Sequence[tuple[str, ...]], terms: Sequence[Term], values: dict[str, Any]
) -> _Index:
    parts = [f"({' | '.join(map(_quoted, marks_))})" for marks_ in asked]
    conditions = []
    for number, term in enumerate(terms):
        parts += [_quoted(word) + (":*" if term.may_go_on else "") for word in term.words]
        if len(term.words) > 1:
            conditions.append(f"AND ' ' || words || ' ' LIKE :phrase{number}")
            values[f"phrase{number}"] = f"% {' '.join(term.words)} %"
    place = (
        f"FROM past WHERE community_id = :community AND {_RANGE.format(key='key')}"
        " AND array_to_tsvector(string_to_array(words, ' ')) @@ CAST(:match AS tsquery)"
        f" {' '.join(conditions)}"
    )
    return _Index("key", place, values | {"match": " & ".join(parts), "community": community})


def _quoted(word: str) -> str:
    return f"'{word}'"
