# SPDX-License-Identifier: EUPL-1.2
"""What a device knows of a room beside the room's content: its phase, its positions, and what stops it.

The phase moves by the table of room_phase.py alone. Other files call the transitions that are named here.
"""

import logging
from collections.abc import Iterable
from typing import ClassVar

from sync.client.account.account_secrets import Account
from sync.client.account.known_logs import Book
from sync.client.ports import InboxPort
from sync.client.room.bootstrap_buffer import BootstrapBuffer
from sync.client.room.room_keys import RoomKeys
from sync.client.room.room_phase import ALARMS, LASTING, Event, Head, Mark, Past, Reading, RoomPhase, UnlistedTransition
from sync.client.status import RoomState
from sync.ids import ObjId, RoomId
from sync.trust.formats.items import Role
from sync.trust.room.stream import RoomStream

log = logging.getLogger("sync")


class TrackedRoom:
    """What this device knows of one room beside its content: its phase, its positions, and what stops it. A `problem`
    stops the room: nothing more is received or sent, and what is stored can still be read. `held_back` (a fork, a
    rollback or a restore is recorded) stops only sending. `blocked`, the code with which the server refused what was
    written, stops nothing: it is shown, and sending is tried again."""

    raises: ClassVar[bool] = False
    """Whether a transition that the table does not list is raised, as in our tests. Otherwise it stops the room."""

    def __init__(
        self,
        room: RoomId,
        ports: InboxPort,
        book: Book,
        account: Account,
        state: bytes | None,
        stream: RoomStream | None = None,
    ) -> None:
        """`room` is the room's id, `ports` is the store, `book` has people's key logs, `account` is this person's
        account with this device's keys. `state` is the room's stored state, encoded; None for a new room. `stream` is
        what the caller has already decoded from `state`; None to decode it here. Reject "format" if `state` is of
        another version; if it is damaged, any error that decoding raises. The caller (`Link`) then shows the room as
        UNREADABLE. An error of the store is raised too, and says nothing about `state`."""
        self.room = room
        self.stream = stream or (RoomStream.from_bytes(state) if state else RoomStream(room))
        self.keys = RoomKeys(self.stream, room, ports, book, account)
        self._blocked: str | None = None
        self._waiting = len(ports.waiting(room))
        self._head_n = self._kept_n = self.stream.n
        self._reread = ports.reread(room)
        self._incomplete: set[ObjId] = set(ports.incomplete(room))
        self._buffer: BootstrapBuffer | None = None if state else BootstrapBuffer()
        self._phase = RoomPhase.of_stored(ports.problem(room), following=bool(state), reread=self._reread > 0)
        self._ports = ports
        self._account = account

    # -- state ----------------------------------------------------------------------------------------------------

    @property
    def is_member(self) -> bool:
        return self._account.uid in self.stream.members

    @property
    def problem(self) -> RoomState | None:
        """Why the room is stopped (a fork, a rollback, withheld items, a newer format, …); None if it is not."""
        state: RoomState | None = self._phase.alarm.value
        return state

    @property
    def held_back(self) -> bool:
        """▲ Whether nothing may be sent because the store records that the room had a fork, a rollback or a restore.
        The record holds after a restart; it is removed when the server is seen to have our history again, and never
        after a fork."""
        return self._phase.mark is not Mark.NONE

    @property
    def blocked(self) -> str | None:
        """The code with which the server refuses what is written here; None if it does not."""
        return self._blocked

    @property
    def waiting(self) -> int:
        """The number of items that wait for a key or a share."""
        return self._waiting

    @property
    def head_n(self) -> int:
        """The room's last position as the server announced it."""
        return self._head_n

    @property
    def kept_n(self) -> int:
        """The last position whose changes are in the store; `stream.n` runs ahead while a slice is being stored."""
        return self._kept_n

    @property
    def reread(self) -> int:
        """Positions up to this one are to be read again: their keys came later, or only snapshots were read. 0:
        none."""
        return self._reread

    @property
    def incomplete(self) -> set[ObjId]:
        """The objects with a missing range: changes of them were received without their content, mostly because the
        server had pruned (deleted) it before this device fetched it. See `Backfill.fetch_pruned`."""
        return self._incomplete

    @property
    def bootstrap_buffer(self) -> BootstrapBuffer | None:
        """While this device reads the room for the first time: the buffer for what is pulled and not opened yet, that
        is, items whose key is not here, or only positions in a long room. None once that is opened or stored
        (`open_bootstrap_buffer`, `begin_opening`, `finish_bootstrap`), even if keys are still missing, and for a room
        whose state was stored before."""
        return self._buffer

    @property
    def headers_only(self) -> bool:
        """Whether only the headers of this room's items are pulled now, because the room is long and new to this
        device. The content that is needed is fetched when all headers are verified."""
        return self._phase.reading is Reading.HEADERS

    @property
    def may_write(self) -> bool:
        """Whether this person's role lets them write here; `may_send` says whether anything is sent now."""
        return (self.stream.role_of(self._account.uid) or 0) >= Role.WRITER

    @property
    def caught_up(self) -> bool:
        """Whether everything that the server has announced is judged (verified by the rules) and stored."""
        return self._kept_n >= max(self._head_n, self.stream.n)  # ▲ a slice may reach beyond what was announced

    @property
    def ends_here(self) -> bool:
        """▲ Whether our copy of the room's member list is as new as we can get it. Only then is the claim of a second
        room to continue this one believed: its founder must be an owner here, and not removed since. The copy is as new
        if all that the server announced is stored, and the server has confirmed on this connection that it has the same
        last position, or this person is no member. It also counts as that if the server gives us no more: the room has
        a recorded fork or rollback, or withheld items. A room that this program cannot follow counts only with a
        recorded fork or rollback."""
        stopped = self._phase.mark in (Mark.FORK, Mark.ROLLBACK) or self.problem is RoomState.WITHHELD
        known = self.caught_up and (self._phase.head is Head.CONFIRMED or not self.is_member)
        return stopped or (known and self.problem is not RoomState.UNREADABLE)

    @property
    def own_seq(self) -> int:
        """The sequence number of this device's newest envelope (encrypted message) in the room, as far as the room is
        verified here; 0 for none. This device may have signed higher numbers that are not placed yet
        (`OutboxPort.burned`), so the next number is not this one plus 1."""
        head = self.stream.device_heads.get(self._account.dev)
        return head.dev_seq if head else 0

    def has_own(self, seq: int, n: int) -> bool:
        """Whether the room, as far as it is verified here, has this device's envelope (encrypted message) with the
        sequence number `seq`. If it is the newest of this device, it must be at position `n`; the position of an older
        one is not checked. So the outbox checks the position that the server claims to have given an envelope."""
        head = self.stream.device_heads.get(self._account.dev)
        return head is not None and (head.dev_seq > seq or (head.dev_seq, head.n) == (seq, n))

    @property
    def may_send(self) -> bool:
        """Whether items may be sent: nothing stops the room, and everything that the server announced is judged."""
        return self.problem is None and not self.held_back and self.caught_up

    @property
    def is_settled(self) -> bool:
        """▲ Whether this device has everything of the room: its first reading is complete, the server has confirmed on
        this connection that it has the same last position, no item waits for a key, none is missing, and none is still
        to be read again. What is written now may then be encrypted at once. Whether the room is stopped, or needs a new
        key, is not checked here (`BatchMaker._ready`)."""
        phase = self._phase
        known = phase.reading is Reading.FOLLOWING and phase.head is Head.CONFIRMED and phase.past is Past.READ
        return known and self.caught_up and self._buffer is None and not (self._waiting or self._incomplete)

    def security_status(self) -> RoomState:
        """The room's security status: what stops it; or LEFT if this person is no member, WAITING if a key or an
        object's secret is missing, OWES_ROTATION if a new key is due; otherwise SEALED."""
        if self.problem is not None:
            return self.problem
        if not self.is_member:
            return RoomState.LEFT
        if self._waiting or self.keys.needs_key:
            return RoomState.WAITING
        return RoomState.OWES_ROTATION if self.stream.rotation_owed else RoomState.SEALED

    # -- transitions ----------------------------------------------------------------------------------------------

    def _move(self, event: Event) -> None:
        """Moves the room's phase by `event`. ▲ A transition that the table does not list is a fault of this program. It
        stops this room alone, until the next start; in tests UnlistedTransition is raised."""
        try:
            self._phase = self._phase.after(event)
        except UnlistedTransition as e:
            if self.raises:
                raise
            log.error("room %s stopped by a fault of this program: %s, %s", self.room[:4].hex(), e.code, e)
            self._phase = self._phase.failed()

    def stop(self, state: RoomState) -> None:
        """▲ Stops the room, for the reason `state`, one that stops a room (`ALARMS`; KeyError otherwise): nothing more
        is read in or sent. Replaces the former reason; but UNREADABLE stays, and only UNREADABLE replaces a fork. A
        fork, a rollback and a restore are recorded in the store, and so hold after a restart; in a room whose state is
        not stored yet only once `record_alarm` is called. For what a new connection changes see
        `reset_connection_state`."""
        self._move(ALARMS[state])
        if state in LASTING:
            self._ports.set_problem(self.room, self._phase.recorded)

    def reset_connection_state(self) -> None:
        """▲ Call it on a new connection. Forgets what only the last connection showed: that the server confirmed our
        last position, and what it hid or had lost, which may be there now and is judged again. What the store records
        of a rollback or a restore still holds back sending. A fork stays, since two histories were signed, whatever the
        server shows next. A room that this program cannot follow (UNREADABLE) stays stopped."""
        self._move(Event.CONNECTED)

    def confirm_head(self) -> None:
        """Records that the server has the same position and history as this device. If the store had recorded a
        rollback or a restore, and nothing stops the room now, the record is removed: the outbox may send again."""
        held_back = self.held_back
        self._move(Event.CONFIRMED)
        if held_back and not self.held_back:
            self._ports.set_problem(self.room, None)

    def announce(self, n: int) -> None:
        """The server says that the room reaches at least position `n`."""
        self._head_n = max(self._head_n, n)

    def forget_announced(self) -> None:
        """Drops what was announced beyond the judged positions. An unsigned notice may claim anything."""
        self._head_n = self.stream.n

    def note_stored(self, n: int) -> None:
        """The slice up to position `n` is stored."""
        self._kept_n = n

    def block(self, code: str) -> None:
        """The server refuses what is written here."""
        self._blocked = code

    def unblock(self) -> bool:
        """Records that the server accepts what this device writes in the room. True if it refused that before: then
        what is shown of the room has changed."""
        blocked, self._blocked = self._blocked, None
        return blocked is not None

    def choose_reading(self, *, long: bool) -> None:
        """Decides how a newcomer (a new member or device) reads the room. `long`: only the headers of its items at
        first, as for a room with HEADERS_ONLY_FROM positions or more, and for one that is only previewed. Otherwise
        items are pulled with their content, and held in memory until the key is here. Call it only while no position is
        verified, more than once if need be; that is not checked here. Once the room's content is being opened or
        followed, a call is a fault of this program and stops the room."""
        self._move(Event.LONG if long else Event.SHORT)

    def take_over(self, before: "TrackedRoom") -> None:
        """Makes this room, which was just read from the store, continue in the place of `before`, the same room in
        memory, whose last slice could not be stored: takes over the server's refusal of writes, the new room keys that
        this device has sent (`RoomKeys.drafted`), and the announced position, not what else the connection showed. ▲ A
        room that this program cannot follow stays stopped: a lost connection is no new start."""
        if before.problem is RoomState.UNREADABLE:
            self._move(Event.UNREADABLE)
        self._blocked, self.keys.drafted, self._head_n = before._blocked, before.keys.drafted, before._head_n

    def note_backfilled(self, objs: Iterable[ObjId]) -> None:
        """These objects have no missing range any more."""
        self._incomplete -= set(objs)

    def record_alarm(self) -> None:
        """▲ Stores why the room has stopped, if that is a fork, a rollback or a restore. Call it when the room's stream
        (its verified state) is stored for the first time: before that the store records no alarm of the room."""
        if self.held_back:
            self._ports.set_problem(self.room, self._phase.recorded)

    def _history_granted(self, until: int) -> None:
        self._move(Event.GRANTED)
        self._reread = until
