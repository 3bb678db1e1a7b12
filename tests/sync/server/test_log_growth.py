# SPDX-License-Identifier: EUPL-1.2
"""How fast and how far a person's log may grow at the server, and what no such bound ever stops."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.protocol import messages as m
from sync.protocol.codec import encode
from sync.server import people
from sync.server.config import Limits
from sync.server.identity import read_agency
from sync.server.running import start_server
from sync.trust import userdrafts
from sync.trust.author import Entry
from sync.trust.userdrafts import Hand
from sync.trust.userlog import UserLog
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
    """One person's log and the keys to go on with it."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.log: UserLog = person.book.logs[person.uid]
        self.seeds = {1: person.puk_seed}

    async def send(self, *entries: Entry) -> None:
        wire = self.person.wire
        await wire.ask(m.UserAppend(wire.rid(), [m.Signed(*e) for e in entries]), m.Ok)
        for entry in entries:
            self.log.apply(*entry)

    async def rotate(self) -> None:
        hand = Hand(self.person.author.dev, self.person.author.signing, self.seeds)
        entry, seed = userdrafts.rotate_puk(self.log, hand, now())
        await self.send(entry)
        self.seeds[len(self.log.puks)] = seed

    async def revoke(self, house: House) -> None:
        """The agency revokes the device that this person's entries come from last of all."""
        agency = read_agency(house.data)
        await self.send(userdrafts.revoke_by_agency(self.log, agency, list(self.log.devices)[-1], now()))

    async def admit(self) -> None:
        """Another device, whose keys nobody has."""
        signing, kem, by = SigningKey(os.urandom(32)), KemKey(os.urandom(32)), self.person.author.dev
        proof = signing.sign("dev-proof", [self.log.uid, self.log.head, [signing.public, kem.public], by])
        hand = Hand(by, self.person.author.signing, self.seeds)
        await self.send(userdrafts.admit(self.log, hand, signing.public, kem.public, proof, now()))

    async def leave(self) -> None:
        """This very device goes; the answer may not come any more."""
        hand = Hand(self.person.author.dev, self.person.author.signing, self.seeds)
        entry, _ = userdrafts.revoke(self.log, hand, self.person.author.dev, now())
        wire = self.person.wire
        await wire.socket.send(encode(m.UserAppend(wire.rid(), [m.Signed(*entry)])))


async def test_attack_a_log_grows_by_so_much_a_day_and_the_person_is_told(data: Path) -> None:
    async with served(data, Limits(log_entries_a_day=5)) as house:
        keys = Keys(await house.person())
        for _ in range(5):
            await keys.rotate()
        with pytest.raises(Refused, match="busy user log"):
            await keys.rotate()
        assert (await house.server.service.people._store.user_entries(keys.log.uid, -1))[-1].seq == ENROLLED + 4
        other = Keys(await house.person("Registrator"))
        await other.rotate()


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
        gone = userdrafts.revoke_by_agency(log, agency, list(log.devices)[-1], now())
        log.apply(*gone)
        hand = Hand(keys.person.author.dev, keys.person.author.signing, keys.seeds)
        key, _ = userdrafts.rotate_puk(log, hand, now())
        log.apply(*key)
        more, _ = userdrafts.rotate_puk(log, Hand(hand.by, hand.signing, {2: _}), now())
        with pytest.raises(Refused, match="quota user log"):
            await keys.send(gone, key, more)
        await keys.send(gone, key)


async def test_no_bound_stops_the_agency_from_ending_an_account(data: Path) -> None:
    async with served(data, Limits(log_entries=ENROLLED)) as house:
        keys = Keys(await house.person())
        wire, entry = keys.person.wire, userdrafts.reset(keys.log, read_agency(data), now())
        await wire.socket.send(encode(m.UserAppend(wire.rid(), [m.Signed(*entry)])))
        ended = await wire.end()
        assert ended is not None
        assert ended.code == "auth"


async def test_a_long_log_is_read_with_a_breath_between(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else everybody would wait for all of it: 0.2 ms an entry."""
    keys = Keys(await house.person())
    for _ in range(20):
        await keys.rotate()
    monkeypatch.setattr(people, "_BREATHE", 5)
    book = house.server.service.people
    book._logs.clear()
    turns, reading = 0, asyncio.ensure_future(book.load(keys.log.uid))
    rows = len(await book._store.user_entries(keys.log.uid, -1))
    while not reading.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns >= rows // 5 - 1
    read = await reading
    assert read is not None
    assert read.head == keys.log.head
