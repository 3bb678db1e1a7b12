# SPDX-License-Identifier: EUPL-1.2
"""Who is added without the history gets the objects' present state, even if the adder's program dies in between."""

import shutil
from collections.abc import Sequence
from functools import partial

import pytest

from app.chat.tool import TOOL as CHAT
from app.core.enums import Role
from app.core.ids import RoomId
from app.documents.tool import TOOL as DOCUMENTS
from app.errors import DiskFull
from app.rooms.baselines import Baselines
from app.tasks.model import Board
from app.tasks.tool import TOOL as TASKS
from tests.journeys.desks import Desk, Offices
from tests.world import until

BASELINE = 2
"""`outbox.live` of a baseline, FORMAT.md."""


async def a_room(o: Offices) -> tuple[Desk, Desk, RoomId]:
    """An owner's room with a document and a card, and one who is to come from now on."""
    a, b = await o.hire("Handläggare", "Enhetschef")
    room = await o.room(a)
    obj = a.session.service(DOCUMENTS).create(room, "Utkast till beslut")
    a.session.service(DOCUMENTS).open(obj).splice(0, 0, "kvar")
    a.session.service(TASKS).board(room).add_card(
        a.session.service(TASKS).board(room).columns()[0].id, "Begär yttrande"
    )
    await until(lambda: a.session.store.waiting_count() == 0)
    return a, b, room


async def reads_all(b: Desk, room: RoomId) -> None:
    await until(lambda: [d.title for d in b.session.service(DOCUMENTS).list(room)] == ["Utkast till beslut"])
    obj = b.session.service(DOCUMENTS).list(room)[0].obj
    await until(lambda: b.session.service(DOCUMENTS).open(obj).plain_text().strip() == "kvar")
    await until(lambda: [t.title for t in b.session.service(TASKS).tasks(room)] == ["Begär yttrande"])


async def add(a: Desk, b: Desk, room: RoomId) -> None:
    (person,) = await a.session.people.search(b.session.people.me.name)
    await a.session.rooms.add(room, person.uid, Role.WRITER, False)
    b_uid = b.session.engine.uid
    await until(lambda: any(m.uid == b_uid for m in a.session.store.rooms_list.members(room)))


async def killed(o: Offices, desk: Desk) -> Desk:
    """The same profile as its disk is now, in another process as it were; the old one does nothing more."""
    for task in desk.session._running:
        task.cancel()
    folder = desk.folder.with_name(f"{desk.folder.name}-igen")
    shutil.copytree(desk.folder, folder)
    again = Desk(folder, desk.ca_file, desk.server)
    again.profile.close()
    await again.begin()
    o.desks.append(again)
    return again


async def nothing(self: Baselines, room: RoomId) -> None: ...


async def test_a_program_that_dies_between_add_and_baseline_gives_it_at_its_next_start(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, room = await a_room(o)
    with monkeypatch.context() as dying:
        dying.setattr(Baselines, "give", nothing)
        await add(a, b, room)
        assert a.session.store.newcomers.owed(room) is not None
        again = await killed(o, a)
        await until(lambda: not again.session.rooms.baselines._rooms)
    await again.restart()
    await reads_all(b, room)
    assert again.session.store.newcomers.owed(room) is None


async def test_what_is_given_is_given_once(o: Offices) -> None:
    a, b, room = await a_room(o)
    await add(a, b, room)
    await reads_all(b, room)
    await until(lambda: not a.session.rooms.baselines._rooms and a.session.store.waiting_count() == 0)
    await until(lambda: a.session.engine.parts.link.rooms[room].caught_up)
    before = a.session.engine.position(room)
    for _ in range(2):
        await a.restart()
        await until(lambda: not a.session.rooms.baselines._rooms)
    assert a.session.store.waiting_count() == 0
    await until(lambda: b.session.engine.position(room) == a.session.engine.position(room))
    assert a.session.engine.position(room) == before


async def test_a_full_disk_leaves_the_baseline_owed_and_nothing_half_given(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, room = await a_room(o)
    real = a.session.store.changes.append
    seen: list[bytes] = []

    def full(*args: object, baseline: bool = False, **more: object) -> object:
        if baseline and len(seen) == 2:
            raise DiskFull
        seen.extend([b""] if baseline else [])
        return real(*args, baseline=baseline, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(a.session.store.changes, "append", full)
    await add(a, b, room)
    await until(lambda: len(seen) == 2)
    assert a.session.store.newcomers.owed(room) is not None
    rows = a.session.store.db.rows("SELECT 1 FROM outbox WHERE live = ?", (BASELINE,))
    assert rows == []
    monkeypatch.undo()
    a.session.rooms.baselines.wake(room)
    await reads_all(b, room)


async def test_one_who_was_removed_again_is_owed_nothing(o: Offices, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, room = await a_room(o)
    with monkeypatch.context() as dying:
        dying.setattr(Baselines, "give", nothing)
        await add(a, b, room)
        await a.session.rooms.remove(room, b.session.engine.uid)
        await until(lambda: b.session.rooms.room(room).left if b.session.rooms.rooms() else True)
    await until(lambda: a.session.store.newcomers.owed(room) is None)


async def test_attack_lowering_the_adder_before_the_baseline_is_sent_does_not_silence_them(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only an administrator's baseline is taken: one that waits would hold back everything that is written after it."""
    a, b, room = await a_room(o)
    (c,) = await o.hire("Registrator")
    await o.add(a, room, c, history=True)
    await a.session.rooms.set_role(room, c.session.engine.uid, Role.ADMIN)
    await until(lambda: c.session.rooms.my_role(room) == 3)
    with monkeypatch.context() as held:
        held.setattr(c.session.engine.parts.outbox.maker, "next_batch", lambda at: None)
        await add(c, b, room)
        await until(lambda: bool(c.session.store.db.rows("SELECT 1 FROM outbox WHERE live = ?", (BASELINE,))))
        await a.session.rooms.set_role(room, c.session.engine.uid, Role.WRITER)
        await until(lambda: c.session.rooms.my_role(room) == 2)
    c.session.service(CHAT).send(room, "Jag skriver vidare")
    await until(lambda: "Jag skriver vidare" in a.texts(room))
    await until(lambda: c.session.store.waiting_count() == 0)


async def test_objects_longer_than_a_change_are_given_in_pieces_and_written_on(o: Offices) -> None:
    a, b, room = await a_room(o)
    (row,) = a.session.service(DOCUMENTS).list(room)
    a.session.service(DOCUMENTS).open(row.obj).splice(0, 0, "å🙂" * 60_000)
    board = a.session.service(TASKS).board(room)
    cards = [board.add_card(board.columns()[0].id, f"Kort {n} å") for n in range(4)]
    for card in cards:
        board.edit_card(card, description="å🙂" * 15_000)
    await until(lambda: a.session.store.waiting_count() == 0)
    await add(a, b, room)
    titles = {"Begär yttrande", *(f"Kort {n} å" for n in range(4))}
    await until(lambda: {task.title for task in b.session.service(TASKS).tasks(room)} == titles)
    await until(lambda: [d.title for d in b.session.service(DOCUMENTS).list(room)] == ["Utkast till beslut"])
    theirs, text = b.session.service(TASKS).board(room), b.session.service(DOCUMENTS).open(row.obj)
    await until(lambda: text.plain_text().count("🙂") == 60_000)
    theirs.edit_card(cards[0], title="Ändrat av den nya")
    board.edit_card(cards[1], title="Ändrat av den som var här")
    both = ["Ändrat av den nya", "Ändrat av den som var här"]
    for each in (board, theirs):
        await until(partial(_titles_are, each, cards[:2], both))
    for desk in (a, b):
        assert desk.session.store.held_changes.void(room) == []


def _titles_are(board: Board, cards: Sequence[str], titles: Sequence[str]) -> bool:
    found = [board.card(card) for card in cards]
    return [card.title if card is not None else "" for card in found] == titles
