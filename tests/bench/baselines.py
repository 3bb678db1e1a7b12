# SPDX-License-Identifier: EUPL-1.2
"""What the machine can do without us: an echo over the same libraries, a commit with the same pragmas, the hashes and
signatures of judging."""

import asyncio
import hashlib
import socket
import tempfile
import time
from pathlib import Path

import sqlcipher3.dbapi2 as sqlcipher
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import connect

from tests.bench.registry import Figure, bench, median

ECHOES = 2000
COMMITS = 1000
BODY_BYTES = 360
"""An envelope's body without its ciphertext."""
SIGNED_TOGETHER = 50
FRAME = b"\x00" * 700  # about a sealed chat message with its header


async def _echo(socket_: WebSocket) -> None:
    await socket_.accept()
    try:
        while True:
            await socket_.send_bytes(await socket_.receive_bytes())
    except WebSocketDisconnect:
        return


async def _echo_samples() -> list[float]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        Starlette(routes=[WebSocketRoute("/", _echo)]), log_level="error", ws_per_message_deflate=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    samples: list[float] = []
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve([listener]))
        async with connect(f"ws://127.0.0.1:{listener.getsockname()[1]}/", compression=None) as client:
            for _ in range(ECHOES):
                began = time.perf_counter()
                await client.send(FRAME)
                await client.recv()
                samples.append((time.perf_counter() - began) * 1e6)
        server.should_exit = True
    return samples[ECHOES // 10 :]


@bench("ws_echo_us")
def ws_echo() -> list[Figure]:
    """One frame there and back in one process: what send_to_decrypted stands on."""
    samples = asyncio.run(_echo_samples())
    note = f"{len(FRAME)} bytes there and back on loopback, without TLS, client and server on one loop"
    return [Figure(name="ws_echo_us", value=median(samples), unit="us", n=len(samples), note=note)]


@bench("sqlite_commit_us")
def sqlite_commit() -> list[Figure]:
    """One durable row: the pragmas of the client's store."""
    samples: list[float] = []
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        database = sqlcipher.connect(str(Path(folder) / "bench.db"), isolation_level=None)
        for pragma in (f"key=\"x'{'11' * 32}'\"", "journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("CREATE TABLE change (n INTEGER PRIMARY KEY, data BLOB)")
        for _ in range(COMMITS):
            began = time.perf_counter()
            database.execute("BEGIN IMMEDIATE")
            database.execute("INSERT INTO change (data) VALUES (?)", (FRAME,))
            database.execute("COMMIT")
            samples.append((time.perf_counter() - began) * 1e6)
        database.close()
    note = "SQLCipher, WAL, synchronous=FULL, one row of 700 bytes a commit, on the checkout's disk"
    return [Figure(name="sqlite_commit_us", value=median(samples), unit="us", n=len(samples), note=note)]


def judging_us() -> float:
    """What the primitives alone take of judging one envelope: two SHA-256 (its id, the running hash) and a fiftieth of
    an Ed25519 verification. The median of many batches."""
    key, body, link = Ed25519PrivateKey.generate(), bytes(BODY_BYTES), bytes(81)
    public, sig = key.public_key(), key.sign(body)
    samples: list[float] = []
    for _ in range(200):
        began = time.perf_counter()
        for _ in range(SIGNED_TOGETHER):
            hashlib.sha256(body).digest()
            hashlib.sha256(link).digest()
        public.verify(sig, body)
        samples.append((time.perf_counter() - began) * 1e6 / SIGNED_TOGETHER)
    return median(samples)


@bench("judge_raw_us")
def judge_raw() -> list[Figure]:
    """What judge_header_us stands on."""
    note = f"two SHA-256 of {BODY_BYTES} and 81 bytes, and 1/{SIGNED_TOGETHER} of an Ed25519 verification"
    return [Figure(name="judge_raw_us", value=judging_us(), unit="us", n=200, note=note)]
