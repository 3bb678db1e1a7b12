# SPDX-License-Identifier: EUPL-1.2
"""Dialogs as coroutines, and what they leave behind."""

import asyncio
import gc
import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QDir, QEvent, QPoint, QSettings, Qt
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from tests.world import until
from ui.kit.dialogs import Dialog, open_file, open_files, save_file, show


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Where Qt would keep settings of its own."""
    folder = tmp_path / "config"
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(folder))
    return folder


async def test_a_visited_folders_name_is_written_nowhere(qtbot: QtBot, tmp_path: Path, kept: Path) -> None:
    visited = tmp_path / "ärende"
    visited.mkdir()
    parent = QWidget()
    qtbot.addWidget(parent)
    saving = asyncio.ensure_future(save_file(parent, "Spara fil", "beslut.txt"))
    await until(lambda: parent.findChild(QFileDialog) is not None)
    dialog = parent.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    dialog.setDirectory(QDir(str(visited)))
    dialog.accept()
    assert await saving == visited / "beslut.txt"
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)  # it is as it ends that the dialog writes
    assert not kept.exists()  # noqa: ASYNC240 - one look


async def test_files_are_chosen_among_ones_own_and_not_where_the_program_was_started(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    asking = asyncio.ensure_future(open_files(parent, "Bifoga filer"))
    await until(lambda: parent.findChild(QFileDialog) is not None)
    dialog = parent.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    assert dialog.directory() != QDir.current()
    dialog.reject()
    assert await asking == []


async def shown_dialog(parent: QWidget) -> QFileDialog:
    """The file dialog that is open now."""

    def find() -> QFileDialog | None:
        return next((dialog for dialog in parent.findChildren(QFileDialog) if dialog.isVisible()), None)

    await until(lambda: find() is not None)
    dialog = find()
    assert dialog is not None
    return dialog


async def test_a_file_dialog_begins_in_the_folder_that_was_used_last(qtbot: QtBot, tmp_path: Path, kept: Path) -> None:
    first, other = tmp_path / "ärende å", tmp_path / "akt"
    for folder in (first, other):
        folder.mkdir()
        (folder / "bilaga.txt").write_text("å")
    parent = QWidget()
    qtbot.addWidget(parent)
    saving = asyncio.ensure_future(save_file(parent, "Exportera", "beslut.txt"))
    dialog = await shown_dialog(parent)
    dialog.setDirectory(QDir(str(first)))
    dialog.accept()
    assert await saving == first / "beslut.txt"

    choosing = asyncio.ensure_future(open_files(parent, "Importera"))
    dialog = await shown_dialog(parent)
    assert dialog.directory() == QDir(str(first))
    dialog.setDirectory(QDir(str(other)))
    dialog.reject()
    assert await choosing == []

    choosing = asyncio.ensure_future(open_files(parent, "Bifoga filer"))
    dialog = await shown_dialog(parent)
    assert dialog.directory() == QDir(str(first))  # one looked elsewhere and took nothing
    dialog.setDirectory(QDir(str(other)))
    dialog.selectFile("bilaga.txt")
    dialog.accept()
    assert await choosing == [other / "bilaga.txt"]

    opening = asyncio.ensure_future(open_file(parent, "Öppna"))
    dialog = await shown_dialog(parent)
    assert dialog.directory() == QDir(str(other))
    dialog.reject()
    assert await opening is None

    shutil.rmtree(other)
    opening = asyncio.ensure_future(open_file(parent, "Öppna"))
    dialog = await shown_dialog(parent)
    assert dialog.directory() != QDir(str(other))
    assert dialog.directory() != QDir.current()
    dialog.reject()
    await opening
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert not kept.exists()  # noqa: ASYNC240 - one look


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    """A shown window."""
    made = QWidget()
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.mark.parametrize("title", ["Kort", "Vilket ärenderum hör Skyddade personuppgifter å 🙂 till? " * 3])
def test_a_long_heading_takes_no_room_from_the_content(window: QWidget, title: str) -> None:
    window.resize(900, 800)
    made = Dialog(window, title, accept="Koppla ihop")
    made.add_text("Rummet visas då under det igen. Ingens deltagande ändras. " * 3)
    last = made.add_text("Det gäller när båda har sagt det: en administratör och en ägare. " * 2)
    made.show()
    QApplication.processEvents()
    below = last.mapTo(made, last.rect().bottomLeft()).y()
    assert made.buttons.mapTo(made, QPoint(0, 0)).y() - below >= 16
    assert last.height() >= last.heightForWidth(last.width())
    made.close()


def over(window: QWidget, height: int, *, paragraphs: int) -> Dialog:
    """A shown dialog over the window, which is that high."""
    window.resize(900, height)
    made = Dialog(window, "Rubrik", accept="Stäng")
    for n in range(paragraphs):
        made.add_text(f"Stycke {n}: handlingen är inkommen och diarieförd, och ska läsas av två. " * 2)
    made.show()
    QApplication.processEvents()
    return made


def seen(part: QWidget) -> bool:
    """Whether all of it is in sight."""
    return part.visibleRegion().boundingRect() == part.rect()


def test_a_dialog_is_as_high_as_what_it_shows_at_the_moment(window: QWidget) -> None:
    dialog = over(window, 900, paragraphs=3)
    texts = [x for x in dialog.findChildren(QLabel) if x.text().startswith("Stycke")]
    before = dialog.height()
    texts[1].hide()
    QApplication.processEvents()
    assert dialog.height() < before
    error = dialog.add_error()
    error.show_text("Servern svarar inte. Försök igen om en stund.")
    texts[1].show()
    QApplication.processEvents()
    assert dialog.height() > before
    assert all(seen(x) for x in (*texts, error, dialog.accept_button))
    assert not dialog._area.verticalScrollBar().isVisible()


def test_in_a_low_window_the_content_scrolls_and_the_buttons_stay(window: QWidget) -> None:
    dialog = over(window, 400, paragraphs=12)
    texts = [x for x in dialog.findChildren(QLabel) if x.text().startswith("Stycke")]
    assert dialog.height() <= 400
    assert seen(dialog.accept_button)
    assert (seen(texts[0]), seen(texts[-1])) == (True, False)
    for _ in range(6):
        QTest.keyClick(dialog.accept_button, Qt.Key.Key_PageDown)
    assert (seen(texts[0]), seen(texts[-1])) == (False, True)
    QTest.keyClick(dialog.accept_button, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_a_question_over_a_small_dialog_has_the_room_of_the_window(window: QWidget) -> None:
    small = over(window, 600, paragraphs=1)
    question = Dialog(small, "Fråga", accept="Ja")
    for _ in range(6):
        question.add_text("Det går inte att ångra. " * 6)
    question.show()
    QApplication.processEvents()
    assert small.height() < question.height() < 600
    assert not question._area.verticalScrollBar().isVisible()


async def test_qts_own_dialog_for_printing_opens_and_is_answered(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)

    async def asked() -> bool:
        printer = QPrinter()  # Qt's dialog keeps it, and does not own it
        return await show(QPrintDialog(printer, parent))

    asking = asyncio.ensure_future(asked())
    await until(lambda: any(d.isVisible() for d in parent.findChildren(QPrintDialog)))
    parent.findChildren(QPrintDialog)[0].reject()
    assert not await asking
    gc.collect()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert parent.findChildren(QPrintDialog) == []
