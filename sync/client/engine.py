# SPDX-License-Identifier: EUPL-1.2
"""The client engine: keeps one account in step with the agency's server, for as long as `run` runs.

It moves encrypted changes between the application's store (ports.py) and the server, and notifies the application of
what a person should know. It never learns what a change means.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from sync.client.account.account_secrets import Account
from sync.client.account.known_logs import Book
from sync.client.devices.device_pairing import Host
from sync.client.devices.own_devices import Devices
from sync.client.devices.own_recovery_sheet import RecoverySheet
from sync.client.exchange.blob_transfer import Blobs
from sync.client.exchange.heartbeats import Heartbeats
from sync.client.exchange.history_grants import HistoryProposal, approval_waits, may_propose, proposals
from sync.client.exchange.own_rooms import OwnRooms
from sync.client.exchange.room_operations import RoomOperations
from sync.client.exchange.rotation_schedule import due_ms, made_ms
from sync.client.link import Link
from sync.client.parts import make_parts
from sync.client.ports import PRESENCE, Listener, Ports
from sync.client.restore.unknown_account import UnknownAccount
from sync.client.room.invitation_consent import Consent, Invitation
from sync.client.room.prunable import RoomPrunes, prunes
from sync.client.room.trust_facts import (
    Facts,
    KeyChange,
    RoomFacts,
    active_devices,
    key_changes,
    writing_devices,
)
from sync.client.running.connection_state import ConnectionState
from sync.client.running.own_log_keeping import OwnLogKeeping
from sync.client.running.reconnecting import Reconnecting
from sync.client.running.signed_in_session import SignedInSession
from sync.client.status import RoomState, SyncStatus
from sync.client.wire.connection import Connection
from sync.client.wire.dialled_address import ServerLine
from sync.client.wire.transport import Dialer
from sync.errors import Refused, SyncError
from sync.ids import DevId, Hash, ObjId, RoomId, Uid
from sync.protocol import messages as m
from sync.protocol.messages import ErrorCode
from sync.trust.person.agency import agency_fingerprint
from sync.trust.person.author import safety_number
from sync.trust.room.successor_claim import Origin, may_continue


class Engine:
    """Keeps one account in step with the agency's server: sends what the application's store has to send, and stores
    what other people and devices sent. It is made on the event loop and runs in `run` until cancelled. Every other call
    comes from the same loop."""

    def __init__(
        self,
        ports: Ports,
        dialer: Dialer,
        listener: Listener,
        now_ms: Callable[[], int],
        others: Callable[[], Sequence[Dialer]] = tuple,
    ) -> None:
        """Reads the account and the rooms from the store (`ports`); a room whose stored state is large is not known
        before `run` has read it. Does not connect. Refused "unknown-user" if the store has no account. `dialer`
        connects to the stored address; `others` returns dialers for all servers that policy names now, which are tried
        if that fails (see dialled_address.py). `listener` is notified of changes. `now_ms` returns this device's clock
        (ms)."""
        self._link = link = _open_link(ports, listener, now_ms)
        self._line = ServerLine(ports, dialer, others, self.agency)
        self.blobs = Blobs(link, self._line)
        self.parts = make_parts(link, self.blobs)
        self.operations = RoomOperations(link, self.parts.inbox, self.parts.outbox)
        self.own_rooms = OwnRooms(link, self.parts.snapshots, self.operations)
        self.heartbeats = Heartbeats(link, self.parts.outbox, self.speakers)
        self.devices = Devices(link)
        self.recovery_sheet = RecoverySheet(link, self.devices)
        self._facts = Facts()
        self._speakers: dict[RoomId, tuple[dict[bytes, Uid], frozenset[Uid]]] = {}
        self._state = ConnectionState(listener.on_status)
        unknown = UnknownAccount(link, self._line)
        own_log = OwnLogKeeping(self.parts, self.devices, self.recovery_sheet)
        self._session = SignedInSession(
            self.parts, self._line, self._state, own_log, self.recovery_sheet, self.blobs, unknown
        )
        self._reconnecting = Reconnecting(link, self.devices, self._state, self._session, unknown)
        link.compare_clocks = self._reconnecting.compare_clocks

    # -- state for the application --------------------------------------------------------------------------------

    @property
    def uid(self) -> Uid:
        return self._link.account.uid

    @property
    def agency(self) -> Hash:
        """The fingerprint of the agency's key, 32 B."""
        return agency_fingerprint(self._link.account.agency_pk)

    @property
    def status(self) -> SyncStatus:
        """The engine's state at this moment, for the status bar: whether it is connected, and if not why; how many
        changes wait to be sent; when everything that was received was last stored (ms, by this device's clock; None
        before the first time in this run); the server's address."""
        return SyncStatus(
            state=self._state.link,
            code=self._state.code,
            waiting=self._link.ports.waiting_count(),
            last_synced_ms=self._state.last_synced_ms,
            server=self._line.address.name,
            about=self._state.about,
        )

    def room_state(self, room: RoomId) -> RoomState:
        """The security status of `room`: SEALED if what is written there is encrypted so that only its members can open
        it, and otherwise what is wrong. WAITING for a room that is not known."""
        found = self._link.rooms.get(room)
        return found.security_status() if found else RoomState.WAITING

    def room_facts(self, room: RoomId) -> RoomFacts | None:
        """Facts about the key of `room` that is in force now: who made it, and each member, with whether they hold it.
        None while the room has no key, or is not known."""
        found = self._link.rooms.get(room)
        return self._facts.of(found) if found else None

    def renewed_at(self, room: RoomId) -> int | None:
        """When (server's time, ms) the key of `room` is due to be renewed, to be shown to a person: 30 days after it
        was made. 0, that is at once, if the key has no archive (the part that opens the earlier keys) and this device
        can link it to the earlier keys. None if the room, its key, or the time at which the key was made is not
        known."""
        found = self._link.rooms.get(room)
        epoch = found.stream.epochs.get(found.stream.epoch) if found else None
        return due_ms(found, made_ms(self._link, room, epoch.n)) if found and epoch else None

    def time_ahead(self, room: RoomId) -> int:
        """By how many ms the time that the server gave to the newest item of `room` is ahead of the server's clock; 0
        if that is 10 minutes or less. Also 0 until a sign-in in this run, which compares this device's clock with the
        server's, has found the time of `room` ahead: before that our own clock may be wrong. 0 for a room that is not
        known. While it is not 0 the person is warned, since the times that are shown may be false."""
        found = self._link.rooms.get(room)
        return self.parts.verifier.time_ahead(found) if found else 0

    def removal_reason(self, room: RoomId, note: bytes) -> str | None:
        """Decrypts `note` (`RoomEvent.note`), in which an administrator wrote why they removed a member from `room`,
        and returns that text, "" if no reason was given. None if the room is not known, if the note does not open, or
        if this device has no key for it, as for a member who was added later without the history."""
        found = self._link.rooms.get(room)
        return found.keys.reason(note) if found else None

    def writing_devices(self, room: RoomId, uid: Uid) -> list[tuple[DevId, int]]:
        """The active devices of the person `uid` that may write in `room`, the oldest first, each with the time (ms) at
        which it was added, as the log entry that adds it claims. The room's security report counts those that have long
        been silent. Empty if the person may not write there, or if the room or their key log is not known here. The
        first look at a person's log takes 1 ms."""
        found, known = self._link.rooms.get(room), self._link.book.log(uid)
        return writing_devices(found.stream.state, known, uid) if found and known else []

    def active_devices(self, uid: Uid) -> list[tuple[DevId, int]]:
        """The active devices of the person `uid`, the oldest first, each with the time (ms) at which it was added, as
        the log entry that adds it claims. Empty while this device does not have their key log."""
        known = self._link.book.log(uid)
        return active_devices(known) if known else []

    def key_changes(self, uid: Uid, after: int) -> list[KeyChange]:
        """What happened to the keys of the person `uid` (a device added, recovered with the recovery sheet or revoked,
        or the account reset) in the entries of their key log with a number above `after`, in order: the application
        notifies the user of them. Empty while this device does not have the log."""
        return key_changes(self._link.book, uid, after)

    def log_seq(self, uid: Uid) -> int | None:
        """The number of the newest entry of a person's key log that this device has (the first has number 0); None if
        it has none. See `key_changes`."""
        known = self._link.book.log(uid)
        return known.seq if known is not None else None

    def position(self, room: RoomId) -> int:
        """The last position of `room` that is verified and stored here; 0 for a room that is not known."""
        found = self._link.rooms.get(room)
        return found.kept_n if found else 0

    def is_in(self, room: RoomId) -> bool:
        """Whether this person is a member of `room`, as far as the room is verified here. False for a room that is not
        known."""
        found = self._link.rooms.get(room)
        return found is not None and found.is_member

    def standing(self, room: RoomId) -> Origin | None:
        """The last position of `room` that is verified and stored, with the running hash there (over all items up to
        it): a room that continues this one may name it as its origin. None if nothing of the room is stored, or if it
        is a large one that `Link.open_large` has not read yet."""
        found = self._link.rooms.get(room)
        rh = found.rh_at(found.kept_n) if found else None
        return Origin(room=room, n=found.kept_n, rh=Hash(rh)) if found and rh is not None else None

    def may_continue(self, old: RoomId, founder: Uid) -> bool:
        """▲ Whether another room's claim to continue the room `old` is believed. It is if `founder`, who created the
        other room, owns `old` in our copy, and our copy is as new as this device can get it: the server has confirmed
        it on this connection, or gives us no more (we are no member, or a fork, a rollback or withheld items stopped
        `old`). An older copy is not enough: the founder may have been removed since. False if `old` is not known."""
        found = self._link.rooms.get(old)
        return found is not None and found.ends_here and may_continue(found.stream.state, founder)

    def owns(self, room: RoomId, uid: Uid) -> bool | None:
        """Whether the person `uid` owns `room`, at the last position of our copy; None if this device has no copy,
        False if its copy cannot be read. Unlike `may_continue` this does not check that the copy is up to date."""
        found = self._link.rooms.get(room)
        return may_continue(found.stream.state, uid) if found is not None else None

    def reread_progress(self, room: RoomId) -> tuple[int, int] | None:
        """While older items of `room` are pulled from the server and opened again in the background, because their keys
        came later or this device began with snapshots: (position reached in this run, 0 before the beginning; last
        position to reach), for a progress display. None if nothing is left to be read again, or the room is not
        known."""
        found = self._link.rooms.get(room)
        return (self.parts.inbox.rereading.reached(room), found.reread) if found is not None and found.reread else None

    def history_proposals(self, room: RoomId) -> list[HistoryProposal]:
        """The open proposals in `room` to let a member read the whole history. Each says why this person cannot take
        its next step (to approve it, then to seal the keys to the member), or None if they can. [] for a room that is
        not known."""
        found = self._link.rooms.get(room)
        listed = proposals(found.stream.state, self.uid, self._link.server_now_ms) if found else []
        early = [p.approved and p.refusal is None and approval_waits(self._link, room, p.ident) for p in listed]
        return [replace(p, refusal="not-seasoned") if e else p for p, e in zip(listed, early, strict=True)]

    def may_propose_history(self, room: RoomId, subject: Uid) -> str | None:
        """Why this person cannot propose in `room` that `subject` may read the whole history: "not-member" (`subject`
        is no member, or the room is not known), "not-admin" (this person is no administrator), "has-it" (`subject` may
        read it already), "proposed" (a proposal for `subject` is open), "one-admin" (it takes two administrators, and
        there is one). The first of these that applies, in this order; None if they can."""
        found = self._link.rooms.get(room)
        return may_propose(found.stream.state, self.uid, subject) if found else "not-member"

    @property
    def server_now_ms(self) -> int:
        """The server's time as its last handshake showed it; this computer's while there is no connection."""
        return self._link.server_now_ms

    def prunes(self, room: RoomId) -> RoomPrunes:
        """What could be pruned in `room` (content that the server deletes because a snapshot replaces it), to be shown
        to an administrator. Raises nothing: `refusal` in the result says why this person cannot prune there now, None
        if they can. It is "forbidden", and the rest empty, if they are no administrator or the room is not known."""
        found = self._link.rooms.get(room)
        if found is None:
            return RoomPrunes(refusal="forbidden")
        return prunes(found, self.uid, self._link.server_now_ms, partial(self._link.waited_ms, room))

    def is_whole(self, room: RoomId) -> bool:
        """▲ Whether the local copy of `room` has all positions: everything that the server announced is stored, and no
        change was pruned (deleted at the server) before this device fetched it, unless a snapshot has replaced it here.
        Items that wait for a key, and older ones that are still to be read again, are not counted as missing. False for
        a room that is not known. Only from a whole copy does this device write objects' states for members without the
        history."""
        found = self._link.rooms.get(room)
        return found is not None and found.bootstrap_buffer is None and found.caught_up and not found.incomplete

    def has_missing_range(self, room: RoomId) -> bool:
        """▲ Whether changes of `room` were pruned (deleted at the server) before this device fetched them, and the
        snapshot that replaces them could not be fetched or opened on this connection. False for a room that is not
        known."""
        found = self._link.rooms.get(room)
        return found is not None and self.parts.inbox.lacks(found)

    def blocked(self, room: RoomId) -> str | None:
        """Why something that is written in `room` is not sent now, as a code: what stops the room, "forbidden" for a
        person who may not write there, the server's last refusal, or why the server takes no files of the room (then
        only changes that name a file wait). None if there is no such reason, or if the room is not known. Being offline
        or without a key is no such reason. All that was written stays in the outbox; nothing is dropped."""
        found = self._link.rooms.get(room)
        if found is None:
            return None
        if found.problem is not None:
            return found.problem.value
        return found.blocked or self.blobs.refused.get(room) if found.may_write else ErrorCode.FORBIDDEN

    def safety_number(self, uid: Uid) -> str | None:
        """The number that two people compare to verify each other: 60 digits without spaces, the same on both sides. It
        is made from the first entries of this person's key log and of that of `uid`, to which their later keys are
        bound, so a new device does not change it. None while this device lacks one of the logs."""
        mine, theirs = self._link.book.log(self.uid), self._link.book.log(uid)
        return safety_number(mine.genesis, theirs.genesis) if mine and theirs else None

    def genesis(self, uid: Uid) -> Hash | None:
        """The id of the first entry in the key log of the person `uid`, to which their keys are bound. It stays the
        same when a device is added. The application stores it for a person whom the user has verified, and compares it
        with the one in the person's QR code. None while this device does not have their log."""
        log_of = self._link.book.log(uid)
        return log_of.genesis if log_of is not None else None

    def is_over(self, uid: Uid) -> bool:
        """Whether the agency has ended the account of the person `uid`, as far as this device knows; False if it does
        not have their key log."""
        known = self._link.book.log(uid)
        return known is not None and known.ended is not None

    def ask_first(self, consent: Consent) -> None:
        """Sets `consent`, the application's part that decides whether a room to which somebody added the person is
        followed; without it every such room is. Call it before `run`."""
        self.parts.inbox.invitations.consent = consent

    @property
    def invitations(self) -> list[Invitation]:
        """The invitations: rooms to which somebody added this person, and which are not followed before the person
        accepts. The oldest addition is first. Rooms that the application's `Consent` hides are left out, and rooms
        whose headers are not read yet."""
        return self.parts.inbox.invitations.all()

    def reconsider(self) -> None:
        """Call it when the answers of `consent` have changed: every invitation is decided again."""
        self.parts.inbox.invitations.reconsider()

    def speakers(self, room: RoomId) -> frozenset[Uid]:
        """The people who have at least one valid item in `room`, a change or an entry of its log; former members too. A
        member who is not among them is shown as invited. Empty for a room that is not known. The answer is cached until
        the first valid item of another device."""
        found = self._link.rooms.get(room)
        if found is None:
            return frozenset()
        owners = found.stream.state.dev_owner  # replaced, never changed in place
        kept = self._speakers.get(room)
        if kept is None or kept[0] is not owners:
            kept = self._speakers[room] = owners, frozenset(owners.values())
        return kept[1]

    async def directory(self, query: str) -> list[Uid]:
        """Searches the agency's people for those whose staff record (name, title, unit) has every word of `query`, also
        as a part of a longer word. Returns the ids of at most 50, in the server's order. Their key logs are verified
        and their records stored before this returns. Unreachable while offline; Refused; Reject if a log or a record is
        not valid: the people before that one stay stored."""
        return await self._link.book.directory(self._link.online, query, [])

    async def learn(self, uids: list[Uid]) -> None:
        """Fetches, verifies and stores the key logs and staff records (name, title, unit) of the people `uids`, so that
        they can be shown. Those whom the server does not have are left out. Does nothing for an empty list. Unreachable
        while offline; Refused; Reject if the server answers with somebody else, or if a log or a record is not valid:
        the people before that one stay stored."""
        if uids:
            await self._link.book.directory(self._link.online, "", uids)

    @property
    def revocation_progress(self) -> tuple[int, int]:
        """After this person revoked a device: (the number of rooms whose log does not state that yet, the number of all
        rooms of which they are a member). Stopped rooms are in neither number, since nothing can be stated there. So
        the first is 0 when all other rooms state it, or if no device was revoked."""
        return self.parts.audit.left

    @property
    def reading(self) -> tuple[int, int]:
        """(how many rooms are verified and stored up to the server's last position, how many rooms there are). Stopped
        rooms are in neither number."""
        rooms = [room for room in self._link.rooms.values() if room.problem is None]
        return sum(room.kept_n > 0 and room.kept_n >= room.head_n for room in rooms), len(rooms)

    # -- requests of the application ------------------------------------------------------------------------------

    def wake(self) -> None:
        """The outbox has new rows, or an upload ended."""
        self._link.outbox_work.set()

    def set_shared(self, obj: ObjId, shared: bool) -> None:
        """Records in `shared` whether another member has the object `obj` open now. While they have, this device's
        edits of it are sent more often (every 250 ms instead of 2 s)."""
        (self.parts.outbox.maker.shared.add if shared else self.parts.outbox.maker.shared.discard)(obj)
        self.wake()

    def send_ephemeral(self, room: RoomId, payload: bytes, kind: int = PRESENCE, to: DevId | None = None) -> None:
        """Encrypts `payload` and sends it as an ephemeral message of this `kind` (who is present, types or moves a
        caret: protocol §9) to the devices of the members of `room` that are online, or to the device `to` alone; nobody
        stores it. It is dropped, without an error, while this device or `to` is offline, without a key, or if the room
        is not known; the server drops what is beyond the device's quota of the kind, and every receiver drops it if the
        sender's role may not send the kind."""
        found, connection = self._link.rooms.get(room), self._link.connection
        if found is None or connection is None:
            return
        message = found.ephemerals.seal(payload, self._link.server_now_ms, kind, to)
        if message is not None:
            frame = m.Ephemeral(room=room, body=message.body, sig=message.sig, ct=message.ct)
            self._reconnecting.spawn(_post(connection, frame))

    def invite_device(self, record: bytes) -> Host:
        """Starts an attempt to add another device to this person's account, and returns the `Host` that conducts it;
        nothing is sent before its `open` is called. Messages of the server about pairing go to the newest attempt
        alone, so an earlier one ends: its `wait_for_guest` raises Refused("pairing"). `record`: this person's own staff
        record, encoded, which the new device shows."""
        if self._session.host is not None:
            self._session.host.lost()
        self._session.host = host = Host(self._link, self.devices, record)
        return host

    def retry_now(self) -> None:
        """Connects at once if there is no connection. For a person's request."""
        self._reconnecting.retry_now()

    def hurry(self) -> None:
        """Drops the connection, if there is one, and dials at once; ends the wait before the next attempt, but leaves
        an attempt that is under way alone. Call it when the computer woke or has another network: the old connection
        may be dead. A request that waits for its reply raises Unreachable."""
        self._reconnecting.hurry()

    async def run(self) -> None:
        """Connects, syncs, reconnects with jittered back-off, until cancelled."""
        await self._reconnecting.run()


def _open_link(ports: Ports, listener: Listener, now_ms: Callable[[], int]) -> Link:
    stored = ports.load_account()
    if stored is None:
        raise Refused(ErrorCode.UNKNOWN_USER, "no account in the store")
    account = Account.decode(stored)
    book = Book(ports, account.agency_pk, listener.on_log)
    link = Link(ports=ports, account=account, book=book, listener=listener, now_ms=now_ms)
    link.reload()
    return link


async def _post(connection: Connection, frame: m.Ephemeral) -> None:
    with contextlib.suppress(SyncError):
        await connection.post(frame)
