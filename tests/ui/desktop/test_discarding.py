# SPDX-License-Identifier: EUPL-1.2
"""Unsaved work that the disk refuses, at a locked computer: only its owner discards it."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.errors import KeyringLocked
from app.settings import CLOSE_TO_TRAY
from app.unlocking import SlotKind
from app.unstored import Unstored
from tests.memory_keyring import MemoryKeyring
from tests.ui.desktop.curtains import covered, curtain, lift, office_with, visible_windows
from tests.ui.finding import only
from tests.ui.shell.unlock_methods import PASSPHRASE
from ui.kit.dialogs import Dialog
from ui.shell.entry.discarding import DiscardDialog
from ui.shell.window.quitting import QuitDialog

pytestmark = pytest.mark.usefixtures("swedish_desktop")


async def test_quitting_under_the_curtain_names_nothing_that_cannot_be_stored(
    qapp: QApplication, tmp_path: Path
) -> None:
    async with covered(qapp, tmp_path) as r:
        r.office.session.full = True
        for _ in range(2):
            r.tray.quit_asked.emit()
            page = curtain(r)
            assert page.text.text() == "Något du har skrivit är inte sparat än. Lås upp Kansli för att avsluta."
            assert "Disken är full." in page.error.text()
            assert visible_windows() == [r.shown]
            assert not r.shown.findChildren(Dialog)
        await lift(r)
        r.office.session.lost = [Unstored(title="Utredning å 🙂", room="Bygglov 2026-114", draft=False)]
        r.program.ending.quit()
        await r.until(lambda: bool(r.shown.findChildren(QuitDialog)))
        assert "Utredning å 🙂" in only(r.shown, QuitDialog).list.text()


@pytest.mark.parametrize("by", ["quit", "closing", "the button"])
async def test_attack_a_stranger_at_a_covered_computer_with_a_full_disk_discards_nothing(
    qapp: QApplication, tmp_path: Path, by: str
) -> None:
    """Ten wrong PINs, a closed lid or four hours end the session; what the disk refuses stays on the locking page."""
    async with covered(qapp, tmp_path) as r:
        r.office.session.full = True
        r.office.settings.set(CLOSE_TO_TRAY, False)
        r.program.curtain.close()
        await r.until(lambda: r.program.ending.held is not None)
        view = r.program.ending.held
        assert view is not None

        async def asked() -> DiscardDialog:
            if by == "quit":
                r.program.ending.quit()
            elif by == "closing":
                assert not r.shown.close()
            else:
                view.discard.click()
            await r.until(lambda: any(each.isVisible() for each in view.findChildren(DiscardDialog)))
            return only(view, DiscardDialog)

        dialog = await asked()
        assert dialog.field is not None
        assert not dialog.accept_button.isEnabled()
        dialog.accept()
        dialog.field.setText("fel lösenfras å")
        dialog.accept()
        await r.until(dialog.error.isVisible)
        assert "wrong-passphrase" in dialog.error.text()
        assert not r.task.done()
        assert not r.office.session.closed
        dialog.field.setText(PASSPHRASE)
        dialog.accept()
        assert (await r.locked()).locked


async def test_a_key_store_that_asks_proves_whose_work_it_is(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryKeyring, "asks_person", True, raising=False)
    async with covered(qapp, tmp_path, office_with(tmp_path, [SlotKind.KEYRING])) as r:
        refused = [KeyringLocked()]

        async def check() -> None:
            if refused:
                raise refused.pop()

        monkeypatch.setattr(r.office.unlocking, "check_keyring", check)
        r.office.session.full = True
        r.program.curtain.close()
        await r.until(lambda: r.program.ending.held is not None)
        view = r.program.ending.held
        assert view is not None
        view.discard.click()
        await r.until(lambda: bool(view.findChildren(DiscardDialog)))
        dialog = only(view, DiscardDialog)
        assert dialog.field is None
        dialog.accept()
        await r.until(dialog.error.isVisible)
        assert not r.task.done()
        dialog.accept()
        assert (await r.locked()).locked
