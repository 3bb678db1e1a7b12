# SPDX-License-Identifier: EUPL-1.2
"""An office in the months of an update: programs that know different kinds, roots, records and fields write in one
room. Nothing is lost, nothing is void, each shows what it knows, and the history can be cleared."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import pytest

from app.chat.tool import TOOL as CHAT
from app.core.enums import LinkState, Role
from app.core.ids import ObjId, RoomId
from app.documents.tool import TOOL as DOCUMENTS
from app.kinds import TOOLS
from app.rooms import formats
from app.tasks.tool import TOOL as TASKS
from app.tool import AnyTool
from sync.client.exchange import snapshot_maker
from tests.journeys.desks import Desk, Offices
from tests.journeys.forks import cut
from tests.journeys.newer_program import (
    NEWER,
    lane_in,
    note_in,
    open_poll,
    polls,
    say_until,
    set_lane,
    untils,
    write_note,
)
from tests.patience import PATIENCE_S
from tests.sample_tool.minutes_desk import TEXT, minutes, reads, write
from tests.world import until

pytestmark = pytest.mark.slow

WORDS = ["Vi", "beslutade", "om", "tillsynen", "å", "🙂", "i", "dag"]
NOTE = "Fotnot å 🙂"
LESS = tuple(tool for tool in TOOLS if tool is not TASKS)
"""A program that is older still: it has no boards."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has snapshots made at once, also of short objects, and devices say at once what they read."""
    monkeypatch.setattr(snapshot_maker, "EVERY_OPS", 6)
    monkeypatch.setattr(snapshot_maker, "SPREAD_S", 0.05)
    monkeypatch.setattr(snapshot_maker, "AGAIN_S", 0.1)
    monkeypatch.setattr("sync.client.exchange.batch_maker.QUIET_FLUSH_S", 0.01)
    for name in ("A_MEMBER_S", "LOOK_S"):
        monkeypatch.setattr(formats, name, 0.0)
    monkeypatch.setattr(formats, "EVERY_S", 0.02)


@dataclass
class Office:
    """A room of one with a newer program and two with an older one, and what all of them wrote there."""

    room: RoomId
    document: ObjId
    board: ObjId
    minute: ObjId
    newer: Desk
    older: tuple[Desk, Desk]

    @property
    def everybody(self) -> tuple[Desk, ...]:
        return (self.newer, *self.older)

    def text(self, at: Desk) -> str:
        """What a desk shows of the document."""
        service = at.session.service(DOCUMENTS)
        text = service.open(self.document).plain_text().strip()
        service.close(self.document)
        return text

    def lists_document(self, at: Desk) -> bool:
        return any(d.obj == self.document for d in at.session.service(DOCUMENTS).list(self.room))

    def lists_board(self, at: Desk) -> bool:
        return at.session.service(TASKS).board_id(self.room) is not None

    def has_all_cards(self, at: Desk) -> bool:
        """Whether a desk shows the cards that the newer program shows."""
        mine, theirs = (
            {row.title for row in each.session.service(TASKS).tasks(self.room)} for each in (at, self.newer)
        )
        return mine == theirs != set()

    def all_attest(self, obj: ObjId) -> bool:
        """Whether one of the three made a snapshot of an object, and both others attest that its hash is right."""
        rows = self.newer.session.engine.parts.link.rooms[self.room].stream.state.snapshots.get(obj, ())
        return any(len({row.uid, *(uid for uid, _ in row.attests)}) == 3 for row in rows)


async def sent(at: Desk) -> None:
    await until(lambda: at.session.store.waiting_count() == 0)


async def office(o: Offices, older: Sequence[AnyTool]) -> Office:
    """Makes a room of three, one with the program NEWER and two with the tools `older`, in which everybody has written
    what their program can write."""
    o.tools = NEWER
    (a,) = await o.hire("Enhetschef")
    o.tools = older
    b, c = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b, c)
    document = a.session.service(DOCUMENTS).create(room, "Beslut å")
    board = a.session.service(TASKS).board_id(room)
    assert board is not None
    minute = minutes(a).create(room, "Enhetsmöte å")
    write(a, minute, TEXT)
    minutes(a).add_item(room, "Budgeten")
    made = Office(room, document, board, minute, a, (b, c))
    await talk(made)
    await work(made)
    return made


async def talk(m: Office) -> None:
    """They write in the chat, also a record and a field that only the newer program knows."""
    a, b = m.newer.session, m.older[0].session
    say_until(a, m.room, "Läs till fredag å 🙂", "2026-12-04")
    open_poll(a, m.room, "Fredag eller måndag?")
    await until(lambda: m.older[0].texts(m.room) == ["Läs till fredag å 🙂"])
    message = b.service(CHAT).timeline(m.room).message(0)
    b.service(CHAT).send(m.room, "Ja", reply_to=message.change_id)
    b.service(CHAT).react(m.room, message.change_id, "👍")
    await until(lambda: m.newer.texts(m.room) == ["Läs till fredag å 🙂", "Ja"])


async def work(m: Office) -> None:
    """They write in the document and on the board, by turns: the older programs in what they know, the newer one
    beside it."""
    a = m.newer.session
    set_lane(a, m.room, m.board, "brådskande", "röd å 🙂")
    write_note(a, m.room, m.document, NOTE)
    await sent(m.newer)
    for at, words in zip(m.everybody, (WORDS[:3], WORDS[3:6], WORDS[6:]), strict=True):
        documents = at.session.service(DOCUMENTS)
        await until(partial(m.lists_document, at))
        for word in words:
            document = documents.open(m.document)
            document.splice(len(document.plain_text().rstrip("\n").encode("utf-16-le")) // 2, 0, f"{word} ")
            documents.close(m.document)
            await sent(at)
        await until(lambda: len({m.text(each) for each in m.everybody}) == 1)
        write_note(a, m.room, m.document, ".")
        await sent(m.newer)
    for at in m.everybody:
        if TASKS.id in at.tool_ids:
            await until(partial(m.lists_board, at))
            board = at.session.service(TASKS).board(m.room)
            for number in range(3):
                board.add_card(board.columns()[0].id, f"{at.session.people.me.name} {number}")
                await sent(at)


async def settled(m: Office) -> None:
    """Waits until everybody has everything."""
    await until(
        lambda: (
            len({at.session.engine.position(m.room) for at in m.everybody}) == 1
            and all(at.session.store.waiting_count() == 0 for at in m.everybody)
        )
    )


def is_sound(m: Office) -> None:
    """Asserts that nothing is void, held back, bad or waiting, at anybody. Changes of a newer format may be kept."""
    for at in m.everybody:
        store = at.session.store
        assert store.held_changes.void_counts(m.room) == []
        assert store.held_changes.quarantined() == []
        assert store.held_changes.late(m.room) == []
        assert store.inbox.void_items(m.room) == []
        assert store.inbox.bad(m.room) == []
        assert store.waiting(m.room) == []
        assert {code for _, code in store.changes.unprojected(m.room)} <= {"format-newer"}


def stored(at: Desk, obj: ObjId) -> set[tuple[bytes, bytes]]:
    return {(change.change_id, change.data) for change in at.session.store.changes.of(obj)}


async def can_be_cleared(m: Office, objs: Sequence[ObjId]) -> None:
    """Waits until the changes of these objects, and of no others, can be cleared on the server."""
    deadline = time.monotonic() + PATIENCE_S
    while {found.obj for found in (await m.newer.session.pruning.plan(m.room)).ready} != set(objs):
        assert time.monotonic() < deadline, await m.newer.session.pruning.plan(m.room)
        await asyncio.sleep(0.05)


async def eventually(at: Desk, room: RoomId, kinds: Sequence[set[str]]) -> None:
    """Waits until the security report at a desk names these kinds, one set for each device that cannot read everything,
    in the report's order."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        report = await at.session.seals.report(room)
        assert report is not None
        if [set(device.kinds) for device in report.old_devices] == list(kinds):
            return
        assert time.monotonic() < deadline, report.old_devices
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("older", [TOOLS, LESS], ids=["without further things", "without boards too"])
async def test_programs_that_know_different_things_write_in_one_room_and_lose_nothing(
    o: Offices, monkeypatch: pytest.MonkeyPatch, older: Sequence[AnyTool]
) -> None:
    m = await office(o, older)
    b, c = m.older
    await settled(m)
    is_sound(m)
    assert polls(m.newer.session) == ["Fredag eller måndag?"]
    assert untils(m.newer.session) == ["2026-12-04"]
    for at in m.everybody:
        assert at.texts(m.room) == ["Läs till fredag å 🙂", "Ja"]
        assert m.text(at) == " ".join(WORDS)
        assert note_in(at.session, m.document) == f"{NOTE}..."
        assert lane_in(at.session, m.board, "brådskande") == "röd å 🙂"
        assert stored(at, m.minute) == stored(m.newer, m.minute) != set()
    assert {at.session.store.held_changes.newer_count(m.room) for at in m.older} == {1}, "the poll"
    assert m.newer.session.store.held_changes.newer_count(m.room) == 0
    lacking = {"chat", "document", "board", "minute", "agenda"}
    await eventually(m.newer, m.room, [lacking, lacking])
    kept = {at: {obj: stored(at, obj) for obj in (m.document, m.board, m.minute)} for at in m.older}

    shared = [m.document, *([m.board] if older is TOOLS else [])]
    for obj in shared:
        await until(partial(m.all_attest, obj))
    monkeypatch.setattr("sync.trust.room.snapshots.PRUNE_AFTER_MS", 0)
    await until(lambda: m.newer.session.pruning.refusal(m.room) is None)
    await can_be_cleared(m, shared)
    assert {found.obj for found in await m.newer.session.pruning.prune(m.room, lambda *_: None)} == set(shared)
    o.tools = NEWER
    (later,) = await o.hire("Jurist")
    await o.add(m.newer, m.room, later, history=True)
    await until(partial(m.lists_document, later))
    await until(lambda: m.text(later) == " ".join(WORDS))
    assert note_in(later.session, m.document) == f"{NOTE}...", "from the snapshot"
    await until(lambda: lane_in(later.session, m.board, "brådskande") == "röd å 🙂")

    monkeypatch.setattr(formats, "WEEK_MS", 0)
    for at in (b, c):
        await at.update(NEWER)
        await reads(at, m.room, m.minute, TEXT)
        assert [item.text for item in minutes(at).agenda(m.room)] == ["Budgeten"]
        assert polls(at.session) == ["Fredag eller måndag?"]
        assert untils(at.session) == ["2026-12-04"]
        assert at.session.store.held_changes.newer_count(m.room) == 0
        assert note_in(at.session, m.document) == f"{NOTE}..."
        await until(partial(m.has_all_cards, at))
        assert all(stored(at, obj) >= kept[at][obj] for obj in kept[at])
    await eventually(m.newer, m.room, [])
    await settled(m)
    is_sound(m)


async def test_two_programs_without_some_kinds_write_apart_without_a_connection_and_lose_nothing(o: Offices) -> None:
    """A newer program and one without boards are offline at one time; then both are joined with a third one."""
    m = await office(o, LESS)
    older, watcher = m.older
    await settled(m)
    wires = [cut(at) for at in (m.newer, older)]
    await o.w.stop_server()
    await until(lambda: all(at.session.status.state is LinkState.OFFLINE for at in (m.newer, older)))
    await o.w.start_server()
    write_note(m.newer.session, m.room, m.document, "!")
    set_lane(m.newer.session, m.room, m.board, "efteråt", "blå ö 🙂")
    minutes(m.newer).add_item(m.room, "Lokalerna")
    open_poll(m.newer.session, m.room, "Måndag eller tisdag?")
    for at, word in ((m.newer, "Hemifrån"), (older, "Ombord")):
        documents = at.session.service(DOCUMENTS)
        documents.open(m.document).splice(0, 0, f"{word} å ")
        documents.close(m.document)
        at.session.service(CHAT).send(m.room, f"{word} 🙂")
    assert m.text(m.newer) != m.text(older)
    for at, wire in zip((m.newer, older), wires, strict=True):
        wire.cut = False
        at.session.engine.retry_now()
    await settled(m)
    await until(lambda: len({m.text(at) for at in m.everybody}) == 1)
    is_sound(m)
    assert {"Hemifrån", "Ombord", *WORDS} <= set(m.text(watcher).split())
    for at in m.everybody:
        assert sorted(at.texts(m.room)) == sorted(["Läs till fredag å 🙂", "Ja", "Hemifrån 🙂", "Ombord 🙂"])
        assert note_in(at.session, m.document) == f"{NOTE}...!"
        assert lane_in(at.session, m.board, "efteråt") == "blå ö 🙂"
        assert stored(at, m.minute) == stored(m.newer, m.minute)
    assert polls(m.newer.session) == ["Fredag eller måndag?", "Måndag eller tisdag?"]
    assert {at.session.store.held_changes.newer_count(m.room) for at in m.older} == {2}, "the polls"


async def test_who_is_no_administrator_is_not_shown_what_others_devices_read(o: Offices) -> None:
    o.tools = NEWER
    a, b = await o.hire("Enhetschef", "Handläggare")
    o.tools = TOOLS
    (c,) = await o.hire("Registrator")
    room = await o.room(a, b, c)
    a.session.service(CHAT).send(room, "Hej å 🙂")
    await eventually(a, room, [{"chat", "board"}])
    await until(lambda: len(b.session.store.heartbeats.of(room)) == len(a.session.store.heartbeats.of(room)) == 3)
    report = await b.session.seals.report(room)
    assert report is not None
    assert (report.old_devices, report.silent_devices) == ((), 0)
    await a.session.rooms.set_role(room, b.session.people.me.uid, Role.ADMIN)
    await eventually(b, room, [{"chat", "board"}])
