# SPDX-License-Identifier: EUPL-1.2
"""A restored server takes back what it acknowledged, at its old positions, and no other items. Frames by hand."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from sync.crypto.signatures import SigningKey
from sync.protocol import messages as m
from sync.server.config import ConfigError
from sync.server.host.identity import read_identity
from sync.server.operator import admin, listing
from sync.server.operator.upkeep.problems import Problem
from sync.server.operator.upkeep.verify import verify
from sync.server.process.running import start_server
from sync.server.rules import restored_rooms
from sync.server.rules.handshake import now_ms
from sync.trust.formats.items import RH_0, STUB, Item, item_id, next_rh
from sync.trust.room import signed_receipts
from sync.trust.room.restore_notice import Restored
from tests.sync.server.house import TEXT, House
from tests.sync.server.restored import Before, before, code_of, done, everything, promise, reupload, stubs
from tests.sync.server.test_backup import back_up, put_back
from tests.sync.server.wire import Refused, config

__all__ = ["before"]  # a fixture


async def test_what_was_lost_comes_back_at_its_old_positions(before: Before) -> None:
    anna, bert, room = before.anna, before.bert, before.room
    async with before.older() as server:
        assert anna.authed.restored is not None
        identity = read_identity(before.data, now_ms())
        statement = Restored.check(
            identity.key.public, identity.fingerprint, anna.authed.restored.body, anna.authed.restored.sig
        )
        assert statement.explains(before.lost[0].t, before.receipt.t)
        assert await code_of(anna.push(room, "nytt")) == "closed"
        assert await code_of(anna.submit(anna.drafter(room).rotate())) == "closed"
        wanted = await promise(anna, room, before.lost, before.receipt)
        assert (wanted.receipt, wanted.until) == (anna.authed.rooms[0].receipt, before.receipt.n)
        wanted = await reupload(anna, room, before.lost, before.shares)
        assert (wanted.receipt, wanted.until) == (before.receipt, 0)
        assert wanted.receipt is not None
        assert wanted.receipt.sig == before.receipt.sig
        await done(anna)
        for other in (bert, before.carl):
            assert await code_of(anna.push(room, "nytt")) == "closed"  # these devices may hold more
            await other.connect(server.url, before.data)
            await done(other)
        assert [f.open for f in [await anna.wire.next(m.RestoreProgress) for _ in range(3)]] == [False, False, True]
        assert await everything(bert, room) == before.items
        assert (await anna.push(room, "nytt")).first == before.receipt.n + 1
    counts = await admin.status(before.data)
    assert (counts.rooms_closed, counts.devices_awaited) == (0, 0)
    found: list[Problem] = []
    await asyncio.to_thread(verify, before.data, found.append, lambda _: None)
    assert found == []


async def test_a_room_that_the_backup_does_not_know_comes_back_whole(house: House, tmp_path: Path) -> None:
    anna, bert = await house.person(), await house.person("Registrator")
    await asyncio.to_thread(back_up, house.data, tmp_path / "backup")
    room = await anna.create()
    await anna.add(room, bert)
    receipt = (await anna.push(room, TEXT)).receipt
    items = await everything(anna, room)
    await house.close()
    back = tmp_path / "restored"
    await asyncio.to_thread(put_back, tmp_path / "backup", back)
    async with start_server(config(back)) as server:
        await anna.connect(server.url, back)
        await bert.connect(server.url, back)
        assert await code_of(reupload(bert, room, items)) == "unknown-room"
        wanted = await promise(anna, room, items, receipt)
        assert (wanted.receipt, wanted.until) == (None, receipt.n)
        wanted = await reupload(bert, room, items)
        assert (wanted.receipt, wanted.until) == (receipt, 0)
        assert (await bert.wire.next(m.Joined)).head.receipt.room == room
        assert await code_of(anna.push(room, "nytt")) == "closed"
        await done(anna)
        await done(bert)
        await anna.push(room, "nytt")
        await anna.wire.close()
        await bert.wire.close()


async def test_items_come_in_pieces_from_several_and_twice_does_no_harm(before: Before) -> None:
    anna, bert, room, lost = before.anna, before.bert, before.room, before.lost
    async with before.older() as server:
        await bert.connect(server.url, before.data)
        assert (await anna.wire.ask(m.Promise(1000, room, before.at, stubs(lost[:3]), None), m.Wanted)).until == 0
        rest = m.Promise(1001, room, before.at + 3, stubs(lost[3:]), before.receipt)
        assert (await anna.wire.ask(rest, m.Wanted)).until == before.receipt.n
        assert (await promise(bert, room, lost, before.receipt)).until == before.receipt.n
        first = [i for i in lost if i.n <= before.at + 2]
        assert (await reupload(bert, room, lost[2:])).receipt == anna.authed.rooms[0].receipt  # not yet
        one, other = await asyncio.gather(reupload(bert, room, first), reupload(anna, room, first))
        assert one.until == other.until == before.receipt.n
        assert (await reupload(anna, room, lost)).until == 0
        assert (await reupload(bert, room, lost)).receipt == before.receipt


# -- attacks -----


def signed(key: SigningKey, room: bytes, n: int, rh: bytes, t: int) -> m.Receipt:
    return m.Receipt(room, n, rh, t, signed_receipts.sign(key, room, n, rh, t))


async def test_attack_items_are_proven_by_the_servers_own_receipt_alone(before: Before) -> None:
    room, lost, true = before.room, before.lost, before.receipt
    change = msgspec.structs.replace
    stranger = SigningKey(bytes(32))
    async with before.older():
        for receipt in (
            change(true, sig=bytes(64)),
            change(true, n=true.n - 1),
            change(true, room=b"q" * 16),
            change(true, rh=b"x" * 32),
            signed(stranger, room, true.n, true.rh, true.t),
        ):
            assert await code_of(promise(before.anna, room, lost, receipt)) == "invalid"
        assert await code_of(promise(before.anna, room, lost[:-1], true)) == "invalid"
        assert await code_of(promise(before.anna, room, lost[1:], true)) == "stale"
        assert await code_of(promise(before.anna, room, [lost[1], lost[0], *lost[2:]], true)) == "invalid"
        assert await code_of(promise(before.anna, b"q" * 16, lost, change(true, room=b"q" * 16))) == "invalid"
        assert await code_of(before.anna.wire.ask(m.Promise(900, room, before.at, b"x", true), m.Wanted)) == "invalid"
        assert await code_of(before.anna.wire.ask(m.Promise(901, room, -1, b"", true), m.Wanted)) == "invalid"
        assert await code_of(before.anna.wire.ask(m.Promise(902, room, before.at, b"", true), m.Wanted)) == "invalid"
        assert await code_of(reupload(before.anna, room, lost)) == "invalid"  # nothing was proven
        assert await code_of(reupload(before.anna, b"q" * 16, lost)) == "unknown-room"
    assert (await admin.status(before.data)).items == before.at


async def test_attack_an_older_history_of_the_server_does_not_replace_the_present_one(before: Before) -> None:
    """Stubs that begin before the head must pass through it."""
    true, anna = before.receipt, before.anna
    key = read_identity(before.data, now_ms()).key
    other = [Item(3, 1, 2, b"x", b"s", b"c"), *before.items[3:]]
    rh = RH_0
    for item in [*before.items[:2], *other]:
        rh = next_rh(rh, item.n, item.t, item.kind, item_id(item.kind, item.body))
    async with before.older():
        assert (
            await code_of(promise(anna, before.room, other, signed(key, before.room, true.n, rh, true.t))) == "invalid"
        )
        assert (await promise(anna, before.room, before.items[2:], true)).until == true.n


ALTERED: dict[str, Callable[[Item], Item]] = {
    "body": lambda i: Item(i.n, i.t, i.kind, i.body[:-1] + b"x", i.sig, i.ct),
    "signature": lambda i: Item(i.n, i.t, i.kind, i.body, i.sig[:-1] + bytes([i.sig[-1] ^ 1]), i.ct),
    "content": lambda i: Item(i.n, i.t, i.kind, i.body, i.sig, (i.ct or b"")[:-1] + b"x"),
    "left out": lambda i: Item(i.n, i.t, i.kind, i.body, i.sig, None),
    "time": lambda i: Item(i.n, i.t + 1, i.kind, i.body, i.sig, i.ct),
    "kind": lambda i: Item(i.n, i.t, 3 - i.kind, i.body, i.sig, i.ct),
}


@pytest.mark.parametrize("what", ALTERED)
async def test_attack_an_altered_item_is_not_taken_back(before: Before, what: str) -> None:
    room, lost = before.room, before.lost
    last = ALTERED[what](lost[-1])
    async with before.older():
        await promise(before.anna, room, lost, before.receipt)
        with pytest.raises(Refused, match="invalid"):
            await reupload(before.anna, room, [*lost[:-1], last])
        status = await admin.status(before.data)
        assert status.items < before.receipt.n
        assert status.rooms_closed == 1
        assert (await reupload(before.anna, room, lost)).receipt == before.receipt


async def test_attack_reordered_and_foreign_items_are_not_taken_back(before: Before) -> None:
    anna, room, lost = before.anna, before.room, before.lost
    async with before.older():
        await promise(anna, room, lost, before.receipt)
        x, y, *rest = lost
        swapped = [Item(x.n, x.t, y.kind, y.body, y.sig, y.ct), Item(y.n, y.t, x.kind, x.body, x.sig, x.ct)]
        fresh = anna.sealed(room, "nytt")
        mine = Item(x.n, x.t, 2, fresh.bodies[0], fresh.sig, fresh.cts[0])
        beyond = Item(before.receipt.n + 1, before.receipt.t, 2, fresh.bodies[0], fresh.sig, fresh.cts[0])
        for items in ([*swapped, *rest], [mine], [mine, *lost[1:]], [*lost, beyond]):
            assert await code_of(reupload(anna, room, items)) == "invalid"
        assert (await admin.status(before.data)).items == before.at


async def test_attack_a_share_that_is_another_is_as_good_as_lost(before: Before) -> None:
    room = before.room
    async with before.older():
        await promise(before.anna, room, before.lost, before.receipt)
        await reupload(before.anna, room, before.lost, [m.WireShare(b"o" * 16, b"x" * 32)])
        (share,) = before.shares
        await before.anna.wire.ask(m.PutShare(before.anna.wire.rid(), room, share), m.Ok)
    found: list[Problem] = []
    await asyncio.to_thread(verify, before.data, found.append, lambda _: None)
    assert found == []


async def test_attack_nothing_is_taken_back_by_a_server_that_was_not_restored(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    receipt = (await anna.push(room, TEXT)).receipt
    items = await everything(anna, room)
    assert anna.authed.restored is None
    assert await code_of(promise(anna, room, items, receipt)) == "forbidden"
    assert await code_of(reupload(anna, room, items)) == "forbidden"
    assert await code_of(anna.wire.ask(m.ReuploadLog(anna.wire.rid(), anna.entries), m.Ok)) == "forbidden"


async def test_stubs_without_a_receipt_are_bounded(before: Before, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restored_rooms, "_MOST_BYTES", 2 * STUB.size)
    async with before.older():
        assert await code_of(promise(before.anna, before.room, before.lost, None)) == "quota"
        assert (await promise(before.anna, before.room, before.lost[:2], None)).until == 0


async def test_the_operator_opens_a_room_by_name_after_a_day(before: Before, monkeypatch: pytest.MonkeyPatch) -> None:
    async with before.older():
        (line,) = await listing.closed(before.data)
        assert (line.room, line.items, line.missing) == (before.room.hex(), before.at, 0)
        assert sorted(w.name for w in line.waits) == ["Handläggare", "Registrator"]
        with pytest.raises(ConfigError, match="24 hours"):
            await admin.open_room(before.data, before.room)
        with pytest.raises(ConfigError, match="not closed"):
            await admin.open_room(before.data, b"q" * 16)
        monkeypatch.setattr(admin, "OPEN_AFTER_MS", 0)
        await admin.open_room(before.data, before.room)
        assert (await before.anna.wire.next(m.RestoreProgress)).open
        await everything(before.anna, before.room)
        await before.anna.push(before.room, "nytt")
        assert await listing.closed(before.data) == []


async def test_a_device_that_the_agency_revokes_is_not_waited_for(before: Before) -> None:
    async with before.older():
        await done(before.anna)
        assert await code_of(before.anna.push(before.room, "nytt")) == "closed"
        await admin.revoke(before.data, uid=before.bert.uid, dev=before.bert.author.dev)
        while not (await before.anna.wire.next(m.RestoreProgress)).open:
            pass
