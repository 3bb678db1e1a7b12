# SPDX-License-Identifier: EUPL-1.2
"""A change and its encrypted batch are one transaction: whatever statement of it fails, and wherever the process is
killed, the number and the chain are right afterwards, nothing is lost and nothing is sent twice."""

import shutil
from pathlib import Path

import pytest

from app.core.ids import ObjId, RoomId, new_id, new_obj
from app.errors import StoreFault, StoreUnwritable
from app.store.store import Store
from sync.client.ports import SealedBatch
from sync.client.room.room_phase import Event
from sync.client.status import LinkState, RoomState
from sync.errors import Refused
from sync.protocol import messages as m
from sync.protocol.codec import decode_client
from sync.protocol.messages import ErrorCode
from sync.trust.formats.items import Role
from sync.trust.room import envelope
from sync.trust.room.envelope import Header, read_body
from tests.app.store.failing import FULL, Statements, fails_at
from tests.journeys.bad_input.checks import HELLO, two
from tests.world import Client, World, until


def encrypted(client: Client, room: RoomId) -> SealedBatch | None:
    """The batch of the room that is in the store."""
    return client.store.sealed(room)


def noting(client: Client) -> dict[RoomId, list[bytes]]:
    """Notes every envelope that the client sends from now on, by room; the same bytes once."""
    sent: dict[RoomId, list[bytes]] = {}

    def note(data: bytes, outwards: bool) -> list[bytes]:
        frame = decode_client(data) if outwards else None
        if isinstance(frame, m.Push):
            kept = sent.setdefault(RoomId(frame.room), [])
            kept += [body for body in frame.bodies if body not in kept]
        return [data]

    client.wire.spoil = note
    return sent


def numbers(bodies: list[bytes]) -> list[int]:
    return [Header.decode(read_body(body)[0]).dev_seq for body in bodies]


async def begin(w: World) -> tuple[Client, Client, RoomId, ObjId, dict[RoomId, list[bytes]]]:
    """Two members whose room is settled, and everything that the first one sends from now on."""
    a, b, room, obj = await two(w)
    sent = noting(a)
    await a.offline()
    a.online()
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    await w.settle(room)
    await ready(a, room)
    return a, b, room, obj, sent


async def ready(a: Client, room: RoomId) -> None:
    """Until nothing keeps a change of the room from being encrypted at once."""
    at = a.engine.parts.link.rooms
    await until(lambda: room in at and at[room].is_settled and a.store.waiting_count() == 0)
    await until(lambda: a.store.outbox._encrypt_at_once is not None)


async def statements_of_a_change(a: Client, room: RoomId, obj: ObjId) -> list[str]:
    """The statements of the one transaction."""
    seen = Statements(a.store)
    with seen.watched():
        a.say(room, obj, "räknas 🙂".encode())
        assert encrypted(a, room) is not None
    last = seen.texts.index("COMMIT")
    return seen.texts[: last + 1]


async def test_a_change_and_its_batch_are_on_the_disk_in_one_transaction(w: World) -> None:
    a, b, room, obj, _ = await begin(w)
    texts = await statements_of_a_change(a, room, obj)
    assert [t for t in texts if t.startswith(("BEGIN", "COMMIT"))] == ["BEGIN IMMEDIATE", "COMMIT"]
    batch = encrypted(a, room)
    assert batch is not None
    assert batch.rows == tuple(row for (row,) in a.store.db.rows("SELECT row FROM outbox"))
    assert a.store.burned(room) == batch.first_seq
    await w.settle(room)
    assert b.texts(obj) == a.texts(obj)


async def test_bytes_leave_after_the_commit(w: World) -> None:
    """When the frame leaves, another connection to the database reads the change and its batch."""
    a, _b, room, obj, _ = await begin(w)
    kept: list[tuple[int, bool]] = []

    def look(data: bytes, outwards: bool) -> list[bytes]:
        if outwards and isinstance(decode_client(data), m.Push):
            with a.store.db.reader() as reader:
                rows = reader.value("SELECT count(*) FROM batches b JOIN outbox o ON o.batch = b.id")
                kept.append((rows, a.store.db.in_transaction))
        return [data]

    a.wire.spoil = look
    with a.store.transaction():
        a.say(room, obj, HELLO)
        assert kept == []
    assert kept == [(1, False)]  # at once, and not a second time
    await w.settle(room)
    assert kept == [(1, False)]


async def test_each_statement_that_fails_gives_number_and_chain_back(w: World) -> None:
    a, b, room, obj, sent = await begin(w)
    count = len(await statements_of_a_change(a, room, obj))
    said = ["räknas 🙂".encode()]
    for number in range(count):
        await w.settle(room)
        await ready(a, room)
        burned, texts = a.store.burned(room), a.texts(obj)
        seen = Statements(a.store)
        seen.before = fails_at(number)
        with seen.watched(), pytest.raises(StoreUnwritable):
            a.say(room, obj, b"never %d" % number)
        assert (a.store.burned(room), a.texts(obj)) == (burned, texts)
        assert (encrypted(a, room), a.store.waiting_count(), a.store.pending(9)) == (None, 0, [])
        a.say(room, obj, b"after %d" % number)
        batch = encrypted(a, room)
        assert batch is not None
        assert batch.first_seq == burned + 1
        said.append(b"after %d" % number)
    await w.settle(room)
    assert b.texts(obj)[-len(said) :] == a.texts(obj)[-len(said) :] == said
    first = numbers(sent[room])[0]
    assert numbers(sent[room]) == list(range(first, first + len(said)))  # a gap or a double would be refused


async def test_a_commit_whose_success_is_reported_as_an_error_uses_its_number_once(w: World) -> None:
    """What was committed all the same is sent, with the bytes that are on the disk."""
    a, b, room, obj, sent = await begin(w)
    burned = a.store.burned(room)
    seen = Statements(a.store)
    seen.after = lambda number, text: fails_at(number)(number, text) if text == "COMMIT" else None
    with seen.watched(), pytest.raises(StoreUnwritable):
        a.say(room, obj, b"stored")
    batch = encrypted(a, room)
    assert batch is not None
    assert batch.first_seq == a.store.burned(room) == burned + 1
    a.say(room, obj, b"next")
    await w.settle(room)
    assert b.texts(obj)[-2:] == a.texts(obj)[-2:] == [b"stored", b"next"]
    assert numbers(sent[room]) == [burned + 1, burned + 2]


async def test_an_error_of_a_listener_to_the_commit_sends_the_batch_once(w: World) -> None:
    a, b, room, obj, sent = await begin(w)

    def fail(change: object) -> None:
        raise RuntimeError("a list cannot be shown")

    end = a.store.changes.appended.connect(fail)
    with pytest.raises(RuntimeError):
        a.say(room, obj, HELLO)
    end()
    await w.settle(room)
    assert (b.texts(obj)[-1], len(sent[room])) == (HELLO, 1)


async def test_a_full_disk_that_gives_room_uses_one_number(w: World) -> None:
    a, b, room, obj, sent = await begin(w)
    count = len(await statements_of_a_change(a, room, obj))
    for number in range(count):
        await w.settle(room)
        await ready(a, room)
        a.store.db.spare = Room(a.store)
        seen = Statements(a.store)
        seen.before = fails_at(number, FULL)
        with seen.watched():
            a.say(room, obj, b"%d" % number)
        assert encrypted(a, room) is not None
    await w.settle(room)
    assert b.texts(obj)[-count:] == [b"%d" % number for number in range(count)]
    assert numbers(sent[room]) == list(range(numbers(sent[room])[0], a.store.burned(room) + 1))


class Room:
    """A cache that gives room whenever it is asked."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def watch(self) -> None: ...

    def give(self) -> bool:
        return True


async def test_a_process_that_is_killed_at_any_statement_loses_nothing_and_repeats_no_number(w: World) -> None:
    """The disk as it is before each statement, and after the last: what a killed process leaves."""
    a, b, room, obj, sent = await begin(w)
    note = a.wire.spoil
    count = len(await statements_of_a_change(a, room, obj))
    said = ["räknas 🙂".encode()]
    copy = a.path.with_suffix(".killed")
    for number in range(count + 1):
        await w.settle(room)
        await ready(a, room)
        burned = a.store.burned(room)
        seen = Statements(a.store)
        seen.before = lambda now, text, number=number: _copy(a.path, copy) if now == number else None  # type: ignore[misc]
        a.wire.spoil = lambda data, outwards: []  # a killed process sends nothing
        with seen.watched():
            a.say(room, obj, b"%d" % number)
            if number == count:
                _copy(a.path, copy)
        await a.stop()
        _copy(copy, a.path)
        a.store = Store.open(a.path, a.key, {})
        stored = a.store.changes.of(obj)[-1].data == b"%d" % number
        batch = encrypted(a, room)
        assert stored == (number == count)
        assert (batch is not None, a.store.burned(room) - burned) == (stored, int(stored))
        a.wire.spoil = note
        a.start()
        said += [b"%d" % number] if stored else []
        a.say(room, obj, b"after %d" % number)
        said.append(b"after %d" % number)
        await until(lambda: a.engine.status.state is LinkState.ONLINE)
    await w.settle(room)
    assert b.texts(obj)[-len(said) :] == a.texts(obj)[-len(said) :] == said
    first = numbers(sent[room])[0]
    assert numbers(sent[room]) == list(range(first, first + len(said)))


def _copy(store: Path, copy: Path) -> None:
    """The database first: what a checkpoint moves out of the log meanwhile is in both then."""
    shutil.copy(store, copy)
    Path(f"{copy}-shm").unlink(missing_ok=True)
    shutil.copy(f"{store}-wal", f"{copy}-wal")


async def test_a_fault_in_encrypting_does_not_refuse_the_change(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, room, obj, _ = await begin(w)
    real, failed = envelope.encrypt_batch, list[int]()

    def once(*given: object) -> object:
        if not failed:
            failed.append(1)
            raise ZeroDivisionError
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(envelope, "encrypt_batch", once)
    a.say(room, obj, HELLO)
    assert (failed, encrypted(a, room), a.store.waiting_count()) == ([1], None, 1)
    await w.settle(room)
    assert b.texts(obj)[-1] == HELLO


async def test_changes_of_one_transaction_share_a_batch_and_each_room_has_its_own(w: World) -> None:
    a, b, room, obj, _ = await begin(w)
    other, there = await w.room(a, b), new_obj()
    await w.settle(other)
    await ready(a, other)
    with a.store.transaction():
        a.say(room, obj, b"1")
        a.say(other, there, b"2")
        a.say(room, obj, b"3")
    first, second = encrypted(a, room), encrypted(a, other)
    assert first is not None
    assert second is not None
    assert (len(first.rows), len(second.rows)) == (2, 1)
    await w.settle(room)
    await w.settle(other)
    assert b.texts(obj)[-2:] == [b"1", b"3"]
    assert b.texts(there) == [b"2"]


async def test_edits_wait_for_their_time_and_a_rollback_does_not_make_them_wait(w: World) -> None:
    a, _b, room, obj, _ = await begin(w)
    seen = Statements(a.store)
    seen.before = lambda number, text: fails_at(number)(number, text) if text == "COMMIT" else None
    with seen.watched(), pytest.raises(StoreFault):
        a.store.changes.append(room, obj, b"1", live=True)
    a.store.changes.append(room, obj, b"2", live=True)
    assert encrypted(a, room) is not None
    await w.settle(room)
    await ready(a, room)
    a.store.changes.append(room, obj, b"3", live=True)
    assert encrypted(a, room) is None  # the object was sent less than two seconds ago


async def _late(a: Client, room: RoomId, obj: ObjId) -> None:
    """A change that has to wait for the outbox's task."""
    a.say(room, obj, HELLO)
    assert encrypted(a, room) is None
    assert a.store.waiting_count()


@pytest.mark.parametrize("what", ["behind", "unconfirmed", "waiting", "incomplete", "rotation", "key", "reread"])
async def test_a_room_that_is_not_whole_clean_and_keyed_encrypts_later(
    w: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    a, b, room, obj, _ = await begin(w)
    at = a.engine.parts.link.rooms[room]
    with monkeypatch.context() as now:
        match what:
            case "behind":
                at.announce(at.stream.n + 1)
            case "unconfirmed":
                at.reset_connection_state()
            case "waiting":
                now.setattr(at, "_waiting", 1)
            case "incomplete":
                at.incomplete.add(obj)
            case "rotation":
                now.setattr(at.stream.state, "rotation_owed", True)
            case "key":
                now.setattr(at.stream.state, "epochs", {**at.stream.epochs})
                now.setattr(at.keys.ring, "k", lambda e: None)
            case "reread":
                at._move(Event.GRANTED)
        await _late(a, room, obj)
    if what == "reread":
        at._move(Event.READ_AGAIN)
    at.incomplete.clear()
    at.forget_announced()
    a.engine.wake()
    await w.settle(room)
    assert b.texts(obj)[-1] == HELLO


@pytest.mark.parametrize("state", [RoomState.WITHHELD, RoomState.FORK, RoomState.ROLLBACK, RoomState.RESTORED])
async def test_a_stopped_room_encrypts_nothing(w: World, state: RoomState) -> None:
    a, _b, room, obj, _ = await begin(w)
    a.engine.parts.link.rooms[room].stop(state)
    await _late(a, room, obj)


async def test_while_a_batch_or_an_older_change_waits_nothing_overtakes_it(w: World) -> None:
    a, b, room, obj, _ = await begin(w)
    a.say(room, obj, b"1")
    first = encrypted(a, room)
    a.say(room, obj, b"2")
    assert encrypted(a, room) == first
    assert [row.payload for row in a.store.pending(9)] == [b"2"]
    await w.settle(room)
    await ready(a, room)
    with a.store.db.transaction(durable=False):  # one that the task has not seen yet
        a.say(room, obj, b"3")
    assert encrypted(a, room) is None
    await _late(a, room, obj)
    await w.settle(room)
    assert b.texts(obj)[-4:] == [b"1", b"2", b"3", HELLO]


async def test_a_change_that_waits_for_a_file_and_what_is_written_after_it_are_encrypted_later(w: World) -> None:
    a, _b, room, obj, _ = await begin(w)
    a.store.changes.append(room, obj, b"with a file", blobs=[new_id()])
    assert encrypted(a, room) is None
    a.say(room, obj, HELLO)
    assert encrypted(a, room) is None
    await until(lambda: a.store.waiting_count() == 1)


async def test_offline_and_after_a_refusal_changes_are_encrypted_later(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, room, obj, _ = await begin(w)
    await a.offline()
    await _late(a, room, obj)
    a.online()
    await w.settle(room)
    await ready(a, room)
    outbox = a.engine.parts.outbox
    a.say(room, obj, b"refused")
    batch = encrypted(a, room)
    assert batch is not None
    outbox._refused(a.engine.parts.link.rooms[room], batch, Refused(ErrorCode.STALE))
    assert encrypted(a, room) is None
    a.say(room, obj, b"meanwhile")
    assert encrypted(a, room) is None
    await w.settle(room)
    assert b.texts(obj)[-2:] == [b"refused", b"meanwhile"]


async def test_a_reader_and_a_destroyed_object_encrypt_nothing(w: World) -> None:
    a, b, room, obj, _ = await begin(w)
    at = a.engine.parts.link.rooms[room]
    at.stream.state.destroyed = {obj: at.stream.n}
    await _late(a, room, obj)
    await a.engine.operations.set_role(room, b.uid, Role.READER)
    await until(lambda: not b.engine.parts.link.rooms[room].may_write)
    b.say(room, new_obj(), HELLO)
    assert b.store.sealed(room) is None


async def test_what_a_slice_brings_is_stored_whole_before_anything_is_encrypted_on_it(w: World) -> None:
    """A change that is written by somebody who was notified of a slice, before that slice is flushed."""
    a, b, room, obj, _ = await begin(w)
    late: list[SealedBatch | None] = []

    def answer(changes: object) -> None:
        if not late:
            a.say(room, obj, b"answer")
            late.append(encrypted(a, room))

    a.store.changes.received.connect(answer)
    b.say(room, obj, b"question")
    await until(lambda: bool(late))
    await w.settle(room)
    assert late == [None]
    assert b.texts(obj)[-2:] == [b"question", b"answer"]
