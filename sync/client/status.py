# SPDX-License-Identifier: EUPL-1.2
"""What the engine shows of itself and its rooms: plain values for a status bar."""

from dataclasses import dataclass
from enum import StrEnum


class LinkState(StrEnum):
    """The state of the connection to the server, as it is shown to the person, one word for the status bar: OFFLINE
    (the server is not reached, or refuses for now), CONNECTING, SYNCING (signed in, and not everything is read yet),
    ONLINE (everything is read), ERROR (something is wrong that waiting alone hardly cures). OFFLINE and ERROR are both
    tried again."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    SYNCING = "syncing"
    ONLINE = "online"
    ERROR = "error"


class RoomState(StrEnum):
    """A room's security status: whether what is written there is sealed (encrypted so that only members can open it),
    and otherwise what is wrong. With OWES_ROTATION (a new key is due) and WAITING (a key or an object's secret is
    missing here) people can write, but what they write may have to wait for a key; with LEFT (this person is no member)
    they cannot, and what is stored here stays readable. Every other state but SEALED stops the room: nothing is read in
    or sent. Either the server shows another history (FORK), has lost (ROLLBACK, RESTORED) or withholds items, or this
    program cannot follow the room. All but SEALED are explained in the interface."""

    SEALED = "sealed"
    OWES_ROTATION = "owes-rotation"
    WAITING = "waiting"
    FORK = "fork"
    ROLLBACK = "rollback"
    RESTORED = "restored"
    WITHHELD = "withheld"
    UPDATE_NEEDED = "update-needed"
    OLD_FORMAT = "old-format"
    """The room was made before the first release; no program reads it any more."""
    UNREADABLE = "unreadable"
    """This program could not follow the room: its stored state cannot be read, or judging it failed here."""
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """The engine's status at one moment, for a status bar. `code` gives the reason when `state` is OFFLINE or ERROR,
    None otherwise; `about` is the address that the reason concerns, "" if it names none. `waiting` counts changes that
    the server does not have; `last_synced_ms` is when everything received was last stored, by this device's clock, None
    before the first time in this run. `server` is the stored address, "" for none."""

    state: LinkState
    code: str | None
    waiting: int
    last_synced_ms: int | None
    server: str
    about: str = ""
