# SPDX-License-Identifier: EUPL-1.2
"""Decides which people this device asks for their presence, and when: the people whom a view shows, in rooms of more
than 100 members.

In a room of 500, all devices may show the same twenty people. So a device asks a person again only after 1.2 s for each
member of the room. When the connection is back after it was lost, each device waits for a moment of its own, which
follows from its person's place among the members. Otherwise all devices would ask the same people at the same time.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from app.core.ids import RoomId, Uid
from app.presence.audience import Audience

LEAST_S, A_MEMBER_S, MOST_S = 120.0, 1.2, 600.0
"""Seconds: a person is asked again after A_MEMBER_S for each member of the room, but at least LEAST_S and at most
MOST_S."""
AT_ONCE, PAUSE_S, LOOK_S = 5, 3.0, 10.0
"""AT_ONCE: the most people who are asked at a time. PAUSE_S: the seconds until more are asked, since all answer at
once. LOOK_S: the seconds until `due` is called again if nobody had to be asked."""


def interval_s(members: int) -> float:
    """The seconds after which a person is asked again in a room of `members` members."""
    return min(MOST_S, max(LEAST_S, A_MEMBER_S * members))


@dataclass(slots=True)
class Asking:
    """The people in view, and when each was asked last. Those of the view whose people changed last are asked first:
    they are what the person has just brought up. All times are seconds of one monotonic clock."""

    _views: dict[Hashable, tuple[Uid, ...]] = field(default_factory=dict)
    _asked: dict[Uid, float] = field(default_factory=dict)
    _not_before: dict[RoomId, float] = field(default_factory=dict)
    _paused_until: float = 0.0
    next_s: float = 0.0
    """When `due` is to be called next."""

    def show(self, view: Hashable, uids: Sequence[Uid]) -> None:
        """Notes which people the view `view` shows now, in place of those before; an empty list if it is closed."""
        if self._views.get(view, ()) == tuple(uids):
            return
        self._views.pop(view, None)
        if uids:
            self._views[view] = tuple(uids)

    def waits(self, audience: Audience) -> bool:
        """Whether `due` has to be called at `next_s`: a view shows people, and there are large rooms."""
        return bool(self._views and audience.large)

    def wait_for_place(self, audience: Audience, now_s: float) -> None:
        """Call it when the connection is back after it was lost. In each large room nobody is asked before this
        person's own moment: their place among the members, as a part of the room's interval. All people count as not
        asked."""
        self._asked.clear()
        self._not_before = {
            room: now_s + interval_s(large.members) * large.place for room, large in audience.large.items()
        }

    def due(self, audience: Audience, now_s: float) -> list[Uid]:
        """Returns the people to ask now, at most AT_ONCE, and notes that they were asked. Returns [] for PAUSE_S after
        a call that returned somebody. Sets `next_s` otherwise."""
        if now_s < self._paused_until:
            return []
        shown = dict.fromkeys(uid for view in reversed(self._views.values()) for uid in view)
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
