# SPDX-License-Identifier: EUPL-1.2
"""A device that was revoked: it says so, keeps unsent work in a file, and removes nothing by itself."""

import asyncio
import errno
import os
import threading
from pathlib import Path
from unittest import mock

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.core.ids import ObjId, RoomId, new_change, new_id
from app.recovery import RecoverySheetState
from app.session import Session
from app.store.working_copies import ChangedCopy, FileOfMessage, OpenedCopy
from tests.app.copies.desks import LABEL, overwrite
from tests.patience import PATIENCE_S
from tests.ui.shell.devices import asked, press, texts
from tests.ui.shell.kept_account import RESET, REVOKED, AccountState, account_session
from tests.ui.walking import check, check_tab
from tests.world import until
from ui.kit.announcing import Announcer
from ui.kit.dialogs import Dialog
from ui.kit.tasks import run
from ui.shell.window.away import AwayView
from ui.shell.window.connection_notices import ConnectionNotices
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
    assert any("Beslut å.docx, Tabell.xlsx går också förlorade. Spara dem" in text for text in texts(dialog))


def keep_changed_copy(session: Session) -> None:
    """Another program has changed a copy of a file."""
    of = FileOfMessage(
        room=RoomId(bytes(16)), obj=ObjId(bytes(16)), message=new_change(), number=1, name="Beslut å.docx"
    )
    opened = OpenedCopy(
        copy=new_id(), folder="/run/kansli/1", file="Kopia 1.docx", of=of, digest=bytes(32), is_whole=True
    )
    session.store.copies.put(opened)
    assert session.store.copies.keep(
        ChangedCopy(
            id=new_id(), copy=opened.copy, file=opened.file, of=of, size=5, t=7, digest=b"e" * 32, manifest=b"m",
            parts=("first",),
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("may_save", "advice"), [(True, "Spara den utanför Kansli först"), (False, "skicka den först")]
)
async def test_what_is_said_of_a_changed_copy_is_possible_under_the_policy(
    qtbot: QtBot, tmp_path: Path, may_save: bool, advice: str
) -> None:
    session = account_session(tmp_path, REVOKED, {"allow-export": may_save})
    keep_changed_copy(session)
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    notices = ConnectionNotices(window, session, Announcer(window))
    asking = asyncio.ensure_future(notices.ask_erase())
    dialog = await asked(window)
    (said,) = [text for text in texts(dialog) if "Beslut å.docx" in text]
    assert advice in said
    assert ("tillåter inte" in said) is not may_save
    assert ("Spara den" in said) is may_save
    dialog.reject()
    await asking


async def asked_for_more(qtbot: QtBot, session: Session) -> Dialog:
    """The dialog that says what is lost, opened from the page of a device that was away for too long."""
    page = AwayView(session, lambda: None)
    qtbot.addWidget(page)
    page.show()
    page.what.click()
    return await asked(page)


async def test_a_copy_that_was_changed_a_moment_ago_is_named_too(qtbot: QtBot, session: Session) -> None:
    of = FileOfMessage(room=RoomId(bytes(16)), obj=ObjId(bytes(16)), message=new_change(), number=1, name="Tabell.xlsx")
    with mock.patch.object(session.copies, "_ended", return_value=None):  # it was opened before the revocation
        overwrite(await session.copies.open(of, b"before", LABEL), b"after")
    dialog = await asked_for_more(qtbot, session)
    assert any("Tabell.xlsx går också förlorad" in text for text in texts(dialog))
    dialog.reject()
    await session.copies.close()


async def test_where_nothing_is_shown_any_more_nothing_is_advised_that_needs_a_room(
    qtbot: QtBot, session: Session
) -> None:
    keep_changed_copy(session)
    dialog = await asked_for_more(qtbot, session)
    assert any("Beslut å.docx går också förlorad. Den kan inte räddas" in text for text in texts(dialog))
    dialog.reject()


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
