# SPDX-License-Identifier: EUPL-1.2
"""The rules of open objects one by one (app/objects/live.py), for documents and boards."""

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.ids import ChangeId, DevId, ObjId, RoomId
from app.errors import DiskFull, StoreFault, StoreUnwritable
from app.objects import pieces
from app.objects.crdt import REMOTE, Update
from app.store import objects as object_rows
from app.store import statements as sql
from sync.client.ports import OpenedChange
from sync.client.received import Received, ReceivedSlice
from tests.app.objects.crdts import crdt_of
from tests.app.objects.live_place import SIDES, Place, full
from tests.app.objects.live_sides import OBJ, BoardSide, Gate
from tests.counting import crdt_docs
from tests.office import EK, ROOM


@pytest.fixture(params=SIDES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path, request.param)
    yield made
    made.store.close()


async def turns() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


def begin_apart(place: Place, gate: Gate, received: Received) -> "asyncio.Task[None]":
    """Begins to store what was received. The commit waits until somebody uses the store."""
    gate.asked.clear()
    return asyncio.ensure_future(place.store.inbox.receive_apart(received))


async def begin_theirs(place: Place, gate: Gate) -> "asyncio.Task[None]":
    """As `begin_apart`, with something new that the colleague wrote."""
    place.write(place.theirs, "deras")
    storing = begin_apart(place, gate, place.coming())
    await turns()
    return storing


def origins_of(model: Any) -> list[object]:
    """The origins of the updates that a model makes from now on."""
    origins: list[object] = []
    crdt_of(model).updated.connect(lambda update: origins.append(update.origin))
    return origins


async def test_what_is_received_is_merged_before_lists_and_views_learn_of_it(place: Place) -> None:
    """What a colleague types is in the model before the lists are refreshed."""
    model, order = place.service.open(OBJ), list[str]()
    crdt_of(model).updated.connect(lambda _: order.append("model"))
    place.store.changed.connect(lambda _: order.append("lists"))
    place.store.changes.received.connect(lambda _: order.append("views"))
    place.write(place.theirs, "deras")
    place.store.receive(place.coming())
    assert order == ["model", "lists", "views"]


# ---- one change at a time


async def test_what_is_received_during_an_edit_is_merged_in_the_next_turn(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, model = Gate(monkeypatch), place.service.open(OBJ)
    storing, origins = await begin_theirs(place, gate), origins_of(model)
    place.write(model, "mitt")
    assert origins
    assert REMOTE not in origins
    await storing
    await turns()
    assert REMOTE in origins
    assert place.side.view(model) == place.stored()


async def test_what_is_received_while_views_are_notified_is_merged_after_that(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, model = Gate(monkeypatch), place.service.open(OBJ)
    holder = place.side.holder(place.store, model)  # which reads the store whenever it is notified
    storing = await begin_theirs(place, gate)
    monkeypatch.setattr(place.service._live, "_title", lambda obj: None)
    monkeypatch.setattr(place.service._live, "_store", lambda held: None)  # only the view uses the store
    holder.writing = True
    place.write(model, "mitt")
    holder.writing = False
    await storing
    await turns()
    assert holder.shows() == place.side.shown(model)


async def test_what_is_received_during_a_merge_is_merged_after_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, model = Gate(monkeypatch), place.service.open(OBJ)
    place.write(place.theirs, "ett")
    first = place.coming()
    place.write(place.theirs, "två")
    second = place.coming()
    merges: list[int] = []
    storing: list[asyncio.Task[None]] = []

    def on_updated(update: Update) -> None:
        merges.append(1)
        if len(merges) == 1:
            storing.append(begin_apart(place, gate, second))

    async def notified() -> None:
        place.store.receive(first)

    crdt_of(model).updated.connect(on_updated)
    await notified()
    await turns()
    place.store.db._settle()
    await turns()
    await storing[0]
    assert place.side.view(model) == place.stored()


async def test_what_is_taken_back_during_an_edit_is_read_again_in_the_next_turn(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, model = Gate(monkeypatch), place.service.open(OBJ)
    place.write(place.theirs, "deras")
    place.store.receive(place.coming())
    row = place.store.changes.of(OBJ)[-1].rowid
    resets: list[bool] = []
    crdt_of(model).reloaded.connect(lambda: resets.append(model.is_changing))

    def write() -> None:
        place.store.db.conn.execute(sql.MARK_UNPROJECTED, (sql.LEFT_OUT_CHANGE, row))
        place.store._projecting.take_back(OBJ)

    gate.asked.clear()
    taking = asyncio.ensure_future(place.store.db.apart(write))
    await turns()
    place.side.edit(model, 0, 0, "mitt")
    assert resets == []
    await taking
    await turns()
    assert resets == [False]
    assert place.side.view(model) == place.stored()


async def test_what_is_received_while_the_object_is_read_again_is_read_with_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading completes the commit that brings it."""
    gate, model = Gate(monkeypatch), place.service.open(OBJ)
    storing, reloads = await begin_theirs(place, gate), list[int]()
    crdt_of(model).reloaded.connect(lambda: reloads.append(1))
    place.store.changes.taken_back.emit(OBJ)
    await storing
    await turns()
    assert reloads == [1], "views are notified once"
    assert place.side.view(model) == place.stored() == place.side.view(place.theirs)


async def test_what_was_queued_for_an_object_that_is_closed_since_is_merged_when_it_is_opened(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A view closes it in the middle of an edit."""
    gate, model = Gate(monkeypatch), place.service.open(OBJ)
    storing, origins = await begin_theirs(place, gate), origins_of(model)
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: errors.append(context))
    end = place.store.changes.appended.connect(lambda _change: place.service.close(OBJ))
    place.write(model, "mitt")
    end()
    assert origins
    assert REMOTE not in origins, "it was merged in the middle of the edit"
    await storing
    await turns()
    assert errors == []
    assert place.side.view(place.service.open(OBJ)) == place.stored()


def test_an_edit_that_a_view_makes_when_notified_of_another_is_stored_once(place: Place) -> None:
    model, edits = place.service.open(OBJ), list[bytes]()
    crdt_of(model).updated.connect(lambda update: edits.append(update.data))

    answers = ["ett", "två"]

    def answer(_change: object) -> None:
        if answers:
            place.write(model, answers.pop())

    end = place.store.changes.appended.connect(answer)
    place.write(model, "mitt")
    end()
    stored = place.side.stored(place.store)
    assert len(edits) >= 3
    assert sorted(data for data in stored if data in edits) == sorted(edits)
    assert not place.service.unsaved(OBJ)


def test_a_change_that_somebody_else_appends_is_merged_into_the_open_object(place: Place) -> None:
    """▲ The store offers an own change again that a prune covered. The open object was read again without it."""
    model = place.service.open(OBJ)
    place.write(place.theirs, "mitt, från förr")
    (change,) = place.coming().changes
    place.store.changes.append(ROOM, OBJ, change.payload)
    assert place.side.view(model) == place.stored() == place.side.view(place.theirs)


# ---- nothing is dropped


def test_a_refused_edit_is_kept_and_stored_by_a_retry(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[ObjId] = []
    place.service.saved.connect(saved.append)
    model = place.service.open(OBJ)
    with monkeypatch.context() as patch:
        full(patch, place)
        place.write(model, "mitt å")
        place.service.retry(OBJ)
        assert place.faults == ["disk-full", "disk-full"]
        assert place.service.unsaved_ids() == [OBJ]
    assert saved == []
    place.service.retry(OBJ)
    assert (saved, place.service.unsaved(OBJ)) == ([OBJ], False)
    assert place.stored() == place.side.view(model)
    rows = place.rows()
    place.service.retry(OBJ)
    assert (place.rows(), saved) == (rows, [OBJ])


def test_an_edit_in_pieces_is_stored_whole_or_not_at_all(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces that are stored without the others would wait for ever, at every member."""
    monkeypatch.setattr(pieces, "PIECE_BYTES", 24)
    model, append, appended = place.service.open(OBJ), place.store.changes.append, list[bytes]()
    before = place.store.db.value("SELECT count(*) FROM changes")

    def take_one(room: RoomId, obj: ObjId, data: bytes, **more: Any) -> ChangeId:
        if appended:
            raise DiskFull
        appended.append(data)
        return append(room, obj, data, **more)

    with monkeypatch.context() as patch:
        patch.setattr(place.store.changes, "append", take_one)
        place.write(model, "mitt å 🙂")
    assert len(appended) == 1
    assert place.store.db.value("SELECT count(*) FROM changes") == before
    place.service.retry(OBJ)
    assert place.stored() == place.side.view(model)


def test_the_next_edit_stores_what_was_refused_before(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    model = place.service.open(OBJ)
    with monkeypatch.context() as patch:
        full(patch, place)
        place.write(model, "ett")
    place.write(model, "två")
    assert not place.service.unsaved(OBJ)
    assert place.stored() == place.side.view(model)


def test_an_object_that_cannot_be_stored_stays_open_without_a_holder_until_it_can(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = place.service.open(OBJ)
    shown: list[object] = []
    with monkeypatch.context() as patch:
        full(patch, place)
        place.write(model, "mitt å 🙂")
        shown.append(place.side.view(model))
        with pytest.raises(DiskFull):
            place.service.close(OBJ)
        assert place.side.view(place.service.open(OBJ)) == shown[0]
        with pytest.raises(DiskFull):
            place.service.close(OBJ)
        with pytest.raises(DiskFull):
            place.service.save()
    place.service.save()
    assert place.stored() == shown[0]
    assert not place.service.unsaved(OBJ)
    del model
    gc.collect()
    assert place.service._live.ids() == [], "what is stored and has no holder is forgotten"
    docs = crdt_docs()
    assert place.side.view(place.service.open(OBJ)) == shown[0]
    place.service.close(OBJ)
    assert crdt_docs() <= docs


def test_closing_the_service_tries_once_more(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    model = place.service.open(OBJ)
    with monkeypatch.context() as patch:
        full(patch, place)
        place.write(model, "mitt å 🙂")
    shown = place.side.view(model)
    place.service.close_all()
    assert place.stored() == shown
    assert place.service.unsaved_changes() == {}


def test_closing_the_service_hands_over_what_the_disk_refuses(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    model, edits = place.service.open(OBJ), list[bytes]()
    crdt_of(model).updated.connect(lambda update: edits.append(update.data))
    full(monkeypatch, place)
    place.write(model, "mitt å 🙂")
    with pytest.raises(DiskFull):
        place.service.close_all()
    assert list(place.side.updates(place.service.unsaved_changes()[OBJ])) == edits


@pytest.mark.parametrize("last", ["save", "close_all"])
def test_one_object_that_cannot_be_stored_keeps_no_other_from_being_stored(
    place: Place, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    other = ObjId(b"p" * 16)
    with place.store.transaction() as conn:
        object_rows.announce(conn, ROOM, other, place.side.kind, 1, EK)
    place.store.changes.append(ROOM, other, place.store.changes.of(OBJ)[0].data)
    models = [place.service.open(OBJ), place.service.open(other)]
    append, refuses = place.store.changes.append, {OBJ, other}

    def refuse(room: RoomId, obj: ObjId, data: bytes, **_more: object) -> ChangeId:
        if obj in refuses:
            raise DiskFull
        return append(room, obj, data)

    monkeypatch.setattr(place.store.changes, "append", refuse)
    for model in models:
        place.write(model, "mitt")
    assert place.service.unsaved_ids() == [OBJ, other]
    refuses.remove(other)
    with pytest.raises(DiskFull):
        getattr(place.service, last)()
    assert place.service.unsaved_ids() == [OBJ]


def test_a_fault_of_this_program_when_closing_drops_no_edit(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    model, edits = place.service.open(OBJ), list[bytes]()
    crdt_of(model).updated.connect(lambda update: edits.append(update.data))
    full(monkeypatch, place)
    place.write(model, "mitt å 🙂")

    def fail(*_args: object, **_more: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(place.store.changes, "append", fail)
    place.service.close_all()
    assert list(place.side.updates(place.service.unsaved_changes()[OBJ])) == edits


def test_an_edit_after_the_service_was_closed_is_kept_and_signalled(tmp_path: Path) -> None:
    place = Place(tmp_path, BoardSide())
    board = place.service.board(ROOM, OBJ)
    place.service.close_all()
    place.store.close()
    place.write(board, "mitt")
    assert place.faults == [StoreUnwritable.code]
    assert list(place.service.unsaved_changes()) == [OBJ]


def test_an_edit_is_not_lost_because_the_store_cannot_be_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    model = place.service.open(OBJ)

    def refuse(_obj: ObjId) -> None:
        raise StoreUnwritable

    with monkeypatch.context() as patch:
        patch.setattr(place.store.objects, "get", refuse)
        full(patch, place)
        place.write(model, "mitt")
    assert place.service.unsaved(OBJ)
    place.service.retry(OBJ)
    assert place.stored() == place.side.view(model)


def test_an_object_is_shared_by_its_holders_until_the_last_has_closed_it(place: Place) -> None:
    first, second = place.service.open(OBJ), place.service.open(OBJ)
    assert first is second
    place.service.close(OBJ)
    place.write(second, "kvar å")
    assert place.stored() == place.side.view(second)
    place.service.close(OBJ)
    with pytest.raises(KeyError):
        place.service.close(OBJ)


def test_damaged_changes_are_counted_and_stop_nothing(place: Place) -> None:
    model = place.service.open(OBJ)
    for n, payload in ((900, b""), (901, b"\x01nonsense")):
        change_id = ChangeId(n.to_bytes(16, "big"))
        opened = OpenedChange(n=n, t=n, uid=EK, dev=DevId(EK), obj=OBJ, change_id=change_id, payload=payload)
        place.store.receive(ReceivedSlice(room=ROOM, changes=[opened]))
    place.write(place.theirs, "deras")
    place.store.receive(place.coming())
    assert place.service.damaged(OBJ) == 2
    assert place.side.view(model) == place.side.view(place.theirs)
    assert place.service.damaged(ObjId(b"?" * 16)) == 0


def test_a_fault_of_the_store_when_opening_opens_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise StoreUnwritable

    with monkeypatch.context() as patch:
        patch.setattr(place.store.changes, "of", refuse)
        with pytest.raises(StoreFault):
            place.service.open(OBJ)
    assert place.service.unsaved_ids() == []
    assert place.side.view(place.service.open(OBJ)) == place.stored()


def test_what_the_disk_refused_stays_when_the_object_is_read_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = place.service.open(OBJ)
    with monkeypatch.context() as patch:
        full(patch, place)
        place.write(model, "mitt å 🙂")
        shown = place.side.view(model)
        place.store.changes.taken_back.emit(OBJ)
        assert place.side.view(model) == shown
    place.service.retry(OBJ)
    assert place.stored() == shown
