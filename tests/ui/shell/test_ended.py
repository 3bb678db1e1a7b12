# SPDX-License-Identifier: EUPL-1.2
"""An account that the agency ended, and two in one name: shown plainly, and nobody is added over it unseen."""

import pytest
from PySide6.QtWidgets import QApplication, QLabel

from app.session import Session
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from tests.ui.shell.kept_office import office
from tests.ui.shell.sample import at
from tests.ui.shell.served import Served
from tests.ui.shell.test_people import dialog, members_of, panel_of
from tests.ui.walking import check
from tests.world import until
from ui.shell.room.duplicate_accounts import DuplicateAccountsDialog
from ui.shell.room.member_dialogs import AddMemberDialog
from ui.shell.window.main_window import MainWindow


async def asked_about(window: MainWindow, opened: AddMemberDialog) -> DuplicateAccountsDialog:
    """Accepts the dialog, and waits for the question about the second account."""
    opened.accept()
    await until(lambda: any(d.isVisible() for d in window.findChildren(DuplicateAccountsDialog)))
    return next(d for d in window.findChildren(DuplicateAccountsDialog) if d.isVisible())


@pytest.mark.usefixtures("connected")
async def test_two_accounts_in_one_name_are_both_named_before_one_is_added(
    window: MainWindow, session: Session, served: Served
) -> None:
    archivist = office().archivist
    (twin,) = await served.w.hire(archivist.name, unit=archivist.unit)
    panel_of(window).add()
    opened = await dialog()
    assert isinstance(opened, AddMemberDialog)
    await opened.search.look_for("ämbetsark")
    opened.accept_button.setFocus()
    asked = await asked_about(window, opened)
    check(asked)
    shown = " ".join(x.text() for x in asked.findChildren(QLabel))
    for uid in (archivist.uid, twin.uid):
        assert f"{uid.hex()[:4]} {uid.hex()[4:8]}" in shown
    assert not asked.accept_button.isDefault()
    asked.reject()
    await until(lambda: not opened.is_working)
    assert "Arkivarie" not in members_of(session)
    assert (opened.isVisible(), opened.error.isVisible()) == (True, False), "another person can be chosen"
    assert opened.search.person() is not None
    assert opened.focusWidget() is opened.accept_button
    asked = await asked_about(window, opened)
    asked.accept()
    await until(lambda: "Arkivarie" in members_of(session))
    await until(lambda: QApplication.activeModalWidget() is None)


async def test_the_panel_says_whose_account_was_ended(window: MainWindow, session: Session) -> None:
    registrar = office().registrar.uid
    ended = RoomEvent(n=1000, t=at(9, 0, 20), kind="reset", by=office().head.uid, subject=registrar)
    session.store.receive(ReceivedSlice(room=office().case, events=[ended], gone=[registrar]))
    panel = panel_of(window)
    shown = " ".join(x.text() for x in panel.findChildren(QLabel))
    assert "Registrator är inte längre med i rummet" in shown
    assert "20 nov" in shown
    check(window)
