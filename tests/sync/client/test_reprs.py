# SPDX-License-Identifier: EUPL-1.2
"""What the engine and the store pass to each other may end up in an exception's text: it holds no key and no words."""

from app.store.heartbeats import KeptHeartbeat
from app.store.rows import StoredChange
from sync.client.ports import OpenedChange, OpenedHeartbeat, PendingChange, SealedBatch
from sync.client.received import ReceivedSlice
from sync.ids import ChangeId, DevId, Hash, ObjId, RoomId, Uid
from sync.protocol import messages as m

SECRET = b"HEMLIGT-canary-0123456789abcdef!"
ROOM, OBJ, ID = RoomId(bytes(16)), ObjId(bytes(16)), ChangeId(bytes(16))


def test_neither_keys_nor_words_show_in_a_repr() -> None:
    opened = OpenedChange(n=1, t=1, uid=Uid(bytes(16)), dev=DevId(bytes(16)), obj=OBJ, change_id=ID, payload=SECRET)
    pending = PendingChange(row=1, room=ROOM, obj=OBJ, change_id=ID, payload=SECRET, live=False)
    batch = SealedBatch(
        room=ROOM, first_seq=1, last_id=Hash(bytes(32)), bodies=(), cts=(), sig=b"", shares=((OBJ, SECRET),), rows=()
    )
    stored = StoredChange(rowid=1, room=ROOM, obj=OBJ, change_id=ID, author=Uid(bytes(16)), t=1, n=None, data=SECRET)
    heartbeat = OpenedHeartbeat(n=1, t=1, uid=Uid(bytes(16)), dev=DevId(bytes(16)), payload=SECRET)
    kept = KeptHeartbeat(room=ROOM, uid=Uid(bytes(16)), dev=DevId(bytes(16)), t=1, data=SECRET)
    received = ReceivedSlice(room=ROOM, changes=[opened], heartbeats=[heartbeat], shares=[(OBJ, SECRET)])
    push = m.Push(1, ROOM, [], [], b"", [m.WireShare(OBJ, SECRET)])
    for text in map(repr, (opened, pending, batch, stored, kept, received, push)):
        assert SECRET.decode() not in text
        assert SECRET.hex() not in text
