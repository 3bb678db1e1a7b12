# SPDX-License-Identifier: EUPL-1.2
"""Bad disks and bad files: each has its code, and the store still opens afterwards with nothing lost."""

import os
import shutil
import threading
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2 as driver

from app.core.ids import new_id
from app.errors import BugError, DiskFull, StoreClosed, StoreCorrupt, StoreMissing, StoreNewer, StoreUnwritable
from app.store.database import Database
from app.store.store import Store
from tests.app.store.conftest import KEY, KINDS, ROOM, Bench


def fill(bench: Bench, count: int = 200) -> bytes:
    """Appends notes, closes the store and gives the file."""
    note = bench.note()
    with bench.store.transaction():
        for i in range(count):
            bench.store.changes.append(ROOM, note, f"{i} ".encode() * 100)
    bench.store.close()
    return bench.path.read_bytes()


def assert_whole(path: Path, count: int = 200) -> None:
    store = Store.open(path, KEY, KINDS)
    assert store.waiting_count() == count
    assert store.db.check() == []
    store.close()


def test_a_missing_store_is_reported_as_missing(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing) as e:
        Store.open(tmp_path / "store.db", KEY, KINDS)
    assert e.value.code == "store-missing"
    assert not (tmp_path / "store.db").exists()


def test_a_store_is_never_created_over_another(bench: Bench) -> None:
    with pytest.raises(StoreUnwritable):
        Store.create(bench.path, KEY, KINDS)


def test_a_wrong_key_is_refused_and_changes_nothing(bench: Bench) -> None:
    fill(bench)
    with pytest.raises(StoreCorrupt):
        Store.open(bench.path, new_id() * 2, KINDS)
    assert_whole(bench.path)


@pytest.mark.parametrize("place", [0, 20, 4096 + 100])
def test_a_corrupt_store_is_refused_and_the_repaired_one_opens_whole(bench: Bench, place: int) -> None:
    data = bytearray(fill(bench))
    data[place] ^= 1
    bench.path.write_bytes(data)
    with pytest.raises(StoreCorrupt) as e:
        Store.open(bench.path, KEY, KINDS)
    assert e.value.code == "store-corrupt"
    data[place] ^= 1
    bench.path.write_bytes(data)
    assert_whole(bench.path)


def test_damage_deep_in_the_file_is_raised_as_corrupt_and_found_by_the_check(bench: Bench) -> None:
    data = bytearray(fill(bench, 400))
    for page in range(len(data) // 4096 // 2, len(data) // 4096):
        data[page * 4096 + 50] ^= 1
    bench.path.write_bytes(data)
    db = Database.open(bench.path, KEY)
    assert db.check() != []
    with pytest.raises(StoreCorrupt):
        db.rows("SELECT * FROM changes")
    db.close()


@pytest.mark.parametrize("keep", [0, 10, 4096, 5 * 4096, -4096])
def test_a_truncated_store_is_refused(bench: Bench, keep: int) -> None:
    whole = fill(bench)
    bench.path.write_bytes(whole[:keep])
    with pytest.raises(StoreCorrupt):
        Store.open(bench.path, KEY, KINDS)
    bench.path.write_bytes(whole)
    assert_whole(bench.path)


def test_a_store_of_a_newer_version_is_left_alone(bench: Bench) -> None:
    fill(bench)
    db = Database.open(bench.path, KEY)
    db.conn.execute("PRAGMA user_version=9999")
    db.close()
    before = bench.path.read_bytes()
    with pytest.raises(StoreNewer) as e:
        Store.open(bench.path, KEY, KINDS)
    assert e.value.code == "store-newer"
    assert bench.path.read_bytes() == before


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    db = Database.create(tmp_path / "store.db", KEY)
    db.conn.execute("PRAGMA user_version=1")
    db.close()
    with pytest.raises(StoreCorrupt):
        Store.open(tmp_path / "store.db", KEY, KINDS)


def test_a_full_disk_rolls_back_and_the_store_goes_on_when_there_is_room(bench: Bench) -> None:
    note = bench.note()
    bench.store.changes.append(ROOM, note, "före".encode())
    pages = bench.store.db.value("PRAGMA page_count")
    bench.store.db.conn.execute(f"PRAGMA max_page_count={pages + 3}")
    with pytest.raises(DiskFull) as e:
        bench.store.changes.append(ROOM, note, b"x" * 100_000)
    assert e.value.code == "disk-full"
    assert [c.data for c in bench.store.changes.of(note)] == ["före".encode()]
    bench.store.db.conn.execute("PRAGMA max_page_count=1000000")
    bench.store.changes.append(ROOM, note, b"efter")
    bench.reopen()
    assert bench.texts(note) == ["före", "efter"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="mounting a small tmpfs needs root")
def test_a_really_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if os.system(f"mount -t tmpfs -o size=3m none {small} 2>/dev/null"):  # noqa: S605 - our own path
        pytest.skip("this container may not mount a tmpfs")
    try:
        bench = Bench(small, Store.create(small / "store.db", KEY, KINDS))
        bench.store.set_me(new_id())  # type: ignore[arg-type]  # any uid
        bench.join()
        note = bench.note()
        done: list[bytes] = []

        def write_until_full() -> None:
            while True:
                done.append(bench.store.changes.append(ROOM, note, b"x" * 20_000))

        with pytest.raises(DiskFull):
            write_until_full()
        bench.store.close()
        moved = tmp_path / "moved"
        shutil.copytree(small, moved)
        store = Store.open(moved / "store.db", KEY, KINDS)
        assert store.waiting_count() == len(done) > 5
        store.close()
    finally:
        os.system(f"umount {small}")  # noqa: S605


def test_an_unwritable_place_is_reported_as_unwritable(tmp_path: Path) -> None:
    (tmp_path / "store.db").mkdir()
    (tmp_path / "store.db" / "x").touch()
    with pytest.raises(StoreUnwritable):
        Store.open(tmp_path / "store.db", KEY, KINDS)


def test_another_thread_may_read_but_not_write(bench: Bench) -> None:
    note = bench.note()
    bench.store.changes.append(ROOM, note, b"one")
    found: list[object] = []

    def work() -> None:
        with bench.store.db.reader() as conn:
            found.append(conn.value("SELECT count(*) FROM changes WHERE obj = ?", (note,)))
        try:
            bench.store.changes.append(ROOM, note, b"two")
        except BugError as e:
            found.append(e.code)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [1, "bug"]
    assert bench.texts(note) == ["one"]


def test_rekeying_leaves_only_the_new_key(bench: Bench) -> None:
    note = bench.note()
    bench.store.changes.append(ROOM, note, b"one")
    new = bytes(reversed(KEY))
    bench.store.db.rekey(new)
    bench.store.changes.append(ROOM, note, b"two")
    bench.store.close()
    with pytest.raises(StoreCorrupt):
        Store.open(bench.path, KEY, KINDS)
    bench.store = Store.open(bench.path, new, KINDS)
    assert bench.texts(note) == ["one", "two"]
    assert bench.store.db.value("PRAGMA journal_mode") == "wal"


def test_rekeying_after_which_the_file_cannot_be_opened_again_has_changed_the_key(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise its caller would keep the old key's slots, and the program would say that nothing was changed."""
    fill(bench)
    db, new = Database.open(bench.path, KEY), bytes(reversed(KEY))

    def refuses() -> None:
        fault = driver.OperationalError("unable to open database file")
        fault.sqlite_errorcode = 14
        raise fault

    monkeypatch.setattr(db, "_open_main", refuses)
    db.rekey(new)
    with pytest.raises(StoreClosed):
        db.rows("SELECT 1")
    db.close()
    bench.store = Store.open(bench.path, new, KINDS)
    assert bench.store.waiting_count() == 200


@pytest.mark.parametrize("room", ["full", "no"])
def test_rekeying_that_the_disk_stops_raises_and_the_old_key_opens(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, room: str
) -> None:
    """No file may grow past a part of the store: SQLCipher says neither that nor that a disk is full."""
    resource = pytest.importorskip("resource")
    size = len(fill(bench))
    usage = shutil.disk_usage(bench.path.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=0) if room == "full" else usage)
    db = Database.open(bench.path, KEY)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 4, before[1]))
    try:
        with pytest.raises(DiskFull if room == "full" else StoreUnwritable):
            db.rekey(bytes(reversed(KEY)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        db.close()
    assert_whole(bench.path)
