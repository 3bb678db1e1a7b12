# SPDX-License-Identifier: EUPL-1.2
"""Walks a view as a screen reader and as the Tab key do: names, roles, and that everything is reached and left."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QTextEdit, QWidget

from ui.shell.window.regions import takes_focus

NO_ROLE = {QAccessible.Role.NoRole, QAccessible.Role.Client}


def focusable(window: QWidget) -> list[QWidget]:
    """Everything Tab should stop at; within a group of choices it stops at the chosen one, arrows do the rest."""
    return [w for w in window.findChildren(QWidget) if takes_focus(w) and w.focusProxy() is None and not in_group(w)]


def in_group(widget: QWidget) -> bool:
    """Whether it is a choice that is not the chosen one."""
    group = widget.group() if isinstance(widget, QAbstractButton) else None
    return group is not None and group.exclusive() and group.checkedButton() not in (None, widget)


def check(window: QWidget) -> None:
    """Asserts name and role of each, and that names are unique within the view."""
    QAccessible.setActive(True)
    found = focusable(window)
    assert found
    names = []
    for widget in found:
        interface = QAccessible.queryAccessibleInterface(widget)
        where = f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}"
        assert interface is not None, where
        name = interface.text(QAccessible.Text.Name)
        assert name, where
        assert interface.role() not in NO_ROLE, where
        names.append((name, interface.role()))
    double = {n for n in names if names.count(n) > 1}
    assert not double, double


def check_tab(window: QWidget) -> None:
    """Asserts that Tab goes around through everything and stops nowhere twice. A text in which Tab is typed is left by
    Esc and Tab."""
    wanted = set(focusable(window))
    first = next(iter(focusable(window)))
    first.setFocus()
    seen: list[QWidget] = []
    for _ in range(len(wanted) + 5):
        focused = window.focusWidget()
        assert focused is not None
        if focused in seen:
            break
        seen.append(focused)
        if isinstance(focused, QTextEdit) and not focused.tabChangesFocus():
            QTest.keyClick(focused, Qt.Key.Key_Escape)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
        assert window.focusWidget() is not focused or len(wanted) == 1
    assert wanted - set(seen) == set(), [w.accessibleName() for w in wanted - set(seen)]
