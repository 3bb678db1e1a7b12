# SPDX-License-Identifier: EUPL-1.2
"""A fault of this program in a projection, a merge or the engine never only shows a dialog: what came is kept, and what
failed is tried again or held back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NoReturn

import pytest
import pytest_asyncio

from app.chat.tool import TOOL as CHAT
from app.core.enums import LinkState
from app.core.ids import ObjId, RoomId
from app.documents import projection as document_rows
from app.documents.tool import TOOL as DOCUMENTS
from app.people.notices import KeyWatch
from app.tasks.tool import TOOL as TASKS
from sync.client.engine import Engine
from sync.client.status import RoomState
from tests.journeys.desks import Desk, Offices
from tests.world import until


def fail(*_given: object, **_named: object) -> NoReturn:
    raise RuntimeError("å")


@pytest_asyncio.fixture
async def told() -> AsyncIterator[list[BaseException]]:
    """What the loop's exception handler got, which the window shows."""
    found: list[BaseException] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: found.append(context["exception"]))
    yield found
    loop.set_exception_handler(None)


async def shared(o: Offices) -> tuple[Desk, Desk, RoomId, ObjId]:
    """Two desks with a document that both have."""
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    obj = a.session.service(DOCUMENTS).create(room, "Tjänsteskrivelse å")
    await until(lambda: bool(b.session.service(DOCUMENTS).list(room)))
    return a, b, room, obj


def write(desk: Desk, obj: ObjId, text: str) -> None:
    document = desk.session.service(DOCUMENTS).open(obj)
    document.splice(0, 0, text)
    desk.session.service(DOCUMENTS).close(obj)


def text_of(desk: Desk, obj: ObjId) -> str:
    return " ".join(block.text for block in desk.session.service(DOCUMENTS).shown_now(obj)[1])


async def test_a_fault_in_a_projection_of_what_came_keeps_the_change_and_the_line(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, room, obj = await shared(o)
    with monkeypatch.context() as broken:
        broken.setattr(document_rows, "check", fail)
        write(a, obj, "ett å ")  # the same program runs on both desks
        await until(lambda: len(b.session.store.changes.unprojected(room)) == 1)
    write(a, obj, "två 🙂 ")
    await until(lambda: text_of(b, obj).startswith("två 🙂 ett å "))
    assert b.session.status.state is LinkState.ONLINE
    assert [code for _, code in b.session.store.changes.unprojected(room)] == ["bug"]


async def test_a_fault_in_a_projection_of_what_was_written_here_loses_nothing_when_it_is_locked(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, room, obj = await shared(o)
    with monkeypatch.context() as broken:
        broken.setattr(document_rows, "check", fail)
        write(a, obj, "ett å ")
        assert [code for _, code in a.session.store.changes.unprojected(room)] == ["bug"]
        await a.close()
    await a.begin()
    assert text_of(a, obj).startswith("ett å ")
    await until(lambda: text_of(b, obj).startswith("ett å "))


@pytest.mark.parametrize("kind", ["document", "board"])
async def test_a_fault_in_a_merge_into_what_is_open_stops_no_room_and_is_mended(
    o: Offices, monkeypatch: pytest.MonkeyPatch, told: list[BaseException], kind: str
) -> None:
    a, b, room, obj = await shared(o)
    await until(lambda: b.session.service(TASKS).board_id(room) is not None)
    document, board = b.session.service(DOCUMENTS).open(obj), b.session.service(TASKS).board(room)
    merged, failed = (document if kind == "document" else board), list[bool]()
    merge = merged.merge

    def once(*given: Any, **named: Any) -> object:
        if not failed:
            failed.append(True)
            fail()
        return merge(*given, **named)

    monkeypatch.setattr(merged, "merge", once)
    write(a, obj, "ett å ")
    theirs = a.session.service(TASKS).board(room)
    theirs.add_card(theirs.columns()[0].id, "Yttrande å")
    a.session.service(CHAT).send(room, "Det andra kommer fram 🙂")
    await until(lambda: "Det andra kommer fram 🙂" in b.texts(room))
    await until(lambda: " ".join(block.text for block in document.blocks()).startswith("ett å"))
    await until(lambda: "Yttrande å" in [card.title for card in board.all_cards()])
    assert failed
    assert b.session.engine.room_state(room) is not RoomState.UNREADABLE
    assert [type(error) for error in told] == [RuntimeError]


async def test_a_fault_in_the_engine_is_a_state_and_the_next_attempt(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, _, obj = await shared(o)
    seen: list[str | None] = []
    b.session.status_changed.connect(lambda: seen.append(b.session.status.code))
    with monkeypatch.context() as broken:
        broken.setattr(b.session.engine.parts.inbox, "start", fail)
        b.session.engine.hurry()
        await until(lambda: "bug" in seen)
        write(a, obj, "ett å ")
    await until(lambda: text_of(b, obj).startswith("ett å "))
    await b.online()


@pytest.mark.parametrize("part", [Engine, KeyWatch])
async def test_a_part_of_the_session_that_fails_is_told_and_begins_again(
    o: Offices, monkeypatch: pytest.MonkeyPatch, told: list[BaseException], part: type[Any]
) -> None:
    monkeypatch.setattr("app.scopes.AGAIN_S", 0.01)
    real, failed = part.run, list[bool]()

    async def once(self: Any) -> None:
        if not failed:
            failed.append(True)
            fail()
        await real(self)

    monkeypatch.setattr(part, "run", once)
    (a,) = await o.hire("Handläggare")
    assert failed
    assert [type(error) for error in told] == [RuntimeError]
    assert a.session.status.state is LinkState.ONLINE


async def test_a_part_of_the_session_that_fails_while_it_is_stopped_does_not_begin_again(
    o: Offices, monkeypatch: pytest.MonkeyPatch, told: list[BaseException]
) -> None:
    """Closing would wait for it for ever."""
    begun, real = list[bool](), KeyWatch.run

    async def run(self: KeyWatch) -> None:
        begun.append(True)
        if len(begun) == 1:
            try:
                await real(self)
            finally:
                fail()

    monkeypatch.setattr("app.scopes.AGAIN_S", 0)
    monkeypatch.setattr(KeyWatch, "run", run)
    (a,) = await o.hire("Handläggare")
    await a.session.close()
    assert begun == [True]
    assert [type(error) for error in told] == [RuntimeError]


async def test_a_fault_in_one_tool_is_told_and_keeps_no_other_from_being_saved(
    o: Offices, monkeypatch: pytest.MonkeyPatch, told: list[BaseException]
) -> None:
    (a,) = await o.hire("Handläggare")
    saved: list[bool] = []
    monkeypatch.setattr(a.session.service(DOCUMENTS), "save", fail)
    for service in (a.session.service(CHAT), a.session.service(TASKS)):
        monkeypatch.setattr(service, "save", lambda: saved.append(True))
    a.session.save()
    assert saved == [True, True]
    assert [type(error) for error in told] == [RuntimeError]
