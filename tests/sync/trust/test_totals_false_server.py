# SPDX-License-Identifier: EUPL-1.2
"""What an honest server never shows and what is not in the clear, and what a state of many snapshots or of much content
that is withheld costs."""

import os
from dataclasses import replace
from typing import NoReturn

import pytest

from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.ids import DevId, Hash, RoomId, Uid
from sync.trust.formats.items import Item
from sync.trust.room import state_codec
from sync.trust.room.room_state import DeviceHead, Missing, RoomState, Snapshot
from sync.trust.room.state_codec import StateCodec, decode_state
from sync.trust.room.stream import RoomStream
from sync.trust.room.used_totals import Used
from tests.sync.trust.conftest import Scene
from tests.sync.trust.counted import copied
from tests.sync.trust.forging import batch_by, entry_by, epoch_in
from tests.sync.trust.people import Room, Someone


def test_attack_an_item_of_a_device_that_never_was_is_refused(scene: Scene) -> None:
    """No device can have signed it, so the server made it up."""
    room, tablet = scene.room, scene.clerk.add_device()
    older = replace(tablet.author, ulog=scene.clerk.author.ulog)
    ghost = replace(scene.clerk.author, dev=DevId(os.urandom(16)), signing=SigningKey(os.urandom(32)))
    before = replace(older, ulog=(2, scene.clerk.log.heads[2]))
    for author in (ghost, before):
        who = Someone(scene.clerk.secrets, b"", scene.clerk.log, [], scene.clerk.rings, author.dev)
        ops = batch_by(room, who, [{"ulog": author.ulog}])
        with pytest.raises(Reject) as e:
            room.client().accept(room.forced_ops(ops), scene.office.book, room.rh_at)
        assert e.value.code == "signature"
        assert e.value.where == f"position {len(room.items) + 1}"


def test_attack_a_reason_in_the_clear_is_void(scene: Scene) -> None:
    room = scene.room
    epoch = epoch_in(room.drafter(scene.head).remove(scene.clerk.uid)).payload()
    for kind, by, payload in (("rm", scene.head, [scene.clerk.uid, 5, b"", epoch]), ("leave", scene.clerk, [1, b""])):
        (item,) = copied(room).accept(
            room.forced_entry(entry_by(room, by, kind, payload)), room.office.book, room.rh_at
        )
        assert item.void == "malformed"


def test_attack_a_snapshot_more_has_no_other_encoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a room with thousands of snapshots each new one took 0.2 s at every member."""
    made: list[bytes] = []
    real = state_codec._snapshots_row

    def counted(obj: bytes, rows: tuple[Snapshot, ...]) -> object:
        made.append(obj)
        return real(obj, rows)

    monkeypatch.setattr(state_codec, "_snapshots_row", counted)
    codec, state = StateCodec(), RoomState(room=RoomId(bytes(16)))
    row = Snapshot(ident=Hash(bytes(32)), n=1, t=2, uid=Uid(bytes(16)), covers=1, attests=((Uid(bytes(16)), 3),))
    state.snapshots = {bytes([k]) * 16: (row,) for k in range(100)}
    assert decode_state(codec.encode(state, [], [])).snapshots == state.snapshots
    assert len(made) == 100
    state.snapshots = {**state.snapshots, bytes([7]) * 16: (row, row)}
    assert decode_state(codec.encode(state, [], [])).snapshots == state.snapshots
    assert made[100:] == [bytes([7]) * 16]
    state.snapshots = {}
    assert decode_state(codec.encode(state, [], [])).snapshots == {}


def test_attack_a_large_state_is_read_in_pieces_and_not_encoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state of 5.7 MB, which one member can make, was read in one turn of 0.7 s at each start, and encoded whole with
    the first slice after it."""
    state = RoomState(room=RoomId(bytes(16)))
    row = Snapshot(ident=Hash(bytes(32)), n=1, t=2, uid=Uid(bytes(16)), covers=1, attests=((Uid(bytes(16)), 3),))
    names = [k.to_bytes(16, "big") for k in range(2000)]
    state.snapshots = dict.fromkeys(names, (row,))
    state.shares = {name: bytes(32) for name in names}
    state.device_heads = {name: DeviceHead(1, bytes(32), 2, 1) for name in names}
    state.used = {Uid(name): Used(entries=1) for name in names}
    state.missing = Missing({n: bytes(16) for n in range(2000)})
    data = StateCodec().encode(state, [], [])
    stream, pieces = _in_pieces(data)
    assert pieces > 2000 // 20 + 4 * 2000 // 500
    assert stream.state == state

    def never(*_: object) -> NoReturn:
        raise AssertionError("encoded again")

    for name in ("_snapshots_row", "_missing_row", "_pack_head", "pack_used"):
        monkeypatch.setattr(state_codec, name, never)
    assert stream.to_bytes() == data


def _in_pieces(data: bytes) -> tuple[RoomStream, int]:
    """(a stream read from its bytes, how often the reading stopped)."""
    steps, pieces = RoomStream.reading(data), 0
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value, pieces
        pieces += 1


def test_attack_content_that_a_server_withholds_costs_each_position_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the fix all missing positions were copied for each further item."""
    made: list[int] = []
    real = state_codec._missing_row

    def counted(n: int, obj: bytes) -> bytes:
        made.append(n)
        return real(n, obj)

    monkeypatch.setattr(state_codec, "_missing_row", counted)
    room, client = scene.room, scene.room.client()
    begun = client.n
    for _ in range(4):
        room.push(room.seal(scene.clerk, "å 🙂".encode(), b"2"))
    hidden = [replace(item, ct=None) for item in room.items[begun:]]
    missing, ns = client.state.missing, [item.n for item in hidden]
    for at in range(0, len(hidden), 2):
        client.accept(hidden[at : at + 2], scene.office.book, room.rh_at)
        assert client.state.missing is missing
        client.to_bytes()
    assert made == ns == client.withheld()
    with pytest.raises(Reject):  # what is undone is undone there too
        client.accept([*_next(room, scene, ct=None), hidden[0]], scene.office.book, room.rh_at)
    assert client.withheld() == ns
    missing.drop(ns[3])
    missing.drop(ns[3])
    assert RoomStream.from_bytes(client.to_bytes()).withheld() == [n for n in ns if n != ns[3]] == client.withheld()


def _next(room: Room, scene: Scene, *, ct: bytes | None) -> list[Item]:
    """The room's next items, with this content."""
    before = len(room.items)
    room.push(room.seal(scene.clerk, b"next"))
    return [replace(item, ct=ct) for item in room.items[before:]]
