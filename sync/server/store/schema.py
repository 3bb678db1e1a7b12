# SPDX-License-Identifier: EUPL-1.2
"""The tables of the SQL store. A change raises VERSION and gets a step in MIGRATIONS.

Ids and hashes are BLOBs, times are milliseconds since 1970 UTC, `n` and `seq` are positions.
"""

from collections.abc import Callable

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    select,
    update,
)

from sync.errors import Reject
from sync.trust.userlog import root_of

VERSION = 6

metadata = MetaData()


def _blob(name: str, *, null: bool = False, primary: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=null, primary_key=primary)


def _int(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


meta = Table("meta", metadata, Column("name", String, primary_key=True), Column("value", String, nullable=False))

invites = Table(
    "invites",
    metadata,
    _blob("invite_pk", primary=True),
    _blob("cert_body"),
    _blob("cert_sig"),
    _blob("salt"),
    _blob("record"),
    _int("not_after"),
    _blob("used_by", null=True),
)

users = Table(
    "users",
    metadata,
    _blob("uid", primary=True),
    _int("seq"),
    _blob("head"),
    _blob("salt"),
    _blob("record"),
    Column("search", String, nullable=False),
    _blob("root_pk"),
    Index("users_by_root", "root_pk"),
)
"""`root_pk` since version 4."""

user_entries = Table(
    "user_entries",
    metadata,
    _blob("uid"),
    _int("seq"),
    _blob("body"),
    _blob("sig"),
    PrimaryKeyConstraint("uid", "seq"),
)

rooms = Table(
    "rooms",
    metadata,
    _blob("room", primary=True),
    _int("n"),
    _blob("rh"),
    _int("t"),
    _int("size_bytes"),
    _int("state_n"),
    _blob("state"),
)

items = Table(
    "items",
    metadata,
    _blob("room"),
    _int("n"),
    _int("t"),
    Column("kind", Integer, nullable=False),
    _blob("id"),
    _blob("rh"),
    _blob("body"),
    _blob("sig"),
    _blob("ct", null=True),
    _int("size_bytes"),
    PrimaryKeyConstraint("room", "n"),
    Index("items_by_id", "id"),
)

members = Table(
    "members",
    metadata,
    _blob("room"),
    _blob("uid"),
    _int("until_n"),
    PrimaryKeyConstraint("room", "uid"),
    Index("members_by_uid", "uid"),
)

device_heads = Table(
    "device_heads",
    metadata,
    _blob("room"),
    _blob("dev"),
    _int("dev_seq"),
    _blob("id"),
    PrimaryKeyConstraint("room", "dev"),
)

shares = Table(
    "shares",
    metadata,
    _blob("room"),
    _blob("obj"),
    _int("n"),
    _blob("share_c"),
    _blob("share", null=True),
    PrimaryKeyConstraint("room", "obj"),
    Index("shares_by_n", "room", "n"),
)

seals = Table(
    "seals",
    metadata,
    Column("row", Integer, primary_key=True),
    _blob("room"),
    _int("epoch"),
    _blob("uid"),
    _blob("seal"),
    Index("seals_by_recipient", "room", "epoch", "uid"),
)

blobs = Table(
    "blobs",
    metadata,
    _blob("room"),
    _blob("obj"),
    _blob("part"),
    _int("size_bytes"),
    _blob("sha256"),
    PrimaryKeyConstraint("room", "obj", "part"),
)

usage = Table(
    "usage",
    metadata,
    _blob("dev"),
    _int("day"),
    _int("size_bytes"),
    PrimaryKeyConstraint("dev", "day"),
)

unmet = Table("unmet", metadata, _blob("room", primary=True), _int("n"), _blob("rh"), _int("t"), _blob("sig"))
"""Since version 2: receipts of our own for what is not here."""

sightings = Table(
    "sightings",
    metadata,
    _blob("dev", primary=True),
    _blob("uid"),
    _int("last"),
    Column("agent", String, nullable=False),
    Index("sightings_by_uid", "uid"),
)
"""Since version 3: when each device last signed in, and with which program."""

told = Table("told", metadata, Column("row", Integer, primary_key=True), _blob("uid"))
"""Since version 3: whose log another process (the agency's command line) has added to."""

asked = Table(
    "asked",
    metadata,
    _blob("uid"),
    Column("what", String, nullable=False),
    _blob("dev"),
    _int("since"),
    _blob("invite_pk"),
    _blob("vetoed_by"),
    PrimaryKeyConstraint("uid", "what", "dev"),
)
"""Since version 4: what was asked with people's recovery sheets."""

restores = Table(
    "restores",
    metadata,
    Column("row", Integer, primary_key=True),
    _int("t"),
    _int("backup_t"),
    _blob("body"),
    _blob("sig"),
)
"""Since version 5: the signed statement of each time that this store was restored from a backup."""

closed_rooms = Table("closed_rooms", metadata, _blob("room", primary=True))
"""Since version 5: rooms closed to writing since the restore."""

awaited_devices = Table("awaited_devices", metadata, _blob("dev", primary=True), _blob("uid"))
"""Since version 5: devices that may still hold what was lost."""

awaited_items = Table(
    "awaited_items",
    metadata,
    _blob("room"),
    _int("n"),
    _int("t"),
    Column("kind", Integer, nullable=False),
    _blob("id"),
    PrimaryKeyConstraint("room", "n"),
)
"""Since version 5: positions that a receipt of ours proves and whose items are not back yet."""

sealless = Table("sealless", metadata, _blob("room"), _int("n"), PrimaryKeyConstraint("room", "n"))
"""Since version 6: positions of entries that came back after a restore without the seals that they name."""


def _third(c: Connection) -> None:
    sightings.create(c)
    told.create(c)


def _fourth(c: Connection) -> None:
    c.exec_driver_sql("ALTER TABLE users ADD COLUMN root_pk BLOB NOT NULL DEFAULT x''")
    for uid in c.scalars(select(users.c.uid)).all():
        c.execute(update(users).where(users.c.uid == uid).values(root_pk=_root_of(c, uid)))
    c.exec_driver_sql("CREATE INDEX users_by_root ON users (root_pk)")
    asked.create(c)


def _root_of(c: Connection, uid: bytes) -> bytes:
    """The root key in force, by the log's entries: the genesis has one, and each `root_rotate`."""
    rows = c.scalars(select(user_entries.c.body).where(user_entries.c.uid == uid).order_by(user_entries.c.seq))
    try:
        return root_of(list(rows))
    except Reject:
        return b""


def _fifth(c: Connection) -> None:
    for table in (restores, closed_rooms, awaited_devices, awaited_items):
        table.create(c)


def _sixth(c: Connection) -> None:
    c.exec_driver_sql("DROP TABLE IF EXISTS healed_epochs")  # of version 5, before anything came back
    sealless.create(c)


MIGRATIONS: dict[int, Callable[[Connection], None]] = {2: unmet.create, 3: _third, 4: _fourth, 5: _fifth, 6: _sixth}
"""Step `v` brings a database of version v - 1 to v."""
