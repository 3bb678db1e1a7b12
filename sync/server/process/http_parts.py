# SPDX-License-Identifier: EUPL-1.2
"""Parts of files over HTTP: reads requests and sends answers. The rules are in blob_parts.py.

A device has few such requests at a time, each with at most one part in memory. A client that neither reads nor sends is
disconnected. So a connection that is slow on purpose costs only its own device.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from sync.server.load.entrance import Caller
from sync.server.load.fairness import BudgetedRequest
from sync.server.objects.base import Unreadable
from sync.server.rules.blob_headers import BlobRefusal, PartName, PutHeaders, digest_header, parse_range
from sync.server.rules.handshake import Who
from sync.server.rules.service import Service

log = logging.getLogger("sync.server")

PATH = "/v1/blobs/{room}/{obj}/{part}"
_PIECE_BYTES = 64 * 1024


class FileParts:
    """The ASGI application for parts of files, at the path PATH: uploads (PUT) and downloads (GET, HEAD). Each request
    must show a device's bearer token; a refused one is answered with a code in JSON. A client that neither reads nor
    sends for `stall_s` is disconnected."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._stall_s = service.limits.stall_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        caller: Caller = request.state.caller
        try:
            who = self._service.blobs.who(request.headers.get("authorization", ""))
            name, write = _name(request), request.method == "PUT"
            await self._service.blobs.check_may(who, name, write=write)
            async with self._slot(request, who):
                response = await (self._put if write else self._get)(request, name, who)
                await self._send(response, send)
        except BlobRefusal as e:
            await self._refused(e)(scope, receive, send)
        except Unreadable as e:
            log.error("a part cannot be read: errno %s", e)
            await self._refused(BlobRefusal(HTTPStatus.SERVICE_UNAVAILABLE, e.code))(scope, receive, send)
        except ClientDisconnect:
            return
        except TimeoutError:
            caller.end()
            while (await receive())["type"] != "http.disconnect":
                pass

    @asynccontextmanager
    async def _slot(self, request: Request, who: Who) -> AsyncIterator[None]:
        """▲ Waits until the device `who` may have one more request for parts of files; it may have few at a time, and
        this one counts until the block ends. BlobRefusal 429 if too many wait. Such a request lasts as long as the
        client's connection needs. So in the device's budget, which decides when requests begin, it counts as running
        only while the server works on it."""
        request.state.caller.signed_in(self._service.hub.budget(who.dev, who.uid))
        request.state.budgeted.end()
        async with self._service.blobs.slot(who):
            yield

    async def _put(self, request: Request, name: PartName, who: Who) -> Response:
        length = request.headers.get("content-length")
        headers = PutHeaders.parse(
            request.headers.get("content-range", ""),
            int(length) if length and length.isascii() and length.isdigit() else None,
            request.headers.get("repr-digest", ""),
            self._service.limits.part_bytes,
        )
        body = await self._body(request, headers.end - headers.start)
        async with self._budgeted(who):
            status, held = await self._service.blobs.put(who, name, headers, body)
        return Response(status_code=status, headers={"upload-offset": str(held)})

    async def _get(self, request: Request, name: PartName, who: Who) -> Response:
        """Answers GET and HEAD of the part `name`: all of it (200), or the bytes that the Range header asks for (206).
        HEAD gets headers only, and no range. `who`: the device that asks, whose budget lets the step begin; its
        permission was checked before. BlobRefusal 404 if the part is not complete or its bytes are missing, 416 if the
        range is not possible."""
        async with self._budgeted(who):
            row = await self._service.blobs.find(name)
            headers = {
                "repr-digest": digest_header(row.sha256),
                "accept-ranges": "bytes",
                "cache-control": "no-store",
                "content-type": "application/octet-stream",
            }
            if request.method == "HEAD":
                return Response(headers={**headers, "content-length": str(row.size_bytes)})
            span = parse_range(request.headers.get("range", ""), row.size_bytes)
            start, end = span or (0, row.size_bytes)
            body = await self._service.blobs.read(row, start, end)
        if span is None:
            return Response(body, headers=headers)
        headers["content-range"] = f"bytes {start}-{end - 1}/{row.size_bytes}"
        return Response(body, HTTPStatus.PARTIAL_CONTENT, headers)

    def _budgeted(self, who: Who) -> BudgetedRequest:
        """▲ Returns an object for an `async with` block that is one step of a request for files: the block begins when
        the budget of the device `who` allows, as the requests on its WebSocket do. It counts as a running request of
        the device until it ends; its processor time is charged elsewhere."""
        return BudgetedRequest(self._service.hub.budget(who.dev, who.uid))

    async def _body(self, request: Request, size: int) -> bytes:
        """Reads the request's body, of `size` bytes as announced. A shorter body is returned as it is. ▲ BlobRefusal
        413 for more: a chunked body ends only when its sender wants. TimeoutError if nothing is received for `stall_s`,
        ClientDisconnect if the client has gone."""
        pieces: list[bytes] = []
        stream = request.stream()
        while True:
            try:
                async with asyncio.timeout(self._stall_s):
                    piece = await anext(stream)
            except StopAsyncIteration:
                return b"".join(pieces)
            pieces.append(piece)
            size -= len(piece)
            if size < 0:
                raise BlobRefusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "oversize")

    async def _send(self, response: Response, send: Send) -> None:
        """Sends a response piece by piece, as fast as the client reads. ▲ So a part that the client does not read does
        not fill the socket's buffer. TimeoutError if the client reads nothing for `stall_s`."""
        body = bytes(response.body)
        await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
        for at in range(0, max(1, len(body)), _PIECE_BYTES):
            piece, more = body[at : at + _PIECE_BYTES], at + _PIECE_BYTES < len(body)
            async with asyncio.timeout(self._stall_s):
                await send({"type": "http.response.body", "body": piece, "more_body": more})

    def _refused(self, e: BlobRefusal) -> Response:
        self._service.meters.refused(e.code)
        headers = {} if e.offset is None else {"upload-offset": str(e.offset)}
        if e.status is HTTPStatus.UNAUTHORIZED:
            headers["www-authenticate"] = "Bearer"
        return JSONResponse({"code": e.code}, e.status, headers)


def _name(request: Request) -> PartName:
    p = request.path_params
    return PartName.parse(p["room"], p["obj"], p["part"])
