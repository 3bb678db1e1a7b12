# SPDX-License-Identifier: EUPL-1.2
"""The tables of the SQL store. A change raises VERSION.

Ids and hashes are BLOBs, times are milliseconds since 1970 UTC, `n` and `seq` are positions.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
)

VERSION = 11

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
    _int("made"),
    _blob("person", null=True),
    _int("withdrawn"),
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
    _blob("by", null=True),
    _int("spoke"),
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
    Column("what", String, nullable=False),
    _blob("who"),
    _int("day"),
    _int("amount"),
    PrimaryKeyConstraint("what", "who", "day"),
)
"""Counts of each day, as Tally names them."""

unmet = Table("unmet", metadata, _blob("room", primary=True), _int("n"), _blob("rh"), _int("t"), _blob("sig"))
"""Receipts that this server signed for positions that it does not have."""

sightings = Table(
    "sightings",
    metadata,
    _blob("dev", primary=True),
    _blob("uid"),
    _int("last"),
    Column("agent", String, nullable=False),
    Index("sightings_by_uid", "uid"),
)
"""When each device last signed in, and with which program."""

external_appends = Table("external_appends", metadata, Column("row", Integer, primary_key=True), _blob("uid"))
"""Persons to whose log another process (the agency's command line) has appended, a row for each time."""

recovery_requests = Table(
    "recovery_requests",
    metadata,
    _blob("uid"),
    Column("what", String, nullable=False),
    _blob("dev"),
    _int("since"),
    _blob("invite_pk"),
    _blob("vetoed_by"),
    _blob("by"),
    PrimaryKeyConstraint("uid", "what", "dev"),
)
"""Requests by recovery sheet, as RecoveryRequestRow."""

restores = Table(
    "restores",
    metadata,
    Column("row", Integer, primary_key=True),
    _int("t"),
    _int("backup_t"),
    _blob("body"),
    _blob("sig"),
)
"""The signed statement of each time that this store was restored from a backup."""

closed_rooms = Table("closed_rooms", metadata, _blob("room", primary=True))
"""Rooms closed to writing since the restore."""

awaited_devices = Table("awaited_devices", metadata, _blob("dev", primary=True), _blob("uid"))
"""Devices that may still hold what was lost."""

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
"""Positions that a receipt of this server proves and whose items are still missing."""

sealless = Table("sealless", metadata, _blob("room"), _int("n"), PrimaryKeyConstraint("room", "n"))
"""Positions of entries that were uploaded again after a restore, without the seals that they name."""


uploads = Table(
    "uploads",
    metadata,
    _blob("room"),
    _blob("obj"),
    _blob("part"),
    _blob("uid"),
    _blob("dev"),
    _int("held_bytes"),
    _int("since"),
    PrimaryKeyConstraint("room", "obj", "part"),
)
"""Unfinished uploads of parts of files."""

admin_log = Table(
    "admin_log",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("body", String, nullable=False),
    _blob("hash"),
)
"""What administrators did, each row chained to the one before it. The head is stored in `meta`."""

probes = Table("probes", metadata, Column("row", Integer, primary_key=True), _int("count"))
"""One row, which changes each time that `Store.probe` is called."""
