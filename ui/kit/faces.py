# SPDX-License-Identifier: EUPL-1.2
"""The accessibility of objects for which Qt's own answer to screen readers is wrong or missing (docs/decisions/0019).

A widget, or a QObject in the place of something painted, gives its own answers by being `Spoken`. All other objects
keep Qt's own interface.
"""

import sys
import weakref
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeAlias

import shiboken6
from PySide6.QtCore import QObject, QPoint, QRect, Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleActionInterface,
    QAccessibleAttributesInterface,
    QAccessibleEvent,
    QAccessibleInterface,
    QWindow,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QComboBox,
    QFrame,
    QLineEdit,
    QWidget,
)

from ui.kit.translate import tr

Role: TypeAlias = QAccessible.Role
State: TypeAlias = QAccessible.State
Text: TypeAlias = QAccessible.Text
_Type: TypeAlias = QAccessible.InterfaceType

_STATE_IN_DESCRIPTION = sys.platform == "linux"
"""On Linux the description says on or off: Qt's AT-SPI bridge has no role for toggle buttons, and Orca does not read
the pressed state of a push button. On Windows Qt reports it."""


class Spoken:
    """A base class of widgets, and of objects in the place of something painted, whose answers to a screen reader are
    given here instead of by Qt. It comes before Qt's class; the answers here are those of a plain widget."""

    def spoken_role(self) -> Role | None:
        """Returns what the object is for a screen reader (its role), or None to keep Qt's own interface. Qt asks for
        the interface once, when the object gets its first name or text: whatever decides None must be set before."""
        return None

    def subject(self) -> QObject | None:
        """The object that all answers are about; None when it is gone."""
        return self if isinstance(self, QObject) and shiboken6.isValid(self) else None

    def spoken_level(self) -> int:
        """Returns the level of a heading or list item, from 1; 0 if it has none. Qt asks once whether it has one."""
        return 0

    def spoken_name(self) -> str:
        widget = self._widget()
        shown = widget.text().replace("&&", "&").strip() if isinstance(widget, QAbstractButton) else ""
        return widget.accessibleName() or shown

    def spoken_description(self) -> str:
        return self._widget().accessibleDescription() or self._widget().toolTip()

    def spoken_state(self) -> State:
        widget, state = self._widget(), State()
        state.invisible = not widget.isVisible()
        state.disabled = not widget.isEnabled()
        state.focusable = widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        state.focused = widget.hasFocus()
        return state

    def spoken_rect(self) -> QRect:
        """The object's rectangle in global coordinates."""
        widget = self._widget()
        return QRect(widget.mapToGlobal(QPoint(0, 0)), widget.size())

    def spoken_parent(self) -> QObject | None:
        return self._widget().parentWidget()

    def spoken_count(self) -> int:
        return len(self._inside())

    def spoken_child(self, number: int) -> QObject | None:
        inside = self._inside()
        return inside[number] if 0 <= number < len(inside) else None

    def spoken_number(self, child: QObject | None) -> int:
        """The index of `child` among the object's children for a screen reader; -1 if it is none of them."""
        inside = self._inside()
        return inside.index(child) if child in inside else -1

    def spoken_focus(self) -> QObject | None:
        """The child that has the focus."""
        return None

    def press(self) -> None:
        """Does what a press on the object does, for a screen reader that asks for it; nothing if it cannot be
        pressed."""
        if isinstance(self, QAbstractButton):
            self.click()

    @property
    def presses(self) -> bool:
        """Whether it can be pressed."""
        return isinstance(self, QAbstractButton)

    def _widget(self) -> QWidget:
        assert isinstance(self, QWidget)  # noqa: S101 - narrows the type
        return self

    def _inside(self) -> Sequence[QObject]:
        return [child for child in self._widget().children() if isinstance(child, QWidget) and not child.isWindow()]


class Toggle(Spoken):
    """A base class of buttons: if one is checkable (it stays pressed), a screen reader reads out whether it is on. It
    comes before Qt's class."""

    def spoken_role(self) -> Role | None:
        return Role.Button if isinstance(self, QAbstractButton) and self.isCheckable() else None

    def spoken_description(self) -> str:
        description = super().spoken_description()
        if not _STATE_IN_DESCRIPTION or not isinstance(self, QAbstractButton):
            return description
        return ", ".join(part for part in (tr("On") if self.isChecked() else tr("Off"), description) if part)

    def spoken_state(self) -> State:
        state = super().spoken_state()
        if isinstance(self, QAbstractButton):
            state.checkable = True
            state.checked = self.isChecked()
            state.pressed = self.isChecked()
        return state


class Tab(Spoken):
    """A base class of checkable buttons that choose what is shown: a screen reader calls them page tabs. It comes
    before Qt's class."""

    def spoken_role(self) -> Role | None:
        return Role.PageTab if isinstance(self, QAbstractButton) and self.isCheckable() else None

    def spoken_state(self) -> State:
        state = super().spoken_state()
        state.selectable = True
        state.selected = isinstance(self, QAbstractButton) and self.isChecked()
        return state


class TabList(Spoken):
    """A base class of widgets that contain `Tab`s, buttons that choose what is shown: a screen reader calls such a
    widget a list of tabs. It comes before Qt's class."""

    def spoken_role(self) -> Role | None:
        return Role.PageTabList


class Spot(Spoken, QObject):
    """An object in the place of something that a widget only paints, so that a screen reader can report the focus in
    it. It is a child of the widget, and so deleted with it or earlier."""

    def _widget(self) -> QWidget:
        owner = self.parent()
        assert isinstance(owner, QWidget)  # noqa: S101 - narrows the type
        return owner

    def spoken_description(self) -> str:
        return ""

    def spoken_parent(self) -> QObject | None:
        return self.parent()

    def _inside(self) -> Sequence[QObject]:
        return ()


def notify_focus(thing: QObject) -> None:
    """Notifies screen readers that the focus is on `thing`, a part of the widget that has the focus."""
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleEvent(thing, QAccessible.Event.Focus))


def notify_chosen(tab: QAbstractButton) -> None:
    """Notifies screen readers that `tab` is the chosen one of its tabs, or not any more."""
    if QAccessible.isActive():
        event = QAccessible.Event.SelectionAdd if tab.isChecked() else QAccessible.Event.SelectionRemove
        QAccessible.updateAccessibility(QAccessibleEvent(tab, event))


def notify_description(thing: QObject) -> None:
    """Notifies screen readers that an object's description has changed."""
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleEvent(thing, QAccessible.Event.DescriptionChanged))


def notify_toggled(button: QAbstractButton) -> None:
    """Notifies screen readers that a button was switched on or off, on Linux, where its description says which.
    Elsewhere it does nothing: Qt notifies them of the state itself."""
    if _STATE_IN_DESCRIPTION:
        notify_description(button)


class ForeignSpoken(Spoken):
    """Gives the answers to a screen reader for `widget`, which is of one of Qt's own classes and so cannot be `Spoken`
    itself."""

    def __init__(self, widget: QWidget) -> None:
        self._of = weakref.ref(widget)
        self._kept = widget if type(widget).__module__.startswith("PySide6.") else None
        """A widget of Qt's own has a Python object only as long as somebody holds it."""

    def subject(self) -> QObject | None:
        widget = self._of()
        return widget if widget is not None and shiboken6.isValid(widget) else None

    def _widget(self) -> QWidget:
        widget = self._of()
        assert widget is not None  # noqa: S101 - narrows the type: asked only while `subject` is there
        return widget


FOREIGN: dict[type[QWidget], Callable[[QWidget], ForeignSpoken]] = {}
"""Makers of the `ForeignSpoken` of widgets that Qt creates, by exact class. ▲ Never for a class that Python creates and
Qt queries in its constructor (QListWidget): the factory gets a second Python object, and keeping it crashes the process
when the widget is deleted. Derive from such a class and call `look_again` instead."""


class Bystander(ForeignSpoken):
    """Gives the answers for a widget with a focus proxy, such as the viewport of a field or list. Qt reports that both
    have the focus; here only the proxy has it."""

    def spoken_role(self) -> Role:
        return Role.Border if isinstance(self._of(), QFrame) else Role.Client

    def spoken_state(self) -> State:
        state = super().spoken_state()
        state.focusable = state.focused = False
        return state

    def _inside(self) -> Sequence[QObject]:
        given: Sequence[QObject] = getattr(self._widget().focusProxy(), "spoken_inside", tuple)()
        return [*given, *super()._inside()]


class _Action(QAccessibleActionInterface):
    def __init__(self, thing: "weakref.ref[Spoken]") -> None:
        super().__init__()
        self._thing = thing

    def actionNames(self) -> list[str]:
        return [self.pressAction()]

    def doAction(self, name: str) -> None:
        thing = self._thing()
        if thing is not None:
            thing.press()

    def keyBindingsForAction(self, name: str) -> list[str]:
        return []


class _Attributes(QAccessibleAttributesInterface):
    def __init__(self, thing: "weakref.ref[Spoken]") -> None:
        super().__init__()
        self._thing = thing

    def _level(self) -> int:
        thing = self._thing()
        return thing.spoken_level() if thing is not None and thing.subject() is not None else 0

    def attributeKeys(self) -> list[QAccessible.Attribute]:
        return [QAccessible.Attribute.Level] if self._level() else []

    def attributeValue(self, key: QAccessible.Attribute) -> object:
        return self._level() or None if key == QAccessible.Attribute.Level else None


class Face(QAccessibleInterface):
    """The accessibility interface of one object, which Qt reads; it answers as `thing` does. Qt owns it and deletes it
    with its object, which it therefore holds weakly.

    ▲ Never return None where a pointer is expected from `interface_cast`: PySide6 ends the process (VoidPtr(0) is
    "there is none").
    """

    def __init__(self, thing: Spoken) -> None:
        super().__init__()
        self._thing = weakref.ref(thing)
        self._kept = None if isinstance(thing, QObject) else thing
        self._role = thing.spoken_role() or Role.NoRole
        self._none = shiboken6.VoidPtr(0)
        self._casts: dict[_Type, shiboken6.VoidPtr] = {}
        if thing.presses:
            self._action = _Action(self._thing)
            self._casts[_Type.ActionInterface] = _pointer(self._action)
        if thing.spoken_level():
            self._attributes = _Attributes(self._thing)
            self._casts[_Type.AttributesInterface] = _pointer(self._attributes)

    def _living(self) -> Spoken | None:
        thing = self._thing()
        return thing if thing is not None and thing.subject() is not None else None

    def interface_cast(self, t: _Type) -> shiboken6.VoidPtr:  # type: ignore[override] # an int in the stub
        return self._casts.get(t, self._none)

    def isValid(self) -> bool:
        return self._living() is not None

    def object(self) -> QObject | None:  # type: ignore[override]
        thing = self._living()
        return thing.subject() if thing is not None else None

    def window(self) -> QWindow | None:  # type: ignore[override]
        thing = self._living()
        return thing._widget().window().windowHandle() if thing is not None else None

    def relations(self, match: Any = None) -> list[Any]:
        return []

    def focusChild(self) -> QAccessibleInterface | None:  # type: ignore[override]
        thing = self._living()
        return _face(thing.spoken_focus()) if thing is not None else None

    def parent(self) -> QAccessibleInterface | None:  # type: ignore[override]
        thing = self._living()
        return _face(thing.spoken_parent()) if thing is not None else None

    def childCount(self) -> int:
        thing = self._living()
        return thing.spoken_count() if thing is not None else 0

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        thing = self._living()
        return _face(thing.spoken_child(index)) if thing is not None else None

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]
        thing = self._living()
        for number in range(thing.spoken_count() if thing is not None else 0):
            child = self.child(number)
            if child is not None and child.rect().contains(x, y):
                return child
        return None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        thing = self._living()
        return thing.spoken_number(child.object()) if thing is not None else -1

    def text(self, t: Text) -> str:
        thing = self._living()
        if thing is None:
            return ""
        if t == Text.Name:
            return thing.spoken_name()
        return thing.spoken_description() if t == Text.Description else ""

    def setText(self, t: Text, text: str) -> None:
        """Does nothing: no answer is changed from outside."""

    def rect(self) -> QRect:
        thing = self._living()
        return thing.spoken_rect() if thing is not None else QRect()

    def role(self) -> Role:
        thing = self._living()
        return (thing.spoken_role() if thing is not None else None) or self._role

    def state(self) -> State:
        thing = self._living()
        return thing.spoken_state() if thing is not None else State()


def _pointer(interface: shiboken6.Object) -> shiboken6.VoidPtr:
    return shiboken6.VoidPtr(shiboken6.getCppPointer(interface)[0])


def _face(thing: QObject | None) -> QAccessibleInterface | None:
    return QAccessible.queryAccessibleInterface(thing) if thing is not None else None


_OWN = (QAbstractButton, QAbstractScrollArea, QAbstractSpinBox, QComboBox, QLineEdit)
"""Classes whose own interface reports more than that they give the focus to another widget."""


def look_again(widget: QWidget) -> None:
    """Drops the accessibility interface that Qt made for the widget before it could answer as `Spoken` (in its
    constructor), so that Qt asks for one again. Does nothing if no screen reader is used."""
    if QAccessible.isActive():
        face = QAccessible.queryAccessibleInterface(widget)
        QAccessible.deleteAccessibleInterface(QAccessible.uniqueId(face))


def leave_focus(field: QAbstractScrollArea) -> None:
    """Stops a text field's viewport from reporting the focus, which the field has. Call it once, when the field is
    made."""
    look_again(field.viewport())


def _make(_name: str, thing: QObject) -> QAccessibleInterface | None:
    if isinstance(thing, Spoken):
        return Face(thing) if thing.spoken_role() is not None else None
    if not isinstance(thing, QWidget):
        return None
    if type(thing) in FOREIGN:
        return Face(FOREIGN[type(thing)](thing))
    ready = type(thing) in (QWidget, QFrame) or not type(thing).__module__.startswith("PySide6.")
    passes_on = ready and not isinstance(thing, _OWN) and thing.focusProxy() is not None
    return Face(Bystander(thing)) if passes_on else None


@cache
def install() -> None:
    """Makes Qt ask this module first for the accessibility of an object. Call it after the application is made: Qt asks
    its factories in reverse order of installation, and its own is installed with the application. A second call does
    nothing."""
    QAccessible.installFactory(_make)
