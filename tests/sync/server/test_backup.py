# SPDX-License-Identifier: EUPL-1.2
"""`backup` beside a server that writes, and `restore`: everything acknowledged before is there, whole."""

import asyncio
import json
import shutil
import sqlite3
import threading
from functools import partial
from pathlib import Path

import pytest

from sync.errors import Reject
from sync.server.__main__ import main
from sync.server.config import Config, ConfigError
from sync.server.host.identity import read_identity
from sync.server.operator import admin
from sync.server.operator.upkeep.backup import backup
from sync.server.operator.upkeep.manifest import Manifest, read_manifest
from sync.server.operator.upkeep.problems import Problem
from sync.server.operator.upkeep.restore import restore
from sync.server.operator.upkeep.verify import verify
from sync.server.process.running import start_server
from sync.server.rules.handshake import now_ms
from sync.server.store.sql import SqlStore
from sync.trust.person.agency import Agency
from sync.trust.room.restore_notice import LAG_MS, Restored
from tests.sync.server.house import TEXT, House
from tests.sync.server.wire import config


def _step(*_: object) -> None: ...


def _until_written(copied: threading.Event, written: threading.Event, what: str, done: int, count: int) -> None:
    """A backup's step that continues only after something was written behind the copied pages."""
    if what == "pages":
        copied.set()
        assert written.wait(600)


def back_up(data: Path, target: Path, *, with_keys: bool = True) -> Manifest:
    return backup(data, target, _step, with_keys=with_keys)


def put_back(source: Path, data: Path, *, keys: Path | None = None, damaged: bool = False) -> list[Problem]:
    found: list[Problem] = []
    restore(source, data, found.append, _step, keys=keys, damaged=damaged)
    return found


def problems(data: Path, database: Path | None = None) -> list[Problem]:
    found: list[Problem] = []
    verify(data, found.append, _step, database=database)
    return found


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


async def test_a_backup_beside_a_server_that_writes_is_whole_and_has_all_that_was_acknowledged_before(
    house: House, tmp_path: Path
) -> None:
    anna, _, room = await house.two_in_a_room()
    target = tmp_path / "backup"
    for _ in range(3):
        before, copied, written = anna.rooms[room].n, threading.Event(), threading.Event()
        step = partial(_until_written, copied, written)
        copying = asyncio.ensure_future(asyncio.to_thread(backup, house.data, target, step, with_keys=True))
        while not copying.done():
            is_behind = copied.is_set()
            await anna.push(room, TEXT)
            await anna.sync(room)
            if is_behind:
                written.set()
        made = await copying
        assert made.items >= before
        assert made == read_manifest(target)
        assert await asyncio.to_thread(problems, target, target / made.database) == []
        assert anna.rooms[room].n > made.items
    assert [p.name for p in target.glob("*.sqlite3")] == [made.database]


def test_the_next_backup_copies_new_parts_only_and_forgets_those_that_are_gone(copied: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    made = back_up(copied, target)
    assert (made.people, made.rooms, made.items, made.blobs, made.blobs_missing) == (3, 1, 9, 1, 0)
    (part,) = [p for p in (target / "blobs").rglob("*") if p.is_file()]
    was = part.stat()
    assert back_up(copied, target).blobs == 1
    assert (part.stat().st_ino, part.stat().st_mtime_ns) == (was.st_ino, was.st_mtime_ns)
    with sqlite3.connect(copied / "server.sqlite3") as db:
        db.execute("DELETE FROM blobs")
    assert back_up(copied, target).blobs == 0
    assert not part.exists()


def test_no_key_is_in_a_backup_unless_asked_for(copied: Path, tmp_path: Path) -> None:
    plain, whole_one = tmp_path / "plain", tmp_path / "with"
    assert not back_up(copied, plain, with_keys=False).keys
    assert {f for f in files(plain) if not f.startswith(("blobs", "server-"))} == {
        "agency.pub",
        "agency.where",
        "ca.pem",
        "escrow.cert",
        "manifest.json",
        "server.cert",
        "tls.pem",
    }
    assert back_up(copied, whole_one).keys
    secret = {f"keys/{name}" for name in ("server.key", "tls.key")}
    assert secret <= files(whole_one)
    assert all((whole_one / name).stat().st_mode & 0o077 == 0 for name in secret)
    for name in secret:
        seed = (whole_one / name).read_bytes()
        assert all(seed[20:60] not in p.read_bytes() for p in plain.rglob("*") if p.is_file())


def test_a_backup_that_is_cut_off_leaves_the_one_before(
    copied: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = tmp_path / "backup"
    made = back_up(copied, target)
    with sqlite3.connect(copied / "server.sqlite3") as db:
        db.execute("UPDATE invites SET used_by = x'00' WHERE used_by IS NULL")

    def fail(self: Manifest, folder: Path) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(Manifest, "write", fail)
    with pytest.raises(OSError, match="no space"):
        back_up(copied, target)
    monkeypatch.undo()
    assert read_manifest(target) == made
    assert put_back(target, tmp_path / "restored") == []


def test_what_a_cut_off_backup_left_is_gone_before_the_next_copies_anything(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise, on a disk that two copies fill, the next backup would find no room, and every one after it neither."""
    target = tmp_path / "backup"
    made = back_up(copied, target)
    (target / "server-0123456789abcdef.sqlite3").write_bytes(b"left")
    (target / ".0123456789abcdef.new").write_bytes(b"left")
    (target / ".0123456789abcdef.new-journal").write_bytes(b"left")

    def full(source: Path, copy: Path, step: object) -> None:
        assert [p.name for p in target.iterdir() if p.name.startswith((".", "server-"))] == [made.database]
        raise OSError(28, "no space")

    monkeypatch.setattr("sync.server.operator.upkeep.backup._copy_database", full)
    with pytest.raises(OSError, match="no space"):
        back_up(copied, target)
    monkeypatch.undo()
    assert put_back(target, tmp_path / "restored") == []


def test_parts_that_are_missing_are_counted_and_reported(
    copied: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.rmtree(copied / "blobs")
    target = tmp_path / "backup"
    assert main(["backup", "--data", str(copied), str(target)]) == 1
    assert json.loads(capsys.readouterr().out)["blobs_missing"] == 1
    assert main(["verify", "--data", str(target)]) == 1
    assert '"blob-missing"' in capsys.readouterr().out


async def test_what_is_restored_is_what_was_backed_up_and_is_marked_as_restored(house: House, tmp_path: Path) -> None:
    anna, bert, room = await house.two_in_a_room()
    await anna.push(room, TEXT)
    before = now_ms()
    target, back = tmp_path / "backup", tmp_path / "restored"
    made = await asyncio.to_thread(back_up, house.data, target)
    await anna.sync(room)
    await anna.push(room, "efteråt")
    await house.close()
    assert await asyncio.to_thread(put_back, target, back) == []
    assert before <= made.time <= now_ms()
    counts = await admin.status(back)
    assert (counts.items, counts.rooms_closed, counts.devices_awaited) == (made.items, 1, 2)
    async with start_server(config(back)) as server:
        authed = await anna.connect(server.url, back)
        assert [h.receipt.n for h in authed.rooms] == [made.items]
        await anna.wire.close()
    store = SqlStore(Config(data=back).database)
    await store.open()
    kept, closed, awaited = await store.restored(), await store.closed_rooms(), await store.awaited_devices()
    await store.close()
    assert kept is not None
    identity = read_identity(back, now_ms())
    statement = Restored.check(identity.key.public, identity.fingerprint, kept.body, kept.sig)
    assert (statement.t, statement.backup_t) == (kept.t, kept.backup_t)
    assert statement.backup_t == made.time <= statement.t
    assert closed == {room}
    assert set(awaited) == {(p.author.dev, p.uid) for p in (anna, bert)}


def test_restore_takes_no_folder_that_is_not_empty_and_no_backup_that_was_changed(
    copied: Path,
    tmp_path: Path,
) -> None:
    target = tmp_path / "backup"
    made = back_up(copied, target)
    with pytest.raises(ConfigError, match="not empty"):
        put_back(target, copied)
    (tmp_path / "empty").mkdir()
    assert put_back(target, tmp_path / "empty") == []
    with pytest.raises(ConfigError, match="no backup"):
        put_back(copied, tmp_path / "other")
    path = target / made.database
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="manifest"):
        put_back(target, tmp_path / "other")
    assert not (tmp_path / "other").exists()
    assert main(["verify", "--data", str(target)]) == 1


def test_a_data_folder_that_is_a_link_is_restored_where_it_leads(copied: Path, tmp_path: Path) -> None:
    target, data = tmp_path / "backup", tmp_path / "server"
    back_up(copied, target)
    (tmp_path / "disk" / "server").mkdir(parents=True)
    data.symlink_to(tmp_path / "disk" / "server")
    assert put_back(target, data) == []
    assert data.is_symlink()
    assert (tmp_path / "disk" / "server" / "server.sqlite3").exists()
    assert [p.name for p in (tmp_path / "disk").iterdir()] == ["server"]


def test_a_disk_of_its_own_is_refused_before_anything_is_copied(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be replaced in one step. The restore would notice that only after copying and judging everything."""
    target, data = tmp_path / "backup", tmp_path / "server"
    back_up(copied, target)
    data.mkdir()
    monkeypatch.setattr("os.path.ismount", lambda path: Path(path) == data)
    monkeypatch.setattr("sync.server.operator.upkeep.restore._put_together", lambda *_: pytest.fail("it copied"))
    with pytest.raises(ConfigError, match="a disk of its own"):
        put_back(target, data)


@pytest.mark.parametrize("name", ["å b 🙂", "p%20q", "h#x", "q?mode=ro", "plus+x", "at@x:y"])
def test_whatever_a_folder_is_called_everything_lies_in_it(tmp_path: Path, name: str) -> None:
    data, target, back = (tmp_path / name / part for part in ("server", "backup", "restored"))
    keys = str(tmp_path / name / "keys")
    assert main(["init", "--data", str(data), "--keys", keys]) == 0
    assert main(["invite", "--data", str(data), "--name", "Å"]) == 0
    assert main(["backup", "--data", str(data), str(target)]) == main(["verify", "--data", str(target)]) == 0
    assert main(["restore", "--data", str(back), "--keys", str(data), str(target)]) == 0
    assert (back / "server.sqlite3").exists()
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    "change",
    [{"format": 2}, {"format": None}, {"database": "../x"}, {"extra": 1}, {"database": 7}],
)
def test_a_manifest_that_is_none_is_refused(copied: Path, tmp_path: Path, change: dict[str, object]) -> None:
    target = tmp_path / "backup"
    back_up(copied, target)
    path = target / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ConfigError):
        put_back(target, tmp_path / "other")
    path.write_text("[]")
    with pytest.raises(ConfigError):
        put_back(target, tmp_path / "other")


def test_a_damaged_backup_is_put_in_place_only_when_asked(copied: Path, tmp_path: Path) -> None:
    with sqlite3.connect(copied / "server.sqlite3") as db:
        db.execute("UPDATE items SET ct = NULL WHERE n = 4")
    target = tmp_path / "backup"
    back_up(copied, target)
    assert [p.code for p in put_back(target, tmp_path / "other")] == ["withheld"]
    assert not (tmp_path / "other").exists()
    assert [p.code for p in put_back(target, tmp_path / "other", damaged=True)] == ["withheld"]
    assert (tmp_path / "other" / "server.sqlite3").exists()
    assert {p.name for p in tmp_path.iterdir()} == {"copied", "backup", "other"}


def test_a_backup_without_keys_needs_them_from_elsewhere(
    copied: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = tmp_path / "backup"
    assert main(["backup", "--data", str(copied), str(target)]) == 0
    there = str(tmp_path / "other")
    assert main(["restore", "--data", there, str(target)]) == 1
    assert "--keys" in capsys.readouterr().err
    assert main(["restore", "--data", there, "--keys", str(copied), str(target)]) == 0
    other = tmp_path / "stranger"
    admin.init(other, keys=tmp_path / "keys of a stranger")
    assert main(["restore", "--data", str(tmp_path / "third"), "--keys", str(other), str(target)]) == 1


# -- the statement -----

KEY, PRINT = Agency(bytes(32)).key, b"f" * 32


def test_a_restored_statement_is_the_servers_for_its_agency() -> None:
    statement = Restored.sign(KEY, PRINT, 2000, 1000)
    assert Restored.check(KEY.public, PRINT, statement.body, statement.sig) == statement
    assert Restored.sign(KEY, PRINT, 2000, 1000).body != statement.body


def test_attack_a_restored_statement_that_is_none_is_refused() -> None:
    statement = Restored.sign(KEY, PRINT, 2000, 1000)
    stranger = Agency(b"x" * 32).key
    upside_down = Restored.sign(KEY, PRINT, 1000, 2000)
    for pk, fingerprint, body, sig, code in (
        (stranger.public, PRINT, statement.body, statement.sig, "signature"),
        (KEY.public, b"g" * 32, statement.body, statement.sig, "agency"),
        (KEY.public, PRINT, statement.body + b"x", statement.sig, "signature"),
        (KEY.public, PRINT, statement.body, bytes(64), "signature"),
        (KEY.public, PRINT, upside_down.body, upside_down.sig, "malformed"),
        (KEY.public, PRINT, b"x", KEY.sign("restored", b"x"), "encoding"),
    ):
        with pytest.raises(Reject) as e:
            Restored.check(pk, fingerprint, body, sig)
        assert e.value.code == code


def test_attack_a_restore_explains_only_what_came_after_the_backup() -> None:
    statement = Restored.sign(KEY, PRINT, 9_000_000, 5_000_000)
    assert statement.explains(5_000_001, 5_000_001)
    assert statement.explains(5_000_000 - LAG_MS, 9_000_000)
    assert not statement.explains(5_000_000 - LAG_MS - 1, 9_000_000)
