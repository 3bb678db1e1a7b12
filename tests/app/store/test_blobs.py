# SPDX-License-Identifier: EUPL-1.2
"""Sealed parts of files."""

import hashlib

import pytest

from app.core.ids import ObjId, PartId, new_id
from app.errors import BugError, NotFound, StoreCorrupt
from app.store.rows import BlobPart
from tests.app.store.conftest import ROOM, Bench


def sealed_part(sealed: bytes) -> BlobPart:
    return BlobPart(
        part=new_id(), room=ROOM, obj=ObjId(ROOM), key=b"k" * 32, hash=hashlib.sha256(sealed).digest(),
        size=len(sealed), plain_size=3, uploaded=False, present=True,
    )  # fmt: skip


def test_a_part_is_read_as_it_was_written(bench: Bench) -> None:
    part = sealed_part(b"sealed bytes")
    blobs = bench.store.blobs
    blobs.write(PartId(part.part), b"sealed bytes")
    blobs.add(part)
    assert blobs.path(PartId(part.part)).parent.name == part.part.hex()[:2]
    assert blobs.read(PartId(part.part), part.hash) == b"sealed bytes"
    assert blobs.get(PartId(part.part)) == part
    assert blobs.of(part.obj) == blobs.to_upload() == blobs.to_upload(ROOM) == [part]
    blobs.set_uploaded(PartId(part.part))
    assert blobs.to_upload() == []


def test_a_damaged_part_is_corrupt_and_a_missing_one_not_found(bench: Bench) -> None:
    part = sealed_part(b"sealed bytes")
    blobs = bench.store.blobs
    with pytest.raises(NotFound):
        blobs.read(PartId(part.part), part.hash)
    blobs.write(PartId(part.part), b"other bytes")
    with pytest.raises(StoreCorrupt):
        blobs.read(PartId(part.part), part.hash)


def test_a_dropped_part_leaves_nothing(bench: Bench) -> None:
    part = sealed_part(b"sealed bytes")
    blobs = bench.store.blobs
    blobs.write(PartId(part.part), b"sealed bytes")
    blobs.add(part)
    blobs.drop([PartId(part.part)])
    assert blobs.get(PartId(part.part)) is None
    assert not blobs.path(PartId(part.part)).exists()


def test_parts_are_dropped_in_one_commit_except_those_that_a_waiting_change_names(bench: Bench) -> None:
    """Five files of 256 MiB have 320 parts, and each commit waits for the disk."""
    blobs, parts = bench.store.blobs, [sealed_part(b"sealed bytes") for _ in range(3)]
    ids = [PartId(part.part) for part in parts]
    for part in parts:
        blobs.write(PartId(part.part), b"sealed bytes")
        blobs.add(part)
    unlisted = PartId(new_id())
    blobs.write(unlisted, b"cancelled before its row was written")
    bench.store.changes.append(ROOM, ObjId(ROOM), b"", blobs=[ids[1]])
    ran: list[str] = []
    bench.store.db.conn.set_trace_callback(ran.append)
    blobs.drop([*ids, unlisted])
    bench.store.db.conn.set_trace_callback(None)
    assert ran.count("COMMIT") == 1
    assert blobs.to_upload() == [parts[1]]
    assert [part for part in (*ids, unlisted) if blobs.path(part).exists()] == [ids[1]]


def test_a_part_id_is_never_a_path(bench: Bench) -> None:
    with pytest.raises(BugError):
        bench.store.blobs.path(PartId(b"../../etc/passwd"[:15]))
