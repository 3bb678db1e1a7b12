# SPDX-License-Identifier: EUPL-1.2
"""The enumerations that all of app/ and ui/ share: what a member may do, what a room is for and what of it rings,
whether a person can be reached, the state of the connection to the server, and a room's security status. Those of sync/
are defined there; ui/ imports them from here."""

from enum import StrEnum

from sync.client.status import LinkState, RoomState
from sync.trust.formats.items import Role

__all__ = ["Level", "LinkState", "Presence", "Role", "RoomState", "RoomType"]


class RoomType(StrEnum):
    """What a room is for. Its record `RoomNamed` and the store have it as a text, which may be of a newer program."""

    CASE = "case"
    GROUP = "group"
    DIRECT = "direct"
    """A conversation of two people; lists show it under the other person's name."""

    @classmethod
    def of(cls, text: str) -> "RoomType":
        """The type that `text` names, the text in a room's record. GROUP if this program does not know it: a newer
        program's room is shown as a plain room."""
        return next((known for known in cls if known == text), cls.GROUP)


class Level(StrEnum):
    """What of a room rings: everything, what is meant for the person, or nothing. It does not decide which notices are
    made and listed."""

    ALL = "all"
    MENTIONS = "mentions"
    NOTHING = "nothing"


class Presence(StrEnum):
    """Whether a person can be reached. A person can choose all but IN_CALL."""

    AVAILABLE = "available"
    BUSY = "busy"
    AWAY = "away"
    DO_NOT_DISTURB = "do-not-disturb"
    IN_CALL = "in-call"
