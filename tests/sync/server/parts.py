# SPDX-License-Identifier: EUPL-1.2
"""Parts of files over HTTP, by hand, for the server's tests."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from sync.crypto.kdf import H
from sync.protocol import messages as m
from tests.patience import PATIENCE_S
from tests.sync.server.wire import Person, trust


class Files:
    """Parts of files over HTTP for one signed-in person."""

    def __init__(self, http: httpx.AsyncClient, url: str, bearer: str) -> None:
        self._http, self._url = http, url
        self._headers = {"authorization": f"Bearer {bearer}"}

    async def put(self, room: bytes, part: bytes, body: bytes) -> httpx.Response:
        digest = f"sha-256=:{base64.b64encode(H(body)).decode()}:"
        headers = {**self._headers, "repr-digest": digest}
        return await self._http.put(self._at(room, part), headers=headers, content=body)

    async def get(self, room: bytes, part: bytes) -> httpx.Response:
        return await self._http.get(self._at(room, part), headers=self._headers)

    def _at(self, room: bytes, part: bytes) -> str:
        return f"{self._url}/v1/blobs/{room.hex()}/{room.hex()}/{part.hex()}"


@asynccontextmanager
async def files_of(anna: Person, url: str, data: Path) -> AsyncIterator[Files]:
    reply = await anna.wire.ask(m.BlobToken(anna.wire.rid()), m.BlobTokenReply)
    async with httpx.AsyncClient(timeout=PATIENCE_S, verify=trust(data)) as http:
        yield Files(http, url, reply.bearer)
