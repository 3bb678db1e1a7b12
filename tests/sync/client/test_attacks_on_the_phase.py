# SPDX-License-Identifier: EUPL-1.2
"""Attacks on a room's phase: a server or an administrator that moves it where it must not go, and moments in which what
the phase owes was lost. Real engines, stores and a server; the false answers bear the server's own signature."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from app.core.ids import ObjId, RoomId
from sync.client import link
from sync.client.exchange.reread import Rereading
from sync.client.exchange.snapshot_maker import Snapshots
from sync.client.received import Received, ReceivedSlice
from sync.client.room import bootstrap_buffer
from sync.client.room.room_sync import RoomSync
from sync.client.room.tracked_room import TrackedRoom
from sync.client.status import LinkState, RoomState
from sync.errors import Reject
from sync.protocol import messages as m
from sync.server.host.identity import read_identity
from sync.server.rules.handshake import now_ms
from sync.trust.person.agency import agency_fingerprint
from sync.trust.room import signed_receipts
from sync.trust.room.restore_notice import Restored
from sync.trust.room.state_codec import STATE_TOO_LARGE
from sync.trust.room.stream import RoomStream
from tests.journeys.bad_input.checks import HELLO, honest, items_of, lie, stopped, two
from tests.sync.client.test_given_history import case, give, propose
from tests.world import Client, World, until


def signed(w: World, room: RoomId, n: int, rh: bytes, t: int) -> m.Receipt:
    """What the server would sign for any history."""
    return m.Receipt(room, n, rh, t, signed_receipts.sign(read_identity(w.data, now_ms()).key, room, n, rh, t))


def with_head(frame: m.ServerFrame, head: m.Receipt) -> Sequence[m.Frame]:
    """The answer to a sign-in, with another head of that room."""
    if not isinstance(frame, m.Authed):
        return [frame]
    heads = [msgspec.structs.replace(h, receipt=head) if h.receipt.room == head.room else h for h in frame.rooms]
    return [msgspec.structs.replace(frame, rooms=heads)]


def tracked(client: Client, room: RoomId) -> RoomSync:
    return client.engine.parts.link.rooms[room]


# -- a fork is for ever (§10, §12) --------------------------------------------------------------------------------


async def test_attack_a_server_that_goes_back_and_heals_ends_no_fork(w: World) -> None:
    """A fork turned into a rollback when the server showed less, and a rollback ends when it has our history again."""
    a, b, room, obj = await two(w)
    at = tracked(b, room)
    n, t = at.stream.n, at.stream.t
    before = at.rh_at(n - 1)
    assert before is not None
    await lie(b, lambda f: with_head(f, signed(w, room, n, bytes(32), t)))
    await stopped(b, room, RoomState.FORK)
    await lie(b, lambda f: with_head(f, signed(w, room, n - 1, before, t)))
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    assert (b.engine.room_state(room), b.store.problem(room)) == (RoomState.FORK, "fork")
    await honest(b)
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    b.say(room, obj, HELLO)
    await b.restart()
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    await stopped(b, room, RoomState.FORK)
    assert b.store.waiting_count() == 1
    assert HELLO not in a.texts(obj)


async def test_attack_a_pull_without_end_shows_nothing_more_after_a_fork(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alarm came from a frame between two answers, and the rest of the pull was read in all the same."""
    a, b, room, obj = await two(w)
    await b.offline()
    for text in (b"1", b"2", HELLO):
        a.say(room, obj, text)
        await w.settle(room, a)
    monkeypatch.setattr(link, "MAX_PULL_BYTES", 1)
    at, forked = tracked(b, room), False

    def fork(frame: m.ServerFrame) -> Sequence[m.Frame]:
        nonlocal forked
        if forked or not items_of(frame, room):
            return [frame]
        forked = True
        return [frame, m.Joined(m.RoomHead(signed(w, room, at.stream.n, bytes(32), at.stream.t), 0, b""))]

    b.wire.cut = False
    await lie(b, fork)
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    await stopped(b, room, RoomState.FORK)
    assert HELLO not in b.texts(obj)


# -- while a long room is opened (§7) -----------------------------------------------------------------------------


async def opening(
    w: World, monkeypatch: pytest.MonkeyPatch, then: Callable[[Client, RoomId], Sequence[m.Frame]]
) -> tuple[Client, RoomId, ObjId]:
    """A newcomer fetches the content of a room whose headers are judged. `then` gives the frames that the server, which
    claims to be restored, puts before the first content."""
    monkeypatch.setattr(bootstrap_buffer, "HEADERS_ONLY_FROM", 1)
    a, c = await w.hire("Handläggare", "Enhetschef")
    room, obj = await w.room(a), ObjId(b"\x07" * 16)
    a.say(room, obj, HELLO)
    await w.settle(room, a)
    fingerprint = agency_fingerprint(c.engine.parts.link.account.agency_pk)
    notice = Restored.sign(read_identity(w.data, now_ms()).key, fingerprint, now_ms(), now_ms())
    put = False

    def false(frame: m.ServerFrame) -> Sequence[m.Frame]:
        nonlocal put
        if isinstance(frame, m.Authed):
            return [msgspec.structs.replace(frame, restored=m.Signed(notice.body, notice.sig))]
        if not isinstance(frame, m.ContentsReply) or put:
            return [frame]
        put = True
        return [*then(c, room), frame]

    await lie(c, false)
    await until(lambda: c.engine.status.state is LinkState.ONLINE)
    await a.engine.directory("Enhetschef")
    await a.engine.operations.add(room, c.uid, 2, history=True)
    await until(lambda: put and c.texts(obj) == [HELLO])
    return c, room, obj


async def test_attack_a_head_that_is_checked_again_while_content_is_fetched_is_no_fault_of_ours(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server takes its own head back and returns to it. That stopped the room until the next start."""
    monkeypatch.setattr(TrackedRoom, "raises", False)
    checked: list[RoomState | None] = []
    real = TrackedRoom.reset_connection_state

    def reset(self: TrackedRoom) -> None:
        before = self.problem
        real(self)
        checked.extend([self.problem] if before is not None else [])

    monkeypatch.setattr(TrackedRoom, "reset_connection_state", reset)

    def back_and_forth(c: Client, room: RoomId) -> Sequence[m.Frame]:
        s = tracked(c, room).stream
        before = s.rh_of(s.n - 1, tracked(c, room).rh_at)
        assert before is not None
        less, whole = signed(w, room, s.n - 1, before, s.t), signed(w, room, s.n, s.rh, s.t)
        return [m.Joined(m.RoomHead(less, 0, b"")), m.RestoreProgress(whole, s.n, True)]

    c, room, _ = await opening(w, monkeypatch, back_and_forth)
    await until(lambda: c.engine.room_state(room) is RoomState.SEALED)
    assert checked == [None], "the head was checked again, and the room went on"
    await until(lambda: c.store.problem(room) is None)


async def test_attack_a_fork_that_is_shown_before_the_room_is_stored_outlives_a_restart(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store keeps an alarm only of a room that it has: this one was gone with the process."""

    def other(c: Client, room: RoomId) -> Sequence[m.Frame]:
        s = tracked(c, room).stream
        return [m.Joined(m.RoomHead(signed(w, room, s.n, bytes(32), s.t), 0, b""))]

    c, room, obj = await opening(w, monkeypatch, other)
    await until(lambda: c.store.problem(room) == "fork")
    await c.stop()
    c.wire.spoil = None
    await c.restart()
    await until(lambda: c.engine.status.state is LinkState.ONLINE)
    await stopped(c, room, RoomState.FORK)
    assert c.texts(obj) == [HELLO]


# -- a fault of this program (§15, room.apart) --------------------------------------------------------------------


async def test_attack_a_newcomers_state_that_is_too_large_is_not_said_to_be_withheld(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each connection pulled all of the room again, and the server was blamed for it."""
    a, c = await w.hire("Handläggare", "Enhetschef")
    room = await w.room(a)
    real: Any = RoomStream.to_bytes

    def to_bytes(self: RoomStream) -> bytes:
        found = c.engine.parts.link.rooms.get(room)
        if found is not None and self is found.stream:
            raise Reject(*STATE_TOO_LARGE)
        return bytes(real(self))

    monkeypatch.setattr(RoomStream, "to_bytes", to_bytes)
    await a.engine.directory("Enhetschef")
    await a.engine.operations.add(room, c.uid, 2, history=True)
    await stopped(c, room, RoomState.UNREADABLE)


async def test_attack_a_cut_line_starts_no_room_again_that_this_program_cannot_follow(w: World) -> None:
    """Nor does an alarm that the server causes meanwhile, which the next connection would end."""
    _, b, room, _ = await two(w)
    at = tracked(b, room)
    at.stop(RoomState.UNREADABLE)
    for state in (RoomState.WITHHELD, RoomState.ROLLBACK):
        at.stop(state)
        at.reset_connection_state()
        assert at.problem is RoomState.UNREADABLE
    with pytest.raises(asyncio.CancelledError), b.engine.parts.link.kept(at):
        raise asyncio.CancelledError
    assert tracked(b, room) is not at
    assert tracked(b, room).problem is RoomState.UNREADABLE


# -- what is owed of the past (§5, §7) ----------------------------------------------------------------------------


async def test_attack_a_second_grant_shortens_nothing_that_is_still_to_be_read(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two administrators give the history to a member who is still reading all of the room. The room then counted as
    read when a part of it was, and its snapshots were dropped."""
    c = await case(w)
    at = tracked(c.clerk, c.room)
    monkeypatch.setattr(Rereading, "queue", lambda self, room: None)
    owed = at.stream.n
    at.not_reread(owed)
    assert at.stream.members[c.clerk.uid].since_n < owed
    await propose(c, c.deputy)
    await give(c, c.head)
    await until(lambda: c.clerk.store.reread(c.room) > 0)
    assert (at.reread, c.clerk.store.reread(c.room)) == (owed, owed)


async def test_a_grant_that_is_stored_while_a_reread_ends_is_not_erased(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member is removed and added again with the history, just when the history that they had is finished."""
    c = await case(w)
    end, finishing = asyncio.Event(), list[asyncio.Task[Any]]()

    async def check(self: Snapshots, room: RoomSync) -> None:
        task = asyncio.current_task()
        assert task is not None
        finishing.append(task)
        await end.wait()

    monkeypatch.setattr(Snapshots, "check", check)
    await propose(c, c.deputy)
    await give(c, c.head)
    await until(lambda: bool(finishing))
    receive, stored = c.clerk.store.receive_apart, list[tuple[int, int]]()

    async def take(received: Received) -> None:
        await receive(received)
        if isinstance(received, ReceivedSlice) and received.reread is not None:
            end.set()
            await asyncio.wait(finishing[:1])
            stored.append((received.reread, c.clerk.store.reread(c.room)))

    c.clerk.store.receive_apart = take
    await c.head.engine.operations.remove(c.room, c.clerk.uid)
    await c.head.engine.operations.add(c.room, c.clerk.uid, 2, history=True)
    await until(lambda: bool(stored))
    assert stored[0][0] == stored[0][1], "a crash here would lose it"
    await until(lambda: c.clerk.store.reread(c.room) == 0)
