# SPDX-License-Identifier: EUPL-1.2
"""How long a client takes to judge and open what arrives, without network and store."""

import time

from sync.trust.envelope import ObjectKeys, open_op, root_share, unpack
from sync.trust.stream import AcceptedEnvelope, RoomStream
from tests.bench.registry import Figure, bench, median
from tests.sync.trust.people import Office, Room

BATCHES = 80
BATCH = 50
TEXT = "Kompletteringen från sökanden är inkommen och diarieförd som aktbilaga 14. 🙂".encode()


@bench("verify_open_us")
def verify_open() -> list[Figure]:
    """Position, hash chain, signature, role and epoch of each envelope, then its content: as on catching up."""
    office = Office()
    founder = office.hire("Handläggare")
    room = Room.founded(office, founder)
    start = len(room.items)
    for _ in range(BATCHES):
        room.push(room.seal(founder, *[TEXT] * BATCH))
    follower = RoomStream(None)
    follower.accept(room.items[:start], office.book)
    content = room.ring(founder).k(room.stream.epoch)
    assert content is not None
    key = ObjectKeys(room.id).key(content, room.stream.epoch, room.id, root_share(room.id))
    samples: list[float] = []
    for at in range(start, len(room.items), BATCH):
        began = time.perf_counter()
        for accepted in follower.accept(room.items[at : at + BATCH], office.book, room.rh_at):
            assert isinstance(accepted, AcceptedEnvelope)
            assert accepted.void is None
            unpack(open_op(key, accepted.hdr_bytes, accepted.ct or b""))
        samples.append((time.perf_counter() - began) * 1e6 / BATCH)
    note = f"per envelope, in batches of {BATCH} of one author; {len(TEXT)} bytes of text each"
    return [Figure(name="verify_open_us", value=median(samples), unit="us", n=len(samples) * BATCH, note=note)]
