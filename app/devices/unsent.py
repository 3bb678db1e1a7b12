# SPDX-License-Identifier: EUPL-1.2
"""What this device has not sent, as one file sealed to its person (app/store/FORMAT.md, "A file of unsent work").

A device that was revoked writes the file before it erases itself, and another device of the same person takes it in.
Its changes are then offered under the ids that they have, so that a change which had reached the server after all is
not doubled.
"""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import msgspec

from app.core import log
from app.core.files import sync_folder
from app.core.ids import ChangeId, DevId, ObjId, PartId, RoomId, new_id
from app.errors import FileUnreadable, StoreUnwritable
from app.store.rows import BlobPart
from app.store.store import Store
from app.store.unsent import UnsentChange
from sync.client.account import sealed_export
from sync.client.engine import Engine
from sync.errors import Reject

VERSION = 1
SUFFIX = ".kansli-unsent"
MAX_PART = 8 * 1024 * 1024

MayWrite = Callable[[RoomId], bool]


class Change(msgspec.Struct, frozen=True, array_like=True):
    """A change in the file, which the server did not have. `t`: by the device's clock, in ms; `live`: a document edit;
    `parts`: the file parts that it needs."""

    room: bytes
    obj: bytes
    change_id: bytes
    t: int
    live: bool
    data: bytes
    parts: tuple[bytes, ...]


class Draft(msgspec.Struct, frozen=True, array_like=True):
    """A text that was typed and not sent, in a file of unsent work. `data`: as the object's tool wrote it."""

    room: bytes
    obj: bytes
    data: bytes


class Part(msgspec.Struct, frozen=True, array_like=True):
    """The description of an encrypted part of a file. Its `size` bytes follow behind the sealed body, in the order of
    this list. `key` decrypts it, `hash` is SHA-256 of the encrypted bytes, `plain_size` the content's size."""

    part: bytes
    room: bytes
    obj: bytes
    key: bytes
    hash: bytes
    size: int
    plain_size: int


class Body(msgspec.Struct, frozen=True, array_like=True):
    """The sealed body of a file of unsent work: everything except the bytes of file parts."""

    version: int
    changes: tuple[Change, ...]
    drafts: tuple[Draft, ...]
    parts: tuple[Part, ...]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Body)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsentCount:
    """How many changes and drafts of a file of unsent work were new on this device."""

    changes: int
    drafts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsentFile:
    """A file of unsent work that was read, and whose changes are not stored here yet. `dev`: the device that wrote it.
    `fits` and `drafts`: how many of its changes and drafts can be taken in here; `rooms`: the rooms that these are in;
    `strange`: how many changes are in rooms that this device is not in or may not write in. `offset`: where the bytes
    of file parts begin."""

    dev: DevId
    fits: int
    drafts: int
    strange: int
    rooms: tuple[RoomId, ...]
    path: Path
    body: Body = field(repr=False)
    offset: int = field(repr=False)


class UnsentWork:
    """Writes this device's unsent work into a file that is sealed to its person, so that only the person's devices can
    open it, and reads such files of the person's other devices. `may_write` gets a room and returns whether this device
    may write in it. Large work runs in a thread."""

    def __init__(self, store: Store, engine: Engine, may_write: MayWrite) -> None:
        self._store = store
        self._engine = engine
        self._may_write = may_write

    @property
    def count(self) -> int:
        """How many changes and drafts the file would have."""
        return len(self._store.unsent_work.changes()) + len(self._store.unsent_work.drafts())

    async def save(self, path: Path) -> int:
        """Writes all unsent changes, drafts and file parts to `path`, durably. Returns the number of changes and
        drafts; with none, the file is written all the same. Raises StoreUnwritable; then nothing is left behind, and an
        existing file is unchanged."""
        changes, drafts = self._store.unsent_work.changes(), self._store.unsent_work.drafts()
        parts = self._parts(changes)
        body = _encoder.encode(
            Body(
                VERSION,
                tuple(Change(c.room, c.obj, c.change_id, c.t, c.live, c.data, tuple(c.parts)) for c in changes),
                tuple(Draft(d.room, d.obj, d.data) for d in drafts),
                tuple(Part(p.part, p.room, p.obj, p.key, p.hash, p.size, p.plain_size) for p in parts),
            )
        )
        sealed = await asyncio.to_thread(self._engine.devices.seal_to_me, body)
        files = [(self._store.blobs.path(PartId(p.part)), p.size) for p in parts]
        await asyncio.to_thread(_write, path, sealed, files)
        log.store.info("unsent-saved", changes=len(changes), drafts=len(drafts), parts=len(parts))
        return len(changes) + len(drafts)

    def _parts(self, changes: Sequence[UnsentChange]) -> list[BlobPart]:
        """The file parts for the file: those that the server does not have and those that the changes need, if they are
        complete on this device. Uploaded parts are included, since a server soon removes a part whose change it never
        received."""
        blobs = self._store.blobs
        needed = (blobs.get(part) for change in changes for part in change.parts)
        found = {p.part: p for p in (*blobs.to_upload(), *needed) if p is not None and p.present}
        return [p for p in found.values() if _size(blobs.path(PartId(p.part))) == p.size]

    async def read(self, path: Path) -> UnsentFile:
        """Reads and opens a file of unsent work; nothing is stored yet. Raises FileUnreadable; Reject
        "export-other-person", "signature", "decrypt" or "malformed" if the file is not this person's, or is damaged or
        false; Refused "keys" while this device lacks the key that it needs; Reject "format" for a file of a newer
        version."""
        head, packed = await asyncio.to_thread(_read, path)
        dev, body = await asyncio.to_thread(self._engine.devices.open_mine, head, packed)
        try:
            found = _decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as e:
            raise Reject("malformed", "unsent") from e
        if found.version != VERSION:
            raise Reject("format", "unsent")
        fits = [c for c in found.changes if self._may_write(RoomId(c.room))]
        drafts = [d for d in found.drafts if self._may_write(RoomId(d.room))]
        return UnsentFile(
            dev=dev,
            fits=len(fits),
            drafts=len(drafts),
            strange=len(found.changes) - len(fits),
            rooms=tuple(dict.fromkeys(RoomId(room) for room in [*(c.room for c in fits), *(d.room for d in drafts)])),
            path=path,
            body=found,
            offset=len(head) + len(packed),
        )

    async def take_in(self, found: UnsentFile) -> UnsentCount:
        """Stores the changes, drafts and file parts of a file that was read, under the change ids that they have.
        Skipped are those of rooms in which this device may not write, a draft of an object that has one here, and a
        file part whose bytes are damaged. Returns how many were new on this device. A second call stores nothing again.
        FileUnreadable; Reject "malformed" for a file that lacks bytes; DiskFull or StoreUnwritable. After an error the
        part that was stored stays, and another call goes on.

        A change does not wait for a file part that is neither here nor in the file: no device would ever upload it.
        """
        await self._take_parts(found)
        fresh = drafts = 0
        for change in found.body.changes:
            room = RoomId(change.room)
            if self._may_write(room) and self._store.unsent_work.offer(
                UnsentChange(
                    room=room,
                    obj=ObjId(change.obj),
                    change_id=ChangeId(change.change_id),
                    t=change.t,
                    live=change.live,
                    data=change.data,
                    parts=tuple(PartId(p) for p in change.parts if self._store.blobs.get(PartId(p)) is not None),
                )
            ):
                fresh += 1
                await asyncio.sleep(0)
        for draft in found.body.drafts:
            if self._may_write(RoomId(draft.room)) and self._store.objects.draft(ObjId(draft.obj)) is None:
                self._store.objects.set_draft(RoomId(draft.room), ObjId(draft.obj), draft.data)
                drafts += 1
        log.store.info("unsent-taken-in", changes=fresh, drafts=drafts, strange=found.strange)
        return UnsentCount(changes=fresh, drafts=drafts)

    async def _take_parts(self, found: UnsentFile) -> None:
        at = found.offset
        for part in found.body.parts:
            if self._may_write(RoomId(part.room)) and self._store.blobs.get(PartId(part.part)) is None:
                sealed = await asyncio.to_thread(_read_part, found.path, at, part.size)
                if hashlib.sha256(sealed).digest() == part.hash:
                    await self._take_part(part, sealed)
                else:  # the part was damaged before it was kept: the rest is still good
                    log.store.error("part-damaged", part=part.part)
            at += part.size

    async def _take_part(self, part: Part, sealed: bytes) -> None:
        await asyncio.to_thread(self._store.blobs.write, PartId(part.part), sealed)
        self._store.blobs.add(
            BlobPart(
                part=part.part,
                room=RoomId(part.room),
                obj=ObjId(part.obj),
                key=part.key,
                hash=part.hash,
                size=part.size,
                plain_size=part.plain_size,
                uploaded=False,
                present=True,
            )
        )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _write(path: Path, sealed: bytes, parts: Sequence[tuple[Path, int]]) -> None:
    """Writes a file of unsent work to `path`, durably and whole or not at all: `sealed`, the sealed body, then the
    bytes of `parts` (path, recorded size). StoreUnwritable, also for a part that cannot be read, or whose size has
    changed, since it would shift every later offset."""
    draft = path.with_name(f".{path.name}.{new_id().hex()[:8]}")
    try:
        with draft.open("xb") as file:
            file.write(sealed)
            for part, size in parts:
                data = part.read_bytes()
                if len(data) != size:
                    raise OSError("a part has another size")
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as e:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise StoreUnwritable from e
    with contextlib.suppress(OSError):  # a stick or a share may not sync folders; the file itself is written
        sync_folder(path.parent)


def _read(path: Path) -> tuple[bytes, bytes]:
    try:
        with path.open("rb") as file:
            head = file.read(sealed_export.HEAD_BYTES)
            return head, _exactly(file, sealed_export.length(head))
    except OSError as e:
        raise FileUnreadable from e


def _read_part(path: Path, at: int, size: int) -> bytes:
    if not 0 < size <= MAX_PART:
        raise Reject("malformed", "unsent part")
    try:
        with path.open("rb") as file:
            file.seek(at)
            return _exactly(file, size)
    except OSError as e:
        raise FileUnreadable from e


def _exactly(file: IO[bytes], size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise Reject("malformed", "unsent")
    return data
