# SPDX-License-Identifier: EUPL-1.2
"""Buttons: with a text, with an icon only (which then must have a name), and rows that can be pressed."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QPushButton, QSizePolicy, QToolButton, QWidget

from ui.kit.faces import Tab, TabList, Toggle, notify_toggled
from ui.kit.icons import set_icon
from ui.kit.plain import caption, set_tip
from ui.kit.style import line, set_props
from ui.kit.translate import key_text

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_ICON_ROLES = {"primary": "on-accent", "danger": "on-accent", "link": "accent"}


class Entered:
    """A base class for buttons: makes Enter press the button that has the focus, which Qt does only in dialogs. It
    comes before Qt's class."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not isinstance(self, QAbstractButton) or event.key() not in _ENTER:
            super().keyPressEvent(event)  # type: ignore[misc] # Qt's class comes after this one
        elif not event.isAutoRepeat():
            self.click()


class IconButton(Entered, Toggle, QToolButton):
    """A button with an icon and no text. `name` is its accessible name and, with the shortcut, its tooltip. `role` is
    the name of the icon's colour, `size` its size at 100 %."""

    def __init__(
        self,
        icon: str,
        name: str,
        on_click: Callable[[], object] | None = None,
        *,
        size: int = 18,
        role: str = "muted",
        checkable: bool = False,
        framed: bool = False,
        shortcut: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setCheckable(checkable)  # before the name: Qt asks what the button is when it has one
        set_props(self, kind="framed" if framed else "icon")
        set_icon(self, icon, role, size, checked="accent" if checkable else None)
        self.set_name(name, shortcut)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the focus where one writes
        self.toggled.connect(lambda: notify_toggled(self))
        if on_click is not None:
            self.clicked.connect(lambda: on_click())

    def set_name(self, name: str, shortcut: str = "") -> None:
        """Changes the button's accessible name, and its tooltip, which also shows `shortcut`."""
        self.setAccessibleName(name)
        set_tip(self, f"{name} ({key_text(shortcut)})" if shortcut else name)


class TextButton(Entered, Toggle, QPushButton):
    """A button with a text, and perhaps an icon before it. `kind` is its look: "" (bordered), primary, danger, quiet or
    link."""

    def __init__(
        self,
        text: str,
        on_click: Callable[[], object] | None = None,
        *,
        kind: str = "",
        icon: str | None = None,
        checkable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setCheckable(checkable)  # before the text: Qt asks what the button is when it has one
        self._air = "\N{NO-BREAK SPACE}" if icon is not None else ""
        self.setText(text)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAutoDefault(False)
        set_props(self, kind=kind)
        self.toggled.connect(lambda: notify_toggled(self))
        if icon is not None:
            set_icon(self, icon, _ICON_ROLES.get(kind, "text"), 16, checked="accent" if checkable else None)
        if on_click is not None:
            self.clicked.connect(lambda: on_click())

    def setText(self, text: str) -> None:
        """Changes text and accessible name. The space between icon and text is a character: Qt has no setting for
        it."""
        super().setText(self._air + caption(text))
        self.setAccessibleName(text)

    def show_text(self, text: str, name: str = "") -> None:
        """Changes the text, and the accessible name to `name` ("": the text). Does nothing if the button has that name
        already, whatever its text: a screen reader would announce a name that is set again."""
        if self.accessibleName() != (name or text):
            self.setText(text)
            self.setAccessibleName(name or text)


class PlainButton(Entered, QPushButton):
    """A button with a text whose width the layout may stretch, as in a dialog's foot or a row of choices."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setAutoDefault(False)


class SegmentButton(Tab, PlainButton):
    """One of a row of buttons (`Segments`) of which one is chosen: it decides what is shown below the row."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setCheckable(True)
        self.setText(text)
        set_props(self, kind="segment")


class Segments(TabList, QWidget):
    """A row of `SegmentButton`s, of which one is chosen: its owner puts them into a QButtonGroup for that. `name` says
    to a screen reader what they choose."""

    def __init__(self, name: str, spacing: int = 8, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._row = line(self, spacing=spacing)

    def add(self, button: SegmentButton) -> None:
        """Adds a button to the right of the others."""
        self._row.addWidget(button)


class RowButton(Entered, QPushButton):
    """A button in the form of a whole row, whose content the caller puts into a layout. `name` is the row's text for a
    screen reader."""

    def __init__(self, name: str, on_click: Callable[[], object] | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setAutoDefault(False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        set_props(self, kind="row")
        if on_click is not None:
            self.clicked.connect(lambda: on_click())

    def take_clicks(self) -> None:
        """Makes a click on any widget in the row press the row. Call it when all widgets are in the row."""
        for part in self.findChildren(QWidget):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def sizeHint(self) -> QSize:
        layout = self.layout()
        return layout.sizeHint() if layout is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())
