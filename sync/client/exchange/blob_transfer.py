# SPDX-License-Identifier: EUPL-1.2
"""Encrypted parts of files over HTTP, beside the socket: uploads in the background, fetches on demand (protocol §8).

A part is sent whole with its digest. The server keeps an interrupted upload only if it is complete, and answers the
upload of a part that it already has as done, so a repeated upload costs one request.
"""

import asyncio
import base64
import logging
from http import HTTPStatus

import msgspec

from sync.client.link import Link
from sync.client.ports import PartUpload
from sync.client.wakeup import woken
from sync.client.wire.transport import Answer, Dialer
from sync.crypto.kdf import H
from sync.errors import Refused, Reject, SyncError, Unreachable
from sync.ids import ObjId, PartId, RoomId
from sync.protocol import messages as m
from sync.protocol.messages import ErrorCode

log = logging.getLogger("sync")

RETRY_S = 5.0
UNREADABLE = "part-unreadable"
"""The code for a part whose file here is gone or damaged: it is never sent."""
_MARGIN_MS = 30_000


class Blobs:
    """Uploads and fetches the encrypted parts of files for one account, over HTTP. The bearer token for that comes over
    the engine's connection."""

    def __init__(self, link: Link, dialer: Dialer) -> None:
        self._link = link
        self._dialer = dialer
        self._wake = asyncio.Event()
        self._bearer = ""
        self._expires_ms = 0
        self._restored: bytes | None = None
        self._checked_for: set[PartId] = set()
        """The parts that this restored server was asked for; the others are asked for later."""
        self.refused: dict[RoomId, str] = {}
        """Why the server takes no files of a room now. The files wait, and so do the changes that name them."""

    def reupload_lost(self, statement: bytes) -> None:
        """Call it when the server was restored from a backup, as its signed `statement`, verified by the caller, says:
        `work` then uploads again the parts of files that it lost and that are stored here. The server is asked for the
        parts once for each statement."""
        mark = H(statement)
        if mark != self._restored:
            self._restored = mark
            self._checked_for.clear()
        self.wake()

    def wake(self) -> None:
        """Call it when there are new parts to upload."""
        self._wake.set()

    async def work(self) -> None:
        """Uploads the encrypted parts of files that wait, the oldest first, whenever there are some; before that, after
        a restore of the server, finds those that it lost. Runs until it is cancelled with the connection. After a
        failure it tries again in RETRY_S (seconds). Ended by Unreachable if the whole connection is lost."""
        while True:
            failed = not await self._check_for_lost()
            for upload in self._link.ports.uploads():
                failed = not await self._try(upload) or failed
            await woken(self._wake, RETRY_S if failed else None)

    async def _check_for_lost(self) -> bool:
        """After a restore of the server from a backup: asks it for every part of a file that is stored here and that it
        had confirmed, in rooms where this person may write, and marks those that it no longer has, so that they are
        uploaded again. True when all are asked for, or if there was no restore; False if some could not be asked for
        yet: the caller tries again. Unreachable if the whole connection is lost.

        The parts of rooms in which the person may not write are left out. They are asked for once they may, but not at
        once: nothing wakes `work` when a role changes, so it is with the next upload or on the next connection. The
        store has the ids of these rooms, behind the mark of the restore."""
        mark, ports = self._restored, self._link.ports
        if mark is None:
            return True
        left = _rooms_left(ports.parts_checked_for(), mark)
        if left is not None and not any(self._may_write(room) for room in left):
            return True
        shut: set[RoomId] = set()
        skipped: set[RoomId] = set()
        for part in ports.uploaded_parts():
            if part.part in self._checked_for or part.room in shut or (left is not None and part.room not in left):
                continue
            if not self._may_write(part.room):
                skipped.add(part.room)
                continue
            try:
                answer = await self._request("HEAD", part.room, part.obj, part.part, {}, None)
            except SyncError as e:
                self._raise_if_lost(e)
                log.info("part not asked for: %s", e.code)
                return False
            if answer.status == HTTPStatus.NOT_FOUND:
                ports.part_lost(part.part)
            elif answer.status != HTTPStatus.OK:
                shut.add(part.room)  # the room may never be back: other rooms do not wait for it
                continue
            self._checked_for.add(part.part)
        if not shut:
            ports.set_parts_checked_for(mark + b"".join(sorted(skipped)))
        return not shut

    def _may_write(self, room: RoomId) -> bool:
        found = self._link.rooms.get(room)
        return found is not None and found.may_write

    def _raise_if_lost(self, e: SyncError) -> None:
        """Raises `e` if it is Unreachable because the whole connection is lost."""
        if isinstance(e, Unreachable) and self._link.connection is None:
            raise e

    async def _try(self, upload: PartUpload) -> bool:
        """Uploads one encrypted part of a file (`upload`). True if the server has it, or if it cannot be read here
        because this device has dropped it meanwhile. False if it cannot be read here for any other reason, if the
        server refuses it or does not give this device the token that all transfers need, or if the route does not reach
        the server: `work` then tries all again in RETRY_S. ▲ A part that cannot be sent, because the route carries no
        files or its bytes are gone, delays no other part and no change that does not name it. Unreachable only if the
        whole connection is lost."""
        try:
            sealed = await asyncio.to_thread(self._link.ports.read_part, upload.part, upload.digest)
        except Exception as e:
            if upload not in self._link.ports.uploads():
                return True  # dropped meanwhile, since its message is not sent
            log.warning("part not read: %s", getattr(e, "code", type(e).__name__))
            self._set_refused(upload.room, UNREADABLE)
            return False
        try:
            return await self._upload(upload, sealed)
        except SyncError as e:
            self._raise_if_lost(e)
            log.info("part not sent: %s", e.code)
            self._set_refused(upload.room, e.code)
            return False

    async def _upload(self, upload: PartUpload, sealed: bytes) -> bool:
        headers = {"repr-digest": f"sha-256=:{base64.b64encode(upload.digest).decode()}:"}
        answer = await self._request("PUT", upload.room, upload.obj, upload.part, headers, sealed)
        if answer.status not in (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT):
            log.warning("upload refused: %d", answer.status)
            self._set_refused(upload.room, _why(answer))
            return False
        self._set_refused(upload.room, None)
        self._link.ports.part_uploaded(upload.part, upload.obj)
        self._link.outbox_work.set()
        return True

    def _set_refused(self, room: RoomId, code: str | None) -> None:
        if self.refused.get(room) == code:
            return
        self.refused[room] = code or ""
        if code is None:
            del self.refused[room]
        self._link.listener.on_room(room)

    async def fetch(self, room: RoomId, obj: ObjId, part: PartId, digest: bytes) -> bytes:
        """Fetches the encrypted bytes of the file part `part`, which belongs to `obj` in `room`. `digest` is the
        SHA-256 hash that they must have; Reject("blob-hash") otherwise. Refused("blob-missing") if the server does not
        have the part, Refused("forbidden") for any other refusal; Unreachable while offline; the errors of
        `Dialer.request`."""
        answer = await self._request("GET", room, obj, part, {}, None)
        if answer.status == HTTPStatus.NOT_FOUND:
            raise Refused(ErrorCode.BLOB_MISSING)
        if answer.status != HTTPStatus.OK:
            raise Refused(ErrorCode.FORBIDDEN, str(answer.status))
        if H(answer.content) != digest:
            raise Reject("blob-hash", part.hex())
        return answer.content

    async def close(self) -> None:
        """Closes the connection for requests."""
        await self._dialer.close()

    async def _request(
        self, method: str, room: RoomId, obj: ObjId, part: PartId, headers: dict[str, str], content: bytes | None
    ) -> Answer:
        answer = await self._send(method, room, obj, part, headers, content)
        if answer.status == HTTPStatus.UNAUTHORIZED:  # a restarted server does not know earlier bearers
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


def _rooms_left(stored: bytes | None, mark: bytes) -> set[RoomId] | None:
    """The rooms whose parts of files are still to be asked for after the restore of `mark`; None for all rooms, if no
    check for this restore is stored. `stored` is what the store has of the last complete check: its mark, and behind
    that the ids of the rooms that it skipped, since the person may not write there."""
    if stored is None or not stored.startswith(mark):
        return None
    rooms = stored[len(mark) :]
    return {RoomId(rooms[at : at + 16]) for at in range(0, len(rooms), 16)}


def _why(answer: Answer) -> str | None:
    """The code of `answer`, the server's refusal of an upload, if people are to be shown it: "quota" or "full", with
    which the server says that it has no room (HTTP 507; "full" also if the answer names no code). None for any other
    refusal: nobody is notified. The part is tried again in both cases."""
    if answer.status != HTTPStatus.INSUFFICIENT_STORAGE:
        return None
    try:
        reply = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ErrorCode.FULL
    code = reply.get("code") if isinstance(reply, dict) else None
    return ErrorCode.QUOTA if code == ErrorCode.QUOTA else ErrorCode.FULL
