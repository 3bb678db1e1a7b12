# SPDX-License-Identifier: EUPL-1.2
"""What the engine tells about itself and its rooms: plain values for a status bar."""

from dataclasses import dataclass
from enum import StrEnum


class LinkState(StrEnum):
    """The connection as a person would say it."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    SYNCING = "syncing"
    ONLINE = "online"
    ERROR = "error"


class RoomState(StrEnum):
    """What a room's seal shows. All but SEALED stop or limit writing and are explained in the interface."""

    SEALED = "sealed"
    OWES_ROTATION = "dirty"
    WAITING = "waiting"
    FORK = "fork"
    ROLLBACK = "rollback"
    RESTORED = "restored"
    WITHHELD = "withheld"
    UPDATE_NEEDED = "update-needed"
    OLD_FORMAT = "old-format"
    """The room was made before the first release; no program reads it any more."""
    UNREADABLE = "unreadable"
    """This program could not follow the room: what is stored of it cannot be read, or judging it failed here."""
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """A snapshot. `code` says why when state is OFFLINE or ERROR, `about` the address that it is about, if it names
    one; `waiting` counts changes not yet at the server; `server` is the address that is kept, "" for none."""

    state: LinkState
    code: str | None
    waiting: int
    last_synced_ms: int | None
    server: str
    about: str = ""
