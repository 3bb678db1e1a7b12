# SPDX-License-Identifier: EUPL-1.2
"""The person quits while other programs have copies of files open."""

import asyncio
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.core.ids import ChangeId, new_obj
from app.session import Session
from app.store.working_copies import FileOfMessage
from tests.app.copies.desks import held_by_another, overwrite
from tests.patience import PATIENCE_S
from tests.ui.desktop.programs import Office, Running, running
from tests.ui.finding import timer_of
from ui.kit.toast import Toast
from ui.shell.window.held_copies import HeldCopiesDialog

pytestmark = [
    pytest.mark.usefixtures("swedish_desktop"),
    pytest.mark.skipif(sys.platform != "linux", reason="which program has a file open is known on Linux only"),
]


async def opened(session: Session) -> Path:
    """A working copy of a file of the first room."""
    room = session.store.rooms_list.all()[0].room
    of = FileOfMessage(room=room, obj=new_obj(), message=ChangeId(b"m" * 16), number=0, name="Beslut å.docx")
    return await session.copies.open(of, b"plain", "Skrivskyddad kopia")


def asked(r: Running) -> list[HeldCopiesDialog]:
    return [dialog for dialog in r.shown.findChildren(HeldCopiesDialog) if dialog.isVisible()]


async def test_a_copy_that_nobody_has_open_keeps_nobody_from_quitting(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        await opened(r.office.session)
        r.program.ending.quit()
        await asyncio.wait_for(r.task, PATIENCE_S)
        assert r.office.session.closed


async def test_what_is_open_is_named_and_the_program_ends_once_it_is_closed(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        path = await opened(r.office.session)
        with held_by_another(path):
            r.program.ending.quit()
            await r.until(lambda: bool(asked(r)))
            (dialog,) = asked(r)
            assert dialog.list.text().startswith("• ”Beslut å.docx” i python")
            r.program.ending.quit()
            dialog.accept_button.click()
            await r.until(lambda: dialog._looking is not None and dialog._looking.done())
            assert asked(r) == [dialog]
        timer_of(dialog).timeout.emit()
        await asyncio.wait_for(r.task, PATIENCE_S)


async def test_the_person_may_stay_or_quit_all_the_same(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        path = await opened(r.office.session)
        with held_by_another(path):
            r.program.ending.quit()
            await r.until(lambda: bool(asked(r)))
            asked(r)[0].reject()
            await r.until(lambda: r.program.ending._question is None)
            assert not r.task.done()
            r.program.ending.quit()
            await r.until(lambda: bool(asked(r)))
            asked(r)[0].quit.click()
            await asyncio.wait_for(r.task, PATIENCE_S)


async def test_the_window_says_what_became_of_a_changed_copy(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        window, copies = r.program.stage.window, r.office.session.copies
        assert window is not None
        path = await opened(r.office.session)
        overwrite(path, b"changed")
        await copies.look()
        (toast,) = [toast for toast in window.findChildren(Toast) if toast.isVisible()]
        assert "Beslut å.docx har ändrats i ett annat program" in toast.text()
        copies.lost.emit(["Beslut å.docx"])
        assert "Den ändrade kopian av Beslut å.docx är borttagen" in toast.text()
