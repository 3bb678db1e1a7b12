# SPDX-License-Identifier: EUPL-1.2
"""The program on a desktop: its window in sight, in the tray, and what is received from outside meanwhile."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.settings import AUTOSTART, LANGUAGE, PROXY_MODE
from tests.ui.desktop.programs import ENROL, Office, link, running
from tests.ui.desktop.test_tray import menu_texts
from tests.ui.shell.kept_office import office
from ui.shell.entry.unlock import UnlockView
from ui.shell.entry.welcome import WelcomeView

pytestmark = pytest.mark.usefixtures("swedish_desktop")


async def test_started_by_the_desktop_no_window_comes_up(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path), background=True) as r:
        assert r.shown.isHidden()
        r.tray.open_asked.emit()
        assert r.shown.isVisible()


async def test_started_by_the_desktop_and_locked_no_window_comes_up(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path, locked=True), background=True) as r:
        assert r.shown.isHidden()
        await r.until(lambda: r.office.keyring_asked == 1)
        await r.unlock()
        assert r.program.stage.window is not None
        assert r.shown.isHidden()


async def test_without_a_tray_it_is_in_the_task_bar(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path), background=True, has_tray=False) as r:
        await r.until(lambda: r.shown.isMinimized())


async def test_a_computer_that_wakes_connects_at_once_or_locks(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        r.events[0].woke.emit()
        r.events[0].network_changed.emit()
        r.office.settings.set(PROXY_MODE, "none")
        assert r.office.session.hurried == 3
        window = r.program.stage.window
        assert window is not None
        window.auto_lock._since -= 16 * 60
        r.events[0].woke.emit()
        await r.locked()
        assert r.office.session.hurried == 3


async def test_a_new_policy_is_read_when_the_computer_wakes_and_every_hour(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        assert r.program._policy.isActive()
        r.events[0].woke.emit()
        assert r.office.renewed == 1
        r.program._policy.timeout.emit()
        assert r.office.renewed == 2
    assert not r.program._policy.isActive()


async def test_another_start_brings_it_to_the_front_and_its_link_is_followed(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "")
    async with running(qapp, Office(tmp_path)) as r:
        r.shown.close()
        line = r.program.resident.line
        assert line is not None
        assert line.listening
        line.called.emit(f"{link()}\nåä\x00")
        assert r.shown.isVisible()
        window = r.program.stage.window
        assert window is not None
        view = window.current_room()
        assert view is not None
        assert view.room == office().case


async def test_a_link_waits_until_it_is_unlocked(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path, locked=True)) as r:
        r.program.resident.called.emit(f"{link()}\n")
        assert isinstance(r.gate, UnlockView)
        await r.unlock()
        window = r.program.stage.window
        assert window is not None
        assert window.current_room() is not None


async def test_an_invitation_is_filled_in_and_nothing_more(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path, new=True)) as r:
        assert isinstance(r.gate, WelcomeView)
        r.program.resident.called.emit(f"{link()}\n")
        assert isinstance(r.gate, WelcomeView)
        assert r.gate.code.text() == ""
        r.program.resident.called.emit(f"{ENROL}\n")
        assert isinstance(r.gate, WelcomeView)
        assert r.gate.code.text() == "ABCD-EFGH"
        assert r.gate.currentWidget() is r.gate.code_page


async def test_no_link_but_an_invitation_is_taken_for_a_server(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path, new=True), "kansli://" + "x" * 5000) as r:
        assert isinstance(r.gate, WelcomeView)
        assert r.gate.code.text() == ""
        assert r.program._link.startswith("kansli://x")


async def test_the_desktops_start_follows_the_setting(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        assert r.autostart.line_ is None
        r.office.settings.set(AUTOSTART, True)
        assert r.autostart.line_ == "kansli --background"
        r.office.settings.set(AUTOSTART, False)
        assert r.autostart.line_ is None


async def test_the_tray_speaks_the_language_in_force(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        r.office.settings.set(LANGUAGE, "en")
        await r.until(lambda: "Open Kansli" in menu_texts(r.tray))
        r.office.settings.set(LANGUAGE, "sv")
        await r.until(lambda: "Öppna Kansli" in menu_texts(r.tray))
