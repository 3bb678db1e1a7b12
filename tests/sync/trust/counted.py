# SPDX-License-Identifier: EUPL-1.2
"""What a total says of an entry or a batch, judged by the server and by a client, and a room in which every total is
used up."""

import os
from dataclasses import replace

import pytest

from sync.errors import Reject
from sync.ids import ObjId
from sync.trust.room import totals
from sync.trust.room.entry_drafts import Draft
from sync.trust.room.envelope import share_commitment
from sync.trust.room.stream import RoomStream
from sync.trust.room.used_totals import Total
from tests.sync.trust.conftest import Scene
from tests.sync.trust.forging import batch_by
from tests.sync.trust.people import Room, Someone

DAY_MS = 86_400_000
NONE = Total(most=0, part=1)

MARK = bytes(400)


def copied(room: Room) -> RoomStream:
    """A client with a copy of the room's state. It does not replay the room, since a test changes the totals only from
    now on."""
    return RoomStream.from_bytes(room.stream.to_bytes())


def verdict(room: Room, draft: Draft) -> str | None:
    """The reason why the server refuses an entry, None if it is placed. A client must judge the entry void for the same
    reason."""
    (judged,) = copied(room).accept(room.forced_entry(draft), room.office.book, room.rh_at)
    if judged.void is None:
        room.append(Someone.__new__(Someone), replace(draft, secrets=None))
        return None
    with pytest.raises(Reject) as e:
        room.append(Someone.__new__(Someone), draft)
    assert e.value.code == judged.void
    return judged.void


def pushed(room: Room, by: Someone, *changes: dict[str, object], ct: bytes = MARK) -> str | None:
    """As `verdict`, for a batch."""
    ops = batch_by(room, by, changes, ct)
    judged = copied(room).accept(room.forced_ops(ops), room.office.book, room.rh_at)
    why = next((item.void for item in judged if item.void is not None), None)
    if why is None:
        room.push(ops)
        assert copied(room).state == room.stream.state
        return None
    with pytest.raises(Reject) as e:
        room.push(ops)
    assert e.value.code == why
    return why


def first_op(room: Room, obj: bytes | None = None) -> dict[str, object]:
    """The header of an op that begins an object."""
    obj = obj or os.urandom(16)
    return {"obj": ObjId(obj), "share_c": share_commitment(room.id, obj, bytes(32))}


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch, scene: Scene) -> Scene:
    """Every total is used up: nobody has a share of anything."""
    for name in ("PEOPLE", "OBJECTS", "EPOCHS", "LINKS", "ENTRIES", "ENTRIES_OF_ADMINS", "SNAPSHOTS", "PROPOSALS"):
        monkeypatch.setattr(totals, name, NONE)
    return scene
