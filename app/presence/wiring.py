# SPDX-License-Identifier: EUPL-1.2
"""What presence is connected to in a program: the store, the engine, the settings and a timer."""

from app.core.delay import Later
from app.core.ids import DevId, RoomId
from app.presence.common_rooms import CommonRooms
from app.presence.ports import Ports, SharedChoice
from app.presence.service import PresenceService
from app.settings import SHOW_PRESENCE, Settings
from app.store.store import Store
from sync.client.engine import Engine
from sync.client.ports import PRESENCE

_CHOICE = "presence"
"""The note with the state, words and day that the person chose."""


def presence(
    store: Store, engine: Engine, settings: Settings, rooms: CommonRooms, later: Later, shared: SharedChoice
) -> PresenceService:
    """Makes the presence of an account. What the person chose is kept in a note of the store, and `shared` with their
    other devices."""

    def send(room: RoomId, payload: bytes, to: DevId | None) -> None:
        engine.send_ephemeral(room, payload, kind=PRESENCE, to=to)

    ports = Ports(
        me=engine.uid,
        send=send,
        audience=rooms.audience,
        devices_of=lambda uid: [dev for dev, _ in engine.active_devices(uid)],
        is_shown=lambda: settings.get(SHOW_PRESENCE),
        stored=lambda: store.notes.get(_CHOICE),
        store=lambda text: store.notes.set(_CHOICE, text),
        shared=shared,
        later=later,
    )
    return PresenceService(ports)
