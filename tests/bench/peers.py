# SPDX-License-Identifier: EUPL-1.2
"""The same message beside another server, on the same machine and in the same minutes: `make bench PEERS=1`.

Debian's prosody stores each message in an SQL archive before it delivers it, without end-to-end encryption, without
judging, and without a store at the clients. So it shows what the machine, TLS and one durable server cost.
"""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.desk import TEXT
from tests.bench.office import ROOT, as_shipped, found, scratch
from tests.bench.registry import Figure, bench, median
from tests.bench.sending import GAP_S, MESSAGES, WARM_UP, latencies, two_desks
from tests.bench.xmpp import HOST, XmppClient

TIMES = 3
"""How often the two are measured by turns."""
NAMES = ("handlaggare", "enhetschef")
PROSODY = "prosody"
"""Installed by `make bench PEERS=1` alone; the tests need none."""
PASSWORD = "bara-for-matningen"
_CONFIG = """
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
interfaces = {{ "127.0.0.1", "::1" }}
c2s_ports = {{ }}
c2s_direct_tls_ports = {{ {port} }}
s2s_ports = {{ }}
modules_enabled = {{ "roster", "saslauth", "tls", "disco", "mam" }}
modules_disabled = {{ "s2s", "offline" }}
authentication = "internal_plain"
storage = "sql"
sql = {{ driver = "SQLite3", database = "{folder}/prosody.sqlite" }}
sqlite_tune = "{tune}"
archive_expires_after = "never"
default_archive_policy = true
limits = {{ }}
c2s_direct_tls_ssl = {{ key = "{folder}/server/tls.key", certificate = "{folder}/server/tls.pem" }}
log = {{ error = "{folder}/prosody.err" }}
VirtualHost "localhost"
"""


@contextmanager
def prosody(folder: Path, tune: str) -> Iterator[int]:
    """A running prosody with two accounts; gives its port. The certificate is that of the agency in the folder. `tune`:
    how its SQLite writes, "normal" (a log that is not flushed) or "default" (each transaction is flushed)."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "prosody.cfg.lua"
    (folder / "data").mkdir()
    config.write_text(_CONFIG.format(folder=folder, port=port, tune=tune), encoding="utf-8")
    for name in NAMES:
        command = ["prosodyctl", "--root", "--config", str(config), "register", name, HOST, PASSWORD]
        subprocess.run(command, check=True, capture_output=True)
    process = subprocess.Popen([PROSODY, "--root", "-F", "--config", str(config)], stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _latencies(folder: Path, port: int) -> list[float]:
    """Milliseconds from each message's sending to its reading in another process."""
    ca_file = folder / "server" / "ca.pem"
    command = [sys.executable, "-m", "tests.bench.xmpp", str(port), str(ca_file), NAMES[1], PASSWORD, str(MESSAGES)]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=as_shipped())
    assert reader.stdout is not None
    reader.stdout.readline()
    sent = asyncio.run(_send(port, ca_file))
    seen = json.loads(reader.stdout.readline())
    reader.wait(30)
    reader.stdout.close()
    return [(seen[ident] - began) / 1e6 for ident, began in sent.items()][WARM_UP:]


async def _send(port: int, ca_file: Path) -> dict[str, int]:
    client = await XmppClient.sign_in(port, ca_file, NAMES[0], PASSWORD)
    sent = {}
    for n in range(MESSAGES):
        await asyncio.sleep(GAP_S)
        sent[f"m{n}"] = time.monotonic_ns()
        client.send(NAMES[1], f"m{n}", TEXT.format(n=n))
    await asyncio.sleep(0.5)
    client.close()
    return sent


@bench(
    "beside_prosody_p50_ms",
    "prosody_sql_p50_ms",
    "prosody_sql_unflushed_p50_ms",
    "beside_prosody_ratio",
    "beside_prosody_unflushed_ratio",
    peers=True,
)
def beside_prosody() -> list[Figure]:
    """A message alone on its way, by turns here and there."""
    if shutil.which(PROSODY) is None or os.name == "nt":
        raise SystemExit("prosody is not installed: bash packaging/linux/setup.sh peers")
    ours, default, unflushed = list[float](), list[float](), list[float]()
    for _ in range(TIMES):
        with scratch() as folder, two_desks(folder) as (a, b, room):
            ours += latencies(a, b, room)
        with scratch() as folder:
            found(folder)
            with prosody(folder, "default") as port:
                default += _latencies(folder, port)
        with scratch() as folder:
            found(folder)
            with prosody(folder, "normal") as port:
                unflushed += _latencies(folder, port)
    note = f"the same message, {TIMES} times by turns with the others"
    stored = "prosody, SQLite archive, TLS, two client processes without encryption and store; "
    return [
        Figure(name="beside_prosody_p50_ms", value=median(ours), unit="ms", n=len(ours), note=note),
        Figure(
            name="prosody_sql_p50_ms",
            value=median(default),
            unit="ms",
            n=len(default),
            note=f"{stored}as Debian configures it: each transaction is flushed, as ours are",
        ),
        Figure(
            name="prosody_sql_unflushed_p50_ms",
            value=median(unflushed),
            unit="ms",
            n=len(unflushed),
            note=f'{stored}sqlite_tune = "normal": nothing is flushed',
        ),
        Figure(
            name="beside_prosody_ratio",
            value=median(ours) / median(default),
            unit="",
            n=TIMES,
            note="ours to prosody as Debian configures it",
        ),
        Figure(
            name="beside_prosody_unflushed_ratio",
            value=median(ours) / median(unflushed),
            unit="",
            n=TIMES,
            note="ours to the one that flushes nothing",
        ),
    ]
