# SPDX-License-Identifier: EUPL-1.2
"""Opens an account's notices and reminders, connected with its store, its engine and its other devices."""

from collections.abc import Collection
from dataclasses import dataclass

from app.core.alarms import Alarms
from app.core.enums import Level
from app.core.ids import RoomId
from app.notices.service import Notices
from app.notices.turns import TurnPorts, Turns
from app.notification_settings import LEVELS, NOTIFICATIONS, NOTIFY_REACTIONS
from app.own.notice_marks import NoticeMarks
from app.own.room import OwnRoom
from app.own.service import Own
from app.reminders.service import Reminders
from app.scopes import Scopes
from app.settings import Settings
from app.store.notice_rows import NoticeKind
from app.store.store import Store
from sync.client.engine import Engine
from sync.client.ports import PRESENCE


def turns_of(engine: Engine, room: OwnRoom) -> Turns:
    """Makes what decides at which of the person's devices a notice rings. The devices are the active ones of the
    person's key log. They send their messages in the person's own room, `room`; before that is known nothing is
    sent."""

    def send(payload: bytes) -> None:
        found = room.find()
        if found is not None:
            engine.send_ephemeral(found, payload, kind=PRESENCE)

    mine = engine.devices.mine
    return Turns(TurnPorts(me=mine, devices=lambda: [dev for dev, _ in engine.active_devices(engine.uid)], send=send))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenNotices:
    """The notices and reminders of an open account, and what connects them with the person's other devices."""

    notices: Notices
    reminders: Reminders
    marks: NoticeMarks


def open_notices(
    scopes: Scopes,
    store: Store,
    own: Own,
    alarms: Alarms,
    turns: Turns,
    kinds: Collection[NoticeKind],
    settings: Settings,
) -> OpenNotices:
    """Opens the notices, the reminders and their marks, each as a scope. `kinds` as in `Notices`."""

    def level(room: RoomId) -> Level:
        """What of a room rings: no more than the settings say, and no more than the person chose for the room."""
        row = store.rooms_list.get(room)
        levels = (row.level if row is not None else Level.ALL, LEVELS[settings.get(NOTIFICATIONS)])
        return next((least for least in (Level.NOTHING, Level.MENTIONS) if least in levels), Level.ALL)

    def off() -> frozenset[str]:
        """The kinds of notices that the person does not want."""
        return frozenset() if settings.get(NOTIFY_REACTIONS) else frozenset({"reaction"})

    notices = scopes.enter("notices", Notices(store, kinds, level, off, alarms, turns))
    marks = NoticeMarks(
        own,
        notices.marked,
        notices.apply_states,
        notices.rung,
        notices.silence,
        has_others=lambda: turns.has_others,
    )
    scopes.enter("notice-marks", marks)
    reminders = scopes.enter("reminders", Reminders(store, own, notices, alarms))
    return OpenNotices(notices=notices, reminders=reminders, marks=marks)
