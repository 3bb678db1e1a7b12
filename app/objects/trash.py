# SPDX-License-Identifier: EUPL-1.2
"""The trash of every tool: what was put away, by whom and when, and how to restore it. Nothing is removed from it
automatically.

A tool whose objects can be put away has a service that is a `Bin`. A change that another person writes in an object in
the trash is kept, and the person who put the object away is notified.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.core.ids import ObjId, RoomId, Uid
from app.objects.links import ObjectLink


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """An object that was put into the trash by a record of its room: by whom (`by`) and when (`t`, ms). `row`: that
    record's row in the store."""

    room: RoomId
    obj: ObjId
    by: Uid
    t: int
    row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAway:
    """One entry of the trash: an object, or a part of one such as a card. `ref` names the part in its object; b"" for
    the object itself. `by` and `t` (ms): who put it away and when; `by` is None where nobody is named."""

    room: RoomId
    obj: ObjId
    kind: str
    ref: bytes = b""
    title: str
    by: Uid | None
    t: int

    @property
    def link(self) -> ObjectLink:
        """Opens it in its old place."""
        return ObjectLink(room=self.room, obj=self.obj, kind=self.kind, ref=self.ref)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenAfter:
    """Changes by other people in a thing, `item`, that this person had put into the trash and has not opened since.
    `by`: their authors, the latest last (of a card only the latest, or nobody if several wrote at once); `t`: the time
    of the newest change, in ms."""

    item: PutAway
    by: tuple[Uid, ...]
    t: int


class Bin(Protocol):
    """The trash of one tool, whose objects (or parts of them, such as cards) a person can put away and restore."""

    def put_away(self, room: RoomId) -> Sequence[PutAway]:
        """What is in a room's trash, the latest first."""
        ...

    def take_back(self, item: PutAway) -> None:
        """Restores it to its old place. Does nothing if it is restored already."""
        ...

    def written_after(self) -> Sequence[WrittenAfter]:
        """In all rooms, the things that this person put away and others have written in since."""
        ...


class Trash:
    """The trash of all tools together."""

    def __init__(self, *bins: Bin) -> None:
        self._bins = bins

    def written_after(self) -> list[WrittenAfter]:
        """The things that this person put away and others wrote in, newest first."""
        found = [each for tool in self._bins for each in tool.written_after()]
        return sorted(found, key=lambda each: each.t, reverse=True)
