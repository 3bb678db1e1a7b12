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
    """An object that a room's record put away. `row`: the record's row in the store; `t` in ms."""

    room: RoomId
    obj: ObjId
    by: Uid
    t: int
    row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAway:
    """An object or part of one in the trash. `ref` names it in its object, if it is not the object itself; `t` in ms;
    `by` is None where nobody is named."""

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
    """Others wrote in something that this person had put away and has not opened since. `by`: their uids, the latest
    last; `t` of the newest change, in ms."""

    item: PutAway
    by: tuple[Uid, ...]
    t: int


class Bin(Protocol):
    """The service of a tool whose objects can be put away."""

    def put_away(self, room: RoomId) -> Sequence[PutAway]:
        """The contents of a room's trash; those put away last come first."""
        ...

    def take_back(self, item: PutAway) -> None:
        """Restores it to its old place. Does nothing if it is restored already."""
        ...

    def written_after(self) -> Sequence[WrittenAfter]:
        """In all rooms, the things that this person put away and others have written in since."""
        ...


class Trash:
    """The trash of all tools."""

    def __init__(self, *bins: Bin) -> None:
        self._bins = bins

    def written_after(self) -> list[WrittenAfter]:
        """The things that this person put away and others wrote in, newest first."""
        found = [each for tool in self._bins for each in tool.written_after()]
        return sorted(found, key=lambda each: each.t, reverse=True)
