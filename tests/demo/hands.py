# SPDX-License-Identifier: EUPL-1.2
"""Mouse and keyboard as a person's hands use them: the pilot's hands. Steps yield how many ms until the next one."""

from collections.abc import Generator

import shiboken6
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QInputMethodEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea, QTextEdit, QWidget

from tests.demo.seeing import Missing, Seen, window_of

Steps = Generator[int, None, None]
NO_KEYS = Qt.KeyboardModifier.NoModifier
DRAG_STEPS = 12
TABS = 200  # more stops than any window has


def _focused() -> QWidget:
    """Who gets the keys: an open menu, else the focus, else the window itself."""
    popup = QApplication.activePopupWidget()
    if popup is not None:
        focus = QApplication.focusWidget()
        return focus if focus is not None and popup.isAncestorOf(focus) else popup
    widget = QApplication.focusWidget() or QApplication.activeWindow()
    if widget is None:
        shown = [window for window in QApplication.topLevelWidgets() if window.isVisible()]
        if not shown:
            raise Missing("no window is shown")
        shown[-1].activateWindow()
        widget = shown[-1]
    return widget


def _press(key: Qt.Key, modifiers: Qt.KeyboardModifier = NO_KEYS) -> Steps:
    """A key comes through the window, as from a real keyboard; an open menu gets it directly."""
    widget = _focused()
    window = widget.window()  # named: PySide drops the handle together with the window's last Python name
    handle = window.windowHandle()
    if QApplication.activePopupWidget() is not None or handle is None:
        QTest.keyClick(widget, key, modifiers)
        yield 0
        return
    gone: list[bool] = []  # the key may close the window: then nobody is left to release it to
    handle.destroyed.connect(lambda: gone.append(True))
    QTest.keyPress(handle, key, modifiers)
    yield 0
    if not gone and handle.isVisible():
        QTest.keyRelease(handle, key, modifiers)
    yield 0


def press_keys(sequence: str) -> Steps:
    """Key combinations as Qt writes them, with spaces between: "Ctrl+K", "Down Down Return"."""
    for part in sequence.split():
        combination = QKeySequence(part)[0]  # type: ignore[index]
        yield from _press(combination.key(), combination.keyboardModifiers())


def type_text(text: str, pace_ms: int = 0, into: QWidget | None = None) -> Steps:
    """Text as it comes from a keyboard, or from an input method where the key has no ASCII letter.

    QTest.keyClicks aborts on "ü". A line break is the Return key. Missing if the focus is taken from `into` meanwhile.
    """
    for character in text:
        widget = _focused()
        if into is not None and QApplication.focusWidget() is not into:
            raise Missing(f"{_named(QApplication.focusWidget())} took the focus from {_named(into)} while one typed")
        if character == "\n":
            QTest.keyClick(widget, Qt.Key.Key_Return)
        elif character.isascii():
            QTest.keyClicks(widget, character)
        else:
            commit(widget, character)
        if pace_ms:
            yield pace_ms
    yield 0


def commit(widget: QWidget, text: str) -> None:
    """Text in one piece, as from an input method or the clipboard."""
    event = QInputMethodEvent()
    event.setCommitString(text)
    QApplication.sendEvent(widget, event)


def _point(seen: Seen, at: tuple[float, float]) -> tuple[QWidget, QPoint]:
    """A window and the position in it of a point of the element, given as fractions of its size."""
    reveal(seen)
    rect = seen.rect
    if rect.isEmpty():
        raise Missing(f"{seen.name!r} has no place on screen")
    place = QPoint(rect.left() + round(rect.width() * at[0]), rect.top() + round(rect.height() * at[1]))
    window = window_of(seen.widget)
    return window, window.mapFromGlobal(place)


def reveal(seen: Seen) -> None:
    """Scrolls as the wheel would, if the element lies outside a scroll area's window."""
    parent = seen.widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            parent.ensureWidgetVisible(seen.widget, 8, 8)
        parent = parent.parentWidget()


def click(seen: Seen, *, right: bool = False, at: tuple[float, float] = (0.5, 0.5)) -> Steps:
    button = Qt.MouseButton.RightButton if right else Qt.MouseButton.LeftButton
    window, place = _point(seen, at)
    QTest.mouseMove(window.windowHandle(), place)  # QTest delivers each before it goes on
    yield 0
    QTest.mouseClick(window.windowHandle(), button, NO_KEYS, place)
    yield 0


def drag(start: Seen, end: Seen, to: tuple[float, float] = (0.5, 0.5)) -> Steps:
    """Takes something with the left button and lets go over something else."""
    window, begin = _point(start, (0.5, 0.5))
    other, finish = _point(end, to)
    if other is not window:
        raise Missing("cannot drag between two windows")
    QTest.mousePress(window.windowHandle(), Qt.MouseButton.LeftButton, NO_KEYS, begin)
    yield 0
    for step in range(1, DRAG_STEPS + 1):
        QTest.mouseMove(window.windowHandle(), begin + (finish - begin) * step / DRAG_STEPS)
        yield 0
    QTest.mouseRelease(window.windowHandle(), Qt.MouseButton.LeftButton, NO_KEYS, finish)
    yield 0


def tab_to(seen: Seen) -> Generator[int, None, bool]:
    """Walks with Tab until the element has the focus. A text in which Tab is typed is left by Esc and Tab; where Tab is
    caught all the same, F6 leaves it.

    It has the focus when this ends. False if the keyboard did not get there and the focus had to be set. Missing if the
    program deletes the element meanwhile: a person with Tab or a screen reader would lose their place as well.
    """
    name, wanted = seen.name, _focus_of(seen.widget)
    for _ in range(TABS):
        _check_alive(wanted, name)
        focus = QApplication.focusWidget()
        if focus is wanted:
            return True
        if isinstance(focus, QTextEdit) and not focus.tabChangesFocus():
            yield from _press(Qt.Key.Key_Escape)
        yield from _press(Qt.Key.Key_Tab)
        if QApplication.focusWidget() is focus:
            yield from _press(Qt.Key.Key_F6)
            if QApplication.focusWidget() is focus:
                break
        yield 0
    _check_alive(wanted, name)
    wanted.setFocus(Qt.FocusReason.TabFocusReason)
    if QApplication.focusWidget() is not wanted:
        raise Missing(f"{name!r} takes no focus")
    return False


def _check_alive(widget: QWidget, name: str) -> None:
    if not shiboken6.isValid(widget):
        raise Missing(f"{name!r} was deleted while Tab was on its way to it")


def _named(widget: QWidget | None) -> str:
    return f"{type(widget).__name__} {widget.accessibleName()!r}" if widget is not None else "nothing"


def _focus_of(widget: QWidget) -> QWidget:
    proxy = widget.focusProxy()
    return _focus_of(proxy) if proxy is not None else widget
