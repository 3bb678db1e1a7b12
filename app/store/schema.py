# SPDX-License-Identifier: EUPL-1.2
"""The shared read-model tables as SQLAlchemy sees them, for lists and joins.

The tables themselves are made by layout.py; tests/app/store/test_layout.py holds the two together. Changes, outbox
and inbox are reached only through their classes and have no table objects.
"""

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, MetaData, Table, Text

metadata = MetaData()


def _id(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def _int(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _maybe_id(name: str) -> Column[bytes]:
    return Column(name, LargeBinary)


def _maybe_int(name: str) -> Column[int]:
    return Column(name, BigInteger)


objects = Table(
    "objects",
    metadata,
    Column("obj", LargeBinary, primary_key=True),
    _id("room"),
    _text("kind"),
    _text("title"),
    _int("created"),
    _int("updated"),
    _flag("deleted"),
    _maybe_id("by"),
    _int("last"),
    _int("projected"),
)
rooms = Table(
    "rooms",
    metadata,
    Column("room", LargeBinary, primary_key=True),
    _text("title"),
    _text("type"),
    _int("created"),
    _int("role"),
    _flag("left"),
    _flag("muted"),
    _flag("pinned"),
    _int("unread"),
    _int("mentions"),
    _int("last_t"),
    _maybe_id("last_by"),
    _text("last_preview"),
)
counters = Table(
    "counters",
    metadata,
    Column("obj", LargeBinary, primary_key=True),
    _id("room"),
    _int("unread"),
    _int("mentions"),
    _int("last_t"),
    _maybe_id("last_by"),
    _text("last_preview"),
)
members = Table(
    "members",
    metadata,
    Column("room", LargeBinary, primary_key=True),
    Column("uid", LargeBinary, primary_key=True),
    _int("role"),
    _int("since_n"),
    _flag("history"),
)
people = Table(
    "people",
    metadata,
    Column("uid", LargeBinary, primary_key=True),
    _text("name"),
    _text("title"),
    _text("unit"),
    _text("record"),
    _id("salt"),
    _maybe_int("verified"),
)
events = Table(
    "events",
    metadata,
    Column("room", LargeBinary, primary_key=True),
    Column("n", BigInteger, primary_key=True),
    _int("t"),
    Column("kind", Text, primary_key=True),
    _id("by"),
    _maybe_id("subject"),
    _maybe_int("role"),
    _maybe_int("history"),
    _maybe_id("obj"),
    _maybe_int("until"),
    _maybe_id("note"),
    Column("place", BigInteger, primary_key=True),
)
key_watch = Table("key_watch", metadata, Column("uid", LargeBinary, primary_key=True), _int("seq"))
key_notices = Table(
    "key_notices",
    metadata,
    Column("id", BigInteger, primary_key=True),
    _id("uid"),
    _text("kind"),
    _int("seq"),
    _id("other"),
    _int("t"),
    _maybe_int("done"),
)
origins = Table(
    "origins",
    metadata,
    Column("room", LargeBinary, primary_key=True),
    _id("old"),
    _int("n"),
    _id("rh"),
    _id("by"),
    _int("step"),
)
drafts = Table("drafts", metadata, Column("obj", LargeBinary, primary_key=True), _id("room"), _id("data"), _int("t"))
read_markers = Table(
    "read_markers", metadata, Column("obj", LargeBinary, primary_key=True), _id("room"), _int("row"), _int("t")
)
read_apart = Table(
    "read_apart",
    metadata,
    Column("obj", LargeBinary, primary_key=True),
    Column("row", BigInteger, primary_key=True, autoincrement=False),
)
recent = Table("recent", metadata, Column("obj", LargeBinary, primary_key=True), _int("t"))
