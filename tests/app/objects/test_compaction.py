# SPDX-License-Identifier: EUPL-1.2
"""An object as its state: one form and one hash whatever way it was merged, another for what only looks alike."""

import json
import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from app.core.ids import Uid
from app.documents import KIND as DOCUMENTS
from app.objects.canonical import canonical
from app.objects.compaction import state_of
from app.objects.crdt import REMOTE, CrdtDoc, Value
from app.objects.kind import Kind
from app.objects.pieces import encode
from app.richtext.model import Document
from app.tasks import KIND as TASKS
from app.tasks.service import new_board
from sync.client.exchange.backfill import begins_with, unpack
from sync.client.placed_changes import PlacedChange, position_of
from sync.ids import ChangeId
from sync.trust.room.snapshots import Piece
from tests.one_change import one_change as board_data

TEXTS, MAPS = ("text",), ("m",)
VALUES: list[Value] = [1, 2.5, "s", [1, 2], -70, 2**40, True, None, b"\0"]


def placed(changes: Iterable[tuple[bytes, bytes]]) -> list[PlacedChange]:
    """(author, data) as the changes of one envelope."""
    return [
        PlacedChange(position_of(1, i), ChangeId(bytes(16)), Uid(author), 0, data)
        for i, (author, data) in enumerate(changes)
    ]


class Peer:
    """Somebody at their own copy; `log` is everybody's edits in the room's order."""

    def __init__(self, log: list[bytes], client_id: int) -> None:
        self.doc = CrdtDoc(texts=TEXTS, maps=MAPS, client_id=client_id)
        self.log = log
        self.at = 0
        self.doc.updated.connect(lambda u: self.log.append(u.data) if u.origin != REMOTE else None)

    def sync(self) -> None:
        self.doc.apply(self.log[self.at :])
        self.at = len(self.log)

    def edit(self, r: random.Random) -> None:
        text, m, key = self.doc.text("text"), self.doc.map("m"), r.choice("xyz")
        size = len(str(text))
        at = r.randint(0, size)
        what = r.randrange(7)
        with self.doc.transact():
            if what < 2 or not size:
                text.insert(at, r.choice("abc") * r.randint(1, 5), {"b": True} if r.random() < 0.2 else None)
            elif what == 2:
                text.delete(min(at, size - 1), min(3, size - min(at, size - 1)))
            elif what == 3:
                text.format(min(at, size - 1), size - min(at, size - 1), {"i": r.choice([True, None])})
            elif what == 4:
                m.set((key,), {"t": "a", "o": {"q": 1}})
            elif what == 5:
                m.set((key, r.choice("tuv")), r.choice(VALUES))
            else:
                m.delete((key,))


def history(seed: int) -> list[bytes]:
    """What three people did, often at once."""
    r, log = random.Random(seed), list[bytes]()
    peers = [Peer(log, 10 + i) for i in range(3)]
    for _ in range(60):
        peer = r.choice(peers)
        peer.edit(r)
        if r.random() < 0.4:
            peer.sync()
    return log


def digest(updates: list[bytes]) -> bytes:
    found = state_of(updates, texts=TEXTS, maps=MAPS)
    assert found is not None
    return found[1]


def merged(updates: list[bytes]) -> bytes:
    found = state_of(updates, texts=TEXTS, maps=MAPS)
    assert found is not None
    return found[0]


@pytest.mark.parametrize("seed", range(20))
def test_the_same_changes_have_one_hash_however_they_were_merged(seed: int) -> None:
    log = history(seed)
    whole = digest(log)
    half = merged(log[: len(log) // 2])
    assert digest([merged(log)]) == whole
    assert digest([half, *log[len(log) // 2 :]]) == whole
    assert digest([half, *log]) == whole
    alone = CrdtDoc(texts=TEXTS, maps=MAPS)
    for update in log:
        alone.apply([update])
    assert digest([alone.diff()]) == whole
    assert digest([half]) != whole


def test_attack_what_looks_alike_with_other_ids_has_another_hash() -> None:
    one, two = (CrdtDoc(texts=TEXTS, client_id=i) for i in (1, 2))
    for doc in (one, two):
        doc.text("text").insert(0, "Beslut")
    assert str(one.text("text")) == str(two.text("text"))
    assert digest([one.diff()]) != digest([two.diff()])


def test_attack_an_item_that_hangs_elsewhere_has_another_hash() -> None:
    """The same letters and ids, typed in another order of places: a later edit beside them would land elsewhere."""
    one, two = (CrdtDoc(texts=TEXTS, client_id=7) for _ in range(2))
    one.text("text").insert(0, "a")
    one.text("text").insert(1, "a")
    two.text("text").insert(0, "a")
    two.text("text").insert(0, "a")
    assert one.state() == two.state()
    assert digest([one.diff()]) != digest([two.diff()])


def test_a_program_that_knows_fewer_roots_or_more_attests_the_same_hash() -> None:
    log = history(5)
    found = [state_of(log, texts=texts, maps=maps) for texts, maps in (((), ()), ((), MAPS), (TEXTS, (*MAPS, "later")))]
    assert {one[1] for one in found if one is not None} == {digest(log)}
    assert None not in found


def test_attack_a_state_that_reads_otherwise_than_its_changes_has_a_hash_that_no_reader_computes() -> None:
    """The last letter is before its right neighbour without a left one. Merged in this order the text is "abecd",
    begun with the state it is "abdec": those who attest would not see what the snapshot's readers see."""
    letters = ("0101030004010474657874016100", "0101070004010474657874016200", "01010500840700016300")
    odd = [bytes.fromhex(f"{update}") for update in (*letters, "01010600840700016400", "01010800440500016500")]
    assert digest(odd[:-1]) == digest([merged(odd[:-1])])
    assert digest(odd) != digest([merged(odd)])


def in_a_map(value: str) -> bytes:
    """An update that puts one value, in the CRDT's own hex, under "k" of the map "m"."""
    return bytes.fromhex(f"01 01 01 00 {value} 00")


def test_attack_a_list_that_looks_like_another_value_has_another_hash() -> None:
    """b"\0" beside ["bytes", "00"], undefined beside ["undefined"], 1 of 64 bits beside ["big", 1]."""
    place = "28 01 01 6d 01 6b 01"
    for value, alike in (
        ("74 01 00", "75 02 77 05 6279746573 77 02 3030"),
        ("7f", "75 01 77 09 756e646566696e6564"),
        ("7a 0000000000000001", "75 02 77 03 626967 7d 01"),
        ("75 01 77 03 626967", "75 02 77 04 6c697374 77 03 626967"),
    ):
        one, other = (canonical(in_a_map(f"{place} {v}")) for v in (value, alike))
        assert one is not None
        assert other is not None
        assert one != other


@pytest.mark.parametrize(
    "kind",
    ["27 01 01 6d 01 6b 00", "27 01 01 6d 01 6b 04", "27 01 01 6d 01 6b 06", "29 01 01 6d 01 6b 01 61 76 00"],
    ids=["array", "fragment", "xml text", "document"],
)
def test_attack_what_no_tool_makes_stops_nobody_and_changes_the_hash(kind: str) -> None:
    """Otherwise a member who puts an array or a document into a map would end the work of all who attest."""
    odd = in_a_map(kind)
    assert digest([odd]) == digest([merged([odd])])
    assert digest([odd]) != digest([in_a_map("28 01 01 6d 01 6b 01 7e")])
    assert TASKS.compact is not None
    board = in_a_map(kind.replace("01 01 6d 01 6b", "01 05 6361726473 01 6b"))
    assert TASKS.compact(placed([(Uid(bytes(16)), board_data(board))]), 1) is not None


def test_an_update_with_a_hole_is_no_state() -> None:
    log = history(3)
    assert state_of(log[5:], texts=TEXTS, maps=MAPS) is None


def test_bytes_that_are_no_update_are_none_and_never_an_error() -> None:
    r, whole = random.Random(1), merged(history(4))
    assert canonical(whole) is not None
    for _ in range(2000):
        bent = bytearray(whole)
        for _ in range(r.randint(1, 4)):
            bent[r.randrange(len(bent))] = r.randrange(256)
        canonical(bytes(bent[: r.randint(0, len(bent))]))


@pytest.mark.parametrize(("kind", "name"), [(DOCUMENTS, "document"), (TASKS, "board")])
def test_what_one_version_attested_every_later_one_attests(kind: Kind, name: str) -> None:
    """tests/vectors/make_attested_1.py wrote it, once; it is never written again."""
    case = json.loads((Path(__file__).parents[2] / "vectors/sync-1-attested.json").read_text())[name]
    assert kind.compact is not None
    found = kind.compact(placed((bytes.fromhex(author), bytes.fromhex(data)) for author, data in case["changes"]), 41)
    assert found is not None
    assert found.digest.hex() == case["hash"]
    of_snapshot = unpack(b"".join(Piece.decode(bytes.fromhex(piece)).data for piece in case["pieces"]))
    again = kind.compact(begins_with(of_snapshot), 41)
    assert again == found


def test_a_documents_state_is_what_its_changes_make_and_what_was_deleted_is_not_in_it() -> None:
    me, updates = Uid(bytes(16)), list[bytes]()
    document = Document(updates.append)
    document.set_up("Yttrande")
    document.splice(0, 0, "Hemligt utkast")
    document.splice(0, 8, "")
    changes = [(me, data) for update in updates for data in encode(update)]
    assert DOCUMENTS.compact is not None
    found = DOCUMENTS.compact(placed(changes), 1)
    assert found is not None
    assert b"Hemligt" not in b"".join(found.changes)
    assert DOCUMENTS.compact(begins_with(found.changes), 1) == found
    assert DOCUMENTS.compact(placed([*changes, (me, b"\x01spoilt")]), 1) == found, (
        "what no program can read changes nothing"
    )


def test_what_is_larger_than_an_update_may_be_is_no_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the changes are pruned, nobody could open an object that begins with it."""
    me, updates = Uid(bytes(16)), list[bytes]()
    document = Document(updates.append)
    document.set_up("Yttrande å 🙂")
    for n in range(20):
        document.splice(0, 0, f"Stycke {n}. ")
    changes = placed([(me, data) for update in updates for data in encode(update)])
    assert DOCUMENTS.compact is not None
    assert DOCUMENTS.compact(changes, 1) is not None
    monkeypatch.setattr("app.objects.lib0.MAX_BYTES", max(map(len, updates)))
    assert DOCUMENTS.compact(changes, 1) is None


def test_a_boards_state_is_what_its_changes_make() -> None:
    me = Uid(bytes(16))
    assert TASKS.compact is not None
    found = TASKS.compact(placed([(me, new_board("Uppgifter", ("Att göra", "Klart")))]), 1)
    assert found is not None
    assert TASKS.compact(begins_with(found.changes), 1) == found
