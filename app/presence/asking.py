# SPDX-License-Identifier: EUPL-1.2
"""Whom this device asks for their presence, and when: those whom a view shows, in rooms of more than 100 members.

A room of 500 may have all its desks show the same twenty people. So a desk asks a person again only after 1.2 s for
each member of the room, and after the connection was lost each desk waits for its own moment, by its person's place
among the members. Otherwise all of them would ask the same person at once when the server is back.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from app.core.ids import RoomId, Uid
from app.presence.audience import Audience

LEAST_S, A_MEMBER_S, MOST_S = 120.0, 1.2, 600.0
"""A person is asked again after 1.2 s for each member of the room, but not before and not later than this."""
AT_ONCE, PAUSE_S, LOOK_S = 5, 3.0, 10.0
"""The most people who are asked at a time; the seconds until more are asked, since all of them answer at once; and
until the next look, if nobody was to be asked."""


def interval_s(members: int) -> float:
    """Seconds until the same person is asked again in a room with so many members."""
    return min(MOST_S, max(LEAST_S, A_MEMBER_S * members))


@dataclass(slots=True)
class Asking:
    """The people in view, and when each was asked last. Times in seconds are those of one clock that nobody can
    set."""

    _views: dict[Hashable, tuple[Uid, ...]] = field(default_factory=dict)
    _asked: dict[Uid, float] = field(default_factory=dict)
    _not_before: dict[RoomId, float] = field(default_factory=dict)
    _paused_until: float = 0.0
    next_s: float = 0.0
    """When `due` is to be called next."""

    def show(self, view: Hashable, uids: Sequence[Uid]) -> None:
        """Notes which people `view` shows now; an empty list for none."""
        if uids:
            self._views[view] = tuple(uids)
        else:
            self._views.pop(view, None)

    def waits(self, audience: Audience) -> bool:
        """Whether anybody has to be asked, now or later: a view shows people, and there are large rooms."""
        return bool(self._views and audience.large)

    def wait_for_place(self, audience: Audience, now_s: float) -> None:
        """Has each large room wait until this person's own moment, since the connection is back after it was lost."""
        self._asked.clear()
        self._not_before = {
            room: now_s + interval_s(large.members) * large.place for room, large in audience.large.items()
        }

    def due(self, audience: Audience, now_s: float) -> list[Uid]:
        """The people to be asked now, at most AT_ONCE, and notes that they were. [] within PAUSE_S after the last
        ones."""
        if now_s < self._paused_until:
            return []
        shown = dict.fromkeys(uid for view in self._views.values() for uid in view)
        found = [uid for uid in shown if self._is_due(audience, uid, now_s)][:AT_ONCE]
        self.next_s = now_s + (PAUSE_S if found else LOOK_S)
        if found:
            self._paused_until = now_s + PAUSE_S
            self._asked.update(dict.fromkeys(found, now_s))
        return found

    def _is_due(self, audience: Audience, uid: Uid, now_s: float) -> bool:
        room = audience.shared.get(uid)
        large = audience.large.get(room) if room is not None else None
        if room is None or large is None or now_s < self._not_before.get(room, 0.0):
            return False
        asked = self._asked.get(uid)
        return asked is None or now_s - asked >= interval_s(large.members)
