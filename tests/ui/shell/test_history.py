# SPDX-License-Identifier: EUPL-1.2
"""The whole history for one member: proposed in their menu, approved in the people panel."""

import pytest
import pytest_asyncio
from PySide6.QtWidgets import QApplication, QLabel, QMenu

from app.core.enums import Role
from app.core.ids import Uid
from app.session import Session
from tests.ui.finding import toast_of
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import ME, set_role
from tests.ui.shell.served import Served
from tests.ui.shell.test_people import choose, dialog, member_menu, panel_of
from tests.ui.soon import caught_up
from tests.world import until
from ui.kit.dialogs import Dialog
from ui.shell.room.history_card import HistoryCard
from ui.shell.room.people_panel import PeoplePanel
from ui.shell.window.main_window import MainWindow

GIVE = "Ge tillgång till hela historiken …"
pytestmark = pytest.mark.usefixtures("connected")


@pytest_asyncio.fixture
async def connected(served: Served) -> Session:
    """The registrar is added again to the case room, and reads it from now on."""
    session = await served.open(ME)
    room, registrar = office().case, office().registrar.uid
    await session.rooms.remove(room, registrar)
    await session.rooms.add(room, registrar, Role.WRITER, False)
    await until(lambda: history_of(session, registrar) is False)
    return session


def history_of(session: Session, uid: Uid) -> bool | None:
    """Whether a member of the case room reads its whole history; None for no member."""
    return next((m.history for m in session.rooms.members(office().case) if m.person.uid == uid), None)


async def propose_by_head(served: Served, session: Session) -> None:
    """The head proposes it, and this person receives the proposal."""
    head = await served.open("Enhetschef")
    await until(lambda: history_of(head, office().registrar.uid) is False)
    await head.rooms.propose_history(office().case, office().registrar.uid)
    await until(lambda: bool(session.rooms.history_proposals(office().case)))


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


async def test_one_administrator_proposes_it(window: MainWindow, session: Session) -> None:
    panel = panel_of(window)
    menu = member_menu(panel, "Registrator")
    assert "Läser det som skrivits sedan inbjudan" in [a.text() for a in menu.actions()]
    choose(menu, GIVE)
    await accept()
    await until(lambda: "Föreslaget" in toast_of(window).text())
    assert [p.subject.name for p in session.rooms.history_proposals(office().case)] == ["Registrator"]
    assert "En annan administratör måste godkänna." in words(card(panel))


async def test_another_sees_the_proposal_and_approves_it(window: MainWindow, session: Session, served: Served) -> None:
    panel = panel_of(window)
    await propose_by_head(served, session)
    assert "Enhetschef föreslår att Registrator får läsa allt från början." in words(card(panel))
    card(panel).approve_button.click()
    await accept()
    await until(lambda: history_of(session, office().registrar.uid) is True)
    await until(lambda: toast_of(window).text() == "Registrator läser allt från början.")
    caught_up(panel)
    assert panel.findChildren(HistoryCard) == []
    menu = member_menu(panel, "Registrator")
    shown = texts(menu)
    assert "Läser allt från början" in shown
    assert GIVE not in shown


async def test_a_proposal_may_be_left_as_it_is(window: MainWindow, session: Session, served: Served) -> None:
    panel = panel_of(window)
    await propose_by_head(served, session)
    before = session.rooms.history_proposals(office().case)
    card(panel).approve_button.click()
    opened = await dialog()
    opened.reject()
    await until(lambda: not opened.isVisible())
    assert session.rooms.history_proposals(office().case) == before


@pytest.mark.parametrize(
    ("refusal", "sentence"), [("not-seasoned", "sju dagar"), ("not-admin", "Administratörerna bestämmer")]
)
async def test_a_member_who_may_not_approve_sees_why(
    window: MainWindow, session: Session, served: Served, refusal: str, sentence: str
) -> None:
    panel = panel_of(window)
    await propose_by_head(served, session)
    head = served.sessions[-1]
    await session.rooms.set_role(office().case, office().head.uid, Role.OWNER)
    await head.rooms.set_role(office().case, office().me.uid, Role.WRITER)
    if refusal == "not-seasoned":
        await head.rooms.set_role(office().case, office().me.uid, Role.ADMIN)
    await until(lambda: [p.refusal for p in session.rooms.history_proposals(office().case)] == [refusal])
    assert sentence in words(card(panel))
    assert card(panel).approve_button.isHidden()


async def test_a_room_with_one_administrator_says_so(window: MainWindow, session: Session) -> None:
    await session.rooms.set_role(office().case, office().head.uid, Role.WRITER)
    await until(lambda: session.rooms.history_refusal(office().case, office().registrar.uid) == "one-admin")
    menu = member_menu(panel_of(window), "Registrator")
    give = next(a for a in menu.actions() if a.text() == GIVE)
    assert not give.isEnabled()
    assert "Kräver två administratörer, och rummet har en." in texts(menu)


async def test_a_writer_is_not_offered_it(window: MainWindow, session: Session) -> None:
    set_role(session, office().case, (office().me, Role.WRITER))
    assert GIVE not in texts(member_menu(panel_of(window), "Registrator"))
    assert QApplication.activePopupWidget() is None
