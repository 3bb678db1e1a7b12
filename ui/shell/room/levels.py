# SPDX-License-Identifier: EUPL-1.2
"""What of a room rings, as entries of its menus."""

from functools import partial

from PySide6.QtWidgets import QWidget

from app.core.enums import Level
from app.rooms.service import RoomService, RoomSummary
from ui.kit.menu import Entry
from ui.kit.tasks import run_guarded
from ui.kit.translate import tr


def level_name(level: Level) -> str:
    """The name of a level, in the language in force."""
    return {
        Level.ALL: tr("Notify me of everything"),
        Level.MENTIONS: tr("Notify me of mentions only"),
        Level.NOTHING: tr("Notify me of nothing"),
    }[level]


def level_entries(view: QWidget, rooms: RoomService, room: RoomSummary) -> list[Entry]:
    """An entry for each level, of which the present one has a tick. Choosing one counts on all the person's devices."""

    def choose(level: Level) -> None:
        run_guarded(view, lambda: rooms.set_level(room.room, level))

    return [Entry(text=level_name(level), checked=room.level is level, run=partial(choose, level)) for level in Level]
