# SPDX-License-Identifier: EUPL-1.2
"""Files as sealed parts: own ones are sealed here part by part and uploaded by the engine; received ones are fetched
part by part, and kept as they came."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from app.core import log
from app.core.files import open_file
from app.core.ids import ObjId, PartId, RoomId
from app.core.signal import Signal
from app.errors import FileTooLarge, FileUnreadable, NoRoomOffline, NotFound, StoreFault, disk_fault
from app.objects.part_fetches import PartFetches
from app.store.blobs import Blobs
from app.store.cache_upkeep import CacheUsage
from app.store.cached_parts import WantedPart, forget_parts, give_part, pin_new
from app.store.connection import Connection
from app.store.origins import MAX_HOPS
from app.store.rows import BlobPart
from app.store.saved_files import saved_file, to_end
from sync.client.exchange.blob_transfer import Blobs as Transfers
from sync.errors import Refused, Reject
from sync.protocol.version import PART_BYTES
from sync.trust.room.blob_manifest import Manifest, Part, decrypt_part, encrypt_part

T = TypeVar("T")

Progress = Callable[[int, int], None]
"""Bytes done, bytes in all. Called on the loop."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """A file that is on no disk, such as a pasted picture. It is encrypted from memory, so that it is in no temporary
    folder."""

    name: str
    data: bytes = field(repr=False)


Source = Path | Pasted
"""A source that can be sealed."""


class SealedFiles:
    """Encrypts files for a room, part by part, and decrypts received ones. To stop either, cancel the task."""

    def __init__(self, blobs: Blobs, transfers: Transfers) -> None:
        self._blobs = blobs
        self._transfers = transfers
        self._cached = blobs.cached
        self._upkeep = blobs.upkeep
        self._fetches = PartFetches(blobs.cached, transfers)
        self._refused: set[WantedPart] = set()
        self.before: Callable[[RoomId, ObjId], tuple[RoomId, ObjId] | None] = lambda room, obj: None
        """Returns the room that a room continues, and its object that an object continues; None if there is none."""

    async def add(self, room: RoomId, obj: ObjId, source: Source, progress: Progress) -> tuple[bytes, Sequence[bytes]]:
        """Encrypts a file of the object `obj`, stores its parts on this device and starts their upload. Returns (the
        manifest, which names the parts and holds their keys; the parts' ids, in order). Calls `progress` with the bytes
        done and in all. FileUnreadable (also if the file became shorter meanwhile), DiskFull, StoreUnwritable; if it
        fails, the parts are deleted."""
        size = await asyncio.to_thread(size_of, source)
        parts: list[Part] = []
        done = 0
        try:
            while True:
                plain = await asyncio.to_thread(_read, source, done, size)
                last = done + len(plain) >= size
                if not plain and not last:  # another program made it shorter meanwhile
                    raise FileUnreadable
                part, sealed = await asyncio.to_thread(encrypt_part, room, plain, last=last)
                parts.append(part)
                await to_end(partial(self._blobs.write, part.part, sealed))
                self._blobs.add(_row(room, obj, part, len(sealed)))
                done += len(plain)
                progress(done, size)
                if last:
                    break
        except BaseException:
            self.drop([part.part for part in parts])
            raise
        self._transfers.wake()
        return Manifest(done, tuple(parts)).encode(), [p.part for p in parts]

    def give(self, obj: ObjId, manifests: Sequence[bytes]) -> list[bytes]:
        """Makes the parts that `manifests` describe parts of the object `obj`, in the same room, since a message that
        names them is written there once more. They are uploaded for it. Returns the ids of those whose bytes are on
        this device. Damaged manifests are left out."""
        given: list[bytes] = []
        for manifest in manifests:
            with suppress(Reject):
                given += [p.part for p in Manifest.decode(manifest).parts if self._blobs.give(PartId(p.part), obj)]
        if given:
            self._transfers.wake()
        return given

    def drop(self, parts: Sequence[bytes]) -> None:
        """Deletes from this device the parts with these ids, of files that are not sent after all. Parts that a change
        in the outbox names stay. Raises nothing: what the disk refuses to delete stays and is logged, so that the
        caller can raise its own error."""
        try:
            self._blobs.drop([PartId(part) for part in parts])
        except StoreFault as e:
            log.store.warning("parts-not-dropped", count=len(parts), code=e.code)

    async def fetch(self, room: RoomId, obj: ObjId, manifest: bytes, target: Path, progress: Progress) -> None:
        """Reads the parts that `manifest` describes on this device, or fetches from the server those that are missing
        or damaged here; decrypts them, and writes the file to `target`, marked as one that came from somebody else
        (app/core/foreign.py). Calls `progress` with the bytes done and in all. If it fails, a file that was at `target`
        before is unchanged. DiskFull or StoreUnwritable if `target` cannot be written; NotFound, StoreCorrupt or
        StoreUnwritable if a part that is not uploaded yet cannot be read here; Reject for a damaged manifest or part;
        Refused or Unreachable from the server."""
        described = Manifest.decode(manifest)
        try:
            async with saved_file(self._blobs.db, target) as draft:
                done = 0
                for part in described.parts:
                    sealed = await self._sealed(room, obj, part)
                    plain = await asyncio.to_thread(decrypt_part, room, part, sealed)
                    await to_end(partial(draft.file.write, plain))
                    done += len(plain)
                    progress(done, described.size)
                await to_end(partial(draft.keep, foreign=True))
        except OSError as e:
            raise disk_fault(e) from e

    async def read(self, room: RoomId, obj: ObjId, manifest: bytes, most_bytes: int, progress: Progress) -> bytes:
        """The decrypted bytes of the file that `manifest` describes, for showing it: they are on no disk. Calls
        `progress` as `fetch` does. FileTooLarge, before anything is fetched, if the file has more than `most_bytes`;
        the other errors of `fetch` except those of writing."""
        described = Manifest.decode(manifest)
        if described.size > most_bytes:
            raise FileTooLarge
        found = bytearray()
        for part in described.parts:
            sealed = await self._sealed(room, obj, part)
            found += await asyncio.to_thread(decrypt_part, room, part, sealed)
            progress(len(found), described.size)
        return bytes(found)

    async def _sealed(self, room: RoomId, obj: ObjId, part: Part) -> bytes:
        """A part's encrypted bytes: those on this device, own or received, or the server's if they are missing, damaged
        or unreadable here. If they are own ones that were not uploaded, so that the server has none, raises why they
        cannot be read here: NotFound if they are missing, StoreCorrupt if they are damaged, StoreUnwritable if they are
        unreadable. From the server: Refused "blob-missing" if it does not have the part, Refused for any other
        refusal, Reject "blob-hash" for other bytes than the part's, Unreachable while offline, and the other errors of
        `Dialer.request`."""
        known = self._blobs.get(part.part)
        if known is not None and known.present:
            try:
                return await asyncio.to_thread(self._blobs.read, part.part, part.digest)
            except (NotFound, StoreFault) as e:
                if not known.uploaded:
                    raise
                log.store.warning("part-not-read", part=part.part, code=e.code)
        return await self._fetches.get(_wanted(room, obj, part))

    # -- what is kept of received files

    def is_here(self, manifest: bytes) -> bool:
        """Whether all parts of the file that `manifest` describes are on this device, so that it opens without a
        network, as the index says. False for a damaged manifest. 500 parts (2 GB) take 2 ms."""
        with suppress(Reject):
            return not self._missing(Manifest.decode(manifest).parts)
        return False

    def _missing(self, parts: Sequence[Part]) -> list[Part]:
        """The parts that are neither own ones on this device nor in the cache."""
        here = self._cached.here([part.digest for part in parts])
        return [part for part in parts if part.digest not in here and not self._is_own(part)]

    def _is_own(self, part: Part) -> bool:
        known = self._blobs.get(part.part)
        return known is not None and known.present

    def is_received(self, manifest: bytes) -> bool:
        """Whether the file was received, so that it can be kept offline: at least one of its parts is no own part that
        is here. False for a damaged manifest."""
        with suppress(Reject):
            return not all(self._is_own(part) for part in Manifest.decode(manifest).parts)
        return False

    def is_pinned(self, manifest: bytes) -> bool:
        """Whether the file is kept offline. False for an own file, which stays without that, and for a damaged
        manifest."""
        with suppress(Reject):
            parts = [part.digest for part in Manifest.decode(manifest).parts]
            return len(self._cached.pinned(parts)) == len(parts)
        return False

    def pin(self, room: RoomId, obj: ObjId, manifest: bytes) -> None:
        """Keeps a received file offline: what is missing of it is fetched in the background as soon as there is a
        network, and nothing of it leaves to make room. NoRoomOffline if the limit would not hold all that is kept
        offline; Reject for a damaged manifest; StoreFault."""
        self._pin(room, [(obj, manifest)])

    def unpin(self, manifest: bytes) -> None:
        """Keeps the file offline no more: it stays until its place is needed. Reject for a damaged manifest;
        StoreFault."""
        self._cached.unpin([part.digest for part in Manifest.decode(manifest).parts])

    def pin_room(self, room: RoomId, files: Sequence[tuple[ObjId, bytes]]) -> None:
        """Keeps a room's files offline: `files`, as (object, manifest), and each that is sent there from now on.
        Damaged manifests are left out. NoRoomOffline, and then nothing is kept that was not before; StoreFault."""
        self._pin(room, [(obj, manifest) for obj, manifest in files if _is_sound(manifest)])
        self._cached.pin_room(room, True)

    def unpin_room(self, room: RoomId) -> None:
        """Keeps none of the room's files offline any more, also none that was pinned alone. StoreFault."""
        self._cached.pin_room(room, False)

    def is_room_pinned(self, room: RoomId) -> bool:
        """Whether the room's files are kept offline."""
        return self._cached.is_room_pinned(room)

    def _pin(self, room: RoomId, files: Sequence[tuple[ObjId, bytes]]) -> None:
        wanted = [
            _wanted(room, obj, part)
            for obj, manifest in files
            for part in Manifest.decode(manifest).parts
            if not self._is_own(part)
        ]
        new = sum(part.size for part in wanted)
        if wanted and self._cached.pinned_bytes([part.digest for part in wanted]) + new > self._upkeep.limit():
            raise NoRoomOffline
        self._cached.pin(wanted)

    def cached_bytes(self) -> CacheUsage:
        """How much is kept of received files, and how much may be, in bytes, as last measured in the background."""
        return self._upkeep.usage

    @property
    def cache_changed(self) -> Signal[()]:
        """Emitted when `cached_bytes` has changed."""
        return self._cached.changed

    async def empty(self, *, pinned: bool = False) -> None:
        """Removes all received files from this device, except those that are kept offline; with `pinned`, those too.
        StoreFault."""
        if pinned:
            self._cached.unpin_all()
        await self._upkeep.empty()

    async def complete(self) -> None:
        """Fetches the missing parts of files that are kept offline, one by one or with their room. Parts that the
        server or the disk refuses are left out until `ask_again`. ▲ Parts beyond the limit for received files are left
        out until there is space for them. Otherwise a member could fill the disk of a colleague who keeps the room
        offline. Unreachable while offline; StoreFault."""
        beyond, left = 0, self._left_for_pinned()
        for page in self._cached.wanted_in_pages():
            for wanted in page:
                if wanted in self._refused:
                    continue
                if wanted.size > left:
                    beyond += 1
                    continue
                await self._fetch_if_given(wanted)
                left = self._left_for_pinned()
            await asyncio.sleep(0)  # a member may name thousands that are beyond the limit
        if beyond:
            log.store.info("pinned-parts-beyond-limit", count=beyond)

    def _left_for_pinned(self) -> int:
        """How many more bytes may be kept offline now; less than 0 if nothing may."""
        limit, used = self._upkeep.limit(), self._cached.fetched_pinned_bytes()
        return limit - used if self._cached.may_keep else -1

    async def _fetch_if_given(self, wanted: WantedPart) -> None:
        """Fetches a part that is kept offline. If the server or the disk refuses it, it is not fetched again before
        `ask_again`. Unreachable; StoreFault."""
        try:
            await self._fetch_pinned(wanted)
        except (Refused, Reject) as e:
            self._refused.add(wanted)
            log.store.warning("pinned-part-refused", part=wanted.part, code=e.code)
        if not self._cached.here([wanted.digest]):  # the disk has refused it: it is not fetched again and again
            self._refused.add(wanted)

    async def _fetch_pinned(self, wanted: WantedPart) -> None:
        """Fetches a part as `PartFetches.get` does, from the first room that gives it (`from_first`)."""
        await self.from_first(
            wanted.room, wanted.obj, lambda room, obj: self._fetches.get(replace(wanted, room=room, obj=obj))
        )

    async def from_first(self, room: RoomId, obj: ObjId, fetch: Callable[[RoomId, ObjId], Awaitable[T]]) -> T:
        """Calls `fetch` with this room and object, and returns its result. If it raises Refused (by the server) or
        Reject (what the server gave is wrong), calls it with the room that this one continues and the object that `obj`
        continues there (`before`), and so on back, at most MAX_HOPS rooms far. If no room gives a result, raises the
        last Refused or Reject. Any other error of `fetch` is raised at once."""
        hops = MAX_HOPS
        while True:
            try:
                return await fetch(room, obj)
            except (Refused, Reject):
                before = self.before(room, obj) if hops else None
                if before is None:
                    raise
                (room, obj), hops = before, hops - 1

    def ask_again(self) -> None:
        """Has `complete` ask the server again for what it refused."""
        self._refused.clear()


def _wanted(room: RoomId, obj: ObjId, part: Part) -> WantedPart:
    return WantedPart(part=PartId(part.part), room=room, obj=obj, digest=part.digest, size=part.length)


def _is_sound(manifest: bytes) -> bool:
    try:
        Manifest.decode(manifest)
    except Reject:
        return False
    return True


def part_digests(manifests: Iterable[bytes]) -> list[bytes]:
    """The SHA-256 of the encrypted bytes of each part that these manifests name, in order. Damaged manifests are left
    out."""
    found: list[bytes] = []
    for manifest in manifests:
        with suppress(Reject):
            found += [part.digest for part in Manifest.decode(manifest).parts]
    return found


def pin_new_files(conn: Connection, room: RoomId, obj: ObjId, manifests: Iterable[bytes]) -> None:
    """Keeps the files offline that a new message of the object `obj` names, if all files of `room` are kept so. In the
    caller's transaction; they are fetched in the background. Damaged manifests are left out."""
    sound = [Manifest.decode(manifest) for manifest in manifests if _is_sound(manifest)]
    pin_new(conn, [_wanted(room, obj, part) for described in sound for part in described.parts])


def forget_files(conn: Connection, manifests: Iterable[bytes], but: Collection[bytes] = ()) -> None:
    """▲ Removes the received parts of these files from this device, also those that are kept offline: the message that
    names them was deleted. In the caller's transaction; the bytes are removed after the commit. Parts with a digest in
    `but` stay. Damaged manifests are left out."""
    forget_parts(conn, [digest for digest in part_digests(manifests) if digest not in but])


def give_up_parts(conn: Connection, given: Mapping[bytes, tuple[RoomId, ObjId]], gone: Iterable[bytes]) -> None:
    """Gives up, in the caller's transaction, received parts of an object that is destroyed. `given`: the digests of
    those that another object has too, with its room and itself; they become parts of that object, and stay pinned if
    they were. `gone`: the digests of those that are removed, also those that are kept offline."""
    for digest, (room, obj) in given.items():
        give_part(conn, digest, room, obj)
    forget_parts(conn, gone)


def _row(room: RoomId, obj: ObjId, part: Part, size: int) -> BlobPart:
    return BlobPart(
        part=part.part,
        room=room,
        obj=obj,
        key=part.key,
        hash=part.digest,
        size=size,
        plain_size=part.length,
        uploaded=False,
        present=True,
    )


def size_of(source: Source) -> int:
    """The source's size in bytes. FileUnreadable."""
    if isinstance(source, Pasted):
        return len(source.data)
    try:
        return source.stat().st_size
    except OSError as e:
        raise FileUnreadable() from e


def part_count(size: int) -> int:
    """How many parts a file of `size` bytes is encrypted in: at least one, also for an empty file."""
    return max(1, -(-size // PART_BYTES))


def _read(source: Source, at: int, size: int) -> bytes:
    """The next part of a file: from byte `at` on, at most PART_BYTES; b"" at its end, also if it became shorter.
    `size`: the file's size at the start; bytes that were added to the file since are ignored. FileUnreadable."""
    if isinstance(source, Pasted):
        return source.data[at : at + PART_BYTES]
    try:
        file, now = open_file(source)
        with file:
            file.seek(at)
            return file.read(max(0, min(PART_BYTES, size - at, now - at)))
    except OSError as e:
        raise FileUnreadable() from e
