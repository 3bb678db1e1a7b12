# SPDX-License-Identifier: EUPL-1.2
"""What the judge says decides what a store merges: the same at everybody, whatever came when and after a restart."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pycrdt
import pytest
import pytest_asyncio

from app.chat import KIND as CHAT
from app.core.ids import ChangeId, DevId, ObjId, Uid
from app.errors import DiskFull
from app.objects.grammar import read
from app.objects.pieces import PAYLOAD, Piece, encode, unpack
from app.richtext.model import Document
from app.store import database, judges
from app.store.arrivals import Arrivals
from app.store.store import Store
from sync.client.ports import OpenedChange, RoomEvent
from sync.client.received import ReceivedSlice
from tests.app.poison import Writer
from tests.app.store.test_trials import KINDS, NOTE, Desk, opened
from tests.office import EK, HL, ROOM, announce_chat
from tests.world import until


class Stream:
    """A room's changes in their order, which several stores take in as they please."""

    def __init__(self) -> None:
        self.changes: list[OpenedChange] = []

    def add(self, uid: Uid, *datas: bytes) -> list[OpenedChange]:
        made = []
        for data in datas:
            n = 100 + len(self.changes)
            change_id = ChangeId(n.to_bytes(16, "big"))
            change = OpenedChange(n=n, t=n, uid=uid, dev=DevId(uid), obj=NOTE, change_id=change_id, payload=data)
            self.changes.append(change)
            made.append(change)
        return made


async def take(desk: Desk, *changes: OpenedChange) -> None:
    await desk.store.receive_apart(ReceivedSlice(room=ROOM, cursor=changes[-1].n, state=b"", changes=changes))
    await until(lambda: desk.store.trials.untried == [])


def marks(store: Store) -> list[tuple[int, str]]:
    return list(store.db.rows("SELECT n, unprojected FROM changes WHERE unprojected IS NOT NULL ORDER BY n"))


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path / "store.db") as made:
        yield made


def under_the_same_client(begun: Sequence[bytes]) -> bytes:
    """The next clocks of a writer's client with another's words: what a client that keeps no rule sends."""
    updates = [unpack(data).update for data in begun]
    doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=read(updates[-1]).sections[0].client)
    doc["text"] = text = pycrdt.Text()
    for update in updates:
        doc.apply_update(update)
    before = doc.get_state()
    text.insert(0, "Främmande ord 🙂. ")
    (data,) = encode(doc.get_update(before))
    return data


async def test_attack_who_writes_on_under_anothers_open_client_is_void_at_everybody(tmp_path: Path) -> None:
    """Audit finding 8: the copies differed for ever, as each kept what it had merged first at those clocks."""
    stream, owner = Stream(), Writer()
    stream.add(HL, *owner.take())
    begun = [c.payload for c in stream.changes]
    own = owner.types("Ägarens ord å. ")
    (stolen,) = stream.add(EK, under_the_same_client(begun))
    (mine,) = stream.add(HL, own)
    async with opened(tmp_path / "other.db") as other, opened(tmp_path / "owner.db") as there:
        written = [there.store.changes.append(ROOM, NOTE, data, live=True) for data in begun]
        echo = [
            OpenedChange(n=c.n, t=c.t, uid=HL, dev=c.dev, obj=NOTE, change_id=i, payload=c.payload)
            for c, i in zip(stream.changes, written, strict=False)
        ]
        await take(there, *echo)
        await take(other, *stream.changes[: len(begun)])
        unsent = there.store.changes.append(ROOM, NOTE, own, live=True)
        await take(there, stolen)
        await take(other, stolen)
        placed = OpenedChange(n=mine.n, t=1, uid=HL, dev=mine.dev, obj=NOTE, change_id=unsent, payload=own)
        await take(there, placed)
        await take(other, mine)
        assert other.text() == there.text()
        assert marks(other.store) == marks(there.store) == [(stolen.n, "foreign")]
        assert "Ägarens ord å." in other.text()
        assert [(c.author, code) for c, code in other.store.held_changes.void(ROOM)] == [(EK, "foreign")]


async def test_attack_many_void_changes_are_counted_and_few_are_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.held_changes.MOST_VOID", 3)
    stream = Stream()
    await take(desk, *stream.add(EK, *[b"\x01 inget " + bytes([n]) for n in range(5)]), *stream.add(HL, b"\x01 nej"))
    assert len(desk.store.held_changes.void(ROOM)) == 3
    assert [(uid, count) for _, uid, count in desk.store.held_changes.void_counts(ROOM)] == [(EK, 5), (HL, 1)]
    assert desk.store.held_changes.quarantined() == []


async def test_attack_what_is_refused_in_a_chat_hides_no_documents_void_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.held_changes.MOST_VOID", 3)
    stream, chat = Stream(), ObjId(b"c" * 16)
    async with opened(tmp_path / "store.db", kinds={**KINDS, CHAT.id: CHAT}) as desk:
        with desk.store.db.transaction() as conn:
            announce_chat(conn, ROOM, chat, EK)
        refused = stream.add(EK, *[b"\x01 inget " + bytes([n]) for n in range(3)])
        await take(desk, *[replace(change, obj=chat) for change in refused])
        assert len(marks(desk.store)) == 3
        (void,) = stream.add(EK, b"\x01 inget")
        await take(desk, void)
        assert [change.n for change, _ in desk.store.held_changes.void(ROOM)] == [void.n]


async def test_attack_what_comes_too_early_waits_and_is_merged_behind_what_it_lacked(desk: Desk) -> None:
    stream, writer = Stream(), Writer()
    first = writer.take()
    later = [writer.types(text) for text in ("Ett å. ", "Två 🙂. ")]
    (early,) = stream.add(EK, later[1])
    await take(desk, early)
    assert marks(desk.store) == [(early.n, "late")]
    assert desk.store.changes.of(NOTE) == []
    seen: list[int] = []
    desk.store.changes.received.connect(lambda changes: seen.extend(c.n or 0 for c in changes))
    rest = stream.add(EK, *first, later[0])
    await take(desk, *rest)
    assert marks(desk.store) == []
    assert seen == [*(c.n for c in rest), early.n], "in the order of the verdicts"
    assert [c.n for c in desk.store.changes.of(NOTE)] == seen
    assert "Ett å. Två 🙂." in desk.text()


async def test_the_judge_goes_on_after_a_restart_where_it_was(tmp_path: Path) -> None:
    stream, writer = Stream(), Writer()
    first = writer.take()
    later = [writer.types(text) for text in ("Ett å. ", "Två 🙂. ", "Tre. ")]
    async with opened(tmp_path / "store.db") as desk:
        await take(desk, *stream.add(EK, *first, later[1]))
        desk.store.judges.close()
        assert desk.store.db.value("SELECT count(*) FROM judges") == 1
        await take(desk, *stream.add(EK, later[2]))
        assert [code for _, code in marks(desk.store)] == ["late", "late"]
    async with opened(tmp_path / "store.db") as desk:
        await take(desk, *stream.add(EK, later[0]))
        assert marks(desk.store) == []
        assert "Ett å. Två 🙂. Tre." in desk.text()


async def test_attack_an_object_that_takes_long_to_judge_is_judged_apart(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A colleague who had many changes wait in one document kept everybody from receiving changes of other objects."""
    stream, writer = Stream(), Writer()
    begun = stream.add(EK, *writer.take(), writer.types("Ett å. "))
    await take(desk, *begun)
    monkeypatch.setattr(judges, "JUDGED_WITHIN_S", -1.0)
    later = stream.add(EK, writer.types("Två 🙂. "), writer.types("Tre. "))
    verdicts = await desk.store.judges.judge(Arrivals(room=ROOM, changes=later))
    assert (verdicts.stale, verdicts.codes, verdicts.points) == ({NOTE}, {}, [])
    desk.store.judges.roll_back(verdicts)
    await take(desk, *later)
    assert marks(desk.store) == []
    assert "Ett å. Två 🙂. Tre." in desk.text()


async def test_a_position_that_comes_late_has_everything_behind_it_judged_again(desk: Desk) -> None:
    stream, writer = Stream(), Writer()
    first = stream.add(EK, *writer.take())
    gap, behind = stream.add(EK, writer.types("Nyckeln kom sent å. "), writer.types("Efter 🙂. "))
    await take(desk, *first, behind)  # the key of the one between is not here
    assert marks(desk.store) == [(behind.n, "late")]
    await take(desk, gap)
    assert marks(desk.store) == []
    assert "Nyckeln kom sent å. Efter 🙂." in desk.text()


@pytest.mark.parametrize("stores", [True, False], ids=["stored-first", "not-stored"])
async def test_a_position_that_comes_late_is_judged_after_a_restart_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stores: bool
) -> None:
    """The closing store kept the state of the judge that was out of date: the change that came late was merged without
    a verdict, and what builds on it waited for ever."""
    stream, writer = Stream(), Writer()
    first = stream.add(EK, *writer.take())
    gap, behind = stream.add(EK, writer.types("Nyckeln kom sent å. "), writer.types("Efter 🙂. "))
    async with opened(tmp_path / "store.db") as desk:
        await take(desk, *first, behind)
        if stores:
            desk.store.judges.close()
        monkeypatch.setattr(desk.store.judges, "again", lambda *_: asyncio.Event().wait())  # it ends before that
        await desk.store.receive_apart(ReceivedSlice(room=ROOM, cursor=gap.n, state=b"", changes=[gap]))
        assert await desk.store.judges.store_idle() is None, "no state of a judge that is out of date"
        desk.store.judges.close()
        assert desk.store.db.value("SELECT count(*) FROM judges") == 0
    async with opened(tmp_path / "store.db") as desk:
        assert desk.store.judges.is_due(NOTE)
        await until(lambda: marks(desk.store) == [])
        assert "Nyckeln kom sent å. Efter 🙂." in desk.text()


async def test_two_judgings_of_one_object_at_once_do_not_disturb_each_other(desk: Desk) -> None:
    """The first one moves rows that the second one has found too."""
    stream, writer, judges = Stream(), Writer(), desk.store.judges
    first = stream.add(EK, *writer.take())
    gap, behind = stream.add(EK, writer.types("Nyckeln kom sent å. "), writer.types("Efter 🙂. "))
    await take(desk, *first, behind)
    kind = judges.merging(ROOM, NOTE)
    assert kind is not None
    slice_ = ReceivedSlice(room=ROOM, cursor=gap.n, state=b"", changes=[gap])
    await desk.store.receive_apart(slice_)
    await asyncio.gather(judges.again(NOTE, kind), judges.again(NOTE, kind))
    await until(lambda: desk.store.trials.untried == [])
    assert marks(desk.store) == []
    assert "Nyckeln kom sent å. Efter 🙂." in desk.text()


async def test_what_is_to_be_judged_again_is_noted_before_anybody_is_notified(desk: Desk) -> None:
    """Otherwise its trial could begin while the disk is flushed, and end without the judge."""
    stream, writer = Stream(), Writer()
    first = stream.add(EK, *writer.take())
    gap, behind = stream.add(EK, writer.types("Nyckeln kom sent å. "), writer.types("Efter 🙂. "))
    await take(desk, *first, behind)
    due: list[bool] = []
    desk.store.trials.changed.connect(lambda obj: due.append(desk.store.judges.is_due(obj)))
    await take(desk, gap)
    assert due[0]


async def test_a_refused_flush_leaves_what_came(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, writer = Stream(), Writer()
    await take(desk, *stream.add(EK, *writer.take()))
    (change,) = stream.add(EK, writer.types("Står kvar å. "))
    with monkeypatch.context() as patch:
        patch.setattr(database, "flush_log", lambda _: DiskFull())
        with pytest.raises(DiskFull):
            await take(desk, change)
    assert "Står kvar å." in desk.text()
    await take(desk, change, *stream.add(EK, writer.types("Kommer efter 🙂. ")))
    assert marks(desk.store) == []
    assert "Står kvar å. Kommer efter 🙂." in desk.text()


async def test_a_refused_flush_leaves_the_judge_where_it_is_and_emits_what_waits(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slice is not received again: otherwise nobody would ask for the judge, or learn that something waits."""
    stream, writer = Stream(), Writer()
    await take(desk, *stream.add(EK, *writer.take()))
    writer.types("Kommer aldrig å. ")
    (behind,) = stream.add(EK, writer.types("Väntar 🙂. "))
    emitted: list[bytes] = []
    desk.store.trials.changed.connect(emitted.append)
    monkeypatch.setattr(database, "flush_log", lambda _: DiskFull())
    with pytest.raises(DiskFull):
        await take(desk, behind)
    assert [code for _, code in marks(desk.store)] == ["late"]
    assert not desk.store.judges.is_due(NOTE)
    assert emitted == [NOTE]


async def test_a_refused_commit_leaves_the_judge_where_it_was(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, writer = Stream(), Writer()
    await take(desk, *stream.add(EK, *writer.take()))
    (change,) = stream.add(EK, writer.types("Kommer igen å. "))
    with monkeypatch.context() as patch:
        patch.setattr(desk.store.changes, "receive", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await take(desk, change)
    await take(desk, change)
    assert marks(desk.store) == []
    assert "Kommer igen å." in desk.text()


async def test_what_waits_when_a_prune_covers_it_is_left_out_from_then_on(desk: Desk) -> None:
    stream, writer = Stream(), Writer()
    first = stream.add(EK, *writer.take())
    lacked, late = writer.types("Ett å. "), writer.types("Två 🙂. ")
    await take(desk, *first, *stream.add(EK, late))
    unsent = desk.store.pending(9)
    prune = RoomEvent(n=150, t=150, kind="prune", by=HL, obj=NOTE, until=120)
    await desk.store.receive_apart(ReceivedSlice(room=ROOM, cursor=150, state=b"", events=[prune]))
    assert [code for _, code in marks(desk.store)] == ["covered"]
    assert desk.store.pending(9) == unsent, "only its author offers it again"
    (change,) = stream.add(EK, lacked)
    await take(desk, replace(change, n=151))
    assert [code for _, code in marks(desk.store)] == ["covered"]
    assert "Ett å." in desk.text()
    assert "Två" not in desk.text()


@pytest.mark.parametrize("restarts", [False, True])
async def test_an_update_of_which_one_piece_is_pruned_is_left_out_whole(tmp_path: Path, restarts: bool) -> None:
    """A judge that had been running merged it later; after a restart it was an incomplete group."""
    stream, writer = Stream(), Writer()
    first, needed = writer.take(), writer.types("Ett å. ")
    late = unpack(writer.types("Två 🙂. ")).update
    pieces = [
        PAYLOAD.encode(Piece(group=b"g" * 16, index=i, count=2, update=u)) for i, u in enumerate((late[:9], late[9:]))
    ]
    async with opened(tmp_path / "store.db") as desk:
        await take(desk, *stream.add(EK, *first, *pieces))
        prune = RoomEvent(n=150, t=150, kind="prune", by=HL, obj=NOTE, until=stream.changes[-2].n)
        await desk.store.receive_apart(ReceivedSlice(room=ROOM, cursor=150, state=b"", events=[prune]))
        assert [code for _, code in marks(desk.store)] == ["covered"] * 2
        (change,) = stream.add(EK, needed)
        if not restarts:
            await take(desk, replace(change, n=151))
            assert "Två" not in desk.text()
    async with opened(tmp_path / "store.db") as desk:
        if restarts:
            await take(desk, replace(change, n=151))
        assert [code for _, code in marks(desk.store)] == ["covered"] * 2
        assert "Ett å." in desk.text()
        assert "Två" not in desk.text()


async def test_what_was_written_here_and_is_covered_while_it_waits_is_offered_again(desk: Desk) -> None:
    stream, writer = Stream(), Writer()
    first, lacked = writer.take(), writer.types("Ett å. ")
    await take(desk, *stream.add(EK, *first))
    updates: list[bytes] = []
    mine = Document(updates.append)
    mine.merge([unpack(data).update for data in (*first, lacked)])
    mine.splice(2, 0, "Två 🙂. ")  # in a successor, where nobody has offered yet what it builds on
    (own,) = encode(updates[0])
    change_id = desk.store.changes.append(ROOM, NOTE, own)
    (echo,) = stream.add(HL, own)
    await take(desk, replace(echo, change_id=change_id, uid=HL))
    assert [code for _, code in marks(desk.store)] == ["late"]
    desk.store.outbox.drop(ROOM)
    prune = RoomEvent(n=150, t=150, kind="prune", by=HL, obj=NOTE, until=120)
    await desk.store.receive_apart(ReceivedSlice(room=ROOM, cursor=150, state=b"", events=[prune]))
    assert [code for _, code in marks(desk.store)] == ["covered"]
    assert [(pending.obj, pending.payload) for pending in desk.store.pending(9)] == [(NOTE, own)]


async def test_attack_a_piece_that_comes_twice_or_with_another_count_changes_nothing(desk: Desk) -> None:
    stream, writer = Stream(), Writer()
    await take(desk, *stream.add(EK, *writer.take()))
    writer.document.splice(writer.document.length_utf16, 0, "å🙂" * 100_000)
    update = b"".join(writer._updates)
    parts = encode(update)
    assert len(parts) > 2
    await take(desk, *stream.add(EK, *parts[:2], parts[0]))
    assert [code for _, code in marks(desk.store)] == ["late", "late", "piece"]
    await take(desk, *stream.add(EK, *parts[2:]))
    assert [code for _, code in marks(desk.store)] == ["piece"]
    assert desk.text().count("å🙂") == 100_000


def with_other_words(data: bytes) -> bytes:
    """The same clocks of the same client with other words of the same length."""
    update = unpack(data).update
    assert "Ett å. ".encode() in update
    (made,) = encode(update.replace("Ett å. ".encode(), "Ä kom. ".encode()))
    return made


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_attack_one_change_id_at_two_positions_gives_the_same_whichever_key_comes_first(
    desk: Desk, order: Sequence[int]
) -> None:
    """Somebody sends other bytes under the same change id, in an epoch whose key comes late to some members."""
    stream, writer = Stream(), Writer()
    await take(desk, *stream.add(EK, *writer.take()))
    data = writer.types("Ett å. ")
    first, second, third = stream.add(EK, data, with_other_words(data), writer.types("Slut 🙂. "))
    second = replace(second, change_id=first.change_id)
    for at in order:
        await take(desk, (first, second, third)[at])
    assert "Ett å. Slut 🙂." in desk.text()
    assert marks(desk.store) == [(second.n, "again")]


async def test_attack_other_words_at_other_clocks_under_one_change_id_count_too(desk: Desk) -> None:
    """A member who begins at a snapshot does not know the change ids before it. So change ids decide nothing in an
    object that merges."""
    stream, writer = Stream(), Writer()
    await take(desk, *stream.add(EK, *writer.take()))
    first, second = stream.add(EK, writer.types("Ett å. "), writer.types("Två 🙂. "))
    second = replace(second, change_id=first.change_id)
    await take(desk, second)
    await take(desk, first)
    assert "Ett å. Två 🙂." in desk.text()
    assert marks(desk.store) == []


async def test_attack_another_device_that_uses_an_own_change_id_takes_nothing_away(desk: Desk) -> None:
    stream, writer = Stream(), Writer()
    await take(desk, *stream.add(EK, *writer.take()))
    updates: list[bytes] = []
    mine = Document(updates.append)
    mine.merge([unpack(change.payload).update for change in stream.changes])
    mine.splice(2, 0, "Mitt eget å. ")
    (own,) = encode(updates[0])
    change_id = desk.store.changes.append(ROOM, NOTE, own)
    stolen, echo = stream.add(HL, writer.types("Den andra enheten 🙂. "), own)
    await take(desk, replace(stolen, change_id=change_id))
    assert desk.store.unsent(ROOM) == 1
    await take(desk, replace(echo, change_id=change_id))
    assert desk.store.unsent(ROOM) == 0
    assert [code for _, code in marks(desk.store)] == ["foreign"]
    assert "Mitt eget å." in desk.text()
