# SPDX-License-Identifier: EUPL-1.2
"""What a screen reader would find: the pilot's eyes. Knows Qt's accessibility tree and nothing of the program."""

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

# They have names too, but nobody acts on them: left out unless asked for by role.
PASSIVE = {"StaticText", "Heading", "Client", "Graphic", "Pane", "Grouping", "Separator", "ToolTip"}
DEPTH = 40


class Missing(Exception):
    """Nothing, or more than one thing, on screen fits."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is sought: an accessible name (whole, or a part of it), perhaps a role, perhaps inside something named."""

    name: str
    role: str = ""
    within: str = ""
    part: bool = False
    nth: int = -1

    def fits(self, seen: "Seen") -> bool:
        name = seen.name
        return (self.name in name if self.part else self.name == name) and self.role in ("", seen.role)

    def __str__(self) -> str:
        words = [f"{'…' if self.part else ''}{self.name!r}"]
        words += [f"role {self.role}"] if self.role else []
        words += [f"within {self.within!r}"] if self.within else []
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Seen:
    """One visible element. `widget` is it, or the widget that draws it; `rect` is in global coordinates."""

    face: QAccessibleInterface
    widget: QWidget
    own: bool

    @property
    def name(self) -> str:
        if self.own and isinstance(self.widget, QComboBox):
            # On Linux Qt gives a combo box's text as its name, and its name by the relation to its label.
            return self.widget.accessibleName()
        return self.face.text(QAccessible.Text.Name)

    @property
    def role(self) -> str:
        return self.face.role().name

    @property
    def rect(self) -> QRect:
        return QRect(self.widget.mapToGlobal(QPoint(0, 0)), self.widget.size()) if self.own else self.face.rect()

    @property
    def enabled(self) -> bool:
        return not self.face.state().disabled and self.widget.isEnabled()

    @property
    def text(self) -> str:
        """What stands in it: a field's text, else its value, else its name."""
        if self.own and isinstance(self.widget, QTextEdit | QPlainTextEdit):
            return self.widget.toPlainText()
        if self.own and isinstance(self.widget, QLineEdit | QLabel):
            return self.widget.text()
        if self.own and isinstance(self.widget, QComboBox):
            return self.widget.currentText()
        return self.face.text(QAccessible.Text.Value) or self.name


def windows() -> list[QWidget]:
    """Visible windows, the one that has the user's attention first."""
    first = [QApplication.activePopupWidget(), QApplication.activeModalWidget(), QApplication.activeWindow()]
    shown = [window for window in QApplication.topLevelWidgets() if window.isVisible()]
    ordered = [window for window in [*first, *reversed(shown)] if window is not None]
    return list(dict.fromkeys(ordered))


def walk(window: QWidget) -> Iterator[tuple[int, Seen]]:
    """Every visible element of a window with its depth, in the order of the tree."""
    face = QAccessible.queryAccessibleInterface(window)
    if face is not None:
        yield from _walk(face, window, 0)


def _walk(face: QAccessibleInterface, above: QWidget, depth: int) -> Iterator[tuple[int, Seen]]:
    thing = face.object()
    own = isinstance(thing, QWidget)
    widget = thing if isinstance(thing, QWidget) else above
    if own and (not widget.isVisible() or (depth and widget.isWindow())):
        return
    if face.state().invisible and not own:
        return
    yield depth, Seen(face, widget, own)
    if depth < DEPTH:
        for index in range(face.childCount()):
            child = face.child(index)
            if child is not None:
                yield from _walk(child, widget, depth + 1)


def below(root: Seen) -> Iterator[tuple[int, Seen]]:
    yield from _walk(root.face, root.widget, 0)


def find_all(target: Target) -> list[Seen]:
    """Everything that fits in the first window where something does."""
    for window in windows():
        tree = walk(window)
        if target.within:
            inside = [seen for _, seen in tree if seen.name == target.within]
            found = [seen for root in inside for _, seen in below(root) if target.fits(seen)]
            found = list({id(seen.widget) if seen.own else str(seen.rect): seen for seen in found}.values())
        else:
            found = [seen for _, seen in tree if target.fits(seen)]
        active = [seen for seen in found if seen.role not in PASSIVE]
        if chosen := (found if target.role else active or found):
            return chosen
    return []


def find(target: Target) -> Seen:
    """The one element that fits; Missing if there is none, or several and no `nth`."""
    found = find_all(target)
    if not found:
        raise Missing(f"nothing on screen is named {target}")
    if target.nth >= 0:
        if len(found) <= target.nth:
            raise Missing(f"only {len(found)} are named {target}")
        return found[target.nth]
    if len(found) > 1:
        raise Missing(f"{len(found)} are named {target}: {', '.join(f'{s.role} {s.name!r}' for s in found[:6])}")
    return found[0]


def dump() -> str:
    """The tree of every window as text: what a failed step prints."""
    lines: list[str] = []
    focus = QApplication.focusWidget()
    for window in windows():
        lines.append(f"window {window.windowTitle()!r}{' (active)' if window.isActiveWindow() else ''}")
        for depth, seen in walk(window):
            marks = ("" if seen.enabled else " disabled") + (" FOCUS" if seen.own and seen.widget is focus else "")
            value = f" = {seen.text[:60]!r}" if seen.text != seen.name else ""
            if seen.name or value or seen.role not in PASSIVE:
                lines.append(f"{'  ' * depth}{seen.role} {seen.name!r}{value}{marks}")
    return "\n".join(lines)


def tree(root: Seen) -> list[object]:
    """An element as nested [role, name, value, children]: what a model looks like from outside."""
    nodes: list[list[object]] = []
    stack: list[list[object]] = []
    for depth, seen in below(root):
        node: list[object] = [seen.role, seen.name, seen.text if seen.text != seen.name else "", []]
        del stack[depth:]
        if stack:
            children = stack[-1][3]
            assert isinstance(children, list)
            children.append(node)
        else:
            nodes.append(node)
        stack.append(node)
    return nodes[0]


def window_of(widget: QWidget) -> QWidget:
    """The widget's window, shown and with a native handle."""
    window = widget.window()
    if window.windowHandle() is None:
        raise Missing(f"the window of {type(widget).__name__} is not shown yet")
    return window


def surface(seen: Seen) -> QWidget:
    """The widget that gets the mouse there: a scroll area's viewport rather than its frame."""
    if not seen.own and isinstance(seen.widget, QAbstractScrollArea):
        return seen.widget.viewport()
    return seen.widget
