# SPDX-License-Identifier: EUPL-1.2
"""The person's own board, over real stores: made at its first use, the same on all devices, and one of several."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from app.chat import KIND as CHAT
from app.core.alarms import Alarms
from app.core.enums import Role
from app.core.i18n import set_language
from app.core.ids import DevId, ObjId, RoomId
from app.errors import NotFound
from app.objects.links import ObjectLink
from app.rooms.projection import KIND as ROOM_KIND
from app.rooms.records import ObjectAnnounced, encode
from app.store.store import Store
from app.tasks import KIND
from app.tasks.model import Board
from app.tasks.noticing import DUE, OVERDUE
from app.tasks.own_board import COLUMNS, DROPPED_AT_ONCE, add_card, lacking
from app.tasks.service import TaskService
from sync.client.ports import MemberRow
from sync.client.received import ReceivedSlice
from sync.errors import Unreachable
from tests.app.own.devices import Server
from tests.office import HL, KEY, OWN_ROOM, ROOM, Folk, OwnPlaces, notices_of
from tests.ui.refusing import full
from tests.world import until

KINDS = {each.id: each for each in (ROOM_KIND, CHAT, KIND)}
MILK = "Köp mjölk å 🙂"


class Device:
    """One of the person's devices. What is to be done in the loop's next turn waits in `turns`."""

    def __init__(self, folder: Path, number: int) -> None:
        folder.mkdir()
        self.dev, self.seen, self.turns = DevId(bytes([number]) * 16), 0, list[Callable[[], None]]()
        self.store = Store.create(folder / "office.db", KEY, KINDS)
        self.store.set_me(HL)
        member = MemberRow(uid=HL, role=Role.OWNER, since_n=0, history=True)
        self.store.receive(ReceivedSlice(room=ROOM, cursor=0, state=b"", members=[member]))
        self.own, self.notices, self.alarms = OwnPlaces(ROOM), notices_of(self.store), Alarms()
        self.tasks = self._service()

    def _service(self) -> TaskService:
        store, folk = self.store, Folk(HL, store=self.store)
        parts = (store.db, store.changes, store.objects, folk, folk, self)
        return TaskService(*parts, self.notices, self.own, alarms=self.alarms, later=self._later)

    def _later(self, delay_s: float, act: Callable[[], None]) -> Callable[[], None]:
        self.turns.append(act)
        return lambda: None

    def announce(self, room: RoomId, obj: ObjId, kind: str) -> None:
        self.store.changes.append(room, ObjId(room), encode(ObjectAnnounced(obj=obj, kind=kind)))

    def retire(self, room: RoomId, obj: ObjId, on: bool) -> None:
        raise AssertionError("an own board is never put away")

    def turn(self) -> None:
        """The loop turns: what waits is done."""
        turns, self.turns = self.turns, []
        for act in turns:
            act()

    def made(self) -> ObjectLink:
        return asyncio.run(self.tasks.own.ensure())

    def add(self, title: str, due: date | None = None) -> str:
        board = self.tasks.board(ROOM, self.made().obj)
        card = add_card(board, title, HL)
        board.set_due(card, due)
        return card

    def titles(self) -> list[str]:
        return [task.title for task in self.tasks.my_tasks()]

    async def found(self, words: str) -> list[bytes]:
        return [hit.ref for hit in await self.store.search.find(words)]

    def restart(self) -> None:
        self.tasks.close_all()
        self.tasks = self._service()

    def close(self) -> None:
        self.notices.close()
        self.tasks.close_all()
        self.store.close()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Device, Device]]:
    set_language("sv")
    made = Device(tmp_path / "one", 1), Device(tmp_path / "two", 2)
    yield made
    for each in made:
        each.close()


def test_it_is_made_at_its_first_use_and_once(two: tuple[Device, Device]) -> None:
    one, _ = two
    assert one.tasks.own.find() is None
    link = one.made()
    assert one.made() == link == one.tasks.own.find()
    board = one.tasks.board(link.room, link.obj)
    assert [(each.id, each.title, each.done) for each in board.columns()] == [
        ("open", "Att göra", False),
        ("doing", "Pågår", False),
        ("done", "Klart", True),
    ]
    assert board.title == ""


def test_without_a_room_of_ones_own_it_waits_and_says_why(two: tuple[Device, Device]) -> None:
    one, _ = two
    one.own.there, one.own.refusal = [], Unreachable()
    with pytest.raises(Unreachable):
        one.made()
    one.own.refusal = NotFound()
    with pytest.raises(NotFound):
        one.made()
    assert one.tasks.own.find() is None
    one.own.refusal = None
    one.own.give(ROOM)
    assert one.made().room == ROOM


def test_its_cards_are_mine_without_an_assignee_and_nobody_else_can_be_named(two: tuple[Device, Device]) -> None:
    one, _ = two
    card = one.add(MILK)
    (task,) = one.tasks.my_tasks()
    assert (task.title, task.card, task.assignee) == (MILK, card, None)
    assert one.tasks.members(ROOM) == []
    board = one.tasks.board(ROOM, one.made().obj)
    board.move_card(card, COLUMNS[-1])
    assert one.titles() == []
    assert [each.title for each in one.tasks.my_tasks(done=True)] == [MILK]


def test_both_devices_have_the_same_board(two: tuple[Device, Device]) -> None:
    one, other = two
    server = Server()
    one.add(MILK)
    server.meet(one, other)  # type: ignore[arg-type] # all that it asks of a device
    assert other.titles() == [MILK]
    assert other.made() == one.made()
    other.add("Ring å ä ö")
    server.meet(other, one)  # type: ignore[arg-type]
    assert sorted(one.titles()) == sorted(other.titles()) == [MILK, "Ring å ä ö"]


async def test_two_that_were_made_apart_become_one_and_no_card_is_lost_or_found_twice(
    two: tuple[Device, Device],
) -> None:
    one, other = two
    server, devices = Server(), (one, other)
    mine = await _add(one, MILK)
    theirs = await _add(other, "Ring å ä ö")
    other.tasks.board(ROOM, _obj(other)).move_card(theirs, COLUMNS[1])
    first, second = _obj(one), _obj(other)
    assert first != second
    for _ in range(3):
        server.meet(*devices)  # type: ignore[arg-type]
        for each in devices:
            each.turn()
    for each in devices:
        assert _obj(each) == min(first, second)
        board = each.tasks.board(ROOM, _obj(each))
        assert [column.id for column in board.columns()] == list(COLUMNS)
        assert {card.id: (card.title, card.column) for card in board.all_cards()} == {
            mine: (MILK, "open"),
            theirs: ("Ring å ä ö", "doing"),
        }
        assert sorted(each.titles()) == [MILK, "Ring å ä ö"]
        assert await each.found("mjölk") == [mine.encode()]
        assert await each.found("Ring") == [theirs.encode()]
    assert one.store.changes.of(first) != one.store.changes.of(second)


async def test_what_was_written_late_into_the_other_board_comes_too(two: tuple[Device, Device]) -> None:
    one, other = two
    server, devices = Server(), (one, other)
    await _add(one, MILK)
    await _add(other, "Ring å ä ö")
    late, early = sorted(devices, key=_obj, reverse=True)
    old = _obj(late)
    board = late.tasks.board(ROOM, old)
    server.meet(*devices)  # type: ignore[arg-type]
    card = add_card(board, "Sent skriven 🙂", HL)  # it has not joined them yet
    for _ in range(3):
        for each in devices:
            each.turn()
        server.meet(*devices)  # type: ignore[arg-type]
    for each in devices:
        assert "Sent skriven 🙂" in each.titles()
        link = ObjectLink(room=ROOM, obj=old, kind=KIND.id, ref=card.encode())
        assert each.tasks.own.present(link).obj == _obj(early)
        linked = each.tasks.linked(link)
        assert linked is not None
        assert linked.title == "Sent skriven 🙂"


async def test_a_new_room_of_ones_own_gets_the_board_of_the_forked_one(two: tuple[Device, Device]) -> None:
    one, _ = two
    card = await _add(one, MILK)
    old = one.tasks.own.find()
    member = MemberRow(uid=HL, role=Role.OWNER, since_n=0, history=True)
    one.store.receive(ReceivedSlice(room=OWN_ROOM, cursor=0, state=b"", members=[member]))
    one.own.give(OWN_ROOM, ROOM)
    one.turn()
    one.turn()
    new = one.tasks.own.find()
    assert old is not None
    assert new is not None
    assert (old.room, new.room) == (ROOM, OWN_ROOM)
    assert [each.id for each in one.tasks.board(new.room, new.obj).all_cards()] == [card]
    (task,) = one.tasks.my_tasks()
    assert (task.room, task.obj) == (OWN_ROOM, new.obj)
    assert await one.found("mjölk") == [card.encode()]


async def test_joining_writes_once_also_after_a_restart(two: tuple[Device, Device]) -> None:
    one, other = two
    server, devices = Server(), (one, other)
    await _add(one, MILK)
    await _add(other, "Ring å ä ö")
    for _ in range(3):
        server.meet(*devices)  # type: ignore[arg-type]
        for each in devices:
            each.turn()
    before = len(server.log)
    for each in devices:
        each.restart()
        each.tasks.own.look()
        each.turn()
    server.meet(*devices)  # type: ignore[arg-type]
    assert len(server.log) == before
    assert sorted(one.titles()) == [MILK, "Ring å ä ö"]


def test_a_board_of_another_room_is_not_the_persons_own(two: tuple[Device, Device]) -> None:
    """▲ Otherwise a colleague's board could count as the person's own, and what they write there would be seen."""
    one, _ = two
    one.own.give(OWN_ROOM)
    obj = one.store.objects.new(ROOM)
    one.announce(ROOM, obj, KIND.id)
    assert one.tasks.own.find() is None
    assert not one.tasks.own.is_own(ROOM)
    assert one.tasks.my_tasks() == []


async def test_a_card_of_it_that_is_due_rings_as_others_do(two: tuple[Device, Device]) -> None:
    one, _ = two
    await _add(one, MILK, date(2020, 1, 1))
    one.tasks.start()
    one.alarms.start()
    await until(lambda: bool(one.notices.list()))
    one.alarms.close()
    assert {row.kind for row in one.notices.list()} <= {DUE.id, OVERDUE.id}
    assert len(one.notices.list()) == 1


def test_a_merged_state_is_not_written_as_a_change() -> None:
    updates: list[bytes] = []
    with closing(Board(updates.append)) as first, closing(Board(updates.append)) as second:
        first.setup(("Att göra",), ids=("open",))
        second.merge(updates)
        add_card(second, MILK, HL)
        state = second.diff()
    assert lacking([], updates) == updates
    assert lacking(updates, updates) == []
    assert lacking(updates[:1], updates) == updates[1:]
    assert lacking([], [state]) == [], "two clients have written in it"


def cards_of(device: Device, obj: ObjId) -> int:
    return int(device.store.db.value("SELECT count(*) FROM board_cards WHERE obj = ?", (obj,)))


def places_of(device: Device, obj: ObjId) -> int:
    return int(device.store.db.value("SELECT count(*) FROM search_rows WHERE obj = ?", (obj,)))


async def test_attack_a_large_board_is_joined_in_parts_also_with_what_comes_meanwhile(
    two: tuple[Device, Device],
) -> None:
    """A stolen device may have written any number of cards."""
    one, other = two
    server, devices = Server(), (one, other)
    for each, title in ((one, "Köp %d å 🙂"), (other, "Ring %d ä")):
        link = await each.tasks.own.ensure()
        board = each.tasks.board(link.room, link.obj)
        for n in range(20):
            add_card(board, title % n, HL)
    late, joining = sorted(devices, key=_obj, reverse=True)
    gone = _obj(late)  # after the meeting it has the other's board
    board = late.tasks.board(ROOM, gone)
    server.meet(*devices)  # type: ignore[arg-type]
    joining.turn()
    assert len(joining.titles()) < 41
    assert joining.turns, "it goes on in another turn"
    add_card(board, "Sent skriven", HL)
    server.meet(*devices)  # type: ignore[arg-type]
    turns, listed = 1, cards_of(joining, gone)
    while joining.turns:
        joining.turn()
        turns += 1
        before, listed = listed, cards_of(joining, gone)
        assert before - listed <= DROPPED_AT_ONCE, "its rows leave part by part"
    assert turns > 5
    assert (listed, places_of(joining, gone)) == (0, 0)
    assert len(joining.titles()) == 41
    restarted = len(joining.store.changes.of(_obj(joining)))
    joining.restart()
    joining.tasks.own.look()
    while joining.turns:
        joining.turn()
    assert len(joining.store.changes.of(_obj(joining))) == restarted


async def test_a_full_disk_keeps_the_boards_apart_and_they_join_later(two: tuple[Device, Device]) -> None:
    one, other = two
    server, devices = Server(), (one, other)
    await _add(one, MILK)
    await _add(other, "Ring å ä ö")
    server.meet(*devices)  # type: ignore[arg-type]
    with full(one):
        one.turn()
    assert len(one.titles()) == 1
    one.tasks.own.look()
    one.turn()
    assert sorted(one.titles()) == [MILK, "Ring å ä ö"]


async def _add(device: Device, title: str, due: date | None = None) -> str:
    link = await device.tasks.own.ensure()
    board = device.tasks.board(link.room, link.obj)
    card = add_card(board, title, HL)
    board.set_due(card, due)
    return card


def _obj(device: Device) -> ObjId:
    found = device.tasks.own.find()
    assert found is not None
    return found.obj
