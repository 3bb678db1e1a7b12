# SPDX-License-Identifier: EUPL-1.2
"""The cache of received file parts: what is kept, what leaves, and what a hostile or damaged folder changes."""

import asyncio
import hashlib
import os
import stat
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from app.core.ids import ObjId, PartId, RoomId, new_id, new_obj
from app.store.cache_upkeep import CacheLimit
from app.store.cached_parts import WantedPart, forget_parts
from app.store.store import Store
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from tests.app.store.conftest import KEY, KINDS, ME, OTHER, ROOM, Bench
from tests.app.store.gated_write import GatedFiles

SEALED = "förseglat åäö 🙂".encode()


class Cache:
    """The cache of a bench's store, with parts in the room ROOM."""

    def __init__(self, bench: Bench, most: int = 1_000_000) -> None:
        self.bench = bench
        self.limit(most)

    @property
    def store(self) -> Store:
        return self.bench.store

    @property
    def folder(self) -> Path:
        return self.bench.folder / "received"

    def limit(self, most: int) -> None:
        self.store.cache_upkeep.chosen = lambda: CacheLimit(most=most, is_automatic=False)

    def wanted(self, sealed: bytes = SEALED, obj: ObjId | None = None, room: RoomId = ROOM) -> WantedPart:
        digest = hashlib.sha256(sealed).digest()
        return WantedPart(part=PartId(new_id()), room=room, obj=obj or new_obj(), digest=digest, size=len(sealed))

    async def keep(self, sealed: bytes = SEALED, obj: ObjId | None = None, room: RoomId = ROOM) -> bytes:
        """Has a part fetched and kept; returns its digest."""
        wanted = self.wanted(sealed, obj, room)
        self.store.cached.reserve(wanted)
        await self.store.cached.keep(wanted.digest, sealed)
        return wanted.digest

    async def read(self, digest: bytes) -> bytes | None:
        return await self.store.cached.read(digest)

    async def tidy(self) -> None:
        await self.store.cache_upkeep.tidy()

    def files(self) -> list[Path]:
        return sorted(self.folder.iterdir()) if self.folder.exists() else []

    def rows(self) -> int:
        return int(self.store.db.value("SELECT count(*) FROM cached_parts"))

    async def reopen(self) -> None:
        """Opens the store again, as the next start of the program does."""
        chosen = self.store.cache_upkeep.chosen
        self.bench.reopen()
        self.store.cache_upkeep.chosen = chosen
        await self.store.cache_upkeep.clean()
        await self.tidy()


@pytest.fixture
def cache(bench: Bench) -> Cache:
    return Cache(bench)


def age(cache: Cache, digest: bytes, used: int) -> None:
    with cache.store.transaction() as conn:
        conn.execute("UPDATE cached_parts SET used = ? WHERE digest = ?", (used, digest))


async def test_a_part_is_read_as_it_was_kept_also_after_a_restart(cache: Cache) -> None:
    digest = await cache.keep()
    assert await cache.read(digest) == SEALED
    await cache.reopen()
    assert await cache.read(digest) == SEALED
    assert cache.store.cached.here([digest, b"x" * 32]) == {digest}
    assert cache.store.cache_upkeep.usage.used == len(SEALED)


@pytest.mark.skipif(os.name == "nt", reason="rights of files are Posix's")
async def test_files_are_private_and_their_names_tell_nothing(cache: Cache) -> None:
    digest = await cache.keep()
    (file,) = cache.files()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700
    part = cache.store.db.value("SELECT part FROM cached_parts")
    assert len(file.name) == 32
    assert file.name not in (digest.hex(), part.hex(), digest.hex()[:32])


async def test_the_oldest_use_leaves_first_and_pins_never(cache: Cache) -> None:
    digests = [await cache.keep(bytes([n]) * 100) for n in range(5)]
    for n, digest in enumerate(digests):
        age(cache, digest, n)
    cache.store.cached.pin([replace(cache.wanted(), digest=digests[0], size=100)])
    cache.limit(250)
    await cache.tidy()
    assert cache.store.cached.here(digests) == {digests[0], digests[4]}
    assert len(cache.files()) == 2
    cache.limit(0)
    await cache.tidy()
    assert cache.store.cached.here(digests) == {digests[0]}
    assert cache.store.cache_upkeep.usage.pinned == 100


async def test_reading_a_part_makes_it_the_newest(cache: Cache) -> None:
    first, second = await cache.keep(b"a" * 100), await cache.keep(b"b" * 100)
    age(cache, first, 1)
    age(cache, second, 2)
    await cache.read(first)
    cache.limit(100)
    await cache.tidy()
    assert cache.store.cached.here([first, second]) == {first}


async def test_nothing_is_kept_with_the_limit_zero(cache: Cache) -> None:
    cache.limit(0)
    await cache.tidy()
    digest = await cache.keep()
    assert await cache.read(digest) is None
    assert cache.files() == []


async def test_the_automatic_limit_is_a_twentieth_of_the_free_disk(cache: Cache) -> None:
    free = cache.store.cached.files.free_bytes()
    assert free is not None
    cache.store.cache_upkeep.chosen = lambda: CacheLimit(most=10**15, is_automatic=True)
    assert abs(cache.store.cache_upkeep.limit() - free // 20) < 100_000_000
    cache.store.cache_upkeep.chosen = lambda: CacheLimit(most=5, is_automatic=True)
    assert cache.store.cache_upkeep.limit() == 5


async def test_emptying_leaves_what_is_kept_offline(cache: Cache) -> None:
    loose, pinned = await cache.keep(b"a"), await cache.keep(b"b")
    cache.store.cached.pin([replace(cache.wanted(), digest=pinned)])
    await cache.store.cache_upkeep.empty()
    assert cache.store.cached.here([loose, pinned]) == {pinned}
    cache.store.cached.unpin_all()
    await cache.store.cache_upkeep.empty()
    assert (cache.files(), cache.rows()) == ([], 0)


# -- what must leave


async def test_destroying_an_object_removes_its_parts(cache: Cache) -> None:
    obj = new_obj()
    gone, stays = await cache.keep(b"a", obj), await cache.keep(b"b")
    cache.store.cached.pin([replace(cache.wanted(), digest=gone)])
    event = RoomEvent(n=9, t=9, kind="destroy", by=OTHER, obj=obj)
    cache.store.receive(ReceivedSlice(room=ROOM, cursor=9, state=b"state", events=[event]))
    assert cache.store.cached.here([gone, stays]) == {stays}
    assert cache.store.cached.woken.is_set()
    await cache.tidy()
    assert len(cache.files()) == 1
    await cache.keep(b"c", obj)  # a false server may still give the part
    assert len(cache.files()) == 1


async def test_removal_from_a_room_removes_its_parts(cache: Cache) -> None:
    cache.bench.join(other := RoomId(b"2" * 16))
    gone, stays = await cache.keep(b"a"), await cache.keep(b"b", room=other)
    cache.store.cached.pin_room(ROOM, True)
    cache.store.receive(ReceivedSlice(room=ROOM, cursor=9, state=b"state", gone=[ME]))
    assert cache.store.cached.here([gone, stays]) == {stays}
    assert not cache.store.cached.is_room_pinned(ROOM)
    await cache.tidy()
    assert len(cache.files()) == 1
    assert await cache.read(await cache.keep(b"c")) is None  # on its way while the removal came


async def test_the_removal_of_somebody_else_removes_nothing(cache: Cache) -> None:
    digest = await cache.keep()
    cache.store.receive(ReceivedSlice(room=ROOM, cursor=9, state=b"state", gone=[OTHER]))
    assert cache.store.cached.here([digest]) == {digest}


async def test_a_part_that_is_on_its_way_while_its_message_is_deleted_is_not_kept(cache: Cache) -> None:
    wanted = cache.wanted()
    cache.store.cached.reserve(wanted)
    with cache.store.transaction() as conn:
        forget_parts(conn, [wanted.digest])
    await cache.store.cached.keep(wanted.digest, SEALED)
    assert (cache.files(), cache.rows()) == ([], 0)


async def test_a_deletion_that_is_rolled_back_removes_nothing(cache: Cache) -> None:
    digest = await cache.keep()

    def fail() -> None:
        with cache.store.transaction() as conn:
            forget_parts(conn, [digest])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    await cache.tidy()
    assert await cache.read(digest) == SEALED


# -- a folder that was damaged, or that somebody else wrote in


@pytest.mark.parametrize("content", [b"", SEALED[:-1], SEALED + b"x", SEALED[::-1], b"\0" * 5_000_000])
async def test_a_file_that_was_changed_is_dropped_and_not_given_out(cache: Cache, content: bytes) -> None:
    digest = await cache.keep()
    cache.files()[0].write_bytes(content)
    assert await cache.read(digest) is None
    assert cache.store.cached.here([digest]) == set()
    await cache.tidy()
    assert cache.files() == []
    assert await cache.read(await cache.keep()) == SEALED


async def test_files_that_were_exchanged_for_each_other_are_dropped(cache: Cache) -> None:
    first, second = await cache.keep(b"a" * 50), await cache.keep(b"b" * 50)
    one, two = cache.files()
    one.rename(cache.folder / "x")
    two.rename(one)
    (cache.folder / "x").rename(two)
    assert [await cache.read(first), await cache.read(second)] == [None, None]


async def test_a_pin_stays_when_its_file_is_damaged_and_is_wanted_again(cache: Cache) -> None:
    digest = await cache.keep()
    cache.store.cached.pin([replace(cache.wanted(), digest=digest)])
    cache.files()[0].write_bytes(b"skadad")
    assert await cache.read(digest) is None
    assert [part.digest for part in cache.store.cached.wanted()] == [digest]
    await cache.store.cached.keep(digest, SEALED)
    assert await cache.read(digest) == SEALED
    assert cache.store.cached.wanted() == []


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there, and there are no pipes")
async def test_links_pipes_and_folders_in_place_of_a_file_are_not_followed(cache: Cache, tmp_path: Path) -> None:
    outside = tmp_path / "utanför"
    outside.write_bytes(SEALED)
    for make in (partial(Path.symlink_to, target=outside), os.mkfifo, Path.mkdir):
        digest = await cache.keep(sealed := new_id())
        outside.write_bytes(sealed)
        (file,) = cache.files()
        file.unlink()
        make(file)
        assert await cache.read(digest) is None
        await cache.tidy()
        assert cache.files() == []
    assert outside.exists()


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
async def test_what_is_strange_in_the_folder_leaves_at_the_next_start(cache: Cache, tmp_path: Path) -> None:
    digest = await cache.keep()
    outside = tmp_path / "utanför"
    outside.mkdir()
    (outside / "viktig").write_bytes(b"x")
    (cache.folder / "f").write_bytes(b"not ours")
    (cache.folder / ("0" * 32)).symlink_to(outside)
    (cache.folder / ("1" * 32)).mkdir()
    (full := cache.folder / ("2" * 32)).mkdir()
    (full / "x").touch()
    with (cache.folder / ("3" * 32)).open("wb") as huge:
        huge.truncate(10**12)
    await cache.reopen()
    assert await cache.read(digest) == SEALED
    assert [path for path in cache.files() if not path.is_file()] == [full]  # a folder with something in it stays
    assert len(cache.files()) == 2
    assert (outside / "viktig").exists()


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
async def test_a_link_in_place_of_the_folder_is_not_followed(cache: Cache, tmp_path: Path) -> None:
    (outside := tmp_path / "utanför").mkdir()
    (outside / ("4" * 32)).write_bytes(b"x")
    cache.folder.symlink_to(outside)
    digest = await cache.keep()
    await cache.reopen()
    assert await cache.read(digest) is None
    assert [path.name for path in outside.iterdir()] == ["4" * 32]


async def test_a_missing_folder_or_file_is_only_a_part_to_fetch_again(cache: Cache) -> None:
    digest = await cache.keep()
    cache.files()[0].unlink()
    await cache.reopen()
    assert cache.rows() == 0
    cache.folder.rmdir()
    await cache.reopen()
    assert await cache.read(digest) is None
    assert await cache.read(await cache.keep()) == SEALED


# -- after the end of the process


async def test_files_whose_rows_are_gone_are_removed_at_the_next_start(cache: Cache) -> None:
    digest = await cache.keep()
    with cache.store.transaction() as conn:
        forget_parts(conn, [digest])
    assert len(cache.files()) == 1  # the process ends here
    await cache.reopen()
    assert cache.files() == []
    assert cache.store.db.rows("SELECT name FROM uncached") == []


async def test_a_fetch_that_the_process_did_not_survive_leaves_nothing(cache: Cache) -> None:
    cache.store.cached.reserve(cache.wanted())
    await cache.keep(b"other")
    await cache.reopen()
    assert cache.rows() == 1


async def test_a_file_that_is_written_while_the_folder_is_cleaned_stays(cache: Cache) -> None:
    gated = cache.store.cached.files = GatedFiles(cache.store.cached.files)
    keeping = asyncio.create_task(cache.keep())
    await gated.until_written()
    await cache.store.cache_upkeep.clean()
    gated.may_end.set()
    assert await cache.read(await keeping) == SEALED


async def test_a_part_that_is_being_written_while_its_message_is_deleted_is_not_kept(cache: Cache) -> None:
    gated = cache.store.cached.files = GatedFiles(cache.store.cached.files)
    keeping = asyncio.create_task(cache.keep())
    await gated.until_written()
    with cache.store.transaction() as conn:
        forget_parts(conn, [hashlib.sha256(SEALED).digest()])
    gated.may_end.set()
    await keeping
    assert (cache.files(), cache.rows()) == ([], 0)


async def test_a_part_that_is_kept_while_the_folder_is_cleaned_stays(cache: Cache) -> None:
    for n in range(300):
        await asyncio.to_thread(cache.store.cached.files.write, f"{n:032x}", b"x")
    cleaning = asyncio.create_task(cache.store.cache_upkeep.clean())
    digests = []
    while not cleaning.done():
        digests.append(await cache.keep(new_id()))
        await asyncio.sleep(0)
    await cleaning
    assert cache.store.cached.here(digests) == set(digests)
    assert len(cache.files()) == len(digests)
    for digest in digests:
        assert await cache.read(digest) is not None


async def test_pins_count_before_they_are_fetched_and_with_their_room(cache: Cache) -> None:
    cache.store.cached.pin([cache.wanted(b"x" * 70)])
    assert cache.store.cached.pinned_bytes() == 70
    cache.store.cached.pin_room(ROOM, True)
    digest = await cache.keep(b"y" * 30)
    assert cache.store.cached.pinned([digest]) == {digest}
    cache.store.cached.pin_room(ROOM, False)
    assert cache.store.cached.pinned_bytes() == 0
    cache.store.cached.unpin([digest])
    await cache.tidy()
    assert cache.store.cached.wanted() == []


def test_a_store_is_opened_without_reading_the_folder(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("app.store.cache_files.HeldFolder", refuse)
    bench.store.close()
    Store.open(bench.path, KEY, KINDS).close()
