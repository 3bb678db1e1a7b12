# SPDX-License-Identifier: EUPL-1.2
"""Rules that only the server holds, one by one (PROTOCOL.md, "Rules and their tests"), over real sockets."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sync.errors import Reject
from sync.protocol import messages as m
from sync.protocol.codec import decode_server, encode
from sync.protocol.version import WIRE_MAX, WIRE_MIN
from sync.server.host.identity import read_agency
from sync.server.process.running import start_server
from sync.server.process.websocket import _encoded
from sync.server.rules import rotation_limit
from sync.server.rules.handshake import now_ms
from sync.server.rules.refusal import refusal_of
from sync.server.store.base import EntryRow, Full
from sync.trust.formats.items import ENTRY, Role, item_id
from sync.trust.keys.epochs import in_order, new_epoch
from sync.trust.keys.merkle import root
from sync.trust.person import user_drafts
from sync.trust.person.user_entry import AGENCY, entry_id
from sync.trust.person.user_entry import DOMAIN as USER_LOG
from sync.trust.person.user_entry import entry_body as user_body
from sync.trust.room import entry_drafts
from sync.trust.room.entries import DOMAIN, RoomEntry, entry_body
from tests.sync.server.house import TEXT, House
from tests.sync.server.passed_on import ephemeral
from tests.sync.server.wire import Person, Refused, config
from tests.world import until


async def upload(person: Person, room: bytes, seals: list[bytes], at: bytes | None = None) -> None:
    """Stages seals under their own root, or under another name."""
    await person.wire.ask(m.PutSeals(person.wire.rid(), room, at or root(seals), 0, seals), m.Ok)


def entry_by(person: Person, room: bytes, kind: str, payload: object) -> entry_drafts.Draft:
    """The next entry of a room with any payload."""
    s, a = person.rooms[room].state, person.author
    body = entry_body(room, s.entry_seq + 1, s.entry_head, a.uid, a.dev, (s.n, s.rh), a.ulog, now_ms(), kind, payload)
    return entry_drafts.Draft(room=s.room, entries=[(body, a.signing.sign(DOMAIN, item_id(ENTRY, body)))])


async def refused(person: Person, draft: entry_drafts.Draft, code: str) -> None:
    with pytest.raises(Refused) as e:
        await person.append(draft)
    assert e.value.code == code


# -- seals ------------------------------------------------------------------------------------------------------


async def test_attack_an_add_without_the_newcomers_seal_is_refused(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    carl = await house.person()
    await anna.fetch_log(carl.uid)
    await anna.sync(room)
    draft = anna.drafter(room).add(carl.uid, Role.WRITER, history=True)
    await refused(anna, draft, "seals")
    await upload(anna, room, [os.urandom(len(draft.seals[0]))], draft.root)
    await refused(anna, draft, "seals")
    await upload(anna, room, draft.seals, draft.root)
    await anna.append(draft)


async def test_attack_an_add_with_its_epoch_names_the_newcomers_own_seal(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    carl = await house.person()
    await anna.fetch_log(carl.uid)
    await anna.sync(room)
    honest = anna.drafter(room).add(carl.uid, Role.WRITER, history=False)
    await upload(anna, room, honest.seals)
    decoded = RoomEntry.decode(honest.entries[0][0])
    assert decoded.epoch is not None
    log = anna.book.logs[carl.uid]
    payload = [carl.uid, 2, False, [log.seq, log.head], os.urandom(32), decoded.epoch.payload()]
    await refused(anna, entry_by(anna, room, "add", payload), "seals")
    await anna.append(honest)


async def test_attack_the_server_places_no_epoch_whose_seals_give_too_much_or_too_little(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    to = in_order(anna.rooms[room].recipients(anna.book))
    new = new_epoch(anna.rooms[room].room, 2, to, [], anna.rings[room], base=1)
    for wrong in (new.seals[0] + bytes(32), new.seals[0][:-32], b""):
        seals = [wrong, *new.seals[1:]]
        epoch = replace(new.epoch, root=root(seals))
        await upload(anna, room, seals)
        await refused(anna, entry_by(anna, room, "epoch", [epoch.payload()]), "seals")
    await upload(anna, room, new.seals)
    await anna.append(entry_by(anna, room, "epoch", [new.epoch.payload()]))
    assert len((await bert.wire.ask(m.SealRequest(bert.wire.rid(), room, 2), m.SealReply)).seals) == 1


async def test_attack_nothing_is_resealed_to_one_whose_device_the_agency_revoked(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    seal = m.Reseal(anna.wire.rid(), room, 1, bert.uid, os.urandom(1200))
    await anna.wire.ask(seal, m.Ok)
    log, agency = bert.book.logs[bert.uid], read_agency(house.data)
    body = user_body(bert.uid, 3, log.head, AGENCY, now_ms(), "dev_revoke", [bert.author.dev, [], None])
    entry = m.Signed(body, agency.key.sign(USER_LOG, entry_id(body)))
    await bert.wire.socket.send(encode(m.UserAppend(bert.wire.rid(), [entry])))
    await bert.wire.end()
    await anna.fetch_log(bert.uid)
    assert anna.book.logs[bert.uid].puk_at(3) is None
    with pytest.raises(Refused, match="invalid recipient"):
        await anna.wire.ask(msgspec.structs.replace(seal, rid=anna.wire.rid()), m.Ok)


def revoked_by_the_agency(house: House, bert: Person) -> m.Signed:
    log = bert.book.logs[bert.uid]
    return m.Signed(*user_drafts.revoke_by_agency(log, read_agency(house.data), bert.author.dev, now_ms()))


async def test_attack_a_device_is_cut_off_though_who_revoked_it_was_gone_before_the_answer(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bert = await house.person("Registrator")
    stays = bert.wire
    await bert.connect(house.server.url, house.data)
    store = house.server.store
    real, begun, go = store.append_user, asyncio.Event(), asyncio.Event()

    async def slow(*args: Any, **kwargs: Any) -> None:
        begun.set()
        await go.wait()
        await real(*args, **kwargs)

    monkeypatch.setattr(store, "append_user", slow)
    frame = m.UserAppend(bert.wire.rid(), [revoked_by_the_agency(house, bert)])
    await bert.wire.socket.send(encode(frame))
    await begun.wait()
    await bert.wire.close()
    await until(lambda: house.server.service.hub.connections == 1)
    go.set()
    ended = await stays.end()
    assert ended is not None
    assert ended.code == "auth"


async def test_attack_a_device_is_cut_off_though_the_disk_takes_nothing_after_its_revocation(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bert = await house.person("Registrator")

    async def full(*_: object) -> None:
        raise Full("disk")

    store = house.server.store
    monkeypatch.setattr(store, "drop_recovery_request", full)
    monkeypatch.setattr("sync.server.rules.recovery_requests._revoked", lambda draft: [bert.author.dev])
    await bert.wire.socket.send(encode(m.UserAppend(bert.wire.rid(), [revoked_by_the_agency(house, bert)])))
    ended = await bert.wire.end()
    assert ended is not None
    assert ended.code == "auth"


async def test_attack_a_log_that_is_read_while_it_grows_takes_no_revocation_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bert = await house.person("Registrator")
    people = house.server.service.people
    store, real = house.server.store, house.server.store.user_entries
    begun, go = asyncio.Event(), asyncio.Event()

    async def slow(uid: bytes, after: int) -> list[EntryRow]:
        rows = await real(uid, after)
        begun.set()
        await go.wait()
        return rows

    monkeypatch.setattr(store, "user_entries", slow)
    reading = asyncio.ensure_future(people._read(bert.uid))
    await begun.wait()
    monkeypatch.setattr(store, "user_entries", real)
    await bert.wire.socket.send(encode(m.UserAppend(bert.wire.rid(), [revoked_by_the_agency(house, bert)])))
    await bert.wire.end()
    go.set()
    read = await reading
    assert read is people.log(bert.uid)
    assert read.device_active(bert.author.dev, read.seq) is None


# -- batches ----------------------------------------------------------------------------------------------------


async def test_attack_a_batch_over_256_ops_or_1_mib_is_refused_by_the_server(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    push = anna.sealed(room, TEXT)
    for count, size, code in ((257, 1, "invalid"), (0, 0, "invalid"), (5, 256 * 1024, "oversize")):
        frame = m.Push(anna.wire.rid(), room, push.bodies * count, [bytes(size)] * count, push.sig, [])
        with pytest.raises(Refused, match=f"{code} batch"):
            await anna.wire.ask(frame, m.Placed)
    await anna.wire.ask(push, m.Placed)


async def test_attack_a_batch_that_fails_in_its_middle_leaves_nothing_at_the_server(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    push = anna.sealed(room, TEXT, "två", "tre")
    spoilt = [push.cts[0], push.cts[1][:-1] + b"\0", push.cts[2]]
    with pytest.raises(Refused, match="content-hash"):
        await anna.wire.ask(msgspec.structs.replace(push, rid=anna.wire.rid(), cts=spoilt), m.Placed)
    pulled = await bert.wire.ask(m.Pull(bert.wire.rid(), room, 0, 1 << 20), m.Items)
    assert pulled.receipt.n == bert.rooms[room].n
    placed = await anna.wire.ask(msgspec.structs.replace(push, rid=anna.wire.rid()), m.Placed)
    assert (placed.first, placed.count) == (pulled.receipt.n + 1, 3)


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        ("stale", "stale"),
        ("chain", "stale"),
        ("rotation-owed", "rotation-owed"),
        ("forbidden", "forbidden"),
        ("signature", "invalid"),
    ],
)
def test_a_verdict_has_its_own_code_on_the_wire(verdict: str, code: str) -> None:
    """A client can distinguish a batch to encrypt again after a sync (`stale`) from a room that owes a rotation."""
    assert refusal_of(Reject(verdict, "position 7")).code == code


# -- whose turn it is -------------------------------------------------------------------------------------------


async def a_lost_race(house: House) -> tuple[Person, Person, Person, bytes]:
    """Anna removes Bert, who was faster with a note; his next note has to wait."""
    anna, bert, room = await house.two_in_a_room()
    carl = await house.person()
    await anna.add(room, carl)
    for who in (bert, carl):
        await who.sync(room)
    late = anna.drafter(room).remove(bert.uid)
    await bert.append(entry_by(bert, room, "note", [b"x"]))
    with pytest.raises(Refused, match="conflict"):
        await anna.submit(late)
    await bert.sync(room)
    await refused(bert, entry_by(bert, room, "note", [b"y"]), "busy")
    return anna, bert, carl, room


async def test_a_removal_that_lost_a_race_has_the_reserved_slot(house: House) -> None:
    anna, bert, carl, room = await a_lost_race(house)
    await carl.sync(room)
    await anna.sync(room)
    await anna.submit(anna.drafter(room).remove(bert.uid))
    await carl.sync(room)
    await carl.append(entry_by(carl, room, "note", [b"z"]))


async def test_a_reserved_slot_ends_after_a_minute_and_delays_no_owed_rotation(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, bert, carl, room = await a_lost_race(house)
    began = now_ms()
    with monkeypatch.context() as later:
        later.setattr(rotation_limit, "now_ms", lambda: began + rotation_limit._SLOT_MS + 1)
        await bert.append(entry_by(bert, room, "note", [b"y"]))
    await carl.sync(room)
    live = house.server.service.live.at_hand(room)
    assert live is not None
    live.stream.state.rotation_owed = True  # as after an envelope that states a revocation
    await carl.append(entry_by(carl, room, "cannot_open", [1]))


async def test_a_writer_who_loses_a_race_reserves_no_slot(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    bert.rings[room] = anna.rings[room]
    late = bert.drafter(room)._draft("note", [b"x"])
    rotation = bert.drafter(room).rotate()
    await anna.append(entry_by(anna, room, "note", [b"y"]))
    await refused(bert, late, "conflict")
    await refused(bert, rotation, "seals")
    await anna.sync(room)
    await anna.append(entry_by(anna, room, "note", [b"z"]))


# -- what is only passed on -------------------------------------------------------------------------------------


async def test_attack_an_ephemeral_leaves_nothing_at_the_server_and_reaches_only_who_listens(data: Path) -> None:
    canary = os.urandom(16)
    async with start_server(config(data)) as server:
        house = House(server, data)
        anna, bert, room = await house.two_in_a_room()
        frame = ephemeral(anna, room, session=canary, ct=b"ct" + canary)
        await anna.wire.socket.send(encode(frame))
        await anna.push(room, TEXT)
        assert isinstance(await bert.wire.next(m.Fresh), m.Fresh), "who does not listen is not heard"
        await anna.subscribe(room)
        await anna.wire.socket.send(encode(frame))
        assert await bert.wire.next(m.Ephemeral) == frame
        await house.close()
    assert canary not in everything_in(data)


def everything_in(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())


# -- numbers and texts that no column of the database takes ------------------------------------------------------


async def test_attack_numbers_and_texts_without_end_are_no_errors_of_the_server(house: House) -> None:
    """Each such number or text used to be an error in the server's log, as fast as it could be sent."""
    anna = await house.person()
    room, wire = await anna.create(), anna.wire
    for after in (2**63, 2**64 - 1):
        with pytest.raises(Refused, match="invalid after"):
            await wire.ask(m.UserLog(wire.rid(), anna.uid, after), m.UserLogReply)
    assert (await wire.ask(m.SealRequest(wire.rid(), room, 2**64 - 1), m.SealReply)).seals == []
    found = await wire.ask(m.Directory(wire.rid(), "%" * 60_000, []), m.DirectoryReply)
    assert found.people == []


def test_attack_an_answer_that_is_too_long_is_an_answer_all_the_same() -> None:
    reply = decode_server(_encoded(m.Revoked(7, [m.Signed(bytes(3 * 2**20), b"")]), 7))
    assert isinstance(reply, m.Error)
    assert (reply.rid, reply.code) == (7, "internal")


def test_attack_a_programs_name_does_nothing_to_an_operators_terminal(house: House) -> None:
    handshake = house.server.service.handshake()
    handshake.hello(m.Hello((WIRE_MIN, WIRE_MAX), bytes(32), now_ms(), "\x1b]0;x\x07kansli/0.1\n\u202e"))
    assert handshake.agent == "]0;xkansli/0.1"
