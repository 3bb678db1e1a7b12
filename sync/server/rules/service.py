# SPDX-License-Identifier: EUPL-1.2
"""Dispatches every request to the part that answers it. Rules about people, positions, rooms and blobs are in their own
files. No I/O but through the store and the object store."""

import asyncio
import logging
import time
from collections.abc import Collection, Coroutine
from typing import Any, TypeVar

from sync.ids import DevId, Uid
from sync.protocol.messages import (
    Append,
    Auth,
    Authed,
    BlobToken,
    ClientFrame,
    Contents,
    Devices,
    Directory,
    Enrol,
    Ephemeral,
    ErrorCode,
    Escrow,
    EscrowReply,
    Frame,
    Invite,
    LogHeads,
    LogMoved,
    MovedLogs,
    Ok,
    PairJoin,
    PairLeave,
    PairOpen,
    PairPost,
    Promise,
    Pull,
    Push,
    PutSeals,
    PutShare,
    Recover,
    RecoverLookup,
    RecoveryRequests,
    Reseal,
    Reupload,
    ReuploadDone,
    ReuploadLog,
    Revoked,
    SealRequest,
    ShareRequest,
    Subscribe,
    UserAppend,
    Veto,
    VetoPeriod,
)
from sync.protocol.messages import UserLog as UserLogRequest
from sync.protocol.programs import Release
from sync.server.config import Limits
from sync.server.host.identity import Identity
from sync.server.load.entrance import Entrance
from sync.server.load.fanout import Hub, Listener
from sync.server.load.meters import Meters
from sync.server.load.outbox import Outbox
from sync.server.load.spending import metered
from sync.server.objects.base import Objects
from sync.server.rules.blob_parts import Blobs
from sync.server.rules.clock_guard import ClockGuard
from sync.server.rules.destroyed_objects import DestroyedObjects
from sync.server.rules.handshake import Handshake, Who
from sync.server.rules.live_rooms import LiveRooms
from sync.server.rules.log_growth import LogGrowth
from sync.server.rules.pairing_boxes import Pairing
from sync.server.rules.people import APPEND_ENTRIES, People
from sync.server.rules.placing import Placing
from sync.server.rules.presented_receipts import Receipts
from sync.server.rules.pruned_content import Pruning
from sync.server.rules.quotas import Quotas
from sync.server.rules.recovery_requests import RecoveryRules
from sync.server.rules.refusal import Refusal
from sync.server.rules.restored_rooms import RestoreRecovery
from sync.server.rules.room_requests import Rooms
from sync.server.rules.uploads import Uploads
from sync.server.store.base import Store, StoreError
from sync.trust.person.user_log import UserLog
from sync.trust.room.ephemeral import EphemeralHeader

log = logging.getLogger("sync.server")

T = TypeVar("T")

WATCH_S = 1.0
"""How often the server reads what the agency's command line did."""
SEEN_S = 6 * 3600.0
"""How often the connected devices are noted as seen: a computer that is never switched off signs in once in months."""


class Service:
    """The whole server without its sockets: answers each request by the part that has the rules for it. `addresses` are
    the `host:port` at which clients reach the server; a client signs the one that it dialled, so that its sign-in is
    valid at no other server. Empty until the caller sets it: before that no device can sign in."""

    def __init__(
        self,
        store: Store,
        objects: Objects,
        identity: Identity,
        limits: Limits,
        meters: Meters | None = None,
        clock: ClockGuard | None = None,
    ) -> None:
        self.clock = clock or ClockGuard()
        self.limits = limits
        self.hub = Hub(limits)
        self.meters = meters or Meters()
        self.entrance = Entrance(limits, self.hub.queue, self.meters.turned_away)
        self.addresses: Collection[str] = ()
        self.min_client: Release | None = None
        """The oldest release of the client program that may sign in; None for any."""
        self.people = People(store, identity, limits.logs_in_memory)
        self.live = LiveRooms(store, self.people, identity.key, limits.rooms_in_memory)
        quotas = Quotas(store, limits)
        self.rooms = Rooms(store, self.people, self.hub, self.live, limits, quotas)
        closed: set[bytes] = set()
        self.uploads = Uploads(store, objects, limits)
        self.pruning = Pruning(store, DestroyedObjects(store, objects, self.uploads))
        self.live.loaded = self.pruning.resume
        self.placing = Placing(
            store, self.people, self.hub, self.live, limits, self.meters, self.pruning, quotas, self.clock, closed
        )
        growth = LogGrowth(store, limits)
        self.restore_recovery = RestoreRecovery(
            store, self.people, self.hub, self.live, self.placing, identity, closed, growth
        )
        self.blobs = Blobs(store, objects, self.rooms, quotas, self.uploads, limits, self.meters)
        self.receipts = Receipts(store, identity.key.public)
        self.pairing = Pairing()
        self.recovery_requests = RecoveryRules(store, self.people, limits, self.clock)
        self._identity = identity
        self._going: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """Call it once at the start, when the store is open: reads from it how far the recovery after a restore has
        come (clients upload what the backup lacks), the unfinished uploads, and the rooms whose pruned content is not
        deleted yet, which is then continued."""
        await self.restore_recovery.open()
        await self.uploads.open()
        await self.pruning.go_on(self.live.get)

    async def close(self) -> None:
        """Waits for changes of logs and rooms that are under way, and stores the rooms' states, so that the next start
        is quick."""
        await self.pruning.close()
        if self._going:
            await asyncio.wait(self._going)
        await self.live.close()

    def handshake(self) -> Handshake:
        """A new connection's handshake."""
        return Handshake(self._identity, lambda: self.addresses, min_client=self.min_client)

    async def prove(self, handshake: Handshake, frame: Auth) -> Who | Revoked:
        """Checks the signature in `frame` with which a device signs in on the connection of `handshake`. Returns the
        device; for a device that its log has ended, the entries that show so. A Refusal "auth" that ends the connection
        otherwise."""
        own = await self.people.load(frame.uid)
        who = handshake.sign_in(frame, own)
        if own is None:
            raise Refusal(ErrorCode.AUTH, fatal=True)
        return await self.people.ended(own, frame) if who is None else who

    async def sign_in(self, who: Who, agent: str, frame: Auth) -> Authed | Revoked:
        """Answers the sign-in `frame` of the device `who`, whose signature `prove` has verified: the newest entry of
        the person's log, the last position of each of their rooms, recovery requests that wait, and what a restore
        closed; or the entries that revoked the device. Stores that the device signed in now, with the program that
        calls itself `agent`. Also stores receipts in `frame` (this server's signatures on positions) that it cannot
        match: they show that its database was set back. Refusal "oversize", which ends the connection, for too many of
        them. The caller must already collect the person's notifications for this connection, since everything is read
        only once."""
        await self.people.note_sign_in(who, agent)
        own = await self._log_of(who)
        if own.device_active(who.dev, own.seq) is None:
            return await self.people.ended(own, frame)
        heads = await self.rooms.heads(who)
        await self.receipts.check(frame.receipts, heads)
        asked = await self.recovery_requests.waiting(who.uid)
        closed = self.restore_recovery.closed_among(heads)
        return Authed(frame.rid, own.seq, own.head, heads, asked, self.restore_recovery.statement, closed)

    async def _log_of(self, who: Who) -> UserLog:
        found = await self.people.load(who.uid)
        if found is None:
            raise Refusal(ErrorCode.AUTH, fatal=True)
        return found

    async def before_sign_in(self, peer: Outbox, frame: ClientFrame) -> Frame:
        """Returns the answer to a request of a connection (`peer`) that has not signed in: by somebody with an
        activation code or a recovery sheet, by a new device with a code that an old device shows, or an upload of a log
        that a restore lost. Raises the request's own errors; for any other frame a Refusal "auth", which ends the
        connection."""
        match frame:
            case Invite():
                return await self.people.invite(frame)
            case Enrol():
                return await self.people.enrol(frame)
            case RecoverLookup():
                return await self.recovery_requests.look(frame)
            case Recover():
                self.restore_recovery.check_log_open(frame.uid)
                return await self._to_the_end(self._moving(frame.uid, self.recovery_requests.recover(frame)))
            case ReuploadLog():
                return await self._to_the_end(self._reupload_log(frame))
            case PairJoin():
                self.pairing.join(peer, frame)
                return Ok(frame.rid)
            case PairPost():
                self.pairing.post(peer, frame.data)
                return Ok(frame.rid)
            case _:
                raise Refusal(ErrorCode.AUTH, "first sign in", fatal=True)

    async def answer(self, listener: Listener, frame: ClientFrame) -> Frame:
        """Answers a request of the signed-in device `listener`, or raises Refusal, Reject or StoreError, which the
        caller turns into an error frame. For a frame that is not allowed after sign-in a Refusal "malformed" that ends
        the connection."""
        who = Who(Uid(listener.uid), DevId(listener.dev))
        match frame:
            case Push():
                return await self.placing.push(who, frame)
            case Pull():
                return await self.rooms.pull(who, frame)
            case Contents():
                return await self.rooms.contents(who, frame)
            case Append():
                return await self.placing.append(who, frame)
            case Subscribe():
                return await self.rooms.subscribe(listener, frame)
            case PutSeals():
                return self.placing.put_seals(who, frame)
            case SealRequest():
                return await self.rooms.seals(who, frame)
            case Reseal():
                return await self.rooms.reseal(who, frame)
            case ShareRequest():
                return await self.rooms.shares(listener, frame)
            case PutShare():
                return await self.rooms.put_share(who, frame)
            case Directory():
                return await self.people.directory(frame)
            case UserLogRequest():
                return await self.people.entries(frame)
            case UserAppend():
                self.restore_recovery.check_log_open(who.uid)
                return await self._to_the_end(self._moving(who.uid, self.recovery_requests.append(who, frame)))
            case Veto():
                done = await self.recovery_requests.veto(who, frame)
                await self._notify_recovery_requests(who.uid)
                return done
            case Escrow():
                return EscrowReply(frame.rid, self._identity.escrow)
            case BlobToken():
                return self.blobs.mint(who, frame)
            case PairOpen():
                return self.pairing.open(listener.outbox, frame)
            case PairPost():
                self.pairing.post(listener.outbox, frame.data)
                return Ok(frame.rid)
            case PairLeave():
                self.pairing.leave(listener.outbox)
                return Ok(frame.rid)
            case MovedLogs():
                return await self.people.moved_logs(frame)
            case Devices():
                return await self.people.devices(who, frame)
            case LogHeads():
                return await self.people.heads(frame)
            case ReuploadLog():
                return await self._to_the_end(self._reupload_log(frame))
            case Promise():
                return await self._to_the_end(self.restore_recovery.promise(who, frame))
            case Reupload():
                return await self.restore_recovery.reupload(who, frame)
            case ReuploadDone():
                return await self._to_the_end(self.restore_recovery.finish_reupload(who, frame))
            case _:
                raise Refusal(ErrorCode.MALFORMED, "not now", fatal=True)

    async def _to_the_end(self, work: Coroutine[None, None, T]) -> T:
        """Runs `work`, which changes a person's log or closes or opens rooms, to completion, even if the requester
        disconnects, and returns its result. ▲ Otherwise the disk and the memory could differ: a revoked device would
        stay connected, or something new could take the positions of what a closed room lost."""
        task = asyncio.create_task(metered(lambda: work))
        self._going.add(task)
        task.add_done_callback(self._gone)
        return await asyncio.shield(task)

    def _gone(self, task: "asyncio.Task[Any]") -> None:
        self._going.discard(task)
        if not task.cancelled():
            task.exception()  # read here, since the requester may be gone

    async def _reupload_log(self, frame: ReuploadLog) -> Ok:
        back = await self.restore_recovery.reupload_log(frame)
        if back is not None:
            await self._log_moved(back.log, back.after)
        return Ok(frame.rid)

    async def _moving(
        self, uid: bytes, work: Coroutine[None, None, tuple[UserLog | None, Ok | VetoPeriod]]
    ) -> Ok | VetoPeriod:
        """Awaits `work`, a request that may add to the log of the person `uid` and returns (the longer log or None, the
        answer). Then notifies the person's devices of new entries or of a new request that waits. Returns the answer.
        If `work` raises, the error is raised and nobody is notified."""
        moved, reply = await work
        if moved is not None:
            await self._log_moved(moved, moved.seq - APPEND_ENTRIES)
        if isinstance(reply, VetoPeriod):
            await self._notify_recovery_requests(uid)
        return reply

    async def _notify_recovery_requests(self, uid: bytes) -> None:
        asked = await self.recovery_requests.waiting(uid)
        self.hub.notify_person(uid, RecoveryRequests(asked))

    async def _log_moved(self, log: UserLog, after: int) -> None:
        """Acts on the new entries of a person's log, those with a number above `after`: disconnects devices that are
        revoked or ended, and notifies the person's devices; if these entries ended a device or the account, also the
        listeners in the person's rooms. No longer waits for uploads of ended devices after a restore."""
        self._cut_off(log)
        if log.revoked_between(after, log.seq) or (log.ended_at(log.seq) and not log.ended_at(after)):
            await self.rooms.notify_member_moved(log.uid)
        await self.restore_recovery.log_moved(log)

    def _cut_off(self, log: UserLog) -> None:
        """Disconnects the devices that are revoked or ended by `log`, the log of their person, and drops their bearer
        tokens and the seals (encrypted keys) that they uploaded for an entry that has not come. Notifies the person's
        other devices of the number of the log's newest entry."""
        for device in log.devices.values():
            if log.device_active(device.dev, log.seq) is None:
                self.blobs.revoke(device.dev)
                self.placing.forget(device.dev)
                self.hub.cut(device.dev, log.uid, ErrorCode.AUTH)
        self.hub.notify_person(log.uid, LogMoved(log.seq))

    async def watch(self) -> None:
        """Acts on what the agency's command line does beside this server (revocations, resets, rooms that were opened),
        within a second. Also notes every six hours which devices are connected. Runs until cancelled.

        ▲ Retries after any failure. Otherwise a device that the agency revokes could stay connected until the next
        start.
        """
        after, seen_at = 0, time.monotonic()
        noticed: dict[bytes, int] = {}
        while True:
            try:
                if time.monotonic() - seen_at >= SEEN_S:
                    seen_at = time.monotonic()
                    await self.people.note_present(self.hub.present())
                until, logs = await self.people.read_external_appends(after)
                for moved in logs:
                    self._cut_off(moved)
                for moved in logs:
                    if moved.seq > noticed.get(moved.uid, -1):  # once, also if what follows is tried again and again
                        await self.rooms.notify_member_moved(moved.uid)
                        noticed[moved.uid] = moved.seq
                for moved in logs:  # last: a full disk must not delay disconnecting devices or notifying colleagues
                    await self.restore_recovery.log_moved(moved)
                after = until
                await self.restore_recovery.check_closed_rooms()
            except StoreError as e:
                log.warning("what the command line did was not read: %s", e.code)
            except Exception:
                log.exception("what the command line did was not read")
            await asyncio.sleep(WATCH_S)

    def may_linger(self, peer: Outbox) -> bool:
        """Whether a connection may stay though it has not signed in, because it is pairing with an old device."""
        return self.pairing.waits(peer)

    def gone(self, peer: Outbox) -> None:
        """Releases what an ended connection held."""
        self.pairing.leave(peer)

    def ephemeral(self, listener: Listener, frame: Ephemeral, header: EphemeralHeader) -> None:
        """Passes a signed, unstored message on to those of the room's other listeners to whom `header`, its header,
        addresses it."""
        self.rooms.ephemeral(listener, frame, header)
