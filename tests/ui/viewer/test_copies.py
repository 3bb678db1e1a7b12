# SPDX-License-Identifier: EUPL-1.2
"""Files that open in other programs: read-only copies, what was changed in them, and what is only saved."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.chat.opening import Opening
from app.errors import ExportOff
from app.objects.files import Pasted
from tests.app.copies.crash_copies import copies_of
from tests.app.copies.desks import overwrite
from tests.app.viewing.test_opening import ooxml
from tests.office import ROOM, Desk
from tests.ui.finding import open_menu
from tests.ui.viewer.conftest import chat_of
from tests.world import until
from ui.chat.message_layout import Hit, Part
from ui.chat.view import ChatView
from ui.kit.covering import Cover
from ui.kit.dialogs import Dialog
from ui.kit.tasks import set_error_hook

pytestmark = pytest.mark.slow  # each test starts processes

NAME, CHANGED = "Beslut åäö 🙂.docx", b"changed in another program"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were given to the system to open."""
    found = list[Path]()

    def note(url: QUrl) -> bool:
        found.append(Path(url.toLocalFile()))
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", note)
    return found


async def desk_with(at: Desk, name: str, data: bytes, *, may_export: bool = True) -> Opening:
    """The desk opens files in other programs, and has this file in its conversation."""
    folder = at.store.blobs._folder.parent
    at.chat.opening = Opening(at.store.db, at.chat.files, copies_of(at.store, folder), lambda: may_export)
    at.chat.may_export = lambda: may_export
    await at.chat.send_file(ROOM, [Pasted(name, data)], "Handlingen")
    return at.chat.opening


def click(view: ChatView) -> None:
    view.list.hit.emit(view.model.timeline.message(0), Hit(part=Part.FILE, number=0))


def dialog_of(view: ChatView) -> Dialog | None:
    return next((dialog for dialog in view.window().findChildren(Dialog) if dialog.isVisible()), None)


def said(dialog: Dialog) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel))


async def with_a_changed_copy(at: Desk, qtbot: QtBot, opened: list[Path]) -> tuple[Opening, ChatView]:
    """A conversation with one file, whose working copy another program has changed."""
    opening = await desk_with(at, NAME, ooxml())
    view = chat_of(at, qtbot)
    click(view)
    await until(lambda: bool(opened))
    overwrite(opened[0], CHANGED)
    await opening.copies.look()
    return opening, view


def menu_texts() -> Sequence[str]:
    menu = QApplication.activePopupWidget()
    texts = [action.text() for action in menu.actions() if action.text()] if menu is not None else []
    if menu is not None:
        menu.close()
    return texts


async def test_a_click_on_another_kind_opens_a_read_only_copy(hl: Desk, qtbot: QtBot, opened: list[Path]) -> None:
    opening = await desk_with(hl, NAME, ooxml())
    view = chat_of(hl, qtbot)
    click(view)
    await until(lambda: bool(opened))
    (path,) = opened
    assert path.name == "Skrivskyddad kopia 1.docx"
    assert path.read_bytes() == ooxml()
    assert path.stat().st_mode & 0o777 == 0o400
    await opening.copies.close()
    assert not path.exists()


async def test_attack_a_file_that_is_ready_under_the_curtain_opens_when_it_is_lifted(
    hl: Desk, qtbot: QtBot, opened: list[Path]
) -> None:
    opening = await desk_with(hl, NAME, ooxml())
    view = chat_of(hl, qtbot)
    gate = QWidget()
    qtbot.addWidget(gate)
    gate.show()
    cover = Cover(gate)
    click(view)
    cover.fall()
    await until(lambda: any(copy.is_whole for copy in opening.copies._rows.opened()))
    for _ in range(3):
        await asyncio.sleep(0)  # the task goes on once its copy is there
    assert opened == []
    cover.lift()
    await until(lambda: bool(opened))
    await opening.copies.close()


async def test_a_changed_copy_is_shown_at_the_message_and_in_the_list(
    hl: Desk, qtbot: QtBot, opened: list[Path]
) -> None:
    opening, view = await with_a_changed_copy(hl, qtbot, opened)
    message = view.model.timeline.message(0)
    assert (message.change_id, 0) in view.list.painter.changed
    assert "Ändrad kopia" in view.model.spoken(0)
    view.message_actions.open_menu(message, view.list.mapToGlobal(QPoint(9, 9)))
    assert [text for text in menu_texts() if "ändrade kopian" in text] == [
        "Öppna den ändrade kopian",
        "Spara den ändrade kopian …",
        "Skicka den ändrade kopian till rummet",
        "Släng den ändrade kopian …",
    ]
    view.files.show_list()
    table = view.files.list.table
    await until(lambda: table.rows.rowCount() == 2)
    assert "Ändrad kopia" in str(table.rows.index(0).data(Qt.ItemDataRole.AccessibleTextRole.value))
    table.setCurrentIndex(table.rows.index(0))
    QTest.keyClick(table, Qt.Key.Key_Return)
    assert "Öppna den ändrade kopian" in menu_texts()
    await opening.copies.close()


async def test_a_changed_copy_is_opened_sent_to_the_room_and_gone_then(
    hl: Desk, qtbot: QtBot, opened: list[Path]
) -> None:
    opening, view = await with_a_changed_copy(hl, qtbot, opened)
    (changed,) = opening.changed(ROOM)
    copies = view.message_actions.copies
    await copies._open_changed(changed)
    assert opened[1].read_bytes() == CHANGED
    await copies._send(changed)
    (attachment,) = hl.chat.timeline(ROOM).message(1).attachments
    assert attachment.name == "Beslut åäö 🙂 (ändrad).docx"
    assert attachment.size_bytes == len(CHANGED)
    assert opening.changed(ROOM) == []
    await opening.copies.close()


async def test_a_changed_copy_is_discarded_only_after_a_question(hl: Desk, qtbot: QtBot, opened: list[Path]) -> None:
    opening, view = await with_a_changed_copy(hl, qtbot, opened)
    (changed,) = opening.changed(ROOM)
    entry = view.message_actions.copies.entries(changed, may_write=True)[-1]
    assert entry is not None
    assert entry.run is not None
    entry.run()
    await until(lambda: dialog_of(view) is not None)
    dialog = dialog_of(view)
    assert dialog is not None
    assert NAME in said(dialog)
    dialog.accept()
    await until(lambda: opening.changed(ROOM) == [])
    await until(lambda: view.list.painter.changed == set())
    await opening.copies.close()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("Faktura.pdf.exe", b"MZ", "program eller skript"),
        ("Beslut.docx", b"MZ", "program eller skript"),
        ("Beslut.docx", ooxml("word/vbaProject.bin"), "makron"),
        ("Beslut.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "gamla format"),
        ("Beslut.docx", ooxml()[:-30], "kan inte se"),
    ],
    ids=["by name", "by content", "macros", "old", "damaged"],
)
async def test_attack_what_could_run_something_is_only_saved_after_a_warning(
    hl: Desk, qtbot: QtBot, opened: list[Path], name: str, data: bytes, words: str
) -> None:
    opening = await desk_with(hl, name, data)
    view = chat_of(hl, qtbot)
    click(view)
    await until(lambda: dialog_of(view) is not None)
    dialog = dialog_of(view)
    assert dialog is not None
    assert words in said(dialog)
    assert not dialog.accept_button.isDefault()  # Enter does not save it
    dialog.reject()
    assert opened == []
    assert opening.copies.is_any_open is False


async def test_saving_a_program_asks_first(hl: Desk, qtbot: QtBot, opened: list[Path]) -> None:
    await desk_with(hl, "Faktura.exe", b"MZ")
    view = chat_of(hl, qtbot)
    view.message_actions.save(view.model.timeline.message(0), 0)
    await until(lambda: dialog_of(view) is not None)
    assert view.findChildren(QFileDialog) == []
    dialog = dialog_of(view)
    assert dialog is not None
    dialog.accept()
    await until(lambda: bool(view.findChildren(QFileDialog)))
    view.findChildren(QFileDialog)[0].reject()


async def test_without_export_nothing_is_opened_outside(hl: Desk, qtbot: QtBot, opened: list[Path]) -> None:
    opening = await desk_with(hl, NAME, ooxml(), may_export=False)
    view = chat_of(hl, qtbot)
    shown = list[Exception]()
    set_error_hook(lambda owner, error, again: shown.append(error))
    try:
        click(view)
        await until(lambda: bool(shown))
    finally:
        set_error_hook(None)
    assert isinstance(shown[0], ExportOff)
    assert opened == []
    assert opening.copies.is_any_open is False
    reason = "Din organisation tillåter inte att filer sparas utanför Kansli."
    view.message_actions.open_menu(view.model.timeline.message(0), view.list.mapToGlobal(QPoint(9, 9)))
    assert_leaves_nothing(open_menu(), reason)
    view.files.show_list()
    await until(lambda: bool(view.files.list.shown))
    view.files.list.table.menu_wanted.emit(view.files.list.shown[0], QPoint(9, 9))
    assert_leaves_nothing(open_menu(), reason)


def assert_leaves_nothing(menu: QMenu, reason: str) -> None:
    """The menu has the entries that open and save a file, disabled, and says once why."""
    texts = [action.text() for action in menu.actions()]
    outside = [action for action in menu.actions() if "annat program" in action.text() or "Spara" in action.text()]
    assert len(outside) == 2
    assert not any(action.isEnabled() for action in outside)
    assert texts.count(reason) == 1
    menu.close()


async def test_a_system_without_a_program_for_it_says_so(
    hl: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = await desk_with(hl, NAME, ooxml())
    view = chat_of(hl, qtbot)
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: False)
    shown = list[str]()
    set_error_hook(lambda owner, error, again: shown.append(str(getattr(error, "code", ""))))
    try:
        click(view)
        await until(lambda: bool(shown))
    finally:
        set_error_hook(None)
    assert shown == ["no-program"]
    await opening.copies.close()
