# SPDX-License-Identifier: EUPL-1.2
"""Deletes content that a positioned `prune` or `destroy` allows to be deleted. Body, id, hash and signature stay, so
every chain still verifies (protocol §7).

Of a destroyed object the share goes first: without it no other copy of the content can be decrypted, such as one in a
device that was away. Then go the content and the parts of its files.

Begins only when the entry is durable. The store records the room together with the entry, until all is deleted: after
an interruption the next start continues with the recorded rooms. Deleting twice does no harm.
"""

import asyncio
import errno
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable

from sync.errors import Reject
from sync.server.objects.base import ObjectError
from sync.server.rules.destroyed_objects import DestroyedObjects
from sync.server.rules.live_rooms import LiveRoom
from sync.server.store.base import Store, StoreError
from sync.trust.formats.items import ENVELOPE
from sync.trust.room import envelope
from sync.trust.room.envelope import Header, read_body

log = logging.getLogger("sync.server")

_SLICE_BYTES = 1024 * 1024
_CONTENT = (envelope.OP, envelope.SNAPSHOT, envelope.BASELINE)


class Pruning:
    """Deletes the content of changes and snapshots that a prune or a destroy covers, in the background, one slice of a
    room at a time. Both are administrators' entries. A prune: those of an object up to a position are not needed any
    more. A destroy: nothing of the object is to be readable any more."""

    def __init__(self, store: Store, objects: DestroyedObjects) -> None:
        """`objects` deletes what a destroyed object has beside its items."""
        self._store = store
        self._objects = objects
        self._tasks: set[asyncio.Task[None]] = set()
        self._unfinished: Counter[bytes] = Counter()
        """By room: how many deletions were begun by this process and have not succeeded."""

    def resume(self, live: LiveRoom) -> None:
        """Begins to delete the content that the prunes and destroys of the room `live` (entries by administrators)
        allow to be deleted, if the store notes that some is not deleted yet. Called when a room was read from the disk.
        Without the note nothing of the room is read: to read the headers of 50,000 items and delete again what is
        deleted takes 0.8 s, and holds the event loop for 16 ms at a time."""
        state = live.stream.state
        if state.pruned or state.destroyed:
            # now: while the store is asked, the state may get entries that are not durable yet
            self._run(self._resume(live, dict(state.pruned), dict(state.destroyed)))

    async def _resume(self, live: LiveRoom, pruned: dict[bytes, int], destroyed: dict[bytes, int]) -> None:
        try:
            is_unfinished = live.head.room in await self._store.prunings()
        except StoreError as e:
            log.warning("not known whether all is pruned: %s", e.code)
            return
        if is_unfinished:
            self.begin(live, pruned.items(), destroyed.items())

    async def go_on(self, read: Callable[[bytes], Awaitable[object]]) -> None:
        """Continues in the background the deletions that the last stop or crash of the server has interrupted. Calls
        `read` with the id of each room in which content is left to delete; `read` reads the room into memory, which
        calls `resume`. Call it once at the start. StoreError if the store cannot list these rooms. An error of `read`
        is only logged, and that room is tried again at the next start."""
        rooms = await self._store.prunings()
        if rooms:
            self._run(self._read(rooms, read))

    def begin(
        self, live: LiveRoom, pruned: Iterable[tuple[bytes, int]], destroyed: Iterable[tuple[bytes, int]] = ()
    ) -> None:
        """Begins to delete content of the room `live`: for each (object, position) in `pruned`, that of the object's
        changes and snapshots up to the position; for each in `destroyed`, all of the object (`position` is that of the
        entry). Returns at once. A failure is only logged; the rest is deleted when the room is next read from the disk,
        at the latest after the next start. ▲ The prunes and destroys (the entries that allow this) must be valid and
        durable, and the room's head must have moved to them."""
        self._unfinished[live.head.room] += 1
        gone = dict(destroyed)
        self._run(self._forget(live, {**dict(pruned), **gone}, list(gone)))

    @property
    def is_busy(self) -> bool:
        """Whether a deletion is under way."""
        return bool(self._tasks)

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self, rooms: Iterable[bytes], read: Callable[[bytes], Awaitable[object]]) -> None:
        for room in rooms:
            try:
                await read(room)
            except Exception:  # a damaged room must not keep the others from being pruned
                log.exception("a room was not pruned to the end")

    async def close(self) -> None:
        """Cancels the deletion in the background and waits until it has ended. What is left is deleted after the
        next start, or when its room is next read from the disk."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _forget(self, live: LiveRoom, pruned: dict[bytes, int], destroyed: Iterable[bytes]) -> None:
        """Deletes the shares and parts of files of the objects `destroyed`, and the content that `pruned` covers. Then
        notes that all of the room is deleted. ▲ Only if no other deletion of the room is running or has failed.
        Otherwise the next start would not continue that one."""
        room, until, after, freed = live.head.room, max(pruned.values(), default=0), 0, 0
        try:
            for obj in destroyed:
                part = await self._objects.delete(room, obj)
                live.size_bytes -= part
                freed += part
            while after < until:
                rows = await self._store.items(room, after, until, _SLICE_BYTES, bare=True)
                ns = [row.n for row in rows if row.kind == ENVELOPE and _goes(row.body, row.n, pruned)]
                part = await self._store.forget(room, ns) if ns else 0
                live.size_bytes -= part
                freed += part
                after = rows[-1].n
            self._unfinished[room] -= 1
            if not self._unfinished[room]:
                del self._unfinished[room]
                await self._store.end_pruning(room, live.head.n)
        except (StoreError, ObjectError, Reject) as e:
            log.warning("not pruned to the end: %s", e.code)
        except OSError as e:
            log.warning("not pruned to the end: %s", errno.errorcode.get(e.errno or 0, "disk"))
        if freed:
            log.info("pruned %d bytes", freed)


def _goes(body: bytes, n: int, pruned: dict[bytes, int]) -> bool:
    hdr = Header.decode(read_body(body)[0])
    return hdr.kind in _CONTENT and n <= pruned.get(hdr.obj, 0)
