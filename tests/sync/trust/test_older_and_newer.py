# SPDX-License-Identifier: EUPL-1.2
"""Older and newer programs: formats from before the first release are refused by a code of their own, and a program
that lacks some of today's types and kinds still follows a room."""

import pytest

from sync.crypto.encoding import dec, enc
from sync.errors import Reject
from sync.trust.room import envelope, payload_reading
from sync.trust.room.entries import RoomEntry
from sync.trust.room.envelope import Header
from sync.trust.room.stream import AcceptedEnvelope, RoomStream
from tests.sync.trust.conftest import Scene
from tests.sync.trust.forging import batch_by, entry_by


def changed(data: bytes, version: object) -> bytes:
    """The same array with another version."""
    fields = dec(data, limit=1 << 20)
    assert isinstance(fields, list)
    return enc([version, *fields[1:]])


@pytest.mark.parametrize(("version", "code"), [(0, "old-format"), (1, "old-format"), (3, "format"), (True, "format")])
def test_what_was_made_before_the_first_release_has_its_own_code(scene: Scene, version: object, code: str) -> None:
    (op,) = batch_by(scene.room, scene.clerk, [{}]).bodies
    hdr, _, _ = envelope.read_body(op)
    with pytest.raises(Reject) as e:
        Header.decode(changed(hdr, version))
    assert e.value.code == code
    for lenient in (False, True):
        with pytest.raises(Reject) as e:
            RoomEntry.decode(changed(scene.room.items[0].body, version), lenient=lenient)
        assert e.value.code == code


def test_a_program_that_lacks_some_of_todays_types_and_kinds_follows_the_room(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = scene.room
    room.append(scene.head, entry_by(room, scene.head, "note", [b"x"]))
    room.push(batch_by(room, scene.clerk, [{}, {"kind": envelope.HEARTBEAT}, {}]))
    room.append(scene.head, room.drafter(scene.head).cannot_open(1))
    room.push(batch_by(room, scene.clerk, [{"kind": envelope.HEARTBEAT}]))
    room.append(scene.head, room.drafter(scene.head).rotate())
    room.join(scene.head, scene.guest)
    room.push(batch_by(room, scene.clerk, [{}]))
    monkeypatch.delitem(payload_reading.READ, "note")
    monkeypatch.delitem(payload_reading.READ, "cannot_open")
    monkeypatch.delitem(envelope.LEAST_ROLE, envelope.HEARTBEAT)
    older = RoomStream(room.id)
    accepted = older.accept(room.items, scene.office.book, room.rh_at)
    assert [(a.n, a.void) for a in accepted if a.void] == [(4, "format"), (6, "format"), (8, "format"), (9, "format")]
    assert sum(a.void is None for a in accepted if isinstance(a, AcceptedEnvelope)) == 3
    assert (older.rh, older.members, older.epochs) == (room.stream.rh, room.stream.members, room.stream.epochs)
    assert older.next_prev(scene.clerk.uid, scene.clerk.author.dev) == room.stream.next_prev(
        scene.clerk.uid, scene.clerk.author.dev
    )
