# SPDX-License-Identifier: EUPL-1.2
"""A long room at a desk that has nothing of it: from attested snapshots and what came after, and read whole."""

import os
from pathlib import Path

from app.core import clock
from app.core.ids import ObjId, RoomId, new_change, new_obj
from app.documents import KIND
from app.objects.crdt import CrdtDoc
from app.objects.pieces import encode
from app.rooms.records import ObjectAnnounced, Record, RoomNamed
from app.rooms.records import encode as record
from sync.client.exchange.backfill import pack
from sync.client.placed_changes import Compacted, PlacedChange, position_of
from sync.ids import ChangeId, Hash
from sync.protocol.messages import Append, Push, PutSeals, Signed, WireShare
from sync.server.config import Limits
from sync.server.rules.service import Service
from sync.trust.formats.items import ENTRY, ENVELOPE, Item, Role
from sync.trust.keys.epochs import KeyRing
from sync.trust.room import envelope
from sync.trust.room.entry_drafts import Draft, Drafter, new_room
from sync.trust.room.envelope import ObjectKeys, PlainOp, encrypt_batch, root_share, share_commitment
from sync.trust.room.snapshots import Attest, pieces
from sync.trust.room.stream import RoomStream
from tests.bench import filling
from tests.bench.baselines import judging_us
from tests.bench.catching_up import turn_figures
from tests.bench.desk import Desk
from tests.bench.filling import Hand, service_of
from tests.bench.office import HANDLER, HEAD, copy_of, enrol, found, open_store, serving
from tests.bench.registry import Figure, bench

CHANGES = 200_000
TAIL = 300
"""Changes after the newest snapshot."""
BATCH = 50
NEWCOMER = "Registrator"
ROOMS, IN_EACH = 200, 1000


class Writer:
    """Builds rooms of two at the server's service, by the builders of the client; the network is left out."""

    def __init__(self, service: Service, by: Hand, other: Hand) -> None:
        self.service = service
        self.by = by
        self.other = other
        self.ring = KeyRing(RoomId(bytes(16)))
        self.stream = RoomStream(None)
        self.seqs: dict[bytes, int] = {}

    async def append(self, hand: Hand, draft: Draft) -> None:
        if draft.root is not None:
            self.service.placing.put_seals(hand.who, PutSeals(0, draft.room, draft.root, 0, draft.seals))
        frame = Append(0, draft.room, [Signed(*entry) for entry in draft.entries])
        placed = await self.service.placing.append(hand.who, frame)
        entries = [
            Item(placed.first + i, placed.receipt.t, ENTRY, body, sig, None)
            for i, (body, sig) in enumerate(draft.entries)
        ]
        self.stream.accept(entries, self.by.book)

    async def push(self, hand: Hand, ops: list[PlainOp], shares: tuple[WireShare, ...] = ()) -> Hash:
        stream, author = self.stream, hand.author
        seq, prev = self.seqs.get(author.dev, 0) + 1, stream.next_prev(author.uid, author.dev)
        at = (stream.n, stream.rh)
        sealed = encrypt_batch(author, stream.room, stream.epoch, at, seq, prev, ops)
        frame = Push(0, stream.room, list(sealed.bodies), list(sealed.cts), sealed.sig, list(shares))
        placed = await self.service.placing.push(hand.who, frame)
        self.seqs[author.dev] = seq + len(ops) - 1
        last = len(ops) - 1
        rows = zip(sealed.bodies, sealed.cts, strict=True)
        items = [
            Item(placed.first + i, placed.receipt.t, ENVELOPE, body, sealed.sig if i == last else b"", ct)
            for i, (body, ct) in enumerate(rows)
        ]
        self.stream.accept(items, self.by.book)
        return sealed.last_id

    async def room(self, count: int, tail: int) -> RoomId:
        """A room with a document of so many changes, and a snapshot that the other attested before the last ones."""
        self.stream, self.seqs = RoomStream(None), {}
        draft = new_room(self.by.author, self.by.book, clock.now_ms())
        await self.append(self.by, draft)
        assert draft.secrets is not None
        e, k, a = draft.secrets
        room, obj, share = draft.room, new_obj(), os.urandom(32)
        self.ring = KeyRing(room, [(e, k, a)])
        await self.add(self.other)
        keys, root = ObjectKeys(room), ObjId(room)
        root_key, key = keys.key(k, e, root, root_share(room)), keys.key(k, e, obj, share)
        said: list[Record] = [RoomNamed(title="Tillsyn 2026-1184", type="case"), ObjectAnnounced(obj=obj, kind=KIND.id)]
        await self.push(
            self.by, [PlainOp(root, root_key, b"", envelope.pack([(new_change(), record(r))])) for r in said]
        )
        datas = edits(count)
        share_c = share_commitment(room, obj, share)
        for start in range(0, count, BATCH):
            ops = [
                PlainOp(obj, key, share_c if start + i == 0 else b"", envelope.pack([(new_change(), data)]))
                for i, data in enumerate(datas[start : start + BATCH])
            ]
            await self.push(self.by, ops, (WireShare(obj, share),) if start == 0 else ())
            if start + BATCH == count - tail:
                await self.snapshot(obj, datas[: count - tail], keys.key(a or b"", e, obj, share, 2), key)
        return room

    async def add(self, hand: Hand) -> None:
        drafter = Drafter(self.stream, self.by.author, self.by.book, self.ring, clock.now_ms())
        await self.append(self.by, drafter.add(hand.author.uid, Role.WRITER, history=True))

    async def snapshot(self, obj: ObjId, datas: list[bytes], snap_key: bytes, key: bytes) -> None:
        assert KIND.compact is not None
        n, uid = self.stream.n, self.by.author.uid
        changes = [PlacedChange(position_of(1, i), ChangeId(bytes(16)), uid, 0, data) for i, data in enumerate(datas)]
        state = KIND.compact(changes, n)
        assert isinstance(state, Compacted)
        made = pieces(os.urandom(16), state.digest, pack(state))
        ops = [
            PlainOp(obj, snap_key, b"", p.encode(), envelope.SNAPSHOT, n.to_bytes(8, "big") if p is made[-1] else b"")
            for p in made
        ]
        for op in ops[:-1]:
            await self.push(self.by, [op])
        ident = await self.push(self.by, ops[-1:])
        told = Attest(obj=obj, n=n, snapshot=ident, digest=state.digest)
        await self.push(self.other, [PlainOp(obj, key, b"", told.encode(), envelope.ATTEST, bytes(ident))])


def edits(count: int) -> list[bytes]:
    """Words typed one after the other, every hundredth somewhere before."""
    doc, out = CrdtDoc(texts=("text",), maps=("meta",)), list[bytes]()
    doc.updated.connect(lambda u: out.extend(encode(u.data)))
    text, size = doc.text("text"), 0
    for n in range(count):
        with doc.transact():
            text.insert(size if n % 100 else (n * 7919) % (size + 1), "ord ")
        size += 4
    return out


async def build(folder: Path, rooms: int, changes: int, tail: int) -> None:
    """An office of three; two of them share the rooms, and the third is added to each."""
    found(folder)
    with serving(folder) as port:
        for name in (HANDLER, HEAD, NEWCOMER):
            await enrol(folder, name, port)
        desks = [Desk(folder, name) for name in (HANDLER, HEAD, NEWCOMER)]
        uids = [desk.call("online") for desk in desks]
        room = desks[0].call("room", others=uids[1:])  # so that they know each other
        for desk in desks[1:]:
            desk.call("joined", room=room)
        for desk in desks:
            desk.close()
    with (
        open_store(folder, HANDLER) as first,
        open_store(folder, HEAD) as second,
        open_store(folder, NEWCOMER) as third,
    ):
        known = RoomId(bytes.fromhex(room))
        hands = [Hand(store, known) for store in (first, second, third)]
        # Who was added writes in none of the rooms.
        async with service_of(folder, Limits(unanswered_adds=rooms + 1)) as (service, _):
            writer = Writer(service, hands[0], hands[1])
            for _ in range(rooms):
                await writer.room(changes, tail)
                await writer.add(hands[2])


def _open(
    name: str, rooms: int, changes: int, tail: int, *, turns: bool = False
) -> tuple[float, float, dict[str, object]]:
    """Seconds from the session's opening until every room can be written in, and until every change is stored; the
    loop's turns meanwhile."""
    made = copy_of(name, lambda folder: build(folder, rooms, changes, tail), [Path(__file__), Path(filling.__file__)])
    with made as folder, serving(folder):
        desk = Desk(folder, NEWCOMER, turns=turns)
        opened = desk.call("opened")
        ready = desk.call("readable", rooms=rooms, at_least=changes)
        whole = desk.call("filled")
        watched = desk.call("watched") if turns else {}
        desk.close()
    return (ready - opened) / 1e9, (whole - opened) / 1e9, watched


def _raw_s(rooms: int, changes: int) -> str:
    return f"{judging_us() * rooms * changes / 1e6:.2f} s of it are what hashes and signatures of judging take alone"


@bench("open_200k_from_snapshot_s", "open_200k_whole_s")
def long_room() -> list[Figure]:
    """One document of 200,000 changes, each an envelope, 50 under a signature."""
    ready, whole, _ = _open("long-room", 1, CHANGES, TAIL)
    note = f"a newcomer's session opened to the document shown and writable; snapshot and {TAIL} changes after it"
    note += f"; {_raw_s(1, CHANGES)}"
    return [
        Figure(name="open_200k_from_snapshot_s", value=ready, unit="s", n=1, note=note),
        Figure(name="open_200k_whole_s", value=whole, unit="s", n=1, note="to every change stored, in the background"),
    ]


@bench("new_device_200_rooms_s", "new_device_200_rooms_whole_s")
def many_rooms() -> list[Figure]:
    """200 rooms with a document of 1,000 changes each."""
    ready, whole, _ = _open("many-rooms", ROOMS, IN_EACH, 100)
    note = "a desk that has nothing yet: session opened to the last room writable; 1,000 changes in each"
    note += f"; {_raw_s(ROOMS, IN_EACH)}"
    return [
        Figure(name="new_device_200_rooms_s", value=ready, unit="s", n=1, note=note),
        Figure(name="new_device_200_rooms_whole_s", value=whole, unit="s", n=1, note="to every change stored"),
    ]


@bench("loop_turn_200_rooms_max_ms", "loop_turn_200_rooms_p99_ms", "loop_turns_200_rooms_over_5ms")
def turns_of_many_rooms() -> list[Figure]:
    """Our own work on the event loop during the same, to every change stored."""
    watched = _open("many-rooms", ROOMS, IN_EACH, 100, turns=True)[2]
    return turn_figures(watched, "_200_rooms", f"a new desk, {ROOMS} rooms of {IN_EACH} changes")
