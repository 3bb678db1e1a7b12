# SPDX-License-Identifier: EUPL-1.2
"""A server is lost in the very moment in which a client stores or sends something, and restored from an older backup.
What the client stored, and what the server acknowledged to it, comes back from it alone.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest

from app.core.ids import RoomId, new_obj
from app.errors import DiskFull
from sync.client.received import OpenedUpTo, Received, ReceivedSlice
from sync.client.room.room_sync import RoomSync
from sync.client.status import LinkState, RoomState
from sync.errors import Reject
from sync.protocol import messages as m
from sync.server.host.identity import read_identity
from sync.server.operator import listing
from sync.server.rules.handshake import now_ms
from sync.trust.formats.items import ENVELOPE
from sync.trust.room import signed_receipts
from tests.journeys.bad_input.checks import HELLO, lie, offline, stopped
from tests.journeys.restoring import backed_up, history, is_online, open_again, restored, whole
from tests.patience import PATIENCE_S
from tests.world import Client, World, until


class _Interrupted:
    """Holds a client's task that stores, from the moment in which the store has a new end of the room on its disk. The
    line then goes, or the program ends, before the task goes on."""

    def __init__(self, client: Client, room: RoomId) -> None:
        self.stored = asyncio.Event()
        self._store, self._real = client.store, client.store.receive_apart
        self._room = room
        client.store.receive_apart = self._receive_apart

    async def _receive_apart(self, received: Received) -> None:
        await self._real(received)
        if isinstance(received, ReceivedSlice | OpenedUpTo) and received.room == self._room and received.cursor:
            self.stored.set()
            await asyncio.Event().wait()

    def ends(self) -> None:
        self._store.receive_apart = self._real


async def _hears_no_echo(client: Client) -> None:
    """The client hears that what it sends has positions, and is not shown them."""
    await lie(client, lambda f: [] if isinstance(f, m.Fresh) or (isinstance(f, m.Items) and f.items) else [f])
    await until(lambda: client.engine.status.state is LinkState.ONLINE)


async def _uploads_all(client: Client) -> None:
    """The client returns to the restored server, which knows then that it has nothing more."""
    client.online()
    await until(lambda: client.engine.parts.reuploader._done_sent)


def _promised(client: Client, room: RoomId) -> int:
    """The position of the receipt that the client's store keeps."""
    return next(r.n for r in client.store.receipts() if r.room == room)


async def _heals(w: World, client: Client, room: RoomId, before: list[tuple[int, bytes]]) -> None:
    """`client` connects to the restored server while the others are offline, and uploads everything that it had before
    the loss (`before`): the room goes on."""
    client.online()
    await is_online(client)
    await until(lambda: client.engine.room_state(room) is RoomState.SEALED)
    assert history(client, room)[: len(before)] == before


@pytest.mark.parametrize("ends", [False, True], ids=["line", "program"])
async def test_what_was_stored_as_the_line_or_the_program_ended_comes_back(w: World, ends: bool) -> None:
    """▲ The receipt is stored with it: without one the room would be rolled back for ever."""
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    await w.settle(room)
    backup = await backed_up(w)
    storing = _Interrupted(a, room)
    b.say(room, obj, HELLO)
    await asyncio.wait_for(storing.stored.wait(), PATIENCE_S)
    before = history(a, room)
    assert _promised(a, room) == before[-1][0]
    await offline(b)
    await offline(a)
    storing.ends()
    if ends:
        await a.restart()
    await restored(w, backup, a)
    await _heals(w, a, room, before)
    b.online()
    await open_again(w)
    await w.settle(room)
    assert a.texts(obj) == b.texts(obj) == [HELLO]
    await whole(w)


async def test_what_a_new_member_stored_first_as_the_line_ended_comes_back(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a), new_obj()
    backup = await backed_up(w)
    a.say(room, obj, HELLO)
    await w.settle(room, a)
    storing = _Interrupted(b, room)
    await a.engine.directory(b.name)
    await a.engine.operations.add(room, b.uid, 2, history=True)
    await asyncio.wait_for(storing.stored.wait(), PATIENCE_S)
    before = history(b, room)
    assert _promised(b, room) == before[-1][0]
    await offline(a)
    await offline(b)
    storing.ends()
    await restored(w, backup, b)
    await _heals(w, b, room, before)
    a.online()
    await open_again(w)
    await w.settle(room)
    await whole(w)


@pytest.mark.parametrize("ends", [False, True], ids=["line", "program"])
async def test_an_entry_that_was_acknowledged_and_never_echoed_comes_back_from_its_author_alone(
    w: World, ends: bool
) -> None:
    """As with a change: nobody else has ever seen it. The outbox does not have it either."""
    a, b, c = await w.hire("Handläggare", "Registrator", "Enhetschef")
    room = await w.room(a, b, c)
    await w.settle(room)
    backup = await backed_up(w)
    await offline(b)
    await offline(c)
    await _hears_no_echo(a)
    at = a.engine.position(room)
    removing = asyncio.ensure_future(a.engine.operations.remove(room, c.uid))
    await until(lambda: _promised(a, room) == at + 1)
    assert a.engine.position(room) == at
    a.wire.spoil = None
    await offline(a)
    await asyncio.gather(removing, return_exceptions=True)
    if ends:
        await a.restart()
    await restored(w, backup, a)
    a.online()
    await until(lambda: a.engine.position(room) == at + 1)
    assert c.uid not in a.engine.parts.link.rooms[room].stream.members
    b.online()
    c.online()
    await open_again(w)
    await w.settle(room, a, b)
    await until(lambda: not c.engine.is_in(room))
    await whole(w)


async def test_nothing_new_takes_the_position_of_what_can_be_proven_only_after_anothers(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two changes were acknowledged, and nobody saw their echo. The author of the second cannot prove it before the
    first is back, has nothing more to upload before that, and is slow. A colleague has more to send meanwhile."""
    a, b, c = await w.hire("Handläggare", "Registrator", "Enhetschef")
    room, obj = await w.room(a, b, c), new_obj()
    a.say(room, obj, b"i kopian")
    await w.settle(room)
    backup = await backed_up(w)
    await offline(c)
    await _hears_no_echo(a)
    await _hears_no_echo(b)
    at = a.engine.position(room)
    b.say(room, obj, b"av b")
    await until(lambda: _promised(b, room) == at + 1)
    a.say(room, obj, b"av a")
    await until(lambda: _promised(a, room) == at + 2)
    a.wire.spoil = b.wire.spoil = None
    await restored(w, backup)
    c.say(room, obj, b"av c")

    await _uploads_all(a)
    may_prove, prove = asyncio.Event(), a.engine.parts.reuploader._prove

    async def late(room: RoomSync, receipt: m.Receipt) -> None:
        await may_prove.wait()
        await prove(room, receipt)

    monkeypatch.setattr(a.engine.parts.reuploader, "_prove", late)
    await _uploads_all(c)
    await _uploads_all(b)
    (line,) = await listing.closed(w.data)
    assert (line.items, line.missing, line.waits) == (at + 1, 1, [])
    may_prove.set()
    await open_again(w)
    await w.settle(room)
    assert a.texts(obj) == b.texts(obj) == c.texts(obj) == [b"i kopian", b"av b", b"av a", b"av c"]
    assert all(x.engine.room_state(room) is RoomState.SEALED for x in (a, b, c))
    await whole(w)


async def test_after_a_disk_that_was_full_the_promise_is_what_is_stored(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    await w.settle(room)
    at, real, tries = a.engine.position(room), a.store.receive_apart, list[int]()

    async def full(received: Received) -> None:
        kept = a.engine.parts.verifier.kept(room)
        tries.append(kept.n if kept is not None else 0)
        raise DiskFull

    a.store.receive_apart = full
    b.say(room, obj, HELLO)
    await until(lambda: len(tries) > 1)
    assert (set(tries), _promised(a, room)) == ({at}, at)
    a.store.receive_apart = real
    await w.settle(room)
    assert _promised(a, room) == a.engine.position(room) == at + 1


async def test_attack_an_answer_about_other_entries_than_those_that_were_sent_is_refused(w: World) -> None:
    """Else what is kept of them would be at positions of others."""
    a, b = await w.hire("Handläggare", "Registrator")
    room = await w.room(a, b)
    await w.settle(room)

    def one_more(f: m.ServerFrame) -> list[m.Frame]:
        if isinstance(f, m.Placed):
            return [msgspec.structs.replace(f, first=f.first - 1, count=f.count + 1)]
        return [f]

    await lie(a, one_more)
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    with pytest.raises(Reject) as e:
        await a.engine.operations.rotate(room)
    assert (e.value.code, e.value.where) == ("malformed", "placed")


@pytest.mark.parametrize("what", ["entry", "change"])
async def test_a_receipt_that_comes_after_the_room_was_stopped_is_stored(w: World, what: str) -> None:
    """It counted as kept in memory alone, so it was never stored later either."""
    a, b = await w.hire("Handläggare", "Registrator")
    room = await w.room(a, b)
    await w.settle(room)
    held: list[m.Placed] = []

    def stopped_first(f: m.ServerFrame) -> Sequence[m.Frame]:
        """A forged item stops the room. The answer comes after it, with the pull that looks for another past."""
        if isinstance(f, m.Placed):
            held.append(f)
            r = f.receipt
            return [m.Fresh(room, [m.WireItem(r.n, r.t, ENVELOPE, b"x", bytes(64), b"")], [], r)]
        if isinstance(f, m.Items) and held:
            return [held.pop(), f]
        return [] if isinstance(f, m.Fresh) else [f]

    await lie(a, stopped_first)
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    at, kept = a.engine.position(room), a.engine.parts.verifier.kept
    if what == "entry":
        await asyncio.gather(a.engine.operations.rotate(room), return_exceptions=True)
    else:
        a.say(room, new_obj(), HELLO)
    await until(lambda: (r := kept(room)) is not None and r.n == at + 1)
    await stopped(a, room, RoomState.WITHHELD)
    assert _promised(a, room) == at + 1


async def test_attack_an_answer_for_a_position_that_was_read_replaces_no_item_that_is_kept(w: World) -> None:
    """A restored server would get back what never was there, and refuse it."""
    a, b = await w.hire("Handläggare", "Registrator")
    room = await w.room(a, b)
    await w.settle(room)
    at, n = a.engine.parts.link.rooms[room], a.engine.position(room)
    (before,) = a.store.kept_items(room, n - 1, 1)
    key, rh, t = read_identity(w.data, now_ms()).key, bytes(32), at.stream.t
    receipt = m.Receipt(room, n + 1, rh, t, signed_receipts.sign(key, room, n + 1, rh, t))
    await lie(a, lambda f: [m.Placed(f.rid, n, 2, receipt)] if isinstance(f, m.Error) else [f])
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    draft = await asyncio.to_thread(a.engine.parts.outbox.drafter(at).rotate)
    await a.engine.parts.outbox.append(at, replace(draft, entries=draft.entries * 2))
    assert a.store.kept_items(room, n - 1, 1) == [before]
