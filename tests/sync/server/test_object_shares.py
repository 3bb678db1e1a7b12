# SPDX-License-Identifier: EUPL-1.2
"""Lost shares at the server, over real sockets: requested from listeners, accepted from any holder, once."""

import asyncio
import contextlib
import os
import sqlite3

import pytest

from sync.crypto.kdf import H
from sync.protocol import messages as m
from sync.protocol.version import MAX_SUBSCRIBED
from tests.sync.server.house import TEXT, House
from tests.sync.server.wire import Person, Refused


def lose(house: House, obj: bytes) -> None:
    """Deletes the share and everything about it from the server's database."""
    with contextlib.closing(sqlite3.connect(house.data / "server.sqlite3")) as c, c:
        assert c.execute("DELETE FROM shares WHERE obj = ?", (obj,)).rowcount == 1


async def begun(house: House) -> tuple[Person, Person, bytes, m.WireShare]:
    """A founder, a writer who listens, their room, and an object's share."""
    anna, bert, room = await house.two_in_a_room()
    push = anna.sealed(room, TEXT, obj=b"o" * 16)
    await anna.wire.ask(push, m.Placed)
    await bert.wire.next(m.Fresh)
    return anna, bert, room, push.shares[0]


async def asked(person: Person, room: bytes, obj: bytes) -> list[m.WireShare]:
    reply = await person.wire.ask(m.ShareRequest(person.wire.rid(), room, [obj]), m.ShareReply)
    return reply.shares


async def put(person: Person, room: bytes, share: m.WireShare) -> None:
    await person.wire.ask(m.PutShare(person.wire.rid(), room, share), m.Ok)


async def test_a_lost_share_is_asked_back_from_those_who_listen_and_given_to_all_of_them(house: House) -> None:
    anna, bert, room, share = await begun(house)
    lose(house, share.obj)
    assert await asked(anna, room, share.obj) == []
    assert await bert.wire.next(m.SharesWanted) == m.SharesWanted(room, [share.obj])
    await anna.subscribe(room)
    assert (await anna.wire.next(m.SharesWanted)).objs == [share.obj]  # a device that listens later is asked too
    await put(bert, room, share)
    for who in (anna, bert):
        fresh = await who.wire.next(m.Fresh)
        assert (fresh.items, fresh.shares) == ([], [share])
    assert await asked(anna, room, share.obj) == [share]
    await put(bert, room, share)
    assert anna.wire.unasked.empty()


async def test_attack_asking_again_and_again_makes_the_server_ask_others_once(house: House) -> None:
    anna, bert, room, share = await begun(house)
    lose(house, share.obj)
    for _ in range(20):
        await asked(anna, room, share.obj)
    await bert.wire.next(m.SharesWanted)
    await asyncio.sleep(0)
    assert bert.wire.unasked.empty()


async def test_attack_naming_one_room_again_and_again_is_answered_with_the_wanted_shares_once(house: House) -> None:
    """Otherwise one request would have a million ids encoded and queued."""
    anna, _, room, share = await begun(house)
    lose(house, share.obj)
    await asked(anna, room, share.obj)
    assert len(set(await anna.subscribe(*[room] * MAX_SUBSCRIBED))) == 1
    assert await anna.wire.next(m.SharesWanted) == m.SharesWanted(room, [share.obj])
    await anna.subscribe(room)
    await asked(anna, room, share.obj)  # what was sent before its answer is here
    assert anna.wire.unasked.empty()


async def test_attack_only_the_share_that_the_room_commits_to_is_taken(house: House) -> None:
    _, bert, room, share = await begun(house)
    carl = await house.person("Enhetschef")
    lose(house, share.obj)
    for false in (os.urandom(32), b"", share.share[:31], share.share + b"\0"):
        with pytest.raises(Refused, match="invalid share"):
            await put(bert, room, m.WireShare(share.obj, false))
    for nowhere in (os.urandom(16), b"", room):
        with pytest.raises(Refused, match="invalid object"):
            await put(bert, room, m.WireShare(nowhere, share.share))
    for nothing in (put(carl, room, share), asked(carl, room, share.obj)):
        with pytest.raises(Refused, match="unknown-room"):
            await nothing
    await put(bert, room, share)
    assert await asked(bert, room, share.obj) == [share]


async def test_a_share_is_refused_and_not_wanted_after_destroy(house: House) -> None:
    anna, bert, room, share = await begun(house)
    await anna.sync(room)
    await anna.submit(anna.drafter(room).destroy(share.obj, H(b"rule"), H(b"decision")))
    await bert.wire.next(m.Fresh)
    lose(house, share.obj)
    with pytest.raises(Refused, match="invalid object"):
        await put(bert, room, share)
    assert await asked(anna, room, share.obj) == []
    assert bert.wire.unasked.empty()


async def test_a_share_that_was_requested_before_destroy_is_not_wanted_for_ever(house: House) -> None:
    anna, bert, room, share = await begun(house)
    lose(house, share.obj)
    await asked(anna, room, share.obj)
    await bert.wire.next(m.SharesWanted)
    await anna.sync(room)
    await anna.submit(anna.drafter(room).destroy(share.obj, H(b"rule"), H(b"decision")))
    await bert.wire.next(m.Fresh)
    with pytest.raises(Refused, match="invalid object"):
        await put(bert, room, share)
    await anna.subscribe(room)
    await asked(anna, room, share.obj)
    assert anna.wire.unasked.empty()
