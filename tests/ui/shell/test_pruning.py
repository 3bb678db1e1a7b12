# SPDX-License-Identifier: EUPL-1.2
"""Clearing a room's change history in the window: who is offered it, what is shown, and what happens in between."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMenu

from app.core.enums import Role
from app.core.i18n import set_language
from app.session import Session
from sync.errors import Refused, Unreachable
from tests.ui.shell.fake_pruning import BOARD_READY, PLAN, READY, FakePruning
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import open_session, set_role
from tests.ui.shell.test_people import choose, dialog
from tests.ui.shell.tool_views import tool_list
from tests.ui.soon import caught_up
from tests.ui.walking import check, check_tab
from ui.kit.dialogs import Dialog
from ui.shell.room.prune_dialog import PruneDialog, total_text
from ui.shell.window.main_window import MainWindow


class PrunedSession(Session):
    """Its pruning is in memory."""

    pruning: FakePruning


@pytest.fixture
def session(tmp_path: Path) -> PrunedSession:
    made = open_session(tmp_path, kind=PrunedSession)
    assert isinstance(made, PrunedSession)
    made.pruning = FakePruning()
    return made


ENTRY = "Rensa ändringshistorik …"


def menu(window: MainWindow) -> QMenu:
    window.open_room(office().case)
    view = window.current_room()
    assert view is not None
    view._more.click()
    found = QApplication.activePopupWidget()
    assert isinstance(found, QMenu)
    return found


def entries(window: MainWindow) -> list[str]:
    found = menu(window)
    texts = [action.text() for action in found.actions()]
    found.close()
    return texts


async def opened(window: MainWindow) -> PruneDialog:
    choose(menu(window), ENTRY)
    found = await dialog()
    assert isinstance(found, PruneDialog)
    return found


def words(of: Dialog) -> str:
    QApplication.processEvents()  # what was put into a layout is shown then
    return " ".join(x.text() for x in of.findChildren(QLabel) if x.isVisibleTo(of))


async def turns() -> None:
    await asyncio.sleep(0.02)


@pytest.fixture
def gate(session: PrunedSession) -> Iterator[asyncio.Event]:
    """Holds it in the middle."""
    session.pruning.gate = asyncio.Event()
    yield session.pruning.gate
    session.pruning.gate = None


async def test_it_says_what_goes_what_stays_and_what_is_lacking(window: MainWindow) -> None:
    shown = await opened(window)
    sentence = words(shown)
    for part in (
        "Ingen förlorar något innehåll",
        "Det här är ingen gallring",
        "6\u00a0412 ändringar i 2 dokument och tavlor, cirka 1,2 MB",
        "Utkast till beslut",
        "5\u00a0310 ändringar, cirka 1,1 MB",
        "Utan historik, och får först nuläget att läsa vidare från: Registrator.",
        "Yttrande",
        "från 27 nov",
        "Minnesanteckningar",
        "inte kontrollerat av två andra ännu",
    ):
        assert part in sentence, part
    assert not shown.accept_button.isDefault(), "Enter alone does not do what cannot be undone"
    assert shown.focusWidget() is shown.close_button
    check(shown)
    check_tab(shown)
    shown.reject()


async def test_it_is_cleared_with_progress_and_shown_at_the_end(
    window: MainWindow, session: PrunedSession, gate: asyncio.Event
) -> None:
    shown = await opened(window)
    QTest.keyClick(shown, Qt.Key.Key_Tab)
    shown.accept_button.click()
    await turns()
    assert "Ger nuläget" in words(shown)
    assert not shown.accept_button.isEnabled()
    assert shown.close_button.text() == "Stoppa"
    shown.accept()  # a second press does nothing
    gate.set()
    await turns()
    assert session.pruning.done == 1
    assert words(shown).count("6\u00a0412 ändringar i 2 dokument och tavlor, cirka 1,2 MB") == 1
    assert "har rensats" in words(shown)
    assert shown.accept_button.isHidden()
    assert shown.close_button.text() == "Stäng"
    check_tab(shown)
    shown.close_button.click()
    await turns()
    assert QApplication.activeModalWidget() is None


async def test_esc_stops_it_first_and_closes_then(
    window: MainWindow, session: PrunedSession, gate: asyncio.Event
) -> None:
    shown = await opened(window)
    shown.accept_button.click()
    await turns()
    QTest.keyClick(shown, Qt.Key.Key_Escape)
    await turns()
    assert shown.isVisible()
    assert "Stoppat. Det som hann rensas är rensat." in words(shown)
    assert session.pruning.done == 0
    assert shown.accept_button.isEnabled(), "the rest can be done now"
    assert not shown.progress.isVisible()
    QTest.keyClick(shown, Qt.Key.Key_Escape)
    await turns()
    assert QApplication.activeModalWidget() is None


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(Unreachable("offline"), "Servern svarar inte."), (Refused("early"), "inte en månad gammalt")],
)
async def test_what_went_wrong_is_shown_and_it_can_be_tried_again(
    window: MainWindow, session: PrunedSession, error: Exception, sentence: str
) -> None:
    session.pruning.error = error
    shown = await opened(window)
    shown.accept_button.click()
    await turns()
    assert sentence in shown.error.text()
    shown.accept_button.click()
    await turns()
    assert session.pruning.done == 1
    assert shown.error.isHidden()
    shown.reject()


async def test_without_a_connection_it_says_so_and_goes_on_when_there_is_one(
    window: MainWindow, session: PrunedSession
) -> None:
    session.pruning.planned = replace(PLAN, refusal="unreachable")
    shown = await opened(window)
    assert "Servern svarar inte." in words(shown)
    assert not shown.accept_button.isEnabled()
    session.pruning.planned = PLAN
    session.status_changed.emit()
    caught_up(shown)
    await turns()
    assert shown.accept_button.isEnabled()
    assert "Servern svarar inte." not in words(shown)
    session.pruning.planned = replace(PLAN, ready=())
    session.on_room(office().case)
    caught_up(shown)
    await turns()
    assert not shown.accept_button.isEnabled()
    assert "Inget." in words(shown)
    shown.reject()


async def test_too_few_members_see_why_nothing_is_cleared(window: MainWindow, session: PrunedSession) -> None:
    session.pruning.planned = replace(PLAN, ready=(), newcomers=(), too_few=True)
    shown = await opened(window)
    assert "minst tre deltagare" in words(shown)
    shown.reject()


def test_who_is_no_administrator_is_not_offered_it(window: MainWindow, session: PrunedSession) -> None:
    assert ENTRY in entries(window)
    set_role(session, office().case, (office().me, Role.WRITER))
    assert ENTRY not in entries(window)


def test_the_totals_in_english(session: PrunedSession) -> None:
    set_language("en")
    tools = tool_list(session)
    assert total_text([READY, BOARD_READY], tools) == "6\u00a0412 changes in 2 documents and boards, about 1.2 MB"
    one = replace(READY, items=1, size_bytes=820)
    assert total_text([one], tools) == "1 change in 1 document or board, about 820 B"
