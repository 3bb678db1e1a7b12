# SPDX-License-Identifier: EUPL-1.2
"""Which changes this process is merging right now, in a small file that outlives the process, not the power.

A merge runs native code on a colleague's bytes. If that ends the process, the next start finds here what it was
merging. Nothing is flushed: the file is a memory map, and writing one entry takes some microseconds.
"""

import mmap
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.core.ids import ChangeId, ObjId, RoomId

_SLOTS = 32
"""How many merges can run at one time: the loop's, and those of short objects' states in threads."""
_ENTRY = struct.Struct(">?16s16sQ16sQ16s")
_SIZE = 128
NO_POSITION = 0


class Named(Protocol):
    """A change that the journal can name: its position `n` in the room (None if it has none yet), and its id."""

    @property
    def n(self) -> int | None: ...

    @property
    def change_id(self) -> ChangeId: ...


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge that was running when an earlier process ended: the object, and the `first` and the `last` of the merged
    changes, each as (position, or 0 without one; change id)."""

    room: RoomId
    obj: ObjId
    first: tuple[int, ChangeId]
    last: tuple[int, ChangeId]

    @property
    def single(self) -> bool:
        """Whether the merge was of one change alone."""
        return self.first == self.last


class Journal:
    """The journal file of one profile: it names the changes that this process is merging, so that the next start knows
    them if a merge ends the process. `left`: the merges that an earlier process had begun when it ended."""

    def __init__(self, path: Path | None) -> None:
        """`path`: the file, made if it is missing (OSError). None keeps the journal in memory, for stores without a
        profile."""
        self.left: tuple[Merge, ...] = ()
        self._lock = threading.Lock()
        self._free = list(range(_SLOTS - 1, -1, -1))
        if path is None:
            self._map = mmap.mmap(-1, _SLOTS * _SIZE)
            return
        with path.open("a+b") as file:
            file.truncate(_SLOTS * _SIZE)
            self._map = mmap.mmap(file.fileno(), _SLOTS * _SIZE)
        self.left = tuple(merge for slot in range(_SLOTS) if (merge := self._at(slot)) is not None)

    def settle(self) -> None:
        """Empties the file; call it once the merges in `left`, which an earlier run of the program did not finish, have
        been handled. The disk is not waited for: the file need only outlive this process."""
        self.left = ()
        self._map[:] = bytes(_SLOTS * _SIZE)

    def close(self) -> None:
        """Closes the file. A second call does nothing."""
        self._map.close()

    @contextmanager
    def merging(self, room: RoomId, obj: ObjId, changes: Sequence[Named]) -> Iterator[None]:
        """A context in which the file names the first and last of these changes to `obj`, which the caller is merging.
        Any thread. Names nothing if `changes` is empty, or if very many threads merge at once.

        ▲ Do not use it for a merge in another process. If this program was ended meanwhile, the next start would hold
        back an object although no merge in this program ended it.
        """
        if not changes:
            yield
            return
        first, last = changes[0], changes[-1]
        entry = _ENTRY.pack(
            True, room, obj, first.n or NO_POSITION, first.change_id, last.n or NO_POSITION, last.change_id
        )
        with self._lock:
            slot = self._free.pop() if self._free else None
        if slot is None:  # more threads than slots: the named ones suffice to find a poisoned object
            yield
            return
        at = slot * _SIZE
        self._map[at : at + len(entry)] = entry
        try:
            yield
        finally:
            if not self._map.closed:
                self._map[at] = 0
            with self._lock:
                self._free.append(slot)

    def _at(self, slot: int) -> Merge | None:
        used, room, obj, first_n, first, last_n, last = _ENTRY.unpack_from(self._map, slot * _SIZE)
        if not used:
            return None
        return Merge(RoomId(room), ObjId(obj), (first_n, ChangeId(first)), (last_n, ChangeId(last)))
