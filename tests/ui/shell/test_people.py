# SPDX-License-Identifier: EUPL-1.2
"""Members: adding from the directory, verifying, changing roles, removing; and what a reader is not offered."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QMenu, QPushButton

from app.core.enums import Role
from app.people.codes import Verdict
from tests.ui.finding import toast_of
from tests.ui.shell.fake_session import FakeSession
from tests.ui.shell.sample import ARCHIVIST, CASE, HEAD, ME, REGISTRAR, member
from tests.ui.soon import caught_up
from tests.ui.walking import check
from tests.world import until
from ui.kit.buttons import RowButton
from ui.kit.chip import Chip
from ui.kit.eliding import elided
from ui.kit.style import ElidedLabel
from ui.shell.room.member_dialogs import AddMemberDialog
from ui.shell.room.member_row import MemberRow
from ui.shell.room.people_panel import PeoplePanel
from ui.shell.room.removal_dialogs import RemovalsDialog, RemoveDialog
from ui.shell.room.verify_dialog import SafetyNumber, VerifyDialog, safety_number_text
from ui.shell.window.main_window import MainWindow


@pytest.fixture
def session(tmp_path: Path) -> FakeSession:
    return FakeSession(tmp_path)


def panel_of(window: MainWindow) -> PeoplePanel:
    """The panel of the case room."""
    window.open_room(CASE)
    view = window.current_room()
    assert view is not None
    return view.panel


def member_menu(panel: PeoplePanel, name: str) -> QMenu:
    """Presses a member's row and returns the menu that opens."""
    row = next(b for b in panel.findChildren(QPushButton) if b.accessibleName().startswith(name))
    row.click()
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def choose(menu: QMenu, text: str) -> None:
    """Chooses an entry and closes the menu."""
    action = next(a for a in menu.actions() if a.text() == text)
    menu.close()
    action.trigger()


async def dialog() -> QDialog:
    """The dialog that just opened."""
    await asyncio.sleep(0.01)
    found = QApplication.activeModalWidget()
    assert isinstance(found, QDialog)
    return found


async def test_a_member_is_added_from_the_directory(window: MainWindow, session: FakeSession) -> None:
    panel_of(window).add()
    opened = await dialog()
    assert isinstance(opened, AddMemberDialog)
    assert not opened.accept_button.isEnabled()
    await opened.search.look_for("ämbetsark")
    assert opened.search.person() == ARCHIVIST
    assert opened.accept_button.isEnabled()
    opened.accept()
    await asyncio.sleep(0.01)
    assert [m.person for m in session.rooms.people[CASE]][-1] == ARCHIVIST
    assert toast_of(window).text() == "Arkivarie har bjudits in."


async def test_members_are_not_found_again(window: MainWindow) -> None:
    panel_of(window).add()
    opened = await dialog()
    assert isinstance(opened, AddMemberDialog)
    await opened.search.look_for("registr")
    assert opened.search.person() is None
    assert not opened.accept_button.isEnabled()
    opened.reject()
    await asyncio.sleep(0.01)


async def test_a_compared_number_is_kept_as_verified(window: MainWindow, session: FakeSession) -> None:
    choose(member_menu(panel_of(window), "Registrator"), "Verifiera …")
    opened = await dialog()
    assert isinstance(opened, VerifyDialog)
    opened.accept()
    await asyncio.sleep(0.01)
    assert session.people.marks == {REGISTRAR.uid: True}


async def test_a_verification_can_be_taken_back(window: MainWindow, session: FakeSession) -> None:
    choose(member_menu(panel_of(window), "Enhetschef"), "Verifiera …")
    (await dialog()).accept()
    await asyncio.sleep(0.01)
    assert session.people.marks == {HEAD.uid: False}


async def test_removing_asks_first(window: MainWindow, session: FakeSession) -> None:
    choose(member_menu(panel_of(window), "Registrator"), "Ta bort från rummet …")
    (await dialog()).accept()
    await asyncio.sleep(0.01)
    assert REGISTRAR not in [m.person for m in session.rooms.people[CASE]]


async def test_a_removal_can_say_why_and_the_list_shows_it(window: MainWindow, session: FakeSession) -> None:
    panel = panel_of(window)
    assert panel.removed_button.isHidden()
    choose(member_menu(panel, "Registrator"), "Ta bort från rummet …")
    opened = await dialog()
    assert isinstance(opened, RemoveDialog)
    opened._reason.setText(" Byter enhet <b>åäö</b> 🙂 ")
    opened.accept()
    await until(lambda: len(session.rooms.gone) == 1)
    caught_up(window)
    assert not panel.removed_button.isHidden()
    session.rooms.gone.append(replace(session.rooms.gone[0], reason=None))
    assert panel.removed_button.text() == "1 borttagen …"
    panel.removed_button.click()
    shown = await dialog()
    assert isinstance(shown, RemovalsDialog)
    check(shown)
    texts = [x.text() for x in shown.findChildren(QLabel)]
    assert "Byter enhet <b>åäö</b> 🙂" in texts
    assert "Du kan inte läsa skälet. Det är krypterat för dem som var medlemmar då." in texts
    shown.accept()


async def test_the_focus_stays_among_the_members_when_one_is_gone(window: MainWindow, session: FakeSession) -> None:
    panel = panel_of(window)
    QApplication.processEvents()
    rows = panel._members.findChildren(RowButton)
    rows[-1].setFocus()
    assert window.focusWidget() is rows[-1]
    gone = session.rooms.people[CASE][-1].person.uid
    await session.rooms.remove(CASE, gone)
    caught_up(window)
    left = panel._members.findChildren(RowButton)
    assert len(left) == len(rows) - 1
    assert window.focusWidget() is left[-1]


def test_a_member_keeps_the_focus_when_another_member_changes(window: MainWindow, session: FakeSession) -> None:
    panel = panel_of(window)
    QApplication.processEvents()
    rows = panel._members.findChildren(RowButton)
    rows[1].setFocus()
    name = rows[1].accessibleName()
    session.rooms.people[CASE][0] = replace(session.rooms.people[CASE][0], role=Role.WRITER)
    session.rooms.people[CASE].append(member(ARCHIVIST, Role.WRITER))
    session.rooms.changed.emit()
    caught_up(window)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert len(panel._members.findChildren(RowButton)) == len(rows) + 1
    assert window.focusWidget() is rows[1]
    assert rows[1].accessibleName() == name


def test_who_has_left_a_room_is_not_offered_to_leave_it(window: MainWindow, session: FakeSession) -> None:
    window.open_room(CASE)
    session.rooms.change(CASE, left=True)
    view = window.current_room()
    assert view is not None
    view._menu()
    menu = next(m for m in view.findChildren(QMenu) if m.isVisible())
    assert {a.text(): a.isEnabled() for a in menu.actions()}["Lämna rummet …"] is False
    menu.close()


async def test_a_role_is_changed(window: MainWindow, session: FakeSession) -> None:
    choose(member_menu(panel_of(window), "Registrator"), "Ändra roll …")
    opened = await dialog()
    opened._role.setCurrentIndex(0)  # type: ignore[attr-defined] # a RoleDialog
    opened.accept()
    await asyncio.sleep(0.01)
    assert [m.role for m in session.rooms.people[CASE] if m.person == REGISTRAR] == [1]


def test_a_reader_is_not_offered_what_only_administrators_may(window: MainWindow, session: FakeSession) -> None:
    session.rooms.people[CASE] = [member(ME, Role.READER), member(HEAD, Role.ADMIN)]
    panel = panel_of(window)
    assert not panel.add_button.isVisible()
    menu = member_menu(panel, "Enhetschef")
    assert "Ta bort från rummet …" not in [a.text() for a in menu.actions()]
    menu.close()


def test_a_safety_number_is_twelve_groups_of_five() -> None:
    lines = safety_number_text("0123456789" * 6).split("\n")
    assert [len(line.split()) for line in lines] == [4, 4, 4]


async def test_the_digits_of_a_safety_number_stand_under_each_other(window: MainWindow) -> None:
    dialog = VerifyDialog(window, HEAD, "1" * 30 + "8" * 30, "kansli:verify", lambda texts: Verdict.NO_CODE)
    dialog.show()
    (number,) = dialog.findChildren(SafetyNumber)
    assert "11111  11111" in number.accessibleDescription()
    metrics = QFontMetricsF(number.typeface)
    assert metrics.horizontalAdvance("11111") == metrics.horizontalAdvance("88888")
    dialog.close()


def test_a_name_is_not_cut_by_what_is_shown_of_its_verification(window: MainWindow, session: FakeSession) -> None:
    panel = panel_of(window)
    name = "Registrator och arkivarie å"
    rows: dict[str, MemberRow] = {}
    for each in session.rooms.members(CASE):
        if not each.person.is_me and each.person.verified:
            for shown in (name, "Ek"):
                row = MemberRow(each, lambda _row, _member: None)
                row.setParent(panel)
                row.resize(276, 34)
                row.show_member(replace(each, person=replace(each.person, name=shown)))
                row.show()
                rows[shown] = row
            break
    QApplication.processEvents()
    labels = {shown: row.findChild(ElidedLabel) for shown, row in rows.items()}
    chips = {shown: row.findChild(Chip) for shown, row in rows.items()}
    for shown in (name, "Ek"):
        label, chip = labels[shown], chips[shown]
        assert label is not None
        assert chip is not None
        assert label.text() == shown
        assert chip.accessibleName() == chip.text() != ""
        assert (chip.width() == chip.full_width()) == (shown == "Ek")
        assert chip.toolTip() == ("" if shown == "Ek" else chip.text())


def test_a_case_number_stays_where_its_title_is_cut(window: MainWindow) -> None:
    metrics = QFontMetricsF(window.font())
    title = "Tillsyn av förskolor i Norrköpings kommun och dess grannar 2026-1184"
    cut = elided(title, metrics, 230)
    assert cut.startswith("Tillsyn av")
    assert cut.endswith("… 2026-1184")
    assert metrics.horizontalAdvance(cut) <= 230
    assert elided("Tillsyn 2026-1184", metrics, 230) == "Tillsyn 2026-1184"
    words = elided("Samråd om vägar och järnvägar i länets norra delar", metrics, 230)
    assert words.endswith("…")
