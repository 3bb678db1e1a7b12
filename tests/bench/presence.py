# SPDX-License-Identifier: EUPL-1.2
"""Presence in a room of 500: what the busiest desk receives in its busiest minute, in frames and in bytes. The desks
are the product's presence services on a clock that is put forward, so the figures are the same on every machine. The
bytes are those of whole frames, sealed for one device."""

from tests.bench.registry import Figure, bench

MEMBERS, MINUTES = 500, 10


def _frame_bytes(payload: bytes) -> int:
    """The length of the frame with which a payload is sent to one device."""
    from app.core.ids import RoomId
    from sync.crypto.signatures import SigningKey
    from sync.ids import DevId, Hash, Uid
    from sync.protocol.codec import encode
    from sync.protocol.messages.rooms import Ephemeral
    from sync.trust.person.author import Author
    from sync.trust.room.ephemeral import EphemeralSender

    room = RoomId(bytes(16))
    author = Author(uid=Uid(bytes(16)), dev=DevId(bytes(16)), signing=SigningKey(bytes(32)), ulog=(1, Hash(bytes(32))))
    sealed = EphemeralSender(room).encrypt(author, 1, bytes(32), payload, 1_795_000_000_000, to=bytes(16))
    return len(encode(Ephemeral(room=room, body=sealed.body, sig=sealed.sig, ct=sealed.ct)))


@bench("presence_500_frames_a_minute", "presence_500_kb_a_minute")
def presence() -> list[Figure]:
    """What one desk receives, at most, in a minute."""
    from functools import cache

    from tests.app.presence.simulated import busy_room

    lengths = cache(lambda size: _frame_bytes(bytes(size)))
    w = busy_room(MEMBERS, 60 * MINUTES, lambda payload: lengths(len(payload)))
    until = int(w.time.now_s)
    frames, most = w.most_in(60, until), w.most_in(60, until, w.received_bytes)
    note = f"the busiest minute of the busiest of {MEMBERS} desks, after all lost the connection at one time"
    return [
        Figure(name="presence_500_frames_a_minute", value=frames, unit="", n=MEMBERS, note=note),
        Figure(name="presence_500_kb_a_minute", value=most / 1000, unit="kB", n=MEMBERS, note=note),
    ]
