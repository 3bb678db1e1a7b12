# SPDX-License-Identifier: EUPL-1.2
"""What of one's own is offered in a successor, over a real store and without a network."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from app.core.ids import ChangeId, DevId, Hash, ObjId, RoomId, Uid
from app.documents import KIND as DOCUMENT
from app.errors import WorkerDied
from app.objects.kind import ROOM
from app.objects.pieces import PIECE_BYTES, encode
from app.richtext.model import Document
from app.rooms.baselines import Baselines
from app.rooms.projection import KIND as ROOT
from app.rooms.records import ObjectAnnounced
from app.rooms.records import encode as say
from app.rooms.service import RoomService
from app.rooms.succession import Succession
from app.store.long_writes import Progress
from app.store.store import Store
from sync.client.engine import Engine
from sync.client.ports import OpenedChange, RoomEvent
from sync.client.received import ReceivedSlice
from sync.trust.room.successor_claim import Origin, object_in

ME, OWNER = Uid(b"m" * 16), Uid(b"o" * 16)
OLD, NEW = RoomId(b"g" * 16), RoomId(b"n" * 16)
DOC = ObjId(b"d" * 16)
RH = Hash(b"5" * 32)
BOOK = bytes(3 * PIECE_BYTES)


@dataclass
class Believing:
    """An engine that believes the successor."""

    uid: Uid = ME

    def may_continue(self, old: RoomId, founder: Uid) -> bool:
        return founder == OWNER


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.create(tmp_path / "s.db", b"k" * 32, {ROOM: ROOT, DOCUMENT.id: DOCUMENT}, tmp_path / "blobs")
    made.set_me(ME)
    made.receive(ReceivedSlice(room=OLD, cursor=5, state=b"", positions=[(5, RH)]))
    genesis = RoomEvent(n=1, t=1, kind="genesis", by=OWNER, origin=Origin(room=OLD, n=5, rh=RH))
    made.receive(ReceivedSlice(room=NEW, cursor=1, state=b"", events=[genesis]))
    made.changes.append(OLD, ObjId(OLD), say(ObjectAnnounced(obj=DOC, kind=DOCUMENT.id)))
    yield made
    made.close()


def position(store: Store, change_id: ChangeId, obj: ObjId, n: int) -> None:
    (pending,) = [p for p in store.pending(100) if p.change_id == change_id]
    placed = OpenedChange(n=n, t=n, uid=ME, dev=DevId(ME), obj=obj, change_id=change_id, payload=pending.payload)
    store.receive(ReceivedSlice(room=OLD, cursor=5, state=b"", changes=[placed]))


async def copy_nothing(obj: ObjId, room: RoomId, into: ObjId, progress: Progress, decided: object) -> None:
    """Makes no copy."""


async def offered(store: Store) -> list[bytes]:
    """The change ids that are in the successor's document."""
    succession = Succession(store, cast("Engine", Believing()), cast("RoomService", None))
    succession.offers.copiers = {DOCUMENT.id: copy_nothing}
    (origin,) = store.origins.all()
    await succession._offer(origin)
    return [c.change_id for c in store.changes.of(object_in(NEW, OLD, DOC))]


def edit(text: str) -> bytes:
    """A document's update that is whole."""
    updates: list[bytes] = []
    Document(updates.append).set_up(text)
    return encode(updates[0])[0]


def pieces(store: Store) -> list[ChangeId]:
    return [store.changes.append(OLD, DOC, data) for data in encode(BOOK)]


async def test_only_what_stands_after_the_position_is_offered_once(store: Store) -> None:
    before, after, waiting = (store.changes.append(OLD, DOC, edit(text)) for text in "123")
    position(store, before, DOC, 4)
    position(store, after, DOC, 6)
    assert await offered(store) == await offered(store) == [after, waiting]
    assert store.unsent(OLD) == 0
    assert store.unsent(NEW) == 3  # and the document's announcement


async def test_an_update_in_pieces_that_was_cut_in_the_middle_is_offered_whole(store: Store) -> None:
    whole = pieces(store)
    for change_id in whole:
        position(store, change_id, DOC, 3)
    cut = pieces(store)
    position(store, cut[0], DOC, 4)
    assert await offered(store) == cut


async def test_whoever_does_not_have_that_position_offers_everything(store: Store) -> None:
    before = store.changes.append(OLD, DOC, edit("1"))
    position(store, before, DOC, 4)
    store.db.conn.execute("UPDATE positions SET rh = ? WHERE room = ?", (b"6" * 32, OLD))
    assert await offered(store) == [before]


async def test_a_draft_goes_on_in_the_successor_unless_another_was_begun_there(store: Store) -> None:
    store.objects.set_draft(OLD, DOC, "Påbörjat å 🙂".encode())
    await offered(store)
    assert store.objects.draft(object_in(NEW, OLD, DOC)) == "Påbörjat å 🙂".encode()
    store.objects.set_draft(OLD, DOC, "Ändrat i det gamla rummet".encode())
    await offered(store)
    assert store.objects.draft(object_in(NEW, OLD, DOC)) == "Påbörjat å 🙂".encode()


async def carry(store: Store, baseline: Callable[[ObjId], Awaitable[Sequence[bytes]]]) -> None:
    """The founder carries the documents into the successor, each with the state that `baseline` gives."""
    baselines = Baselines(store, lambda room: True)
    baselines.kinds = {DOCUMENT.id: baseline}
    rooms = cast("RoomService", SimpleNamespace(baselines=baselines))
    (origin,) = store.origins.all()
    await Succession(store, cast("Engine", Believing()), rooms)._carry(origin)


async def test_an_object_of_which_a_change_is_held_back_is_not_carried(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The successor would begin with a part of it, and no member's program would offer the rest."""
    held = ObjId(b"h" * 16)
    store.changes.append(OLD, ObjId(OLD), say(ObjectAnnounced(obj=held, kind=DOCUMENT.id)))
    monkeypatch.setattr(store.trials, "is_sound", lambda obj: obj != held)
    state = edit("Beslut å 🙂")

    async def baseline(obj: ObjId) -> Sequence[bytes]:
        return (state,)

    await carry(store, baseline)
    assert store.changes.of(object_in(NEW, OLD, held)) == []
    assert [c.data for c in store.changes.of(object_in(NEW, OLD, DOC))] == [state]


async def test_attack_an_object_at_which_the_worker_ends_keeps_nothing_else_out_of_a_successor(store: Store) -> None:
    """The founder failed at that object every half minute: what lies behind it was not carried, and nobody invited."""
    bad = [ObjId(byte * 16) for byte in (b"a", b"z")]
    for obj in bad:
        store.changes.append(OLD, ObjId(OLD), say(ObjectAnnounced(obj=obj, kind=DOCUMENT.id)))
    state, asked = edit("Beslut å 🙂"), list[ObjId]()

    async def baseline(obj: ObjId) -> Sequence[bytes]:
        asked.append(obj)
        if obj in bad:
            raise WorkerDied
        return (state,)

    await carry(store, baseline)
    assert sorted(asked) == sorted([*bad, DOC])
    assert asked[0] in bad
    assert [c.data for c in store.changes.of(object_in(NEW, OLD, DOC))] == [state]
