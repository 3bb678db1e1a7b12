# SPDX-License-Identifier: EUPL-1.2
"""A newer release is installed while Kansli runs: a quiet bar shows it, and starts the new program when the person
wants it."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.installed import FILE, Installed
from app.settings import LANGUAGE
from tests.ui.desktop.programs import Office, Running, running
from ui.desktop.again import Restart
from ui.kit.buttons import TextButton
from ui.kit.gathering import Kind
from ui.shell.window.main_window import MainWindow

pytestmark = pytest.mark.usefixtures("swedish_desktop")


def window_of(r: Running) -> MainWindow:
    window = r.program.stage.window
    assert window is not None
    return window


def looked(r: Running) -> None:
    """The time has come to look, as it does every ten minutes."""
    r.program._upgrades.timeout.emit()


async def test_a_newer_release_is_shown_once_it_is_installed_and_restarts_unlocked(
    qapp: QApplication, tmp_path: Path
) -> None:
    file = tmp_path / FILE
    file.write_text("0.1.0")
    async with running(qapp, Office(tmp_path), installed=Installed(file, "0.1.0")) as r:
        assert not window_of(r).content.upgrade_bar.isVisible()
        looked(r)
        assert not window_of(r).content.upgrade_bar.isVisible()
        file.write_text("0.2.0")
        looked(r)
        bar = window_of(r).content.upgrade_bar
        assert bar.isVisible()
        assert bar.text() == "Kansli 0.2.0 är installerat och tar över vid nästa start. Det du har skrivit är kvar."
        button = bar.findChild(TextButton)
        assert button is not None
        assert button.text() == "Starta om Kansli"
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
        before = r.office.session.saves
        button.click()
        assert await r.locked() == Restart(locked=False, background=False, link="")
        assert r.office.session.saves > before


async def test_it_is_read_out_once_and_is_there_in_the_other_language_too(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / FILE
    file.write_text("0.2.0")
    async with running(qapp, Office(tmp_path), installed=Installed(file, "0.1.0", held_by_system=False)) as r:
        window = window_of(r)
        shown: list[str] = []

        def say(kind: Kind, text: str, count: int = 1) -> None:
            shown.append(text)

        monkeypatch.setattr(window.announcer, "announce", say)
        for _ in range(2):
            looked(r)
        assert shown == []  # it was said when the window came
        r.office.settings.set(LANGUAGE, "en")
        await r.until(lambda: "is installed" in window.content.upgrade_bar.text())
        file.write_text("0.3.0")
        looked(r)
        assert shown == ["Kansli 0.3.0 is installed and takes over at the next start. What you have written is kept."]


async def test_where_files_in_use_cannot_be_replaced_the_computer_is_restarted(
    qapp: QApplication, tmp_path: Path
) -> None:
    file = tmp_path / FILE
    file.write_text("0.2.0")
    async with running(qapp, Office(tmp_path), installed=Installed(file, "0.1.0", held_by_system=True)) as r:
        bar = window_of(r).content.upgrade_bar
        assert bar.text() == "Kansli 0.2.0 är installerat, men filerna är inte på plats än. Starta om datorn."
        assert not any(button.isVisible() for button in bar.findChildren(TextButton))


async def test_while_locked_nothing_is_announced_and_at_unlocking_it_is(qapp: QApplication, tmp_path: Path) -> None:
    file = tmp_path / FILE
    installed = Installed(file, "0.1.0")
    async with running(qapp, Office(tmp_path), locked=True, installed=installed) as r:
        file.write_text("0.2.0")
        looked(r)
        await r.unlock()
        assert window_of(r).content.upgrade_bar.isVisible()


async def test_what_cannot_be_stored_keeps_the_old_program_until_it_is(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.shell.entry.locking.RETRY_S", 0.01)
    async with running(qapp, Office(tmp_path)) as r:
        r.office.session.full = True
        window_of(r).restart_requested.emit()
        await r.until(lambda: r.program.ending.held is not None)
        assert not r.task.done()
        r.office.session.full = False
        assert not (await r.locked()).locked
