# SPDX-License-Identifier: EUPL-1.2
"""What this person wrote in a month that is destroyed: unsent messages are offered again, placed ones are gone."""

import asyncio
from pathlib import Path
from typing import cast

from app.chat.room_files import RoomFiles
from app.chat.stranded import StrandedCount
from app.core.ids import ChangeId, PartId
from app.objects.files import Pasted, SealedFiles
from app.store.store import Store
from sync.client.exchange.blob_transfer import Blobs as Transfers
from sync.client.ports import OpenedChange, RoomEvent, SealedBatch
from sync.client.received import ReceivedSlice
from sync.ids import Hash
from tests.app.chat.destroys import CANARY, destroy, found_in
from tests.app.chat.months import (
    DECEMBER,
    NOVEMBER,
    Clock,
    clock,
    come,
    hl,
    texts,
    write_apart,
    written,
)
from tests.office import CHANNEL, EK, HL, ROOM, Desk, reopened
from tests.world import until

__all__ = ["clock", "hl"]  # fixtures

NOTHING = StrandedCount(destroyed=0, apart=0, notes=0)


class Offline:
    """Uploads nothing."""

    def wake(self) -> None:
        """Does nothing: there is no server."""


def test_what_was_not_sent_stays_and_is_offered_and_goes_from_the_destroyed_month(hl: Desk, clock: Clock) -> None:
    come(hl, written(CHANNEL, 10, NOVEMBER, CANARY))
    hl.chat.send(ROOM, "inte skickat å")
    clock.now_ms = DECEMBER
    destroy(hl.store)
    assert texts(hl) == ["inte skickat å"]
    assert found_in(hl.store) == set()
    assert hl.chat.stranded(ROOM).destroyed == 1
    hl.chat.write_stranded(ROOM)
    assert texts(hl) == ["inte skickat å"]
    assert hl.chat.timeline(ROOM).message(0).obj != CHANNEL
    assert hl.store.db.rows("SELECT * FROM changes WHERE obj = ?", (CHANNEL,)) == []


async def test_what_was_not_sent_is_discarded_for_good_with_its_files(hl: Desk, clock: Clock, tmp_path: Path) -> None:
    """Nothing of it is left on this computer, also if it ends right after the commit."""
    hl.chat.files._blobs = RoomFiles(
        SealedFiles(hl.store.blobs, cast("Transfers", Offline())), hl.store.objects, lambda room: None
    )
    sent = await hl.chat.send_file(ROOM, [Pasted("Bilaga å.txt", CANARY.encode())], CANARY)
    hl.chat.edit(ROOM, sent, f"{CANARY} ändrat")
    await hl.store.indexing.index_due()
    (part,) = hl.store.blobs.of(CHANNEL)
    destroy(hl.store)
    finish(hl.store)
    assert found_in(hl.store) != set()
    clock.now_ms = DECEMBER
    hl.chat.discard_stranded(ROOM)
    assert (texts(hl), hl.chat.stranded(ROOM), hl.store.waiting_count()) == ([], NOTHING, 0)
    hl.store.close()  # as a crash does
    again = reopened(tmp_path / "hl")
    try:
        await again.store.destroyed.complete()
        assert found_in(again.store) == set()
        assert again.store.blobs.of(CHANNEL) == []
        assert not again.store.blobs.path(PartId(part.part)).exists()
        assert again.store.db.rows("SELECT * FROM destroying") == []
    finally:
        again.close()


async def test_the_files_of_what_is_discarded_are_deleted_while_the_program_runs(hl: Desk, clock: Clock) -> None:
    running = asyncio.ensure_future(hl.store.destroyed.run())
    await asyncio.sleep(0)
    hl.chat.send(ROOM, CANARY)
    destroy(hl.store)
    await until(lambda: not hl.store.db.rows("SELECT * FROM destroying"))
    hl.chat.discard_stranded(ROOM)
    assert hl.store.db.rows("SELECT * FROM destroying") != []
    await until(lambda: not hl.store.db.rows("SELECT * FROM destroying"))
    running.cancel()


def test_what_reached_the_server_in_an_object_that_does_not_count_is_discarded_here(hl: Desk, clock: Clock) -> None:
    clock.now_ms = DECEMBER
    write_apart(hl, "nionde å")
    hl.chat.discard_stranded(ROOM)
    assert (texts(hl), hl.chat.stranded(ROOM)) == ([], NOTHING)


def test_what_was_sent_is_not_offered_though_nobody_saw_it_placed(hl: Desk, clock: Clock) -> None:
    """The server deleted the content before it sent this device its own change back."""
    hl.chat.send(ROOM, f"{CANARY} skickat")
    hl.chat.send(ROOM, "för sent å")
    (sent, late) = [row for row in hl.store.pending(10) if row.obj == CHANNEL]
    batch = seal(hl.store, sent.row)
    destroy(hl.store, n=900)
    assert hl.chat.stranded(ROOM).destroyed == 1, "what is on its way may have been placed in time"
    assert hl.store.shown(batch, 899)
    clock.now_ms = DECEMBER
    finish(hl.store)
    assert hl.chat.stranded(ROOM).destroyed == 1
    assert texts(hl) == ["för sent å"]
    assert found_in(hl.store) == set()
    assert [row.row for row in hl.store.pending(10)] == [late.row]


def test_what_was_placed_after_the_destroy_is_offered(hl: Desk) -> None:
    """A server refuses such a change; if one placed it all the same, every client would treat it as void."""
    hl.chat.send(ROOM, "void å")
    (sent,) = [row for row in hl.store.pending(10) if row.obj == CHANNEL]
    batch = seal(hl.store, sent.row)
    destroy(hl.store, n=900)
    assert not hl.store.shown(batch, 901)
    finish(hl.store)
    assert hl.chat.stranded(ROOM).destroyed == 1
    assert texts(hl) == ["void å"]


def test_what_comes_back_with_its_content_before_the_destroy_is_part_of_what_is_destroyed(hl: Desk) -> None:
    sent = hl.chat.send(ROOM, CANARY)
    back = placed(hl.store, sent, 899)
    event = RoomEvent(n=900, t=NOVEMBER, kind="destroy", by=EK, obj=CHANNEL)
    hl.store.receive(ReceivedSlice(room=ROOM, cursor=900, state=b"", changes=[back], events=[event]))
    finish(hl.store)
    assert texts(hl) == []
    assert hl.chat.stranded(ROOM).destroyed == 0
    assert hl.store.waiting_count() == 0
    assert found_in(hl.store) == set()


def seal(store: Store, row: int) -> SealedBatch:
    batch = SealedBatch(
        room=ROOM, first_seq=1, last_id=Hash(b"i" * 32), bodies=(b"body",), cts=(b"ct",), sig=b"sig", shares=(),
        rows=(row,),
    )  # fmt: skip
    store.put_sealed(batch)
    return batch


def placed(store: Store, change_id: ChangeId, n: int) -> OpenedChange:
    (row,) = [row for row in store.pending(10) if row.change_id == change_id]
    found = written(row.obj, n, NOVEMBER, "", by=HL, change_id=change_id)
    return OpenedChange(
        n=found.n, t=found.t, uid=HL, dev=found.dev, obj=row.obj, change_id=change_id, payload=row.payload
    )


def finish(store: Store) -> None:
    """Deletes, of a short month, what the background task would delete."""
    with store.transaction():
        store.destroyed.begin(ROOM)
