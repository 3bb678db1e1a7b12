# SPDX-License-Identifier: EUPL-1.2
"""What was put away, of whatever tool: who did it and when, and the way back. Nothing goes from here by itself.

A tool whose things can be put away has a service that is a `Bin`. What somebody writes in a thing that is put away is
kept, and whoever put it away is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.core.ids import ObjId, RoomId, Uid
from app.objects.links import ObjectLink


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """An object that a room's record put away. `row`: the record's, in the store; `t` in ms."""

    room: RoomId
    obj: ObjId
    by: Uid
    t: int
    row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAway:
    """A thing in the trash. `ref` names it in its object, if it is not the object itself; `t` in ms; `by` None where
    nobody is named."""

    room: RoomId
    obj: ObjId
    kind: str
    ref: bytes = b""
    title: str
    by: Uid | None
    t: int

    @property
    def link(self) -> ObjectLink:
        """Opens it where it is."""
        return ObjectLink(room=self.room, obj=self.obj, kind=self.kind, ref=self.ref)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenAfter:
    """Others wrote in something that I had put away, and I have not opened it since. `by`: the last to write comes
    last; `t` in ms, of the newest change."""

    item: PutAway
    by: tuple[Uid, ...]
    t: int


class Bin(Protocol):
    """The service of a tool whose things can be put away."""

    def put_away(self, room: RoomId) -> Sequence[PutAway]:
        """What is in a room's trash, put away last first."""
        ...

    def take_back(self, item: PutAway) -> None:
        """Puts a thing back where it was. Nothing happens if it is back already."""
        ...

    def written_after(self) -> Sequence[WrittenAfter]:
        """Of everything that I put away, in all rooms, what others have written in since."""
        ...


class Trash:
    """The trash of all tools."""

    def __init__(self, *bins: Bin) -> None:
        self._bins = bins

    def written_after(self) -> list[WrittenAfter]:
        """Things that I put away and others wrote in, the newest first."""
        found = [each for tool in self._bins for each in tool.written_after()]
        return sorted(found, key=lambda each: each.t, reverse=True)
