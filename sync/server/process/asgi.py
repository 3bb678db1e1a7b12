# SPDX-License-Identifier: EUPL-1.2
"""The edge: passes HTTP requests and WebSockets to the service, and its answers back. No rule is here."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from sync.server.load.entrance import Caller
from sync.server.load.fairness import BudgetedRequest
from sync.server.load.meters import CONTENT_TYPE
from sync.server.load.spending import metered, pay_by
from sync.server.process.condition import Condition
from sync.server.process.http_parts import PATH, FileParts
from sync.server.process.uvicorn_protocols import SocketProtocol
from sync.server.process.websocket import Connection
from sync.server.rules.service import Service

_OPENING_S = 0.8e-3
"""Processor time of opening a WebSocket, charged to the address that opens it."""


def make_monitor(service: Service, condition: Condition) -> Starlette:
    """The application of the operator's own listener: /metrics, /healthz and /readyz."""
    health = _Health(condition)

    async def metrics(request: Request) -> Response:
        await condition.look()
        return Response(service.meters.text(), media_type=CONTENT_TYPE)

    return Starlette(routes=[*health.routes, Route("/metrics", metrics, methods=["GET"])])


class _Health:
    """Serves /healthz (the process runs) and /readyz, for a proxy, a monitor or a container. /readyz is 200 if the
    server can work, otherwise 503 with the reason: the store cannot be written, less of the disk is free than its
    reserve, or a certificate is not valid now."""

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
    """Adapts Starlette's WebSocket to what a Connection expects. If the other end has gone, `receive` returns None, and
    `write` and `close` raise ConnectionError. A text message is received as b"", which a Connection refuses as a
    malformed frame. Messages are written by uvicorn's protocol (`line`) itself, without the steps of ASGI: they cost as
    much as the encryption."""

    def __init__(self, socket: WebSocket, line: SocketProtocol) -> None:
        self._socket = socket
        self._line = line

    async def receive(self) -> bytes | None:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        return message.get("bytes") or b""

    def write(self, messages: Sequence[bytes]) -> None:
        self._line.write(messages)

    @property
    def writable(self) -> bool:
        return self._line.writable.is_set()

    async def drained(self) -> None:
        await self._line.writable.wait()

    async def close(self, code: int) -> None:
        try:
            await self._socket.close(code)
        except (WebSocketDisconnect, RuntimeError, OSError) as e:
            raise ConnectionError("gone") from e


class _Guarded:
    """▲ Wraps the application: an HTTP request begins when the budget of its party allows, and its processor time is
    charged to that budget. The party is the device whose bearer token the request shows, otherwise the client's address
    (from X-Forwarded-For, if a trusted proxy is at the other end). A WebSocket is charged for its opening; its own
    requests are budgeted elsewhere. A request of a connection that the entrance has ended is not served."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller: Caller = scope["state"]["caller"]
        headers = Headers(scope=scope)
        if not caller.forwarded(headers.getlist("x-forwarded-for")):
            while not (await receive())["type"].endswith(".disconnect"):
                pass
            return
        if scope["type"] == "websocket":
            caller.budget.charge(_OPENING_S)
            await self._app(scope, receive, send)
            return
        who = self._service.blobs.holder(headers.get("authorization", ""))
        budget = caller.budget if who is None else self._service.hub.budget(who.dev, who.uid)
        pay_by(budget)
        budgeted = scope["state"]["budgeted"] = BudgetedRequest(budget)
        async with budgeted:
            await metered(_run, self._app, scope, receive, send)


async def _run(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


class Edge:
    """The application that clients reach: the WebSocket, the parts of files, and the server's health. `app` is what
    uvicorn serves."""

    def __init__(self, service: Service, condition: Condition) -> None:
        self._service = service
        self._connections: set[Connection] = set()
        routes = [
            WebSocketRoute("/v1/sync", self.socket),
            Route(PATH, FileParts(service), methods=["PUT", "GET", "HEAD"]),
            *_Health(condition).routes,
        ]
        self.app = _Guarded(Starlette(routes=routes), service)

    async def leave(self) -> None:
        """Ends all WebSockets when the server stops: requests that have begun on them are answered, and clients are
        asked to reconnect. Takes at most two times LEAVE_S. HTTP requests are not ended here."""
        await asyncio.gather(*(connection.leave() for connection in self._connections))

    async def socket(self, websocket: WebSocket) -> None:
        await websocket.accept()
        socket = _Socket(websocket, websocket.state.line)
        connection = Connection(socket, self._service, self._service.limits, websocket.state.caller)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)
