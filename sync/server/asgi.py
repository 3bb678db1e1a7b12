# SPDX-License-Identifier: EUPL-1.2
"""The edge: HTTP and WebSocket in, the service's words out. No rule lives here."""

from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from sync.server.blobs import BlobRefusal, PartName, PutHeaders, digest_header, parse_range
from sync.server.connection import Connection
from sync.server.service import Service

_BLOB = "/v1/blobs/{room}/{obj}/{part}"


def make_app(service: Service) -> Starlette:
    """The application that uvicorn serves."""
    edge = _Edge(service)
    return Starlette(
        routes=[
            WebSocketRoute("/v1/sync", edge.socket),
            Route(_BLOB, edge.put, methods=["PUT"]),
            Route(_BLOB, edge.get, methods=["GET"]),
            Route("/healthz", edge.health, methods=["GET"]),
        ]
    )


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


class _Edge:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def socket(self, websocket: WebSocket) -> None:
        await websocket.accept()
        await Connection(_Socket(websocket), self._service, self._service.limits).run()

    async def health(self, request: Request) -> Response:
        return JSONResponse({"ok": True})

    async def put(self, request: Request) -> Response:
        try:
            name = _name(request)
            who = await self._service.blobs.may(request.headers.get("authorization", ""), name, write=True)
            length = request.headers.get("content-length")
            headers = PutHeaders.parse(
                request.headers.get("content-range", ""),
                int(length) if length and length.isascii() and length.isdigit() else None,
                request.headers.get("repr-digest", ""),
                self._service.limits.part_bytes,
            )
            status, held = await self._service.blobs.put(who, name, headers, await request.body())
        except BlobRefusal as e:
            return _refused(e)
        return Response(status_code=status, headers={"upload-offset": str(held)})

    async def get(self, request: Request) -> Response:
        """GET and HEAD (Starlette adds HEAD to a GET route)."""
        try:
            name = _name(request)
            await self._service.blobs.may(request.headers.get("authorization", ""), name, write=False)
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
            return _refused(e)
        if span is None:
            return Response(body, headers=headers)
        headers["content-range"] = f"bytes {start}-{end - 1}/{row.size_bytes}"
        return Response(body, HTTPStatus.PARTIAL_CONTENT, headers)


def _name(request: Request) -> PartName:
    p = request.path_params
    return PartName.parse(p["room"], p["obj"], p["part"])


def _refused(e: BlobRefusal) -> Response:
    headers = {} if e.offset is None else {"upload-offset": str(e.offset)}
    if e.status is HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse({"code": e.code}, e.status, headers)
