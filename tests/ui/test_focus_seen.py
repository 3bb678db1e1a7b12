# SPDX-License-Identifier: EUPL-1.2
"""People who use the keyboard see where the focus is: every control of every view looks different with it."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QScrollArea, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.shots.rounds import LOOKS, walk
from tests.shots.views import OFFLINE, STOPPED, VIEWS
from ui.kit import theme
from ui.kit.translate import change_language
from ui.richtext.editor import Editor
from ui.shell.window.regions import takes_focus

AROUND_PX = 10
"""A frame around a field may show the focus for it."""
CONTRAST = 3.0
"""WCAG 2.2, 2.4.13: between the same pixels with and without the focus."""
ENOUGH_PX = 60
"""A caret alone has 36, a ring around a check box 100."""
CARET_PX = 15
"""Enough in a page of text, and in the palette, whose field has the focus as long as it is open."""


class Looking:
    """Gives each control the focus as Tab would, and takes its picture before and after."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, ...]] = set()
        self.unseen: list[tuple[str, str, str, int]] = []

    def visit(self, window: QWidget, view: str) -> None:
        tops = [w for w in QApplication.topLevelWidgets() if w.isVisible() and w.parentWidget() is window]
        for top in [*tops, window][:1]:
            top.activateWindow()
            QApplication.processEvents()
            for control in top.findChildren(QWidget):
                if takes_focus(control) and control.focusProxy() is None and control.isVisible():
                    self._look(top, control, view)

    def _changed_by_focus(self, top: QWidget, control: QWidget) -> int | None:
        """How many pixels the focus changes. None if the control is beyond the window's edge or takes no focus; _MOVED
        if less or more of it is seen than before, as in a view that still gets its place."""
        focused = top.focusWidget()
        if focused is not None:
            focused.clearFocus()
        QApplication.processEvents()
        area = _area(top, control)
        before = top.grab(area).toImage()
        if area.isEmpty() or before.isNull():
            return None
        control.setFocus(Qt.FocusReason.TabFocusReason)
        QApplication.processEvents()
        if not control.hasFocus():
            return None
        after = _area(top, control)
        if after.size() != area.size():
            return _MOVED
        return strongly_changed(before, top.grab(after).toImage())

    def _look(self, top: QWidget, control: QWidget, view: str) -> None:
        kind = (type(control).__name__, str(control.property("kind")), control.accessibleName())
        if (view.partition("/")[0], *kind) in self.seen:
            return
        _reveal(control)
        for _ in range(_TRIES):
            changed = self._changed_by_focus(top, control)
            if changed != _MOVED:
                break
        if changed is None:
            return
        self.seen.add((view.partition("/")[0], *kind))
        if changed < (CARET_PX if isinstance(control, Editor) or kind[1] == "palette" else ENOUGH_PX):
            self.unseen.append((view, kind[0], kind[2], changed))


_MOVED = -1
_TRIES = 20


def _reveal(control: QWidget) -> None:
    parent = control.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            parent.ensureWidgetVisible(control)
        parent = parent.parentWidget()


def _area(top: QWidget, control: QWidget) -> QRect:
    at = QRect(control.mapTo(top, control.rect().topLeft()), control.size())
    return at.adjusted(-AROUND_PX, -AROUND_PX, AROUND_PX, AROUND_PX).intersected(top.rect())


def strongly_changed(before: QImage, after: QImage) -> int:
    """The number of pixels whose contrast with what they were is enough."""
    old, new = (bytes(i.convertToFormat(QImage.Format.Format_RGB32).constBits()) for i in (before, after))
    differs = (int.from_bytes(old) ^ int.from_bytes(new)).to_bytes(len(old))
    found: Counter[tuple[bytes, bytes]] = Counter()
    for span in re.finditer(rb"[^\0]+(?:\0{1,3}[^\0]+)*", differs):
        for at in range(span.start() // 4 * 4, span.end(), 4):
            found[old[at : at + 4], new[at : at + 4]] += 1
    return sum(n for (a, b), n in found.items() if _contrast(a, b) >= CONTRAST)


def _contrast(a: bytes, b: bytes) -> float:
    one, two = sorted((_luminance(int.from_bytes(a, "little")), _luminance(int.from_bytes(b, "little"))))
    return (two + 0.05) / (one + 0.05)


def _luminance(pixel: int) -> float:
    red, green, blue = (_linear((pixel >> shift) & 255) for shift in (16, 8, 0))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: int) -> float:
    part = value / 255
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


@pytest.fixture(autouse=True)
def steady_caret(qapp: QApplication) -> Iterator[None]:
    before = QApplication.cursorFlashTime()
    QApplication.setCursorFlashTime(0)
    yield
    QApplication.setCursorFlashTime(before)
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)  # windows that a later theme would dress again


@pytest.mark.longest
@pytest.mark.slow
async def test_the_focus_is_seen_on_every_control_of_every_view_in_every_look(qapp: QApplication) -> None:
    change_language("sv")
    theme.apply(qapp, "light")
    looking = Looking()
    looks = {name: LOOKS[name] for name in ("light", "dark", "contrast", "contrast-dark")}
    await walk(looking.visit, looks, [*VIEWS, *STOPPED, *OFFLINE])
    assert looking.unseen == []
    assert len(looking.seen) > 4 * 150, "they were found at all"


def test_a_control_that_looks_the_same_with_the_focus_is_found(qapp: QApplication, qtbot: QtBot) -> None:
    """The test above would see one."""
    theme.apply(qapp, "light")
    window = QWidget()
    layout = QVBoxLayout(window)
    field, bare = QLineEdit(), QPushButton("Spara")
    bare.setStyleSheet("QPushButton, QPushButton:focus { border: none; padding: 4px; }")
    for part in (field, bare):
        layout.addWidget(part)
    qtbot.addWidget(window)
    window.show()
    looking = Looking()
    looking.visit(window, "x")
    assert [name for _, name, _, _ in looking.unseen] == ["QPushButton"]
