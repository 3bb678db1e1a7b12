# SPDX-License-Identifier: EUPL-1.2
"""Handshake, invitations and enrolment over real TLS sockets, and every case in which they must fail."""

import asyncio
import os
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.protocol import messages as m
from sync.protocol.codec import encode
from sync.protocol.version import MAX_FRAME_BYTES, WIRE_MAX, WIRE_MIN
from sync.server.config import Config, ConfigError
from sync.server.operator import admin
from sync.server.process.running import start_server
from sync.server.rules.handshake import Who
from sync.server.store.base import Full, SightingRow, Unreadable
from sync.trust.person.agency import SignInCode, verify_server_cert
from tests.patience import PATIENCE_S
from tests.sync.server.house import House
from tests.sync.server.wire import Person, Refused, config, decoded, keys_of, new_data, now, open_wire, wired
from tests.world import until


async def test_a_new_person_enrols_signs_in_and_is_found(house: House) -> None:
    anna = await house.person("Handläggare Å 🙂")
    assert anna.authed.ulog_seq == 2
    assert anna.authed.rooms == []
    for query in ("handläggare", "HANDLÄGGARE å", "🙂", "bygglov"):
        reply = await anna.wire.ask(m.Directory(anna.wire.rid(), query, []), m.DirectoryReply)
        assert [p.uid for p in reply.people] == [anna.uid]
    reply = await anna.wire.ask(m.Directory(anna.wire.rid(), "", [anna.uid, os.urandom(16)]), m.DirectoryReply)
    assert [(p.uid, p.ulog_seq) for p in reply.people] == [(anna.uid, 2)]
    reply = await anna.wire.ask(m.Directory(anna.wire.rid(), "nobody", []), m.DirectoryReply)
    assert reply.people == []


async def test_the_same_enrolment_again_is_ok(house: House) -> None:
    anna = await house.person()
    async with wired(house.server.url, house.data) as wire:
        await wire.greet()
        await wire.ask(m.Enrol(wire.rid(), anna.invite_pk, anna.entries), m.Ok)


async def test_a_used_code_is_refused(house: House) -> None:
    anna = await house.person()
    async with wired(house.server.url, house.data) as wire:
        await wire.greet()
        with pytest.raises(Refused, match="code-used"):
            await wire.ask(m.Invite(wire.rid(), anna.invite_pk), m.InviteReply)


async def test_an_unknown_code_is_refused(house: House) -> None:
    async with wired(house.server.url, house.data) as wire:
        await wire.greet()
        with pytest.raises(Refused, match="code-unknown"):
            await wire.ask(m.Invite(wire.rid(), os.urandom(32)), m.InviteReply)


async def test_an_expired_code_is_refused(house: House) -> None:
    text = await admin.invite(house.data, name="Registrator", title="", unit="", hours=-1)
    async with wired(house.server.url, house.data) as wire:
        await wire.greet()
        with pytest.raises(Refused, match="code-expired"):
            await wire.ask(m.Invite(wire.rid(), SignInCode.parse(text).key.public), m.InviteReply)


async def test_a_binding_is_good_for_its_own_invitation_only(house: House) -> None:
    anna = await house.person()
    text = await admin.invite(house.data, name="Registrator", title="", unit="")
    async with wired(house.server.url, house.data) as wire:
        await wire.greet()
        with pytest.raises(Refused, match="invalid"):
            await wire.ask(m.Enrol(wire.rid(), SignInCode.parse(text).key.public, anna.entries), m.Ok)
        forged = [*anna.entries[:2], m.Signed(anna.entries[2].body, os.urandom(64))]
        with pytest.raises(Refused, match="invalid"):
            await wire.ask(m.Enrol(wire.rid(), anna.invite_pk, forged), m.Ok)


async def test_a_signature_by_another_key_ends_the_connection(house: House) -> None:
    anna = await house.person()
    async with wired(house.server.url, house.data) as wire:
        anna.wire = wire
        await wire.greet()
        with pytest.raises(ConnectionError):
            await anna.auth(key=SigningKey(os.urandom(32)))
        error = await wire.end()
        assert error is not None
        assert (error.code, error.detail) == ("auth", "")


async def test_a_signature_for_another_address_is_not_passed_on(house: House) -> None:
    anna = await house.person()
    async with wired(house.server.url, house.data) as wire:
        anna.wire = wire
        await wire.greet()
        with pytest.raises(ConnectionError):
            await anna.auth(address="other.example:443")


async def test_an_unknown_person_is_refused_like_a_wrong_signature(house: House) -> None:
    anna = await house.person()
    async with wired(house.server.url, house.data) as wire:
        await wire.greet()
        frame = m.Auth(wire.rid(), os.urandom(16), anna.author.dev, wire.address, os.urandom(64), [])
        with pytest.raises(ConnectionError):
            await wire.ask(frame, m.Authed)
        error = await wire.end()
        assert error is not None
        assert error.code == "auth"


async def test_nothing_but_enrolment_is_answered_before_sign_in(house: House) -> None:
    async with wired(house.server.url, house.data) as wire:
        await wire.greet()
        with pytest.raises(ConnectionError):
            await wire.ask(m.Directory(wire.rid(), "a", []), m.DirectoryReply)
        error = await wire.end()
        assert error is not None
        assert error.code == "auth"


async def test_attack_no_proof_is_given_for_an_address_of_somebody_else(house: House) -> None:
    async with wired(house.server.url, house.data) as wire:
        hello = await wire.greet()
        verify_server_cert(hello.agency_pk, hello.server_cert.body, hello.server_cert.sig, hello.time)
        assert len(hello.proof) == 64
    async with wired(house.server.url, house.data) as wire:
        wire.address = "other.example:443"
        assert (await wire.greet()).proof == b""


@pytest.mark.parametrize("versions", [(WIRE_MAX + 1, 9), (0, WIRE_MIN - 1)])
async def test_a_version_that_is_not_spoken_is_refused(house: House, versions: tuple[int, int]) -> None:
    async with wired(house.server.url, house.data) as wire:
        with pytest.raises(Refused) as e:
            await wire.greet(versions=versions)
        assert (e.value.code, e.value.detail) == ("version", f"{WIRE_MIN}-{WIRE_MAX}")


async def test_a_clock_off_by_days_is_refused(house: House) -> None:
    async with wired(house.server.url, house.data) as wire:
        with pytest.raises(Refused, match="clock"):
            await wire.greet(skew_ms=3 * 86_400_000)


async def test_malformed_truncated_and_oversized_frames_end_the_connection(house: House) -> None:
    whole = encode(m.Hello((WIRE_MIN, WIRE_MAX), os.urandom(32), now(), "test"))
    for data in (b"", b"\xc1", whole[:-1], whole + b"\0", b"\x91\xa4push", encode(m.Ok(1)), os.urandom(300)):
        async with wired(house.server.url, house.data) as wire:
            await wire.greet()
            await wire.socket.send(data)
            error = await wire.end()
            assert error is not None
            assert error.code == "malformed"
    async with wired(house.server.url, house.data) as wire:
        await wire.greet()
        await wire.socket.send(bytes(MAX_FRAME_BYTES + 1))
        await wire.end()
    async with wired(house.server.url, house.data) as wire:
        await wire.greet()
        await wire.socket.send("text å")
        error = await wire.end()
        assert error is not None
    assert (await house.person()).authed.ulog_seq == 2


async def test_hello_comes_first_and_once(house: House) -> None:
    async with wired(house.server.url, house.data) as wire:
        await wire.socket.send(encode(m.Invite(1, os.urandom(32))))
        refused = decoded(await wire.socket.recv())
        assert isinstance(refused, m.Error)
        assert refused.detail == "hello comes first"
    async with wired(house.server.url, house.data) as wire:
        await wire.greet()
        await wire.socket.send(encode(m.Hello((WIRE_MIN, WIRE_MAX), os.urandom(32), now(), "again")))
        error = await wire.end()
        assert error is not None


async def test_another_authoritys_certificate_is_not_trusted(house: House, tmp_path: Path) -> None:
    other = new_data(tmp_path / "other")
    context = ssl.create_default_context(cafile=str(other / "ca.pem"))
    with pytest.raises(ssl.SSLCertVerificationError):
        await connect(house.server.url.replace("https", "wss") + "/v1/sync", ssl=context, proxy=None)


async def test_plain_http_is_for_loopback_and_must_be_asked_for(data: Path) -> None:
    with pytest.raises(ConfigError):
        async with start_server(Config(data=data)):
            pass
    with pytest.raises(ConfigError):
        async with start_server(Config(data=data, host="0.0.0.0", insecure_loopback=True)):  # noqa: S104
            pass
    async with start_server(Config(data=data, port=0, insecure_loopback=True)) as server:
        anna = await Person("Handläggare").enrol(server.url, data)
        await anna.wire.close()


async def test_the_agency_key_can_lie_elsewhere(data: Path, tmp_path: Path) -> None:
    moved = tmp_path / "safe.key"
    (keys_of(data) / "agency.key").rename(moved)
    with pytest.raises(ConfigError):
        await admin.invite(data, name="Registrator", title="", unit="")
    text = await admin.invite(data, name="Registrator", title="", unit="", key_file=moved)
    async with start_server(config(data)) as server:
        anna = await Person("Registrator").enrol(server.url, data, text)
        await anna.wire.close()
    with pytest.raises(ConfigError):
        admin.init(data, keys=keys_of(data))


async def test_a_device_that_signs_in_while_its_person_is_added_to_a_room_is_notified(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise they would not see the room before their next connection."""
    anna, bert = await house.person(), await house.person("Registrator")
    room = await anna.create()
    await bert.wire.close()
    rooms = house.server.service.rooms
    heads, added = rooms.heads, list[bool]()

    async def meanwhile(who: Who) -> list[m.RoomHead]:
        found = await heads(who)
        if who.uid == bert.uid and not added:
            added.append(True)
            await anna.add(room, bert)
        return found

    monkeypatch.setattr(rooms, "heads", meanwhile)
    authed = await bert.connect(house.server.url, house.data)
    assert added
    assert authed.rooms == []
    joined = await bert.wire.next(m.Joined)
    assert (joined.head.receipt.room, joined.head.receipt.n) == (room, 3)


async def test_attack_endless_notifications_keep_nobody_from_signing_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A colleague who added and removed a person again and again could keep that person from signing in for ever."""
    bert = await house.person("Registrator")
    await bert.wire.close()
    service = house.server.service
    heads, read = service.rooms.heads, list[int]()

    async def meanwhile(who: Who) -> list[m.RoomHead]:
        found = await heads(who)
        read.append(1)
        for seq in range(100):
            service.hub.notify_person(who.uid, m.LogMoved(seq))
        return found

    monkeypatch.setattr(service.rooms, "heads", meanwhile)
    await bert.connect(house.server.url, house.data)
    assert read == [1]
    assert [(await bert.wire.next(m.LogMoved)).seq for _ in range(100)] == list(range(100))


async def test_a_connection_whose_sign_in_the_store_refused_gets_what_comes_later_and_nothing_of_the_person(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bert = await house.person(), await house.person("Registrator")
    await bert.wire.close()
    service = house.server.service

    async def failing(who: Who) -> list[m.RoomHead]:
        service.hub.notify_person(who.uid, m.LogMoved(7))
        raise Unreadable("disk")

    monkeypatch.setattr(service.rooms, "heads", failing)
    with pytest.raises(Refused, match="busy store"):
        await bert.connect(house.server.url, house.data)
    box = (await anna.wire.ask(m.PairOpen(anna.wire.rid(), b""), m.PairOpened)).box
    await bert.wire.ask(m.PairJoin(bert.wire.rid(), box), m.Ok)
    await anna.wire.ask(m.PairPost(anna.wire.rid(), b"senare"), m.Ok)
    assert (await bert.wire.next(m.PairMail)).data == b"senare"


async def test_attack_a_device_that_is_revoked_while_it_signs_in_is_not_let_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection is ended like that of a device that has signed in."""
    bert = await house.person("Registrator")
    await bert.wire.close()
    service = house.server.service
    heads = service.rooms.heads

    async def meanwhile(who: Who) -> list[m.RoomHead]:
        found = await heads(who)
        await admin.revoke(house.data, uid=who.uid, dev=who.dev)
        for moved in (await service.people.read_external_appends(0))[1]:
            await service._log_moved(moved, moved.seq - 1)
        return found

    monkeypatch.setattr(service.rooms, "heads", meanwhile)
    wire = bert.wire = await open_wire(house.server.url, house.data)
    await wire.greet()
    with pytest.raises(ConnectionError):
        await bert.auth()
    assert service.hub.connections == 0
    ended = await wire.end()
    assert ended is not None
    assert ended.code == "auth"


async def test_attack_a_device_that_the_agency_revokes_is_cut_off_though_reading_failed_before(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bert = await house.person("Registrator")
    store = house.server.store
    real, failed = store.external_appends, asyncio.Event()

    async def failing(after: int) -> list[tuple[int, bytes]]:
        failed.set()
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(store, "external_appends", failing)
    async with asyncio.timeout(PATIENCE_S):
        await failed.wait()
    monkeypatch.setattr(store, "external_appends", real)
    await admin.revoke(house.data, uid=bert.uid, dev=bert.author.dev)
    ended = await bert.wire.end()
    assert ended is not None
    assert ended.code == "auth"


@pytest.mark.parametrize("fault", ["_read", "log_moved"])
async def test_attack_a_damaged_log_or_a_full_disk_keeps_no_other_device_from_being_cut_off(
    house: House, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    carl, bert = await house.person("Enhetschef"), await house.person("Registrator")
    service = house.server.service
    at, refusal = (
        (service.people, Reject("signature")) if fault == "_read" else (service.restore_recovery, Full("disk"))
    )
    real, times = getattr(at, fault), [0]

    async def faulty(of: Any) -> Any:
        if getattr(of, "uid", of) == carl.uid:
            times[0] += 1
            raise refusal
        return await real(of)

    monkeypatch.setattr(at, fault, faulty)
    store = house.server.store
    appends, waits = store.external_appends, asyncio.Event()

    async def later(after: int) -> list[tuple[int, bytes]]:
        return await appends(after) if waits.is_set() else []

    monkeypatch.setattr(store, "external_appends", later)  # both are seen at once
    for who in (carl, bert):
        await admin.revoke(house.data, uid=who.uid, dev=who.author.dev)
    waits.set()
    ended = await bert.wire.end()
    assert ended is not None
    assert ended.code == "auth"
    await until(lambda: times[0] > 0)  # notifications are written after all of them are disconnected


async def test_a_device_that_stays_connected_is_seen_again_and_one_that_left_is_not(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bert = await house.person(), await house.person("Registrator")
    store = house.server.store

    async def last(who: Person) -> SightingRow:
        (row,) = await store.sightings(who.uid)
        return row

    before = {who: replace(await last(who), last=1) for who in (anna, bert)}
    await bert.wire.close()
    await until(lambda: house.server.service.hub.connections == 1)
    for row in before.values():
        await store.put_sighting(row)
    monkeypatch.setattr("sync.server.rules.service.SEEN_S", 0.0)
    async with asyncio.timeout(PATIENCE_S):
        while (seen := await last(anna)).last == 1:  # noqa: ASYNC110 - the store is asked
            await asyncio.sleep(0.05)
    assert seen == replace(before[anna], last=seen.last)
    assert abs(seen.last - now()) < 60_000
    assert await last(bert) == before[bert]
