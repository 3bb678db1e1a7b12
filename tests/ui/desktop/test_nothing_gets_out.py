# SPDX-License-Identifier: EUPL-1.2
"""Under the curtain nothing of the account gets out: one test for each thing by which a screen, a key, the mouse,
another program or the desktop could get at it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QAccessible,
    QAccessibleInterface,
    QClipboard,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QInputMethodEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QCompleter,
    QFileDialog,
    QLabel,
    QLineEdit,
    QWidget,
)

from app.documents.tool import TOOL as DOCUMENTS
from app.notification_settings import NOTIFICATION_CONTENT
from app.settings import THEME
from tests.ui.desktop.curtains import curtain, lift, office_with, visible_windows
from tests.ui.desktop.programs import Running, link, running
from tests.ui.faces import announced, child, face
from tests.ui.finding import toast_of
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import say
from tests.ui.shell.toasts import Toasts, ring
from tests.ui.shell.tool_views import FakeView
from tests.ui.soon import caught_up
from ui.documents.preview import PrintPreview
from ui.kit import theme
from ui.kit.clipboard import copy_text
from ui.kit.dialogs import Dialog, confirm, open_file
from ui.kit.menu import Entry, popup
from ui.shell.window.desktop_toast import Toast, ToastAction
from ui.shell.window.main_window import MainWindow
from ui.shell.window.notification_window import NotificationWindow
from ui.shell.window.notification_windows import NotificationWindows
from ui.shell.window.notifications import COVERED

pytestmark = pytest.mark.usefixtures("swedish_desktop")

SECRET = "Kvittensnyckeln å 🙂"
"""What the person was writing."""
ROOM = "Tillsyn 2026-1184"
"""The room that is open, whose name the window, its title and its lists have."""


@asynccontextmanager
async def working(qapp: QApplication, folder: Path) -> AsyncIterator[tuple[Running, MainWindow, FakeView]]:
    """A person who writes in a room, with notifications that show who wrote what. A test locks it when it wants to."""
    made = office_with(folder)
    made.settings.set(NOTIFICATION_CONTENT, "shown")
    async with running(qapp, made) as r:
        window = r.program.stage.window
        assert window is not None
        window.open_room(office().case)
        room = window.current_room()
        assert room is not None
        view = room.current_view()
        assert isinstance(view, FakeView)
        view.field.setText(SECRET)
        view.field.setFocus()
        window.activateWindow()
        caught_up(window)
        assert {SECRET, ROOM} <= leaked(r), "without the curtain it can be seen"
        yield r, window, view
        assert not r.task.done()


def lock(r: Running) -> None:
    r.tray.lock_asked.emit()
    assert r.program.curtain.is_down


def leaked(r: Running) -> set[str]:
    """What of the account the screen, the desktop or a screen reader can read."""
    texts = "\n".join((*on_screen(), *in_the_desktop(), *spoken(), r.tray.tip_text()))
    people = (office().me, office().head, office().registrar)
    names = {SECRET, ROOM, *(person.name for person in people)}
    return {name for name in names if name in texts}


def on_screen() -> Iterator[str]:
    """The texts of every visible widget of every visible window."""
    for window in visible_windows():
        for widget in (window, *window.findChildren(QWidget)):
            if not widget.isVisible():
                continue
            yield from (widget.windowTitle(), widget.toolTip(), widget.accessibleName(), widget.accessibleDescription())
            if isinstance(widget, QLabel | QAbstractButton):
                yield widget.text()
            elif isinstance(widget, QLineEdit):
                yield widget.displayText()
            elif isinstance(widget, QComboBox):
                yield widget.currentText()


def in_the_desktop() -> Iterator[str]:
    """The titles of all windows that the desktop knows, shown or not: a taskbar has those."""
    for window in QGuiApplication.topLevelWindows():
        yield window.title()


def spoken() -> Iterator[str]:
    """Names, descriptions and values of everything that a screen reader can reach from the program, also of what says
    that it cannot be seen."""
    application = QApplication.instance()
    assert application is not None
    top = face(application)
    for number in range(top.childCount()):
        yield from _all_of(child(top, number))


def _all_of(found: QAccessibleInterface) -> Iterator[str]:
    for kind in (QAccessible.Text.Name, QAccessible.Text.Description, QAccessible.Text.Value):
        yield found.text(kind)
    for number in range(found.childCount()):
        inside = found.child(number)
        if inside is not None:
            yield from _all_of(inside)


def nothing_gets_out(r: Running) -> None:
    r.qapp.processEvents()
    assert r.program.curtain.is_down
    assert visible_windows() in ([r.shown], [])
    assert leaked(r) == set()


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


async def test_the_palette_is_covered_and_does_not_open(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        window.open_palette()
        assert window.palette_view.isVisible()
        lock(r)
        nothing_gets_out(r)
        window.open_palette()
        nothing_gets_out(r)


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


@pytest.mark.parametrize("action", list(ToastAction))
async def test_a_notifications_action_only_brings_up_the_curtain(
    qapp: QApplication, tmp_path: Path, action: ToastAction
) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        window.go_section("home")
        desktop = window._notifications.desktop = Toasts()
        window.hide()
        say(r.office.session, office().unit, office().head, SECRET)
        caught_up(window)
        assert desktop.texts == [SECRET]
        key = desktop.shown[0].key
        window.show()
        unread, place = window.unread, window.navigator.place
        lock(r)
        assert key in desktop.withdrawn, "what is on the desktop already is taken away"
        window._notifications.on_action(key, action)
        caught_up(window)
        nothing_gets_out(r)
        assert (window.unread, window.navigator.place) == (unread, place)


async def test_a_notification_says_only_that_something_came(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        desktop = window._notifications.desktop = Toasts()
        lock(r)
        for room in (office().unit, office().case):
            say(r.office.session, room, office().head, f"@{office().me.name} {SECRET}")
        await ring(r.office.session)
        caught_up(window)
        window._notifications.invited(office().lawyer)
        assert {(toast.key, toast.title, toast.text, toast.actions) for toast in desktop.shown} == {
            (COVERED, "Kansli", "Något har kommit. Lås upp Kansli för att se det.", frozenset())
        }
        await lift(r)
        assert COVERED in desktop.withdrawn


async def test_a_notification_in_a_window_of_ours_is_closed_and_only_a_bare_one_appears(
    qapp: QApplication, tmp_path: Path
) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        session, notifications = r.office.session, window._notifications
        desktop = notifications.desktop = NotificationWindows(window, notifications.on_action, lambda: True)
        window.hide()
        say(session, office().unit, office().head, SECRET)
        caught_up(window)
        (shown,) = desktop.shown
        assert shown.accessibleDescription() == SECRET
        actions = frozenset(ToastAction)
        desktop(Toast(key="annan", title=ROOM, text=SECRET, sounds=False, actions=actions))  # nobody takes it away
        window.show()
        lock(r)
        nothing_gets_out(r)
        desktop(Toast(key=office().unit, title=ROOM, text=SECRET, sounds=False, actions=actions))
        nothing_gets_out(r)
        assert not desktop.shown, "one that comes too late is not kept for afterwards either"
        say(session, office().unit, office().head, f"{SECRET} sen")
        caught_up(window)
        bare = desktop.shown[0]
        assert set(visible_windows()) == {r.shown, bare}
        assert bare.accessibleDescription() == "Något har kommit. Lås upp Kansli för att se det."
        assert leaked(r) == set()
        QTest.keyClick(bare, Qt.Key.Key_F6)
        assert (leaked(r), window.isVisible()) == (set(), False)
        place = window.navigator.place
        bare.buttons[ToastAction.OPEN].click()
        nothing_gets_out(r)
        assert window.navigator.place == place
        say(session, office().unit, office().head, f"{SECRET} till")
        caught_up(window)
        assert len(desktop.shown) == 1
        await lift(r)
        assert not desktop.shown
        assert not any(isinstance(each, NotificationWindow) for each in visible_windows())
        assert window.isVisible()


async def test_a_taskbar_has_no_title_and_no_preview_of_what_is_covered(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        lock(r)
        nothing_gets_out(r)
        assert window.windowHandle() is None, "the desktop has no window of which it could show a picture"
        assert {each.title() for each in QGuiApplication.topLevelWindows() if each.isVisible()} == {"Kansli"}


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


async def test_own_dialogs_are_covered_and_do_not_open(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        asked = asyncio.ensure_future(confirm(window, SECRET, ROOM, accept="OK"))
        await r.until(lambda: any(isinstance(each, Dialog) for each in visible_windows()))
        lock(r)
        nothing_gets_out(r)
        late = asyncio.ensure_future(confirm(window, f"{SECRET} sen", ROOM, accept="OK"))
        await asyncio.sleep(0)
        nothing_gets_out(r)
        assert not asked.done()
        await lift(r)
        dialogs = [each for each in visible_windows() if isinstance(each, Dialog)]
        assert len(dialogs) == 2
        for dialog in dialogs:
            dialog.accept()
        assert await asked
        assert await late


async def test_own_menus_are_closed_and_do_not_open(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        popup(window, ROOM, [Entry(text=SECRET, run=lambda: None)], QPoint(5, 5))
        assert QApplication.activePopupWidget() is not None
        lock(r)
        nothing_gets_out(r)
        popup(window, ROOM, [Entry(text=SECRET, run=lambda: None)], QPoint(5, 5))
        nothing_gets_out(r)
        assert QApplication.activePopupWidget() is None
        await lift(r)
        assert QApplication.activePopupWidget() is None


async def test_file_dialogs_are_cancelled_and_do_not_open(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        asked = asyncio.ensure_future(open_file(window, SECRET))
        await r.until(lambda: any(isinstance(each, QFileDialog) for each in visible_windows()))
        lock(r)
        nothing_gets_out(r)
        assert await asked is None
        late = asyncio.ensure_future(open_file(window, SECRET))
        await asyncio.sleep(0)
        nothing_gets_out(r)
        late.cancel()
        await asyncio.wait([late])


async def test_a_print_preview_is_covered_and_stays_open(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        files = r.office.session.service(DOCUMENTS).files
        preview = PrintPreview(window, files, office().document)
        preview.open()
        await r.until(lambda: preview.paper is not None)
        lock(r)
        nothing_gets_out(r)
        assert not preview.isVisible()
        await lift(r)
        assert preview.isVisible()
        preview.reject()


async def test_the_windows_title_is_the_programs_name(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        assert ROOM in window.windowTitle()
        lock(r)
        say(r.office.session, office().case, office().head, SECRET)
        caught_up(window)
        assert r.shown.windowTitle() == "Kansli"
        nothing_gets_out(r)


async def test_a_message_with_undo_is_covered_and_does_not_appear(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        undone: list[bool] = []
        window.toast(SECRET, lambda: undone.append(True))
        assert toast_of(window).isVisible()
        lock(r)
        nothing_gets_out(r)
        window.toast(f"{SECRET} sen", lambda: undone.append(True))
        QTest.keyClick(r.shown, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        nothing_gets_out(r)
        assert undone == []


async def test_a_second_window_is_covered_and_does_not_open(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, _, _):
        second, late = QWidget(), QWidget()
        for each in (second, late):
            each.setWindowTitle(SECRET)
        second.show()
        lock(r)
        late.showMaximized()
        nothing_gets_out(r)
        await lift(r)
        assert second.isVisible()
        assert late.isVisible()
        for each in (second, late):
            each.close()
            each.deleteLater()


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


async def test_the_curtain_is_minimised_and_comes_back_as_the_curtain(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        lock(r)
        r.shown.showMinimized()
        nothing_gets_out(r)
        r.shown.showNormal()
        nothing_gets_out(r)
        window.showMinimized()
        window.showNormal()
        nothing_gets_out(r)


async def test_a_switch_of_the_desktops_session_covers_and_stays_covered(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, _, _):
        r.events[0].left.emit()
        nothing_gets_out(r)
        r.events[0].left.emit()
        nothing_gets_out(r)


async def test_what_was_snoozed_rings_without_a_word_of_it(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        session = r.office.session
        desktop = window._notifications.desktop = Toasts()
        say(session, office().unit, office().head, f"@{office().me.name} {SECRET}")
        await ring(session)
        found = [row for row in session.notices.list() if row.room == office().unit]
        session.notices.snooze([found[0].id], 1)
        lock(r)
        desktop.shown.clear()
        session.notices.mark_new([found[0].id])
        await ring(session)
        caught_up(window)
        assert {toast.key for toast in desktop.shown} <= {COVERED}
        nothing_gets_out(r)


async def test_what_a_search_field_proposes_is_closed_and_does_not_open(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        window.search_for(SECRET)
        field = window.content.search_view.field
        completer = QCompleter([SECRET, ROOM], field)
        field.setCompleter(completer)
        completer.setCompletionPrefix("Kvitt")
        completer.complete()
        assert QApplication.activePopupWidget() is not None
        lock(r)
        nothing_gets_out(r)
        completer.complete()
        nothing_gets_out(r)
