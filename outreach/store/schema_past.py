"""The tables of the history as people look at it: one row for each post in it, its words, and the figures of each month.

They are made of the other tables by `outreach.store.past` and hold nothing that is not there too. Nothing that queues or
publishes writes here.
"""

from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, event
from sqlalchemy.schema import DDL

from outreach.store.columns import Id, metadata

past = Table(
    "past",
    metadata,
    # The order of the history: the second that a post was planned for, and of equals the post's number, in one number.
    Column("key", Id, primary_key=True, autoincrement=False),
    Column("post_id", Id, ForeignKey("posts.id"), nullable=False, unique=True),
    Column("community_id", Id, ForeignKey("communities.id"), nullable=False),
    Column("channel_id", Id, ForeignKey("channels.id"), nullable=False),
    # Of the community's zone, such as 202612.
    Column("month", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("template", Text, nullable=False, server_default=""),
    # Who wrote the text that the post has, and who approved that.
    Column("written_by", Id, ForeignKey("people.id")),
    Column("approved_by", Id, ForeignKey("people.id")),
    # Whether it was sent within some minutes of its planned time; NULL where it was not sent.
    Column("is_on_time", Boolean(name="is_on_time")),
    # What a search finds it by, ready to be split at blanks; those that begin with _ stand for the filters.
    Column("words", Text, nullable=False),
    Index("in_order", "community_id", "key"),
)

months = Table(
    "months",
    metadata,
    Column("community_id", Id, ForeignKey("communities.id"), primary_key=True),
    Column("month", Integer, primary_key=True),
    Column("channel_id", Id, ForeignKey("channels.id"), primary_key=True),
    Column("template", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    # Posts that were sent, and those of them that were on time.
    Column("posts", Integer, nullable=False),
    Column("sent", Integer, nullable=False),
    Column("on_time", Integer, nullable=False),
)

ON_SQLITE = (
    # The words are taken as they are, cut at blanks: they were made comparable before. Columns' sizes serve ranking only.
    # Beginnings of three to five letters have an index of their own: of these there are too many words that go on.
    "CREATE VIRTUAL TABLE past_words USING fts5("
    "words, content='past', content_rowid='key', columnsize=0, prefix='3 4 5', tokenize=\"ascii tokenchars '_'\")",
    # Every word there ever was: a search for a longer beginning asks for all words that begin so.
    "CREATE TABLE past_lexicon (word TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID",
)
ON_POSTGRESQL = ("CREATE INDEX past_words ON past USING gin (array_to_tsvector(string_to_array(words, ' ')))",)

_DDL: Any = DDL
for _dialect, _statements in (("sqlite", ON_SQLITE), ("postgresql", ON_POSTGRESQL)):
    for _statement in _statements:
        event.listen(past, "after_create", _DDL(_statement).execute_if(dialect=_dialect))
