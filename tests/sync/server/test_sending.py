# SPDX-License-Identifier: EUPL-1.2
"""How a connection's frames are written: joined, a few connections in a step, and what becomes of one that does not
read."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from websockets.frames import Frame, Opcode

from sync.protocol import messages as m
from sync.protocol.codec import decode_server, encode
from sync.protocol.messages import ErrorCode
from sync.server.config import Limits
from sync.server.load import fanout
from sync.server.load.fanout import Hub, Listener
from sync.server.load.flushing import _AT_ONCE, _STEPS, Flushing
from sync.server.load.outbox import Outbox
from sync.server.process import uvicorn_protocols
from sync.server.process.running import start_server
from sync.server.process.sending import Sending
from sync.server.process.uvicorn_protocols import SocketProtocol
from sync.server.store.base import Full, Placement
from sync.server.store.sql import SqlStore
from tests.sync.server.house import TEXT, House
from tests.sync.server.restored import code_of
from tests.sync.server.store_rows import placement
from tests.sync.server.wire import config

ROOM = b"r" * 16


class _Wire:
    """The other end: `writable` is false while it reads too slowly."""

    def __init__(self) -> None:
        self.writes: list[list[bytes]] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.fault: Exception | None = None

    async def receive(self) -> bytes | None:
        return None

    def write(self, messages: Sequence[bytes]) -> None:
        if self.fault is not None:
            raise self.fault
        self.writes.append(list(messages))

    @property
    def writable(self) -> bool:
        return self.reads.is_set()

    async def drained(self) -> None:
        await self.reads.wait()

    async def close(self, code: int) -> None:
        return


def _sending(stall_s: float = 60) -> tuple[Outbox, _Wire, Flushing, list[str | None]]:
    outbox, wire, flushing, ended = Outbox(1 << 20), _Wire(), Flushing(), list[str | None]()
    Sending(outbox, wire, flushing, stall_s, ended.append)
    return outbox, wire, flushing, ended


async def _steps(count: int = 1) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_all_that_is_queued_is_written_in_one_go_and_in_its_order() -> None:
    outbox, wire, _, _ = _sending()
    for k in range(3):
        outbox.reply(b"%d" % k)
    outbox.news(ROOM, 7, b"")
    await _steps()
    assert wire.writes == [[b"0", b"1", b"2", encode(m.Behind(ROOM, 7))]]
    assert outbox.size_bytes == 0


async def test_large_frames_are_written_one_by_one_until_the_client_reads_too_slowly() -> None:
    outbox, wire, _, ended = _sending()
    wire.reads.clear()
    large = bytes(100_000)
    for _ in range(3):
        outbox.reply(large)
    await _steps(3)
    assert wire.writes == [[large]], "nothing more before it has read"
    wire.reads.set()
    await _steps(5)
    assert wire.writes == [[large]] * 3
    assert ended == []


async def test_a_client_that_reads_nothing_for_the_stall_time_is_ended() -> None:
    outbox, wire, _, ended = _sending(stall_s=0)
    wire.reads.clear()
    outbox.reply(b"x")
    await _steps(10)
    assert ended == [None]
    wire.reads.set()
    outbox.reply(b"y")
    await _steps(5)
    assert wire.writes == [[b"x"]], "and is written to no more"


@pytest.mark.parametrize(("fault", "code"), [(ConnectionError(), None), (ValueError(), ErrorCode.INTERNAL)])
async def test_a_connection_that_cannot_be_written_to_ends_and_no_other_does(fault: Exception, code: str) -> None:
    flushing, ended = Flushing(), list[str | None]()
    first, second = _Wire(), _Wire()
    first.fault = fault
    outboxes = [Outbox(1 << 20), Outbox(1 << 20)]
    for outbox, wire in zip(outboxes, (first, second), strict=True):
        Sending(outbox, wire, flushing, 60, ended.append)
        outbox.reply(b"x")
    await _steps()
    assert ended == [code]
    assert second.writes == [[b"x"]]


async def test_a_connection_whose_writing_raises_keeps_no_other_from_being_written_to() -> None:
    faults = list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context.get("exception")))
    flushing, written = Flushing(), list[int]()

    def fail() -> None:
        raise ZeroDivisionError

    flushing.note(fail)
    flushing.note(lambda: written.append(1))
    await _steps(3)
    flushing.note(lambda: written.append(2))
    await _steps(3)
    assert written == [1, 2]
    assert [type(fault) for fault in faults] == [ZeroDivisionError]


async def test_what_was_queued_before_the_end_is_written_before_it() -> None:
    outbox, wire, _, ended = _sending()
    outbox.reply(b"x")
    outbox.finish()
    await _steps()
    assert (wire.writes, ended) == ([[b"x"]], [None])


async def test_a_room_of_many_listeners_takes_many_steps_and_a_waiting_connection_collects_frames() -> None:
    """Otherwise one message there would delay everybody else until all of them are written to."""
    flushing, wires, outboxes = Flushing(), [_Wire() for _ in range(300)], list[Outbox]()
    for wire in wires:
        outboxes.append(Outbox(1 << 20))
        Sending(outboxes[-1], wire, flushing, 60, lambda code: None)
        outboxes[-1].reply(b"1")
    await _steps()
    first = sum(bool(wire.writes) for wire in wires)
    assert first == max(_AT_ONCE, 300 // _STEPS)
    for outbox in outboxes:
        outbox.reply(b"2")
    await _steps(60)
    assert [wire.writes for wire in wires[:first]] == [[[b"1"], [b"2"]]] * first
    assert [wire.writes for wire in wires[first:]] == [[[b"1", b"2"]]] * (300 - first)


async def test_a_connection_that_has_ended_is_not_written_to() -> None:
    outbox, wire, flushing, _ = _sending()
    sending = Sending(outbox, wire, flushing, 60, lambda code: None)
    outbox.reply(b"x")
    await sending.close()
    await _steps()
    assert wire.writes == []


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_messages_header_is_that_of_the_standard(size: int) -> None:
    data = bytes(size)
    whole = Frame(Opcode.BINARY, data).serialize(mask=False)
    assert uvicorn_protocols._head(size) + data == whole


async def test_in_a_small_room_the_others_are_notified_before_the_sender_is_answered(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A colleague waits for the message; nobody waits for the answer to the sender, which follows in one write."""
    assert (await _writes_of_three_messages(data, monkeypatch)) == [["Fresh"], ["Fresh", "Placed"]] * 3


async def _writes_of_three_messages(data: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The frames of each write of the server while one of two people in a room writes three messages."""
    written: list[tuple[SocketProtocol, list[str]]] = []
    write = SocketProtocol.write

    def noted(self: SocketProtocol, messages: Sequence[bytes]) -> None:
        written.append((self, _names(messages)))
        write(self, messages)

    async with start_server(config(data)) as server:
        house = House(server, data)
        anna, bert, room = await house.two_in_a_room()
        await anna.subscribe(room)
        monkeypatch.setattr(SocketProtocol, "write", noted)
        for _ in range(3):
            await anna.push(room, TEXT)
            await bert.wire.next(m.Fresh)
            await anna.wire.next(m.Fresh)
            await anna.sync(room)
        await house.close()
    return [names for _, names in written if names != ["Items"]]


async def test_in_a_larger_room_the_sender_is_answered_before_the_others_are_notified(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a room of 300 the answer came after 300 frames to others, 16 ms after the first of them."""
    monkeypatch.setattr(fanout, "_FEW", 0)
    assert (await _writes_of_three_messages(data, monkeypatch)) == [["Fresh", "Placed"], ["Fresh"]] * 3


async def test_on_a_busy_server_frames_are_joined() -> None:
    """While one connection waits to be written to, the others wait too, and their frames go out in one write."""
    hub, wires = Hub(Limits()), [_Wire(), _Wire()]
    for name, wire in zip((b"a", b"b"), wires, strict=True):
        outbox = Outbox(1 << 20)
        Sending(outbox, wire, hub.flushing, 60, lambda code: None)
        listener = Listener(name * 16, name * 16, outbox, _ignored())
        hub.add(listener)
        hub.subscribe(listener, ROOM)
    hub.news(ROOM, 7, encode(m.Behind(ROOM, 7)), by=b"a" * 16)
    hub.news(ROOM, 8, encode(m.Behind(ROOM, 8)), by=b"a" * 16)
    hub.news(ROOM, 9, encode(m.Behind(ROOM, 9)), by=b"a" * 16)
    assert [len(wire.writes) for wire in wires] == [0, 1], "the first one at once: nobody waited"
    await _steps()
    assert [[len(frames) for frames in wire.writes] for wire in wires] == [[3], [1, 2]]


async def test_answers_and_news_keep_their_order_for_one_connection() -> None:
    """An answer is written at once, with what was queued before it."""
    hub, wire, ended = Hub(Limits()), _Wire(), list[str | None]()
    outbox = Outbox(1 << 20)
    sending = Sending(outbox, wire, hub.flushing, 60, ended.append)
    listener = Listener(b"u" * 16, b"d" * 16, outbox, _ignored())
    hub.add(listener)
    hub.subscribe(listener, ROOM)
    hub.news(ROOM, 7, encode(m.Behind(ROOM, 7)))
    outbox.reply(encode(m.Ok(1)))
    sending.flush()
    hub.news(ROOM, 8, encode(m.Behind(ROOM, 8)))
    await _steps()
    assert _names(each for write in wire.writes for each in write) == ["Behind", "Ok", "Behind"]


def _names(frames: Iterable[bytes]) -> list[str]:
    return [type(decode_server(each)).__name__ for each in frames]


def _ignored() -> Callable[[str], None]:
    return lambda code: None


async def test_a_receipt_made_while_the_disk_works_is_sent_to_nobody_if_the_disk_refuses(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """▲ A receipt is a promise: it is signed early, and leaves only when the items are on the disk."""
    made = list[bytes]()

    def refuses(placement: Placement, ahead: Callable[[], None] | None = None) -> "asyncio.Future[None]":
        assert ahead is not None
        ahead()
        made.append(placement.room)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(done.set_exception, Full("disk"))
        return done

    async with start_server(config(data)) as server:
        house = House(server, data)
        anna, bert, room = await house.two_in_a_room()
        await anna.sync(room)
        before = anna.rooms[room].n
        with monkeypatch.context() as patched:
            patched.setattr(server.store, "place", refuses)
            assert await code_of(anna.push(room, TEXT)) == ErrorCode.FULL
        assert made == [room]
        assert await anna.sync(room) == []
        await anna.push(room, TEXT)
        news = await bert.wire.next(m.Fresh)
        assert [item.n for item in news.items] == [before + 1], "the first that the other was notified of"
        await house.close()


async def test_while_the_flush_waits_for_the_disk_the_answer_is_made(tmp_path: Path) -> None:
    store, order = SqlStore(tmp_path / "s.sqlite3"), list[str]()
    await store.open()
    for n in range(3):
        await store.place(placement(n), lambda: order.append("made"))
        order.append("on the disk")
    await store.close()
    assert order == ["made", "on the disk"] * 3
