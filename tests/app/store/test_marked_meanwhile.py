# SPDX-License-Identifier: EUPL-1.2
"""A change that is marked while the worker tries it keeps that mark, and is not merged here alone."""

import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.core.enums import Role
from app.core.ids import ChangeId, DevId, ObjId, RoomId, new_change
from app.documents import KIND as DOCUMENTS
from app.rooms.projection import KIND as ROOM_KIND
from app.rooms.records import ChangeLeftOut, ObjectAnnounced, encode
from app.store import objects as object_rows
from app.store.rehearsal import Rehearsal
from app.tasks import KIND as BOARDS
from app.tasks.model import Board
from app.worker.client import Worker
from sync.client.ports import MemberRow, OpenedChange, RoomEvent
from sync.client.received import ReceivedSlice
from sync.trust.room.envelope import object_of
from tests.app.poison import Writer, fatal
from tests.app.store.test_trials import KINDS, NOTE, SLOW, Desk, mortal, opened, settled
from tests.office import COLUMNS, EK, HL, NAMES, ROOM
from tests.one_change import one_change as board_change
from tests.patience import PATIENCE_S
from tests.world import until

ALL_KINDS = {**KINDS, ROOM_KIND.id: ROOM_KIND}
TRUE_ROOM = RoomId(b"2" * 16)
SHARE = b"s" * 32
BOUND = object_of(TRUE_ROOM, SHARE)
"""The id of an object of TRUE_ROOM. A colleague writes under it in ROOM first."""


class Pause:
    """Makes one method of the rehearsal wait in the trials' thread until `go_on` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.trying, self.go_on = threading.Event(), threading.Event()
        method = getattr(Rehearsal, name)

        def paused(rehearsal: Rehearsal, *given: Any) -> Any:
            found = method(rehearsal, *given)
            self.trying.set()
            self.go_on.wait(PATIENCE_S)
            return found

        monkeypatch.setattr(Rehearsal, name, paused)


def mark_of(desk: Desk, change_id: ChangeId) -> str | None:
    """The stored mark of a change; None if it is merged."""
    (mark,) = desk.store.db.one("SELECT unprojected FROM changes WHERE change_id = ?", (change_id,)) or ("gone",)
    return None if mark is None else str(mark)


def found(desk: Desk) -> None:
    """The entry of the room's log that makes HL its owner."""
    event = RoomEvent(n=1, t=1, kind="genesis", by=HL)
    desk.store.receive(ReceivedSlice(room=ROOM, cursor=1, state=b"", events=[event]))


async def leave_out(desk: Desk, obj: ObjId, change_id: ChangeId) -> None:
    await desk.receive((ObjId(ROOM), encode(ChangeLeftOut(obj=obj, author=EK, change=change_id))), uid=HL)


async def arrive(desk: Desk, kind: str, *payloads: bytes) -> None:
    """The true object in its own room: its announcement, its share and its changes."""
    members = [MemberRow(uid=u, role=Role.OWNER if u == HL else Role.WRITER, since_n=0, history=True) for u in NAMES]
    desk.store.receive(ReceivedSlice(room=TRUE_ROOM, cursor=0, state=b"", members=members))
    changes = [
        OpenedChange(n=n, t=n, uid=EK, dev=DevId(EK), obj=obj, change_id=new_change(), payload=data)
        for n, (obj, data) in enumerate(
            [
                (ObjId(TRUE_ROOM), encode(ObjectAnnounced(obj=BOUND, kind=kind))),
                *((BOUND, data) for data in payloads),
            ],
            start=1,
        )
    ]
    await desk.store.receive_apart(
        ReceivedSlice(room=TRUE_ROOM, cursor=len(changes), state=b"", shares=[(BOUND, SHARE)], changes=changes)
    )


def squat(desk: Desk, kind: str) -> None:
    """Announces the true room's object in ROOM."""
    with desk.store.db.transaction() as conn:
        object_rows.announce(conn, ROOM, BOUND, kind, 1, EK)


def board(title: str, card: str) -> list[bytes]:
    """The data of the changes that make a board with one card."""
    updates = list[bytes]()
    made = Board(updates.append)
    made.setup(COLUMNS, title=title)
    made.add_card(made.columns()[0].id, card)
    return [board_change(update) for update in updates]


async def untried(desk: Desk, monkeypatch: pytest.MonkeyPatch, obj: ObjId, datas: Sequence[bytes]) -> list[ChangeId]:
    """Changes that are received and stored as untried."""

    async def not_soon(*_: Any) -> bool:
        return False

    with monkeypatch.context() as context:
        context.setattr(Rehearsal, "passes_soon", not_soon)
        context.setattr(Rehearsal, "passes", lambda *_: False)
        return await desk.receive(*((obj, data) for data in datas))


async def test_attack_a_change_that_an_administrator_leaves_out_during_its_trial_is_not_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was shown on this device alone."""
    writer = Writer()
    async with opened(tmp_path / "store.db", kinds=ALL_KINDS) as desk:
        found(desk)
        await desk.receive(*((NOTE, data) for data in writer.take()))
        pause = Pause(monkeypatch, "one_by_one")
        (change_id,) = await untried(desk, monkeypatch, NOTE, [writer.types("Utelämnad å 🙂")])
        await until(pause.trying.is_set)
        await leave_out(desk, NOTE, change_id)
        assert mark_of(desk, change_id) == "left-out"
        pause.go_on.set()
        await settled(desk, NOTE)
        assert mark_of(desk, change_id) == "left-out"
        assert "Utelämnad" not in desk.text()


async def test_attack_a_change_that_is_found_to_be_of_another_room_during_its_trial_is_not_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign, own = Writer("Falskt"), Writer("Äkta")
    async with opened(tmp_path / "store.db", kinds=ALL_KINDS) as desk:
        squat(desk, DOCUMENTS.id)
        pause = Pause(monkeypatch, "one_by_one")
        ids = await untried(desk, monkeypatch, BOUND, [*foreign.take(), foreign.types("Främmande å 🙂")])
        await until(pause.trying.is_set)
        await arrive(desk, DOCUMENTS.id, *own.take(), own.types("Eget åäö"))
        pause.go_on.set()
        await settled(desk, BOUND)
        assert {mark_of(desk, change_id) for change_id in ids} == {"other-room"}
        assert desk.text(BOUND) == own.document.plain_text()


async def test_a_change_that_fails_its_trial_after_it_was_left_out_is_not_quarantined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Administrators leave out what ends the worker. The object was not sound on this device from then on."""
    async with opened(tmp_path / "store.db", mortal(), ALL_KINDS) as desk:
        found(desk)
        squat(desk, BOARDS.id)
        pause = Pause(monkeypatch, "one_by_one")
        (change_id,) = await untried(desk, monkeypatch, BOUND, [board_change(fatal("cards"))])
        await until(pause.trying.is_set)
        await leave_out(desk, BOUND, change_id)
        pause.go_on.set()
        await settled(desk, BOUND)
        assert mark_of(desk, change_id) == "left-out"
        assert desk.store.is_sound(BOUND)


@pytest.mark.parametrize("code", ["left-out", "foreign"])
async def test_attack_a_quarantined_change_that_is_marked_during_its_trial_is_not_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    path, writer = tmp_path / "store.db", Writer()
    first, late = writer.take(), writer.types("Utelämnad å 🙂")
    async with opened(path, kinds=ALL_KINDS) as desk:
        found(desk)
        await desk.receive(*((NOTE, data) for data in first))
    async with opened(path, Worker([sys.executable, "-c", SLOW], answer_s=0.2), ALL_KINDS) as desk:
        (change_id,) = await untried(desk, monkeypatch, NOTE, [late])
        await until(lambda: len(desk.held(NOTE)) == 1)
    pause = Pause(monkeypatch, "alone")
    async with opened(path, kinds=ALL_KINDS) as desk:  # a faster machine
        await until(pause.trying.is_set)
        if code == "left-out":
            await leave_out(desk, NOTE, change_id)
        else:  # as a judge's verdict does
            with desk.store.db.transaction() as conn:
                conn.execute("DELETE FROM quarantined")
                conn.execute("UPDATE changes SET unprojected = ? WHERE change_id = ?", (code, change_id))
            desk.store.trials._on_untried(NOTE)
        pause.go_on.set()
        await settled(desk, NOTE)
        assert mark_of(desk, change_id) == code
        assert "Utelämnad" not in desk.text()


async def test_attack_what_was_quarantined_in_another_room_holds_nothing_back_in_the_objects_own(
    tmp_path: Path,
) -> None:
    """A stranger could keep a room's object from snapshots, and at the next start have their change merged into it."""
    path = tmp_path / "store.db"
    async with opened(path, mortal(), ALL_KINDS) as desk:
        squat(desk, BOARDS.id)
        ids = await desk.receive((BOUND, board_change(fatal("cards"))))
        await until(lambda: len(desk.held(BOUND)) == 1)
        await arrive(desk, BOARDS.id, *board("Äkta", "Begär yttrande"))
        await settled(desk, BOUND)
        assert desk.held(BOUND) == []
        assert desk.store.is_sound(BOUND)
        assert mark_of(desk, ids[-1]) == "other-room"


async def test_attack_what_another_room_wrote_in_a_board_is_not_shown_in_its_own_room(tmp_path: Path) -> None:
    """The board in memory still had it, and wrote it into the true room's list and search."""
    async with opened(tmp_path / "store.db", kinds=ALL_KINDS) as desk:
        squat(desk, BOARDS.id)
        await desk.receive(*((BOUND, data) for data in board("Falsk tavla", "Främmande kort")))
        assert [hit.room for hit in await desk.store.search.find("främmande")] == [ROOM]
        await arrive(desk, BOARDS.id, *board("Äkta tavla", "Begär yttrande"))
        await settled(desk, BOUND)
        assert await desk.store.search.find("främmande") == []
        cards = desk.store.db.rows("SELECT room, title FROM board_cards WHERE obj = ?", (BOUND,))
        assert cards == [(TRUE_ROOM, "Begär yttrande")]
        row = desk.store.objects.get(BOUND)
        assert row is not None
        assert (row.room, row.title) == (TRUE_ROOM, "Äkta tavla")
