# SPDX-License-Identifier: EUPL-1.2
"""The window is closed, or the program is quit."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import SIGNAL
from PySide6.QtWidgets import QApplication

from app.errors import NotStored
from app.settings import CLOSE_TO_TRAY
from app.unlocking import KeyChange
from app.unstored import Unstored
from tests.patience import PATIENCE_S
from tests.ui.desktop.programs import Office, Running, running
from tests.ui.finding import timer_of, toast_of
from ui.shell.window.quitting import QuitDialog

pytestmark = pytest.mark.usefixtures("swedish_desktop")


async def test_closing_leaves_it_in_the_tray_and_says_so_once(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        assert r.shown.isVisible()
        for _ in range(2):
            assert not r.shown.close()
            assert r.shown.isHidden()
            r.tray.open_asked.emit()
            assert r.shown.isVisible()
        assert r.notified == ["Fönstret är stängt"]
        assert not r.task.done()


@pytest.mark.parametrize("why", ["no tray", "by setting", "first start"])
async def test_closing_ends_it(qapp: QApplication, tmp_path: Path, why: str) -> None:
    office = Office(tmp_path, new=why == "first start")
    office.settings.set(CLOSE_TO_TRAY, why != "by setting")
    async with running(qapp, office, has_tray=why != "no tray") as r:
        assert r.shown.close()
        await asyncio.wait_for(r.task, PATIENCE_S)


async def test_quit_ends_it_from_the_menus_and_the_palette(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        r.shown.close()
        window = r.program.stage.window
        assert window is not None
        assert "Avsluta" in [c.text for c in window.commands.shown()]
        window.commands["quit"].run()
        await asyncio.wait_for(r.task, PATIENCE_S)
        assert r.office.session.closed


async def test_the_tray_quits_and_its_sign_goes(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path, locked=True)) as r:
        sign = r.tray
        sign.quit_asked.emit()
        await asyncio.wait_for(r.task, PATIENCE_S)
        assert not sign.item.isVisible()


async def test_a_full_disk_keeps_nobody_from_closing_and_quitting(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.settings_file.write_atomic", full)
    async with running(qapp, Office(tmp_path)) as r:
        assert not r.shown.close()
        assert r.notified == ["Fönstret är stängt"]
        r.tray.quit_asked.emit()
        await asyncio.wait_for(r.task, PATIENCE_S)


LOST = [
    Unstored(title="Tjänsteskrivelse å", room="Bygglov 2026-114", draft=False),
    Unstored(title="", room="Bygglov 2026-114", draft=True),
]


def asked(r: Running) -> list[QuitDialog]:
    """The questions that are open."""
    return [dialog for dialog in r.shown.findChildren(QuitDialog) if dialog.isVisible()]


async def question(r: Running, by: str = "quit") -> QuitDialog:
    if by == "quit":
        r.program.ending.quit()
    else:
        assert not r.shown.close()
    await r.until(lambda: bool(asked(r)))
    return asked(r)[0]


@pytest.mark.parametrize("by", ["quit", "closing"])
async def test_attack_a_quit_that_cannot_store_an_edit_names_it_and_ends_once_it_is_stored(
    qapp: QApplication, tmp_path: Path, by: str
) -> None:
    """A colleague can fill the disk with large changes; what one wrote meanwhile was lost when one quit."""
    async with running(qapp, Office(tmp_path), has_tray=by == "quit") as r:
        r.office.session.full, r.office.session.lost = True, LOST
        dialog = await question(r, by)
        assert dialog.list.text() == (
            "• Dina senaste ändringar i ”Tjänsteskrivelse å” i ”Bygglov 2026-114”\n"
            "• Meddelandet som du håller på att skriva i ”Bygglov 2026-114”"
        )
        assert "Disken är full." in dialog.error.text()
        dialog.accept_button.click()
        assert dialog.isVisible()
        r.office.session.lost = LOST[1:]  # there was room for one of them
        dialog.accept_button.click()
        assert dialog.list.text() == "• Meddelandet som du håller på att skriva i ”Bygglov 2026-114”"
        assert not r.task.done()
        r.office.session.full = False
        timer_of(dialog).timeout.emit()
        await asyncio.wait_for(r.task, PATIENCE_S)
        assert r.office.session.closed
        assert r.program.restart is None


async def test_a_quit_while_a_fault_of_ours_keeps_an_edit_in_memory_asks_first(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        session = r.office.session

        def save() -> None:
            if session.full:
                raise NotStored

        monkeypatch.setattr(session, "save", save)
        session.full, session.lost = True, LOST
        dialog = await question(r)
        assert "på grund av ett fel i Kansli" in dialog.error.text()
        assert "Tjänsteskrivelse å" in dialog.list.text()
        dialog.accept_button.click()
        assert dialog.isVisible()
        session.full = False
        dialog.accept_button.click()
        await asyncio.wait_for(r.task, PATIENCE_S)


async def test_quitting_is_asked_about_once_and_the_person_may_stay(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        r.shown.close()
        r.office.session.full, r.office.session.lost = True, LOST
        dialog = await question(r)
        assert r.shown.isVisible()
        r.program.ending.quit()
        assert asked(r) == [dialog]
        dialog.reject()
        await r.until(lambda: r.program.ending._question is None)
        assert not r.task.done()
        assert await question(r) is not dialog


async def test_only_what_the_person_has_read_is_lost_by_quitting(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        r.office.session.full, r.office.session.lost = True, LOST[:1]
        dialog = await question(r)
        r.office.session.lost = LOST
        dialog.discard.click()
        assert dialog.isVisible()
        assert "Meddelandet som du håller på att skriva" in dialog.list.text()
        r.office.session.lost = LOST[1:]
        dialog.discard.click()
        await asyncio.wait_for(r.task, PATIENCE_S)


async def test_what_is_being_written_is_stored_before_quitting(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chat stores a draft half a second after the last key."""
    order: list[str] = []
    async with running(qapp, Office(tmp_path)) as r:
        window = r.program.stage.window
        assert window is not None
        monkeypatch.setattr(window, "keep_draft", lambda: order.append("draft"))
        monkeypatch.setattr(r.office.session, "save", lambda: order.append("save"))
        r.program.ending.quit()
        assert order == ["draft", "save"]


async def test_locking_takes_the_question_away_and_holds_the_edit(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        r.office.session.full, r.office.session.lost = True, LOST
        await question(r)
        r.tray.lock_asked.emit()
        await r.until(lambda: r.program.ending.held is not None and r.program.ending._question is None)
        r.office.session.full = False
        held = r.program.ending.held
        assert held is not None
        held.again.click()
        assert (await r.locked()).locked


async def test_the_end_of_the_desktop_session_stores_and_waits_for_nobody(qapp: QApplication, tmp_path: Path) -> None:
    signal = SIGNAL("commitDataRequest(QSessionManager&)")
    before = qapp.receivers(signal)
    async with running(qapp, Office(tmp_path)) as r:
        assert qapp.receivers(signal) == before + 1
        saves = r.office.session.saves
        r.office.session.full, r.office.session.lost = True, LOST
        r.program.ending.on_desktop_ends()
        assert r.office.session.saves == saves + 1
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert not asked(r), "the system ends the program before anybody has answered"
        assert not r.task.done()
        r.office.session.full = False
        r.program.ending.on_desktop_ends()
        await r.until(r.task.done)
        assert r.office.session.closed
        assert r.program.restart is None
    assert qapp.receivers(signal) == before


async def test_the_key_is_not_changed_while_an_edit_cannot_be_stored(qapp: QApplication, tmp_path: Path) -> None:
    """Between the two sessions the edit would be lost."""
    async with running(qapp, Office(tmp_path)) as r:
        window = r.program.stage.window
        assert window is not None
        r.office.session.full, r.office.session.lost = True, LOST
        window.key_change_requested.emit(KeyChange(current="fel"))
        assert r.program.stage.window is window
        assert "Disken är full." in toast_of(window).text()
        assert not r.office.session.closed
