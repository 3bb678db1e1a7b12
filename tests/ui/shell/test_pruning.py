# SPDX-License-Identifier: EUPL-1.2
"""Clearing a room's change history in the window: who is offered it, what is shown, and what happens in between; a real
session, at a server that has the history."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
import shiboken6
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.core.enums import LinkState
from app.core.i18n import set_language
from app.core.ids import ChangeId, ObjId, RoomId
from app.rooms.pruning import PrunableObject, PrunePlan
from app.session import Session
from tests.ui.shell.devices import asked
from tests.ui.shell.in_window import room_menu
from tests.ui.shell.kept_case import (
    BOARD,
    EARLY,
    LAWYER,
    NEWCOMER,
    OWNER,
    READY,
    UNSEEN,
    case,
    served_case,
)
from tests.ui.shell.sample import BOARD as BOARD_ID
from tests.ui.shell.sample import DOCUMENT
from tests.ui.shell.served import Served
from tests.ui.shell.test_people import choose
from tests.ui.shell.tool_views import tool_list
from tests.ui.shown import shows, words
from tests.ui.walking import check, check_tab
from tests.world import until
from ui.kit.dialogs import Dialog
from ui.shell.room.prune_dialog import PruneDialog, total_text
from ui.shell.window.main_window import MainWindow

ENTRY = "Slå ihop äldre ändringar …"
LARGE = PrunableObject(
    obj=DOCUMENT, kind="document", title="Utkast till beslut", items=5310, size_bytes=1_140_000, lacks="baseline"
)
LARGE_BOARD = PrunableObject(obj=BOARD_ID, kind="board", title="Ärendets uppgifter", items=1102, size_bytes=96_000)


@pytest_asyncio.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with served_case(tmp_path / "agency") as running:
        yield running


@pytest.fixture
def name() -> str:
    """Whose window it is."""
    return OWNER


@pytest_asyncio.fixture
async def session(served: Served, name: str) -> Session:
    """Online, with everything of the room."""
    opened = await served.open(name)
    await until(lambda: opened.pruning.refusal(case().room) in (None, "forbidden"))
    return opened


async def opened(window: MainWindow, room: RoomId | None = None) -> PruneDialog:
    choose(room_menu(window, room or case().room), ENTRY)
    found = await asked(window)
    assert isinstance(found, PruneDialog)
    return found


async def is_gone(of: Dialog) -> None:
    """Until a dialog that was closed is deleted, and asks for nothing more."""

    def now() -> bool:
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        return not shiboken6.isValid(of)

    await until(now)
    assert QApplication.activeModalWidget() is None


async def plan_of(session: Session) -> PrunePlan:
    """What can be cleared: a document and a board, of which the newcomer is to be given the present state."""
    plan = await session.pruning.plan(case().room)
    assert {found.title for found in plan.ready} == {READY, BOARD}
    assert [person.name for person in plan.newcomers] == [NEWCOMER]
    return plan


def cleared(session: Session) -> set[bytes]:
    """The objects whose changes the server no longer has."""
    return set(session.engine.prunes(case().room).pruned)


@pytest.fixture
def gate(session: Session, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Holds it before the first present state is written."""
    going_on, renew = asyncio.Event(), session.rooms.baselines.renew

    async def late(room: RoomId, obj: ObjId) -> list[ChangeId]:
        await going_on.wait()
        return await renew(room, obj)

    monkeypatch.setattr(session.rooms.baselines, "renew", late)
    return going_on


async def test_it_says_what_goes_what_stays_and_what_is_lacking(window: MainWindow, session: Session) -> None:
    plan = await plan_of(session)
    shown = await opened(window)
    sentence = words(shown)
    for part in (
        "Ingen förlorar något innehåll",
        "Det här är ingen gallring",
        total_text(plan.ready, window.tools),
        *(f"{found.items} ändringar, cirka " for found in plan.ready),
        READY,
        BOARD,
        f"Utan historik, och får först nuläget att läsa vidare från: {NEWCOMER}.",
        EARLY,
        "från 27 nov",
        UNSEEN,
        "inte kontrollerat av två andra ännu",
    ):
        assert part in sentence, part
    assert "minst tre deltagare" not in sentence
    assert not shown.accept_button.isDefault(), "Enter alone does not do what cannot be undone"
    assert shown.focusWidget() is shown.close_button
    check(shown)
    check_tab(shown)
    shown.reject()
    await is_gone(shown)


async def test_it_is_cleared_with_progress_and_shown_at_the_end(
    window: MainWindow, session: Session, gate: asyncio.Event
) -> None:
    plan = await plan_of(session)
    shown = await opened(window)
    QTest.keyClick(shown, Qt.Key.Key_Tab)
    shown.accept_button.click()
    await shows(shown, lambda: "Ger nuläget" in words(shown))
    assert not shown.accept_button.isEnabled()
    assert shown.close_button.text() == "Stoppa"
    shown.accept()  # a second press does nothing
    assert cleared(session) == set()
    gate.set()
    await shows(shown, lambda: "har slagits ihop" in words(shown))
    assert cleared(session) == {found.obj for found in plan.ready}
    assert words(shown).count(total_text(plan.ready, window.tools)) == 1
    assert shown.accept_button.isHidden()
    assert shown.close_button.text() == "Stäng"
    check_tab(shown)
    shown.close_button.click()
    await is_gone(shown)


async def test_esc_stops_it_first_and_closes_then(window: MainWindow, session: Session, gate: asyncio.Event) -> None:
    shown = await opened(window)
    shown.accept_button.click()
    await shows(shown, lambda: "Ger nuläget" in words(shown))
    QTest.keyClick(shown, Qt.Key.Key_Escape)
    assert shown.isVisible()
    assert "Stoppat. Det som hann slås ihop är ihopslaget." in words(shown)
    await shows(shown, shown.accept_button.isEnabled)  # the rest can be done now
    assert cleared(session) == set()
    assert not shown.progress.isVisible()
    QTest.keyClick(shown, Qt.Key.Key_Escape)
    await is_gone(shown)


@pytest.mark.parametrize("turns", range(4))
async def test_a_stop_is_kept_in_whichever_turn_the_server_has_taken_the_present_state(
    session: Session, turns: int
) -> None:
    await plan_of(session)
    clearing = asyncio.ensure_future(session.pruning.prune(case().room, lambda step, done, total: None))

    def stop(left: int) -> None:
        if left:
            asyncio.get_running_loop().call_soon(stop, left - 1)
        else:
            clearing.cancel()

    end = session.store.changes.positioned.connect(lambda _changes: stop(turns))
    with pytest.raises(asyncio.CancelledError):
        await clearing
    end()
    assert cleared(session) == set()


@pytest.mark.parametrize(
    ("fault", "sentence"), [("stopped", "Servern svarar inte."), ("early", "inte en månad gammalt")]
)
async def test_what_went_wrong_is_shown_and_it_can_be_tried_again(
    window: MainWindow, served: Served, session: Session, monkeypatch: pytest.MonkeyPatch, fault: str, sentence: str
) -> None:
    """The server stops when the first object is to be cleared, or the object is too young by then."""
    operations, plan, faults = session.engine.operations, await plan_of(session), [fault]
    prune = operations.prune

    async def late(room: RoomId, obj: ObjId) -> None:
        happens = faults.pop() if faults else ""
        if happens == "stopped":
            await served.w.stop_server()
        with monkeypatch.context() as later:
            if happens == "early":
                later.setattr("sync.trust.room.snapshots.PRUNE_AFTER_MS", 2**50)
            await prune(room, obj)

    monkeypatch.setattr(operations, "prune", late)
    shown = await opened(window)
    shown.accept_button.click()
    await shows(shown, lambda: sentence in shown.error.text())
    assert cleared(session) == set()
    if fault == "stopped":
        await served.restart_server()
    await shows(shown, shown.accept_button.isEnabled)
    shown.accept_button.click()
    await shows(shown, lambda: "har slagits ihop" in words(shown))
    assert cleared(session) == {found.obj for found in plan.ready}
    assert shown.error.isHidden()
    shown.reject()
    await is_gone(shown)


async def test_without_a_connection_it_says_so_and_goes_on_when_there_is_one(
    window: MainWindow, served: Served, session: Session
) -> None:
    await served.w.stop_server()
    await until(lambda: session.status.state is LinkState.OFFLINE)
    shown = await opened(window)
    assert "Servern svarar inte." in words(shown)
    assert READY in words(shown)
    assert not shown.accept_button.isEnabled()
    await served.restart_server()
    await shows(shown, shown.accept_button.isEnabled)
    assert "Servern svarar inte." not in words(shown)
    await session.pruning.prune(case().room, lambda step, done, total: None)  # as another administrator does
    await shows(shown, lambda: not shown.accept_button.isEnabled())
    assert "Inget." in words(shown)
    shown.reject()
    await is_gone(shown)


async def test_too_few_members_see_why_nothing_is_cleared(window: MainWindow, session: Session) -> None:
    shown = await opened(window, case().small)
    assert "minst tre deltagare" in words(shown)
    assert "Inget." in words(shown)
    assert not shown.accept_button.isEnabled()
    shown.reject()
    await is_gone(shown)


@pytest.mark.parametrize(("name", "offered"), [(OWNER, True), (LAWYER, False)])
async def test_who_is_no_administrator_is_not_offered_it(window: MainWindow, offered: bool) -> None:
    found = room_menu(window, case().room)
    texts = [action.text() for action in found.actions()]
    found.close()
    assert (ENTRY in texts) is offered


async def test_the_totals(session: Session) -> None:
    tools = tool_list(session)
    assert total_text([LARGE, LARGE_BOARD], tools) == "6\u00a0412 ändringar i 2 dokument och tavlor, cirka 1,2 MB"
    set_language("en")
    assert total_text([LARGE, LARGE_BOARD], tools) == "6\u00a0412 changes in 2 documents and boards, about 1.2 MB"
    one = replace(LARGE, items=1, size_bytes=820)
    assert total_text([one], tools) == "1 change in 1 document or board, about 820 B"
