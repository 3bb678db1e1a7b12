# SPDX-License-Identifier: EUPL-1.2
"""A device that was revoked: it says so, keeps unsent work in a file, and removes nothing by itself."""

import errno
import os
import threading
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.recovery import RecoverySheetState
from app.session import Session
from tests.ui.shell.devices import asked, press, texts
from tests.ui.shell.kept_account import RESET, REVOKED, AccountState, account_session
from tests.ui.walking import check, check_tab
from tests.world import PATIENCE_S, until
from ui.kit.tasks import run
from ui.shell.window.main_window import MainWindow
from ui.shell.window.revoked import RevokedDialog

QUESTION = "Vad kan jag göra?"
LAST = "Ta bort allt?"


@pytest.fixture
def account() -> AccountState:
    return REVOKED


@pytest.fixture
def session(tmp_path: Path, account: AccountState) -> Session:
    return account_session(tmp_path, account)


def opened(qtbot: QtBot, session: Session) -> RevokedDialog:
    dialog = RevokedDialog(None, session.unsent)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_changed_copies_that_would_be_lost_are_named(qtbot: QtBot, session: Session) -> None:
    dialog = RevokedDialog(None, session.unsent, ["Beslut å.docx", "Tabell.xlsx"])
    qtbot.addWidget(dialog)
    dialog.show()
    assert any("Beslut å.docx, Tabell.xlsx går också förlorade" in text for text in texts(dialog))


@pytest.mark.parametrize("account", [RESET])
def test_an_account_that_was_ended_offers_to_remove_nothing(window: MainWindow, session: Session) -> None:
    assert session.devices.ended == RESET
    session.status_changed.emit()
    assert not window.content.bar.isVisible()


async def test_a_revoked_device_says_so_and_removes_nothing_by_itself(
    window: MainWindow, session: Session, tmp_path: Path
) -> None:
    erased: list[bool] = []
    window.erase_requested.connect(lambda: erased.append(True))
    assert "har spärrats" in window.content.bar.text()
    press(window, QUESTION)
    dialog = await asked(window)
    assert isinstance(dialog, RevokedDialog)
    assert any("3 saker som du har skrivit här har inte skickats" in text for text in texts(dialog))
    assert not dialog.accept_button.isDefault()
    check(dialog)
    check_tab(dialog)
    await dialog.keep_in(tmp_path / "kvar")
    assert (tmp_path / "kvar.kansli-unsent").stat().st_size > 0
    assert "3 saker har sparats i kvar.kansli-unsent." in texts(dialog)
    assert erased == []
    dialog.accept()
    last = await asked(window, LAST)
    assert erased == []
    last.accept()
    await until(lambda: erased == [True])
    assert session.unsent.count == 3


async def test_nothing_is_removed_while_the_unsent_work_is_being_kept(
    qtbot: QtBot, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog, file, sync = opened(qtbot, session), tmp_path / "kvar.kansli-unsent", os.fsync
    for fault in (None, OSError(errno.ENOSPC, "full")):
        written = threading.Event()

        def late(fd: int, written: threading.Event = written, fault: OSError | None = fault) -> None:
            written.wait(PATIENCE_S)
            if fault is not None:
                raise fault
            sync(fd)

        file.unlink(missing_ok=True)
        monkeypatch.setattr("os.fsync", late)
        run(dialog, dialog.keep_in(file), on_error=dialog._failed)
        await until(lambda: not dialog.accept_button.isEnabled() and not dialog.save.isEnabled())
        assert not dialog.error.isVisible()
        assert not file.exists()
        assert not any(button.isEnabled() for button in dialog.buttons.buttons())
        dialog.reject()
        dialog.close()
        assert dialog.isVisible()
        written.set()
        await until(lambda: dialog.accept_button.isEnabled() and dialog.save.isEnabled())
        assert file.exists() is (fault is None)
    assert dialog.error.isVisible()
    dialog.reject()
    assert not dialog.isVisible()


@pytest.mark.parametrize("account", [RecoverySheetState.STANDS])
async def test_with_nothing_unsent_there_is_nothing_to_keep(qtbot: QtBot, session: Session) -> None:
    dialog = opened(qtbot, session)
    assert "Allt du har skrivit här har skickats." in texts(dialog)
    assert not dialog.save.isVisible()
