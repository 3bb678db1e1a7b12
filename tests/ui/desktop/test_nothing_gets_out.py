# SPDX-License-Identifier: EUPL-1.2
"""Under the curtain nothing of the account gets out: one test for each way by which a key, the mouse, a screen reader,
another program or the desktop could get at it. Windows and notifications have files of their own."""

from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAccessible, QClipboard, QDragEnterEvent, QDropEvent, QGuiApplication, QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QListWidget

from app.settings import THEME
from tests.ui.desktop.curtains import curtain, lift
from tests.ui.desktop.leaks import SECRET, lock, nothing_gets_out, working
from tests.ui.desktop.programs import link
from tests.ui.faces import announced, child, face
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import say
from tests.ui.soon import caught_up
from ui.kit import theme
from ui.kit.clipboard import copy_text

pytestmark = pytest.mark.usefixtures("swedish_desktop")


async def test_no_shortcut_of_the_window_does_anything(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        place = window.navigator.place
        lock(r)
        for at in (r.shown, curtain(r).field, window):
            assert at is not None
            for command in window.commands.all:
                for keys in command.shortcuts:
                    QTest.keySequence(at, keys)
        nothing_gets_out(r)
        assert window.navigator.place == place
        assert not window.palette_view.isVisible()


async def test_a_second_start_with_a_link_waits_until_it_is_lifted(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "")
    async with working(qapp, tmp_path) as (r, window, _):
        window.open_room(office().unit)
        lock(r)
        assert r.program.resident.line is not None
        r.program.resident.line.called.emit(f"{link()}\n")
        nothing_gets_out(r)
        assert window.navigator.place.room == office().unit
        await lift(r)
        assert window.navigator.place.room == office().case


async def test_the_trays_menu_opens_only_the_curtain(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        lock(r)
        menu = r.tray.item.contextMenu()
        assert menu is not None
        menu.popup(QPoint(0, 0))
        assert [(a.text(), a.isEnabled()) for a in menu.actions() if a.text()] == [
            ("Öppna Kansli", True),
            ("Lås Kansli", False),
            ("Avsluta", True),
        ]
        menu.close()
        menu.actions()[0].trigger()
        menu.actions()[1].trigger()
        nothing_gets_out(r)
        assert r.shown.isVisible()
        assert not window.isVisible()


async def test_what_is_dragged_over_the_curtain_is_not_taken(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        lock(r)
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(tmp_path / "å.txt"))])
        copy, left, held = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        for at in (r.shown, curtain(r), window):
            entered = QDragEnterEvent(QPoint(5, 5), copy, data, left, held)
            entered.ignore()
            qapp.sendEvent(at, entered)
            assert not entered.isAccepted()
            dropped = QDropEvent(QPointF(5, 5), copy, data, left, held)
            dropped.ignore()
            qapp.sendEvent(at, dropped)
            assert not dropped.isAccepted()
        nothing_gets_out(r)


async def test_what_was_copied_here_is_not_pasted_and_is_back_afterwards(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a screen that is not there has a clipboard, and does not say whose it is
    monkeypatch.setattr(QClipboard, "ownsClipboard", lambda clipboard: clipboard.text() == SECRET)
    async with working(qapp, tmp_path) as (r, _, _):
        copy_text(SECRET)
        lock(r)
        field = curtain(r).field
        assert field is not None
        field.paste()
        assert field.text() == ""
        assert QGuiApplication.clipboard().text() == ""
        nothing_gets_out(r)
        await lift(r)
        assert QGuiApplication.clipboard().text() == SECRET
        lock(r)
        copy_text("från ett annat program")
        await lift(r)
        assert QGuiApplication.clipboard().text() == "från ett annat program"


async def test_an_input_method_gets_no_text_and_what_it_composed_is_kept(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, _, view):
        lock(r)
        focus = QApplication.focusObject()
        assert focus is not view.field
        field = curtain(r).field
        assert field is not None
        qapp.sendEvent(field, QInputMethodEvent("å", []))
        for query in (Qt.InputMethodQuery.ImSurroundingText, Qt.InputMethodQuery.ImCurrentSelection):
            assert SECRET not in str(field.inputMethodQuery(query))
        assert field.inputMethodHints() & Qt.InputMethodHint.ImhHiddenText
        assert field.inputMethodHints() & Qt.InputMethodHint.ImhSensitiveData
        nothing_gets_out(r)
        assert view.field.text() == SECRET


async def test_a_screen_reader_finds_no_name_and_reads_nothing_out(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = announced(monkeypatch)
    async with working(qapp, tmp_path) as (r, window, _):
        lock(r)
        top = face(qapp)
        assert [child(top, n).text(QAccessible.Text.Name) for n in range(top.childCount())] == ["Kansli"]
        texts.clear()
        say(r.office.session, office().case, office().head, SECRET)
        caught_up(window)
        window.toast(SECRET)
        nothing_gets_out(r)
        assert texts == []


async def test_attack_what_a_screen_reader_noted_before_cannot_be_asked_for(qapp: QApplication, tmp_path: Path) -> None:
    """Windows and AT-SPI ask by a number, which can be guessed, whether anything is shown or not."""
    QAccessible.setActive(True)
    try:
        async with working(qapp, tmp_path) as (r, window, view):
            noted = [QAccessible.uniqueId(face(each)) for each in (window, view.field)]
            lock(r)
            await r.until(lambda: not any(map(QAccessible.accessibleInterface, noted)))
            field = curtain(r).field
            assert field is not None
            stays = QAccessible.uniqueId(face(field))
            window.setAccessibleName(SECRET)
            late = QAccessible.uniqueId(face(window))
            await r.until(lambda: QAccessible.accessibleInterface(late) is None)
            assert QAccessible.accessibleInterface(stays) is not None
            for _ in range(20):  # Qt asks in the constructor of some, and Python deletes them
                made = QListWidget(window)
                made.addItem(SECRET)
                assert face(made).text(QAccessible.Text.Name) == ""
                assert face(made).childCount() == 0
                shiboken6.delete(made)
            stays_there = QListWidget(window)
            assert face(view.field).textInterface() is None, "Qt reports no change of its text"
            nothing_gets_out(r)
            window.setAccessibleName("")
            await lift(r)
            stays_there.setAccessibleName("Lista å")
            assert face(stays_there).text(QAccessible.Text.Name) == "Lista å"
            assert face(view.field).text(QAccessible.Text.Value) == SECRET
    finally:
        QAccessible.setActive(False)


async def test_a_change_of_theme_or_language_shows_nothing(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        lock(r)
        r.office.settings.set(THEME, "dark")
        nothing_gets_out(r)
        theme.apply(qapp, "contrast")
        nothing_gets_out(r)
        window.settings_in_force.language_changed.emit()
        qapp.processEvents()
        nothing_gets_out(r)
        theme.apply(qapp, "light")


async def test_a_switch_of_the_desktops_session_covers_and_stays_covered(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, _, _):
        r.events[0].left.emit()
        nothing_gets_out(r)
        r.events[0].left.emit()
        nothing_gets_out(r)
