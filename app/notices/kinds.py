# SPDX-License-Identifier: EUPL-1.2
"""The kinds of notices that belong to no tool. A tool declares its kinds in its `noticing.py` and in `Kind.notices`."""

from app.store import event_notices
from app.store.notice_rows import NoticeKind
from app.store.notice_store import NoticeRow

INVITATION = NoticeKind(id="invitation", asks=True, personal=True, rings=False)
"""Somebody invites the person to a room. The notice itself does not ring: `Invitations.arrived` does, at most once a
day for each inviter."""
HISTORY = NoticeKind(id="history", asks=True, personal=True)
"""An administrator proposes to give a member the room's history, and this person can approve it."""
KEYS = NoticeKind(id="keys", asks=True, personal=True)
"""Something happened to a colleague's keys; `detail` is `KeyNotice.kind`, `by` the colleague."""
WAITS = NoticeKind(id="waits", asks=True, personal=True)
"""A room is stopped, the server refuses what the person has written in a room, or changes of an object are not merged
on this computer. `detail` is the reason: a `RoomState` that stops the room, the code of the refusal, or "held" or
"large" for an object."""

REMINDER = NoticeKind(id="reminder", asks=True, personal=True, by_turns=True, always=True)
"""The time of a reminder has come. `ref` is the place in `obj` of which the person wanted to be reminded.
app/reminders/ makes these."""

LEFT_PARENT = NoticeKind(id="left-parent", asks=True, personal=True)
"""Somebody else removed a person from a room, and the person is still in a room that belongs to it and that this person
owns. `room` is that room; `by` removed the person, whose id is `ref`."""

ADDED, ROLE = event_notices.ADDED, event_notices.ROLE
KINDS = (INVITATION, HISTORY, KEYS, WAITS, REMINDER, LEFT_PARENT, *event_notices.KINDS)
STANDING = (INVITATION, HISTORY, KEYS, WAITS, LEFT_PARENT)


def comes_at_a_time(notice: NoticeRow) -> bool:
    """Whether the notice is one that the person wanted at this time: a reminder, or one that they had put off."""
    return notice.kind == REMINDER.id or notice.returned
