# SPDX-License-Identifier: EUPL-1.2
"""A message as a screen reader finds it: a list item, and in it the links, files and reactions that one can act on."""

from collections.abc import Hashable, Sequence
from typing import Protocol

from PySide6.QtCore import QObject, QRect, QRectF
from PySide6.QtWidgets import QListView

from app.chat.model import Message
from app.chat.ports import People
from ui.chat.line_layout import LineRow, shown_text
from ui.chat.message_layout import Hit, MessageLayout, Part
from ui.kit.faces import Role, Spot, State
from ui.kit.list_model import Index
from ui.kit.sizes import size_text
from ui.kit.spoken_list import RowSpot
from ui.kit.translate import tr

PartPlace = tuple[Hit, QRectF]


class Messages(Protocol):
    """What the objects for screen readers need of the view of a conversation: the layout and place of a row's message,
    which of its parts has the focus, and the press of a part."""

    def layout_of(self, row: int) -> MessageLayout: ...

    def is_new(self, row: int) -> bool: ...

    def part_of(self, row: int) -> int:
        """Which part of a message has the focus; -1: the message itself."""
        ...

    def press_part(self, row: int, number: int) -> None: ...

    def row_rect(self, row: int) -> QRect: ...


class PartSpot(Spot):
    """For screen readers, one link, file or reaction of a message. `number` is its index among the message's parts."""

    def __init__(self, message: "MessageSpot", number: int, hit: Hit, name: str) -> None:
        super().__init__(message)
        self._message, self._hit = message, hit
        self.show_part(number, name)

    def show_part(self, number: int, name: str) -> None:
        """Sets number and name of the part."""
        self._number, self._name = number, name

    def _widget(self) -> QListView:
        return self._message.view

    def spoken_role(self) -> Role:
        is_link = self._hit.part in (Part.LINK, Part.QUOTE, Part.REPLIES)
        return Role.Link if is_link else Role.Button

    def spoken_name(self) -> str:
        return self._name

    def spoken_description(self) -> str:
        return tr("{n} of {all}").format(n=self._number + 1, all=self._message.spoken_count())

    def spoken_state(self) -> State:
        state = State()
        state.focusable = True
        state.focused = self._message.focused_part() == self._number
        return state

    def spoken_rect(self) -> QRect:
        rect = self._message.place(self._number)
        return QRect(self._message.view.viewport().mapToGlobal(rect.topLeft()), rect.size())

    @property
    def presses(self) -> bool:
        return True

    def press(self) -> None:
        self._message.press_part(self._number)


class MessageSpot(RowSpot):
    """For screen readers, one message, with its parts inside. A part that is still there when the message has changed
    keeps its object."""

    def __init__(self, view: QListView, index: Index, messages: Messages, people: People) -> None:
        super().__init__(view, index)
        self._messages, self._people = messages, people
        self._of: tuple[Message, list[LineRow]] | None = None
        self._parts: dict[Hashable, PartSpot] = {}

    def spoken_name(self) -> str:
        """What happened in the room before the message, whether it is unread, the message, and what happened after
        it."""
        name = super().spoken_name()
        if not self.index.isValid():
            return name
        row = self.index.row()
        layout = self._messages.layout_of(row)
        place, day = layout.place, layout.message.day
        before, after = (
            [shown_text(g, self._people.person, day) for g in lines] for lines in (place.lines, place.after)
        )
        state = [tr("Unread")] if self._messages.is_new(row) else []
        return ". ".join(text for text in (*before, *state, name, *after) if text)

    def has_focus(self) -> bool:
        return super().has_focus() and self.focused_part() < 0

    def focused_part(self) -> int:
        """The index of the part of this message that has the focus; -1 if none has, or the message is not the current
        one."""
        here = self.index.isValid() and self.view.hasFocus() and self.view.currentIndex() == self.index
        return self._messages.part_of(self.index.row()) if here else -1

    def place(self, number: int) -> QRect:
        """The rectangle of the part with this index, in the viewport; empty if it is gone."""
        places = self._places()
        if number >= len(places):
            return QRect()
        return places[number][1].toRect().translated(self._messages.row_rect(self.index.row()).topLeft())

    def press_part(self, number: int) -> None:
        """Does what a click on the part with this index does. Nothing if the part or the message is gone."""
        if self.index.isValid():
            self._messages.press_part(self.index.row(), number)

    def spoken_focus(self) -> QObject | None:
        return self.spoken_child(self.focused_part())

    def _places(self) -> list[PartPlace]:
        return self._messages.layout_of(self.index.row()).parts() if self.index.isValid() else []

    def _inside(self) -> Sequence[QObject]:
        if not self.index.isValid():
            return ()
        layout = self._messages.layout_of(self.index.row())
        now = layout.message, layout.lines
        if now != self._of:
            self._of = now
            self._take_parts(layout.message)
        return list(self._parts.values())

    def _name_of(self, message: Message, hit: Hit) -> str:
        if hit.part is not Part.LINES:
            return part_name(message, hit, self._people)
        line = self._messages.layout_of(self.index.row()).lines[hit.number]
        return f"{line.text}, {tr('unfolded') if line.is_open else tr('folded')}"

    def _take_parts(self, message: Message) -> None:
        before, self._parts = self._parts, {}
        for number, (hit, _rect) in enumerate(self._places()):
            name, key = self._name_of(message, hit), part_key(message, hit)
            while key in self._parts:  # the same link twice
                key = (key, number)
            spot = before.pop(key, None) or PartSpot(self, number, hit, name)
            spot.show_part(number, name)
            self._parts[key] = spot
        for spot in before.values():
            spot.deleteLater()


def part_key(message: Message, hit: Hit) -> Hashable:
    """A value that identifies a part of a message when other parts come and go: its kind, with the emoji of a reaction,
    the text of a link, or otherwise the part's index. The same link twice gives the same value."""
    if hit.part is Part.REACTION:
        return hit.part, message.reactions[hit.number].emoji
    return (hit.part, hit.run.text) if hit.run is not None else (hit.part, hit.number)


def part_name(message: Message, hit: Hit, people: People) -> str:
    """The name of a part of a message, as a screen reader reads it out: a link's text, a file's name and size, a
    reaction's emoji, count and first three names, or the quoted text."""
    match hit.part:
        case Part.LINK if hit.run is not None:
            return hit.run.text
        case Part.FILE | Part.IMAGE | Part.DOWNLOAD:
            file = message.attachments[hit.number]
            kind = tr("picture {name}") if hit.part is Part.IMAGE else tr("file {name}")
            return f"{kind.format(name=file.name)}, {size_text(file.size_bytes)}"
        case Part.REACTION:
            reaction = message.reactions[hit.number]
            names = ", ".join(people.person(uid).name for uid in reaction.uids[:3])
            return f"{reaction.emoji} {reaction.count}, {names}" + (" …" if reaction.count > 3 else "")
        case Part.QUOTE if message.quote is not None:
            name = people.person(message.quote.author).name
            text = tr("The message was deleted") if message.quote.deleted else message.quote.text
            return tr("In reply to {name}: {text}").format(name=name, text=text)
        case _:
            return tr("Show the latest reply")
