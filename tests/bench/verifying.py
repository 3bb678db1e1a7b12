# SPDX-License-Identifier: EUPL-1.2
"""How long a client takes to judge and open what arrives, without network and store."""

import time
from dataclasses import replace

from sync.trust.room.envelope import ObjectKeys, decrypt_op, root_share, unpack
from sync.trust.room.stream import AcceptedEnvelope, RoomStream
from tests.bench.registry import Figure, bench, median
from tests.sync.trust.people import Office, Room

BATCHES = 80
BATCH = 50
TEXT = "Kompletteringen från sökanden är inkommen och diarieförd som aktbilaga 14. 🙂".encode()


@bench("verify_open_us", "judge_header_us")
def verify_open() -> list[Figure]:
    """Position, hash chain, signature, role and epoch of each envelope, then its content: as on catching up. And all
    but the content, of items without it: as a newcomer judges a long room."""
    office = Office()
    founder = office.hire("Handläggare")
    room = Room.founded(office, founder)
    start = len(room.items)
    for _ in range(BATCHES):
        room.push(room.seal(founder, *[TEXT] * BATCH))
    follower, newcomer = RoomStream(None), RoomStream(None)
    for stream in (follower, newcomer):
        stream.accept(room.items[:start], office.book)
    content = room.ring(founder).k(room.stream.epoch)
    assert content is not None
    key = ObjectKeys(room.id).key(content, room.stream.epoch, room.id, root_share(room.id))
    opened: list[float] = []
    judged: list[float] = []
    for at in range(start, len(room.items), BATCH):
        items = room.items[at : at + BATCH]
        began = time.perf_counter()
        for accepted in follower.accept(items, office.book, room.rh_at):
            assert isinstance(accepted, AcceptedEnvelope)
            assert accepted.void is None
            unpack(decrypt_op(key, accepted.hdr_bytes, accepted.ct or b""))
        opened.append((time.perf_counter() - began) * 1e6 / BATCH)
        bare = [replace(item, ct=None) for item in items]
        began = time.perf_counter()
        newcomer.accept(bare, office.book, room.rh_at, headers_only=True)
        judged.append((time.perf_counter() - began) * 1e6 / BATCH)
    note = f"per envelope, in batches of {BATCH} of one author; {len(TEXT)} bytes of text each"
    count = len(opened) * BATCH
    return [
        Figure(name="verify_open_us", value=median(opened), unit="us", n=count, note=note),
        Figure(name="judge_header_us", value=median(judged), unit="us", n=count, note="the same without content"),
    ]
