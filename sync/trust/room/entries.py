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
    """One decoded entry of a room's log, number `seq` from 0: a signed change of members, keys or rules, `payload`.
    `prev` is the hash of the entry before, `ident` that of this one. `room` is None in the first entry, whose hash
    makes the id.

    `uid` and `dev` are its author. `seen` is the position (number, running hash) of the room, and `ulog` the position
    (number, hash) of the author's user log, that the author had verified. `time` in ms is a claim.
    """

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
        """Decodes an entry and checks every shape. Reject "malformed", "encoding", "oversize", "format" or
        "old-format"; for values in its payload also "suite" or "bad-key".

        With `lenient` there is no Reject for an unknown type or extension, or for a payload that cannot be read, which
        only the author can have done wrong: the payload becomes `Unreadable`, and the entry is void (has no effect),
        unless the room's policy enables that type or extension: then the room needs a newer program.
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
    """Encodes an entry with the number `seq`, by the device `dev` of the person `uid`; it is then to be signed. `room`
    and `prev` (the hash of the entry before) are None and zeros in a room's first entry. `seen` and `ulog` are the
    (number, hash) of the room and of the author's user log up to which the author has verified them. `time` in ms is a
    claim; `kind` is the entry's type, `payload` the content that this type has."""
    return enc([VERSION, room, seq, prev, uid, dev, list(seen), list(ulog), time, kind, payload, {}])
