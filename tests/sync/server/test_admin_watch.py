# SPDX-License-Identifier: EUPL-1.2
"""How a running server reports administrators' commands: lines in its log, figures, and an error for a chain that was
cut."""

import asyncio
import contextlib
import json
import logging
import math
import sqlite3
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from sync.protocol.version import PROGRAM
from sync.server.__main__ import main
from sync.server.operator import admin
from sync.server.process import admin_watch
from sync.server.process.running import start_server
from sync.server.store.base import Full, Unwritable
from sync.server.store.sql import SqlStore
from tests.patience import PATIENCE_S
from tests.sync.server.house import House
from tests.sync.server.process import serve
from tests.sync.server.test_monitoring import figures
from tests.sync.server.wire import config
from tests.world import until


@pytest.fixture
async def watched(data: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(admin_watch, "_EVERY_S", 0.02)
    monkeypatch.setattr(admin_watch, "_COUNT_EVERY", 1)
    async with start_server(replace(config(data), metrics="127.0.0.1:0")) as server:
        made = House(server, data)
        yield made
        await made.close()


async def command(data: Path, *words: str) -> int:
    """Runs a command beside the server."""
    return await asyncio.to_thread(main, [words[0], "--data", str(data), *words[1:]])


async def becomes(house: House, **expected: float) -> dict[str, float]:
    """Waits until these figures are as expected. Returns all figures."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            now = await figures(house)
            if all(now.get(f"kansli_{name}") == value for name, value in expected.items()):
                return now


def copies(text: str) -> list[str]:
    """The commands in a log's copies of the admin log."""
    lines = [line.partition(" admin {")[2] for line in text.splitlines() if " admin {" in line]
    return [json.loads("{" + line.rpartition(" ")[0])["command"] for line in lines]


async def test_backups_are_watched(watched: House, tmp_path: Path) -> None:
    now = await becomes(watched, backup_failed=0)
    assert now["kansli_backup_age_seconds"] == math.inf
    (tmp_path / "file").write_text("no folder")
    assert await command(watched.data, "backup", str(tmp_path / "file")) == 1
    now = await becomes(watched, backup_failed=1)
    assert now["kansli_backup_age_seconds"] == math.inf
    assert await command(watched.data, "backup", "--verify", str(tmp_path / "backup")) == 0
    now = await becomes(watched, backup_failed=0)
    assert 0 <= now["kansli_backup_age_seconds"] < 60
    assert await command(watched.data, "backup", str(tmp_path / "file")) == 1
    now = await becomes(watched, backup_failed=1)
    assert 0 <= now["kansli_backup_age_seconds"] < 60


async def test_a_restore_is_as_old_as_its_backup(data: Path, tmp_path: Path) -> None:
    assert await command(data, "backup", "--with-keys", str(tmp_path / "backup")) == 0
    back = tmp_path / "back"
    assert await command(back, "restore", str(tmp_path / "backup")) == 0
    store = SqlStore(back / "server.sqlite3")
    await store.open()
    watch = admin_watch.AdminWatch(store, lambda: 0)
    await watch.look()
    made = json.loads((tmp_path / "backup" / "manifest.json").read_text())["time"]
    assert (watch.backup_t, watch.backup_failed) == (made, False)
    assert watch.command_t >= made
    await store.close()


async def test_people_devices_and_the_last_command_are_counted(watched: House, tmp_path: Path) -> None:
    await watched.two_in_a_room()
    now = await becomes(watched, people=2, devices=2, rooms_closed=0, rooms_forked=0)
    assert now[f"kansli_build_info {PROGRAM}"] == 1
    assert abs(now["kansli_admin_command_timestamp_seconds"] - time.time()) < 60
    before = now["kansli_admin_command_timestamp_seconds"]
    assert await command(watched.data, "backup", str(tmp_path / "backup")) == 0
    now = await becomes(watched, backup_failed=0)
    assert now["kansli_admin_command_timestamp_seconds"] == before
    with contextlib.closing(sqlite3.connect(watched.data / "server.sqlite3")) as db, db:
        db.execute("INSERT INTO closed_rooms SELECT room FROM rooms")
        db.execute("INSERT INTO unmet SELECT room, n, zeroblob(32), t, zeroblob(64) FROM rooms")
    await becomes(watched, rooms_closed=1, rooms_forked=1)


async def test_each_command_is_a_line_of_the_servers_log_once(data: Path) -> None:
    """At a high log level too, and also for commands that were given while the server was stopped."""
    served = await serve(data, log="ERROR")
    await until(lambda: copies(served.log()) == ["init"])
    assert await command(data, "invite", "--name", "Registrator Å 🙂") == 0
    await until(lambda: copies(served.log()) == ["init", "invite"])
    assert await served.stop() == 0
    assert await command(data, "confirm-clock") == 0
    served = await serve(data, log="ERROR")
    await until(lambda: copies(served.log()) == ["init", "invite", "confirm-clock"])
    assert "Registrator" not in served.log()
    noted = served.log().splitlines()[-1].rpartition(" ")[2]
    assert await command(data, "audit", "--verify", "--expect", f"3:{noted}") == 0
    assert await served.stop() == 0


@pytest.mark.parametrize(
    "damage", ["DELETE FROM admin_log WHERE n = 1", "UPDATE admin_log SET body = '{}'", "DELETE FROM admin_log"]
)
async def test_a_chain_that_was_cut_is_an_error_at_the_start(
    data: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    with contextlib.closing(sqlite3.connect(data / "server.sqlite3")) as db, db:
        db.execute(damage)
    async with start_server(replace(config(data), metrics="127.0.0.1:0")) as server:
        await becomes(House(server, data), admin_log_broken=1)
    (error,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert "the admin log is broken: entry 1" in error.getMessage()


async def test_a_chain_that_is_cut_under_a_running_server_is_an_error(
    watched: House, caplog: pytest.LogCaptureFixture
) -> None:
    await becomes(watched, admin_log_broken=0, people=0)
    with contextlib.closing(sqlite3.connect(watched.data / "server.sqlite3")) as db, db:
        db.execute("DELETE FROM admin_log")
        db.execute("DELETE FROM meta WHERE name = 'admin_head'")
    await becomes(watched, admin_log_broken=1)
    (error,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert "entry 1 is missing (1 were written)" in error.getMessage()
    # the next command is logged all the same
    with caplog.at_level(logging.INFO, "sync.server"):
        await asyncio.to_thread(admin.confirm_clock, watched.data)
        await until(lambda: any('"command":"confirm-clock"' in r.getMessage() for r in caplog.records))


async def test_attack_an_entry_that_replaces_a_lost_one_between_two_looks_is_logged(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with admin.opened(data) as store:
        watch = admin_watch.AdminWatch(store, lambda: 0)
        await watch.look()
        with contextlib.closing(sqlite3.connect(data / "server.sqlite3")) as db, db:
            db.execute("DELETE FROM admin_log")
            db.execute("DELETE FROM meta WHERE name IN ('admin_head', 'admin_logged')")
        await asyncio.to_thread(admin.confirm_clock, data)
        with caplog.at_level(logging.INFO, "sync.server"):
            await watch.look()
            await watch.look()
    assert watch.broken
    logged = [r.getMessage() for r in caplog.records if '"command":"confirm-clock"' in r.getMessage()]
    assert len(logged) == 1


async def test_a_chain_that_was_rewritten_while_the_server_was_stopped_is_an_error(data: Path) -> None:
    served = await serve(data)
    await until(lambda: copies(served.log()) == ["init"])
    assert await served.stop() == 0
    with contextlib.closing(sqlite3.connect(data / "server.sqlite3")) as db, db:
        db.execute("DELETE FROM admin_log")
        db.execute("DELETE FROM meta WHERE name = 'admin_head'")
    served = await serve(data)
    await until(lambda: "entry 1 is missing (1 were written)" in served.log())
    assert await served.stop() == 0


async def test_attack_an_entry_that_replaces_a_lost_one_while_the_server_is_stopped_is_logged(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.to_thread(admin.confirm_clock, data)
    async with admin.opened(data) as store:
        await admin_watch.AdminWatch(store, lambda: 0).look()
        with contextlib.closing(sqlite3.connect(data / "server.sqlite3")) as db, db:
            db.execute("UPDATE admin_log SET body = replace(body, 'confirm-clock', 'open-room') WHERE n = 2")
        watch = admin_watch.AdminWatch(store, lambda: 0)  # a start
        with caplog.at_level(logging.INFO, "sync.server"):
            await watch.look()
            await watch.look()
    assert watch.broken
    lines = [r.getMessage() for r in caplog.records if r.name == "sync.server.admin"]
    assert ['"command":"open-room"' in line for line in lines] == [True]


async def test_a_lost_head_is_an_error_and_the_next_command_is_logged_once(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with admin.opened(data) as store:
        watch = admin_watch.AdminWatch(store, lambda: 0)
        await watch.look()
        with contextlib.closing(sqlite3.connect(data / "server.sqlite3")) as db, db:
            db.execute("UPDATE meta SET value = 'x' WHERE name = 'admin_head'")
        with caplog.at_level(logging.INFO, "sync.server"):
            await watch.look()
            await asyncio.to_thread(admin.confirm_clock, data)
            await watch.look()
            await watch.look()
    (error,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert "entry 1 is the last that is there" in error.getMessage()
    (line,) = [r.getMessage() for r in caplog.records if r.name == "sync.server.admin"]
    assert '"command":"confirm-clock"' in line


async def test_how_far_the_log_is_copied_is_stored_when_the_disk_takes_it_again(
    data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise a restart would copy entries again that the log has."""

    async def full(n: int) -> None:
        raise Full("the disk is full")

    async with admin.opened(data) as store:
        watch = admin_watch.AdminWatch(store, lambda: 0)
        with monkeypatch.context() as disk, caplog.at_level(logging.INFO, "sync.server"):
            disk.setattr(store, "put_admin_logged", full)
            await watch.look()
            await watch.look()
        assert len([r for r in caplog.records if r.name == "sync.server.admin"]) == 1
        (warning,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
        assert "is copied was not stored: full" in warning
        assert await store.admin_logged() == 0
        await watch.look()
        assert await store.admin_logged() == 1


async def test_the_admin_log_is_read_while_people_cannot_be_counted(
    data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(admin_watch, "_EVERY_S", 0.0)

    async def busy(seen_since: int) -> None:
        raise Unwritable("busy")

    async with admin.opened(data) as store:
        monkeypatch.setattr(store, "population", busy)
        watch = admin_watch.AdminWatch(store, lambda: 0)
        running = asyncio.ensure_future(watch.run())
        await until(lambda: watch.command_t > 0 and "people and rooms were not counted: busy" in caplog.text)
        running.cancel()
        await asyncio.wait([running])
    assert watch.population is None
