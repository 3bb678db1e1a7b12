# SPDX-License-Identifier: EUPL-1.2
"""An object's changes judged in their order: what counts is the same however one came to them."""

from collections.abc import Sequence
from itertools import permutations
from random import Random

import msgspec
import pytest

from app.core.pieces import finished
from app.documents.compaction import compact
from app.objects import pieces
from app.objects.compaction import judged
from app.objects.grammar import read
from app.objects.replay import Replay, joined
from app.richtext.model import Document
from sync.client.placed_changes import PlacedChange, position_of
from sync.ids import ChangeId, Uid
from tests.fuzz.blocks import GC, Block, Blocks, Section, write

HL, EK, RG = (Uid(name * 8) for name in (b"hl", b"ek", b"rg"))


class Peer:
    """Somebody who writes in one document; `log` is everybody's changes in the room's order."""

    def __init__(self, log: list[PlacedChange], uid: Uid) -> None:
        self.log, self.uid, self.at = log, uid, 0
        self.written: list[bytes] = []
        self.document = Document(self.written.append)

    def sync(self) -> None:
        """Merges what others sent."""
        others = [c for c in self.log[self.at :] if c.uid != self.uid]
        self.document.merge(pieces.Assembler().feed_data([(c.uid, c.data) for c in others]))
        self.at = len(self.log)

    def send(self) -> None:
        """What was written gets its positions."""
        for update in self.written:
            for data in pieces.encode(update):
                self.log.append(placed(len(self.log) + 1, self.uid, data))
        self.written.clear()

    def types(self, at: int, text: str) -> None:
        self.document.splice(min(at, self.document.length_utf16), 0, text)
        self.send()


def placed(n: int, uid: Uid, data: bytes) -> PlacedChange:
    return PlacedChange(position_of(n, 0), ChangeId(n.to_bytes(16, "big")), uid, n, data)


def history(rng: Random, rounds: int) -> list[PlacedChange]:
    """Three people write, see each other now and then, and two of them open the document again."""
    log: list[PlacedChange] = []
    peers = [Peer(log, uid) for uid in (HL, EK, RG)]
    peers[0].document.set_up("Beslut om tillsyn å 🙂")
    peers[0].send()
    for step in range(rounds):
        peer = peers[rng.randrange(3)]
        if rng.random() < 0.6:
            peer.sync()
        if rng.random() < 0.3 and peer.document.length_utf16 > 4:
            peer.document.splice(rng.randrange(3), 1, "")
            peer.send()
        peer.types(rng.randrange(20), rng.choice(("å", "ö 🙂", "tillsyn ", "Handläggare")))
        if step % 15 == 14:
            peers[1] = Peer(log, EK)
            peers[1].sync()
    return log


def text_of(updates: Sequence[bytes]) -> str:
    document = Document()
    document.merge(updates)
    return document.plain_text()


def codes(replay: Replay, changes: Sequence[PlacedChange]) -> list[tuple[int, str]]:
    return [(o.position, o.code) for c in changes for o in finished(replay.taking(c))]


def hostile(rng: Random, log: Sequence[PlacedChange]) -> list[PlacedChange]:
    """The same with what others write under somebody's client, with gaps, and again."""
    out: list[tuple[Uid, bytes]] = []
    for change in log:
        out.append((change.uid, change.data))
        if rng.random() < 0.2:
            stolen = rng.choice(log)
            out.append((rng.choice((HL, EK, RG)), stolen.data))
    for _ in range(len(out) // 10):
        a, b = rng.randrange(len(out)), rng.randrange(len(out))
        out[a], out[b] = out[b], out[a]
    return [placed(n, uid, data) for n, (uid, data) in enumerate(out, start=1)]


@pytest.mark.parametrize("seed", range(6))
def test_who_began_at_a_snapshot_judges_the_next_updates_as_who_read_everything(seed: int) -> None:
    rng = Random(seed)
    changes = hostile(rng, history(rng, 40))
    cut = rng.randrange(10, len(changes) - 5)
    state = compact(changes[:cut], cut)
    assert state is not None
    whole, _ = judged(changes[:cut], pieces.unpack)
    begun, _ = judged([], pieces.unpack)
    begins = [PlacedChange(0, ChangeId(bytes(16)), HL, 0, data) for data in state.changes]
    finished(begun.starting_at(begins))
    waits = [change for change in changes[:cut] if change.position in begun.named]
    assert set(state.waits) == {change.position >> 20 for change in waits}
    codes(begun, waits)
    assert codes(begun, changes[cut:]) == codes(whole, changes[cut:])
    assert begun.begun() == whole.begun()


@pytest.mark.parametrize("seed", range(3))
def test_a_state_computed_from_a_state_has_the_same_hash_as_one_from_the_start(seed: int) -> None:
    rng = Random(seed)
    changes = hostile(rng, history(rng, 30))
    cut, until = len(changes) // 2, len(changes)
    before, whole = compact(changes[:cut], cut), compact(changes, until)
    assert before is not None
    assert whole is not None
    begins = [PlacedChange(0, ChangeId(bytes(16)), HL, 0, data) for data in before.changes]
    waits = [change for change in changes[:cut] if change.position >> 20 in before.waits]
    assert compact([*begins, *waits, *changes[cut:]], until) == whole


def test_three_authors_changes_make_the_same_text_in_whatever_order_they_are_offered() -> None:
    log = history(Random(3), 6)
    by_author = [[c for c in log if c.uid == uid] for uid in (HL, EK, RG)]
    texts = set()
    for order in permutations(by_author):
        offered = [placed(n, c.uid, c.data) for n, c in enumerate((c for some in order for c in some), start=1)]
        replay, updates = judged(offered, pieces.unpack)
        assert replay.begun().waits == ()
        texts.add(text_of(updates))
    assert texts == {text_of(judged(log, pieces.unpack)[1])}


def test_attack_a_colleague_who_writes_under_anothers_client_is_void_in_every_order_of_receipt() -> None:
    log: list[PlacedChange] = []
    owner = Peer(log, HL)
    owner.document.set_up("Beslut å 🙂")
    owner.send()
    before = len(log)
    owner.types(0, "Ägarens ")
    stolen = log.pop()
    log.append(placed(before + 1, EK, stolen.data))
    log.append(placed(before + 2, HL, stolen.data))
    replay, _ = judged(log[:before], pieces.unpack)
    assert codes(replay, log[before:]) == [(log[before].position, "foreign"), (log[before + 1].position, "merged")]


def test_attack_a_deletion_of_what_does_not_exist_yet_waits_and_is_named() -> None:
    log: list[PlacedChange] = []
    first, second = Peer(log, HL), Peer(log, EK)
    first.document.set_up("Beslut å 🙂")
    first.send()
    first.types(0, "Bort")
    second.sync()
    second.document.splice(0, 4, "")
    second.send()
    early = [log[0], log[-1], *log[1:-1]]
    offered = [placed(n, c.uid, c.data) for n, c in enumerate(early, start=1)]
    replay, _ = judged(offered[:2], pieces.unpack)
    assert replay.begun().waits == (offered[1].position,)
    state = compact(offered[:2], 2)
    assert state is not None
    assert state.waits == (2,)
    assert codes(replay, offered[2:])[-1] == (offered[1].position, "merged")
    assert text_of(judged(offered, pieces.unpack)[1]) == text_of(judged(log, pieces.unpack)[1])


def test_a_rollback_leaves_nothing_of_what_was_taken() -> None:
    rng = Random(1)
    changes = hostile(rng, history(rng, 30))
    replay, _ = judged(changes[:20], pieces.unpack)
    before = replay.begun()
    replay = Replay(pieces.unpack, Kept(changes))
    codes(replay, changes[:20])
    replay.settle()
    mark = replay.mark()
    expected = codes(replay, changes[20:])
    replay.rollback(mark)
    assert replay.begun() == before
    assert codes(replay, changes[20:]) == expected


class Kept:
    """What a store keeps, in memory."""

    def __init__(self, changes: Sequence[PlacedChange]) -> None:
        self._changes = {change.position: change for change in changes}

    def waiting(self, client: int, below: int) -> Sequence[tuple[PlacedChange, int, tuple[int, ...]]]:
        return ()

    def changes(self, positions: Sequence[int]) -> Sequence[PlacedChange]:
        return [self._changes[position] for position in positions]


def test_the_first_piece_of_an_index_counts_and_another_count_is_malformed() -> None:
    log: list[PlacedChange] = []
    peer = Peer(log, HL)
    peer.document.set_up("Beslut å 🙂")
    whole = pieces.unpack(pieces.encode(peer.written[0])[0]).update
    half = len(whole) // 2

    def part(index: int, count: int, update: bytes) -> bytes:
        return pieces.PAYLOAD.encode(pieces.Piece(group=b"g" * 16, index=index, count=count, update=update))

    parts = [part(0, 2, whole[:half]), part(0, 2, b"annat"), part(1, 3, whole[half:]), part(1, 2, whole[half:])]
    changes = [placed(n, HL, data) for n, data in enumerate(parts, start=1)]
    replay = Replay(pieces.unpack, Kept(changes))
    found = [outcome for change in changes for outcome in finished(replay.taking(change))]
    assert [outcome.code for outcome in found] == ["late", "piece", "piece", "merged"]
    assert found[-1].parts == (changes[0].position, changes[3].position)
    assert joined([changes[0], changes[3]], pieces.unpack)[0] == whole
    assert pieces.Assembler().feed_data([(HL, data) for data in parts]) == [whole]


def test_an_update_of_which_a_piece_is_pruned_is_left_out_whole_also_after_a_restart() -> None:
    """A judge that had been running merged the update; one that began at the stored state had its last piece only."""
    log: list[PlacedChange] = []
    peer = Peer(log, HL)
    peer.document.set_up("Beslut å 🙂")
    peer.send()
    for words in ("Ett. ", "Två. ", "Tre. "):
        peer.types(0, words)
    first, needed, cut, later = (pieces.unpack(change.data).update for change in log[-4:])
    parts = [
        pieces.PAYLOAD.encode(pieces.Piece(group=b"g" * 16, index=i, count=2, update=piece))
        for i, piece in enumerate((cut[:9], cut[9:]))
    ]
    begun = [change.data for change in log[:-4]]
    datas = [*begun, *pieces.encode(first), *parts, *pieces.encode(needed), *pieces.encode(cut), *pieces.encode(later)]
    changes = [placed(n, HL, data) for n, data in enumerate(datas, start=1)]
    at = len(begun) + 1
    whole, half = changes[at : at + 2]
    running = Replay(pieces.unpack, Kept(changes))
    assert [code for _, code in codes(running, changes[: at + 2])] == ["merged"] * at + ["late", "late"]
    running.no_return()
    mark, before = running.mark(), running.begun()
    assert running.cover(whole.position) == [whole.position, half.position]
    running.rollback(mark)
    assert running.begun() == before
    running.cover(whole.position)
    assert running.begun().waits == ()
    again = Replay(pieces.unpack, Kept(changes))
    finished(again.starting(finished(running.storing())))
    rest = [(change.position, "merged") for change in changes[at + 2 :]]
    assert codes(running, changes[at + 2 :]) == codes(again, changes[at + 2 :]) == rest


def test_attack_who_reads_the_first_piece_of_an_update_takes_its_client_from_nobody() -> None:
    """A pasted book comes in pieces. A member who sent a tiny update of its client before the last piece became the
    owner of the client: the book was void, and so was everything that its author wrote afterwards."""
    updates: list[bytes] = []
    Document(updates.append).set_up("Beslut å 🙂")
    begin = pieces.encode(updates[0])
    document = Document(updates.append)  # opened again: it writes under a client that is nobody's yet
    document.merge(updates[:1])
    document.splice(0, 0, "Boken. ")
    book, later = updates[-1], b""
    own = read(book).sections[0].client
    assert own != read(updates[0]).sections[0].client
    half = len(book) // 2
    parts = [
        pieces.PAYLOAD.encode(pieces.Piece(group=b"g" * 16, index=i, count=2, update=piece))
        for i, piece in enumerate((book[:half], book[half:]))
    ]
    document.splice(0, 0, "Mer. ")
    (later,) = pieces.encode(updates[-1])
    thief = pieces.encode(write(Blocks([Section(own, 0, [Block(GC, 1)])], [])))
    other = pieces.encode(write(Blocks([Section(own + 1, 0, [Block(GC, 1)])], [])))
    written = [
        (HL, begin[0]),
        (HL, parts[0]),
        (EK, thief[0]),
        (EK, other[0]),
        (HL, parts[1]),
        (HL, later),
        (EK, thief[0]),
    ]
    changes = [placed(n, uid, data) for n, (uid, data) in enumerate(written, start=1)]
    expected = ["merged", "late", "foreign", "merged", "merged", "merged", "foreign"]
    replay = Replay(pieces.unpack, Kept(changes))
    assert [code for _, code in codes(replay, changes)] == expected
    stored, _ = judged(changes[:2], pieces.unpack)
    again = Replay(pieces.unpack, Kept(changes))
    finished(again.starting(finished(stored.storing())))
    assert [code for _, code in codes(again, changes[1:])] == expected[1:], "also where a restart lies between"


def test_what_waits_when_a_state_begins_the_object_waits_on_and_is_taken_back_by_a_rollback() -> None:
    """The pieces of a long update came before and after the state: they waited for ever, and the vectors' reader merged
    them."""
    log = history(Random(5), 10)
    (state,) = (compact(log[:-1], len(log)) or pytest.fail("no state")).changes
    update = pieces.unpack(log[-1].data).update
    one, two = (
        pieces.PAYLOAD.encode(pieces.Piece(group=b"g" * 16, index=i, count=2, update=part))
        for i, part in enumerate((update[:9], update[9:]))
    )
    client = read(pieces.unpack(log[0].data).update).sections[0].client
    gone = pieces.encode(write(Blocks([], [(client, [[0, 1]])])))[0]
    author = log[-1].uid
    changes = [placed(n, uid, data) for n, (uid, data) in enumerate([(author, one), (EK, gone), (RG, state)], start=1)]
    changes.append(placed(4, author, two))
    first, deletion, begins, last = (change.position for change in changes)
    replay = Replay(pieces.unpack, Kept(changes))
    assert codes(replay, changes[:2]) == [(first, "late"), (deletion, "late")]
    replay.settle()
    before, mark = replay.begun(), replay.mark()
    expected = [(begins, "merged"), (deletion, "merged"), (last, "merged")]
    assert codes(replay, changes[2:]) == expected
    replay.rollback(mark)
    assert replay.begun() == before
    assert codes(replay, changes[2:]) == expected
    assert replay.begun().waits == ()


def test_attack_a_state_in_pieces_begins_an_object_once() -> None:
    changes = history(Random(5), 10)
    state = compact(changes, len(changes))
    assert state is not None
    record = msgspec.msgpack.decode(state.changes[0][1:])
    cut = len(record["update"]) // 2
    parts = [(record["update"][:cut], b""), (record["update"][cut:], b""), (b"", record["begun"])]
    group = [
        pieces.PAYLOAD.encode(pieces.Piece(group=b"h" * 16, index=i, count=3, update=update, begun=begun))
        for i, (update, begun) in enumerate(parts)
    ]
    carried = [placed(n, RG, data) for n, data in enumerate(group, start=1)]
    replay, updates = judged(carried, pieces.unpack)
    assert text_of(updates) == text_of(judged(changes, pieces.unpack)[1])
    assert replay.structure.clients.keys() == judged(changes, pieces.unpack)[0].structure.clients.keys()
    again = [placed(n + 9, RG, data) for n, data in enumerate(group, start=1)]
    assert codes(replay, again)[-1] == (again[-1].position, "state")
