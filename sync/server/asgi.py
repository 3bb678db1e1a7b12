# SPDX-License-Identifier: EUPL-1.2
"""The edge: HTTP and WebSocket in, the service's words out. No rule lives here."""

import asyncio
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from sync.server.blobheaders import BlobRefusal, PartName, PutHeaders, digest_header, parse_range
from sync.server.condition import Condition
from sync.server.connection import Connection
from sync.server.meters import CONTENT_TYPE
from sync.server.service import Service

_BLOB = "/v1/blobs/{room}/{obj}/{part}"


def make_monitor(service: Service, condition: Condition) -> Starlette:
    """What the operator's own listener serves: figures, and the same two questions."""
    health = _Health(condition)

    async def metrics(request: Request) -> Response:
        await condition.look()
        return Response(service.meters.text(), media_type=CONTENT_TYPE)

    return Starlette(routes=[*health.routes, Route("/metrics", metrics, methods=["GET"])])


class _Health:
    """Whether it lives, and whether it would take what is allowed: for a proxy, a monitor, a container."""

    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self.routes = [
            Route("/healthz", self._alive, methods=["GET"]),
            Route("/readyz", self._ready, methods=["GET"]),
        ]

    async def _alive(self, request: Request) -> Response:
        return JSONResponse({"ok": True})

    async def _ready(self, request: Request) -> Response:
        look = await self._condition.look()
        status = HTTPStatus.OK if look.ready else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse({"ok": look.ready, "code": look.code}, status)


class _Socket:
    """Starlette's WebSocket as a connection wants it."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def receive(self) -> bytes | None:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        return message.get("bytes") or b""

    async def send(self, data: bytes) -> None:
        try:
            await self._socket.send({"type": "websocket.send", "bytes": data})
        except (WebSocketDisconnect, RuntimeError, OSError) as e:
            raise ConnectionError("gone") from e

    async def close(self, code: int) -> None:
        try:
            await self._socket.close(code)
        except (WebSocketDisconnect, RuntimeError, OSError) as e:
            raise ConnectionError("gone") from e


class Edge:
    """What clients reach. `app` is what uvicorn serves."""

    def __init__(self, service: Service, condition: Condition) -> None:
        self._service = service
        self._connections: set[Connection] = set()
        self.app = Starlette(
            routes=[
                WebSocketRoute("/v1/sync", self.socket),
                Route(_BLOB, self.put, methods=["PUT"]),
                Route(_BLOB, self.get, methods=["GET"]),
                *_Health(condition).routes,
            ]
        )

    async def leave(self) -> None:
        """Every connection is answered what it has begun to ask, and told to come back."""
        await asyncio.gather(*(connection.leave() for connection in self._connections))

    async def socket(self, websocket: WebSocket) -> None:
        await websocket.accept()
        connection = Connection(_Socket(websocket), self._service, self._service.limits)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)

    async def put(self, request: Request) -> Response:
        try:
            name = _name(request)
            who = self._service.blobs.who(request.headers.get("authorization", ""))
            await self._service.blobs.check_may(who, name, write=True)
            length = request.headers.get("content-length")
            headers = PutHeaders.parse(
                request.headers.get("content-range", ""),
                int(length) if length and length.isascii() and length.isdigit() else None,
                request.headers.get("repr-digest", ""),
                self._service.limits.part_bytes,
            )
            body = await _body(request, headers.end - headers.start)
            status, held = await self._service.blobs.put(who, name, headers, body)
        except BlobRefusal as e:
            return self._refused(e)
        return Response(status_code=status, headers={"upload-offset": str(held)})

    async def get(self, request: Request) -> Response:
        """GET and HEAD (Starlette adds HEAD to a GET route)."""
        try:
            name = _name(request)
            who = self._service.blobs.who(request.headers.get("authorization", ""))
            await self._service.blobs.check_may(who, name, write=False)
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
        except BlobRefusal as e:
            return self._refused(e)
        if span is None:
            return Response(body, headers=headers)
        headers["content-range"] = f"bytes {start}-{end - 1}/{row.size_bytes}"
        return Response(body, HTTPStatus.PARTIAL_CONTENT, headers)

    def _refused(self, e: BlobRefusal) -> Response:
        self._service.meters.refused(e.code)
        headers = {} if e.offset is None else {"upload-offset": str(e.offset)}
        if e.status is HTTPStatus.UNAUTHORIZED:
            headers["www-authenticate"] = "Bearer"
        return JSONResponse({"code": e.code}, e.status, headers)


def _name(request: Request) -> PartName:
    p = request.path_params
    return PartName.parse(p["room"], p["obj"], p["part"])


async def _body(request: Request, size: int) -> bytes:
    """▲ No more than was announced is taken in: a body in chunks has no end but its sender's."""
    pieces: list[bytes] = []
    async for piece in request.stream():
        pieces.append(piece)
        size -= len(piece)
        if size < 0:
            raise BlobRefusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "oversize")
    return b"".join(pieces)
