# SPDX-License-Identifier: EUPL-1.2
"""The bytes of the entries in a room's stream (protocol §5). The content of each type is in payloads.py.

Body: `[2, room | null, seq, prev, uid, dev, [n, rh], [ulog_seq, ulog_head], time, type, payload, ext]`; id =
H("room-log" ‖ body); signed over the id, domain "room-log". entry_rules.py judges who may post which entry.
"""

from dataclasses import dataclass

from sync.crypto.encoding import dec, enc
from sync.ids import Hash, Uid
from sync.protocol.version import MAX_ENTRY_BYTES
from sync.trust.formats import fields
from sync.trust.formats.items import ENTRY, item_id
from sync.trust.keys.epochs import Epoch
from sync.trust.room.payload_reading import read_payload
from sync.trust.room.payloads import Payload

VERSION = 2
"""A room's format, which its entries and envelopes state. Format 1 was never released."""
DOMAIN = "room-log"
NO_PREV = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomEntry:
    """A decoded entry. `seen` and `ulog` are the positions that its author had verified."""

    room: bytes | None
    seq: int
    prev: bytes
    uid: Uid
    dev: bytes
    seen: tuple[int, bytes]
    ulog: tuple[int, bytes]
    time: int
    type: str
    payload: Payload
    ident: Hash

    @classmethod
    def decode(cls, body: bytes, *, lenient: bool = False) -> "RoomEntry":
        """Decodes an entry and checks every shape. Reject "malformed", "encoding", "oversize" or "format".

        With `lenient` what only its author can have done wrong (type, extension, payload) becomes `Unreadable`.
        """
        parts = fields.array(dec(body, limit=MAX_ENTRY_BYTES), 12, "room entry")
        version, room, seq, prev, uid, dev, seen, ulog, time, kind, payload, ext = parts
        fields.version(version, VERSION, "room entry version")
        name = fields.text(kind, 64, "room entry type")
        return cls(
            room=None if room is None else fields.raw(room, 16, "room"),
            seq=fields.u64(seq, "seq"),
            prev=fields.raw(prev, 32, "prev"),
            uid=Uid(fields.raw(uid, 16, "uid")),
            dev=fields.raw(dev, 16, "dev"),
            seen=fields.position(seen, "seen"),
            ulog=fields.position(ulog, "ulog"),
            time=fields.u64(time, "time"),
            type=name,
            payload=read_payload(name, payload, ext, lenient=lenient),
            ident=item_id(ENTRY, body),
        )

    @property
    def epoch(self) -> Epoch | None:
        """The epoch that this entry carries, if any."""
        return getattr(self.payload, "epoch", None)


def entry_body(
    room: bytes | None,
    seq: int,
    prev: bytes,
    uid: bytes,
    dev: bytes,
    seen: tuple[int, bytes],
    ulog: tuple[int, bytes],
    time: int,
    kind: str,
    payload: object,
) -> bytes:
    """The body of an entry to sign."""
    return enc([VERSION, room, seq, prev, uid, dev, list(seen), list(ulog), time, kind, payload, {}])
