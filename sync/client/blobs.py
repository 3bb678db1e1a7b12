# SPDX-License-Identifier: EUPL-1.2
"""Sealed parts of files over HTTP, beside the socket: uploads in the background, fetches on demand (protocol §8).

A part is sent whole with its digest; the server keeps what came of an interrupted one only if it is complete, and an
upload of a part that is already there is answered as done, so a repeat costs one request.
"""

import asyncio
import base64
import logging
from http import HTTPStatus

import msgspec

from sync.client.link import Link
from sync.client.ports import PartUpload
from sync.client.transport import Answer, Dialer
from sync.client.waking import woken
from sync.crypto.kdf import H
from sync.errors import Refused, Reject
from sync.ids import ObjId, PartId, RoomId
from sync.protocol import messages as m
from sync.protocol.messages import ErrorCode

log = logging.getLogger("sync")

RETRY_S = 5.0
_MARGIN_MS = 30_000


class Blobs:
    """Uploads and fetches for one account; uses the engine's connection to mint bearers."""

    def __init__(self, link: Link, dialer: Dialer) -> None:
        self._link = link
        self._dialer = dialer
        self._wake = asyncio.Event()
        self._bearer = ""
        self._expires_ms = 0
        self._restored: bytes | None = None
        self.refused: dict[RoomId, str] = {}
        """Why the server takes no files of a room now; they and the changes that name them wait."""

    def give_back(self, statement: bytes) -> None:
        """The server was restored, by its statement: what it lost of the parts that lie here is uploaded again. Looked
        at once for each statement."""
        self._restored = H(statement)
        self.wake()

    def wake(self) -> None:
        """There are new parts to upload."""
        self._wake.set()

    async def work(self) -> None:
        """Uploads while the connection lives."""
        while True:
            failed = not await self._look_for_lost()
            for upload in self._link.ports.uploads():
                failed = not await self._upload(upload) or failed
            await woken(self._wake, RETRY_S if failed else None)

    async def _look_for_lost(self) -> bool:
        """Marks the parts that a restored server has no more. False if some could not be asked for (yet)."""
        mark, ports = self._restored, self._link.ports
        if mark is None or ports.parts_looked_for() == mark:
            return True
        for part in ports.uploaded_parts():
            room = self._link.rooms.get(part.room)
            if room is None or not room.may_write:
                continue
            answer = await self._request("HEAD", part.room, part.obj, part.part, {}, None)
            if answer.status == HTTPStatus.NOT_FOUND:
                ports.part_lost(part.part)
            elif answer.status != HTTPStatus.OK:
                return False  # the room is not back yet
        ports.set_parts_looked_for(mark)
        return True

    async def _upload(self, upload: PartUpload) -> bool:
        sealed = await asyncio.to_thread(self._link.ports.read_part, upload.part, upload.digest)
        headers = {"repr-digest": f"sha-256=:{base64.b64encode(upload.digest).decode()}:"}
        answer = await self._request("PUT", upload.room, upload.obj, upload.part, headers, sealed)
        if answer.status not in (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT):
            log.warning("upload refused: %d", answer.status)
            self._say(upload.room, _why(answer))
            return False
        self._say(upload.room, None)
        self._link.ports.part_uploaded(upload.part)
        self._link.outbox_work.set()
        return True

    def _say(self, room: RoomId, code: str | None) -> None:
        if self.refused.get(room) == code:
            return
        self.refused[room] = code or ""
        if code is None:
            del self.refused[room]
        self._link.listener.on_room(room)

    async def fetch(self, room: RoomId, obj: ObjId, part: PartId, digest: bytes) -> bytes:
        """The sealed bytes of a part. Raises Refused("blob-missing"), Reject("blob-hash"), and
        the errors of `Dialer.request`."""
        answer = await self._request("GET", room, obj, part, {}, None)
        if answer.status == HTTPStatus.NOT_FOUND:
            raise Refused(ErrorCode.BLOB_MISSING)
        if answer.status != HTTPStatus.OK:
            raise Refused(ErrorCode.FORBIDDEN, str(answer.status))
        if H(answer.content) != digest:
            raise Reject("blob-hash", part.hex())
        return answer.content

    async def close(self) -> None:
        """Ends the connection for requests."""
        await self._dialer.close()

    async def _request(
        self, method: str, room: RoomId, obj: ObjId, part: PartId, headers: dict[str, str], content: bytes | None
    ) -> Answer:
        answer = await self._send(method, room, obj, part, headers, content)
        if answer.status == HTTPStatus.UNAUTHORIZED:  # a server that was started anew knows no bearer of before
            self._expires_ms = 0
            answer = await self._send(method, room, obj, part, headers, content)
        return answer

    async def _send(
        self, method: str, room: RoomId, obj: ObjId, part: PartId, headers: dict[str, str], content: bytes | None
    ) -> Answer:
        path = f"/v1/blobs/{room.hex()}/{obj.hex()}/{part.hex()}"
        bearer = await self._token()
        return await self._dialer.request(method, path, {**headers, "authorization": f"Bearer {bearer}"}, content)

    async def _token(self) -> str:
        if self._expires_ms - _MARGIN_MS < self._link.server_now_ms:
            reply = await self._link.online.request(lambda rid: m.BlobToken(rid=rid), m.BlobTokenReply)
            self._bearer, self._expires_ms = reply.bearer, reply.expires
        return self._bearer


def _why(answer: Answer) -> str | None:
    """The code of a refusal that waiting cures; another is told by nobody: the part is tried again."""
    if answer.status != HTTPStatus.INSUFFICIENT_STORAGE:
        return None
    try:
        told = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ErrorCode.FULL
    code = told.get("code") if isinstance(told, dict) else None
    return ErrorCode.QUOTA if code == ErrorCode.QUOTA else ErrorCode.FULL
