# SPDX-License-Identifier: EUPL-1.2
"""About Kansli, and the list of its parts and licences."""

from collections.abc import AsyncIterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.licences import PROGRAM, Component
from app.session import Session
from tests.ui.walking import check, check_tab
from tests.world import until
from ui.shell.settings.about_card import AboutCard
from ui.shell.settings.licences_dialog import LicencesDialog
from ui.shell.settings.settings_view import SettingsView

PARTS = (
    Component(name="Kansli", version="0.1.0", licence="EUPL-1.2", texts=("the EUPL",)),
    Component(name="Qt", version="6.11.3", licence="LGPL-3.0-only OR GPL-3.0-only", texts=("the LGPL", "the GPL")),
    Component(name="sqlcipher3", version="0.6.4", licence="Zlib", texts=("zlib's text",)),
    Component(name="OpenSSL", version="3.6.0", licence="Apache-2.0", texts=("Apache's text",), within="sqlcipher3"),
    Component(name="runtime", version="", licence="LicenseRef-vendor"),
)


@pytest.fixture
async def dialog(qtbot: QtBot) -> AsyncIterator[LicencesDialog]:
    """Filled, over a window that lives as long."""
    window = QWidget()
    window.resize(1440, 900)
    qtbot.addWidget(window)
    window.show()
    made = LicencesDialog(window, lambda: PARTS)
    made.open()
    made.activateWindow()
    await until(lambda: bool(made.list.rows.rows))
    yield made
    window.close()


async def test_the_first_part_is_shown_with_licence_and_text(dialog: LicencesDialog) -> None:
    assert [row.title for row in dialog.list.rows.rows] == [part.name for part in PARTS]
    assert dialog.title.text() == "Kansli 0.1.0"
    assert dialog.licence.text() == "EUPL-1.2"
    assert dialog.text.toPlainText() == "the EUPL"
    assert dialog.note.text() == "5 delar"
    assert not dialog.notice.isVisible()


async def test_typing_finds_and_the_arrow_keys_choose_from_the_search_line(dialog: LicencesDialog) -> None:
    QTest.keyClicks(dialog.field, "sqlcipher")
    assert [row.title for row in dialog.list.rows.rows] == ["sqlcipher3", "OpenSSL"]
    QTest.keyClick(dialog.field, Qt.Key.Key_Down)
    assert dialog.title.text() == "OpenSSL 3.6.0"
    assert dialog.licence.text() == "Apache-2.0 · i sqlcipher3"
    assert "OpenSSL" in dialog.field.accessibleDescription()
    QTest.keyClicks(dialog.field, " xyz")
    assert (dialog.note.text(), dialog.title.text(), dialog.text.toPlainText()) == ("0 delar", "", "")


async def test_of_qt_it_says_how_its_libraries_are_exchanged(dialog: LicencesDialog) -> None:
    dialog.field.setText("qt")
    assert dialog.notice.isVisible()
    assert "PySide6/Qt/lib" in dialog.notice.text()
    assert "download.qt.io" in dialog.notice.text()
    assert "the LGPL" in dialog.text.toPlainText()
    assert "the GPL" in dialog.text.toPlainText()


async def test_a_part_without_text_says_so(dialog: LicencesDialog) -> None:
    dialog.field.setText("runtime")
    assert dialog.text.toPlainText().startswith("Tillverkaren")


async def test_the_dialog_is_worked_by_keyboard_and_named_for_a_screen_reader(dialog: LicencesDialog) -> None:
    check(dialog)
    check_tab(dialog)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


async def test_what_cannot_be_read_is_shown(qtbot: QtBot) -> None:
    def broken() -> tuple[Component, ...]:
        raise ValueError("no list of licences")

    made = LicencesDialog(None, broken)
    qtbot.addWidget(made)
    before = made.note.text()
    await until(lambda: made.note.text() != before)
    assert made.note.text()


async def test_about_shows_the_version_and_opens_the_list(qtbot: QtBot, session: Session) -> None:
    view = SettingsView(session)
    qtbot.addWidget(view)
    view.show()
    assert any(f"Kansli {PROGRAM}" in x.text() for x in view.about.findChildren(QLabel))
    view.about.licences_button.click()
    await until(lambda: bool(view.findChildren(LicencesDialog)))
    (opened,) = view.findChildren(LicencesDialog)
    await until(lambda: bool(opened.list.rows.rows))
    assert opened.title.text() == f"Kansli {PROGRAM}"
    opened.reject()


def test_the_card_itself_reads_nothing(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.shell.settings.about_card.load", lambda: pytest.fail("read before it was asked for"))
    qtbot.addWidget(AboutCard(dict))
