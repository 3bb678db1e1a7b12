# SPDX-License-Identifier: EUPL-1.2
"""One room as this device follows it: its verified stream, and its items that are opened, bad or waiting.

No network here. `judge` verifies a slice (it may run in a thread), `open_all` turns the verdicts into `Received`s for
the owner's store, and `resolve` opens items that waited for a key or a share.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sync.client.account.account_secrets import Account
from sync.client.account.known_logs import Book
from sync.client.ports import InboxPort, MemberRow, OpenedChange, Received, RoomEvent
from sync.client.room.bootstrap_buffer import BootstrapBuffer
from sync.client.room.ephemerals import Ephemerals
from sync.client.room.room_keys import RoomKeys
from sync.client.room.timeline_events import event_of, resets
from sync.client.status import RoomState
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H
from sync.errors import Reject
from sync.ids import ObjId, RoomId, Uid
from sync.protocol.messages import WireShare
from sync.trust.formats import fields
from sync.trust.formats.items import ENVELOPE, Item, Role, item_id, next_rh
from sync.trust.room import envelope
from sync.trust.room.stream import MAX_T, Accepted, AcceptedEntry, AcceptedEnvelope, RoomStream

_WAITING_LIMIT = 1024 * 1024
CHUNK = 32
"""The largest number of changes that one transaction stores. Writing so many takes 2 to 5 ms of the event loop, the
rows of a chat and of the search index included; the commit then runs in a thread."""
BEHIND_CHUNK = 64
"""The same for objects that have snapshots: their changes before the snapshot are only stored."""
LARGE_ROOM = 100
LARGE_STATE = 1024 * 1024
"""A room with more members, or more bytes of state, is large; see `_state_due`."""
STATE_EVERY = 64
LASTING = (RoomState.FORK, RoomState.ROLLBACK, RoomState.RESTORED)
"""The problems that are kept after a restart, and for which evidence is kept."""


class RoomSync:
    """The room's state on this device. `problem` stops everything but reading; `blocked` stops only writing."""

    def __init__(
        self,
        room: RoomId,
        ports: InboxPort,
        book: Book,
        account: Account,
        state: bytes | None,
        stream: RoomStream | None = None,
    ) -> None:
        """`state`: the stored state, None for a new room. `stream`: the stream that was already read from it."""
        self.room = room
        self.stream = stream or (RoomStream.from_bytes(state) if state else RoomStream(room))
        self.keys = RoomKeys(self.stream, room, ports, book, account)
        self.ephemerals = Ephemerals(self.stream, room, self.keys.ring, book, account)
        kept = ports.problem(room)
        self.problem: RoomState | None = RoomState(kept) if kept else None
        self._head_confirmed = False
        self.held_back = kept is not None
        """▲ The store records that the room has stopped, until the server is seen to have our history (again)."""
        self._stopped = self.problem in (RoomState.FORK, RoomState.ROLLBACK)
        """The room is stopped for good, as far as is known. A restored server may still return more."""
        self.blocked: str | None = None
        self.waiting = len(ports.waiting(room))
        self.head_n = self.stream.n
        self.kept_n = self.stream.n
        """The last position whose changes are in the store; `stream.n` runs ahead while a slice is being stored."""
        self._stored_n = self.stream.n
        self._state_bytes = len(state or b"")
        self.reread = ports.reread(room)
        """Positions up to this one are read again, since this device got their keys later. 0 for none."""
        self.incomplete: set[ObjId] = set(ports.incomplete(room))
        """Objects with a missing range: changes were pruned before this device fetched them. See
        `Backfill.fetch_pruned`."""
        self.bootstrap_buffer: BootstrapBuffer | None = None if state else BootstrapBuffer()
        """Holds what is pulled and not opened before this device has the room's key for the first time; see
        `open_bootstrap_buffer`."""
        self._was_in = account.uid in self.stream.state.pins
        """Whether this person was a member anywhere in the stored part."""
        self._ports = ports
        self._book = book
        self._account = account
        self._stored_members = self.stream.members if state else {}
        """The members as the owner's store has them."""

    # -- state ----------------------------------------------------------------------------------------------------

    @property
    def is_member(self) -> bool:
        return self._account.uid in self.stream.members

    @property
    def headers_only(self) -> bool:
        """Whether only headers are pulled at first. The content that is needed is fetched when all of them are
        judged."""
        return self.bootstrap_buffer is not None and self.bootstrap_buffer.headers_only

    @property
    def may_write(self) -> bool:
        """Whether this person's role lets them write here; `may_send` says whether anything is sent now."""
        return (self.stream.role_of(self._account.uid) or 0) >= Role.WRITER

    @property
    def caught_up(self) -> bool:
        """Whether everything that the server has announced is judged and stored."""
        return self.kept_n >= max(self.head_n, self.stream.n)  # ▲ a slice may reach beyond what was announced

    @property
    def ends_here(self) -> bool:
        """▲ Whether nothing more of the room exists anywhere that could change what we know of its members: on this
        connection the server confirmed our head, or it gives us no more."""
        stopped = self._stopped or self.problem is RoomState.WITHHELD
        known = self.caught_up and (self._head_confirmed or not self.is_member)
        return stopped or (known and self.problem is not RoomState.UNREADABLE)

    @property
    def own_seq(self) -> int:
        """This device's newest dev_seq in the room that has a position."""
        head = self.stream.device_heads.get(self._account.dev)
        return head.dev_seq if head else 0

    def has_own(self, seq: int, n: int) -> bool:
        """Whether an item of this device with that dev_seq is at position n, as far as the newest item shows."""
        head = self.stream.device_heads.get(self._account.dev)
        return head is not None and (head.dev_seq > seq or (head.dev_seq, head.n) == (seq, n))

    @property
    def may_send(self) -> bool:
        """Whether items may be sent: nothing stops the room, and everything that the server announced is judged."""
        return self.problem is None and not self.held_back and self.caught_up

    def stop(self, state: RoomState) -> None:
        """▲ Stops the room: nothing more is read in or sent. A fork and a rollback are kept after a restart; see
        `reset_connection_state`."""
        self.problem = state
        if state in LASTING:
            self.held_back = True
            self._stopped = state is not RoomState.RESTORED
            self._ports.set_problem(self.room, state.value)

    def reset_connection_state(self) -> None:
        """▲ Forgets what only the last connection showed: what the server hid or had lost may be there now and is
        judged again. A fork stays, since two histories were signed, whatever the server shows next. A room that this
        program cannot follow stays stopped."""
        self._head_confirmed = False
        if self.problem not in (RoomState.FORK, RoomState.UNREADABLE):
            self.problem = None

    def confirm_head(self) -> None:
        """The server has the same position and history as this device: the outbox may send again."""
        self._head_confirmed = True
        if self.held_back and self.problem is None:
            self.held_back = self._stopped = False
            self._ports.set_problem(self.room, None)

    def security_status(self) -> RoomState:
        """The room's security status."""
        if self.problem is not None:
            return self.problem
        if not self.is_member:
            return RoomState.LEFT
        if self.waiting or self.keys.needs_key:
            return RoomState.WAITING
        return RoomState.OWES_ROTATION if self.stream.rotation_owed else RoomState.SEALED

    def rh_at(self, n: int) -> bytes | None:
        return self._ports.rh_at(self.room, n)

    # -- receiving ------------------------------------------------------------------------------------------------

    def judge(self, items: Sequence[Item]) -> list[Accepted]:
        """Verifies the next items. Raises NeedLog, or Reject for what an honest server never shows."""
        return self.stream.accept(items, self._book, self.rh_at, headers_only=self.headers_only)

    def open_all(
        self,
        accepted: Sequence[Accepted],
        shares: Iterable[WireShare],
        *,
        more: bool = False,
        items: Sequence[Item] = (),
    ) -> Iterator["Received"]:
        """Turns the verdicts into transactions, in order. Only the last one moves the cursor, so after a crash between
        them the slice is pulled again.

        Items are opened as the transactions are asked for, so that one turn of the loop never opens a whole slice.
        `more`: other parts follow. `items` are kept as they were received.
        """
        new_shares = self.keys.take_shares(shares)
        opened: list[OpenedChange] = []
        events: list[RoomEvent] = []
        waiting: list[tuple[int, bytes]] = []
        bad: list[tuple[int, str]] = []
        reread: int | None = None
        was_in, self._was_in = self._was_in, self._account.uid in self.stream.state.pins
        incomplete = self._incomplete_in(accepted)
        for item in accepted:
            if isinstance(item, AcceptedEntry):
                event = event_of(item)
                if event is not None:
                    events.append(event)
                    reread = self._given_history(event, was_in=was_in) or reread
            else:
                self._open_into(item, opened, waiting, bad)
            while len(opened) > CHUNK:
                yield Received(room=self.room, more=True, changes=opened[:CHUNK])
                opened = opened[CHUNK:]
        stream = self.stream
        members, gone = self._members_since()
        if gone and accepted:
            explained = {e.subject for e in events if e.kind in ("rm", "leave")}
            events += resets([u for u in gone if u not in explained], self._book, stream.n, accepted[-1].t)
        positions, void = self._positions(accepted), _void_among(accepted)
        if self.bootstrap_buffer is not None and self.bootstrap_buffer.headers_only:
            has_other = bool(events or members or gone or new_shares or void)
            positions = self.bootstrap_buffer.judged(positions, more=more and not has_other)
            if not positions:
                return
        due = self.bootstrap_buffer is None and self._state_due(bool(events or members or gone))
        state = stream.to_bytes() if due else None
        self._state_bytes = len(state) if state is not None else self._state_bytes
        self.waiting += len(waiting)
        yield Received(
            room=self.room,
            cursor=stream.n if due else None,
            more=more,
            state=state,
            positions=positions,
            changes=opened,
            events=events,
            members=members,
            gone=gone,
            waiting=waiting,
            bad=bad,
            void=void,
            shares=new_shares,
            items=items,
            reread=reread,
            incomplete=incomplete,
        )
        self.reread = self.reread if reread is None else reread

    def open_bootstrap_buffer(self) -> Iterator["Received"]:
        """Opens the items that were held until the key could be fetched; those whose key is still missing wait in the
        store. The stream's state comes last. A second call gives nothing."""
        if self.bootstrap_buffer is None or self.stream.n == 0:
            return
        held, self.bootstrap_buffer = [i for i in self.bootstrap_buffer.items if not self.outside(i.n)], None
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

    def _given_history(self, event: RoomEvent, *, was_in: bool) -> int | None:
        """The position up to which this device reads again, if the entry grants its person the history. ▲ Re-adding a
        former member does too: items outside the earlier membership were skipped."""
        me = self.stream.members.get(self._account.uid)
        again = event.kind == "add" and was_in and self.bootstrap_buffer is None
        mine = event.subject == self._account.uid and (event.kind == "hist" or again)
        return me.since_n if mine and me is not None and me.history else None

    def open_again(self, accepted: Sequence[Accepted], shares: Iterable[WireShare]) -> list[Received]:
        """Opens what can be opened now of positions that were judged before. The cursor stays where it is. Void items
        are left out."""
        new_shares = self.keys.take_shares(shares)
        opened: list[OpenedChange] = []
        waiting: list[tuple[int, bytes]] = []
        bad: list[tuple[int, str]] = []
        for item in accepted:
            if isinstance(item, AcceptedEnvelope):
                self._open_into(item, opened, waiting, bad)
        self.waiting += len(waiting)
        incomplete = self._incomplete_in(accepted)
        whole = Received(
            room=self.room, changes=opened, waiting=waiting, bad=bad, shares=new_shares, incomplete=incomplete
        )
        return self._chunks(whole)

    def reread_done(self) -> Received:
        """Records that nothing is left to be read again. ▲ A snapshot is dropped only if everything that it replaces
        can be read: not while a change of its object waits for a key. If this is not stored, call `not_reread`."""
        self.reread = 0
        shut = self.shut()
        whole = [obj for obj in self._unpruned() if obj not in shut]
        return Received(room=self.room, reread=0, whole=whole)

    def shut(self) -> set[ObjId]:
        """Objects with a change that waits for a key."""
        waiting = self._ports.waiting(self.room)
        self.waiting = len(waiting)
        rows = [fields.array(dec(raw, limit=_WAITING_LIMIT), 8, "waiting") for _, raw in waiting]
        return {ObjId(fields.raw(row[4], 16, "waiting")) for row in rows}

    def not_reread(self, until: int) -> None:
        """▲ The result of `reread_done` was not stored: the room's reread is finished on the next connection."""
        self.reread = max(self.reread, until)

    def _unpruned(self) -> list[ObjId]:
        state = self.stream.state
        return [ObjId(obj) for obj in state.shares if obj not in state.pruned]

    def shown(self, item: Item, n: int) -> AcceptedEnvelope | None:
        """▲ The envelope at position n if the server shows the very one that was judged there; its content may be gone.
        None for any other item."""
        before, mine = self.stream.rh_of(n - 1, self.rh_at), self.stream.rh_of(n, self.rh_at)
        if item.kind != ENVELOPE or item.n != n or before is None or not 0 <= item.t <= MAX_T:
            return None
        ident = item_id(ENVELOPE, item.body)
        if next_rh(before, n, item.t, ENVELOPE, ident) != mine:
            return None
        hdr_bytes, digest, length = envelope.read_body(item.body)
        if item.ct is not None and (len(item.ct) != length or H(item.ct) != digest):
            return None
        hdr = envelope.Header.decode(hdr_bytes)
        return AcceptedEnvelope(item.n, item.t, ident, hdr, hdr_bytes, item.ct, None)

    def missed(self, item: AcceptedEnvelope) -> None:
        """Records that this device asked the server for an item's content and did not get it. Once the room is judged
        up to the server's head, this makes it WITHHELD. Nothing is recorded if the item's object is destroyed, or
        pruned up to there: the content may then be gone (`RoomStream.may_be_gone`)."""
        if not self.stream.may_be_gone(item.hdr.obj, item.n):
            self.stream.state.missing[item.n] = item.hdr.obj

    def finish_bootstrap(self, *, reread: bool, positions: Sequence[tuple[int, bytes]] = ()) -> Received:
        """The last transaction of a newcomer's bootstrap of a room that was pulled headers-only: the stream's state.
        `reread`: the history before the room's snapshots is left to be read; `positions` are those that are not stored
        yet."""
        self._stored_n = self.kept_n = self.stream.n
        self.reread = self.stream.n if reread else self.reread
        return Received(
            room=self.room,
            cursor=self.stream.n,
            state=self.stream.to_bytes(),
            positions=positions,
            reread=self.reread if reread else None,
        )

    def refill(self, item: Item, n: int) -> list[Received]:
        """Opens content that was missing at a judged position, if this is the very item. Returns nothing for any other
        item."""
        found = self.shown(item, n)
        if found is None or found.ct is None:
            return []
        self.stream.state.missing.drop(n)
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
        """Whether the stream's state is stored with this slice. In most rooms it always is; in a large room only with
        entries, and after STATE_EVERY positions.

        2,000 members make 400 KB of state. ▲ One member's thousands of objects or snapshots make some MB, which would
        otherwise be written with each message. After a restart the positions behind the stored state are pulled and
        judged again; their changes are recognised as stored.
        """
        large = len(self.stream.members) > LARGE_ROOM or self._state_bytes > LARGE_STATE
        if not entries and large and self.stream.n - self._stored_n < STATE_EVERY:
            return False
        self._stored_n = self.stream.n
        return True

    def _chunks(self, whole: Received) -> list[Received]:
        changes, begun = list(whole.changes), self.stream.state.snapshots
        size = BEHIND_CHUNK if all(change.obj in begun for change in changes) else CHUNK
        if len(changes) <= size:
            return [whole]
        head = [Received(room=self.room, changes=changes[i : i + size]) for i in range(0, len(changes) - size, size)]
        return [*head, replace(whole, changes=changes[len(head) * size :])]

    def _positions(self, accepted: Sequence[Accepted]) -> list[tuple[int, bytes]]:
        return [(a.n, rh) for a, rh in zip(accepted, self.stream.recent(len(accepted)), strict=True)]

    def _incomplete_in(self, accepted: Sequence[Accepted]) -> list[ObjId]:
        """▲ Objects with changes that are shown without content. Whether that is legitimate is checked by
        `RoomStream.withheld`. Objects already known to be incomplete are included, because the last write may have been
        lost."""
        if self.bootstrap_buffer is not None and self.bootstrap_buffer.headers_only:
            return []
        shown: set[ObjId] = set()
        for a in accepted:
            if isinstance(a, AcceptedEnvelope) and a.ct is None and a.void is None and a.hdr.kind == envelope.OP:
                shown.add(a.hdr.obj)
        self.incomplete |= shown
        return list(shown)

    def _open_into(
        self,
        item: AcceptedEnvelope,
        opened: list[OpenedChange],
        waiting: list[tuple[int, bytes]],
        bad: list[tuple[int, str]],
    ) -> None:
        if self.bootstrap_buffer is not None and self.bootstrap_buffer.headers_only:
            self.bootstrap_buffer.note(item)
            return
        if item.void is not None or item.ct is None or item.hdr.kind not in (envelope.OP, envelope.BASELINE):
            return
        hdr = item.hdr
        if hdr.kind == envelope.BASELINE and hdr.uid != self._account.uid and self.keys.has_history:
            return
        try:
            changes = self.keys.open(item.n, item.t, hdr, item.hdr_bytes, item.ct)
        except Reject as e:
            bad.append((item.n, e.code))
            return
        if changes is None:
            if self.bootstrap_buffer is not None:
                self.bootstrap_buffer.hold(item)
            elif not self.outside(item.n):
                row = [item.n, item.t, hdr.uid, hdr.dev, hdr.obj, hdr.epoch, item.hdr_bytes, item.ct]
                waiting.append((item.n, enc(row)))
        else:
            opened += changes

    @property
    def inside_from(self) -> int:
        """The first position that this person may read. After an addition without the history, earlier positions are
        out of scope and not counted as waiting. Until the addition itself is judged the bound is unknown, so items
        wait."""
        me = self.stream.members.get(self._account.uid)
        return me.since_n if me is not None and not me.history else 0

    def outside(self, n: int) -> bool:
        """Whether a position is before `inside_from`."""
        return n < self.inside_from

    def _members_since(self) -> tuple[list[MemberRow], list[Uid]]:
        """The members that are new or changed since the last transaction, and those that are gone."""
        stored, now = self._stored_members, self.stream.members
        self._stored_members = now
        if stored is now:
            return [], []
        self.keys.untried |= stored.get(self._account.uid) is not now.get(self._account.uid)
        rows = [
            MemberRow(uid=m.uid, role=int(m.role), since_n=m.since_n, history=m.history)
            for uid, m in now.items()
            if stored.get(uid) is not m
        ]
        return rows, [uid for uid in stored if uid not in now]

    def resolve(self, shares: Iterable[WireShare] = ()) -> list[Received]:
        """Opens waiting items, as far as that is possible now. ▲ Retries only after a new key, share or addition.
        Otherwise a member who makes many items of a room wait could make every later item cost a scan of all of them.
        """
        new_shares = self.keys.take_shares(shares)
        if not self.keys.untried:
            return []
        self.keys.untried = False
        opened: list[OpenedChange] = []
        resolved: list[int] = []
        bad: list[tuple[int, str]] = []
        shut = set[ObjId]()
        for n, raw in self._ports.waiting(self.room):
            if self.outside(n):  # it was judged before the addition that puts it out of scope
                resolved.append(n)
                continue
            t, hdr_bytes, ct = _waited(raw)
            hdr = envelope.Header.decode(hdr_bytes)
            try:
                changes = self.keys.open(n, t, hdr, hdr_bytes, ct)
            except Reject as e:
                bad.append((n, e.code))
                resolved.append(n)
                continue
            if changes is not None:
                opened += changes
                resolved.append(n)
            else:
                shut.add(hdr.obj)
        self.waiting -= len(resolved)
        if not (opened or resolved or new_shares):
            return []
        whole = [obj for obj in self._unpruned() if obj not in shut] if resolved and not self.reread else []
        last = Received(room=self.room, changes=opened, resolved=resolved, bad=bad, shares=new_shares, whole=whole)
        return self._chunks(last)


def _waited(row: bytes) -> tuple[int, bytes, bytes]:
    """(the position's time in ms, header, ciphertext) of an envelope that `_open_into` stored as waiting."""
    parts = fields.array(dec(row, limit=_WAITING_LIMIT), 8, "waiting")
    hdr_bytes, ct = (fields.blob(parts[at], _WAITING_LIMIT, "waiting") for at in (6, 7))
    return fields.u64(parts[1], "waiting"), hdr_bytes, ct


def _void_among(accepted: Sequence[Accepted]) -> list[tuple[int, Uid, str]]:
    """(position, person in whose name it is, code) of the items that are void by the room's rules. Items of a type,
    kind or extension that this program does not know ("format") are left out: a newer server may rightly place them."""
    return [
        (a.n, a.entry.uid if isinstance(a, AcceptedEntry) else a.hdr.uid, a.void)
        for a in accepted
        if a.void is not None and a.void != "format"
    ]
