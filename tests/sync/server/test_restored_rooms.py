# SPDX-License-Identifier: EUPL-1.2
"""A restored server takes back what it acknowledged, at its old positions, and no other items. Frames by hand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from sync.crypto.signatures import SigningKey
from sync.ids import Hash
from sync.protocol import messages as m
from sync.server.config import ConfigError
from sync.server.host.identity import read_identity
from sync.server.operator import admin, listing
from sync.server.operator.upkeep.problems import Problem
from sync.server.operator.upkeep.verify import verify
from sync.server.process.running import Running, start_server
from sync.server.rules import restored_rooms
from sync.server.rules.handshake import now_ms
from sync.trust.formats import fields
from sync.trust.formats.items import RH_0, STUB, Item, item_id, next_rh
from sync.trust.person import user_drafts
from sync.trust.person.agency import Agency, SignInCode, invite_id
from sync.trust.person.author import DeviceSecrets, new_user
from sync.trust.person.user_drafts import Hand
from sync.trust.person.user_entry import ROOT, UserEntry, entry_body, entry_id
from sync.trust.room import signed_receipts
from sync.trust.room.restore_notice import Restored
from tests.sync.server.house import TEXT, House
from tests.sync.server.test_backup import back_up, put_back
from tests.sync.server.wire import Person, Refused, config, now, open_wire


def wire(items: Sequence[Item]) -> list[m.WireItem]:
    return [m.WireItem(i.n, i.t, i.kind, i.body, i.sig, i.ct) for i in items]


def stubs(items: Sequence[Item]) -> bytes:
    return b"".join(STUB.pack(i.t, i.kind, item_id(i.kind, i.body)) for i in items)


async def promise(who: Person, room: bytes, items: Sequence[Item], receipt: m.Receipt | None) -> m.Wanted:
    """Proves items that follow each other."""
    frame = m.Promise(who.wire.rid(), room, items[0].n - 1, stubs(items), receipt)
    return await who.wire.ask(frame, m.Wanted)


async def reupload(who: Person, room: bytes, items: Sequence[Item], shares: Sequence[m.WireShare] = ()) -> m.Wanted:
    return await who.wire.ask(m.Reupload(who.wire.rid(), room, wire(items), list(shares)), m.Wanted)


async def done(who: Person) -> None:
    await who.wire.ask(m.ReuploadDone(who.wire.rid()), m.Ok)


async def code_of(asking: Awaitable[object]) -> str:
    with pytest.raises(Refused) as e:
        await asking
    return e.value.code


@dataclass
class Before:
    """What was there before the server was lost, and a restored folder from an older backup."""

    house: House
    data: Path
    room: bytes
    anna: Person
    bert: Person
    carl: Person
    """Added after the backup."""
    items: list[Item]
    receipt: m.Receipt
    at: int
    """The head in the backup."""
    shares: list[m.WireShare] = field(default_factory=list)

    @property
    def lost(self) -> list[Item]:
        return self.items[self.at :]

    @asynccontextmanager
    async def older(self) -> AsyncIterator[Running]:
        """The restored server, with Anna signed in."""
        async with start_server(config(self.data)) as server:
            self.house.server = server
            await self.anna.connect(server.url, self.data)
            yield server
            for who in (self.anna, self.bert, self.carl):
                await who.wire.close()


async def _everything(who: Person, room: bytes) -> list[Item]:
    who.rooms.pop(room, None)
    return await who.sync(room)


@pytest.fixture
async def before(house: House, tmp_path: Path) -> Before:
    """A room of two; the backup has its beginning, and after it came messages, an object, a member and a rotation."""
    anna, bert, room = await house.two_in_a_room()
    carl = await house.person("Enhetschef")
    await anna.push(room, TEXT)
    made = await asyncio.to_thread(back_up, house.data, tmp_path / "backup")
    await anna.sync(room)
    await anna.push(room, "två", "tre")
    await anna.sync(room)
    sealed = anna.sealed(room, "objekt", obj=b"o" * 16)
    await anna.wire.ask(sealed, m.Placed)
    await anna.add(room, carl, history=False)
    receipt = (await anna.push(room, "sist")).receipt
    items = await _everything(anna, room)
    await house.close()
    back = tmp_path / "restored"
    assert await asyncio.to_thread(put_back, tmp_path / "backup", back) == []
    at = 4
    assert (made.items, items[at - 1].n, receipt.n) == (at, at, items[-1].n)
    return Before(house, back, room, anna, bert, carl, items, receipt, at, sealed.shares)


async def test_what_was_lost_comes_back_at_its_old_positions(before: Before) -> None:
    anna, bert, room = before.anna, before.bert, before.room
    async with before.older() as server:
        assert anna.authed.restored is not None
        identity = read_identity(before.data, now_ms())
        statement = Restored.check(
            identity.key.public, identity.fingerprint, anna.authed.restored.body, anna.authed.restored.sig
        )
        assert statement.explains(before.lost[0].t)
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
        assert await _everything(bert, room) == before.items
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
    items = await _everything(anna, room)
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
    items = await _everything(anna, room)
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
        await _everything(before.anna, before.room)
        await before.anna.push(before.room, "nytt")
        assert await listing.closed(before.data) == []


async def test_a_device_that_the_agency_revokes_is_not_waited_for(before: Before) -> None:
    async with before.older():
        await done(before.anna)
        assert await code_of(before.anna.push(before.room, "nytt")) == "closed"
        await admin.revoke(before.data, uid=before.bert.uid, dev=before.bert.author.dev)
        while not (await before.anna.wire.next(m.RestoreProgress)).open:
            pass


# -- user logs -----


async def test_who_enrolled_after_the_backup_comes_back_by_their_own_log(house: House, tmp_path: Path) -> None:
    await house.person()
    code = await admin.invite(house.data, name="Registrator", title="", unit="")
    await asyncio.to_thread(back_up, house.data, tmp_path / "backup")
    bert = Person("Registrator")
    house.people.append(await bert.enrol(house.server.url, house.data, code))
    late = await house.person("Enhetschef")
    await house.close()
    back = tmp_path / "restored"
    await asyncio.to_thread(put_back, tmp_path / "backup", back)
    async with start_server(config(back)) as server:
        for who, known in ((bert, True), (late, False)):
            await _signed_out(who, server, back)
            await who.wire.ask(m.ReuploadLog(who.wire.rid(), who.entries), m.Ok)
            await who.wire.ask(m.ReuploadLog(who.wire.rid(), who.entries), m.Ok)
            await who.auth()
            reply = await who.wire.ask(m.Directory(who.wire.rid(), "", [who.uid]), m.DirectoryReply)
            assert [p.uid for p in reply.people] == ([who.uid] if known else [])
            heads = await who.wire.ask(m.LogHeads(who.wire.rid(), [who.uid, b"q" * 16]), m.LogHeadsReply)
            assert [(h.uid, h.seq) for h in heads.heads] == [(who.uid, 2)]
        second_log = Person("Registrator")
        assert await code_of(second_log.enrol(server.url, back, code)) == "code-used"
        await bert.wire.close()
        await late.wire.close()
        await second_log.wire.close()
    found: list[Problem] = []
    await asyncio.to_thread(verify, back, found.append, lambda _: None)
    assert found == []


async def _signed_out(who: Person, server: Running, data: Path) -> None:
    who.wire = await open_wire(server.url, data)
    await who.wire.greet()


async def test_attack_a_log_that_does_not_continue_what_is_here_is_not_taken(before: Before) -> None:
    anna = before.anna
    first, second, third = anna.entries
    other = _log_of(b"x" * 32)
    async with before.older():
        for entries, code in (
            ([], "invalid"),
            ([m.Signed(b"x", b"")], "invalid"),
            ([first, m.Signed(*other[1])], "conflict"),
            ([m.Signed(third.body.replace(b"puk_rotate", b"puk_rotatf"), third.sig)], "invalid"),
            ([m.Signed(*e) for e in other], "invalid"),
            ([m.Signed(*other[0])], "invalid"),
        ):
            assert await code_of(anna.wire.ask(m.ReuploadLog(anna.wire.rid(), entries), m.Ok)) == code, entries
        await anna.wire.ask(m.ReuploadLog(anna.wire.rid(), [second, third]), m.Ok)
    assert (await admin.status(before.data)).users == 3


def _log_of(agency_seed: bytes) -> list[tuple[bytes, bytes]]:
    """A whole log, of another agency."""
    agency, code, record = Agency(agency_seed), SignInCode.fresh(Agency(agency_seed).pk), Hash(b"r" * 32)
    cert = agency.certify_invite(code.key.public, record, 2**50)
    entries, _ = new_user(DeviceSecrets.fresh(), code, agency.pk, cert, record, b"p" * 32, now())
    return entries


async def test_attack_a_restored_server_does_not_bypass_invitation_and_veto(
    before: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody with the root key uploads its entries as if they had been lost, signed in or not."""
    anna = before.anna
    log, dev = anna.book.logs[anna.uid], anna.author.dev
    root = Hand(ROOT, SigningKey(anna.secrets.root), {1: anna.puk_seed})
    gone = m.Signed(*user_drafts.revoke(log, root, dev, now())[0])
    renewed = m.Signed(*user_drafts.rotate_puk(log, Hand(dev, anna.author.signing, {1: anna.puk_seed}), now())[0])
    async with before.older() as server:
        monkeypatch.setattr(restored_rooms, "LOGS_AFTER_MS", 0)
        await _signed_out(before.bert, server, before.data)
        for wire_ in (before.bert.wire, anna.wire):
            assert await code_of(wire_.ask(m.ReuploadLog(wire_.rid(), [gone]), m.Ok)) == "forbidden"
            again = [*anna.entries, gone]
            assert await code_of(wire_.ask(m.ReuploadLog(wire_.rid(), again), m.Ok)) == "forbidden"
        await anna.wire.ask(m.ReuploadLog(anna.wire.rid(), [renewed]), m.Ok)  # entries by a device are taken as ever


async def test_attack_a_used_code_makes_no_second_person_after_a_restore(house: House, tmp_path: Path) -> None:
    """The invitation is in the backup, and so is who used it."""
    anna = await house.person()
    code = await admin.invite(house.data, name="Registrator", title="", unit="")
    bert = Person("Registrator")
    house.people.append(await bert.enrol(house.server.url, house.data, code))
    await asyncio.to_thread(back_up, house.data, tmp_path / "backup")
    back = tmp_path / "restored"
    await asyncio.to_thread(put_back, tmp_path / "backup", back)
    invite = SignInCode.parse(code)
    _, cert, sig, record = fields.array(UserEntry.decode(bert.entries[1].body).payload, 4, "binding")
    assert isinstance(cert, bytes)
    assert isinstance(sig, bytes)
    assert isinstance(record, bytes)
    pk = bert.book.logs[bert.uid].agency_pk
    again, _ = new_user(DeviceSecrets.fresh(), invite, pk, (cert, sig), Hash(record), b"p" * 32, now())
    second_log = [m.Signed(*e) for e in again]
    log = anna.book.logs[anna.uid]  # and nobody takes the other's record over
    by, payload = invite_id(invite.key.public), [pk, cert, sig, record]
    body = entry_body(log.uid, log.seq + 1, log.head, by, now(), "binding", payload)
    taken_over = m.Signed(body, invite.key.sign("user-log", entry_id(body)))
    async with start_server(config(back)) as server:
        await _signed_out(bert, server, back)
        assert await code_of(bert.wire.ask(m.ReuploadLog(bert.wire.rid(), second_log), m.Ok)) == "code-used"
        assert await code_of(bert.wire.ask(m.ReuploadLog(bert.wire.rid(), [taken_over]), m.Ok)) == "code-used"
        await bert.wire.close()


async def test_attack_while_a_device_may_hold_more_nothing_new_enters_a_persons_log(before: Before) -> None:
    """Otherwise a device whose revocation was lost could add an entry first."""
    anna, bert = before.anna, before.bert
    async with before.older() as server:
        entry = m.Signed(b"whatever", b"")
        assert await code_of(anna.wire.ask(m.UserAppend(anna.wire.rid(), [entry]), m.Ok)) == "closed"
        await done(anna)
        assert await code_of(anna.wire.ask(m.UserAppend(anna.wire.rid(), [entry]), m.Ok)) != "closed"
        await bert.connect(server.url, before.data)
