# SPDX-License-Identifier: EUPL-1.2
"""The processes of floor.py: a server, a sender and a receiver that do nothing but commit, and pass bytes on by TLS.

`python -m tests.bench.floor_run server FOLDER` prints its port; `… reader FOLDER PORT COUNT` says when it is connected,
and then when it had committed each message; `… sender FOLDER PORT COUNT GAP_S` prints when it began each. Times are
CLOCK_MONOTONIC in ns. The libraries, the pragmas and the threads are those of the program.
"""

import asyncio
import json
import socket
import sqlite3
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2 as sqlcipher
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect

FRAME_BYTES = 700
"""About a sealed chat message with its header."""


class Relay:
    """A server that commits each message in a thread, and then sends it to all connections but the sender's."""

    def __init__(self, folder: Path) -> None:
        self._database = sqlite3.connect(folder / "relay.db", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=4000"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute("CREATE TABLE items (n INTEGER PRIMARY KEY, data BLOB)")
        self._writer = ThreadPoolExecutor(1)
        self._lines: list[WebSocket] = []

    async def line(self, line: WebSocket) -> None:
        await line.accept()
        self._lines.append(line)
        try:
            while True:
                data = await line.receive_bytes()
                await asyncio.get_running_loop().run_in_executor(self._writer, _commit, self._database, data)
                for other in self._lines:
                    if other is not line:
                        await other.send_bytes(data)
        except WebSocketDisconnect:
            self._lines.remove(line)


def _commit(database: Any, data: bytes) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.execute("INSERT INTO items (data) VALUES (?)", (data,))
    database.execute("COMMIT")


def _store(folder: Path, name: str, synchronous: str) -> Any:
    database = sqlcipher.connect(str(folder / f"{name}.db"), isolation_level=None)
    for pragma in (f"key=\"x'{'11' * 32}'\"", "journal_mode=WAL", f"synchronous={synchronous}", "secure_delete=ON"):
        database.execute(f"PRAGMA {pragma}")
    database.execute("CREATE TABLE items (n INTEGER PRIMARY KEY, data BLOB)")
    return database


async def _line(folder: Path, port: int) -> ClientConnection:
    tls = ssl.create_default_context(cafile=str(folder / "server" / "ca.pem"))
    return await connect(f"wss://localhost:{port}/", ssl=tls, compression=None)


async def serve(folder: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(
        Starlette(routes=[WebSocketRoute("/", Relay(folder).line)]),
        log_level="error",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        lifespan="off",
        ssl_keyfile=str(folder / "server" / "tls.key"),
        ssl_certfile=str(folder / "server" / "tls.pem"),
    )
    await uvicorn.Server(config).serve([listener])


async def read(folder: Path, port: int, count: int) -> None:
    database, seen = _store(folder, "reader", "NORMAL"), list[int]()
    async with await _line(folder, port) as line:
        print("null", flush=True)
        while len(seen) < count:
            data = await line.recv()
            assert isinstance(data, bytes)
            _commit(database, data)
            seen.append(time.monotonic_ns())
    print(json.dumps(seen), flush=True)


async def send(folder: Path, port: int, count: int, gap_s: float) -> None:
    database, sent = _store(folder, "sender", "FULL"), list[int]()
    async with await _line(folder, port) as line:
        for _ in range(count):
            await asyncio.sleep(gap_s)
            sent.append(time.monotonic_ns())
            _commit(database, bytes(FRAME_BYTES))
            await line.send(bytes(FRAME_BYTES))
        await asyncio.sleep(0.5)
    print(json.dumps(sent), flush=True)


def main() -> None:
    role, folder, *rest = sys.argv[1:]
    match role:
        case "server":
            asyncio.run(serve(Path(folder)))
        case "reader":
            asyncio.run(read(Path(folder), int(rest[0]), int(rest[1])))
        case _:
            asyncio.run(send(Path(folder), int(rest[0]), int(rest[1]), float(rest[2])))


if __name__ == "__main__":
    main()
