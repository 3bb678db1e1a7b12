# SPDX-License-Identifier: EUPL-1.2
"""The kinds of notices that belong to no tool. Those of tools are in their own `noticing.py`, and in `Kind.notices`."""

from app.store import event_notices
from app.store.notice_rows import NoticeKind

INVITATION = NoticeKind(id="invitation", asks=True, personal=True, rings=False)
"""Somebody invites the person to a room. It rings by `Invitations.arrived`: at most once a day for each inviter."""
HISTORY = NoticeKind(id="history", asks=True, personal=True)
"""An administrator proposes to give a member the room's history, and the person can approve."""
KEYS = NoticeKind(id="keys", asks=True, personal=True)
"""Something happened to a colleague's keys; `detail` is `KeyNotice.kind`, `by` the colleague."""
WAITS = NoticeKind(id="waits", asks=True)
"""Something waits; `detail` says why: "fork", "rollback" or "restored" (the room is stopped), "held" or "large" (of the
object changes are not merged on this computer)."""

ADDED, ROLE = event_notices.ADDED, event_notices.ROLE
KINDS = (INVITATION, HISTORY, KEYS, WAITS, *event_notices.KINDS)
STANDING = (INVITATION, HISTORY, KEYS, WAITS)
