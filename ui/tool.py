# SPDX-License-Identifier: EUPL-1.2
"""The interfaces between the shell and a tool: what a tool offers, and what it may ask of the shell."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId, RoomId
from app.objects.links import ObjectLink

Open = Callable[[Any, RoomId, ObjId | None, QWidget | None], QWidget]
"""`open(session, room, obj, parent)`: session is `app.session.Session`, the only place where a tool sees it; its
widgets then get models and services. obj None = the tool's own choice (the room's chat, the list of documents)."""


Before = Callable[[Any, ObjId, int, QWidget | None], QWidget]
"""`before(session, obj, row, parent)`: an object, to read, as the changes below a row of the store make it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool: a tab in each room. `title` is an English msgid; `kinds` the object kinds that it opens."""

    id: str
    title: str
    icon: str
    kinds: tuple[str, ...]
    open: Open
    shows_people: bool = True
    """Whether the room's people panel is shown beside it; False for a tool with its own panel, or a wide one."""
    before: Before | None = None
    """Only of a tool whose objects merge."""


@runtime_checkable
class Opener(Protocol):
    """A view that can show a certain place in its open object (a message, a card)."""

    def open_ref(self, obj: ObjId, ref: bytes) -> None: ...


@runtime_checkable
class MarkingView(Protocol):
    """A view that can mark the words of a search in its open object. No words remove the marks."""

    def mark_words(self, words: Sequence[str]) -> None: ...


@runtime_checkable
class WritingView(Protocol):
    """A view with a field at its foot, which the shell's messages keep clear of."""

    def writing_area(self) -> QWidget: ...


@runtime_checkable
class ActingView(Protocol):
    """A view that does some of the window's commands with what is open in it."""

    def doable(self) -> Mapping[str, Callable[[], object]]:
        """The actions that are possible now, by the commands' ids."""
        ...


@runtime_checkable
class DraftingView(Protocol):
    """A view in which something may be written that is stored only after a pause."""

    def keep_draft(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewPlace:
    """The place in a view when it was left: what is open in it, and where the person is in that. Each view fills in
    what it has."""

    page: int = 0
    """Which of the view's pages is shown."""
    opened: bytes = b""
    """The id of the object or card that is open in the view, or that has the focus."""
    at: bytes = b""
    """The id of the item at the top of the window."""
    line: int = 0
    """The UTF-16 position of the line at the top of the window."""
    px: int = 0
    """How many pixels of that item or line are above the window's top."""
    scrolls: tuple[int, ...] = ()
    field: str = ""
    """Where the caret is, if the view has several fields."""
    anchor: int = 0
    caret: int = 0
    """The selection, in UTF-16 positions."""


@runtime_checkable
class PlacedView(Protocol):
    """A view whose place can be restored."""

    def view_place(self) -> ViewPlace: ...

    def restore_place(self, left: ViewPlace) -> None:
        """Restores a place. Called when the view has its size."""


@runtime_checkable
class ClosableView(Protocol):
    """A view that can become read-only while it is open."""

    def set_writable(self, writable: bool) -> None: ...


@runtime_checkable
class Shell(Protocol):
    """What a view may ask of the window it is in."""

    def open_link(self, link: ObjectLink) -> None: ...

    def toast(self, text: str, undo: Callable[[], object] | None = None, action: str = "") -> None: ...


def follow(widget: QWidget, link: ObjectLink) -> None:
    """Opens the link in the window that the widget is in; nothing happens outside a shell."""
    window = widget.window()
    if isinstance(window, Shell):
        window.open_link(link)


def toast(widget: QWidget, text: str, undo: Callable[[], object] | None = None, action: str = "") -> None:
    """Shows briefly what was done, with Undo if it can be undone. `action`: the button's word if it does something else
    than undo. Nothing happens outside a shell."""
    window = widget.window()
    if isinstance(window, Shell):
        window.toast(text, undo, action)
