# SPDX-License-Identifier: EUPL-1.2
"""States of long objects: made in processes of their own, the same as here, and nothing that such a process says or
suffers harms the program."""

import asyncio
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

from app.core.ids import ChangeId, DevId, Uid
from app.documents import KIND as DOCUMENTS
from app.errors import WorkerDied, WorkerUnavailable
from app.objects import compaction
from app.objects.crdt import merged
from app.objects.kind import Kind
from app.store.journal import Journal
from app.store.store import Store
from app.tasks import KIND as BOARDS
from app.tasks.model import Board
from app.worker.client import Worker, command_of
from app.worker.frames import MAX_FRAME, STATES, Forget, Give, Made, Part, Tried, write
from app.worker.states import SMALL_CHANGES, States
from sync.client.exchange.backfill import begins_with
from sync.client.placed_changes import PLACE_BITS, Compacted, PlacedChange, position_of
from sync.client.ports import OpenedChange
from sync.client.received import ReceivedSlice
from tests.app.poison import FATAL, Writer
from tests.app.store.test_trials import NOTE, found_room
from tests.office import EK, ROOM
from tests.one_change import one_change as board_change

LONG = SMALL_CHANGES + 10
MORTAL = f"""
import os
from app.objects import compaction
from app.worker import serve
merged = compaction.merged
def dies(updates, texts, maps):
    return os.abort() if any({FATAL!r}.encode() in update for update in updates) else merged(updates, texts, maps)
compaction.merged = dies
serve.main(["{STATES}"])
"""


@pytest.fixture
def states() -> Iterator[States]:
    made = States()
    yield made
    made.close()


def placed(datas: Sequence[bytes]) -> list[PlacedChange]:
    return [
        PlacedChange(position_of(n, 0), ChangeId(n.to_bytes(16, "big")), Uid(EK), n, data)
        for n, data in enumerate(datas, start=1)
    ]


def opened(c: PlacedChange) -> OpenedChange:
    n = c.position >> PLACE_BITS
    dev = DevId(bytes(15) + b"d")
    return OpenedChange(n=n, t=c.t, uid=c.uid, dev=dev, obj=NOTE, change_id=c.change_id, payload=c.data)


def document(title: str = "Beslut om tillsyn å 🙂", text: str = "Ett å 🙂. ") -> list[bytes]:
    writer = Writer(title)
    return [*writer.take(), *(writer.types(text) for _ in range(LONG))]


def board() -> list[bytes]:
    updates: list[bytes] = []
    made = Board(updates.append)
    made.setup(("Att göra", "Klart"), title="Uppgifter å 🙂")
    for _ in range(LONG):
        made.add_card(made.columns()[0].id, "Begär yttrande ö")
    return [board_change(update) for update in updates]


def apart(states: States, kind: Kind, changes: Sequence[PlacedChange]) -> Compacted | None:
    compact = states.kinds([kind])[kind.id].compact
    assert compact is not None
    return compact(changes, len(changes))


def here(kind: Kind, changes: Sequence[PlacedChange]) -> Compacted | None:
    assert kind.compact is not None
    return kind.compact(changes, len(changes))


def nowhere(*_: object, **__: object) -> NoReturn:
    raise AssertionError("merged in this process")


@pytest.mark.parametrize(("kind", "datas"), [(DOCUMENTS, document()), (BOARDS, board())], ids=["document", "board"])
def test_attack_a_long_objects_state_is_made_in_another_process_and_is_the_same(
    states: States, kind: Kind, datas: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """▲ pycrdt keeps Python's lock while it merges: in a thread it would stop the loop for as long."""
    changes = placed([*datas, b"\x01spoilt"])
    found = here(kind, changes)
    assert found is not None
    monkeypatch.setattr(compaction, "merged", nowhere)
    assert apart(states, kind, changes) == found
    begun = [*begins_with(found.changes), *placed(datas[:LONG])]  # these it has
    again = apart(states, kind, begun)
    monkeypatch.undo()
    assert again == here(kind, begun)


def test_a_short_objects_state_is_made_where_it_is_asked_for(states: States, tmp_path: Path) -> None:
    changes = placed(Writer().take())
    nothing = States([str(tmp_path / "nothing here")])
    assert apart(nothing, DOCUMENTS, changes) == here(DOCUMENTS, changes)
    with pytest.raises(WorkerUnavailable):
        apart(nothing, DOCUMENTS, placed(document()))
    states.close()
    with pytest.raises(WorkerUnavailable):
        apart(states, DOCUMENTS, placed(document()))


def test_attack_an_object_at_which_native_code_dies_ends_that_process_alone() -> None:
    states = States([sys.executable, "-c", MORTAL])
    with pytest.raises(WorkerDied):
        apart(states, DOCUMENTS, placed(document(text=FATAL)))
    changes = placed(document())
    assert apart(states, DOCUMENTS, changes) == here(DOCUMENTS, changes)
    states.close()


LIES = [
    [Tried((), False, 0), Tried((), False, 0)],
    [Tried((), False, 0), Made((1, 0), bytes(32), (), ()), Part(b"1")],
    [Tried((), False, 0), Made((0, 0), bytes(32), (), ("",))],
    [Tried((), False, 0), Made((4, 0), bytes(32), (), ("",)), Part(b"1234")],
    [Tried((), False, 0), Made((1, 4), bytes(32), (), ("",)), Part(b"12345")],
    [Tried((), False, 0), Made((2, 0), bytes(32), (), ("",)), Part(b"")],
    [Tried((), False, 0), Made((2, 0), bytes(32), (), ("",)), Part(b"123")],
    [Tried((), False, 0), Made((2, 0), b"short", (), ("",)), Part(b"12")],
]


@pytest.mark.parametrize(
    "lie", LIES, ids=["kind", "texts", "empty", "size", "size behind", "nothing", "more", "digest"]
)
def test_attack_a_process_that_was_taken_over_returns_nothing_that_is_not_bounded(
    lie: list[Tried | Made | Part], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.worker.states.MAX_BYTES", 3)
    monkeypatch.setattr("app.worker.states.GIVE_S", 20.0)
    answers = tmp_path / "answers"
    with answers.open("wb") as file:
        for answer in lie:
            write(file, answer)
    assert answers.stat().st_size < MAX_FRAME
    code = f"import sys; sys.stdout.buffer.write(open({str(answers)!r}, 'rb').read()); sys.stdout.close()"
    code += "; sys.stdin.read()"
    liar = States([sys.executable, "-c", code])
    with pytest.raises(WorkerDied):
        apart(liar, DOCUMENTS, placed(document()))
    liar.close()


@pytest.mark.parametrize(("options", "question"), [((), Give(())), ((STATES,), Forget(bytes(16)))], ids=["try", "make"])
def test_a_process_does_only_what_it_was_started_for(options: tuple[str, ...], question: Give | Forget) -> None:
    worker = Worker(command_of(*options))
    with pytest.raises(WorkerDied):
        worker.ask(question, Tried, 60.0)
    worker.close()


def test_a_process_that_is_begun_while_all_are_closed_does_not_stay(
    states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, closes = threading.Event(), threading.Event()
    found, closing = list[Worker](), threading.Thread(target=states.close)

    def slowly(command: Sequence[str]) -> Worker:
        begun.set()
        closes.wait()
        closing.join(0.2)  # without the lock it is over by then
        return Worker(command)

    monkeypatch.setattr("app.worker.states.Worker", slowly)
    beginning = threading.Thread(target=lambda: found.append(states.begin()))
    beginning.start()
    begun.wait()
    closing.start()
    closes.set()
    beginning.join()
    closing.join()
    with pytest.raises(WorkerUnavailable):
        found[0].start()
    states.end(found[0])


async def test_attack_an_objects_state_is_read_and_made_beside_the_loop(
    states: States, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """▲ Neither making a short state in this process nor reading the store may hold up the loop."""
    threads: list[int] = []
    state_at = States.state_at

    def noted(self: States, *given: object, **named: object) -> object:
        threads.append(threading.get_ident())
        return state_at(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(States, "state_at", noted)
    store = Store.create(tmp_path / "store.db", b"k" * 32, states.kinds((DOCUMENTS, BOARDS)))
    found_room(store)
    changes = [opened(c) for c in placed(Writer().take())]
    await store.receive_apart(ReceivedSlice(room=ROOM, cursor=9, state=b"s", changes=changes))
    read = store.db.reader

    def noted_reader() -> object:
        threads.append(threading.get_ident())
        return read()

    monkeypatch.setattr(store.db, "reader", noted_reader)
    (state,) = await store.snapshots.state(NOTE)
    store.close()
    assert len(threads) == 2
    assert threading.get_ident() not in threads
    assert state


async def test_a_state_that_cannot_be_made_is_none_for_snapshots_and_raised_to_who_gives_it(tmp_path: Path) -> None:
    """▲ Otherwise a newcomer would be given an empty state in place of the object."""
    states = States([sys.executable, "-c", MORTAL])
    store = Store.create(tmp_path / "store.db", b"k" * 32, states.kinds((DOCUMENTS, BOARDS)))
    found_room(store)
    changes = placed(document(text=FATAL))
    await store.receive_apart(ReceivedSlice(room=ROOM, cursor=999, state=b"s", changes=[opened(c) for c in changes]))
    compact = store.compactor(NOTE)
    assert compact is not None
    assert await asyncio.to_thread(compact, changes, len(changes)) is None
    with pytest.raises(WorkerDied):
        await store.snapshots.state(NOTE)
    store.close()
    states.close()


async def test_attack_an_end_while_another_process_makes_a_state_holds_nothing_back(
    states: States, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """▲ A long state takes a minute. If the program was ended in it, the next start held back the whole object."""
    path = tmp_path / "store.db"
    store = Store.create(path, b"k" * 32, states.kinds((DOCUMENTS, BOARDS)))
    found_room(store)
    here, elsewhere = list[list[bytes]](), list[list[bytes]]()
    ask = Worker.ask

    def named() -> list[bytes]:
        journal = Journal(path.with_name("store.db-merging"))  # what the next start would find
        journal.close()
        return [merge.obj for merge in journal.left]

    def noted_ask(*given: Any) -> Any:
        elsewhere.append(named())
        return ask(*given)

    def noted_merged(*given: Any) -> Any:
        here.append(named())
        return merged(*given)

    monkeypatch.setattr(Worker, "ask", noted_ask)
    monkeypatch.setattr(compaction, "merged", noted_merged)
    changes = placed(document())
    await store.receive_apart(ReceivedSlice(room=ROOM, cursor=999, state=b"s", changes=[opened(c) for c in changes]))
    compact = store.compactor(NOTE)
    assert compact is not None
    assert compact(changes[:1], 1)
    assert compact(changes, len(changes))
    store.close()
    assert here == [[NOTE]] * 2, "otherwise an end in a merge here would not be found"
    assert elsewhere
    assert not any(elsewhere)
