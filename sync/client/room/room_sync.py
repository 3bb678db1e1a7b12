# SPDX-License-Identifier: EUPL-1.2
"""One room as this device follows it: its verified stream, and its items that are opened, bad or waiting.

No network here. `judge` verifies a slice (it may run in a thread), `open_all` turns the verdicts into `Received`s for
the application's store, and `resolve` opens items that waited for a key or a share.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from sync.client.account.account_secrets import Account
from sync.client.account.known_logs import Book
from sync.client.ports import InboxPort, KeptReceipt, MemberRow, OpenedChange, RoomEvent
from sync.client.received import OpenedContent, OpenedUpTo, ReadAgain, Received, ReceivedSlice, Resolved
from sync.client.room.bootstrap_buffer import BootstrapBuffer
from sync.client.room.ephemerals import Ephemerals
from sync.client.room.opening import Opened, Opener, objects_of
from sync.client.room.room_phase import Event
from sync.client.room.timeline_events import events_of, resets, void_among
from sync.client.room.tracked_room import TrackedRoom
from sync.crypto.kdf import H
from sync.ids import ObjId, RoomId, Uid
from sync.protocol.messages import WireShare
from sync.trust.formats.items import ENVELOPE, Item, item_id, next_rh
from sync.trust.room import envelope
from sync.trust.room.stream import MAX_T, Accepted, AcceptedEnvelope, RoomStream

CHUNK = 32
"""The largest number of changes that one transaction stores. Writing so many takes 2 to 5 ms of the event loop, the
rows of a chat and of the search index included; the commit then runs in a thread."""
BEHIND_CHUNK = 64
"""The same for objects that have snapshots: their changes before the snapshot are only stored."""
LARGE_ROOM = 100
LARGE_STATE = 1024 * 1024
"""A room with more members, or more bytes of state, is large; see `_state_due`."""
STATE_EVERY = 64


class RoomSync(TrackedRoom):
    """One room that this device follows. It verifies what was received, decrypts it, and returns the writes for the
    store. Its state (phase, positions, what stops it) is in the base class `TrackedRoom`."""

    def __init__(
        self,
        room: RoomId,
        ports: InboxPort,
        book: Book,
        account: Account,
        state: bytes | None,
        stream: RoomStream | None = None,
    ) -> None:
        """`ports` is the store, `book` has people's key logs, `account` is this person's account with this device's
        keys. `state` is the room's stored state, encoded; None for a new room. `stream` is what the caller has already
        decoded from it; None to decode it here. Reject "format" if `state` is of another version, any other error if it
        is damaged; the caller (`Link`) then shows the room as UNREADABLE."""
        super().__init__(room, ports, book, account, state, stream)
        self.ephemerals = Ephemerals(self.stream, room, self.keys.ring, book, account)
        self._stored_n = self.stream.n
        self._state_bytes = len(state or b"")
        self._was_in = account.uid in self.stream.state.pins
        """Whether this person was a member anywhere in the stored part."""
        self._book = book
        self._opener = Opener(self.stream, self.keys, account)
        self._stored_members = self.stream.members if state else {}
        """The members as the application's store has them."""

    def rh_at(self, n: int) -> bytes | None:
        return self._ports.rh_at(self.room, n)

    def judge(self, items: Sequence[Item]) -> list[Accepted]:
        """Verifies the next items. Raises NeedLog, or Reject for what an honest server never shows."""
        return self.stream.accept(items, self._book, self.rh_at, headers_only=self.headers_only)

    def open_all(
        self,
        accepted: Sequence[Accepted],
        shares: Iterable[WireShare],
        *,
        more: bool,
        items: Sequence[Item],
        receipt: Callable[[], KeptReceipt | None],
        shows_first: bool = False,
    ) -> Iterator[Received]:
        """Decrypts `accepted`, which `judge` has verified: a slice (consecutive positions of the room, as the server
        sent them), or a part of one. Yields what the store is to write, in order. The caller stores each in a
        transaction of its own. Only the last one moves the room's cursor, the position after which the room is pulled.
        So after a crash between two of them the slice is pulled again, and what is stored already is recognised.

        Items are decrypted when the next write is asked for, so that one turn of the event loop never decrypts a whole
        slice. While a long room is pulled without its content, its positions are collected in memory: nothing is
        yielded, and `receipt` is not called, until there are enough of them for a write.

        `shares`: the objects' secrets that came with the slice. `more`: further parts of the same slice follow.
        `items`: the items as they were received, which the store keeps so that a server that lost them can get them
        again. `receipt`: called before the last write is yielded; returns the server's receipt for the last item of
        `accepted`, None if none is to be stored. `shows_first`: if the slice is one change of another person, it is
        yielded alone, before the write with its position and receipt, so that this person sees it sooner.
        """
        new_shares = self.keys.take_shares(shares)
        events, reread = self._events_in(accepted)
        incomplete = self._incomplete_in(accepted)
        opened, first = Opened(), tuple(events)
        for item in accepted:
            if isinstance(item, AcceptedEnvelope):
                self._open_into(item, opened)
            while len(opened.changes) > CHUNK:
                yield OpenedContent(room=self.room, more=True, changes=opened.changes[:CHUNK], events=first)
                del opened.changes[:CHUNK]
                first = ()
        for event in events:
            if event.kind == "destroy" and event.obj is not None:
                self.keys.forget(event.obj)
        of_others = [change for change in opened.changes if change.uid != self._account.uid]
        if shows_first and len(accepted) == 1 and of_others and not new_shares and self._buffer is None:
            yield OpenedContent(room=self.room, more=True, changes=of_others)
            opened.changes = []
        last = self._slice(accepted, opened, events, new_shares, more=more)
        if last is None:
            return
        if reread is not None:
            # ▲ before the slice is stored: `reread_done` would otherwise be stored behind it and erase the task
            reread = max(reread, self._reread)  # ▲ a second grant must not shorten what is owed
            self._history_granted(reread)
        yield replace(last, items=items, receipt=receipt(), reread=reread, incomplete=incomplete)

    def _slice(
        self,
        accepted: Sequence[Accepted],
        opened: Opened,
        events: list[RoomEvent],
        shares: Sequence[tuple[ObjId, bytes]],
        *,
        more: bool,
    ) -> ReceivedSlice | None:
        """The last write of a slice: `accepted` are its verified items, `opened` is what decrypting them gave, `events`
        are its lines for the timeline (lines about accounts that were reset are added to this list), and `shares` the
        new secrets of objects. The write has the room's new state and cursor only if they are due (`_state_due`), and
        not while a newcomer's room is held in the buffer. `more`: further parts of the pulled slice follow. The write
        states that. If the room is pulled headers-only, its positions are then collected to be stored many at a time,
        and the result is None while they are few and nothing else is to be stored."""
        members, gone = self._members_since()
        events += self._resets(gone, events, accepted)
        positions, void = self._positions(accepted), void_among(accepted)
        if self._buffer is not None and self.headers_only:
            has_other = bool(events or members or gone or shares or void)
            positions = self._buffer.judged(positions, more=more and not has_other)
            if not positions:
                return None
        due = self._buffer is None and self._state_due(bool(events or members or gone))
        state = self.stream.to_bytes() if due else None
        self._state_bytes = len(state) if state is not None else self._state_bytes
        self._waiting += len(opened.waiting)
        return ReceivedSlice(
            room=self.room,
            cursor=self.stream.n if due else None,
            more=more,
            state=state,
            positions=positions,
            changes=opened.changes,
            heartbeats=opened.heartbeats,
            events=events,
            members=members,
            gone=gone,
            waiting=opened.waiting,
            bad=opened.bad,
            void=void,
            shares=shares,
        )

    def _events_in(self, accepted: Sequence[Accepted]) -> tuple[list[RoomEvent], int | None]:
        """The lines of the timeline for `accepted` (entries with an effect, and heirs), in order; and the position up
        to which this device must read the room again, if one of them gives its person the history (None otherwise)."""
        was_in, self._was_in = self._was_in, self._account.uid in self.stream.state.pins
        reread: int | None = None
        events = [event for item in accepted for event in events_of(item)]
        for event in events:
            reread = self._given_history(event, was_in=was_in) or reread
        return events, reread

    def _resets(
        self, gone: Sequence[Uid], events: Sequence[RoomEvent], accepted: Sequence[Accepted]
    ) -> list[RoomEvent]:
        """Lines for the timeline about those of `gone` (members no more) whose account the agency has reset, except
        those whom a line in `events` removes, or who left by one. The last of `accepted`, the slice's verified items,
        gives the position and the time; [] if there are none."""
        if not gone or not accepted:
            return []
        explained = {e.by if e.kind == "leave" else e.subject for e in events if e.kind in ("rm", "leave")}
        return resets([u for u in gone if u not in explained], self._book, self.stream.n, accepted[-1].t)

    def begin_opening(self) -> BootstrapBuffer | None:
        """Begins to decrypt a room of which only headers were pulled and verified. Returns its buffer, which the room
        gives up: the caller fetches, opens and stores what the buffer names, then calls `finish_bootstrap`. None, and
        nothing changes, for a room that is not read in this manner. ▲ Nor for a room of which nothing could be
        verified: its state could never be read from the store again."""
        if not self.headers_only or not self.stream.n:
            return None
        held, self._buffer = self._buffer, None
        self._move(Event.OPENED)
        return held

    def open_bootstrap_buffer(self, receipt: KeptReceipt | None) -> Iterator[Received]:
        """Decrypts the items that were held in memory until the room's key could be fetched, and yields the writes for
        the store. Those whose key is still missing wait in the store, except those before `inside_from`, which are
        dropped. The last write has the stream's state and `receipt`, the server's for the last position (None if none
        is to be stored); once it is stored, the room is followed as usual. Yields nothing if there is no buffer (as at
        a second call), or if no position is verified."""
        if self._buffer is None or self.stream.n == 0:
            return
        held, self._buffer = [i for i in self._buffer.items if not self._opener.outside(i.n)], None
        self._move(Event.OPENED)
        opened = Opened()
        for item in held:
            self._open_into(item, opened)
            while len(opened.changes) + len(opened.waiting) > CHUNK:
                self._waiting += len(opened.waiting)
                yield OpenedContent(room=self.room, more=True, changes=opened.changes[:CHUNK], waiting=opened.waiting)
                opened.changes, opened.waiting = opened.changes[CHUNK:], []
        self._waiting += len(opened.waiting)
        self._stored_n = self.stream.n
        yield replace(self._up_to(opened), receipt=receipt)
        self._move(Event.STORED)
        self._kept_n = self.stream.n

    def _given_history(self, event: RoomEvent, *, was_in: bool) -> int | None:
        """The position up to which this device reads the room again, if `event` gives its own person the history: where
        the person was added last. None otherwise. An entry that lets a member read the history always counts. ▲ So does
        adding a former member again with the history: items outside the earlier membership were skipped. A first
        addition does not count, nor does any during the bootstrap (the first reading of the room): nothing was skipped.
        `was_in`: whether the person was a member at any time before this slice."""
        me = self.stream.members.get(self._account.uid)
        again = event.kind == "add" and was_in and self._buffer is None
        mine = event.subject == self._account.uid and (event.kind == "hist" or again)
        return me.since_n if mine and me is not None and me.history else None

    def open_again(self, accepted: Sequence[Accepted], shares: Iterable[WireShare]) -> list[OpenedContent]:
        """Decrypts what can be opened now of `accepted`, items at positions that were verified before. Returns the
        writes for the store in order: at least one, which may have no content. Items whose key is missing wait in the
        store, but are left out before `inside_from`, the first position that this person may read. Void items are left
        out too. `shares` are the objects' secrets that the server gave with the items. The cursor stays where it is."""
        new_shares = self.keys.take_shares(shares)
        opened = Opened()
        for item in accepted:
            if isinstance(item, AcceptedEnvelope):
                self._open_into(item, opened)
        self._waiting += len(opened.waiting)
        first, changes = self._chunks(opened.changes)
        last = OpenedContent(
            room=self.room,
            changes=changes,
            heartbeats=opened.heartbeats,
            waiting=opened.waiting,
            bad=opened.bad,
            shares=new_shares,
            incomplete=self._incomplete_in(accepted),
        )
        return [*first, last]

    def reread_done(self) -> ReadAgain:
        """Marks the room, all of whose items were pulled and opened again, as read completely, in memory, and returns
        the write that records it. The write names the objects that no longer depend on a snapshot. ▲ A snapshot is
        dropped only if everything that it replaces can be read: not while one of its object's changes waits for a key,
        and not if the server has pruned (deleted) them. If the write is not stored, call `not_reread`."""
        self._move(Event.READ_AGAIN)
        self._reread = 0
        shut = self.shut()
        whole = [obj for obj in self._unpruned() if obj not in shut]
        return ReadAgain(room=self.room, whole=whole)

    def shut(self) -> set[ObjId]:
        """The objects with a change that waits in the store for a key or a share (the object's own secret): until it
        opens, a snapshot in place of such an object's changes cannot be verified. Also sets `waiting`, the number of
        waiting items, to what the store has."""
        rows = self._ports.waiting(self.room)
        self._waiting = len(rows)
        return objects_of(rows)

    def not_reread(self, until: int) -> None:
        """▲ Call it if the result of `reread_done` was not stored. A room is read again (pulled and opened from its
        first position) after this device got the keys of earlier items, or began with snapshots. `until` is the value
        that `reread` had before: positions up to it count as not read again, which is finished on the next
        connection."""
        self._move(Event.NOT_RECORDED)
        self._reread = max(self._reread, until)

    def _unpruned(self) -> list[ObjId]:
        state = self.stream.state
        return [ObjId(obj) for obj in state.shares if obj not in state.pruned]

    def shown(self, item: Item, n: int) -> AcceptedEnvelope | None:
        """▲ `item`, which the server shows for position `n`, as an envelope, if it is the very one that was verified
        there: the running hash must agree. Its content may be gone. None for any other item, and for other content than
        the envelope names. The verdict is not repeated: `void` of the result is None, also for a void item."""
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
        """Records that the server did not give the content of `item` when this device asked for it. Once the room is
        verified up to the server's last position, the server is asked again; if it does not give the content then, the
        room is stopped as WITHHELD. Nothing is recorded if the item's object is destroyed, or pruned up to there: the
        content may then be gone (`RoomStream.may_be_gone`)."""
        if not self.stream.may_be_gone(item.hdr.obj, item.n):
            self.stream.state.missing[item.n] = item.hdr.obj

    def finish_bootstrap(self, *, reread: bool) -> OpenedUpTo:
        """The last write of a newcomer's first reading of a room that was pulled headers-only: the stream's state. The
        room is followed as usual from then on. `reread`: whether content (from before the room's snapshots, or all of
        it) is left to be pulled and opened later. If the buffer was not opened, the write has its positions, and the
        buffer is dropped."""
        held, self._buffer = self._buffer, None
        self._move(Event.STORED)
        self._stored_n = self._kept_n = self.stream.n
        if reread:
            self._history_granted(self.stream.n)
        return OpenedUpTo(
            room=self.room,
            cursor=self.stream.n,
            state=self.stream.to_bytes(),
            positions=held.positions if held is not None else (),
            reread=self._reread if reread else None,
        )

    def refill(self, item: Item, n: int) -> list[OpenedUpTo]:
        """Opens `item`, the content that the server withheld before, at position `n`, which was verified long ago, and
        no longer counts it as missing. Returns the writes for the store, in which the item waits if its key is missing.
        [] if the item is not the one at that position, or has no content now either."""
        found = self.shown(item, n)
        if found is None or found.ct is None:
            return []
        self.stream.state.missing.drop(n)
        opened = Opened()
        self._open_into(found, opened)
        self._waiting += len(opened.waiting)
        return [self._up_to(opened)]

    def _up_to(self, opened: Opened) -> OpenedUpTo:
        return OpenedUpTo(
            room=self.room,
            cursor=self.stream.n,
            state=self.stream.to_bytes(),
            changes=opened.changes,
            heartbeats=opened.heartbeats,
            waiting=opened.waiting,
            bad=opened.bad,
        )

    def _state_due(self, entries: bool) -> bool:
        """Whether the stream's state is stored with this slice. In most rooms it always is; in a large room only with a
        slice that changes entries or members (`entries`), and after STATE_EVERY positions. True counts as stored: the
        next STATE_EVERY positions are counted from here. 2,000 members make 400 KB of state. ▲ One member's thousands
        of objects or snapshots make some MB, which would otherwise be written with each message. After a restart the
        positions behind the stored state are pulled and judged again; their changes are recognised as stored."""
        large = len(self.stream.members) > LARGE_ROOM or self._state_bytes > LARGE_STATE
        if not entries and large and self.stream.n - self._stored_n < STATE_EVERY:
            return False
        self._stored_n = self.stream.n
        return True

    def _chunks(self, changes: Sequence[OpenedChange]) -> tuple[list[OpenedContent], Sequence[OpenedChange]]:
        """Splits `changes` into parts of at most CHUNK changes (BEHIND_CHUNK if all their objects have snapshots), one
        for each transaction, so that none delays the event loop for long. Returns (the writes that come first, in
        order, the changes that are left for the caller's last write); few changes are all left."""
        begun = self.stream.state.snapshots
        size = BEHIND_CHUNK if all(change.obj in begun for change in changes) else CHUNK
        ends = range(size, len(changes), size)
        return [OpenedContent(room=self.room, changes=changes[n - size : n]) for n in ends], changes[len(ends) * size :]

    def _positions(self, accepted: Sequence[Accepted]) -> list[tuple[int, bytes]]:
        return [(a.n, rh) for a, rh in zip(accepted, self.stream.recent(len(accepted)), strict=True)]

    def _incomplete_in(self, accepted: Sequence[Accepted]) -> list[ObjId]:
        """▲ The objects of which `accepted` has changes without their content. They are added to `incomplete`; an
        object that is in it already is listed again, because the last write may have been lost. Whether the content may
        be absent is checked by `RoomStream.withheld`. Empty while only headers are pulled."""
        if self.headers_only:
            return []
        shown: set[ObjId] = set()
        for a in accepted:
            if isinstance(a, AcceptedEnvelope) and a.ct is None and a.void is None and a.hdr.kind == envelope.OP:
                shown.add(a.hdr.obj)
        self._incomplete |= shown
        return list(shown)

    def _open_into(self, item: AcceptedEnvelope, opened: Opened) -> None:
        if self._buffer is None:
            self._opener.open_or_wait(item, opened)
        elif self.headers_only:
            self._buffer.note(item)
        elif not self._opener.open(item, opened):
            self._buffer.hold(item)

    @property
    def inside_from(self) -> int:
        """The first position that this person may read."""
        return self._opener.inside_from

    def _members_since(self) -> tuple[list[MemberRow], list[Uid]]:
        """(members that are new or changed, people who are members no more), both since the last call or since the room
        was loaded. The caller must write them to the store: no later call gives them again. If the write fails,
        `Link.kept` loads the room from the store again. If this person's own membership has changed, the next `resolve`
        tries the items that wait for a key again."""
        stored, now = self._stored_members, self.stream.members
        self._stored_members = now
        if stored is now:
            return [], []
        self.keys.untried |= stored.get(self._account.uid) is not now.get(self._account.uid)
        rows = [
            MemberRow(uid=m.uid, role=m.role, since_n=m.since_n, history=m.history)
            for uid, m in now.items()
            if stored.get(uid) is not m
        ]
        return rows, [uid for uid in stored if uid not in now]

    def resolve(self, shares: Iterable[WireShare] = ()) -> list[Received]:
        """Decrypts the store's waiting items, as far as that is possible now, and returns the writes for the store,
        with the new ones of `shares`, objects' secrets that were just received; [] if nothing opens and no share is
        new. ▲ Tries only after a new key, a new share, or a change of this person's own membership. A member who makes
        many items of a room wait could otherwise make every later item cost a scan of all of them."""
        new_shares = self.keys.take_shares(shares)
        if not self.keys.untried:
            return []
        self.keys.untried = False
        tried = self._opener.open_waiting(self._ports.waiting(self.room))
        self._waiting -= len(tried.resolved)
        if not (tried.resolved or new_shares):
            return []
        whole = (
            [obj for obj in self._unpruned() if obj not in tried.shut] if tried.resolved and not self._reread else []
        )
        first, changes = self._chunks(tried.opened.changes)
        last = Resolved(
            room=self.room,
            changes=changes,
            heartbeats=tried.opened.heartbeats,
            resolved=tried.resolved,
            bad=tried.opened.bad,
            shares=new_shares,
            whole=whole,
        )
        return [*first, last]
