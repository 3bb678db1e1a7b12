# SPDX-License-Identifier: EUPL-1.2
"""An account that the agency ended, and two in one name: shown plainly, and nobody is added over it unseen."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel

from app.core.ids import Uid
from app.rooms.service import EndedMember
from tests.ui.shell.fake_session import FakeSession
from tests.ui.shell.sample import ARCHIVIST, CASE, REGISTRAR, at
from tests.ui.shell.test_people import dialog, panel_of
from tests.ui.walking import check
from tests.world import until
from ui.shell.room.duplicate_accounts import DuplicateAccountsDialog
from ui.shell.room.member_dialogs import AddMemberDialog
from ui.shell.window.main_window import MainWindow


@pytest.fixture
def session(tmp_path: Path) -> FakeSession:
    return FakeSession(tmp_path)


TWIN = replace(ARCHIVIST, uid=Uid(bytes(range(16))))


async def add_archivist(window: MainWindow) -> DuplicateAccountsDialog:
    panel_of(window).add()
    opened = await dialog()
    assert isinstance(opened, AddMemberDialog)
    await opened.search.look_for("ämbetsark")
    opened.accept()
    await until(lambda: any(d.isVisible() for d in window.findChildren(DuplicateAccountsDialog)))
    return next(d for d in window.findChildren(DuplicateAccountsDialog) if d.isVisible())


async def test_two_accounts_in_one_name_are_both_named_before_one_is_added(
    window: MainWindow, session: FakeSession
) -> None:
    session.people.others_alike = [TWIN]
    asked = await add_archivist(window)
    check(asked)
    shown = " ".join(x.text() for x in asked.findChildren(QLabel))
    assert "0505 0505" in shown
    assert "0001 0203" in shown
    assert not asked.accept_button.isDefault()
    asked.reject()
    await asyncio.sleep(0.02)
    assert ARCHIVIST not in [m.person for m in session.rooms.people[CASE]]
    asked = await add_archivist(window)
    asked.accept()
    await until(lambda: ARCHIVIST in [m.person for m in session.rooms.people[CASE]])


async def test_the_panel_says_whose_account_was_ended(window: MainWindow, session: FakeSession) -> None:
    session.rooms.over = [EndedMember(person=REGISTRAR, t_ms=at(9, 0, 20))]
    panel = panel_of(window)
    shown = " ".join(x.text() for x in panel.findChildren(QLabel))
    assert "Registrator är inte längre med i rummet" in shown
    assert "20 nov" in shown
    check(window)
