# SPDX-License-Identifier: EUPL-1.2
"""What came from the server is there after a restart, whole."""

import pytest

from app.core.enums import Role
from app.core.ids import ObjId, RoomId
from app.errors import DiskFull
from app.store.store import Store
from sync.client.ports import KeptReceipt, RoomEvent
from sync.client.received import OpenedUpTo, Received, ReceivedSlice, Resolved
from sync.trust.formats.items import ENTRY, Item
from tests.app.store.conftest import ME, OTHER, ROOM, Bench


def test_a_slice_is_stored_whole(bench: Bench) -> None:
    obj = bench.note()
    bench.store.receive(
        ReceivedSlice(
            room=ROOM,
            cursor=9,
            state=b"new state",
            positions=[(8, b"8" * 32), (9, b"9" * 32)],
            waiting=[(8, b"item 8"), (9, b"item 9")],
            bad=[(7, "decrypt")],
            shares=[(obj, b"S" * 32)],
        )
    )
    bench.store.put_keys(ROOM, [(1, b"K" * 32, b"A" * 32), (2, b"L" * 32, None)])
    store = bench.reopen()
    assert store.rooms() == [(ROOM, b"new state")]
    assert (store.rh_at(ROOM, 9), store.rh_at(ROOM, 10)) == (b"9" * 32, None)
    assert store.waiting(ROOM) == [(8, b"item 8"), (9, b"item 9")]
    assert store.inbox.bad(ROOM) == [(7, "decrypt")]
    assert store.keys(ROOM) == [(1, b"K" * 32, b"A" * 32), (2, b"L" * 32, None)]
    assert store.share(ROOM, obj) == b"S" * 32
    store.receive(Resolved(room=ROOM, resolved=[8]))
    assert store.waiting(ROOM) == [(9, b"item 9")]


ITEM = Item(9, 1000, 2, b"", b"", bytes(64 * 1024))
EVENTS = [RoomEvent(n=n, t=n, kind="leave", by=OTHER, subject=OTHER) for n in (8, 9)]


@pytest.mark.parametrize(
    ("received", "where"),
    [
        (ReceivedSlice(room=ROOM, cursor=9, state=b"s", positions=[(9, b"9" * 32)]), "MainThread"),
        (ReceivedSlice(room=ROOM, cursor=9, state=bytes(1024 * 1024)), "store-commit"),
        (ReceivedSlice(room=ROOM, waiting=[(9, bytes(64 * 1024))]), "store-commit"),
        (ReceivedSlice(room=ROOM, items=[ITEM]), "store-commit"),
        (ReceivedSlice(room=ROOM, events=EVENTS), "store-commit"),
        (Resolved(room=ROOM, whole=[ObjId(b"o" * 16)]), "store-commit"),
    ],
)
async def test_only_a_few_small_rows_are_committed_on_the_loop(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, received: Received, where: str
) -> None:
    at = bench.threads_of_commits(monkeypatch)
    await bench.store.receive_apart(received)
    assert at == [where]


async def test_a_long_state_of_which_few_pages_differ_is_committed_on_the_loop(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.store.receive_apart(ReceivedSlice(room=ROOM, cursor=8, state=bytes(64 * 1024)))
    at = bench.threads_of_commits(monkeypatch)
    state = bytes(64 * 1024 - 1) + b"n"
    await bench.store.receive_apart(ReceivedSlice(room=ROOM, cursor=9, state=state))
    assert at == ["MainThread"]
    assert bench.store.rooms() == [(ROOM, state)]


def test_an_archive_key_is_not_lost_when_its_epochs_key_comes_again(bench: Bench) -> None:
    bench.store.put_keys(ROOM, [(1, b"K" * 32, b"A" * 32)])
    bench.store.put_keys(ROOM, [(1, b"K" * 32, None)])
    assert bench.store.keys(ROOM) == [(1, b"K" * 32, b"A" * 32)]


def test_a_share_that_the_stream_commits_to_takes_the_place_of_ones_own(bench: Bench) -> None:
    """Two people wrote an object's first change at once: the later one had kept a share of their own."""
    obj = ObjId(b"o" * 16)
    for share in (b"S" * 32, b"T" * 32):
        bench.store.receive(ReceivedSlice(room=ROOM, cursor=3, state=b"", shares=[(obj, share)]))
    assert bench.store.share(ROOM, obj) == b"T" * 32


def test_members_and_events_feed_the_room_list(bench: Bench) -> None:
    emitted: list[RoomId] = []
    bench.store.changed.connect(emitted.append)
    (room,) = bench.store.rooms_list.all()
    assert (room.role, room.left, room.created) == (Role.WRITER, False, 1000)
    assert [m.uid for m in bench.store.rooms_list.members(ROOM)] == [OTHER, ME]
    bench.store.receive(
        ReceivedSlice(
            room=ROOM,
            cursor=3,
            state=b"",
            events=[RoomEvent(n=3, t=5000, kind="rm", by=OTHER, subject=ME)],
            gone=[ME],
        )
    )
    assert emitted
    assert bench.store.rooms_list.all() == []
    (gone,) = bench.store.rooms_list.all(left=True)
    assert (gone.role, gone.left) == (None, True)
    assert [(e.kind, e.subject) for e in bench.store.rooms_list.events(ROOM)] == [("genesis", None), ("rm", ME)]
    assert [e.kind for e in bench.store.rooms_list.events(ROOM, after_n=1)] == ["rm"]


def test_attack_a_false_servers_void_items_are_counted_once_and_fill_no_store(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.inbox.MOST_VOID", 4)
    first = ReceivedSlice(room=ROOM, void=[(n, OTHER, "forbidden") for n in (3, 4)])
    bench.store.receive(first)
    bench.store.receive(first)  # a slice comes again after a crash
    assert bench.store.inbox.void_items(ROOM) == [(OTHER, 2)]
    bench.store.receive(ReceivedSlice(room=ROOM, void=[(n, ME, "stale") for n in range(5, 50)]))
    assert bench.store.inbox.void_items(ROOM) == [(OTHER, 2), (ME, 2)]


def test_a_slice_that_fails_in_the_middle_leaves_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    note = bench.note()
    monkeypatch.setattr("tests.app.store.conftest.search.put", fail)
    with pytest.raises(MemoryError):
        bench.store.receive(
            ReceivedSlice(room=ROOM, cursor=99, state=b"lost", changes=[bench.opened(b"x", note)], waiting=[(8, b"i")])
        )
    store: Store = bench.reopen()
    assert store.rooms() == [(ROOM, b"state")]
    assert (store.waiting(ROOM), store.changes.of(note)) == ([], [])


def test_the_account_and_user_logs_survive_a_restart(bench: Bench) -> None:
    assert bench.store.load_account() is None
    bench.store.save_account(b"secret one")
    bench.store.save_account(b"secret two")
    bench.store.append_user_log(OTHER, 0, [(b"genesis", b"s0"), (b"binding", b"s1")])
    bench.store.append_user_log(OTHER, 1, [(b"another", b"s9"), (b"puk", b"s2")])
    bench.store.put_person(OTHER, {"name": "Öppenvård Enhetschef", "title": "Enhetschef", "unit": "Tillsyn"}, b"salt")
    bench.store.people.set_verified(OTHER, True)
    bench.store.put_person(OTHER, {"name": "Registrator Östra", "title": "Registrator", "unit": "Tillsyn"}, b"salt")
    bench.store.put_person(ME, {"name": "Handläggare Åkeri"}, b"salt")
    store = bench.reopen()
    assert store.load_account() == b"secret two"
    assert store.user_log(OTHER) == [(b"genesis", b"s0"), (b"binding", b"s1"), (b"puk", b"s2")]
    assert [p.name for p in store.people.all()] == ["Handläggare Åkeri", "Registrator Östra"]
    person = store.people.get(OTHER)
    assert person is not None
    assert person.verified is not None
    assert store.me == ME


def test_the_newest_receipt_of_each_room_is_kept(bench: Bench) -> None:
    def receipt(room: RoomId, n: int) -> KeptReceipt:
        return KeptReceipt(room=room, n=n, proof=b"proof %d" % n)

    other = RoomId(b"o" * 16)
    bench.store.put_receipts([receipt(ROOM, 7), receipt(other, 2)])
    bench.store.put_receipts([receipt(ROOM, 9), receipt(ROOM, 8)])
    bench.store.put_receipts([])
    assert {(r.room, r.n): r.proof for r in bench.reopen().receipts()} == {
        (ROOM, 9): b"proof 9",
        (other, 2): b"proof 2",
    }


def _receipt(n: int) -> KeptReceipt:
    return KeptReceipt(room=ROOM, n=n, proof=b"proof %d" % n)


@pytest.mark.parametrize(
    "received",
    [
        ReceivedSlice(room=ROOM, cursor=9, state=b"s", positions=[(9, b"9" * 32)], receipt=_receipt(9)),
        OpenedUpTo(room=ROOM, cursor=9, state=b"s", receipt=_receipt(9)),
    ],
)
async def test_the_receipt_of_a_position_is_stored_with_it_or_not_at_all(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, received: Received
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(bench.store.changes, "receive", _fails)
        with pytest.raises(DiskFull):
            await bench.store.receive_apart(received)
    assert bench.store.receipts() == []
    await bench.store.receive_apart(received)
    store = bench.reopen()
    assert (store.rooms(), store.receipts()) == ([(ROOM, b"s")], [_receipt(9)])


def _fails(*_: object) -> None:
    raise DiskFull


def test_an_entry_that_was_acknowledged_is_kept_until_what_is_received_replaces_it(bench: Bench) -> None:
    def entry(sig: bytes) -> Item:
        return Item(9, 1000, ENTRY, b"body", sig, None)

    bench.store.put_placed(ROOM, [entry(b"ours")], _receipt(9))
    bench.store.put_placed(ROOM, [], None)
    store = bench.reopen()
    assert (store.kept_items(ROOM, 8, 1000), store.receipts()) == ([entry(b"ours")], [_receipt(9)])
    store.receive(ReceivedSlice(room=ROOM, cursor=9, state=b"s", items=[entry(b"theirs")]))
    assert store.kept_items(ROOM, 8, 1000) == [entry(b"theirs")]


def test_evidence_is_never_overwritten(bench: Bench) -> None:
    bench.store.put_evidence(ROOM, "rollback", b"ours", b"theirs", None)
    bench.store.put_evidence(ROOM, "rollback", b"later", b"later", None)
    bench.store.put_evidence(ROOM, "fork", None, None, b"claim")
    kept = {e.code: (e.ours, e.theirs, e.claim) for e in bench.reopen().receipts_kept.evidence(ROOM)}
    assert kept == {"rollback": (b"ours", b"theirs", None), "fork": (None, None, b"claim")}


def test_every_entry_of_a_long_room_is_read(bench: Bench) -> None:
    """From the ten thousandth on, members had no day on which they were added."""
    events = [RoomEvent(n=n, t=n, kind="epoch", by=OTHER) for n in range(10, 10_020)]
    bench.store.receive(ReceivedSlice(room=ROOM, cursor=10_019, state=b"s", events=events))
    assert [event.n for event in bench.store.rooms_list.events(ROOM)][-1] == 10_019
