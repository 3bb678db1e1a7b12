# SPDX-License-Identifier: EUPL-1.2
"""A change that is held back: the room says whose it is, and what can be done is done."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtWidgets import QLabel, QPushButton

from app.core.enums import Role
from app.core.ids import ObjId
from app.documents import KIND as DOCUMENTS
from app.objects import pieces
from app.rooms.held import HeldChange
from app.rooms.records import ChangeLeftOut, ObjectAnnounced, decode
from app.session import Session
from app.store.allowance import ALWAYS_US
from app.store.held_changes import MOST_VOID
from app.store.long_writes import Progress
from tests.app.poison import FATAL, MORTAL, SLOW, TAKES_US, deep_update, fatal, written
from tests.ui.shell.case_store import Case, case, tried_session
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import set_role
from tests.ui.shell.test_people import dialog
from tests.ui.shell.toasts import watched
from tests.ui.shell.tool_views import tool_list
from tests.ui.soon import caught_up
from tests.world import until
from ui.kit.dialogs import Dialog
from ui.shell.notices.lines import NoticeLines
from ui.shell.room.held_dialog import HeldDialog
from ui.shell.window.main_window import MainWindow

BREAKS = pieces.encode(deep_update("meta"))
"""A change against the rules of the format."""
UNTITLED = ObjId(b"u" * 16)
MOST_TIMES = ALWAYS_US // TAKES_US
"""How often a change may have FATAL in it before it is slow."""
FAILING = MORTAL.replace("os.abort()", "(_ for _ in ()).throw(RecursionError)")
"""What a worker runs that lives on, and cannot merge FATAL."""


@pytest.fixture
def code() -> str:
    """What the worker runs: it dies of `dies()`."""
    return MORTAL


@pytest.fixture
def session(tmp_path: Path, code: str) -> Session:
    """The person's session, with that worker."""
    return tried_session(tmp_path, code)


@pytest_asyncio.fixture
async def room(session: Session) -> AsyncIterator[Case]:
    """The case room."""
    async with case(session) as made:
        yield made


@pytest_asyncio.fixture
async def held(session: Session, room: Case) -> HeldChange:
    """A change of the registrar's that is held back."""
    await room.arrive(office().registrar.uid, *dies())
    await until(lambda: bool(session.held.held(office().case)))
    (found,) = session.held.held(office().case)
    return found


def dies() -> list[bytes]:
    """A change of which a MORTAL worker dies."""
    return pieces.encode(fatal("meta"))


def costly(key: str, times: int) -> list[bytes]:
    """A change that takes a SLOW worker so many times TAKES_US."""
    return pieces.encode(written("meta", key, FATAL * times))


def bar(window: MainWindow) -> tuple[bool, str]:
    window.open_room(office().case)
    caught_up(window)
    view = window.current_room()
    assert view is not None
    return not view.held.isHidden(), view.held.text()


def button(of: Dialog, text: str) -> QPushButton:
    return next(b for b in of.findChildren(QPushButton) if b.text() == text)


def words(of: Dialog) -> list[str]:
    return [x.text() for x in of.findChildren(QLabel)]


async def opened(window: MainWindow) -> HeldDialog:
    bar(window)
    view = window.current_room()
    assert view is not None
    view.held._act()
    found = await dialog()
    assert isinstance(found, HeldDialog)
    return found


async def test_nothing_is_shown_where_nothing_is_held_back(window: MainWindow, room: Case) -> None:
    assert bar(window) == (False, "")


async def test_a_held_change_is_named_with_who_wrote_it_and_where(
    window: MainWindow, session: Session, room: Case
) -> None:
    assert bar(window) == (False, "")
    await room.arrive(office().registrar.uid, *dies())
    await until(lambda: bar(window)[0])
    _, text = bar(window)
    assert office().registrar.name in text
    assert "Utkast till beslut" in text
    found = await opened(window)
    assert "avslutade processen" in " ".join(words(found))
    found.reject()


async def test_a_held_change_is_a_notice_that_says_why(session: Session, held: HeldChange) -> None:
    async with watched(session) as listed:
        await until(lambda: bool(listed("waits")))
        (row,) = listed("waits")
        line = NoticeLines(session, tool_list(session)).line(row)
        assert (row.obj, line.title) == (held.obj, "Något i Tillsyn 2026-1184 väntar på den här datorn")
        assert line.detail == "En ändring där gick inte att läsa säkert. Den finns kvar."


async def test_what_is_shown_is_copied_as_a_new_object(window: MainWindow, room: Case, held: HeldChange) -> None:
    found = await opened(window)
    button(found, "Kopiera det som visas").click()
    both = {"Utkast till beslut", "Utkast till beslut (kopia)"}
    await until(lambda: both <= {found.title for found in room.store.objects.all(office().case)})


async def test_no_second_copy_is_offered_while_one_is_being_made(session: Session, held: HeldChange) -> None:
    case, going_on = office().case, asyncio.Event()
    copy_document = session.held.copiers[held.kind]

    async def copy_later(obj: ObjId, progress: Progress) -> ObjId:
        await going_on.wait()
        return await copy_document(obj, progress)

    session.held.copiers[held.kind] = copy_later
    copying = asyncio.create_task(session.held.copy(held))
    await asyncio.sleep(0)
    assert not session.held.may_copy(case, held)
    going_on.set()
    await copying
    assert session.held.may_copy(case, held)


async def test_a_copy_that_takes_long_shows_how_far_it_is_and_can_be_stopped(
    window: MainWindow, session: Session, held: HeldChange
) -> None:
    steps: asyncio.Queue[tuple[int, int, bool]] = asyncio.Queue()

    async def slow(obj: ObjId, progress: Progress) -> ObjId:
        while True:
            progress(*await steps.get())

    session.held.copiers[held.kind] = slow
    copying = asyncio.create_task(session.held.copy(held))
    await until(lambda: bar(window)[1] == "”Utkast till beslut” kopieras …")
    steps.put_nowait((1, 4, True))
    await until(lambda: bar(window)[1] == "”Utkast till beslut” kopieras: 25 %")
    view = window.current_room()
    assert view is not None
    (stop,) = [b for b in view.held.findChildren(QPushButton) if b.isVisibleTo(view.held)]
    assert stop.text() == "Avbryt"
    stop.click()
    await asyncio.wait([copying])
    assert copying.cancelled()
    assert bar(window)[1].startswith("1 ändring")
    assert session.held.may_copy(office().case, held)


async def test_a_copy_that_is_decided_cannot_be_stopped(window: MainWindow, session: Session, held: HeldChange) -> None:
    going_on, copy_document = asyncio.Event(), session.held.copiers[held.kind]

    async def decided(obj: ObjId, progress: Progress) -> ObjId:
        progress(3, 4, False)
        await going_on.wait()
        return await copy_document(obj, progress)

    session.held.copiers[held.kind] = decided
    copying = asyncio.create_task(session.held.copy(held))
    await until(lambda: bar(window)[1] == "”Utkast till beslut” kopieras: 75 %")
    view = window.current_room()
    assert view is not None
    assert [b for b in view.held.findChildren(QPushButton) if b.isVisibleTo(view.held)] == []
    session.held.copying.stop(office().case)
    going_on.set()
    assert await copying != held.obj


async def test_an_administrator_leaves_a_change_out_after_a_question(
    window: MainWindow, room: Case, held: HeldChange
) -> None:
    found = await opened(window)
    button(found, "Lämna utanför för alla …").click()
    question = await dialog()
    assert office().registrar.name in question.windowTitle()
    assert room.store.pending(10) == []
    question.accept()
    await until(lambda: bool(room.store.pending(10)))
    (sent,) = room.store.pending(10)
    assert decode(sent.payload) == ChangeLeftOut(obj=room.document, author=office().registrar.uid, change=held.change)


async def test_who_is_no_administrator_is_not_offered_it(
    window: MainWindow, session: Session, held: HeldChange
) -> None:
    set_role(session, office().case, (office().me, Role.WRITER))
    found = await opened(window)
    assert not [b for b in found.findChildren(QPushButton) if b.text() == "Lämna utanför för alla …"]
    found.reject()


async def test_leaving_the_room_is_asked_as_elsewhere(window: MainWindow, held: HeldChange) -> None:
    found = await opened(window)
    button(found, "Lämna rummet …").click()
    question = await dialog()
    assert question.windowTitle() == "Lämna rummet?"
    question.reject()


async def test_everybody_sees_that_something_was_left_out(window: MainWindow, room: Case, held: HeldChange) -> None:
    bar(window)
    await room.record(
        office().head.uid, ChangeLeftOut(obj=room.document, author=office().registrar.uid, change=held.change)
    )
    await until(lambda: office().head.name in bar(window)[1])
    shown, text = bar(window)
    assert shown
    assert text.count(office().registrar.name) == text.count(office().head.name) == 1


@pytest.mark.parametrize("code", [pytest.param("", id="none")])
@pytest.mark.usefixtures("room")
async def test_it_is_shown_when_nothing_can_be_tried_here(window: MainWindow) -> None:
    await until(lambda: bar(window)[0])
    assert "Kontakta it-supporten." in bar(window)[1]


@pytest.mark.parametrize("code", [pytest.param(SLOW, id="slow")])
async def test_a_change_that_takes_too_long_is_held_back(window: MainWindow, session: Session, room: Case) -> None:
    await room.arrive(office().registrar.uid, *costly("slow", MOST_TIMES + 1))
    await until(lambda: bool(session.held.held(office().case)))
    found = await opened(window)
    assert "tar för lång tid att ta in på den här datorn" in " ".join(words(found))
    found.reject()


@pytest.mark.parametrize("code", [pytest.param(SLOW, id="slow")])
async def test_what_takes_too_long_to_merge_is_named(window: MainWindow, session: Session, room: Case) -> None:
    await room.record(office().head.uid, ObjectAnnounced(obj=UNTITLED, kind=DOCUMENTS.id))
    for obj in (room.document, UNTITLED):
        for n in range(5 * MOST_TIMES):
            await room.arrive(office().registrar.uid, *costly(f"k{n}", 1), obj=obj)
    await until(lambda: len(session.held.large(office().case)) == 2)
    shown, text = bar(window)
    assert shown
    assert "“Utkast till beslut”" in text
    assert "“Utan titel”" in text
    assert "tar för lång tid att sätta samman på den här datorn." in text


@pytest.mark.parametrize("count", [1, 9])
@pytest.mark.parametrize("code", [pytest.param(FAILING, id="failing")])
async def test_many_held_changes_are_counted(window: MainWindow, session: Session, room: Case, count: int) -> None:
    await room.arrive(office().registrar.uid, *(data for _ in range(count) for data in dies()))
    await until(lambda: len(session.held.held(office().case)) == count)
    found = await opened(window)
    assert [text for text in words(found) if text.startswith("och ")] == (["och 3 till"] if count == 9 else [])
    found.reject()


async def test_what_is_void_is_counted_beside_what_is_held_back(
    window: MainWindow, session: Session, room: Case, held: HeldChange
) -> None:
    await room.arrive(office().head.uid, *(BREAKS * MOST_VOID), *BREAKS)
    await until(lambda: len(session.held.held(office().case)) == 1 + MOST_VOID)
    found = await opened(window)
    assert "Andra bryter mot formatets regler och förs inte in hos någon i rummet." in words(found)
    assert f"och {2 + MOST_VOID - 6} till" in words(found)
    found.reject()


async def test_a_void_change_is_named_and_not_offered_to_be_left_out(window: MainWindow, room: Case) -> None:
    bar(window)
    await room.arrive(office().registrar.uid, *BREAKS)
    await room.arrive(office().head.uid, *BREAKS)
    await until(lambda: bar(window)[0])
    _, text = bar(window)
    assert text.startswith("2 ändringar av Enhetschef, Registrator i")
    assert "räknas inte hos någon" in text
    found = await opened(window)
    assert found.windowTitle() == "Ändringar som inte räknas hos någon"
    assert not [b for b in found.findChildren(QPushButton) if b.text() == "Lämna utanför för alla …"]
    found.reject()


async def test_what_waits_for_other_changes_is_shown(window: MainWindow, room: Case) -> None:
    room.registrar.types("Det som inte har kommit. ")
    await room.arrive(office().registrar.uid, room.registrar.types("Ett. "), room.registrar.types("Två. "))
    shown, text = bar(window)
    assert shown
    assert f"2 ändringar av {office().registrar.name} i “Utkast till beslut” väntar på andra ändringar" in text
