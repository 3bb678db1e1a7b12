# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/sync-1-attested.json: a document and a board that three people edited at once, the string whose
hash is attested, and the payloads of their snapshots and attests. Kept to show what is in it; not to be run again."""

import hashlib
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec

from app.core.ids import Uid
from app.documents import KIND as DOCUMENTS
from app.objects import pieces
from app.objects.compaction import state_of
from app.objects.crdt import REMOTE, Attributes, CrdtDoc, Value
from app.objects.pieces import encode as document_data
from app.richtext.model import ROOT_MAPS as META
from app.richtext.model import ROOT_TEXTS as TEXTS
from app.tasks import KIND as TASKS
from app.tasks.model import ROOT_MAPS as BOARD
from sync.client.exchange.backfill import pack
from sync.client.placed_changes import PlacedChange, position_of
from sync.ids import ChangeId, Hash, ObjId
from sync.trust.room import snapshots
from sync.trust.room.snapshots import Attest
from tests.one_change import one_change as board_data

HERE = Path(__file__).parent
N, SNAPSHOT = 41, Hash(bytes(range(32)))
WORDS = ("Beslut", "å", "ö 🙂", "tillsyn ", "\n", '"\\', "e\u0301", "\u0007\u2028")
VALUES: tuple[Value, ...] = (
    0, 1, -70, 2**40, 2.5, 1e16, 1e22, 1e-7, 0.1, -3.0, "Åtgärd 🙂", "", True, False, None, b"\0\xff",
    [1, "två", None], ["bytes", "00ff"], ["list", "list"], ["undefined"], [["big", 1]],
    {"a": {"ö": [b"x", 1.5], "b": 2}},
)  # fmt: skip

MARKS: tuple[Attributes | None, ...] = (None, None, {"b": True}, {"h": 2, "i": True})


class Peer:
    """Somebody at their own copy; `log` is everybody's edits in the room's order."""

    def __init__(self, log: list[tuple[int, bytes]], who: int, texts: Sequence[str], maps: Sequence[str]) -> None:
        self.doc = CrdtDoc(texts=texts, maps=maps, client_id=1_000_000 * who + 7)
        self.log, self.who, self.at = log, who, 0
        self.doc.updated.connect(lambda u: self.log.append((who, u.data)) if u.origin != REMOTE else None)

    def sync(self) -> None:
        self.doc.apply([data for _, data in self.log[self.at :]])
        self.at = len(self.log)

    def write(self, r: random.Random) -> None:
        text = self.doc.text("text")
        edges = [0]
        for character in str(text):
            edges.append(edges[-1] + len(character.encode()))
        a, b = sorted(r.choices(edges, k=2))
        what = r.randrange(8)
        if what < 4 or len(edges) == 1:
            text.insert(a, r.choice(WORDS) * r.randint(1, 3), r.choice(MARKS))
        elif what == 4:
            text.delete(a, min(b, edges[min(edges.index(a) + 9, len(edges) - 1)]) - a)
        else:
            text.format(a, b - a, r.choice([{"b": True}, {"b": None}, {"i": True, "b": None}, {"h": 1}]))

    def place(self, r: random.Random, name: str) -> None:
        key, items = r.choice(("k1", "k2", "k3", "k4", "k5", "ö")), self.doc.map(name)
        match r.randrange(6):
            case 0:
                items.set((key,), {"title": r.choice(WORDS), "in": {"a": 1}})
            case 1:
                items.delete((key,))
            case 2:
                items.set((key,), r.choice(VALUES))
            case _:
                items.set((key, r.choice(("title", "in", "order"))), r.choice(VALUES))


def edited(seed: int, texts: Sequence[str], maps: Sequence[str]) -> list[tuple[int, bytes]]:
    r, log = random.Random(seed), list[tuple[int, bytes]]()
    peers = [Peer(log, who, texts, maps) for who in (1, 2, 3)]
    with peers[0].doc.transact():
        for i, value in enumerate(VALUES):
            peers[0].doc.map(maps[0]).set((f"v{i}",), value)
    for _ in range(90):
        peer = r.choice(peers)
        with peer.doc.transact():
            for _ in range(r.randint(1, 3)):
                if texts and r.random() < 0.8:
                    peer.write(r)
                else:
                    peer.place(r, r.choice(maps))
        if r.random() < 0.4:
            peer.sync()
    return log


def case(
    kind: Any,
    log: list[tuple[int, bytes]],
    changes: list[tuple[int, bytes]],
    texts: Sequence[str] = (),
    maps: Sequence[str] = (),
) -> Any:
    with mock.patch("hashlib.sha256", wraps=hashlib.sha256) as spy:
        made = state_of([update for _, update in log], texts=texts, maps=maps)
    hashed = spy.call_args.args[0]
    assert made is not None
    placed = [
        PlacedChange(position_of(1, i), ChangeId(bytes(16)), Uid(bytes([who]) * 16), 0, data)
        for i, (who, data) in enumerate(changes)
    ]
    state = kind.compact(placed, N)
    assert state is not None
    begun = msgspec.msgpack.decode(state.changes[0][1:])["begun"]
    assert state.digest == hashlib.sha256(hashed + begun).digest()
    whole = pack(state)
    cut = len(whole) // 3
    parts = [whole[:cut], whole[cut : 2 * cut], whole[2 * cut :]]
    assert len(snapshots.pieces(bytes(16), state.digest, whole)) == 1
    rows = [
        snapshots.Piece(token=bytes(range(16)), index=i, count=3, digest=state.digest, data=p)
        for i, p in enumerate(parts)
    ]
    attest = Attest(obj=ObjId(b"N" * 16), n=N, snapshot=SNAPSHOT, digest=state.digest)
    return {
        "changes": [[bytes([who]).hex() * 16, data.hex()] for who, data in changes],
        "hashed": hashed.removeprefix(b"kansli/v2 attested\n").decode(),
        "begun": begun.hex(),
        "hash": state.digest.hex(),
        "pieces": [p.encode().hex() for p in rows],
        "attest": attest.encode().hex(),
    }


def main() -> None:
    text = edited(5, TEXTS, META)
    changes = [(who, data) for who, update in text for data in document_data(update)]
    whole = [data for data in changes if len(data[1]) < 1 << 16]
    board = edited(6, (), BOARD)
    value = {
        "obj": (b"N" * 16).hex(),
        "n": N,
        "snapshot": SNAPSHOT.hex(),
        "document": case(DOCUMENTS, text, in_parts(whole), texts=TEXTS, maps=META),
        "board": case(TASKS, board, in_parts([(who, board_data(update)) for who, update in board]), maps=BOARD),
    }
    (HERE / "sync-1-attested.json").write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


def in_parts(changes: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The first change as two pieces of a group, and one that holds no update."""
    who, data = changes[0]
    record = pieces.decode(data)
    assert isinstance(record, pieces.Whole)
    half = len(record.update) // 2
    parts = [
        (who, pieces.PAYLOAD.encode(pieces.Piece(group=b"G" * 16, index=i, count=2, update=piece)))
        for i, piece in enumerate((record.update[:half], record.update[half:]))
    ]
    odd = b"\x01" + msgspec.msgpack.encode({"type": "update", "update": b"\xff\xff"})
    return [parts[1], (3, odd), parts[0], *changes[1:]]


if __name__ == "__main__":
    main()
