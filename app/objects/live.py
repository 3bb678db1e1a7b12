# SPDX-License-Identifier: EUPL-1.2
"""Open CRDT objects of one tool. Each is merged once and shared by everybody who holds it.

The model (a `Document`, a `Board`) knows no store. This module stores its edits, merges what colleagues wrote, caches
its state, and keeps in memory what the disk refuses. It knows no tool; each tool gives it an `Adapter`
(app/objects/adapter.py). Lives on the event loop.

**One change at a time.** An edit is written into the CRDT, is stored, and the views are notified of it, all before the
call that made it returns. Storing it may complete a commit that ran apart (decision 0006), and with it come colleagues'
changes, in the middle of the edit. They must not enter the model there. Four guards keep to this rule, each at its own
level:

- A view ignores the model's signals while it makes an edit itself (`_busy` in ui/richtext/binding.py). A colleague's
  change that was merged before the edit returns would be ignored with them.
- `Document` has its blocks ready before it writes them into the CRDT (`_own_edit`). It would overlook a colleague's
  change at that time.
- `CrdtDoc` keeps its signals until the transaction is over (`_queue`). A merge between two of them would notify the
  views of the later change first.
- This module therefore asks the model whether an edit is in progress (`is_changing`), and knows when it merges itself.
  It then queues what was received until the event loop's next turn. No edit lasts longer: none waits.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Generic
from weakref import WeakValueDictionary

from app.core import log
from app.core.ids import ObjId, RoomId, short
from app.core.signal import Signal
from app.errors import NotFound, StoreFault, StoreUnwritable
from app.objects.adapter import Adapter, M
from app.objects.held import Held
from app.objects.loading import Loading
from app.objects.pieces import Assembler, encode
from app.objects.state_cache import StateCache
from app.store.changes import Changes
from app.store.database import Database, is_fatal
from app.store.objects import Objects
from app.store.rows import StoredChange

CACHE_AFTER = 200
"""Changes after which the merged state is cached, so that opening does not begin at the first change."""


class LiveObjects(Generic[M]):
    """The open objects of one tool: one live model for each, shared by all views. A view that shows an object calls
    `open` and later `close`; a caller that reads or writes in it once uses `holding`. Edits that the disk refuses stay
    in memory until they are stored, also after the last `close`."""

    def __init__(self, db: Database, changes: Changes, objects: Objects, adapter: Adapter[M]) -> None:
        self.fault: Signal[ObjId, StoreFault] = Signal()
        """The disk refused an edit, or refused it again. The edit stays in memory."""
        self.saved: Signal[ObjId] = Signal()
        """Edits that the disk had refused are stored."""
        self._db = db
        self._changes = changes
        self._objects = objects
        self._adapter = adapter
        self._states = StateCache(db, objects)
        self._loading = Loading(changes, objects, adapter, self._new)
        self._open: WeakValueDictionary[ObjId, Held[M]] = WeakValueDictionary()
        self._needed: dict[ObjId, Held[M]] = {}
        """Those that somebody holds, or of which something is not stored yet."""
        self._is_closed = False
        self._ends = [
            changes.received_first.connect(self._on_received),
            changes.appended.connect(self._on_appended),
            changes.taken_back.connect(self._on_taken_back),
        ]

    # ---- open and close

    def open(self, obj: ObjId) -> M:
        """Returns the live model of an object, loaded if it was not open. NotFound if there is no such object. Each
        `open` needs a `close`."""
        held = self._of(obj)
        held.holders += 1
        self._needed[obj] = held
        return held.model

    def close(self, obj: ObjId) -> None:
        """Ends one `open` of the object. The last `close` tries again to store edits that the disk refused, and drops
        the model. StoreFault if the disk still refuses: the object then stays in memory without a holder until `retry`
        or `retry_all` has stored it, or `close_all` leaves the edits to its caller. KeyError if neither an `open` nor a
        refused edit keeps the object. After `close_all` nothing happens: a view may be destroyed later than the session
        is closed."""
        if self._is_closed:
            return
        held = self._needed[obj]
        held.holders = max(0, held.holders - 1)
        if not held.holders:
            self._store(held)
            self._forget(held)

    @contextmanager
    def holding(self, obj: ObjId) -> Iterator[M]:
        """A context with the live model of the object open. NotFound. Edits that the disk refuses stay in memory after
        it; `fault` is emitted for them."""
        model = self.open(obj)
        try:
            yield model
        finally:
            with suppress(StoreFault):
                self.close(obj)

    def shared(self, obj: ObjId) -> M:
        """Returns the live model of an object, the same as `open` does, loaded if it was not open. It needs no `close`:
        Python frees it when nobody refers to it any more. NotFound."""
        return self._of(obj).model

    async def load(self, obj: ObjId) -> M:
        """The same as `shared`, loaded in parts between which the event loop runs (`Loading.in_parts`). NotFound, also
        after `close_all`."""
        if obj not in self._open:
            loaded = await self._loading.in_parts(obj)
            if obj in self._open or self._is_closed:
                loaded.model.close()
            else:
                self._open[obj] = loaded
                self._catch_up_when_idle(loaded)
                return loaded.model
        if self._is_closed:
            raise NotFound
        return self.shared(obj)

    def begin(self, room: RoomId, obj: ObjId, write: Callable[[M], None]) -> M:
        """Creates an object with the content that `write` gives its new model, and opens it; an error of `write` is
        raised. The room's members and the store get the object, that content included, with the first edit after
        `write`. An object without such an edit leaves no trace when it is closed. The caller closes it by
        `close(obj)`."""
        held = self._new(room, obj)
        held.is_beginning = True
        write(held.model)
        held.is_beginning = False
        held.holders = 1
        self._open[obj] = self._needed[obj] = held
        return held.model

    def close_all(self) -> None:
        """Closes every object that somebody holds and stops following the store; an edit after it is refused. Call it
        before the store closes. StoreFault if the disk refuses some edits; everything else is stored and closed all the
        same, and `unsaved_changes` returns the refused ones. An error of this program in one object is only logged."""
        self._states.close()
        faults: list[StoreFault] = []
        for held in list(self._needed.values()):
            held.holders = 0
            try:
                self._store(held)
                self._forget(held)
            except StoreFault as fault:
                faults.append(fault)
            except Exception as e:  # ▲ a fault of this program in one object keeps no other from being stored
                if is_fatal(e):
                    raise
                log.store.exception("object-close", e, obj=short(held.obj))
                if not held.is_needed:
                    self._needed.pop(held.obj, None)
        self._is_closed = True
        for end in self._ends:
            end()
        if faults:
            raise faults[0]

    # ---- what is open

    def get(self, obj: ObjId) -> M | None:
        """The model of an object that is open; None if it is not open."""
        held = self._open.get(obj)
        return held.model if held is not None else None

    def models(self) -> Sequence[M]:
        """The models of all objects that are open."""
        return [held.model for held in self._open.values()]

    def room_of(self, obj: ObjId) -> RoomId | None:
        """The room of an object that is open; None if it is not open."""
        held = self._open.get(obj)
        return held.room if held is not None else None

    def holders(self, obj: ObjId) -> int:
        """How many callers have opened an object and not closed it; 0 for one that is not open."""
        held = self._open.get(obj)
        return held.holders if held is not None else 0

    def ids(self) -> Sequence[ObjId]:
        """The objects that are open."""
        return list(self._open)

    def row(self, obj: ObjId) -> int:
        """The last row of the store that is merged into an open object. KeyError if it is not open."""
        return self._open[obj].row

    def damaged(self, obj: ObjId) -> int:
        """How many changes of an open object could not be read. They are kept, and everything else is shown. Only those
        since its cached state, if it was loaded from one. 0 for an object that is not open."""
        held = self._open.get(obj)
        return held.feeder.damaged + held.damaged if held is not None else 0

    # ---- what is not stored

    def unsaved(self, obj: ObjId) -> bool:
        """Whether the disk has refused edits of the object that are only in memory. False for one that is not open."""
        held = self._needed.get(obj)
        return bool(held and held.unsaved)

    def unsaved_ids(self) -> Sequence[ObjId]:
        """The objects with edits that the disk has refused."""
        return [obj for obj, held in self._needed.items() if held.unsaved]

    def unsaved_changes(self) -> Mapping[ObjId, Sequence[bytes]]:
        """The changes that the disk refused and that are only in memory: by object their data, in order. Also after
        `close_all`, whose caller decides what becomes of them."""
        return {obj: tuple(held.unsaved) for obj, held in self._needed.items() if held.unsaved}

    def retry(self, obj: ObjId) -> None:
        """Tries to store the object's edits that the disk has refused. Emits `fault` if it refuses again, `saved` if it
        does not. Nothing happens if everything is stored, or if the object is not open."""
        held = self._needed.get(obj)
        if held is not None:
            try:
                self._store_closed(held)
            except StoreFault as fault:
                self.fault.emit(obj, fault)

    def retry_all(self) -> None:
        """Tries to store the refused edits of all objects. StoreFault if the disk refuses some of them again, which
        stay in memory."""
        faults: list[StoreFault] = []
        for held in list(self._needed.values()):
            try:
                self._store_closed(held)
            except StoreFault as fault:
                faults.append(fault)
        if faults:
            raise faults[0]

    # ---- inside: loading and forgetting

    def _of(self, obj: ObjId) -> Held[M]:
        held = self._open.get(obj)
        if held is None:
            held = self._open[obj] = self._loading.at_once(obj)
        return held

    def _new(self, room: RoomId, obj: ObjId) -> Held[M]:
        model = self._adapter.new(room, obj, lambda update: self._save(held, update))
        held = Held(room, obj, model)
        return held

    def _forget(self, held: Held[M]) -> None:
        """Drops the object, after the last `close` or once its refused edits are stored. Merges what was received, and
        caches the state if enough changed."""
        try:
            if not held.is_changing:
                self._catch_up(held)
            self._cache(held)
        finally:
            self._needed.pop(held.obj, None)
            if self._adapter.frees:
                self._open.pop(held.obj, None)
                held.model.close()

    def _cache(self, held: Held[M]) -> None:
        """Caches the object's merged state, if enough changes were merged since the last time; not if the disk refuses
        it. ▲ Not if the model has edits that are not stored, lacks changes that are, or lacks any that the room waits
        for: the state must be exactly that of the rows up to its row. Edits that build on something which is not here
        yet wait in the model, and are not in its state."""
        if held.since_cached < CACHE_AFTER:
            return
        with suppress(StoreFault):  # it is only slower to open without
            lacking = self._changes.lacking(held.room)
            if lacking or held.feeder.waiting or held.unsaved or held.received or held.is_stale:
                return
            self._states.keep(held.obj, held.row, held.model.snapshot())
            held.since_cached = 0

    # ---- inside: storing

    def _save(self, held: Held[M], update: bytes) -> None:
        """Stores `update`, an edit that is being made on this device, while the model is still in the middle of it. If
        the disk refuses, emits `fault` and keeps the edit in memory. Of a new object, the first content is only
        noted."""
        title = self._adapter.title(held.model)
        data = encode(update, title if title is not None and title != self._title(held.obj) else None)
        if held.is_beginning:
            held.first += data
            return
        held.unsaved += data
        self._needed[held.obj] = held
        try:
            self._store(held)
        except StoreFault as fault:
            self.fault.emit(held.obj, fault)
        if not held.is_needed:
            self._needed.pop(held.obj, None)

    def _title(self, obj: ObjId) -> str | None:
        """The object's title as lists show it; None if it is unknown or cannot be read. ▲ A read error must not lose
        the edit that is being stored."""
        with suppress(StoreFault):
            row = self._objects.get(obj) if not self._is_closed else None
            return row.title if row is not None else None
        return None

    def _store_closed(self, held: Held[M]) -> None:
        """Stores the object's edits that the disk refused, and then drops the object if its last `close` had to keep it
        for them. StoreFault if the disk refuses again."""
        had_unsaved = bool(held.unsaved)
        self._store(held)
        if had_unsaved and not held.holders:
            self._forget(held)

    def _store(self, held: Held[M]) -> None:
        """Stores all edits of the object that are not stored yet, or none of them: StoreFault, also after `close_all`.
        Emits `saved` if the disk had refused them before. ▲ A crash between the pieces of a large edit would leave
        pieces that wait for others for ever, for every member."""
        if not held.unsaved:
            return
        outer = held.storing
        try:
            if self._is_closed:
                raise StoreUnwritable
            self._db.again(partial(self._append, held))
        except StoreFault:
            held.is_refused = True
            raise
        finally:
            held.storing = outer
        if held.is_refused and not held.unsaved:
            held.is_refused = False
            self.saved.emit(held.obj)

    def _append(self, held: Held[M]) -> None:
        append = partial(self._changes.append, live=True) if self._adapter.is_live else self._changes.append
        with self._db.transaction():  # which may complete another commit: views are notified, and may edit
            held.storing = (*held.first, *held.unsaved)
            # First of what follows the commit: an edit that a view makes when notified must not store these again.
            self._db.after_commit(partial(self._note_stored, held, held.storing))
            if held.first:
                self._adapter.announce(held.room, held.obj)
            for data in held.storing:
                append(held.room, held.obj, data)

    def _note_stored(self, held: Held[M], stored: Sequence[bytes]) -> None:
        held.first = []
        held.unsaved = [data for data in held.unsaved if data not in stored]

    # ---- inside: what was received

    def _on_appended(self, change: StoredChange) -> None:
        """Notes a change that the store has just stored. ▲ One that this module did not store itself must still be
        merged into the model, now or after the running edit: the store offers an own change again if a prune covered
        it."""
        held = self._open.get(change.obj)
        if held is None:
            return
        if change.data in held.storing:
            held.note([change])
        else:
            self._receive(held, [change])

    def _on_received(self, changes: Sequence[StoredChange]) -> None:
        by_obj: dict[ObjId, list[StoredChange]] = {}
        for change in changes:
            self._loading.on_received(change)
            by_obj.setdefault(change.obj, []).append(change)
        for obj, of_obj in by_obj.items():
            held = self._open.get(obj)
            if held is not None:
                self._receive(held, of_obj)

    def _receive(self, held: Held[M], changes: Sequence[StoredChange]) -> None:
        held.received += changes
        self._catch_up_when_idle(held)

    def _on_taken_back(self, obj: ObjId) -> None:
        self._loading.on_taken_back(obj)
        held = self._open.get(obj)
        if held is not None:
            held.is_stale = True
            self._catch_up_when_idle(held)

    def _catch_up_when_idle(self, held: Held[M]) -> None:
        """Merges the changes that were received for the object: at once, or if an edit of it is in progress, in the
        event loop's next turn. Otherwise they would enter the model in the middle of the edit."""
        if held.is_changing:
            asyncio.get_running_loop().call_soon(self._catch_up, held)
        else:
            self._catch_up(held)

    def _catch_up(self, held: Held[M]) -> None:
        """Merges the received changes into the model, in order. If a change that was merged no longer counts, reads the
        whole object again instead. Nothing happens if the model is up to date. An error of this program is not raised
        (`_on_failed`); StoreFault and lack of memory are."""
        if self._open.get(held.obj) is not held or not (held.received or held.is_stale):
            return
        was_stale, held.is_merging = held.is_stale, True
        try:
            if was_stale:
                self._read_again(held)
            else:
                received, held.received = held.received, []
                held.note(received)
                with self._changes.merging(held.room, held.obj, received):
                    held.damaged += self._adapter.merge(held.model, received, held.feeder)
        except Exception as fault:
            held.is_stale = True
            if is_fatal(fault):
                raise
            self._on_failed(held, fault, is_again=was_stale)
        finally:
            held.is_merging = False

    def _on_failed(self, held: Held[M], fault: Exception, *, is_again: bool) -> None:
        """▲ Handles the error `fault` of this program in a merge: logs it and gives it to the loop's exception handler,
        so that it does not reach the store, which would stop the whole room until the next start. The changes are
        stored: the object is read again from them in the loop's next turn; if that reading was what failed
        (`is_again`), with the next change. Until then no state of it is cached, since that would lack changes."""
        log.store.exception("merge", fault, obj=short(held.obj))
        with suppress(RuntimeError):  # no loop runs
            loop = asyncio.get_running_loop()
            loop.call_exception_handler({"message": "a merge failed", "exception": fault})
            if not is_again:
                loop.call_soon(self._catch_up, held)

    def _read_again(self, held: Held[M]) -> None:
        changes = self._changes.of(held.obj)
        held.is_stale, held.received, held.feeder = False, [], Assembler()
        own = Assembler().feed_data([(b"", data) for data in held.unsaved])
        with self._changes.merging(held.room, held.obj, changes):
            held.damaged = self._adapter.reset(held.model, [*held.feeder.feed(changes), *own])
        held.row = held.since_cached = 0
        held.note(changes)
