# SPDX-License-Identifier: EUPL-1.2
"""What may come while an object stands on a state: records that leave something out, another state, a full disk."""

from pathlib import Path

import pytest

from app.core.ids import ChangeId, DevId, ObjId
from app.documents.records import encode
from app.rooms.projection import KIND as ROOM_KIND
from app.rooms.records import ChangeLeftOut
from app.rooms.records import encode as record
from sync.client.ports import OpenedChange, Received, RoomEvent
from tests.app.poison import fatal
from tests.app.store.test_behind import TAIL, begin, complete, receive, state_of, typed
from tests.app.store.test_judged import marks
from tests.app.store.test_trials import KINDS, NOTE, Desk, mortal, opened
from tests.office import EK, HL, ROOM
from tests.world import until

ROOMS = {**KINDS, ROOM_KIND.id: ROOM_KIND}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.store.trials.QUIET_S", 0.01)


async def leave_out(desk: Desk, change: OpenedChange, n: int) -> None:
    """The room's owner has a change left out, by a record at position n."""
    told = record(ChangeLeftOut(obj=NOTE, author=change.uid, change=change.change_id))
    which = ChangeId(n.to_bytes(16, "big"))
    said = OpenedChange(n=n, t=n, uid=HL, dev=DevId(HL), obj=ObjId(ROOM), change_id=which, payload=told)
    genesis = RoomEvent(n=1, t=1, kind="genesis", by=HL)
    await desk.store.receive_apart(Received(room=ROOM, more=True, events=[genesis]))
    await desk.store.receive_apart(Received(room=ROOM, more=True, changes=[said]))
    await until(lambda: desk.store.trials.untried == [])


async def test_attack_what_was_left_out_before_it_is_read_counts_nowhere(tmp_path: Path) -> None:
    """A newcomer has the room's own records first, then the state, then what stands before it."""
    stream, writer = typed(10)
    (gone,) = stream.add(HL, *encode(fatal("meta")))
    stream.add(EK, *[writer.types(f"Mer {n}. ") for n in range(4)])
    async with opened(tmp_path / "store.db", mortal(), ROOMS) as desk:
        await leave_out(desk, gone, gone.n + 1)
        others = [change for change in stream.changes if change is not gone]
        state = state_of(others[:-TAIL], stream.changes[-TAIL - 1].n)
        await receive(desk, await begin(desk, stream, state))
        await complete(desk)
        assert marks(desk.store) == [(gone.n, "left-out")]


async def test_attack_what_builds_on_what_was_left_out_before_it_is_read_waits(tmp_path: Path) -> None:
    stream, _ = typed(8)
    async with opened(tmp_path / "store.db", None, ROOMS) as desk, opened(tmp_path / "o.db", None, ROOMS) as other:
        await receive(other, stream.changes)
        early = await begin(desk, stream)
        await receive(desk, early[:3])
        await leave_out(desk, early[3], 200)
        await leave_out(other, early[3], 200)
        await receive(desk, early[3:])
        await complete(desk)
        assert marks(desk.store) == marks(other.store)
        assert desk.text() == other.text()
