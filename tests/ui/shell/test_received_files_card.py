# SPDX-License-Identifier: EUPL-1.2
"""Received files in the settings: what is shown, what is removed, and by which keys."""

import hashlib
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel
from pytestqt.qtbot import QtBot

from app.core.at_rest import AtRest
from app.core.ids import PartId, new_id, new_obj
from app.session import Session
from app.settings import ALLOW_EXPORT, RECEIVED_FILES_MB
from app.store.cached_parts import WantedPart
from tests.ui.finding import toast_of
from tests.ui.shell.opened_office import open_session
from tests.ui.soon import caught_up
from tests.ui.walking import check, check_tab
from tests.world import until
from ui.kit.dialogs import Dialog
from ui.shell.settings.received_files_card import ReceivedFilesCard
from ui.shell.settings.settings_view import SettingsView
from ui.shell.window.main_window import MainWindow


async def keep(session: Session, size: int, *, pinned: bool = False) -> None:
    """Has a part of `size` bytes received in one of the session's rooms."""
    sealed = new_id() * (size // 16)
    digest, room = hashlib.sha256(sealed).digest(), session.rooms.rooms()[0].room
    wanted = WantedPart(part=PartId(new_id()), room=room, obj=new_obj(), digest=digest, size=size)
    if pinned:
        session.store.cached.pin([wanted])
    session.store.cached.reserve(wanted)
    await session.store.cached.keep(digest, sealed)
    await session.store.cache_upkeep.tidy()


def shown(qtbot: QtBot, session: Session) -> ReceivedFilesCard:
    view = SettingsView(session)
    qtbot.addWidget(view)
    view.show()
    return view.received_files


def texts(card: ReceivedFilesCard) -> list[str]:
    QApplication.processEvents()
    caught_up(card)
    return [text.text() for text in card.findChildren(QLabel) if text.isVisible()]


def is_offered(card: ReceivedFilesCard) -> bool:
    """Whether the card offers to remove also what is kept on the computer."""
    QApplication.processEvents()
    caught_up(card)
    return card.empty_all.isVisible()


def asked(card: ReceivedFilesCard) -> list[Dialog]:
    """The dialogs that are open."""
    QApplication.processEvents()
    return [dialog for dialog in card.window().findChildren(Dialog) if dialog.isVisible()]


async def test_it_shows_how_much_is_here_and_how_much_may_be(qtbot: QtBot, session: Session) -> None:
    session.settings.set(RECEIVED_FILES_MB, 5000)
    card = shown(qtbot, session)
    await keep(session, 1_600_000)
    await keep(session, 800_000, pinned=True)
    await until(lambda: "Mottagna filer: 2,4 MB av 5,0 GB" in texts(card))
    assert "800 kB av dem behålls på datorn och tas bara bort om du säger till." in texts(card)
    assert not any("full" in text for text in texts(card))


async def test_removing_leaves_what_is_kept_and_says_so(qtbot: QtBot, session: Session, window: MainWindow) -> None:
    window.go_section("settings")
    card = window.settings_view.received_files
    await keep(session, 1_600_000)
    await keep(session, 800_000, pinned=True)
    await until(lambda: is_offered(card))
    card.empty.setFocus()
    QTest.keyClick(card.empty, Qt.Key.Key_Space)
    await until(lambda: session.files.cached_bytes().used == 800_000)
    await until(lambda: is_offered(card) and not card.empty.isEnabled())
    assert toast_of(window).text() == "Mottagna filer har tagits bort. 800 kB som behålls på datorn är kvar."


@pytest.mark.parametrize("accept", [False, True])
async def test_what_is_kept_is_removed_only_after_a_question(qtbot: QtBot, session: Session, accept: bool) -> None:
    card = shown(qtbot, session)
    await keep(session, 800_000, pinned=True)
    await until(lambda: is_offered(card))
    card.empty_all.click()
    await until(lambda: bool(asked(card)))
    (dialog,) = asked(card)
    (dialog.accept if accept else dialog.reject)()
    await until(lambda: not asked(card))
    await until(lambda: session.files.cached_bytes().used == (0 if accept else 800_000))
    await until(lambda: is_offered(card) is not accept)


async def test_a_full_disk_names_what_is_kept(qtbot: QtBot, session: Session) -> None:
    card = shown(qtbot, session)
    session.store.cache_upkeep.low_bytes = 10**18  # the disk counts as full
    await keep(session, 800_000, pinned=True)
    await until(lambda: any(text.startswith("Disken är full.") for text in texts(card)))


async def test_the_limit_is_chosen_here_and_counts_at_once(qtbot: QtBot, session: Session) -> None:
    card = shown(qtbot, session)
    await keep(session, 1_600_000)
    (box,) = card.findChildren(QComboBox)
    assert box.currentText() == "2 GB, högst 5 % av ledigt utrymme"
    box.setCurrentIndex(box.findData(0))
    box.activated.emit(box.currentIndex())
    await session.store.cache_upkeep.tidy()
    assert session.files.cached_bytes().used == 0
    await until(lambda: "Mottagna filer: 0 B" in texts(card))


def test_it_says_whether_what_other_programs_open_is_encrypted(
    qtbot: QtBot, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = shown(qtbot, session)
    endings = {
        AtRest.MEMORY: "minne och inte i klartext på någon disk.",
        AtRest.SWAPPED: "minne, som systemet kan skriva till en disk som kanske inte är krypterad.",
        AtRest.ENCRYPTED: "på en krypterad disk.",
        AtRest.CLEAR: "på en disk som systemet inte krypterar.",
        AtRest.UNKNOWN: "på en disk, och Kansli kan inte se om den är krypterad.",
    }
    assert any(text.endswith(endings[session.copies.at_rest()]) for text in texts(card))
    for state, ending in endings.items():
        monkeypatch.setattr(session.copies, "at_rest", partial(AtRest, state))
        card.hide()
        card.show()
        assert any(text.endswith(ending) for text in texts(card))


def test_it_says_nothing_of_other_programs_where_policy_keeps_files_in_kansli(qtbot: QtBot, tmp_path: Path) -> None:
    card = shown(qtbot, open_session(tmp_path / "styrd", {ALLOW_EXPORT.key: False}))
    assert not any("andra program" in text for text in texts(card))


def test_everything_is_named_and_reached_by_keyboard(qtbot: QtBot, session: Session) -> None:
    card = shown(qtbot, session)
    card.empty_all.show()
    card.empty.setEnabled(True)
    check(card)
    check_tab(card.window())


@pytest.fixture(autouse=True)
def low(session: Session) -> None:
    """The disk counts as full only where a test says so."""
    session.store.cache_upkeep.low_bytes = 0
