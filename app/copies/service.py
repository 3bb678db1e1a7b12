# SPDX-License-Identifier: EUPL-1.2
"""The working copies of one session: opens them, keeps encrypted what other programs changed in them, and removes them.

A copy's row is stored before its file is written, and is deleted after the file is gone. ▲ So whatever ends this
process, the next session finds each file that it left, keeps what was changed, and removes the rest.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.copies.errors import AccountEnded, CopyInUse, DeviceRevoked
from app.copies.files import remove_folder, write_copy
from app.copies.held import held_files
from app.copies.kept import KeptFiles
from app.copies.place import HeldPlace, working_folder
from app.copies.wiping import Wiped, Wiping, is_of
from app.core import log
from app.core.at_rest import AtRest, at_rest
from app.core.ids import RoomId, new_id
from app.core.signal import Signal
from app.errors import NotFound, StoreFault
from app.profile import Profile
from app.store.cache_files import CacheFiles
from app.store.store import Store
from app.store.working_copies import ChangedCopy, FileOfMessage, OpenedCopy, WorkingCopyRows
from sync.client.devices.own_devices import REVOKED

__all__ = ["ChangedCopy", "HeldCopy", "WorkingCopies", "changed_names", "working_copies"]

LOOK_S = 5.0
"""Seconds between two comparisons of the copies in plain with what was written, while there are any."""
MOST_BYTES = 256 * 1024 * 1024
"""The most bytes of a changed copy that `read` returns: as many as a file that is sent may have."""


@dataclass(frozen=True, slots=True)
class HeldCopy:
    """A copy that another program has open now. `name`: the file's name, as the room shows it. `program`: the name of
    the program; "" if it is not known. `is_left`: the copy is from an earlier session that could not remove
    it."""

    name: str
    program: str
    is_left: bool


class OwnDevices(Protocol):
    """The person's own devices (app/devices/service.py)."""

    @property
    def changed(self) -> Signal[()]:
        """Emitted when a device was added or revoked."""
        ...

    @property
    def ended(self) -> str | None:
        """REVOKED if this device is; another text if the agency has ended the account; otherwise None."""
        ...


class WorkingCopies:
    """Copies in plain for other programs. Lives on the event loop; what reads and writes files runs in threads.

    `changed` is emitted with a room when a changed copy of it was added, replaced or removed. `kept` is emitted with
    the names of files of which a first change was kept, not with later changes of the same copy. `held_changed` is
    emitted when `held` has changed. `lost` is emitted with the names of changed copies that are removed together with
    their room or object: at once with those that were kept, and a moment later with those that were changed after the
    last comparison. `fault` is emitted with a StoreFault when a changed copy could not be kept; the copy stays in
    plain, and keeping it is tried again.
    """

    def __init__(
        self, rows: WorkingCopyRows, kept: KeptFiles, folder: Path, ended: Callable[[], str | None] = lambda: None
    ) -> None:
        """`folder`: the working folder (`working_folder`), which is made when the first copy is opened. `ended`:
        returns why this device may no longer be used, as `OwnDevices.ended`; `wake` is called when that has changed."""
        self.changed: Signal[RoomId] = Signal()
        self.kept: Signal[Sequence[str]] = Signal()
        self.held_changed: Signal[()] = Signal()
        self.lost: Signal[Sequence[str]] = Signal()
        self.fault: Signal[StoreFault] = Signal()
        self.held: Sequence[HeldCopy] = ()
        """Copies of which another program had a file open at the last look."""
        self._rows, self._kept, self._folder, self._ended = rows, kept, folder, ended
        self._places: dict[Path, HeldPlace] = {}
        """The working folders that this process has locked: the present one, and those of earlier runs."""
        self._wiping = Wiping(rows, kept)
        self._number = 0
        self._busy = asyncio.Lock()
        self._woken = asyncio.Event()
        self._mine: set[bytes] = set()
        """Copies that this session has opened: they stay until it is closed."""
        self._writing: dict[bytes, asyncio.Future[Path]] = {}
        """Copies whose file a thread is writing, also if nobody waits for it any more."""
        self._dropped: list[tuple[OpenedCopy, Sequence[str]]] = []
        """Copies whose room or object is gone, and whose files are not removed yet, with the names that `lost` has."""
        self._is_left = False
        """Whether something in a working folder could not be removed."""
        self._end = rows.dropped.connect(self._on_dropped)

    # -- opening

    async def open(self, of: FileOfMessage, data: bytes, label: str) -> Path:
        """Writes a copy of a file, whose bytes are `data`, into the working folder, read-only (mode 0400), and returns
        its path for another program. The file is named `label` with a number and the ending of its own name, since
        other programs note in lists of recent files, in plain, which names they have opened. The copy stays until
        `wipe` or `close`, or until the device is revoked or the account ended. CopyInUse; DeviceRevoked or
        AccountEnded; DiskFull or StoreUnwritable; NotFound if the room or object was removed meanwhile. After an error
        no file is left once `run` has compared the copies again."""
        self._check_usable()
        place = self._place(self._folder)
        self._number += 1
        name = f"{label} {self._number}{_ending(of.name)}"
        copy = new_id()
        digest = await asyncio.to_thread(lambda: hashlib.sha256(data).digest())
        self._check_usable()
        folder = str(place.folder / copy.hex())
        self._rows.put(OpenedCopy(copy=copy, folder=folder, file=name, of=of, digest=digest, is_whole=False))
        self._mine.add(copy)
        try:
            writing = asyncio.ensure_future(asyncio.to_thread(write_copy, Path(folder), name, data))
            self._writing[copy] = writing
            writing.add_done_callback(lambda done: self._on_written(copy, done))
            path = await asyncio.shield(writing)
            self._check_usable()
            if not self._rows.complete(copy):
                raise NotFound
        except BaseException:
            self._mine.discard(copy)
            self._woken.set()
            raise
        return path

    def _check_usable(self) -> None:
        """Raises DeviceRevoked or AccountEnded if this device may no longer be used. ▲ Before and after each wait.
        Otherwise a copy would be written, and opened in another program, after its device was revoked."""
        if (why := self._ended()) is not None:
            raise DeviceRevoked if why == REVOKED else AccountEnded

    def _on_written(self, copy: bytes, done: "asyncio.Future[Path]") -> None:
        """▲ Only now the copy may be removed: the task that asked for it may be gone, and the thread goes on."""
        del self._writing[copy]
        if not done.cancelled():
            done.exception()  # `open` raises it, if it still waits
        self._woken.set()

    def at_rest(self) -> AtRest:
        """What becomes of the copies in plain where they are written."""
        return at_rest(self._folder)

    @property
    def is_any_open(self) -> bool:
        """Whether there are copies in plain, of this session or an earlier one."""
        return bool(self._rows.opened())

    def _place(self, folder: Path) -> HeldPlace:
        if folder not in self._places:
            self._places[folder] = HeldPlace(folder)
        return self._places[folder]

    # -- changed copies

    def copies(self, room: RoomId | None = None) -> list[ChangedCopy]:
        """The changed copies of a room's files, or of all rooms (None), the newest first."""
        return self._rows.changed(room)

    async def read(self, ident: bytes) -> tuple[ChangedCopy, bytes]:
        """The changed copy with the id `ident`, and its plain bytes. NotFound if it is not here any more; FileTooLarge
        if it has more than MOST_BYTES; StoreCorrupt if it is damaged."""
        found = self._rows.get(ident)
        if found is None:
            raise NotFound
        read = self._kept.read
        return found, await asyncio.to_thread(read, found.of.room, found.manifest, found.parts, MOST_BYTES)

    def pieces(self, ident: bytes) -> Iterator[bytes]:
        """The bytes of a changed copy, part by part, however large it is; take them in a thread. NotFound if it is not
        here any more; while they are taken, NotFound or StoreCorrupt."""
        found = self._rows.get(ident)
        if found is None:
            raise NotFound
        return self._kept.pieces(found.of.room, found.manifest, found.parts)

    async def discard(self, changed: ChangedCopy) -> bool:
        """Removes a changed copy for good, if it still is as in `changed`. ▲ Returns False, and removes nothing, if a
        program has changed it since, or if it is not here any more. StoreFault."""
        async with self._busy:
            found = self._rows.get(changed.id)
            if found is None or found.digest != changed.digest:
                return False
            self._wiping.leave_out(found)
            self._rows.discard(found.id)
            await self._sweep()
        self.changed.emit(found.of.room)
        return True

    # -- keeping and removing

    async def run(self) -> None:
        """Runs until cancelled: removes what an earlier run left, and while there are copies in plain, keeps what has
        changed in them every LOOK_S. What another program still has open is tried again. StoreFault if the database or
        the working folder refuses; `Session` then runs it again."""
        while True:
            await self.look()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S if self.is_any_open or self._is_left else None):
                    await self._woken.wait()
            self._woken.clear()

    def wake(self) -> None:
        """Has `run` look at the copies at once: what `ended` returns may have changed."""
        self._woken.set()

    async def look(self) -> None:
        """Keeps what has changed in the copies in plain, and removes those of earlier runs, unless another program has
        them open. ▲ Removes those of this session too once this device is revoked, or the agency has ended the
        account, as when a person's only device is stolen: the thief reads what its disk has in plain. StoreFault as in
        `run`."""
        await self._each(lambda copy: copy.copy in self._mine and self._ended() is None)

    async def wipe(self) -> None:
        """Keeps what has changed, and removes all copies in plain, except those that another program has open and
        those whose changes could not be kept; `held` names the former. The next session tries again. StoreFault as in
        `run`."""
        await self._each(lambda copy: False)

    async def _each(self, stays: Callable[[OpenedCopy], bool]) -> None:
        held, rooms, before = list[HeldCopy](), set[RoomId](), {copy.id for copy in self._rows.changed()}
        async with self._busy:
            self._is_left = False
            opened = [copy for copy in self._rows.opened() if copy.copy not in self._writing]
            for folder in {Path(copy.folder).parent for copy in opened} | {self._folder, *self._places}:
                copies = [copy for copy in opened if Path(copy.folder).parent == folder]
                if not await asyncio.to_thread(folder.is_dir):  # as after a new start of the computer
                    for copy in copies:
                        self._rows.remove(copy.copy)
                    continue
                with suppress(CopyInUse):  # what is in it is the other run's
                    self._place(folder)
                    open_files = await asyncio.to_thread(held_files, folder)
                    for copy in copies:
                        wiped = await self._wiped(copy, open_files, stays=stays(copy))
                        if wiped.kept:
                            rooms.add(copy.of.room)
                        if wiped.is_held:
                            held.append(HeldCopy(copy.of.name, wiped.program, copy.copy not in self._mine))
                    await self._remove_strangers(folder)
            await self._sweep()
        if held != list(self.held):
            self.held = tuple(held)
            self.held_changed.emit()
        for room in rooms:
            self.changed.emit(room)
        new = [copy.of.name for copy in self._rows.changed() if copy.id not in before] if rooms else []
        if new:
            self.kept.emit(new)

    async def _wiped(self, copy: OpenedCopy, open_files: Mapping[Path, str], *, stays: bool) -> Wiped:
        try:
            return await self._wiping.wipe(copy, open_files, stays=stays)
        except StoreFault as fault:
            log.store.warning("changed-copy-not-kept", code=fault.code)
            self.fault.emit(fault)
            return Wiped(kept=False)

    async def _remove_strangers(self, folder: Path) -> None:
        """Removes what is in a working folder and belongs to no copy, such as a copy whose room is gone."""
        await self._name_lost(folder)
        found = await asyncio.to_thread(self._place(folder).names)
        known = {Path(copy.folder).name for copy in self._rows.opened()}  # after the folder was read
        strangers = [folder / name for name in found if not is_of(Path(name), known)]
        gone = [await asyncio.to_thread(remove_folder, path) for path in strangers]
        self._is_left |= not all(gone)  # in this or another working folder

    async def _name_lost(self, folder: Path) -> None:
        """Compares the copies in the working folder `folder`, whose room or object is gone, once more, and emits `lost`
        with the names of those that were changed since the last comparison. The caller removes them afterwards."""
        dropped = [each for each in self._dropped if Path(each[0].folder).parent == folder]
        self._dropped = [each for each in self._dropped if each not in dropped]
        lost = list[str]()
        for copy, named in dropped:
            lost += [name for name in await self._wiping.changed_names(copy) if name not in named]
        if lost:
            self.lost.emit(list(dict.fromkeys(lost)))

    async def _sweep(self) -> None:
        await asyncio.to_thread(self._kept.sweep, self._rows.part_names())

    def _on_dropped(self, names: Sequence[str], opened: Sequence[OpenedCopy]) -> None:
        self._dropped += [(copy, names) for copy in opened]
        self._woken.set()
        if names:
            self.lost.emit(names)

    async def close(self) -> None:
        """Keeps what has changed and removes the copies in plain, as `wipe`; releases the working folders. A second
        call does no harm. StoreFault as in `run`; the folders are given up all the same."""
        self._end()
        try:
            if self._writing:
                await asyncio.wait(self._writing.values())
            if self.is_any_open or self._places:  # ▲ a copy whose room is gone has no row any more
                await self.wipe()
        finally:
            places, self._places = self._places, {}
            for place in places.values():
                place.close()


def _ending(name: str) -> str:
    """The ending of a name, with its dot, by which the system knows the kind of the file; "" for none."""
    stem, dot, ending = name.rpartition(".")
    return f".{ending}" if dot and stem else ""


async def changed_names(copies: WorkingCopies) -> list[str]:
    """The names of the files of which changed copies are kept, in all rooms. Each once. Looks first for what was
    changed since the last comparison; if the disk refuses that, returns what was kept before."""
    with suppress(StoreFault):
        await copies.look()
    return list(dict.fromkeys(copy.of.name for copy in copies.copies()))


def working_copies(store: Store, profile: Profile, devices: OwnDevices) -> WorkingCopies:
    """Makes the working copies of a session on this profile. Neither locks nor reads a folder yet. `devices`: the
    person's own devices, which know whether this one may still be used."""
    kept = KeptFiles(CacheFiles(profile.kept_folder), store.cache_upkeep.with_room)
    folder = working_folder(profile.folder, profile.id)
    copies = WorkingCopies(store.copies, kept, folder, lambda: devices.ended)
    devices.changed.connect(copies.wake)
    return copies
