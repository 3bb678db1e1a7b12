# SPDX-License-Identifier: EUPL-1.2
"""Received files, in a real store's folder: each part is fetched once, in turns, and again only if it is not here."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from app.core.ids import ObjId, PartId, RoomId, new_id, new_obj
from app.errors import NoRoomOffline
from app.objects.files import SealedFiles, _row, forget_files, pin_new_files
from app.objects.kept_offline import KeptOffline
from app.objects.part_fetches import AT_ONCE, PartFetches
from app.store.cache_upkeep import CacheLimit
from app.store.cached_parts import WantedPart, pin_new
from app.store.store import Store
from sync.client.exchange.blob_transfer import Blobs as Transfers
from sync.errors import Refused, Reject, Unreachable
from sync.trust.room.blob_manifest import Manifest, encrypt_part
from tests.app.store.gated_write import GatedFiles
from tests.world import until

ROOM = RoomId(b"R" * 16)


class Server:
    """The server's copies of parts. With `gate` closed, answers wait."""

    def __init__(self) -> None:
        self.parts: dict[bytes, bytes] = {}
        self.asked: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.is_online = True
        self.running = self.most = 0

    def wake(self) -> None:
        pass

    async def fetch(self, room: RoomId, obj: ObjId, part: PartId, digest: bytes) -> bytes:
        if not self.is_online:
            raise Unreachable
        self.asked.append(part)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.gate.wait()
        finally:
            self.running -= 1
        if part not in self.parts:
            raise Refused("blob-missing")
        return self.parts[part]

    def file(self, *plains: bytes) -> bytes:
        """Puts a file of these parts on the server; returns its manifest."""
        made = [encrypt_part(ROOM, plain, last=plain is plains[-1]) for plain in plains]
        self.parts |= {part.part: sealed for part, sealed in made}
        return Manifest(sum(map(len, plains)), tuple(part for part, _ in made)).encode()


class Case:
    """A store that has received nothing yet, and a server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = Server()
        self.obj = new_obj()
        self.open()

    def open(self, make: Callable[..., Store] = Store.create) -> None:
        self.store = make(self.folder / "store.db", b"k" * 32, {})
        self.store.cache_upkeep.chosen = lambda: CacheLimit(most=10_000_000, is_automatic=False)
        self.sealed = SealedFiles(self.store.blobs, cast("Transfers", self.server))

    async def fetch(self, manifest: bytes, name: str = "a") -> bytes:
        target = self.folder / name
        await self.sealed.fetch(ROOM, self.obj, manifest, target, lambda done, size: None)
        return target.read_bytes()


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    made = Case(tmp_path)
    yield made
    made.store.close()


def plains(count: int) -> list[bytes]:
    return [f"del {n} åäö 🙂 ".encode() * 10 for n in range(count)]


async def test_a_file_is_fetched_once_and_then_opens_without_a_network(case: Case) -> None:
    manifest = case.server.file(*plains(3))
    assert not case.sealed.is_here(manifest)
    assert await case.fetch(manifest) == b"".join(plains(3))
    assert case.sealed.is_here(manifest)
    case.server.is_online = False
    case.store.close()
    case.open(Store.open)
    assert await case.fetch(manifest) == b"".join(plains(3))
    assert set(Counter(case.server.asked).values()) == {1}


async def test_two_views_of_one_file_fetch_each_part_once(case: Case) -> None:
    manifest = case.server.file(*plains(4))
    assert await asyncio.gather(*(case.fetch(manifest, name) for name in "abc")) == [b"".join(plains(4))] * 3
    assert len(case.server.asked) == 4


async def test_several_files_take_turns_and_few_parts_are_on_their_way(case: Case) -> None:
    files = [case.server.file(*(p + bytes([n]) for p in plains(3))) for n in range(6)]
    case.server.gate.clear()
    fetches = asyncio.gather(*(case.fetch(manifest, str(n)) for n, manifest in enumerate(files)))
    await until(lambda: case.server.running == AT_ONCE)
    case.server.gate.set()
    await fetches
    assert case.server.most == AT_ONCE
    first = [Manifest.decode(manifest).parts[0].part for manifest in files]
    assert max(case.server.asked.index(part) for part in first) < 3 * AT_ONCE  # no file waits for a whole other


async def test_what_came_before_a_fetch_was_cancelled_is_not_fetched_again(case: Case) -> None:
    manifest = case.server.file(*plains(3))
    done = list[int]()

    def close_gate(so_far: int, size: int) -> None:
        done.append(so_far)
        case.server.gate.clear()

    fetch = asyncio.create_task(case.sealed.fetch(ROOM, case.obj, manifest, case.folder / "a", close_gate))
    await until(lambda: bool(done) and case.server.running == 1)
    fetch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetch
    await until(lambda: case.server.running == 0)
    assert len(case.server.asked) == 2
    assert case.store.db.value("SELECT count(*) FROM cached_parts") == 1
    case.server.gate.set()
    case.server.asked.clear()
    assert await case.fetch(manifest) == b"".join(plains(3))
    assert len(case.server.asked) == 2


async def test_a_part_that_is_being_kept_when_its_fetch_is_cancelled_is_kept(case: Case) -> None:
    manifest = case.server.file(*plains(1))
    gated = case.store.cached.files = GatedFiles(case.store.cached.files)
    fetch = asyncio.create_task(case.fetch(manifest))
    await gated.until_written()
    fetch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetch
    gated.may_end.set()
    await until(lambda: case.sealed.is_here(manifest))


async def test_a_view_that_is_closed_stops_no_other_that_waits_for_the_same_part(case: Case) -> None:
    (part,) = Manifest.decode(case.server.file(*plains(1))).parts
    wanted = WantedPart(part=part.part, room=ROOM, obj=case.obj, digest=part.digest, size=part.length)
    fetches = PartFetches(case.store.cached, cast("Transfers", case.server))
    case.server.gate.clear()
    first, second = (asyncio.create_task(fetches.get(wanted)) for _ in range(2))
    await until(lambda: case.server.running == 1)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    case.server.gate.set()
    assert await second == case.server.parts[part.part]
    assert len(case.server.asked) == 1


async def test_a_damaged_part_is_fetched_again(case: Case) -> None:
    manifest = case.server.file(*plains(2))
    await case.fetch(manifest)
    for file in (case.folder / "received").iterdir():
        file.write_bytes(b"x" * file.stat().st_size)
    assert await case.fetch(manifest) == b"".join(plains(2))
    assert len(case.server.asked) == 4


async def test_an_error_of_the_server_reaches_everybody_who_waits_and_keeps_nothing(case: Case) -> None:
    manifest = case.server.file(*plains(1))
    case.server.parts.clear()
    results = await asyncio.gather(*(case.fetch(manifest, name) for name in "ab"), return_exceptions=True)
    assert [type(result) for result in results] == [Refused, Refused]
    assert case.store.db.value("SELECT count(*) FROM cached_parts") == 0


async def test_own_files_are_not_in_the_cache(case: Case) -> None:
    source = case.folder / "egen.txt"
    source.write_bytes(b"egen")
    manifest, _ = await case.sealed.add(ROOM, case.obj, source, lambda done, size: None)
    assert case.sealed.is_here(manifest)
    await case.fetch(manifest)
    case.sealed.pin(ROOM, case.obj, manifest)
    await case.sealed.empty(pinned=True)
    assert case.sealed.is_here(manifest)
    assert case.server.asked == []
    assert case.store.db.value("SELECT count(*) FROM cached_parts") == 0


async def test_a_deleted_message_s_files_leave(case: Case) -> None:
    manifest = case.server.file(*plains(2))
    await case.fetch(manifest)
    with case.store.transaction() as conn:
        forget_files(conn, [b"no manifest", manifest])
    assert not case.sealed.is_here(manifest)
    await case.store.cache_upkeep.tidy()
    assert [*(case.folder / "received").iterdir()] == []


async def test_a_deleted_message_s_files_leave_though_they_are_kept_offline(case: Case) -> None:
    manifest = case.server.file(*plains(2))
    case.sealed.pin(ROOM, case.obj, manifest)
    await case.sealed.complete()
    assert case.sealed.is_here(manifest)
    with case.store.transaction() as conn:
        forget_files(conn, [manifest])
    assert not case.sealed.is_here(manifest)
    await case.sealed.complete()
    await case.store.cache_upkeep.tidy()
    assert [*(case.folder / "received").iterdir()] == []
    assert len(case.server.asked) == 2, "they are not fetched again"


async def test_attack_a_message_that_names_another_s_part_with_a_false_hash_drops_nothing(case: Case) -> None:
    manifest = case.server.file(*plains(1))
    await case.fetch(manifest)
    (part,) = Manifest.decode(manifest).parts
    false = Manifest(part.length, (type(part)(part.part, part.key, type(part.digest)(b"f" * 32), part.length),))
    with pytest.raises(Reject):
        await case.fetch(false.encode())
    with case.store.transaction() as conn:
        forget_files(conn, [false.encode()])
    assert case.sealed.is_here(manifest)


# -- kept offline


async def test_a_pinned_file_comes_by_itself_when_there_is_a_network(case: Case) -> None:
    manifest, refused = case.server.file(*plains(3)), case.server.file(b"borta")
    case.server.parts.pop(Manifest.decode(refused).parts[0].part)
    case.server.is_online = False
    offline = KeptOffline(case.sealed, lambda: case.server.is_online)
    running = asyncio.create_task(offline.run())
    case.sealed.pin(ROOM, case.obj, refused)
    case.sealed.pin(ROOM, case.obj, manifest)
    assert case.sealed.is_pinned(manifest)
    assert not case.sealed.is_here(manifest)
    case.server.is_online = True
    offline.on_status(online=True)
    await until(lambda: case.sealed.is_here(manifest))
    await case.sealed.empty()
    assert case.sealed.is_here(manifest)
    assert len(case.server.asked) == 4  # what the server refuses is not asked for again and again
    case.sealed.unpin(manifest)
    await case.sealed.empty()
    assert not case.sealed.is_here(manifest)
    running.cancel()
    offline.close()


async def test_a_room_s_files_are_kept_offline_also_those_that_come(case: Case) -> None:
    first, later = case.server.file(b"a"), case.server.file(b"b")
    case.sealed.pin_room(ROOM, [(case.obj, first), (case.obj, b"no manifest")])
    await case.sealed.complete()
    await case.fetch(later)
    assert case.sealed.is_room_pinned(ROOM)
    await case.sealed.empty()
    assert case.sealed.is_here(first)
    assert case.sealed.is_here(later)
    case.sealed.unpin_room(ROOM)
    await case.sealed.empty()
    assert not case.sealed.is_here(first)


def arrives(case: Case, *manifests: bytes) -> None:
    """Stores that a message with these files was received, as the chat's projection does."""
    with case.store.transaction() as conn:
        pin_new_files(conn, ROOM, case.obj, [*manifests, b"no manifest"])


async def test_later_files_of_a_room_that_is_kept_come_by_themselves_until_it_is_kept_no_more(case: Case) -> None:
    offline = KeptOffline(case.sealed, lambda: case.server.is_online)
    running = asyncio.create_task(offline.run())
    before, later, own = case.server.file(b"a"), case.server.file(*plains(2)), case.server.file(b"c")
    arrives(case, before)
    case.sealed.pin_room(ROOM, [])
    case.store.blobs.add(_row(ROOM, case.obj, Manifest.decode(own).parts[0], 9))
    arrives(case, later, own)
    await until(lambda: case.sealed.is_here(later))
    assert not case.sealed.is_pinned(before)
    assert not case.store.cached.pinned([Manifest.decode(own).parts[0].digest]), "own files stay without that"
    case.sealed.unpin_room(ROOM)
    last = case.server.file(b"d")
    arrives(case, last)
    assert not case.sealed.is_pinned(last)
    assert len(case.server.asked) == 2
    running.cancel()
    offline.close()


async def test_a_later_file_that_did_not_come_before_the_end_comes_after_the_next_start(case: Case) -> None:
    case.sealed.pin_room(ROOM, [])
    later, case.server.is_online = case.server.file(*plains(3)), False
    arrives(case, later)
    with pytest.raises(Unreachable):
        await case.sealed.complete()
    case.store.close()
    case.open(Store.open)
    case.server.is_online = True
    await case.sealed.complete()
    assert case.sealed.is_here(later)


async def test_attack_a_colleague_who_sends_more_than_the_limit_fills_no_disk(case: Case) -> None:
    case.store.cache_upkeep.chosen = lambda: CacheLimit(most=2500, is_automatic=False)
    case.sealed.pin_room(ROOM, [])
    files = [case.server.file(bytes(1000)) for _ in range(4)]
    arrives(case, *files)
    await case.sealed.complete()
    assert len(case.server.asked) == 2
    assert case.store.cached.fetched_pinned_bytes() <= 2500
    await case.sealed.complete()
    assert len(case.server.asked) == 2
    case.store.cache_upkeep.chosen = lambda: CacheLimit(most=10_000, is_automatic=False)
    await case.sealed.complete()
    assert all(map(case.sealed.is_here, files))


async def test_attack_a_colleague_who_names_much_more_than_the_limit_holds_up_nothing(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is here was added up again for each part, without a pause: 5,000 parts took 0.2 s, and twice as many four
    times as long."""
    case.store.cache_upkeep.chosen = lambda: CacheLimit(most=2500, is_automatic=False)
    case.sealed.pin_room(ROOM, [])
    here = case.server.file(bytes(1000))
    arrives(case, here)
    with case.store.transaction() as conn:
        ids = [n.to_bytes(32, "big") for n in range(1000)]
        pin_new(conn, [WantedPart(part=PartId(i[16:]), room=ROOM, obj=case.obj, digest=i, size=4000) for i in ids])
    added_up, turns = list[int](), 0
    real = case.store.cached.fetched_pinned_bytes

    def add_up() -> int:
        added_up.append(real())
        return added_up[-1]

    monkeypatch.setattr(case.store.cached, "fetched_pinned_bytes", add_up)
    completing = asyncio.create_task(case.sealed.complete())
    while not completing.done():
        turns += 1
        await asyncio.sleep(0)
    assert case.sealed.is_here(here)
    assert len(added_up) == 2, "at the beginning, and after the one part that was fetched"
    assert turns > 5, "others had turns meanwhile"


async def test_a_disk_that_is_nearly_full_gets_no_later_files(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.sealed.pin_room(ROOM, [])
    arrives(case, case.server.file(b"a"))
    monkeypatch.setattr(type(case.store.cached.files), "free_bytes", lambda self: 1000)
    await case.sealed.complete()
    assert case.server.asked == []


async def test_no_more_is_kept_offline_than_the_limit_holds(case: Case) -> None:
    small, large = case.server.file(b"a" * 60), case.server.file(b"b" * 60)
    case.store.cache_upkeep.chosen = lambda: CacheLimit(most=100, is_automatic=False)
    case.sealed.pin(ROOM, case.obj, small)
    case.sealed.pin(ROOM, case.obj, small)  # what is kept already counts once
    with pytest.raises(NoRoomOffline):
        case.sealed.pin(ROOM, case.obj, large)
    assert not case.sealed.is_pinned(large)


async def test_emptying_emits_that_it_changed(case: Case) -> None:
    await case.fetch(case.server.file(new_id()))
    seen = list[int]()
    await case.store.cache_upkeep.tidy()
    case.sealed.cache_changed.connect(lambda: seen.append(case.sealed.cached_bytes().used))
    await case.sealed.empty()
    assert seen == [0]


async def test_attack_a_part_that_is_larger_than_its_manifest_says_is_not_kept(case: Case) -> None:
    """Otherwise a file of 700 bytes, as the list says, could take 2.8 GB of whoever keeps it offline."""
    part, sealed = encrypt_part(ROOM, bytes(1_000_000), last=True)
    case.server.parts[part.part] = sealed
    manifest = Manifest(1, (replace(part, length=1),)).encode()
    case.sealed.pin(ROOM, case.obj, manifest)
    await case.sealed.complete()
    with pytest.raises(Reject, match="padding"):
        await case.fetch(manifest)
    assert not case.sealed.is_here(manifest)
    assert case.store.cached.files.names() == []
