# SPDX-License-Identifier: EUPL-1.2
"""One room as this device follows it: its verified stream, the keys it holds, and what is opened, bad or waiting.

No network here. `judge` verifies a slice (it may run in a thread), `receive` turns the verdicts into one `Received`
for the owner's store, and `resolve` opens what waited for a key or a share.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sync.client.account import Account
from sync.client.book import Book
from sync.client.joining import Joining
from sync.client.ports import InboxPort, MemberRow, OpenedChange, Received, RoomEvent
from sync.client.status import RoomState
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H
from sync.errors import Reject
from sync.ids import DevId, ObjId, RoomId, Uid
from sync.protocol.messages import WireShare
from sync.trust import envelope, ephemeral, fields, roomlog
from sync.trust.envelope import ObjectKeys, root_share, share_commitment
from sync.trust.epochs import KeyRing, content_commitment, open_seal, walk_back
from sync.trust.items import ENVELOPE, Item, item_id, next_rh
from sync.trust.stream import MAX_T, Accepted, AcceptedEntry, AcceptedEnvelope, RoomStream
from sync.trust.succession import origin

_WAITING_LIMIT = 1024 * 1024
CHUNK = 32
"""Changes stored in one transaction: about 2 ms on the event loop, with a chat's rows and search."""


class RoomSync:
    """The room's state on this device. `problem` stops everything but reading; `blocked` stops only writing."""

    def __init__(self, room: RoomId, ports: InboxPort, book: Book, account: Account, state: bytes | None) -> None:
        self.room = room
        self.stream = RoomStream.from_bytes(state) if state else RoomStream(room)
        self.ring = KeyRing(room, ports.keys(room))
        self.whisperer = ephemeral.Whisperer(room)
        self.listener = ephemeral.Listener(room)
        kept = ports.problem(room)
        self.problem: RoomState | None = RoomState(kept) if kept else None
        self.held_back = kept is not None
        """▲ The store keeps that the room stopped, until the server is seen to have our history (again)."""
        self.blocked: str | None = None
        self.waiting = len(ports.waiting(room))
        self.head_n = self.stream.n
        self.kept_n = self.stream.n
        """The last position whose changes are in the store; `stream.n` runs ahead while a slice is being stored."""
        self._stored_n = self.stream.n
        self.reread = ports.reread(room)
        """Positions up to this one are read once more: this device was given their keys later. 0 for none."""
        self.drafted: dict[int, tuple[bytes, bytes | None]] = {}
        """Secrets of epochs that this device drafted, until the stream shows whether they count."""
        self.joining: Joining | None = None if state else Joining()
        """What is pulled and not opened before this device first has the room's key; see `arrive`."""
        self._ports = ports
        self._book = book
        self._account = account
        self._keys = ObjectKeys(room)
        self._shares: dict[ObjId, bytes] = {ObjId(room): root_share(room)}
        self._missing: set[ObjId] = set()
        self._lacking: set[int] = set()
        self._told = self.stream.members if state else {}
        """The members as the owner's store has them."""

    # -- what others ask ------------------------------------------------------------------------------------------

    @property
    def is_member(self) -> bool:
        return self._account.uid in self.stream.members

    @property
    def caught_up(self) -> bool:
        """Everything that the server has told of is judged and stored."""
        return self.kept_n >= self.head_n

    @property
    def own_seq(self) -> int:
        """This device's newest positioned dev_seq in the room."""
        head = self.stream.device_heads.get(self._account.dev)
        return head.dev_seq if head else 0

    @property
    def needs_key(self) -> bool:
        """The epoch in force is sealed to us and we do not hold its key yet."""
        return self.is_member and self.stream.epoch > 0 and self.ring.k(self.stream.epoch) is None

    @property
    def may_send(self) -> bool:
        """Nothing stops the room, and what the server has told of is judged."""
        return self.problem is None and not self.held_back and self.caught_up

    def stop(self, state: RoomState) -> None:
        """▲ Takes nothing more in and sends nothing. A fork and a rollback outlast the program; see `look_anew`."""
        self.problem = state
        if state in (RoomState.FORK, RoomState.ROLLBACK):
            self.held_back = True
            self._ports.set_problem(self.room, state.value)

    def look_anew(self) -> None:
        """▲ A new connection: what the server hid or had lost may be there now and is judged again. A fork stays: two
        histories were signed, whatever the server shows next."""
        if self.problem is not RoomState.FORK:
            self.problem = None

    def agreed(self) -> None:
        """The server stands where we stand, with the same history: what was held back may go."""
        if self.held_back and self.problem is None:
            self.held_back = False
            self._ports.set_problem(self.room, None)

    def seal_state(self) -> RoomState:
        """What the room's seal shows."""
        if self.problem is not None:
            return self.problem
        if not self.is_member:
            return RoomState.LEFT
        if self.waiting or self.needs_key:
            return RoomState.WAITING
        return RoomState.DIRTY if self.stream.dirty else RoomState.SEALED

    def rh_at(self, n: int) -> bytes | None:
        return self._ports.rh_at(self.room, n)

    def share(self, obj: ObjId) -> bytes | None:
        """The object's share, if this device holds the one that the stream commits to."""
        found = self._shares.get(obj)
        if found is None:
            found = self._ports.share(self.room, obj)
            if found is None or self.stream.state.shares.get(obj) != share_commitment(self.room, obj, found):
                return None  # ▲ a share of our own that came too late is not the object's
            self._shares[obj] = found
        return found

    def content_key(self, obj: ObjId) -> bytes | None:
        """The key of an object's next op, or None while the epoch's key or the share is missing."""
        k, share = self.ring.k(self.stream.epoch), self.share(obj)
        if k is None or share is None:
            return None
        return self._keys.key(k, self.stream.epoch, obj, share)

    def key_with(self, obj: ObjId, share: bytes) -> bytes | None:
        """The key for an object that begins with this share; nothing is remembered until it has a position."""
        k = self.ring.k(self.stream.epoch)
        return ObjectKeys(self.room).key(k, self.stream.epoch, obj, share) if k is not None else None

    def lacking_keys(self) -> list[int]:
        """Epochs whose key this device may have, needs and does not hold, the newest first."""
        lacking = {e for e in self._lacking if self.ring.k(e) is None and self.may_read(self._account.uid, e)}
        if self.needs_key:
            lacking.add(self.stream.epoch)
        return sorted(lacking, reverse=True)

    def may_read(self, uid: Uid, e: int) -> bool:
        """▲ Whether a person is to have an epoch's key now: a member, with history or since that epoch began."""
        member, epoch = self.stream.members.get(uid), self.stream.epochs.get(e)
        return member is not None and epoch is not None and (member.history or epoch.n >= member.since_n)

    def lacks_share(self, obj: ObjId) -> bool:
        """Whether an object that has a share lacks it here; it is then asked for. True only the first time."""
        known = obj in self._missing or obj not in self.stream.state.shares or self.share(obj) is not None
        self._missing.update(() if known else (obj,))
        return not known

    def missing_shares(self) -> list[ObjId]:
        """Objects that something waits for."""
        return [o for o in self._missing if o in self.stream.state.shares]

    # -- taking in ------------------------------------------------------------------------------------------------

    def judge(self, items: Sequence[Item]) -> list[Accepted]:
        """Verifies the next items. Raises NeedLog, or Reject for what an honest server never shows."""
        return self.stream.accept(items, self._book, self.rh_at)

    def open_all(
        self, accepted: Sequence[Accepted], shares: Iterable[WireShare], *, more: bool = False
    ) -> Iterator["Received"]:
        """The verdicts as transactions, in order; only the last moves the cursor, so a crash between them repeats.

        Opened as they are asked for, so that one turn of the loop never opens a whole slice. `more`: others follow.
        """
        new_shares = self._take_shares(shares)
        opened: list[OpenedChange] = []
        events: list[RoomEvent] = []
        waiting: list[tuple[int, bytes]] = []
        bad: list[tuple[int, str]] = []
        reread: int | None = None
        for item in accepted:
            if isinstance(item, AcceptedEntry):
                event = _event(item)
                if event is not None:
                    events.append(event)
                    reread = self._given_history(event) or reread
            else:
                self._open_into(item, opened, waiting, bad)
            while len(opened) > CHUNK:
                yield Received(room=self.room, more=True, changes=opened[:CHUNK])
                opened = opened[CHUNK:]
        stream = self.stream
        members, gone = self._members_since()
        due = self.joining is None and self._state_due(bool(events or members or gone))
        self.waiting += len(waiting)
        yield Received(
            room=self.room,
            cursor=stream.n if due else None,
            more=more,
            state=stream.to_bytes() if due else None,
            positions=self._positions(accepted),
            changes=opened,
            events=events,
            members=members,
            gone=gone,
            waiting=waiting,
            bad=bad,
            shares=new_shares,
            reread=reread,
        )
        self.reread = self.reread if reread is None else reread

    def arrive(self) -> Iterator["Received"]:
        """What was held until the key could be fetched: opened, or waiting for what is still missing. Then the stream's
        state. Nothing the second time."""
        if self.joining is None or self.stream.n == 0:
            return
        held, self.joining = [i for i in self.joining.items if not self._outside(i.n)], None
        opened: list[OpenedChange] = []
        waiting: list[tuple[int, bytes]] = []
        bad: list[tuple[int, str]] = []
        for item in held:
            self._open_into(item, opened, waiting, bad)
            while len(opened) + len(waiting) > CHUNK:
                self.waiting += len(waiting)
                yield Received(room=self.room, more=True, changes=opened[:CHUNK], waiting=waiting)
                opened, waiting = opened[CHUNK:], []
        self.waiting += len(waiting)
        self._stored_n = self.stream.n
        state = self.stream.to_bytes()
        yield Received(room=self.room, cursor=self.stream.n, state=state, changes=opened, waiting=waiting, bad=bad)
        self.kept_n = self.stream.n

    def _given_history(self, event: RoomEvent) -> int | None:
        """Up to where this device must read again, if the entry gives its person the history."""
        me = self.stream.members.get(self._account.uid)
        mine = event.kind == "hist" and event.subject == self._account.uid
        return me.since_n if mine and me is not None else None

    def open_again(self, accepted: Sequence[Accepted], shares: Iterable[WireShare]) -> list[Received]:
        """What can be opened now of positions that were judged before; the cursor stays where it is."""
        new_shares = self._take_shares(shares)
        opened: list[OpenedChange] = []
        waiting: list[tuple[int, bytes]] = []
        bad: list[tuple[int, str]] = []
        for item in accepted:
            if isinstance(item, AcceptedEnvelope):
                self._open_into(item, opened, waiting, bad)
        self.waiting += len(waiting)
        whole = Received(room=self.room, changes=opened, waiting=waiting, bad=bad, shares=new_shares)
        return self._chunks(whole)

    def reread_done(self) -> Received:
        """Nothing is left to be read again."""
        self.reread = 0
        self.waiting = len(self._ports.waiting(self.room))
        return Received(room=self.room, reread=0)

    def refill(self, item: Item, n: int) -> list[Received]:
        """Content that was missing at a judged position, if this is the very item. Nothing for anything else."""
        before, mine = self.rh_at(n - 1), self.rh_at(n)
        if item.kind != ENVELOPE or item.ct is None or item.n != n or before is None or not 0 <= item.t <= MAX_T:
            return []
        ident = item_id(ENVELOPE, item.body)
        if next_rh(before, n, item.t, ENVELOPE, ident) != mine:
            return []
        hdr_bytes, digest, length = envelope.read_body(item.body)
        if len(item.ct) != length or H(item.ct) != digest:
            return []
        state = self.stream.state
        state.missing = {at: obj for at, obj in state.missing.items() if at != n}
        hdr = envelope.Header.decode(hdr_bytes)
        found = AcceptedEnvelope(item.n, item.t, ident, hdr, hdr_bytes, item.ct, None)
        opened: list[OpenedChange] = []
        waiting: list[tuple[int, bytes]] = []
        bad: list[tuple[int, str]] = []
        self._open_into(found, opened, waiting, bad)
        self.waiting += len(waiting)
        whole = Received(
            room=self.room,
            cursor=self.stream.n,
            state=self.stream.to_bytes(),
            changes=opened,
            waiting=waiting,
            bad=bad,
        )
        return [whole]

    def _state_due(self, entries: bool) -> bool:
        """Whether the stream's state goes to the store with this slice: at every slice, but in a large room.

        2,000 members make 400 KB of state. There it is stored with entries and every STATE_EVERY positions; a
        restart pulls and judges the few after it again, whose changes are known by their ids.
        """
        if not entries and len(self.stream.members) > LARGE_ROOM and self.stream.n - self._stored_n < STATE_EVERY:
            return False
        self._stored_n = self.stream.n
        return True

    def _chunks(self, whole: Received) -> list[Received]:
        changes = list(whole.changes)
        if len(changes) <= CHUNK:
            return [whole]
        head = [Received(room=self.room, changes=changes[i : i + CHUNK]) for i in range(0, len(changes) - CHUNK, CHUNK)]
        return [*head, replace(whole, changes=changes[len(head) * CHUNK :])]

    def _positions(self, accepted: Sequence[Accepted]) -> list[tuple[int, bytes]]:
        return [(a.n, rh) for a, rh in zip(accepted, self.stream.recent(len(accepted)), strict=True)]

    def _open_into(
        self,
        item: AcceptedEnvelope,
        opened: list[OpenedChange],
        waiting: list[tuple[int, bytes]],
        bad: list[tuple[int, str]],
    ) -> None:
        if item.void is not None or item.ct is None or item.hdr.kind not in (envelope.OP, envelope.BASELINE):
            return
        hdr = item.hdr
        if hdr.kind == envelope.BASELINE and hdr.uid != self._account.uid and self._has_history():
            return
        row = (item.n, item.t, hdr.uid, hdr.dev, hdr.obj, hdr.epoch, item.hdr_bytes, item.ct)
        try:
            changes = self._open(*row)
        except Reject as e:
            bad.append((item.n, e.code))
            return
        if changes is None:
            if self.joining is not None:
                self.joining.hold(item)
            elif not self._outside(item.n):
                waiting.append((item.n, enc(list(row))))
        else:
            opened += changes

    def _open(
        self, n: int, t: int, uid: bytes, dev: bytes, obj: bytes, e: int, hdr_bytes: bytes, ct: bytes
    ) -> list[OpenedChange] | None:
        """The changes in an envelope, None while a key or share is missing, Reject if it is bad."""
        k, share = self.ring.k(e), self.share(ObjId(obj))
        if share is None:
            self._missing.add(ObjId(obj))
        if k is None:
            self._lacking.add(e)
        if k is None or share is None:
            return None
        payload = envelope.open_op(self._keys.key(k, e, obj, share), hdr_bytes, ct)
        return [
            OpenedChange(n=n, t=t, uid=Uid(uid), dev=DevId(dev), obj=ObjId(obj), change_id=c, payload=data)
            for c, data in envelope.unpack(payload)
        ]

    def _has_history(self) -> bool:
        me = self.stream.members.get(self._account.uid)
        return me is not None and me.history

    def _outside(self, n: int) -> bool:
        """Before a from-now add: not for us, not counted. Where the add is not judged yet, nobody can say: it waits."""
        me = self.stream.members.get(self._account.uid)
        return me is not None and not me.history and n < me.since_n

    def _take_shares(self, shares: Iterable[WireShare]) -> list[tuple[ObjId, bytes]]:
        """▲ Keeps the shares that match what the stream commits to; any other is ignored."""
        out = []
        for s in shares:
            obj = ObjId(s.obj)
            if self.stream.state.shares.get(obj) == share_commitment(self.room, obj, s.share):
                self._shares[obj] = s.share
                self._missing.discard(obj)
                out.append((obj, s.share))
        return out

    def _members_since(self) -> tuple[list[MemberRow], list[Uid]]:
        """Members that are new or changed since the store was told, and those that are gone."""
        told, now = self._told, self.stream.members
        self._told = now
        if told is now:
            return [], []
        rows = [
            MemberRow(uid=m.uid, role=int(m.role), since_n=m.since_n, history=m.history)
            for uid, m in now.items()
            if told.get(uid) is not m
        ]
        return rows, [uid for uid in told if uid not in now]

    # -- keys that arrive -----------------------------------------------------------------------------------------

    def take_seals(self, e: int, seals: Sequence[bytes]) -> bool:
        """Tries the own seals of an epoch; True if one opened. Walks back as far as the archive key reaches."""
        epoch, log = self.stream.epochs.get(e), self._book.log(self._account.uid)
        if epoch is None or log is None:
            return False
        opened: tuple[bytes, bytes | None] | None = None
        for sealed in seals:
            for puk in reversed(log.puks):
                key = self._account.puk(puk.gen)
                if key is None:
                    continue
                try:
                    opened = open_seal(self.room, epoch, self._account.uid, puk.gen, key, sealed)
                except Reject:
                    continue
                self.take_key(e, *opened)
                break
            if opened is not None and (opened[1] is not None or not epoch.has_archive or not self._has_history()):
                break  # else another seal may hold the archive key too
        return opened is not None

    def take_key(self, e: int, k: bytes, a: bytes | None) -> None:
        """Adds a verified key and everything that it reaches backwards."""
        self.ring.add(e, k, a)
        at = e
        while at > 0 and self.ring.a(at) is not None:
            epoch = self.stream.epochs.get(at)
            if epoch is None:
                break
            try:
                walk_back(self.room, epoch, self.stream.epochs, self.ring)
            except Reject:
                break
            if epoch.base is None:
                break
            at = epoch.base
        self._ports.put_keys(self.room, self.ring.all())

    def take_drafted(self) -> bool:
        """The key of the epoch in force, if this device drafted it."""
        epoch = self.stream.epochs.get(self.stream.epoch)
        k, a = self.drafted.pop(self.stream.epoch, (b"", None))
        if epoch is None or content_commitment(self.room, epoch.e, k) != epoch.kc:
            return False
        self.take_key(epoch.e, k, a)
        return True

    def resolve(self, shares: Iterable[WireShare] = ()) -> list[Received]:
        """Opens what waited, as far as it now can be."""
        new_shares = self._take_shares(shares)
        opened: list[OpenedChange] = []
        resolved: list[int] = []
        bad: list[tuple[int, str]] = []
        for n, raw in self._ports.waiting(self.room):
            if self._outside(n):  # judged before the add that says so
                resolved.append(n)
                continue
            row = fields.array(dec(raw, limit=_WAITING_LIMIT), 8, "waiting")
            try:
                changes = self._open(*row)  # type: ignore[arg-type]  # written by _open_into
            except Reject as e:
                bad.append((n, e.code))
                resolved.append(n)
                continue
            if changes is not None:
                opened += changes
                resolved.append(n)
        self.waiting -= len(resolved)
        if not (opened or resolved or new_shares):
            return []
        whole = Received(room=self.room, changes=opened, resolved=resolved, bad=bad, shares=new_shares)
        return self._chunks(whole)

    # -- ephemerals -----------------------------------------------------------------------------------------------

    def hear(self, whisper: ephemeral.Whisper, now: int) -> tuple[ephemeral.Heard, bytes]:
        """Opens somebody's ephemeral; Reject for a replay, a spoof or a stranger."""
        return self.listener.open(whisper, self._sign_pk, self.ring.k, now, self.stream.role_of)

    def whisper(self, payload: bytes, now: int) -> ephemeral.Whisper | None:
        """Seals an ephemeral, or None while there is no key."""
        log, k = self._book.log(self._account.uid), self.ring.k(self.stream.epoch)
        if log is None or k is None:
            return None
        return self.whisperer.seal(self._account.author(log), self.stream.epoch, k, payload, now)

    def _sign_pk(self, uid: Uid, dev: bytes) -> bytes | None:
        log = self._book.log(uid)
        if log is None or uid not in self.stream.members:
            return None
        device = log.device_active(dev, log.seq)
        return device.sign_pk if device else None


def _event(item: AcceptedEntry) -> RoomEvent | None:
    """The entry as a line of the timeline, or None if it is void or says nothing to people."""
    if item.void is not None:
        return None
    entry, p = item.entry, item.entry.payload
    subject: Uid | None = getattr(p, "uid", None)
    role = int(p.role) if isinstance(p, roomlog.Add | roomlog.SetRole) else None
    history = p.history if isinstance(p, roomlog.Add) else None
    continues = origin(p) if isinstance(p, roomlog.Genesis) else None
    return RoomEvent(
        n=item.n,
        t=item.t,
        kind=entry.type,
        by=entry.uid,
        subject=subject,
        role=role,
        history=history,
        origin=continues,
    )


LARGE_ROOM = 100
STATE_EVERY = 64
