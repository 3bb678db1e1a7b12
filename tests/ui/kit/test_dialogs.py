# SPDX-License-Identifier: EUPL-1.2
"""Dialogs as coroutines, and what they leave behind."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import QDir, QEvent, QSettings
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from tests.world import until
from ui.kit.dialogs import open_files, save_file


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
