# SPDX-License-Identifier: EUPL-1.2
"""Rules of blob parts over HTTP: who may, how much, and that what is kept is what was sent.

A part is uploaded whole or in pieces: `PUT` with `Content-Range: bytes a-b/total` continues at a, and `HEAD` says
in `Upload-Offset` how far an unfinished upload has come. `Repr-Digest: sha-256=:…:` (RFC 9530) is checked when the
last byte is there. Parts are immutable: the same part again is Ok, another content under the same name is refused.
"""

import base64
import binascii
import os
import re
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from sync.protocol.messages import BlobToken, BlobTokenReply
from sync.server.auth import Who, now_ms
from sync.server.config import Limits
from sync.server.meters import Meters
from sync.server.objects.base import NoSpace, Objects, WrongDigest, WrongOffset
from sync.server.store.base import BlobRow, Store, Taken, Unwritable
from sync.trust.items import Role

_DAY_MS = 86_400_000
_MAX_BEARERS = 100_000
_CONTENT_RANGE = re.compile(r"bytes (\d{1,10})-(\d{1,10})/(\d{1,10})")
_RANGE = re.compile(r"bytes=(\d{1,10})-(\d{0,10})")
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")


class BlobRefusal(Exception):
    """Refuses one HTTP request. `code` is one of ErrorCode's words; `offset` how much of an upload is held."""

    def __init__(self, status: HTTPStatus, code: str, offset: int | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.offset = offset


@dataclass(frozen=True, slots=True)
class PartName:
    """Which part of which object of which room."""

    room: bytes
    obj: bytes
    part: bytes

    @classmethod
    def parse(cls, room: str, obj: str, part: str) -> "PartName":
        """From hex; BlobRefusal 404 for anything else."""
        try:
            name = cls(bytes.fromhex(room), bytes.fromhex(obj), bytes.fromhex(part))
        except ValueError as e:
            raise BlobRefusal(HTTPStatus.NOT_FOUND, "malformed") from e
        if {len(name.room), len(name.obj), len(name.part)} != {16}:
            raise BlobRefusal(HTTPStatus.NOT_FOUND, "malformed")
        return name


class RoleOf(Protocol):
    """What blobs need to know of rooms."""

    async def role_of(self, room: bytes, uid: bytes) -> Role | None:
        """The person's role in the room now, None if not a member."""
        ...

    async def room_bytes(self, room: bytes) -> int:
        """Bytes that the room's items and parts take."""
        ...


class Blobs:
    """Bearers and parts."""

    def __init__(self, store: Store, objects: Objects, rooms: RoleOf, limits: Limits, meters: Meters) -> None:
        self._store = store
        self._objects = objects
        self._rooms = rooms
        self._limits = limits
        self._meters = meters
        self._bearers: OrderedDict[str, tuple[Who, int]] = OrderedDict()
        self._busy: set[PartName] = set()

    def mint(self, who: Who, frame: BlobToken) -> BlobTokenReply:
        """A bearer for a few minutes. In memory only: a restart ends them all."""
        bearer = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
        expires = now_ms() + int(self._limits.bearer_s * 1000)
        self._bearers[bearer] = (who, expires)
        while len(self._bearers) > _MAX_BEARERS:
            self._bearers.popitem(last=False)
        return BlobTokenReply(frame.rid, bearer, expires)

    def revoke(self, dev: bytes) -> None:
        """Ends the bearers of a device."""
        for bearer in [b for b, (who, _) in self._bearers.items() if who.dev == dev]:
            del self._bearers[bearer]

    def _who(self, authorization: str) -> Who:
        found = self._bearers.get(authorization.removeprefix("Bearer "))
        if found is None or found[1] <= now_ms():
            raise BlobRefusal(HTTPStatus.UNAUTHORIZED, "auth")
        return found[0]

    async def may(self, authorization: str, name: PartName, *, write: bool) -> Who:
        """The device behind the bearer, if its person may do this in the room."""
        who = self._who(authorization)
        role = await self._rooms.role_of(name.room, who.uid)
        if role is None or (write and role < Role.WRITER):
            raise BlobRefusal(HTTPStatus.FORBIDDEN, "forbidden")
        return who

    async def put(self, who: Who, name: PartName, headers: "PutHeaders", body: bytes) -> tuple[HTTPStatus, int]:
        """Stores a piece; (201, size) when the part is complete, (202, bytes held) before."""
        if name in self._busy:  # ▲ before it is looked for: of two at once the second would lie under the first's name
            raise BlobRefusal(HTTPStatus.CONFLICT, "busy")
        self._busy.add(name)
        try:
            return await self._put(who, name, headers, body)
        except WrongOffset as e:
            raise BlobRefusal(HTTPStatus.CONFLICT, "conflict", e.have) from e
        except WrongDigest as e:
            raise BlobRefusal(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", 0) from e
        except (NoSpace, Unwritable) as e:
            raise BlobRefusal(HTTPStatus.INSUFFICIENT_STORAGE, e.code) from e
        finally:
            self._busy.discard(name)

    async def _put(self, who: Who, name: PartName, headers: "PutHeaders", body: bytes) -> tuple[HTTPStatus, int]:
        found = await self._store.blob(name.room, name.obj, name.part)
        if found is not None:
            if found.sha256 != headers.sha256:
                raise BlobRefusal(HTTPStatus.CONFLICT, "conflict")
            if await self._lies(found):
                return HTTPStatus.CREATED, found.size_bytes
        if len(body) != headers.end - headers.start:
            raise BlobRefusal(HTTPStatus.BAD_REQUEST, "malformed")
        if found is None:
            await self._check_quota(who, name, headers.total)
        return await self._take(who, name, headers, body, new=found is None)

    async def _lies(self, row: BlobRow) -> bool:
        """Whether the bytes are where they belong: a backup may have had the row alone."""
        try:
            await self._objects.read(row.room, row.obj, row.part, 0, 0)
        except FileNotFoundError:
            return False
        return True

    async def _take(
        self, who: Who, name: PartName, h: "PutHeaders", body: bytes, *, new: bool
    ) -> tuple[HTTPStatus, int]:
        held = await self._objects.append(name.room, name.obj, name.part, h.start, body)
        if held < h.total:
            return HTTPStatus.ACCEPTED, held
        size = await self._objects.finish(name.room, name.obj, name.part, h.sha256)
        if not new:
            return HTTPStatus.CREATED, size
        row = BlobRow(room=name.room, obj=name.obj, part=name.part, size_bytes=size, sha256=h.sha256)
        try:
            await self._store.add_blob(row, who.dev, now_ms() // _DAY_MS)
        except Taken as e:
            raise BlobRefusal(HTTPStatus.CONFLICT, "conflict") from e
        self._meters.stored(size)
        return HTTPStatus.CREATED, size

    async def _check_quota(self, who: Who, name: PartName, size: int) -> None:
        if await self._rooms.room_bytes(name.room) + size > self._limits.room_bytes:
            raise BlobRefusal(HTTPStatus.INSUFFICIENT_STORAGE, "quota")
        used = await self._store.device_bytes(who.dev, now_ms() // _DAY_MS)
        if used + size > self._limits.device_bytes_a_day:
            raise BlobRefusal(HTTPStatus.INSUFFICIENT_STORAGE, "quota")

    async def find(self, name: PartName) -> BlobRow:
        """The finished part; BlobRefusal 404 with how much of an upload is held."""
        row = await self._store.blob(name.room, name.obj, name.part)
        if row is None or not await self._lies(row):
            held = await self._objects.held(name.room, name.obj, name.part)
            raise BlobRefusal(HTTPStatus.NOT_FOUND, "blob-missing", held)
        return row

    async def read(self, row: BlobRow, start: int, end: int) -> bytes:
        """Bytes start … end-1 of a finished part."""
        try:
            return await self._objects.read(row.room, row.obj, row.part, start, end - start)
        except FileNotFoundError as e:
            raise BlobRefusal(HTTPStatus.NOT_FOUND, "blob-missing", 0) from e


@dataclass(frozen=True, slots=True)
class PutHeaders:
    """What a PUT says of itself: bytes start … end-1 of total, and the whole part's hash."""

    start: int
    end: int
    total: int
    sha256: bytes

    @classmethod
    def parse(cls, content_range: str, length: int | None, digest: str, most: int) -> "PutHeaders":
        """BlobRefusal 400 for nonsense, 411 without a length, 413 above `most` bytes."""
        found = _DIGEST.fullmatch(digest)
        if found is None:
            raise BlobRefusal(HTTPStatus.BAD_REQUEST, "malformed")
        try:
            sha256 = base64.b64decode(found[1], validate=True)
        except binascii.Error as e:
            raise BlobRefusal(HTTPStatus.BAD_REQUEST, "malformed") from e
        if length is None:
            raise BlobRefusal(HTTPStatus.LENGTH_REQUIRED, "malformed")
        start, end, total = 0, length, length
        if content_range:
            span = _CONTENT_RANGE.fullmatch(content_range)
            if span is None:
                raise BlobRefusal(HTTPStatus.BAD_REQUEST, "malformed")
            start, end, total = int(span[1]), int(span[2]) + 1, int(span[3])
        if total > most or length > most:
            raise BlobRefusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "oversize")
        if not 0 <= start < end <= total or end - start != length:
            raise BlobRefusal(HTTPStatus.BAD_REQUEST, "malformed")
        return cls(start, end, total, sha256)


def parse_range(text: str, size: int) -> tuple[int, int] | None:
    """(start, end) of one `Range: bytes=a-b`, None for no range; BlobRefusal 416 outside the part."""
    if not text:
        return None
    found = _RANGE.fullmatch(text)
    start = int(found[1]) if found else size
    end = min(int(found[2]) + 1, size) if found and found[2] else size
    if start >= size or end <= start:
        raise BlobRefusal(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "malformed")
    return start, end


def digest_header(sha256: bytes) -> str:
    """RFC 9530's form of a hash."""
    return f"sha-256=:{base64.b64encode(sha256).decode()}:"
