"""The tables of the query log.

SQLAlchemy Core; what SQLite and PostgreSQL each need for it is in `databases.py`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

METADATA = MetaData()
_Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by themselves only for INTEGER

SEARCHES = Table(
    "searches",
    METADATA,
    Column("id", _Number, primary_key=True),
    Column("token", BigInteger, nullable=False),  # random: what a click says it came from
    Column("at", BigInteger, nullable=False),  # seconds since 1970, UTC
    Column("day", String(10), nullable=False),  # YYYY-MM-DD, UTC
    Column("session", BigInteger),  # of that day; null when it was forgotten, or never known
    Column("origin", BigInteger),  # the same of the address alone
    Column("surface", String(8), nullable=False),
    Column("page", Integer, nullable=False),
    Column("query", Text, nullable=False),  # normalised and scrubbed
    Column("words", Text, nullable=False),  # JSON list: what is looked for
    Column("entity", Text),
    Column("aspects", Text, nullable=False),  # JSON list
    Column("corrected", Text),
    Column("site", Text),  # the filters
    Column("aspect", Text),
    Column("exact", Boolean, nullable=False),
    Column("total", Integer, nullable=False),
    Column("top_score", Float),  # of the first result, 0 to 1
    Column("shown", Text, nullable=False),  # JSON list of [answer id, score]
    Column("direct", Text),  # id of the answer that is quoted above the list
    Column("urgency", Text),  # id of the card
    Column("generation", Text, nullable=False),
    Column("partial", Boolean, nullable=False),
    Column("remembered", Boolean, nullable=False),  # answered from memory
    Column("latency_ms", Float, nullable=False),
    Column("stages_ms", Text, nullable=False),  # JSON object: stage -> milliseconds
    Index("searches_token", "token", unique=True),
    Index("searches_day", "day"),
)

CLICKS = Table(
    "clicks",
    METADATA,
    Column("id", _Number, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("day", String(10), nullable=False),
    Column("token", BigInteger, nullable=False),  # of the search
    Column("rank", Integer, nullable=False),  # 1-based, over all pages
    Column("answer_id", Text, nullable=False),
    Column("target", String(8), nullable=False),  # answer, or source: the page it was found on
    Index("clicks_day", "day"),
    Index("clicks_token", "token"),
)

FEEDBACK = Table(
    "feedback",
    METADATA,
    Column("id", _Number, primary_key=True),
    Column("day", String(10), nullable=False),  # UTC; no closer, so that it goes with no search
    Column("answer_id", Text, nullable=False),
    Column("generation", Text, nullable=False),
    Column("verdict", Text, nullable=False),  # useful, useless, or the reason of a report
    Column("note", Text, nullable=False),  # scrubbed
)

LOSSES = Table(
    "losses",
    METADATA,
    Column("id", _Number, primary_key=True),
    Column("day", String(10), nullable=False),
    Column("events", Integer, nullable=False),  # that could not be written
)
