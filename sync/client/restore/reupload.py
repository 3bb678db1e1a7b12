# SPDX-License-Identifier: EUPL-1.2
"""Returns to a server that was restored from a backup what it had acknowledged since that backup (protocol §10).

First come the logs and staff records of people that the server lacks, then for each room a proof of the items after its
head, then the items themselves, in order. Items that were announced to this device and that it never fetched must come
from other devices; its own encrypted batch counts too.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from functools import partial

from sync.client.account.known_logs import Staff
from sync.client.exchange.receipt_verifier import ReceiptVerifier
from sync.client.exchange.slice_reader import KEPT_BYTES, KEPT_MS
from sync.client.link import Link
from sync.client.room.room_sync import RoomSync
from sync.client.status import RoomState
from sync.client.wire.connection import Connection
from sync.errors import Refused
from sync.ids import ObjId, RoomId, Uid
from sync.protocol import messages as m
from sync.protocol.messages import ErrorCode
from sync.trust.formats.items import ENTRY, ENVELOPE, Item, stub
from sync.trust.person.agency import agency_fingerprint
from sync.trust.room.envelope import Header, read_body
from sync.trust.room.restore_notice import Restored

log = logging.getLogger("sync")

_STUBS_A_FRAME = 20_000
_UPLOAD_BYTES = 768 * 1024
_WHOLE_BATCH_BYTES = 1536 * 1024
"""The longest batch with its headers, which still fits a frame."""
_LOG_BYTES = 1024 * 1024
_NAMES = 2000
AGAIN_S = 2.0
"""The wait after a refusal that another device may cure: a log that is not back yet, or another device that was
faster."""
_TRIES = 30
SELDOM_S = 60.0
"""The wait after so many tries."""
_PASSING = (ErrorCode.BUSY, ErrorCode.FULL, ErrorCode.INTERNAL)
"""Refusals after which the server takes the same item later."""


class Reuploader:
    """Uploads again, to a server that was restored from a backup, what it had acknowledged since that backup and this
    device still has. One per account. Each connection runs `work` as a task, from the sign-in until it ends."""

    def __init__(
        self,
        link: Link,
        verifier: ReceiptVerifier,
        recheck_head: Callable[[RoomSync, m.Receipt], None],
        opened: Callable[[RoomSync], None],
        reupload_lost: Callable[[bytes], None],
        log_open: Callable[[], None],
    ) -> None:
        """Prepares uploads to a server that was restored from a backup. `link` has the connection, the store and the
        rooms; `verifier` keeps the server's receipts, its signatures on how far each room goes.

        The callbacks are called on the event loop; an error that one raises ends the connection. `recheck_head` gets a
        room and the server's receipt for its last position now, and checks the room by it again. `opened` gets a room
        in which the server accepts writes again: its outbox may send. `reupload_lost` gets the server's signed
        statement of the restore, after the first upload of logs and rooms, and uploads lost parts of files. `log_open`
        is called without arguments once the server no longer waits for this device: it may accept new entries of this
        person's key log again.
        """
        self._link = link
        self._verifier = verifier
        self._recheck_head = recheck_head
        self._opened = opened
        self._reupload_lost = reupload_lost
        self._log_open = log_open
        self._heads: dict[RoomId, m.Receipt] = {}
        """The server's verified receipt for the last position of each room: the one before that in `_unverified`, if
        there is one."""
        self._unverified: dict[RoomId, m.Receipt] = {}
        """The server's newest receipt for the last position of each room that has come since; `_head` verifies it."""
        self._until: dict[RoomId, int] = {}
        self._closed: set[RoomId] = set()
        self._due: dict[RoomId, None] = {}
        self._tries: dict[RoomId, int] = {}
        self._owed: set[RoomId] = set()
        """Rooms whose proof, or items, the server did not take for now."""
        self._logs_left = False
        self._done_sent = False
        self._waits = False
        """Whether a timer is running, after which the last frame is tried again."""
        self._wake = asyncio.Event()

    def start(self, authed: m.Authed) -> None:
        """Call it on a new connection, with the server's answer `authed` to the sign-in: forgets the last connection,
        notes whether the server states that it was restored, the heads (last positions) of its rooms, and which rooms
        it keeps closed to writing. If it was restored, queues all rooms, which `work` compares and uploads. ▲ Reject
        "signature" (or another code) for a statement that is not this server's: a statement that anybody could have
        written explains nothing."""
        identity, notice = self._link.online.identity, authed.restored
        self._verifier.restored = None
        if notice is not None:
            fingerprint = agency_fingerprint(identity.agency_pk)
            self._verifier.restored = Restored.check(identity.server_pk, fingerprint, notice.body, notice.sig)
        self._heads.clear()
        self._unverified = {RoomId(h.receipt.room): h.receipt for h in authed.rooms}
        self._closed = {RoomId(room) for room in authed.closed}
        self._until.clear()
        self._tries.clear()
        self._owed.clear()
        self._logs_left = self._done_sent = False
        self._due = dict.fromkeys(self._link.rooms) if notice is not None else {}
        self._wake.set()

    def on_frame(self, frame: m.RestoreProgress) -> None:
        """Handles `frame`, the server's notice about a room that is closed to writing since a restore: its head (last
        position) now, or that it is open again; then the room's outbox may send at once. Queues the room to be compared
        and uploaded. Ignored for a room that this device does not have, and if the server has not stated that it was
        restored. Runs on the reader task."""
        room = self._link.rooms.get(RoomId(frame.receipt.room))
        if room is None or self._verifier.restored is None:
            return
        self._unverified[room.room], self._until[room.room] = frame.receipt, frame.until
        (self._closed.discard if frame.open else self._closed.add)(room.room)
        self._tries.pop(room.room, None)
        self._due[room.room] = None
        self._wake.set()
        if frame.open:
            self._opened(room)

    async def work(self) -> None:
        """Uploads what a restored server is missing: key logs and rooms' items, then lost parts of files. Does the
        rooms again after each notice of the server about one (`on_frame`), and some time after a refusal. With a server
        that was never restored, only deletes the oldest of the items that this device keeps for this purpose. Runs
        while the connection lives. A refusal of one log or room is only logged; any other error is raised and ends the
        connection. ▲ Kept items are deleted only after a restored server was offered the ones it is missing."""
        if self._verifier.restored is not None:
            await self._reupload_logs()
            await self._reupload_due()
            await self._send_done()
            self._reupload_lost(self._verifier.restored.body)
        else:
            await self._trim()
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._reupload_due()
            await self._send_done()

    async def _send_done(self) -> None:
        """Notifies a restored server, one time on each connection, that it need not wait for this device any more; then
        calls `log_open`, and deletes the oldest kept items. Does nothing with a server that was not restored. If the
        notice is refused, it is sent again in AGAIN_S.

        ▲ Not while the server refuses, for now, to compare logs, a log, the proof of a room's items, or the items
        themselves; it is tried again later. Otherwise the server would reopen a room without the items that nobody has
        proven, and new writes would take their positions; or this device would delete items that the server still
        lacks.
        """
        if self._verifier.restored is None or self._done_sent:
            return
        if self._logs_left:
            await self._reupload_logs()
        if self._owed:
            return  # each is tried again, and then this runs again
        if not self._logs_left:
            with contextlib.suppress(Refused):
                await self._link.online.request(lambda rid: m.ReuploadDone(rid=rid), m.Ok)
                self._done_sent = True
                self._log_open()
        if self._done_sent:
            await self._trim()
        elif not self._waits:
            self._waits = True
            asyncio.get_running_loop().call_later(AGAIN_S, self._go_on)

    def _go_on(self) -> None:
        self._waits = False
        self._wake.set()

    async def _trim(self) -> None:
        more = True
        while more:
            more = self._link.ports.trim_items(self._link.server_now_ms - KEPT_MS, KEPT_BYTES)
            await asyncio.sleep(0)

    # -- logs -------------------------------------------------------------------------------------------------------

    async def reupload_own_log(self, connection: Connection, seq: int) -> None:
        """For a server whose copy of this person's key log is shorter than ours: uploads again, over `connection`, the
        entries after the one with the number `seq` (−1 for all), with the person's staff record. Refused "conflict" if
        the server's log has other entries there, "forbidden" if it was never restored, or another code if it does not
        take them."""
        uid = self._link.account.uid
        await upload_log(connection, self._link.ports.user_log(uid)[seq + 1 :], self._link.book.staff(uid))

    async def _reupload_logs(self) -> None:
        """Asks the server which key logs and staff records it lacks, of all people whose log this device has, and
        uploads those again, this person's own first. A log that the server refuses is left out; `_logs_left` says
        whether it, or the question, may be taken later. A lost connection is raised.

        ▲ Not those of members alone: a person who was reset or removed is no longer a member of any room, and the entry
        that records it is the one that must come back.
        """
        self._logs_left = False
        logs = dict(self._link.ports.user_logs())
        names = sorted(logs, key=lambda uid: uid != self._link.account.uid)
        for at in range(0, len(names), _NAMES):
            await self._reupload_some({uid: logs[uid] for uid in names[at : at + _NAMES]})

    async def _reupload_some(self, logs: dict[Uid, int]) -> None:
        """Does what `_reupload_logs` says, for `logs`: the people of one request, with the number of the newest entry
        here of each. If the server refuses the request itself, it is made again later, whatever the code: nobody knows
        then what the server lacks."""
        try:
            reply = await self._link.online.request(lambda rid: m.LogHeads(rid=rid, uids=list(logs)), m.LogHeadsReply)
        except Refused as e:
            log.info("logs not compared: %s", e.code)
            self._logs_left = True
            return
        there, lacking = {h.uid: h.seq for h in reply.heads}, set(reply.lacking)
        for uid, seq in logs.items():
            await asyncio.sleep(0)
            try:
                await self._reupload_log(uid, seq, there.get(uid, -1), lacks_record=uid in lacking)
            except Refused as e:
                log.info("log not re-uploaded: %s", e.code)
                self._logs_left = self._logs_left or e.code in _PASSING

    async def _reupload_log(self, uid: Uid, seq: int, there: int, *, lacks_record: bool) -> None:
        """Uploads again what the server lacks of the key log of the person `uid`, or their staff record. `seq` is the
        number of the newest entry here, `there` that at the server (−1 for none); `lacks_record`: whether the server
        lacks the record. Missing entries are uploaded with the record, if this device has it. If no entry is missing
        and the record is, it goes with the log's first entry, which names the person. Does nothing if the server lacks
        nothing, has a longer log, or lacks only a record that is not here either. Refused if the server does not take
        them; Unreachable if the connection is lost."""
        if there < seq:
            entries = self._link.ports.user_log(uid)[there + 1 :]
            await upload_log(self._link.online, entries, self._link.book.staff(uid))
        elif there == seq and lacks_record and (staff := self._link.book.staff(uid)) is not None:
            await upload_log(self._link.online, self._link.ports.user_log(uid)[:1], staff)

    # -- rooms ------------------------------------------------------------------------------------------------------

    async def _reupload_due(self) -> None:
        while self._due:
            room_id = next(iter(self._due))
            del self._due[room_id]
            self._owed.discard(room_id)
            room = self._link.rooms.get(room_id)
            if room is None or room.problem is RoomState.FORK:
                continue
            try:
                await self._reupload(room)
            except Refused as e:
                log.info("room not re-uploaded: %s", e.code)
                self._later(room_id)

    def _later(self, room: RoomId) -> None:
        times = self._tries[room] = self._tries.get(room, 0) + 1
        asyncio.get_running_loop().call_later(AGAIN_S if times <= _TRIES else SELDOM_S, self._again, room)

    def _again(self, room: RoomId) -> None:
        self._due[room] = None
        self._wake.set()

    async def _reupload(self, room: RoomSync) -> None:
        """Proves to the server that the items of `room` after its head (the server's last position) existed, and
        uploads them again, as far as this device has them. Does nothing without a receipt (the server's signature on
        how far the room goes), or if this person is no member and the server does not list the room.

        Then, only if the room is stopped here as RESTORED or ROLLBACK (the server had less than it promised): if the
        server has everything again, `recheck_head` checks the room, which may continue. If the server has opened the
        room to writing and does not await what is missing, the room is stopped as ROLLBACK: the restore is no excuse
        any more. Refused if the server does not take something, or made no progress; `_owed` notes the room if the
        server may take it later. Reject "other-room" for an answer about another room, "signature" for a head that the
        server did not sign.
        """
        promised = self._verifier.kept(room.room)
        if promised is None or not (room.is_member or self._is_listed(room.room)):
            return
        if self._head_n(room) < promised.n and self._until.get(room.room, 0) < promised.n:
            try:
                await self._prove(room, promised)
            except Refused as e:
                if e.code != ErrorCode.INVALID:  # INVALID: the server has a different history; waiting changes nothing
                    self._owed.add(room.room)
                raise
        try:
            await self._reupload_items(room, promised)
        except Refused as e:
            if e.code in _PASSING:
                self._owed.add(room.room)
            raise
        head = self._head(room)
        if room.problem not in (RoomState.RESTORED, RoomState.ROLLBACK) or head is None:
            return
        if head.n >= max(promised.n, room.stream.n):
            self._recheck_head(room, head)
        elif room.room not in self._closed and self._until.get(room.room, 0) < promised.n:
            self._verifier.stop(room, RoomState.ROLLBACK, "rollback", theirs=head)

    async def _reupload_items(self, room: RoomSync, promised: m.Receipt) -> None:
        """Uploads the items of `room` above its head that the server awaits, as far as this device has them. Refused if
        the server does not take some, "busy" if it made no progress."""
        while self._head_n(room) < (until := self._until.get(room.room, 0)):
            n = self._head_n(room)
            items = self._items(room, promised, n, until)
            if not items:
                break
            self._take(room, await self._upload_items(room, items))
            if self._head_n(room) <= n:
                raise Refused(ErrorCode.BUSY, "reupload")

    def _is_listed(self, room: RoomId) -> bool:
        """Whether the server has shown a head of `room` on this connection."""
        return room in self._unverified or room in self._heads

    def _head(self, room: RoomSync) -> m.Receipt | None:
        """The server's receipt for the last position of `room` now; None if it has shown none. The first call after a
        new one has come verifies it. ▲ Reject if it is not signed by the server, or is of another room. Otherwise the
        server could claim a head, or have one stored as evidence, that proves nothing."""
        if (head := self._unverified.get(room.room)) is not None:
            self._verifier.verify(room, head)
            self._heads[room.room] = self._unverified.pop(room.room)
        return self._heads.get(room.room)

    def _head_n(self, room: RoomSync) -> int:
        head = self._head(room)
        return head.n if head is not None else 0

    def _take(self, room: RoomSync, wanted: m.Wanted) -> None:
        if wanted.receipt is not None:
            self._unverified[room.room] = wanted.receipt
        self._until[room.room] = wanted.until
        self._closed.add(room.room)

    async def _prove(self, room: RoomSync, promised: m.Receipt) -> None:
        """Proves to the server which items followed its head (last position) in `room`: sends their ids, up to
        `promised`, the receipt that the server signed before. Notes its answer: its head now, and the last position of
        which it awaits the items. Sends nothing unless this device has all of them. A room that the server did not list
        is proven from its first position on; it may exist there all the same, and the answer then has its head. Refused
        if the server does not take the proof: "invalid" if its history differs, or another code."""
        after = self._head_n(room)
        stubs: list[bytes] = []
        while after + len(stubs) < promised.n:
            items = self._items(room, promised, after + len(stubs), promised.n, whole=False)
            if not items:
                return
            stubs += map(stub, items)
            await asyncio.sleep(0)
        for at in range(0, len(stubs), _STUBS_A_FRAME):
            piece = b"".join(stubs[at : at + _STUBS_A_FRAME])
            last = at + _STUBS_A_FRAME >= len(stubs)
            receipt = promised if last else None
            promise = partial(m.Promise, room=room.room, after=after + at, stubs=piece, receipt=receipt)
            wanted = await self._link.online.request(promise, m.Wanted)
        self._take(room, wanted)

    async def _upload_items(self, room: RoomSync, items: list[Item]) -> m.Wanted:
        wire = [m.WireItem(i.n, i.t, i.kind, i.body, i.sig, i.ct) for i in items]
        shares = self._shares(room, items)
        return await self._link.online.request(lambda rid: m.Reupload(rid, room.room, wire, shares), m.Wanted)

    def _items(self, room: RoomSync, promised: m.Receipt, n: int, until: int, *, whole: bool = True) -> list[Item]:
        """The items of `room` that this device can upload after position `n`, up to `until`, none left out between, as
        many as fit a frame. `whole`: only whole batches, with their content, as they are uploaded; without it, items of
        which only the ids are stated, as a proof. [] if this device lacks the next item; with `whole` also if it lacks
        that item's content, or the item's batch goes beyond `until` or a frame. `promised` is the newest receipt, which
        may be for this device's own last batch."""
        for limit in (_UPLOAD_BYTES, _WHOLE_BATCH_BYTES):
            items = self._link.ports.kept_items(room.room, n, limit) or self._own(room, promised, n)
            items = [i for i in items if i.n <= until]
            if not whole:
                return items
            first_empty = next((k for k, i in enumerate(items) if i.kind == ENVELOPE and i.ct is None), len(items))
            items = items[:first_empty]  # a room opened from snapshots: other devices have the content
            while items and items[-1].kind != ENTRY and not items[-1].sig:
                items.pop()
            if items:
                return items
        return []

    def _own(self, room: RoomSync, promised: m.Receipt, n: int) -> list[Item]:
        """This device's own batch that our copy of the room has not shown yet, whole, as the items from position `n` +
        1 on: a server that was restored from a backup may have lost it, and gets it again. [] if there is none, or if
        as items after `n` it would not end at the position of `promised`, the newest receipt: then that receipt does
        not acknowledge it. All its items have the receipt's time: the server gives a batch one time."""
        batch = self._link.ports.sealed(room.room)
        if batch is None or promised.n - len(batch.bodies) != n:
            return []
        last = len(batch.bodies) - 1
        return [
            Item(n + 1 + k, promised.t, ENVELOPE, body, batch.sig if k == last else b"", ct)
            for k, (body, ct) in enumerate(zip(batch.bodies, batch.cts, strict=True))
        ]

    def _shares(self, room: RoomSync, items: Sequence[Item]) -> list[m.WireShare]:
        """The shares (32-byte secrets, from which objects' keys are derived) of the objects that begin in `items`,
        which are items of `room`, in that order. A share that this device lacks is left out. They are sent to the
        server as they are, not encrypted: it keeps the shares, and gives them to the members."""
        batch = self._link.ports.sealed(room.room)
        own = dict(batch.shares) if batch is not None else {}
        out = []
        for i in items:
            hdr = Header.decode(read_body(i.body)[0]) if i.kind == ENVELOPE else None
            if hdr is not None and hdr.share_c:
                share = room.keys.share(hdr.obj) or own.get(ObjId(hdr.obj))
                out += [m.WireShare(hdr.obj, share)] if share is not None else []
        return out


async def upload_log(connection: Connection, entries: Sequence[tuple[bytes, bytes]], staff: Staff | None) -> None:
    """Uploads over `connection`, to a restored server, `entries`: the (body, signature) pairs of a part of one person's
    key log, in order, in as many frames as needed. `staff`, the person's staff record or None, goes with the last
    frame, after the entry that names it. Sends nothing if `entries` is empty. Refused if the server does not take a
    frame; earlier frames then count."""
    piece: list[m.Signed] = []
    size = 0
    for at, (body, sig) in enumerate(entries, start=1):
        piece.append(m.Signed(body, sig))
        size += len(body) + len(sig)
        if size >= _LOG_BYTES or at == len(entries):
            last = staff if staff is not None and at == len(entries) else Staff(b"", b"")
            await connection.request(partial(m.ReuploadLog, entries=piece, salt=last.salt, record=last.record), m.Ok)
            piece, size = [], 0
