# SPDX-License-Identifier: EUPL-1.2
"""How fast and how far a person's log may grow at the server, and the entries that no such limit ever refuses."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sync.crypto.encoding import enc
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.ids import DevId
from sync.protocol import messages as m
from sync.protocol.codec import encode
from sync.protocol.version import MAX_USER_ENTRY_BYTES
from sync.server.config import Limits
from sync.server.host.identity import read_agency
from sync.server.process.running import start_server
from sync.server.rules import log_growth, people
from sync.server.store.base import EntryRow, Full
from sync.trust.person import user_drafts
from sync.trust.person.author import Entry, puk_payload
from sync.trust.person.user_drafts import Hand
from sync.trust.person.user_entry import DOMAIN, entry_id
from sync.trust.person.user_log import UserLog
from tests.sync.server.house import House
from tests.sync.server.wire import Person, Refused, config, now

ENROLLED = 3


@asynccontextmanager
async def served(data: Path, limits: Limits) -> AsyncIterator[House]:
    async with start_server(config(data, limits)) as server:
        made = House(server, data)
        yield made
        await made.close()


class Keys:
    """One person's log, and the keys with which the device `by` adds entries to it."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.log: UserLog = person.book.logs[person.uid]
        self.seeds = {1: person.puk_seed}
        self.by, self.signing = person.author.dev, person.author.signing

    async def send(self, *entries: Entry) -> None:
        wire = self.person.wire
        await wire.ask(m.UserAppend(wire.rid(), [m.Signed(*e) for e in entries]), m.Ok)
        for entry in entries:
            self.log.apply(*entry)

    async def rotate(self) -> None:
        hand = Hand(self.person.author.dev, self.person.author.signing, self.seeds)
        entry, seed = user_drafts.rotate_puk(self.log, hand, now())
        await self.send(entry)
        self.seeds[len(self.log.puks)] = seed

    async def revoke(self, house: House) -> None:
        """The agency revokes the device that this person's entries come from last of all."""
        agency = read_agency(house.data)
        await self.send(user_drafts.revoke_by_agency(self.log, agency, list(self.log.devices)[-1], now()))

    async def admit(self, own: "Keys | None" = None) -> tuple[DevId, SigningKey]:
        """Adds another device. `own`: the first device's Keys, which have the log and the seeds, if `self` is
        a further one."""
        own = own or self
        signing, kem = SigningKey(os.urandom(32)), KemKey(os.urandom(32))
        proof = signing.sign("dev-proof", [own.log.uid, own.log.head, [signing.public, kem.public], self.by])
        hand = Hand(self.by, self.signing, own.seeds)
        await own.send(user_drafts.admit(own.log, hand, signing.public, kem.public, proof, now()))
        return list(own.log.devices)[-1], signing

    def revocation(self, dev: DevId, own: "Keys | None" = None) -> Entry:
        """The entry by which this device revokes `dev`."""
        own = own or self
        entry, seed = user_drafts.revoke(own.log, Hand(self.by, self.signing, own.seeds), dev, now())
        own.seeds[len(own.log.puks) + 1] = seed
        return entry

    async def admit_and_revoke(self, own: "Keys") -> None:
        """Adds a device and revokes it at once."""
        dev, _ = await self.admit(own)
        try:
            await own.send(self.revocation(dev, own))
        except Refused:
            own.seeds.pop(len(own.log.puks) + 1)
            raise

    async def leave(self) -> None:
        """Revokes this device itself; its answer may be lost."""
        hand = Hand(self.person.author.dev, self.person.author.signing, self.seeds)
        entry, _ = user_drafts.revoke(self.log, hand, self.person.author.dev, now())
        wire = self.person.wire
        await wire.socket.send(encode(m.UserAppend(wire.rid(), [m.Signed(*entry)])))


async def test_attack_a_log_grows_by_so_much_a_day_and_the_person_is_notified(data: Path) -> None:
    async with served(data, Limits(log_entries_a_day=5)) as house:
        keys = Keys(await house.person())
        for _ in range(5):
            await keys.rotate()
        with pytest.raises(Refused, match="busy user log"):
            await keys.rotate()
        assert (await house.server.store.user_entries(keys.log.uid, -1))[-1].seq == ENROLLED + 4
        other = Keys(await house.person("Registrator"))
        await other.rotate()


async def test_attack_a_restart_of_the_server_lets_no_log_grow_faster(data: Path) -> None:
    async with served(data, Limits(log_entries_a_day=5)) as house:
        keys = Keys(await house.person())
        for _ in range(5):
            await keys.rotate()
        house.server.service.recovery_requests._growth = log_growth.LogGrowth(
            house.server.store, Limits(log_entries_a_day=5)
        )
        with pytest.raises(Refused, match="busy user log"):
            await keys.rotate()


async def test_attack_a_log_has_an_end(data: Path) -> None:
    async with served(data, Limits(log_entries=ENROLLED + 2)) as house:
        keys = Keys(await house.person())
        for _ in range(2):
            await keys.rotate()
        with pytest.raises(Refused, match="quota user log"):
            await keys.rotate()
        with pytest.raises(Refused, match="quota user log"):
            await keys.admit()


@pytest.mark.parametrize("limits", [Limits(log_entries=ENROLLED + 1), Limits(log_entries_a_day=1)])
async def test_no_bound_stops_a_revocation_or_the_one_key_that_it_makes_necessary(data: Path, limits: Limits) -> None:
    async with served(data, limits) as house:
        keys = Keys(await house.person())
        await keys.admit()
        with pytest.raises(Refused):
            await keys.rotate()
        await keys.revoke(house)
        assert keys.log.puk_at(keys.log.seq) is None
        await keys.rotate()
        assert keys.log.puk_at(keys.log.seq) is not None
        with pytest.raises(Refused):  # one, and no more
            await keys.rotate()
        await keys.leave()
        ended = await keys.person.wire.end()
        assert ended is not None
        assert ended.code == "auth"


async def test_a_revocation_and_its_key_may_come_together(data: Path) -> None:
    async with served(data, Limits(log_entries=ENROLLED + 1)) as house:
        keys = Keys(await house.person())
        await keys.admit()
        log, agency = replace(keys.log), read_agency(data)
        gone = user_drafts.revoke_by_agency(log, agency, list(log.devices)[-1], now())
        log.apply(*gone)
        hand = Hand(keys.person.author.dev, keys.person.author.signing, keys.seeds)
        key, _ = user_drafts.rotate_puk(log, hand, now())
        log.apply(*key)
        more, _ = user_drafts.rotate_puk(log, Hand(hand.by, hand.signing, {2: _}), now())
        with pytest.raises(Refused, match="quota user log"):
            await keys.send(gone, key, more)
        await keys.send(gone, key)


async def test_no_bound_stops_the_agency_from_ending_an_account(data: Path) -> None:
    async with served(data, Limits(log_entries=ENROLLED)) as house:
        keys = Keys(await house.person())
        wire, entry = keys.person.wire, user_drafts.reset(keys.log, read_agency(data), now())
        await wire.socket.send(encode(m.UserAppend(wire.rid(), [m.Signed(*entry)])))
        ended = await wire.end()
        assert ended is not None
        assert ended.code == "auth"


async def test_a_long_log_is_read_with_a_breath_between(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise all clients would wait for the whole log: 0.2 ms an entry."""
    keys = Keys(await house.person())
    for _ in range(20):
        await keys.rotate()
    monkeypatch.setattr(people, "BREATHE", 5)
    book = house.server.service.people
    book._logs.clear()
    turns, reading = 0, asyncio.ensure_future(book.load(keys.log.uid))
    rows = len(await house.server.store.user_entries(keys.log.uid, -1))
    while not reading.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns >= rows // 5 - 1
    read = await reading
    assert read is not None
    assert read.head == keys.log.head


def large(keys: Keys, size: int) -> Entry:
    """A PUK generation with `size` bytes in an extension that every program ignores."""
    author = keys.person.author
    seed = os.urandom(32)
    payload = puk_payload(keys.log, seed, keys.seeds[len(keys.log.puks)])
    keys.seeds[len(keys.log.puks) + 1] = seed
    body = enc(
        [1, keys.log.uid, keys.log.seq + 1, keys.log.head, author.dev, now(), "puk_rotate", payload, {1: bytes(size)}]
    )
    return body, author.signing.sign(DOMAIN, entry_id(body))


async def test_attack_a_log_has_an_end_in_bytes_too(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty entries of half a MiB were 25 MB on the first day, for every colleague."""
    async with served(data, Limits()) as house:
        keys = Keys(await house.person())
        with pytest.raises(Refused, match="oversize"):
            await keys.send(large(keys, MAX_USER_ENTRY_BYTES))
        keys.seeds.pop(2)
        with pytest.raises(Refused, match="busy user log"):  # noqa: PT012 - as many as are taken
            for _ in range(20):
                await keys.send(large(keys, 120_000))
        assert 5 < keys.log.seq < 12
        monkeypatch.setattr(log_growth, "LOG_BYTES", keys.log.size_bytes + 5000)
        with pytest.raises(Refused, match="quota user log"):
            await keys.send(large(keys, 5000))


async def test_attack_who_asks_for_a_piece_of_a_long_log_has_no_more_read(house: House) -> None:
    keys = Keys(await house.person())
    for _ in range(5):
        await keys.send(large(keys, 120_000))
    read = list[int]()
    real = house.server.store.user_entries

    async def counted(uid: bytes, after: int, most: int | None = None) -> list[EntryRow]:
        rows = await real(uid, after, most)
        read.append(len(rows))
        return rows

    house.server.store.user_entries = counted  # type: ignore[method-assign]
    wire = keys.person.wire
    got = list[m.Signed]()
    while len(got) <= keys.log.seq:
        got += (await wire.ask(m.UserLog(wire.rid(), keys.log.uid, len(got) - 1), m.UserLogReply)).entries
    assert [e.body for e in got][-1] == (await real(keys.log.uid, -1))[-1].body
    assert max(read) <= people._ROWS


async def test_attack_a_stolen_device_uses_up_no_revocations_but_its_own(data: Path) -> None:
    """The stolen device adds devices and revokes them. The first device can still revoke it, and all devices that it
    added, on the same day."""
    async with served(data, Limits()) as house:
        first = Keys(await house.person())
        stolen = Keys(first.person)
        stolen.by, stolen.signing = await first.admit()
        for _ in range(3):
            await stolen.admit_and_revoke(first)
        with pytest.raises(Refused, match="busy revocations"):
            await stolen.admit_and_revoke(first)
        for _ in range(3):
            await stolen.admit(first)
        left = [d.dev for d in first.log.devices.values() if d.revoked is None and d.dev != first.by]
        assert len(left) == 5
        for dev in left:
            await first.send(first.revocation(dev))
        assert [d.dev for d in first.log.devices.values() if d.revoked is None] == [first.by]


async def test_a_revocation_that_could_not_be_stored_is_not_counted(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a person whose server had a full disk for a moment could revoke nothing for a day."""
    async with served(data, Limits(revocations_a_day=2)) as house:
        keys = Keys(await house.person())
        devs = [(await keys.admit())[0] for _ in range(3)]

        async def full(*args: object, **more: object) -> None:
            raise Full("the disk is full or failing")

        for dev in devs[1:]:
            with monkeypatch.context() as disk:
                disk.setattr(house.server.store, "append_user", full)
                with pytest.raises(Refused, match="full"):
                    await keys.send(keys.revocation(dev))
        for dev in devs[:2]:
            await keys.send(keys.revocation(dev))
        with pytest.raises(Refused, match="busy revocations"):
            await keys.send(keys.revocation(devs[2]))
