# SPDX-License-Identifier: EUPL-1.2
"""What a window gives tools, for tests of their views without a window: a service, people from a list, no rooms."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from app.core.ids import ObjId, RoomId, new_id
from app.core.signal import Signal
from app.objects.links import ObjectLink
from app.rooms.service import RoomSummary
from app.settings import Settings
from app.store.reminder_rows import ReminderId, ReminderRow
from app.tool import AppTool, People, S
from ui.chat.things import Unnamed
from ui.kit.presence_in_view import KnownPresence, NothingKnown
from ui.kit.translate import local_now
from ui.shell.tool_list import ToolList
from ui.tool import AnyTool, ViewParts


@dataclass(frozen=True, slots=True)
class NoRooms:
    """The rooms of an account that no list shows; this person may write in all of them."""

    changed: Signal[()] = field(default_factory=Signal[()])

    def rooms(self) -> Sequence[RoomSummary]:
        return ()

    def may_write(self, room: RoomId, /) -> bool:
        return True


class NoOwnRooms:
    """The person has no room of their own yet."""

    def rooms(self) -> Sequence[RoomId]:
        return ()


@dataclass(slots=True)
class NoReminders:
    """Reminders in memory, one for each place."""

    changed: Signal[()] = field(default_factory=Signal[()])
    rows: dict[ReminderId, ReminderRow] = field(default_factory=dict)

    def at(self, link: ObjectLink, /) -> ReminderRow | None:
        return next((row for row in self.rows.values() if (row.obj, row.ref) == (link.obj, link.ref)), None)

    def places(self, obj: ObjId, /) -> frozenset[bytes]:
        return frozenset(row.ref for row in self.rows.values() if row.obj == obj)

    def remind(self, link: ObjectLink, at_ms: int, /) -> ReminderRow:
        before = self.at(link)
        ident = before.id if before is not None else ReminderId(new_id())
        row = ReminderRow(
            id=ident, generation=0, state=0, at=at_ms, room=link.room, obj=link.obj, kind=link.kind, ref=link.ref
        )
        self.rows[ident] = row
        self.changed.emit()
        return row

    def move(self, ident: ReminderId, at_ms: int, /) -> ReminderRow:
        row = self.rows[ident] = replace(self.rows[ident], at=at_ms)
        self.changed.emit()
        return row

    def remove(self, ident: ReminderId, /) -> None:
        del self.rows[ident]
        self.changed.emit()


def no_settings() -> Settings:
    """Settings that were never stored."""
    return Settings(Path("no-profile") / "settings.json")


def view_parts(service: S, people: People) -> ViewParts[S]:
    """The parts with a service behind them."""
    return ViewParts(
        service=service,
        people=people,
        rooms=NoRooms(),
        settings=no_settings(),
        links=Unnamed(),
        reminders=NoReminders(),
        presence=NothingKnown(),
        now=local_now,
    )


@dataclass(frozen=True, slots=True)
class FewServices:
    """A `ui.tool.Office` with these services, by their tools' ids."""

    people: People
    services: dict[str, object]
    rooms: NoRooms = field(default_factory=NoRooms)
    settings: Settings = field(default_factory=no_settings)
    presence: KnownPresence = field(default_factory=NothingKnown)
    reminders: "NoReminders" = field(default_factory=lambda: NoReminders())
    own_room: NoOwnRooms = field(default_factory=NoOwnRooms)

    def service(self, tool: AppTool[S], /) -> S:
        return cast("S", self.services[tool.id])


def tool_list(tools: Sequence[AnyTool], people: People, **services: object) -> ToolList:
    """The tools, joined with these services."""
    return ToolList(tools, FewServices(people, services), local_now)
