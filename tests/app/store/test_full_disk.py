# SPDX-License-Identifier: EUPL-1.2
"""A full disk: what can be fetched again is given up before an edit is refused. On a small disk of its own."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core import clock
from app.core.ids import ObjId, PartId, new_id, new_obj
from app.errors import DiskFull
from app.store.cache_upkeep import MB, CacheLimit
from app.store.cached_parts import USED_EVERY_MS, WantedPart
from app.store.store import Store
from tests.app.copies.crash_copies import copies_of, of_message
from tests.app.copies.desks import LABEL, overwrite
from tests.app.store.conftest import KEY, KINDS, ME, ROOM, Bench

LARGE = b"x" * 400_000
PART = MB // 2

pytestmark = pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="mounting a small tmpfs needs root")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Bench]:
    """A store on a disk of 12 MB, whose cache sees the disk as full below half an MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.system(f"mount -t tmpfs -o size=12m none {folder} 2>/dev/null"):  # noqa: S605 - our own path
        pytest.skip("this container may not mount a tmpfs")
    bench = Bench(folder, Store.create(folder / "store.db", KEY, KINDS))
    try:
        bench.store.set_me(ME)
        bench.join()
        bench.store.cache_upkeep.low_bytes = MB // 2
        bench.store.cache_upkeep.chosen = lambda: CacheLimit(most=100 * MB, is_automatic=False)
        yield bench
    finally:
        bench.store.close()
        os.system(f"umount {folder}")  # noqa: S605


def free(bench: Bench) -> int:
    found = bench.store.cached.files.free_bytes()
    assert found is not None
    return found


async def fill_cache(bench: Bench, *, pinned: bool = False) -> list[bytes]:
    """Keeps parts until less than 3 MB are free; returns their digests."""
    digests = []
    while free(bench) > 3 * MB:
        sealed = new_id() * (PART // 16)
        digest = hashlib.sha256(sealed).digest()
        wanted = WantedPart(part=PartId(new_id()), room=ROOM, obj=new_obj(), digest=digest, size=PART)
        if pinned:
            bench.store.cached.pin([wanted])
        else:
            bench.store.cached.reserve(wanted)
        await bench.store.cached.keep(digest, sealed)
        digests.append(digest)
    return digests


def fill_disk(bench: Bench, but: int = 0) -> None:
    """Another program fills the disk, except `but` bytes."""
    with (bench.folder / "another").open("wb") as file:
        while (left := free(bench) - but) > 0:
            try:
                file.write(b"x" * min(left, MB))
                file.flush()
            except OSError:
                return


def write_until_full(bench: Bench, note: ObjId) -> int:
    """Writes edits until one is refused; returns how many were stored."""
    for count in range(100):
        try:
            bench.store.changes.append(ROOM, note, LARGE)
        except DiskFull:
            return count
    raise AssertionError("the disk is never full")


async def test_a_full_disk_takes_the_cache_before_it_refuses_an_edit(small: Bench) -> None:
    note, digests = small.note(), await fill_cache(small)
    assert len(digests) > 8
    fill_disk(small)
    assert free(small) == 0
    for _ in range(3):
        small.store.changes.append(ROOM, note, LARGE)
    small.store.objects.set_draft(ROOM, note, LARGE)
    assert [c.data for c in small.store.changes.of(note)] == [LARGE] * 3
    await small.store.cache_upkeep.tidy()
    assert small.store.cached.here(digests) == set()
    assert [*(small.folder / "received").iterdir()] == []
    assert small.store.db.check() == []


async def test_a_full_disk_takes_the_cache_before_it_refuses_a_changed_copy(small: Bench) -> None:
    """The free space is judged wrongly, as with a quota: only the refusal itself says that the disk is full."""
    copies = copies_of(small.store, small.folder)
    path = await copies.open(of_message(), b"before", LABEL)
    digests = await fill_cache(small)
    overwrite(path, LARGE)
    fill_disk(small, but=MB // 4)
    small.store.cache_upkeep.low_bytes = -1
    await copies.wipe()
    assert not path.exists()
    (kept,) = copies.copies(ROOM)
    assert (await copies.read(kept.id))[1] == LARGE
    assert small.store.cached.here(digests) == set()
    await copies.close()


async def test_an_edit_that_the_disk_refused_is_written_once_after_the_cache_has_given_room(small: Bench) -> None:
    """The free space is judged wrongly, as with a quota: only the refusal itself says that the disk is full."""
    note = small.note()
    await fill_cache(small)
    fill_disk(small)
    small.store.cache_upkeep.low_bytes = -1
    appended: list[bytes] = []
    small.store.changes.appended.connect(lambda change: appended.append(change.data))
    small.store.cache_upkeep.given_bytes = 4 * MB
    small.store.changes.append(ROOM, note, LARGE)
    assert appended == [LARGE]
    assert small.store.waiting_count() == 1


async def test_an_error_after_the_commit_writes_nothing_twice(small: Bench) -> None:
    """What is told of the edit writes too, and that finds the disk full."""
    note = small.note()
    await fill_cache(small)
    small.store.cache_upkeep.low_bytes = -1

    def write(change: object) -> None:
        disconnect()
        fill_disk(small)
        with small.store.transaction():
            small.store.changes.append(ROOM, note, LARGE)

    disconnect = small.store.changes.appended.connect(write)
    with pytest.raises(DiskFull):
        small.store.changes.append(ROOM, note, b"once")
    assert [c.data for c in small.store.changes.of(note)] == [b"once"]


async def test_edits_that_are_stored_together_find_room_at_once(small: Bench) -> None:
    note = small.note()
    await fill_cache(small)
    fill_disk(small)
    with small.store.transaction():
        small.store.changes.append(ROOM, note, LARGE)
        small.store.changes.append(ROOM, note, LARGE)
    assert small.store.waiting_count() == 2


async def test_pins_stay_on_a_full_disk_and_the_refusal_says_so(small: Bench) -> None:
    note, digests = small.note(), await fill_cache(small, pinned=True)
    fill_disk(small, 2 * MB)
    assert write_until_full(small, note) < 9
    await small.store.cache_upkeep.tidy()
    assert small.store.cached.here(digests) == set(digests)
    assert small.store.cache_upkeep.usage.is_disk_full
    small.store.cached.unpin_all()
    await small.store.cache_upkeep.tidy()
    small.store.changes.append(ROOM, note, LARGE)


async def test_an_own_file_takes_the_room_of_received_ones(small: Bench) -> None:
    digests = await fill_cache(small)
    fill_disk(small)
    part = PartId(new_id())
    small.store.blobs.write(part, b"y" * 4 * MB)
    assert small.store.blobs.path(part).stat().st_size == 4 * MB
    await small.store.cache_upkeep.tidy()
    assert small.store.cached.here(digests) == set()


async def test_a_received_part_never_takes_the_last_of_the_disk(small: Bench) -> None:
    digests = await fill_cache(small, pinned=True)
    fill_disk(small, MB)
    await small.store.cache_upkeep.tidy()
    sealed = b"z" * PART
    digest = hashlib.sha256(sealed).digest()
    small.store.cached.reserve(WantedPart(part=PartId(new_id()), room=ROOM, obj=new_obj(), digest=digest, size=PART))
    await small.store.cached.keep(digest, sealed)
    assert small.store.cached.here([digest]) == set()
    assert len([*(small.folder / "received").iterdir()]) == len(digests)
    assert free(small) > MB // 2


async def test_what_is_kept_on_the_computer_opens_on_a_full_disk(small: Bench) -> None:
    digest, *_ = await fill_cache(small, pinned=True)
    fill_disk(small)
    with pytest.raises(DiskFull):
        small.store.changes.append(ROOM, new_obj(), LARGE)
    later = clock.now_ms() + USED_EVERY_MS  # its use is to be written
    restore = clock.set_clock(lambda: later)
    try:
        assert await small.store.cached.read(digest) is not None
    finally:
        restore()


async def test_an_edit_that_is_refused_within_a_larger_one_is_stored_when_it_is_tried_again(small: Bench) -> None:
    note = small.note()
    await fill_cache(small)
    fill_disk(small)
    small.store.cache_upkeep.low_bytes = -1

    def write() -> None:
        with small.store.transaction():
            small.store.changes.append(ROOM, note, LARGE)

    with pytest.raises(DiskFull):
        write()
    write()
    assert small.store.waiting_count() == 1
