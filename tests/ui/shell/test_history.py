# SPDX-License-Identifier: EUPL-1.2
"""The whole history for one member: proposed in their menu, approved in the people panel."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QMenu

from app.core.enums import Role
from app.core.ids import Hash
from app.rooms.service import HistoryProposal
from tests.ui.finding import toast_of
from tests.ui.shell.fake_session import FakeSession
from tests.ui.shell.sample import CASE, HEAD, ME, REGISTRAR
from tests.ui.shell.test_people import choose, dialog, member_menu, panel_of
from tests.ui.soon import caught_up
from ui.kit.dialogs import Dialog
from ui.shell.room.history_card import HistoryCard
from ui.shell.room.people_panel import PeoplePanel
from ui.shell.window.main_window import MainWindow


@pytest.fixture
def session(tmp_path: Path) -> FakeSession:
    return FakeSession(tmp_path)


GIVE = "Ge tillgång till hela historiken …"
PROPOSAL = HistoryProposal(ident=Hash(b"p" * 32), subject=REGISTRAR, by=HEAD, approved=False, refusal=None)


@pytest.fixture(autouse=True)
def _registrar_from_now(session: FakeSession) -> None:
    people = session.rooms.people[CASE]
    session.rooms.people[CASE] = [replace(m, history=m.person != REGISTRAR) for m in people]


def propose_by(session: FakeSession, proposal: HistoryProposal) -> None:
    session.rooms.proposals = [proposal]
    session.rooms.notify(CASE)


def card(panel: PeoplePanel) -> HistoryCard:
    caught_up(panel)
    (found,) = panel.findChildren(HistoryCard)
    return found


def words(of: HistoryCard) -> str:
    return " ".join(label.text() for label in of.findChildren(QLabel))


def texts(menu: QMenu) -> list[str]:
    found = [action.text() for action in menu.actions()]
    menu.close()
    return found


async def accept() -> None:
    opened = await dialog()
    assert isinstance(opened, Dialog)
    opened.accept()
    await asyncio.sleep(0.01)


async def test_one_administrator_proposes_it(window: MainWindow, session: FakeSession) -> None:
    panel = panel_of(window)
    menu = member_menu(panel, "Registrator")
    assert "Läser det som skrivits sedan inbjudan" in [a.text() for a in menu.actions()]
    choose(menu, GIVE)
    await accept()
    assert [p.subject for p in session.rooms.proposals] == [REGISTRAR]
    assert "En annan administratör måste godkänna." in words(card(panel))
    assert "Föreslaget" in toast_of(window).text()


async def test_another_sees_the_proposal_and_approves_it(window: MainWindow, session: FakeSession) -> None:
    panel = panel_of(window)
    propose_by(session, PROPOSAL)
    assert "Enhetschef föreslår att Registrator får läsa allt från början." in words(card(panel))
    card(panel).approve_button.click()
    await accept()
    caught_up(panel)
    assert panel.findChildren(HistoryCard) == []
    assert toast_of(window).text() == "Registrator läser allt från början."
    menu = member_menu(panel, "Registrator")
    shown = texts(menu)
    assert "Läser allt från början" in shown
    assert GIVE not in shown


async def test_a_proposal_may_be_left_as_it_is(window: MainWindow, session: FakeSession) -> None:
    panel = panel_of(window)
    propose_by(session, PROPOSAL)
    card(panel).approve_button.click()
    opened = await dialog()
    assert isinstance(opened, QDialog)
    opened.reject()
    await asyncio.sleep(0.01)
    assert session.rooms.proposals == [PROPOSAL]


@pytest.mark.parametrize(
    ("refusal", "sentence"), [("not-seasoned", "sju dagar"), ("not-admin", "Administratörerna bestämmer")]
)
def test_a_member_who_may_not_approve_sees_why(
    window: MainWindow, session: FakeSession, refusal: str, sentence: str
) -> None:
    panel = panel_of(window)
    propose_by(session, replace(PROPOSAL, refusal=refusal))
    assert sentence in words(card(panel))
    assert card(panel).approve_button.isHidden()


def test_a_room_with_one_administrator_says_so(window: MainWindow, session: FakeSession) -> None:
    session.rooms.refusal = "one-admin"
    menu = member_menu(panel_of(window), "Registrator")
    give = next(a for a in menu.actions() if a.text() == GIVE)
    assert not give.isEnabled()
    assert "Kräver två administratörer, och rummet har en." in texts(menu)


def test_a_writer_is_not_offered_it(window: MainWindow, session: FakeSession) -> None:
    people = session.rooms.people[CASE]
    session.rooms.people[CASE] = [replace(m, role=Role.WRITER) if m.person == ME else m for m in people]
    assert GIVE not in texts(member_menu(panel_of(window), "Registrator"))
    assert QApplication.activePopupWidget() is None
