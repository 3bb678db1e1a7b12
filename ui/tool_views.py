# SPDX-License-Identifier: EUPL-1.2
"""What a view of a tool may offer, and what it may ask of the window that it is in. `Tool` itself is in ui/tool.py."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId
from app.objects.links import ObjectLink


@runtime_checkable
class Opener(Protocol):
    """A view of a tool that can show a certain place in its open object, such as a message or a card."""

    def open_ref(self, obj: ObjId, ref: bytes) -> None: ...


@runtime_checkable
class AnsweringView(Protocol):
    """A view of a tool in which one can answer what is at a place in its open object, such as a message. `answer`
    begins that: the person only has to write."""

    def answer(self, obj: ObjId, ref: bytes) -> None: ...


OWN = "own"
"""The tab of a section with the person's own object, as `Place.tab` has it."""


@runtime_checkable
class TabbedView(Protocol):
    """A page of the window with several tabs. `show_tab` shows one; the first for "" and for one that is unknown."""

    def show_tab(self, tab: str) -> None: ...


@runtime_checkable
class OwnView(Protocol):
    """A section's page with an object of the person's own. `open_own` goes to a place in it, such as a card, and marks
    the words of a search there; b"" is no place."""

    def open_own(self, ref: bytes, words: Sequence[str]) -> None: ...


@runtime_checkable
class MarkingView(Protocol):
    """A view of a tool that can mark the words of a search in its open object. No words remove the marks."""

    def mark_words(self, words: Sequence[str]) -> None: ...


@runtime_checkable
class WritingView(Protocol):
    """A view of a tool with a field at its foot in which the person writes; `writing_area` returns it. Messages of the
    window are shown above that field."""

    def writing_area(self) -> QWidget: ...


@runtime_checkable
class ActingView(Protocol):
    """A view of a tool that can do some of the window's commands, such as Print, with what is open in it. `doable`
    returns those that it can do now: a function for each, by the command's id."""

    def doable(self) -> Mapping[str, Callable[[], object]]:
        """The actions that are possible now, by the commands' ids."""
        ...


@runtime_checkable
class RefreshedView(Protocol):
    """A view that shows something which changes with the hour or the day. The Home page calls `refresh` of its cards of
    this kind whenever it reads everything again itself."""

    def refresh(self) -> None: ...


@runtime_checkable
class DraftingView(Protocol):
    """A view of a tool in which something may be written that is stored only after a pause, and so can be stored at
    once."""

    def keep_draft(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewPlace:
    """Where the person was in a view when it was left: what is open in it, and the place in that. Each view fills in
    the fields that it has."""

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
    """A view of a tool that can be asked where the person is in it, and can go there again."""

    def view_place(self) -> ViewPlace: ...

    def restore_place(self, left: ViewPlace) -> None:
        """Restores a place. Called when the view has its size."""


@runtime_checkable
class ClosableView(Protocol):
    """A view of a tool that can become read-only, or writable again, while it is open."""

    def set_writable(self, writable: bool) -> None: ...


@runtime_checkable
class Shell(Protocol):
    """What the view of a tool may ask of the window that it is in: to open a link, and to show a short message."""

    def open_link(self, link: ObjectLink) -> None: ...

    def toast(self, text: str, undo: Callable[[], object] | None = None, action: str = "") -> None: ...


@runtime_checkable
class SectionShell(Protocol):
    """What the page of a section may ask of the window that it is in: to go to one of its tabs."""

    def go_section(self, section: str, tab: str = "") -> None: ...


def go_tab(widget: QWidget, section: str, tab: str) -> None:
    """Goes to a tab of a section in the window that `widget` is in, as a visited place. Does nothing if the window is
    not a main window."""
    window = widget.window()
    if isinstance(window, SectionShell):
        window.go_section(section, tab)


def follow(widget: QWidget, link: ObjectLink) -> None:
    """Opens what the link leads to in the window that `widget` is in. Does nothing if the window is not a main
    window."""
    window = widget.window()
    if isinstance(window, Shell):
        window.open_link(link)


def toast(widget: QWidget, text: str, undo: Callable[[], object] | None = None, action: str = "") -> None:
    """Shows briefly what was done, in the window that `widget` is in. `undo` is called by a button with the text
    `action` ("": Undo); None: there is no button. Does nothing if the window is not a main window."""
    window = widget.window()
    if isinstance(window, Shell):
        window.toast(text, undo, action)
