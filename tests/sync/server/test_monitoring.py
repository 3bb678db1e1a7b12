# SPDX-License-Identifier: EUPL-1.2
"""What an operator's monitor sees: alive, ready, figures; and that no figure identifies anybody."""

import asyncio
import errno
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from sync.protocol import messages as m
from sync.server.load.meters import Meters
from sync.server.process.running import start_server
from sync.server.store.base import Full
from sync.server.store.sql import SqlStore
from tests.patience import PATIENCE_S
from tests.sync.server import failing
from tests.sync.server.house import TEXT, House
from tests.sync.server.process import serve
from tests.sync.server.wire import Refused, config, trust

KEYS = {"code", "le", "file", "which", "why", "version"}
"""The labels: codes of the protocol, bounds of the histogram, two kinds of files and of certificates, reasons, the
program's version."""


@pytest.fixture
async def watched(data: Path) -> AsyncIterator[House]:
    async with start_server(replace(config(data), metrics="127.0.0.1:0")) as server:
        made = House(server, data)
        yield made
        await made.close()


async def figures(house: House) -> dict[str, float]:
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        answer = await http.get(f"{house.server.monitor}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation
        for sample in family.samples:
            assert set(sample.labels) <= KEYS
            found[sample.name + "".join(f" {value}" for value in sample.labels.values())] = sample.value
    return found


async def test_what_happens_is_counted(watched: House) -> None:
    before = await figures(watched)
    anna, _, room = await watched.two_in_a_room()
    await anna.push(room, TEXT, TEXT)
    await anna.sync(room)
    with pytest.raises(Refused, match="unknown-room"):
        await anna.wire.ask(m.Pull(anna.wire.rid(), b"n" * 16, 0, 1000), m.Items)
    now = await figures(watched)
    assert now["kansli_connections"] == 2
    assert now["kansli_items_accepted_total"] == anna.rooms[room].n == 5
    assert now["kansli_refusals_total unknown-room"] == 1
    assert now["kansli_commit_seconds_count"] > before["kansli_commit_seconds_count"]
    assert now["kansli_ready"] == 1
    assert now["kansli_disk_free_bytes"] > 0
    assert now["kansli_store_bytes database"] + now["kansli_store_bytes log"] > 0
    assert now["kansli_store_queue"] == 0
    assert 3 * 365 - 1 < now["kansli_certificate_days server"] <= 3 * 365
    assert 396 < now["kansli_certificate_days tls"] <= 397


@pytest.mark.parametrize("left", [None, b"", b"-----BEGIN CERTIFICATE-----"])
async def test_a_certificate_that_is_just_being_replaced_takes_no_other_figure_along(
    watched: House, left: bytes | None
) -> None:
    cert = watched.data / "tls.pem"
    cert.unlink()
    if left is not None:
        cert.write_bytes(left)
    now = await figures(watched)
    assert now["kansli_certificate_days tls"] > 0  # of what is in use
    assert now["kansli_certificate_days server"] > 0


async def test_no_figure_identifies_anybody(watched: House) -> None:
    anna, bert, room = await watched.two_in_a_room()
    await anna.push(room, TEXT)
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        text = (await http.get(f"{watched.server.monitor}/metrics")).text
    for secret in (anna.uid, bert.uid, anna.author.dev, bert.author.dev, room):
        assert secret.hex() not in text
    assert not re.search(r"(?=\d*[a-f])[0-9a-f]{16}|handl|regist", text, re.IGNORECASE)


def test_a_code_that_is_none_makes_no_figure_of_its_own() -> None:
    meters = Meters()
    meters.refused("busy")
    meters.refused("<script>")
    assert b'code="other"' in meters.text()
    assert b"script" not in meters.text()


async def test_figures_are_not_where_clients_come(watched: House) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE_S, verify=trust(watched.data)) as http:
        assert (await http.get(f"{watched.server.url}/metrics")).status_code == 404
        assert (await http.get(f"{watched.server.url}/healthz")).json() == {"ok": True}
        assert (await http.get(f"{watched.server.url}/readyz")).json() == {"ok": True, "code": "ready"}
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        assert (await http.get(f"{watched.server.monitor}/healthz")).json() == {"ok": True}
        assert (await http.get(f"{watched.server.monitor}/readyz")).status_code == 200


@pytest.mark.skipif(not failing.possible, reason="needs seccomp")
async def test_a_server_whose_every_flush_fails_is_not_ready(data: Path) -> None:
    """The probe writes for real: a page that changes, and is flushed."""
    served = await serve(data, "--metrics", "127.0.0.1:0")
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        assert (await http.get(f"{served.ready['metrics']}/readyz")).status_code == 200
        assert await served.stop() == 0
        served = await serve(data, "--metrics", "127.0.0.1:0", before=failing.failing_flushes())
        answer = await http.get(f"{served.ready['metrics']}/readyz")
        assert (answer.status_code, answer.json()) == (503, {"ok": False, "code": "full"})
        assert "kansli_ready 0.0" in (await http.get(f"{served.ready['metrics']}/metrics")).text
    await served.stop()


class Stuck(SqlStore):
    """A disk that does not answer."""

    looks = 0

    async def probe(self) -> None:
        self.looks += 1
        await asyncio.Event().wait()


async def test_a_disk_that_does_not_answer_is_not_ready_and_is_asked_once(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.server.process.condition._AGE_S", 0.0)
    monkeypatch.setattr("sync.server.process.condition._PROBE_S", 0.05)
    store = Stuck(data / "server.sqlite3")
    async with (
        start_server(replace(config(data), metrics="127.0.0.1:0"), store=store) as server,
        httpx.AsyncClient(timeout=PATIENCE_S) as http,
    ):
        for _ in range(5):
            answer = await http.get(f"{server.monitor}/readyz")
            assert (answer.status_code, answer.json()) == (503, {"ok": False, "code": "slow"})
        assert store.looks == 1


class Choked(SqlStore):
    full = True
    looks = 0

    async def probe(self) -> None:
        self.looks += 1
        if self.full:
            raise Full("disk")


async def test_a_server_that_cannot_write_is_not_ready_and_is_not_asked_more_than_once_a_second(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.server.process.condition._AGE_S", 1e9)  # longer than any machine has been up
    store = Choked(data / "server.sqlite3")
    async with (
        start_server(replace(config(data), metrics="127.0.0.1:0"), store=store) as server,
        httpx.AsyncClient(timeout=PATIENCE_S) as http,
    ):
        for _ in range(5):
            answer = await http.get(f"{server.monitor}/readyz")
            assert (answer.status_code, answer.json()) == (503, {"ok": False, "code": "full"})
            assert (await http.get(f"{server.monitor}/healthz")).status_code == 200
        assert store.looks == 1
        assert "kansli_ready 0.0" in (await http.get(f"{server.monitor}/metrics")).text
        monkeypatch.setattr("sync.server.process.condition._AGE_S", 0.0)
        store.full = False
        assert (await http.get(f"{server.monitor}/readyz")).status_code == 200


async def test_a_disk_that_cannot_be_asked_is_not_ready_and_figures_are_given(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise OSError(errno.EIO, "Input/output error", str(path))

    async with (
        start_server(replace(config(data), metrics="127.0.0.1:0")) as server,
        httpx.AsyncClient(timeout=PATIENCE_S) as http,
    ):
        monkeypatch.setattr("shutil.disk_usage", fail)
        answer = await http.get(f"{server.monitor}/readyz")
        assert (answer.status_code, answer.json()) == (503, {"ok": False, "code": "full"})
        answer = await http.get(f"{server.monitor}/metrics")
        assert answer.status_code == 200
        assert "kansli_ready 0.0" in answer.text


async def test_less_than_the_reserve_is_not_ready(data: Path) -> None:
    async with (
        start_server(replace(config(data), metrics="127.0.0.1:0", disk_reserve_bytes=1 << 60)) as server,
        httpx.AsyncClient(timeout=PATIENCE_S) as http,
    ):
        answer = await http.get(f"{server.monitor}/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "full")
