# SPDX-License-Identifier: EUPL-1.2
"""Rules of blob parts over HTTP: who may read and write them, how much, and that the stored bytes are those that were
sent.

A part is uploaded whole or in pieces: `PUT` with `Content-Range: bytes a-b/total` continues at a, and `HEAD` says
in `Upload-Offset` how far an unfinished upload has come. `Repr-Digest: sha-256=:…:` (RFC 9530) is checked when the
last byte is stored. Parts are immutable: uploading the same part again is Ok; other content under the same name is
refused.
"""

import asyncio
import base64
import os
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Protocol

from sync.protocol.messages import BlobToken, BlobTokenReply
from sync.server.config import Limits
from sync.server.load.meters import Meters
from sync.server.objects.base import NoSpace, Objects, WrongDigest, WrongOffset
from sync.server.rules.blob_headers import BlobRefusal, PartName, PutHeaders
from sync.server.rules.handshake import Who, now_ms
from sync.server.rules.quotas import Quotas, is_within, senders, today
from sync.server.rules.refusal import Refusal
from sync.server.rules.uploads import Busy, Uploads
from sync.server.store.base import BlobRow, Store, StoreError, Taken, Unwritable
from sync.trust.formats.items import Role

_MAX_BEARERS = 100_000
_BEARERS_OF_A_DEVICE = 8
_MOST_WAITING = 64


class RoomsPort(Protocol):
    """An interface: what the rules of file parts ask about rooms, and that a room has grown. `Rooms` implements it."""

    async def role_of(self, room: bytes, uid: bytes) -> Role | None:
        """The person's role in the room now, None if not a member."""
        ...

    async def room_bytes(self, room: bytes) -> int:
        """Bytes that the room's items and parts take."""
        ...

    async def is_destroyed(self, room: bytes, obj: bytes) -> bool:
        """Whether an administrator has destroyed the object, so that it takes nothing more."""
        ...

    def grew(self, room: bytes, size_bytes: int) -> None:
        """Notes that the room has a new part of this size."""
        ...


class _Slots:
    """One person's HTTP requests for parts of files: counts those being served, by device, and queues the others.
    `at_once`: how many requests of one device are served at a time; all devices together have three times that, but
    each device may always have one."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self.users: Counter[bytes] = Counter()
        """By device: how many requests are under way or wait."""
        self._at_work: Counter[bytes] = Counter()
        self._waiting: deque[tuple[bytes, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def one(self, dev: bytes) -> AsyncIterator[None]:
        """Waits until one more request of the device with the id `dev` may be served, however many wait. The request
        counts as being served until the `async with` block ends."""
        start = asyncio.get_running_loop().create_future()
        self._waiting.append((dev, start))
        self._begin()
        try:
            await start
            yield
        finally:
            if start.done() and not start.cancelled():
                self._at_work[dev] -= 1
            else:
                self._waiting.remove((dev, start))
            self._begin()

    def _begin(self) -> None:
        """Starts the waiting requests that may begin, in their order. Called when a request is added and when one ends.
        A device that has no slot left holds up no other device."""
        for dev, start in list(self._waiting):
            own, together = self._at_work[dev] + 1, self._at_work.total() + 1
            if not start.done() and is_within(own, together, self._at_once):
                self._waiting.remove((dev, start))
                self._at_work[dev] += 1
                start.set_result(None)


class Blobs:
    """HTTP access to the parts of files: issues and checks bearer tokens, stores uploaded pieces and reads parts,
    within the limits of roles and quotas."""

    def __init__(
        self,
        store: Store,
        objects: Objects,
        rooms: RoomsPort,
        quotas: Quotas,
        uploads: Uploads,
        limits: Limits,
        meters: Meters,
    ) -> None:
        self._store = store
        self._objects = objects
        self._rooms = rooms
        self._quotas = quotas
        self._uploads = uploads
        self._limits = limits
        self._meters = meters
        self._bearers: OrderedDict[str, tuple[Who, int]] = OrderedDict()
        self._of_device: dict[bytes, deque[str]] = {}
        self._slots: dict[bytes, _Slots] = {}

    def mint(self, who: Who, frame: BlobToken) -> BlobTokenReply:
        """Issues a bearer token for HTTP requests for parts of files by the device `who`. Returns the reply to the
        request `frame`: the token, and when it expires, which is `bearer_s` of the limits (seconds) from now. Tokens
        are in memory only, so a restart ends them all.

        ▲ A device has at most eight: a new one replaces the device's oldest, never another device's. Only beyond
        100,000 of all devices the oldest of all ends.
        """
        bearer = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
        expires = now_ms() + int(self._limits.bearer_s * 1000)
        own = self._of_device.setdefault(who.dev, deque())
        own.append(bearer)
        if len(own) > _BEARERS_OF_A_DEVICE:
            self._bearers.pop(own.popleft(), None)
        self._bearers[bearer] = (who, expires)
        while len(self._bearers) > _MAX_BEARERS:
            _, (oldest, _) = self._bearers.popitem(last=False)
            self._of_device[oldest.dev].popleft()
        return BlobTokenReply(frame.rid, bearer, expires)

    def revoke(self, dev: bytes) -> None:
        """Ends all bearer tokens of the device with the id `dev`, which was revoked or whose account has ended. Nothing
        happens if it has none."""
        for bearer in self._of_device.pop(dev, ()):
            self._bearers.pop(bearer, None)

    def holder(self, authorization: str) -> Who | None:
        """The device whose bearer token is in `authorization`, the value of a request's Authorization header. None if
        the token is unknown or has expired, and for "" or any other value."""
        found = self._bearers.get(authorization.removeprefix("Bearer "))
        return found[0] if found is not None and found[1] > now_ms() else None

    def who(self, authorization: str) -> Who:
        """The device whose bearer token is in the header value `authorization`. BlobRefusal 401 if the token is unknown
        or has expired."""
        found = self.holder(authorization)
        if found is None:
            raise BlobRefusal(HTTPStatus.UNAUTHORIZED, "auth")
        return found

    async def check_may(self, who: Who, name: PartName, *, write: bool) -> None:
        """Checks that the person of the device `who` may read the part `name`, or with `write` upload it. BlobRefusal
        403 if not, also if there is no such room. Members of the part's room may read; to upload takes the role of a
        writer or a higher one. Whether the part exists is not checked."""
        role = await self._rooms.role_of(name.room, who.uid)
        if role is None or (write and role < Role.WRITER):
            raise BlobRefusal(HTTPStatus.FORBIDDEN, "forbidden")

    @asynccontextmanager
    async def slot(self, who: Who) -> AsyncIterator[None]:
        """Waits until the device `who`, and all devices of its person together, have few enough requests for parts of
        files being served; each device may always have one. This one counts until the `async with` block ends. ▲ Each
        request has a part in memory. A device may have 64 more requests than may be served at a time; beyond these
        BlobRefusal 429 "busy"."""
        slots = self._slots.setdefault(who.uid, _Slots(self._limits.device_files))
        if slots.users[who.dev] >= self._limits.device_files + _MOST_WAITING:
            raise BlobRefusal(HTTPStatus.TOO_MANY_REQUESTS, "busy")
        slots.users[who.dev] += 1
        try:
            async with slots.one(who.dev):
                yield
        finally:
            slots.users[who.dev] -= 1
            if not slots.users.total():
                self._slots.pop(who.uid, None)

    async def put(self, who: Who, name: PartName, headers: PutHeaders, body: bytes) -> tuple[HTTPStatus, int]:
        """Stores one piece of the part `name`: `body` has the bytes that `headers` describe. The bytes count for the
        quotas of the device `who`, which sends them. A piece that begins at 0 begins the upload again. Returns (201,
        the part's size) when the part is complete, before that (202, how many of its bytes are stored). A part that is
        complete already gives 201 again for the same hash. If the device has too many unfinished uploads, a new one
        drops its oldest.

        BlobRefusal 400 if `body` has another length; 403 if the part's object was destroyed; 409 if another request
        writes the part now, if the device writes as many parts as it may, if the complete part has another hash, or if
        the piece does not continue what is stored (`offset` says where it ends); 422 if the complete bytes have another
        hash, and the upload is then deleted; 507 for a quota, a full disk or a store that cannot write.
        """
        try:
            async with self._uploads.writing(name.key):
                return await self._put(who, name, headers, body)
        except Busy as e:
            raise BlobRefusal(HTTPStatus.CONFLICT, "busy") from e
        except WrongOffset as e:
            raise BlobRefusal(HTTPStatus.CONFLICT, "conflict", e.have) from e
        except WrongDigest as e:
            raise BlobRefusal(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", 0) from e
        except (NoSpace, Unwritable) as e:
            raise BlobRefusal(HTTPStatus.INSUFFICIENT_STORAGE, e.code) from e

    async def _put(self, who: Who, name: PartName, headers: PutHeaders, body: bytes) -> tuple[HTTPStatus, int]:
        await self._check_not_destroyed(name)
        found = await self._store.blob(name.room, name.obj, name.part)
        if found is not None:
            if found.sha256 != headers.sha256:
                raise BlobRefusal(HTTPStatus.CONFLICT, "conflict")
            if await self._lies(found):
                return HTTPStatus.CREATED, found.size_bytes
        if len(body) != headers.end - headers.start:
            raise BlobRefusal(HTTPStatus.BAD_REQUEST, "malformed")
        have = await self._objects.held(*name.key)
        if headers.start not in (0, have):
            raise WrongOffset(have)
        await self._check_quota(who, name, headers, new=found is None)
        return await self._take(who, name, headers, body, new=found is None)

    async def _lies(self, row: BlobRow) -> bool:
        """Whether the object store has the bytes of the part `row`, to the last one; their hash is not checked. They
        may be missing after a restore: a backup may have had only the row. The part then counts as not uploaded, and a
        client may upload it again."""
        last = max(0, row.size_bytes - 1)
        try:
            found = await self._objects.read(row.room, row.obj, row.part, last, 1)
        except FileNotFoundError:
            return False
        return last + len(found) == row.size_bytes

    async def _take(self, who: Who, name: PartName, h: PutHeaders, body: bytes, *, new: bool) -> tuple[HTTPStatus, int]:
        if h.end < h.total:
            await self._uploads.note(who, name.key, h.end, len(body), today())
            self._quotas.note(who, len(body))
            return HTTPStatus.ACCEPTED, await self._objects.append(*name.key, h.start, body)
        try:
            await self._objects.append(*name.key, h.start, body)
            size = await self._objects.finish(*name.key, h.sha256)
        except (WrongDigest, NoSpace) as e:
            if h.start == 0 or isinstance(e, WrongDigest):
                await self._uploads.gone(name.key)
            raise
        await self._check_not_destroyed(name)  # ▲ again: it may have been destroyed since the upload began
        if not new:
            await self._uploads.gone(name.key)
            return HTTPStatus.CREATED, size
        row = BlobRow(room=name.room, obj=name.obj, part=name.part, size_bytes=size, sha256=h.sha256)
        try:
            await self._store.add_blob(row, senders(who), today(), len(body))
        except Taken as e:
            raise BlobRefusal(HTTPStatus.CONFLICT, "conflict") from e
        except Unwritable:  # the bytes are in place without a row: no sweep would find them
            await self._objects.delete(*name.key)
            with suppress(StoreError):
                await self._uploads.gone(name.key)
            raise
        self._uploads.done(name.key)
        self._quotas.note(who, len(body))
        self._rooms.grew(name.room, size)
        self._meters.stored(size)
        return HTTPStatus.CREATED, size

    async def _check_not_destroyed(self, name: PartName) -> None:
        """▲ Raises BlobRefusal 403 if the object of the part `name` was destroyed, and deletes all that is stored of
        the part. Otherwise bytes would stay on the server that nobody may read and nothing deletes. Call it only for
        the request that writes the part now."""
        if await self._rooms.is_destroyed(name.room, name.obj):
            await self._objects.delete(*name.key)
            await self._uploads.gone(name.key)
            raise BlobRefusal(HTTPStatus.FORBIDDEN, "forbidden")

    async def _check_quota(self, who: Who, name: PartName, h: PutHeaders, *, new: bool) -> None:
        """Checks the quotas before a piece of the part `name` is stored. BlobRefusal 507 "quota" if the whole part is
        too much for its room, or if the device `who`, or all devices of its person together, would have sent too much
        today with what is left of the part. `h`: the headers of the piece. `new`: False for a complete part whose bytes
        were lost in a restore; its bytes were counted before, so neither check adds them. ▲ What is stored of other
        unfinished uploads counts in the room as complete parts do."""
        used = await self._rooms.room_bytes(name.room) + self._uploads.held(name.room, but=name.key)
        if new and used + h.total > self._limits.room_bytes:
            raise BlobRefusal(HTTPStatus.INSUFFICIENT_STORAGE, "quota")
        try:
            await self._quotas.check_device(who, h.total - h.start if new else 0)  # a lost part was counted before
        except Refusal as e:
            raise BlobRefusal(HTTPStatus.INSUFFICIENT_STORAGE, "quota") from e

    async def find(self, name: PartName) -> BlobRow:
        """The row of the complete part `name`. BlobRefusal 404 if the part does not exist or is not complete, or its
        bytes were lost; its `offset` says how many bytes of an unfinished upload are stored, 0 for none."""
        row = await self._store.blob(name.room, name.obj, name.part)
        if row is None or not await self._lies(row):
            held = await self._objects.held(name.room, name.obj, name.part)
            raise BlobRefusal(HTTPStatus.NOT_FOUND, "blob-missing", held)
        return row

    async def read(self, row: BlobRow, start: int, end: int) -> bytes:
        """Reads bytes `start` to `end` - 1 of the complete part `row` from the object store; fewer if the part's file
        is shorter. Their hash is not checked. BlobRefusal 404 if the part's file is missing."""
        try:
            return await self._objects.read(row.room, row.obj, row.part, start, end - start)
        except FileNotFoundError as e:
            raise BlobRefusal(HTTPStatus.NOT_FOUND, "blob-missing", 0) from e
