# SPDX-License-Identifier: EUPL-1.2
"""Holds the rooms to which the person was added and that are not followed yet, until the application decides what
happens to them.

▲ What is read of them (preview.py) is judged like every room's, but nothing of it is stored: no change, key, position
or receipt. So nobody can fill this device's disk by adding its person to a room.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from sync.client.exchange.preview import Preview
from sync.client.exchange.reread import WithLogs
from sync.client.link import Link
from sync.client.room.invitation_consent import Added, Consent, Invitation, InvitedRecord, Verdict
from sync.client.room.room_sync import RoomSync
from sync.client.status import RoomState
from sync.errors import Refused, Reject
from sync.ids import RoomId, Uid
from sync.protocol import messages as m
from sync.trust.room import signed_receipts

log = logging.getLogger("sync")

MAX_HELD = 10_000
_AGAIN_S = (0.3, 1.0, 4.0, 16.0)
"""The adder's greeting is placed a moment after the addition. The room is read again after each of these times to find
it."""

Follow = Callable[[m.RoomHead], None]


@dataclass(slots=True)
class _Held:
    """A room to which this person was added and that is not followed (yet): an invitation, or one that the application
    hides. `head` is its last position as the server stated it. `added` (how they were added) is None until its headers
    are read. `verdict` is the application's last decision, HIDE before the first. `records` are the few that the person
    is shown. `tries`: how often it was read again to find a record that the inviting person wrote after the
    addition."""

    head: m.RoomHead
    added: Added | None = None
    verdict: Verdict = Verdict.HIDE
    records: tuple[InvitedRecord, ...] = ()
    read: bool = False
    """Whether its records were fetched: it is one of the invitations that show records without being asked."""
    tries: int = 0


class Invitations:
    """The rooms to which this person was added and that this device does not follow until they accept. This device
    reads a little of them and stores nothing. The application decides for each whether it is followed, hidden, or shown
    to the person as an invitation. The inbox calls `read_next` while something is due."""

    def __init__(self, link: Link, with_logs: WithLogs, follow: Follow) -> None:
        """Begins with no invitations. `link` gives access to the store, the rooms and the connection. `with_logs` is
        called with a function that verifies items of a room, and the number of those items, which bounds how many key
        logs it may fetch: it calls the function, fetches the people's key logs that it lacks, and returns the verdicts.
        `follow` begins to follow a room. It gets one argument, the room's head (its id, and the last position that the
        server has): the room is read up to there."""
        self._link = link
        self._with_logs = with_logs
        self._follow = follow
        self.consent: Consent | None = None
        """None: every room is followed."""
        self._held: dict[RoomId, _Held] = {}
        self._due: dict[RoomId, None] = {}
        self._learnt: set[Uid] = set()

    @property
    def idle(self) -> bool:
        """Whether no room is left to be read now."""
        return not self._due

    @property
    def next(self) -> RoomId:
        """The room that `read_next` takes next, while not `idle`."""
        return next(iter(self._due))

    def all(self) -> list[Invitation]:
        """Every room that waits for this person's answer, the oldest addition first. Rooms that the application hides
        are left out."""
        asked = [h for h in self._held.values() if h.verdict is Verdict.ASK]
        found = [Invitation(added=h.added, read=h.read, records=h.records) for h in asked if h.added is not None]
        return sorted(found, key=lambda i: (i.added.t, i.added.room))

    # -- from the inbox -------------------------------------------------------------------------------------------

    def start(self, listed: set[RoomId]) -> None:
        """Call it on a new connection. `listed`: all rooms that the server lists for this person, followed ones too.
        Forgets the invitations to any other room, hidden ones too, for example to one from which they were removed
        meanwhile. Invitations are held in memory only."""
        for room in [room for room in self._held if room not in listed]:
            self.drop(room)

    def takes(self, head: m.RoomHead) -> bool:
        """Whether the room of `head` (its last position), which the server announced, is held here, as an invitation or
        hidden, and so must not be followed; holds it if need be, and plans to read it if the person may have to be
        asked. False for a room that is followed already, for a new one that the application opens without asking, for
        one that is stopped as UNREADABLE, and for all rooms if no `consent` (the application's answers) is set. In each
        of these cases an invitation to the room is forgotten. A room that this person left, and to which they were
        added again, is held even if the application would open it without asking. Beyond MAX_HELD rooms the answer is
        True, and the room is ignored."""
        room = RoomId(head.receipt.room)
        known = self._link.rooms.get(room)
        member = known is not None and (known.stream.n == 0 or known.is_member)
        if self.consent is None or member or (known is not None and known.problem is RoomState.UNREADABLE):
            self.drop(room)
            return False
        held = self._held.get(room)
        answer = self.consent.answered(room, head.receipt.n)
        if answer is Verdict.OPEN and known is None:
            self.drop(room)
            return False
        if held is None and len(self._held) >= MAX_HELD:
            log.warning("invitation limit reached")
            return True
        if held is None:
            held = self._held[room] = _Held(head)
        moved, held.head = held.head.receipt.n != head.receipt.n, head
        if answer is not Verdict.HIDE and (held.added is None or (moved and held.verdict is Verdict.ASK)):
            self._queue(room)
        return True

    def holds(self, room: RoomSync) -> bool:
        """Whether `room`, which is in the store, waits for the person's answer: they left it and were added again."""
        return room.room in self._held and not room.is_member

    def left(self, room: RoomSync, receipt: m.Receipt) -> bool:
        """Call it when `room` is read up to the position at which this person left it, and the server has more: they
        may have been added again. `receipt` is for the server's last position. Returns True if the room is held (as an
        invitation, or hidden): then nothing more of it is read before the person accepts. False if it is read on: only
        if the application is asked about no room (no `consent` is set), or the room is stopped as UNREADABLE."""
        if self.consent is None:
            return False
        room.forget_announced()
        return self.takes(m.RoomHead(receipt, 0, b""))

    def drop(self, room: RoomId) -> None:
        """Forgets the invitation to `room`, if there is one: the person is no longer a member, or the room is followed
        now. Notifies the application if the person was shown it."""
        self._due.pop(room, None)
        held = self._held.pop(room, None)
        if held is not None and held.verdict is Verdict.ASK and self.consent is not None:
            self.consent.on_invitations()

    def reconsider(self) -> None:
        """Has the application decide again about every room that waits for the person's answer or is hidden, and
        notifies it if the list of invitations has changed. Call it when an answer, a block or the set of known people
        has changed."""
        if self.consent is None:
            return
        moved = False
        for room, held in list(self._held.items()):
            answer = self.consent.answered(room, held.head.receipt.n)
            if held.added is not None:
                moved |= self._settle(room, held, held.added)
            elif answer is Verdict.OPEN and room not in self._link.rooms:
                self._open(room)
            elif answer is None:
                self._queue(room)
        if moved:
            self.consent.on_invitations()

    def _queue(self, room: RoomId) -> None:
        self._due[room] = None
        self._link.inbox_work.set()

    def _open(self, room: RoomId) -> None:
        self._due.pop(room, None)
        head = self._held.pop(room).head
        if self._link.connection is None:  # the next connection lists the room, and `takes` lets it be followed
            return
        self._follow(head)
        self._link.inbox_work.set()

    def _settle(self, room: RoomId, held: _Held, added: Added) -> bool:
        """Has the application decide about `room` by `added`, how this person was added to it, and carries out the
        decision: follows the room, hides it, or shows it as an invitation and has its records read if they are to be
        shown. `held` is what is kept of the room until then. While offline a room to be followed is only dropped
        here: the next connection lists it. True if the list of invitations has changed."""
        assert self.consent is not None  # noqa: S101 - nothing is held without it
        before, held.verdict = held.verdict, self.consent.decide(added)
        if held.verdict is Verdict.OPEN:
            self._open(room)
        elif held.verdict is Verdict.HIDE:
            held.records, held.read = (), False
        elif not held.read and self.consent.reads(added):
            self._queue(room)
        return (before is Verdict.ASK) != (held.verdict is Verdict.ASK)

    # -- reading --------------------------------------------------------------------------------------------------

    async def read_next(self) -> None:
        """Takes the next room to which this person was added and that is to be read; there must be one (not `idle`).
        Reads its headers and, if the person is to be asked, a few records, and has the application decide about it. If
        the server refuses, or what it gives does not verify, the room stays as it is, and is read again on the next
        connection. While no record is found that the inviting person wrote after the addition, the room is read again a
        few times (_AGAIN_S). Unreachable if the connection is lost."""
        room = self.next
        del self._due[room]
        held, consent = self._held.get(room), self.consent
        if held is None or consent is None:
            return
        try:
            signed_receipts.check(self._link.online.identity.server_pk, held.head.receipt)
            reading = Preview(self._link, self._with_logs, room, held.head.receipt)
            added = await reading.read()
            await self._learn(added.adder)
            read = consent.decide(added) is Verdict.ASK and consent.reads(added)
            records = await reading.records() if read else ()
        except (Refused, Reject) as e:
            log.warning("invitation not read: %s", e.code)
            return
        if self._held.get(room) is not held:  # it was dropped while it was read
            return
        held.added, held.read, held.records = added, read, records
        self._settle(room, held, added)
        consent.on_invitations()
        if held.read and not added.long and all(r.n <= added.added_n for r in held.records):
            self._again(room, held)

    def _again(self, room: RoomId, held: _Held) -> None:
        if held.tries < len(_AGAIN_S):
            wait_s, held.tries = _AGAIN_S[held.tries], held.tries + 1
            asyncio.get_running_loop().call_later(wait_s, self._queue_again, room, held)

    def _queue_again(self, room: RoomId, held: _Held) -> None:
        if self._held.get(room) is held and self._link.connection is not None:
            self._queue(room)

    async def _learn(self, adder: Uid | None) -> None:
        """Fetches the staff record (name and so on) of `adder`, the person who added this one to a room, and stores it,
        so that the application can show who invites. Does nothing if `adder` is None, or was fetched since the program
        began. Refused, Reject (the record is false) or Unreachable if that fails; the next call tries again."""
        if adder is not None and adder not in self._learnt:
            await self._link.book.directory(self._link.online, "", [adder])
            self._learnt.add(adder)
