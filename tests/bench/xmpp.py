# SPDX-License-Identifier: EUPL-1.2
"""A small XMPP client over TLS, for measuring another server beside ours: signs in, sends chat messages, reads them.

`python -m tests.bench.xmpp PORT CA NAME PASSWORD COUNT` signs in, says so, and prints when each of COUNT messages was
read, by its id, in ns of CLOCK_MONOTONIC.
"""

import asyncio
import base64
import json
import re
import ssl
import sys
import time
from pathlib import Path

HOST = "localhost"
_HEAD = (
    f"<?xml version='1.0'?><stream:stream to='{HOST}' version='1.0' xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams'>"
)
_MESSAGE = re.compile(rb"<message [^>]*?\bid='([^']*)'.*?</message>", re.DOTALL)
PATIENCE_S = 30.0


class XmppClient:
    """One signed-in client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._buffer = b""

    @classmethod
    async def sign_in(cls, port: int, ca_file: Path, name: str, password: str) -> "XmppClient":
        """Connects, signs in, and is available. TimeoutError if the server does not answer as expected."""
        tls = ssl.create_default_context(cafile=str(ca_file))
        client = cls(*await asyncio.open_connection(HOST, port, ssl=tls))
        client._write(_HEAD)
        await client._until(b"</stream:features>")
        plain = base64.b64encode(f"\0{name}\0{password}".encode()).decode()
        client._write(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>")
        await client._until(b"<success")
        client._write(_HEAD)
        await client._until(b"</stream:features>")
        client._write("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        await client._until(b"</iq>")
        client._write("<presence/>")
        await client._until(b"<presence")
        return client

    def send(self, to: str, ident: str, text: str) -> None:
        """Sends a message; it is on its way when this returns."""
        self._write(f"<message to='{to}@{HOST}' type='chat' id='{ident}'><body>{text}</body></message>")

    async def received(self) -> str:
        """The id of the next message."""
        while (found := _MESSAGE.search(self._buffer)) is None:
            self._buffer += await self._reader.read(65536)
        self._buffer = self._buffer[found.end() :]
        return found[1].decode()

    def close(self) -> None:
        self._writer.close()

    def _write(self, text: str) -> None:
        self._writer.write(text.encode())

    async def _until(self, end: bytes) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while end not in self._buffer:
                data = await self._reader.read(65536)
                if not data:
                    raise ConnectionError(self._buffer.decode(errors="replace")[-200:])
                self._buffer += data
        self._buffer = b""


async def read(port: int, ca_file: Path, name: str, password: str, count: int) -> None:
    client = await XmppClient.sign_in(port, ca_file, name, password)
    print("null", flush=True)
    seen: dict[str, int] = {}
    while len(seen) < count:
        ident = await client.received()
        seen[ident] = time.monotonic_ns()
    print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    asyncio.run(read(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])))
