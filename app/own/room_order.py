# SPDX-License-Identifier: EUPL-1.2
"""How the person has ordered their list of rooms: sections of their own, what is folded up, and the order within a
section. It is the same on all their devices.

A room is in the section that the person has put it in, if that section is still there; otherwise in the section of its
type. So a section that is removed loses nothing: its rooms are shown under their types, and are in it again when it is
restored.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from app.core.ids import RoomId
from app.core.signal import Signal
from app.core.visible import one_line
from app.own.registers import Registers, of_room
from app.own.service import Own

MAX_TITLE = 60
MAX_SECTIONS = 100
"""Most sections that are shown; of more, those that come first."""
_ID_BYTES = 8
_STEP = 1 << 20
"""Between two places that are given at once, so that a room can be put between them without moving others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSection:
    """A section of the list of rooms that the person has made. `ident`: its id, 16 hex digits."""

    ident: str
    title: str


class RoomOrder:
    """Sections of the person's own, and the order of rooms. Each method that changes something does it on all devices
    and emits `changed`; the disk's faults are in `Own.fault`."""

    def __init__(self, own: Own) -> None:
        self.changed: Signal[()] = Signal()
        """Something about the order has changed, here or on another device."""
        self._shown: list[OwnSection] | None = None
        """What `sections` returns, once it was read: a stolen device may have written 20,000 sections, and the list of
        rooms asks for them at each message."""
        self._rooms, self._sections = _Kept(Registers(own, "rooms")), _Kept(Registers(own, "sections"))
        self._rooms.registers.changed.connect(self._on_rooms)
        self._sections.registers.changed.connect(self._on_sections)

    def close(self) -> None:
        """Stops following the devices."""
        self._rooms.registers.close()
        self._sections.registers.close()

    # -- sections --------------------------------------------------------------------------------------------------

    def sections(self) -> list[OwnSection]:
        """The person's sections in their order; at most MAX_SECTIONS."""
        if self._shown is None:
            names = [name for name in self._sections.registers.names() if name.endswith("/title")]
            idents = [name.removesuffix("/title") for name in names if _is_id(name.removesuffix("/title"))]
            found = [OwnSection(ident=ident, title=title) for ident in idents if (title := self._title(ident))]
            self._shown = sorted(found, key=lambda each: (self._number(each.ident), each.ident))[:MAX_SECTIONS]
        return list(self._shown)

    def make(self, title: str) -> str:
        """Makes a section, the last of the person's, and returns its id. `title` is shortened to a line of MAX_TITLE
        characters; "" makes none and returns ""."""
        shown = one_line(title, MAX_TITLE)
        if not shown:
            return ""
        ident, last = os.urandom(_ID_BYTES).hex(), self.sections()[-1:]
        self._sections.set(f"{ident}/order", self._number(last[0].ident) + _STEP if last else _STEP)
        self._set_section(f"{ident}/title", shown)
        return ident

    def rename(self, ident: str, title: str) -> None:
        """Gives a section another title, or takes a removed one back: its rooms are in it again. Nothing happens for a
        title without a visible character."""
        shown = one_line(title, MAX_TITLE)
        if shown:
            self._set_section(f"{ident}/title", shown)

    def remove(self, ident: str) -> None:
        """Removes a section. Its rooms are in the sections of their types again."""
        self._set_section(f"{ident}/title", None)

    def move(self, ident: str, by: int) -> None:
        """Moves a section by so many places down (up, if negative), at most to the end."""
        idents = [each.ident for each in self.sections()]
        if ident not in idents:
            return
        at = idents.index(ident)
        to = max(0, min(len(idents) - 1, at + by))
        if to != at:
            idents.insert(to, idents.pop(at))
            for number, each in enumerate(idents, start=1):
                self._sections.set(f"{each}/order", number * _STEP)
            self._shown = None
            self.changed.emit()

    def is_folded(self, section: str) -> bool:
        """Whether a section is folded up: one of the person's by its id, or that of a type of room by its name."""
        return self._sections.get(f"{section}/folded") is True

    def set_folded(self, section: str, folded: bool) -> None:
        """Folds a section up, or out."""
        if self.is_folded(section) != folded:
            self._set_section(f"{section}/folded", folded)

    # -- rooms -----------------------------------------------------------------------------------------------------

    def section_of(self, room: RoomId) -> str | None:
        """The id of the person's section that a room is in; None if it is in that of its type."""
        ident = self._rooms.get(of_room(room, "section"))
        return ident if isinstance(ident, str) and _is_id(ident) and self._title(ident) else None

    def put(self, room: RoomId, section: str | None) -> None:
        """Puts a room into a section of the person's, or with None back to that of its type. It loses its place."""
        if self.section_of(room) != section:
            self._rooms.set(of_room(room, "place"), None)
            self._rooms.set(of_room(room, "section"), section)
            self.changed.emit()

    def put_back(self, room: RoomId, section: str | None, place: int | None) -> None:
        """Puts a room where it was before it was moved."""
        self._rooms.set(of_room(room, "section"), section)
        self._rooms.set(of_room(room, "place"), place)
        self.changed.emit()

    def place_of(self, room: RoomId) -> int | None:
        """The room's place in its section, lower ones first; None for one that the person has given none: those come
        after the others."""
        place = self._rooms.get(of_room(room, "place"))
        return place if type(place) is int else None

    def arrange(self, rooms: Sequence[RoomId], room: RoomId, to: int) -> None:
        """Puts `room` at the index `to` of `rooms`, which are those of its section in their order, `room` among them.
        The rooms before it get places too, so that they stay there; those behind it keep following their latest
        activity, unless they have a place already."""
        order = [each for each in rooms if each != room]
        to = max(0, min(len(order), to))
        order.insert(to, room)
        if order == list(rooms):
            return
        placed = [i for i, each in enumerate(order) if self.place_of(each) is not None]
        upto = max([to, *placed]) + 1
        for each, place in zip(order[:upto], self._places(order[:upto], to), strict=True):
            self._rooms.set(of_room(each, "place"), place)
        self.changed.emit()

    def hides_rooms_within(self, room: RoomId) -> bool:
        """Whether the rooms that belong to `room` are folded up below it."""
        return self._rooms.get(of_room(room, "folded")) is True

    def hide_rooms_within(self, room: RoomId, hidden: bool) -> None:
        """Folds the rooms that belong to `room` up below it (`hidden`), or shows them. Emits `changed` if that is
        new."""
        if self.hides_rooms_within(room) != hidden:
            self._rooms.set(of_room(room, "folded"), hidden)
            self.changed.emit()

    def forget_places(self, rooms: Iterable[RoomId]) -> Callable[[], None]:
        """Has these rooms follow their latest activity again. Returns a function that gives them back the places that
        they had."""
        before = {room: place for room in rooms if (place := self.place_of(room)) is not None}
        self._set_places(dict.fromkeys(before))
        return lambda: self._set_places(before)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _places(self, order: Sequence[RoomId], moved: int) -> list[int]:
        """Ascending places: those that are there if the moved one fits between its neighbours, otherwise new ones."""
        kept = [self.place_of(room) for room in order]
        low = kept[moved - 1] if moved else 0
        high = kept[moved + 1] if moved + 1 < len(order) else (low or 0) + 2 * _STEP
        if low is not None and high is not None and high - low > 1:
            kept[moved] = (low + high) // 2
        whole = [place for place in kept if place is not None]
        if len(whole) == len(order) and all(a < b for a, b in pairwise(whole)):
            return whole
        return [number * _STEP for number in range(1, len(order) + 1)]

    def _set_places(self, places: dict[RoomId, int | None] | dict[RoomId, int]) -> None:
        for room, place in places.items():
            self._rooms.set(of_room(room, "place"), place)
        if places:
            self.changed.emit()

    def _set_section(self, name: str, value: str | int | None) -> None:
        self._sections.set(name, value)
        self._shown = None
        self.changed.emit()

    def _title(self, ident: str) -> str:
        title = self._sections.get(f"{ident}/title")
        return one_line(title, MAX_TITLE) if isinstance(title, str) else ""

    def _number(self, ident: str) -> int:
        number = self._sections.get(f"{ident}/order")
        return number if type(number) is int else 0

    def _on_sections(self, names: frozenset[str]) -> None:
        self._shown = None
        self._sections.forget(names)
        self.changed.emit()

    def _on_rooms(self, names: frozenset[str]) -> None:
        self._rooms.forget(names)
        if any(name.endswith(("/section", "/place", "/folded")) for name in names):
            self.changed.emit()


class _Kept:
    """Values of a root that were read before, until they change. A list of 300 rooms asks for 600 of them at each
    refresh, which takes 10 ms with the objects of three years."""

    def __init__(self, registers: Registers) -> None:
        self.registers = registers
        self._kept: dict[str, Any] = {}

    def get(self, name: str) -> Any:
        """As `Registers.get`."""
        if name not in self._kept:
            self._kept[name] = self.registers.get(name)
        return self._kept[name]

    def set(self, name: str, value: str | int | None) -> None:
        """As `Registers.set`."""
        self.registers.set(name, value)
        self._kept.pop(name, None)

    def forget(self, names: Iterable[str]) -> None:
        """Has these values read again: another device has changed them."""
        for name in names:
            self._kept.pop(name, None)


def _is_id(text: str) -> bool:
    return len(text) == 2 * _ID_BYTES and all(sign in "0123456789abcdef" for sign in text)
