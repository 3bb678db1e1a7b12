# SPDX-License-Identifier: EUPL-1.2
"""Members: adding from the directory, verifying, changing roles, removing; and what a reader is not offered."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QMenu, QPushButton

from app.core.enums import Role
from app.people.codes import Verdict
from app.people.person import Person, Verified
from app.session import Session
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from sync.trust.room.removal_notes import EncryptedNote
from tests.ui.finding import toast_of
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import remove, set_role
from tests.ui.shell.sample import at
from tests.ui.soon import caught_up
from tests.ui.walking import check
from tests.world import until
from ui.kit.buttons import RowButton
from ui.kit.chip import Chip
from ui.kit.eliding import elided
from ui.kit.style import ElidedLabel
from ui.shell.room.member_dialogs import AddMemberDialog, RoleDialog
from ui.shell.room.member_row import MemberRow
from ui.shell.room.people_panel import PeoplePanel
from ui.shell.room.removal_dialogs import RemovalsDialog, RemoveDialog
from ui.shell.room.verify_dialog import SafetyNumber, VerifyDialog, safety_number_text
from ui.shell.window.main_window import MainWindow


def panel_of(window: MainWindow) -> PeoplePanel:
    """The panel of the case room."""
    window.open_room(office().case)
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
    await until(lambda: isinstance(QApplication.activeModalWidget(), QDialog))
    found = QApplication.activeModalWidget()
    assert isinstance(found, QDialog)
    return found


def members_of(session: Session) -> list[str]:
    """The names of the case room's members."""
    return [member.person.name for member in session.rooms.members(office().case)]


def sure_of(session: Session, person: Person) -> Verified:
    """How surely the person's keys are theirs."""
    return session.people.person(person.uid).verified


@pytest.mark.usefixtures("connected")
async def test_a_member_is_added_from_the_directory(window: MainWindow, session: Session) -> None:
    panel_of(window).add()
    opened = await dialog()
    assert isinstance(opened, AddMemberDialog)
    assert not opened.accept_button.isEnabled()
    await opened.search.look_for("ämbetsark")
    found = opened.search.person()
    assert found is not None
    assert found.uid == office().archivist.uid
    assert opened.accept_button.isEnabled()
    opened.accept()
    await until(lambda: toast_of(window).isVisible())
    assert members_of(session)[-1] == "Arkivarie"
    assert toast_of(window).text() == "Arkivarie har bjudits in."


@pytest.mark.usefixtures("connected")
async def test_members_are_not_found_again(window: MainWindow) -> None:
    panel_of(window).add()
    opened = await dialog()
    assert isinstance(opened, AddMemberDialog)
    await opened.search.look_for("registr")
    assert opened.search.person() is None
    assert not opened.accept_button.isEnabled()
    opened.reject()
    await until(lambda: not opened.isVisible())


async def test_a_compared_number_is_kept_as_verified(window: MainWindow, session: Session) -> None:
    choose(member_menu(panel_of(window), "Registrator"), "Verifiera …")
    opened = await dialog()
    assert isinstance(opened, VerifyDialog)
    opened.accept()
    await until(lambda: sure_of(session, office().registrar) is Verified.IN_PERSON)


async def test_a_verification_can_be_taken_back(window: MainWindow, session: Session) -> None:
    choose(member_menu(panel_of(window), "Enhetschef"), "Verifiera …")
    (await dialog()).accept()
    await until(lambda: sure_of(session, office().head) is Verified.AGENCY)


@pytest.mark.usefixtures("connected")
async def test_removing_asks_first(window: MainWindow, session: Session) -> None:
    choose(member_menu(panel_of(window), "Registrator"), "Ta bort från rummet …")
    (await dialog()).accept()
    await until(lambda: members_of(session) == ["Handläggare", "Enhetschef"])


@pytest.mark.usefixtures("connected")
async def test_a_removal_can_say_why_and_the_list_shows_it(window: MainWindow, session: Session) -> None:
    panel = panel_of(window)
    assert panel.removed_button.isHidden()
    choose(member_menu(panel, "Registrator"), "Ta bort från rummet …")
    opened = await dialog()
    assert isinstance(opened, RemoveDialog)
    opened._reason.setText(" Byter enhet <b>åäö</b> 🙂 ")
    opened.accept()
    await until(lambda: [found.reason for found in session.rooms.removals(office().case)] not in ([], [None]))
    await until(opened.isHidden)
    caught_up(window)
    assert not panel.removed_button.isHidden()
    assert panel.removed_button.text() == "1 borttagen …"
    head, archivist = office().head.uid, office().archivist.uid
    note = EncryptedNote(epoch=99, by=head, subject=archivist, sealed=bytes(64)).encode()  # of a key that is not here
    before = RoomEvent(n=1000, t=at(9, 0), kind="rm", by=head, subject=archivist, note=note)
    session.store.receive(ReceivedSlice(room=office().case, events=[before]))
    panel.removed_button.click()
    shown = await dialog()
    assert isinstance(shown, RemovalsDialog)
    check(shown)
    texts = [x.text() for x in shown.findChildren(QLabel)]
    assert "Byter enhet <b>åäö</b> 🙂" in texts
    assert "Du kan inte läsa skälet. Det är krypterat för dem som var deltagare då." in texts
    shown.accept()


async def test_the_focus_stays_among_the_members_when_one_is_gone(window: MainWindow, session: Session) -> None:
    panel = panel_of(window)
    QApplication.processEvents()
    rows = panel._members.findChildren(RowButton)
    rows[-1].setFocus()
    assert window.focusWidget() is rows[-1]
    remove(session, office().case, office().registrar)
    caught_up(window)
    left = panel._members.findChildren(RowButton)
    assert len(left) == len(rows) - 1
    assert window.focusWidget() is left[-1]


def test_a_member_keeps_the_focus_when_another_member_changes(window: MainWindow, session: Session) -> None:
    panel = panel_of(window)
    QApplication.processEvents()
    rows = panel._members.findChildren(RowButton)
    rows[1].setFocus()
    name = rows[1].accessibleName()
    set_role(session, office().case, (office().me, Role.WRITER), (office().archivist, Role.WRITER))
    caught_up(window)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert len(panel._members.findChildren(RowButton)) == len(rows) + 1
    assert window.focusWidget() is rows[1]
    assert rows[1].accessibleName() == name


def test_who_has_left_a_room_is_not_offered_to_leave_it(window: MainWindow, session: Session) -> None:
    window.open_room(office().case)
    remove(session, office().case, office().me)
    view = window.current_room()
    assert view is not None
    view._menu()
    menu = next(m for m in view.findChildren(QMenu) if m.isVisible())
    assert {a.text(): a.isEnabled() for a in menu.actions()}["Lämna rummet …"] is False
    menu.close()


@pytest.mark.usefixtures("connected")
async def test_a_role_is_changed(window: MainWindow, session: Session) -> None:
    choose(member_menu(panel_of(window), "Registrator"), "Ändra roll …")
    opened = await dialog()
    opened._role.setCurrentIndex(0)  # type: ignore[attr-defined] # a RoleDialog
    opened.accept()
    await until(lambda: [m.role for m in session.rooms.members(office().case)][-1] is Role.READER)


def test_a_reader_is_not_offered_what_only_administrators_may(window: MainWindow, session: Session) -> None:
    set_role(session, office().case, (office().me, Role.READER))
    panel = panel_of(window)
    assert not panel.add_button.isVisible()
    menu = member_menu(panel, "Enhetschef")
    assert "Ta bort från rummet …" not in [a.text() for a in menu.actions()]
    menu.close()


def test_a_safety_number_is_twelve_groups_of_five() -> None:
    lines = safety_number_text("0123456789" * 6).split("\n")
    assert [len(line.split()) for line in lines] == [4, 4, 4]


async def test_the_digits_of_a_safety_number_stand_under_each_other(window: MainWindow) -> None:
    dialog = VerifyDialog(window, office().head, "1" * 30 + "8" * 30, "kansli:verify", lambda texts: Verdict.NO_CODE)
    dialog.show()
    (number,) = dialog.findChildren(SafetyNumber)
    assert "11111  11111" in number.accessibleDescription()
    metrics = QFontMetricsF(number.typeface)
    assert metrics.horizontalAdvance("11111") == metrics.horizontalAdvance("88888")
    dialog.close()


def test_a_name_is_not_cut_by_what_is_shown_of_its_verification(window: MainWindow, session: Session) -> None:
    panel = panel_of(window)
    name = "Registrator och arkivarie å"
    rows: dict[str, MemberRow] = {}
    for each in session.rooms.members(office().case):
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


def test_who_is_no_member_any_more_gives_no_roles(window: MainWindow, session: Session) -> None:
    rooms, case, registrar = session.rooms, office().case, office().registrar
    for opened in (
        RoleDialog(window, registrar, Role.WRITER, None, lambda role: rooms.set_role(case, registrar.uid, role)),
        AddMemberDialog(
            window, session.people, set(), None, lambda asked, person: rooms.add(case, person.uid, asked.role, True)
        ),
    ):
        opened.show()
        assert not opened.accept_button.isEnabled()
        opened.close()
