# SPDX-License-Identifier: EUPL-1.2
"""The smallest tool that the contract takes (app/tool.py): one kind of records that nothing shows, and a service that
notes what the session asks of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.core.ids import DevId, ObjId, RoomId, Uid
from app.errors import DiskFull
from app.objects.kind import Kind
from app.objects.links import Linked, ObjectLink
from app.rooms.founding import Starter
from app.store.connection import Connection
from app.store.rows import ObjectRow, StoredChange
from app.tool import AppTool, Carry, NoBaseline, NoCopy, NoSnapshot, Parts, ToolKind, Unsaved


@dataclass
class SmallService:
    """`asked` are the calls of the session, in their order."""

    parts: Parts
    asked: list[str] = field(default_factory=list)
    refused: list[Unsaved] = field(default_factory=list)
    trash: None = None

    def start(self) -> None:
        self.asked.append("start")

    def save(self) -> None:
        self.asked.append("save")
        if self.refused:
            raise DiskFull

    def unstored(self) -> Sequence[Unsaved]:
        return self.refused

    def close_all(self) -> None:
        self.asked.append("close_all")

    def on_ephemeral(self, room: RoomId, uid: Uid, dev: DevId, payload: bytes) -> None:
        self.asked.append(payload.decode())

    def linked(self, link: ObjectLink) -> Linked | None:
        return Linked(title=f"Note {link.ref.decode()}")

    def carry(self, objects: Sequence[tuple[ObjId, ObjId]]) -> Iterable[Sequence[tuple[ObjId, bytes]]]:
        return ()


def _project(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """Shows nothing."""


KIND = Kind(id="note", project=_project)


def kind_parts() -> dict[str, Any]:
    """The arguments of the tool's ToolKind."""
    return {
        "kind": KIND,
        "baseline": NoBaseline("nothing shows them"),
        "snapshot": NoSnapshot("nothing shows them"),
        "successor": Carry(SmallService.carry),
        "copier": NoCopy("none is held back"),
        "notices": (),
        "starter": Starter(kind=KIND.id),
    }


def tool_parts() -> dict[str, Any]:
    """The arguments of its AppTool."""
    return {
        "id": "notes",
        "service": SmallService,
        "make": SmallService,
        "kinds": (ToolKind(**kind_parts()),),
        "ephemeral": None,
    }


SMALL: AppTool[SmallService] = AppTool(**tool_parts())
