# SPDX-License-Identifier: EUPL-1.2
"""Documents over real stores: two desks, restarts, presence, versions, and what is freed."""

import asyncio
import threading

import pytest

from app.core.ids import DevId, ObjId, RoomId
from app.documents.records import CARET, Caret
from app.errors import NotFound
from app.objects.crdt import LOCAL, REMOTE, Origin
from app.objects.links import ObjectLink
from app.richtext.flow import Style
from app.richtext.model import MAX_TITLE, Document
from app.store import arrivals
from app.store.database import Database
from sync.client.received import Backfilled, Received, ReceivedSlice, Resolved
from tests.app.documents.desks import Desk, World
from tests.counting import crdt_docs
from tests.office import EK, HL, ROOM
from tests.patience import PATIENCE_S
from tests.world import until


def test_a_new_document_is_listed_by_everybody_under_its_title(pair: tuple[Desk, Desk, ObjId]) -> None:
    _, ek, obj = pair
    (row,) = ek.documents.list(ROOM)
    assert (row.obj, row.title, row.by) == (obj, "Beslut om tillsyn å", HL)


def test_a_document_that_was_begun_is_there_with_its_first_edit(world: World, pair: tuple[Desk, Desk, ObjId]) -> None:
    hl, ek, obj = pair
    unused = hl.documents.begin(ROOM, "Nytt dokument")
    hl.documents.close(unused.obj)
    row = hl.documents.begin(ROOM, "Nytt dokument")
    document = hl.documents.open(row.obj)
    world.deliver()
    assert [each.obj for each in hl.documents.list(ROOM)] == [obj]
    assert hl.store.changes.of(row.obj) == hl.store.changes.of(unused.obj) == []
    document.splice(0, 0, "Skälen å")
    hl.documents.close(row.obj)
    hl.documents.close(row.obj)
    world.deliver()
    for desk in (hl, ek):
        assert {each.obj for each in desk.documents.list(ROOM)} == {obj, row.obj}
        assert desk.documents.shown_now(row.obj)[0] == "Nytt dokument"
        assert [block.text for block in desk.documents.shown_now(row.obj)[1]] == ["Skälen å"]


def test_two_people_who_write_apart_end_with_the_same_text(world: World, pair: tuple[Desk, Desk, ObjId]) -> None:
    hl, ek, obj = pair
    mine, theirs = hl.documents.open(obj), ek.documents.open(obj)
    mine.splice(0, 0, "Saken: tillsyn 🙂\nBakgrund")
    world.deliver()
    mine.splice(0, 0, "Å ")
    theirs.splice(theirs.length_utf16, 0, " enligt 12 kap.")
    theirs.set_block(1, 1, Style(heading=2))
    world.deliver()
    assert mine.plain_text() == theirs.plain_text() == "Å Saken: tillsyn 🙂\nBakgrund enligt 12 kap."
    assert mine.block(1).style == theirs.block(1).style == Style(heading=2)


def test_a_document_read_from_disk_is_what_it_was_also_from_its_cached_state(
    world: World, pair: tuple[Desk, Desk, ObjId]
) -> None:
    hl, _, obj = pair
    document = hl.documents.open(obj)
    for i in range(250):
        document.splice(document.length_utf16, 0, f"å{i} ")
    before = document.plain_text()
    hl = world.restart(hl)
    assert hl.store.objects.crdt_state(obj) is not None
    again = hl.documents.open(obj)
    assert (again.plain_text(), again.title) == (before, "Beslut om tillsyn å")


def test_attack_a_state_that_is_too_large_to_be_read_again_is_not_kept(
    world: World, pair: tuple[Desk, Desk, ObjId], monkeypatch: pytest.MonkeyPatch
) -> None:
    hl, _, obj = pair
    document = hl.documents.open(obj)
    for i in range(200):
        document.splice(document.length_utf16, 0, f"å{i} ")
    before = document.plain_text()
    monkeypatch.setattr("app.objects.crdt.updates.MAX_BYTES", 1000)
    hl = world.restart(hl)
    assert hl.store.objects.crdt_state(obj) is None
    assert hl.documents.open(obj).plain_text() == before


@pytest.mark.parametrize("room", [None, RoomId(b"z" * 16)], ids=["same-room", "another-room"])
async def test_a_copy_has_the_text_formats_and_title_and_leaves_the_document_as_it_is(
    pair: tuple[Desk, Desk, ObjId], room: RoomId | None
) -> None:
    hl, _, obj = pair
    document = hl.documents.open(obj)
    document.splice(0, 0, "Saken: tillsyn 🙂\nBakgrund åäö")
    document.format(0, 5, {"bold": True})
    document.set_block(1, 1, Style(heading=2))
    copy = await hl.documents.copy(obj, room)
    made = hl.documents.open(copy)
    assert [(b.runs, b.style) for b in made.blocks()] == [(b.runs, b.style) for b in document.blocks()]
    assert (made.title, document.title) == ("Beslut om tillsyn å (kopia)", "Beslut om tillsyn å")
    assert [row.obj for row in hl.documents.list(room or ROOM) if row.obj != obj] == [copy]
    made.splice(0, 0, "Annat. ")
    assert document.plain_text() == "Saken: tillsyn 🙂\nBakgrund åäö"


async def test_a_copy_of_a_document_with_the_longest_title_is_called_a_copy(pair: tuple[Desk, Desk, ObjId]) -> None:
    hl, _, obj = pair
    hl.documents.open(obj).set_title("å" * MAX_TITLE)
    assert hl.documents.open(await hl.documents.copy(obj)).title == "å" * (MAX_TITLE - 8) + " (kopia)"


async def test_what_is_not_here_cannot_be_copied(pair: tuple[Desk, Desk, ObjId]) -> None:
    with pytest.raises(NotFound):
        await pair[0].documents.copy(ObjId(b"?" * 16))


@pytest.mark.parametrize("lacking", ["pruned", "waiting"])
def test_edits_that_build_on_what_is_not_here_yet_are_not_lost_by_closing(
    world: World, pair: tuple[Desk, Desk, ObjId], lacking: str
) -> None:
    """They wait in the open document; its cached state would be without them, for good."""
    hl, ek, obj = pair
    theirs = ek.documents.open(obj)
    for i in range(250):
        theirs.splice(theirs.length_utf16, 0, f"å{i} ")
    late: list[Received]
    first, *rest = world.coming(ek).changes
    if lacking == "pruned":
        hl.store.receive(ReceivedSlice(room=ROOM, changes=rest, incomplete=[obj]))
        late = [ReceivedSlice(room=ROOM, changes=[first]), Backfilled(room=ROOM, objs=[obj])]
    else:
        hl.store.receive(ReceivedSlice(room=ROOM, changes=rest, waiting=[(first.n, b"shut")]))
        late = [Resolved(room=ROOM, changes=[first], resolved=[first.n])]
    assert "å249" not in hl.documents.open(obj).plain_text()
    hl = world.restart(hl)
    for received in late:
        hl.store.receive(received)
    assert hl.documents.open(obj).plain_text() == theirs.plain_text()


def commits_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Received changes are committed apart however short they are, and not before another caller uses the store."""
    asked, commit, settle = threading.Event(), Database._commit_apart, Database._settle

    def waiting(db: Database) -> Exception | None:
        assert asked.wait(PATIENCE_S)
        return commit(db)

    def asking(db: Database) -> None:
        if db._committing is not None:
            asked.set()
        settle(db)

    monkeypatch.setattr(arrivals, "_SHORT", 0)
    monkeypatch.setattr(Database, "_commit_apart", waiting)
    monkeypatch.setattr(Database, "_settle", asking)


async def test_what_comes_while_one_writes_is_merged_after_what_is_written(
    world: World, pair: tuple[Desk, Desk, ObjId], monkeypatch: pytest.MonkeyPatch
) -> None:
    hl, ek, obj = pair
    mine, theirs = hl.documents.open(obj), ek.documents.open(obj)
    mine.splice(0, 0, "Början å. ")
    world.deliver()
    theirs.splice(0, 0, "Före 🙂. ")
    coming = world.coming(ek)
    commits_when_asked_for(monkeypatch)
    storing = asyncio.ensure_future(hl.store.inbox.receive_apart(coming))
    await asyncio.sleep(0)  # written, and its commit runs apart
    seen: list[Origin] = []
    mine.changed.connect(lambda change: seen.append(change.origin))
    mine.splice(mine.length_utf16, 0, "Slut ä.")
    assert seen == [LOCAL]  # nothing else happened in the middle of it
    await storing
    await until(lambda: seen == [LOCAL, REMOTE])
    world.deliver()
    assert mine.plain_text() == theirs.plain_text() == "Före 🙂. Början å. Slut ä."
    hl = world.restart(hl)
    assert hl.documents.open(obj).plain_text() == "Före 🙂. Början å. Slut ä."


def test_a_damaged_cached_state_is_passed_over(world: World, pair: tuple[Desk, Desk, ObjId]) -> None:
    hl, _, obj = pair
    hl.documents.open(obj).splice(0, 0, "åäö")
    hl.store.objects.set_crdt_state(obj, 9999, b"\xff\x00nonsense")
    hl = world.restart(hl)
    assert hl.documents.open(obj).plain_text() == "åäö"


def test_a_rename_reaches_lists_without_opening_the_document(world: World, pair: tuple[Desk, Desk, ObjId]) -> None:
    hl, ek, obj = pair
    hl.documents.rename(obj, "Föreläggande")
    world.deliver()
    assert ek.documents.list(ROOM)[0].title == "Föreläggande"


def begun(world: World, pair: tuple[Desk, Desk, ObjId], text: str) -> Document:
    """The document, open at the first desk, where `text` was written; the second desk has it too."""
    hl, _, obj = pair
    mine = hl.documents.open(obj)
    mine.splice(0, 0, text)
    world.deliver()
    return mine


def test_a_document_that_is_put_away_is_not_listed_and_can_be_taken_back(pair: tuple[Desk, Desk, ObjId]) -> None:
    hl, _, obj = pair
    hl.documents.delete(obj)
    assert hl.documents.list(ROOM) == []
    hl.documents.restore(obj)
    assert [row.obj for row in hl.documents.list(ROOM)] == [obj]


def test_carets_are_seen_where_they_are_and_go_when_their_owner_leaves(
    world: World, pair: tuple[Desk, Desk, ObjId]
) -> None:
    hl, ek, obj = pair
    begun(world, pair, "Myndigheten å 🙂 avslutar")
    theirs = ek.documents.open(obj)
    live: list[bool] = []
    hl.documents.live_changed.connect(lambda _room, _obj, on: live.append(on))
    hl.documents.enter(obj, lambda: (0, 0))
    ek.documents.enter(obj, lambda: (12, 13))
    world.deliver()
    theirs.splice(0, 0, "Nu: ")
    world.deliver()
    (caret,) = hl.documents.presence(obj)
    assert (caret.person.name, caret.anchor, caret.caret) == ("Enhetschef", 16, 17)
    hl.timers.ring(0.2)  # whoever comes is answered
    world.deliver()
    assert [c.person.uid for c in ek.documents.presence(obj)] == [HL]
    ek.documents.close(obj)
    world.deliver()
    assert hl.documents.presence(obj) == []
    assert live == [True, False]


def test_who_reads_sends_nothing_while_a_colleague_writes_before_their_caret(
    world: World, pair: tuple[Desk, Desk, ObjId]
) -> None:
    hl, ek, obj = pair
    mine = begun(world, pair, "Myndigheten å 🙂 avslutar")
    ek.documents.open(obj)
    reading = [12]
    hl.documents.enter(obj, lambda: (0, 0))
    ek.documents.enter(obj, lambda: (reading[0], reading[0]))
    for desk in (hl, ek):  # each has answered the other
        world.deliver()
        desk.timers.ring(0.2)
    world.deliver()
    mine.splice(0, 0, "Nu: ")
    world.deliver()
    reading[0] += 4  # where the words are now, as the editor says
    ek.documents.moved(obj)
    ek.timers.ring(0.2)
    assert [sender for sender, _ in world.passing] == []
    assert [caret.caret for caret in hl.documents.presence(obj)] == [16]
    reading[0] += 1
    ek.documents.moved(obj)
    ek.timers.ring(0.2)
    world.deliver()
    assert [caret.caret for caret in hl.documents.presence(obj)] == [17]


def test_who_opens_a_document_is_shown_the_place_of_a_reader_who_has_not_moved(
    world: World, pair: tuple[Desk, Desk, ObjId]
) -> None:
    hl, ek, obj = pair
    for desk in pair[:2]:
        desk.documents.open(obj)
    ek.documents.enter(obj, lambda: (0, 0))
    world.deliver()
    for _ in range(2):  # the second time after the program was started again
        hl.documents.open(obj)
        hl.documents.enter(obj, lambda: (0, 0))
        world.deliver()
        ek.timers.ring(0.2)
        world.deliver()
        assert [caret.person.uid for caret in hl.documents.presence(obj)] == [EK]
        hl.documents.close(obj)
        world.deliver()


def test_where_a_person_began_to_write_is_shown_as_soon_as_the_server_has_it(
    world: World, pair: tuple[Desk, Desk, ObjId]
) -> None:
    """Until then the caret would name a client number that nobody else may know."""
    hl, ek, obj = pair
    begun(world, pair, "Beslut å 🙂")
    theirs, writing = ek.documents.open(obj), [0]
    for desk in pair[:2]:
        desk.documents.enter(obj, lambda: (writing[0], writing[0]))
    world.deliver()
    theirs.splice(0, 0, "Nu ")
    theirs.splice(3, 0, "tas ")
    writing[0] = 5
    ek.documents.moved(obj)
    ek.timers.ring(0.2)
    for _ in range(2):  # the caret follows what it is in
        world.deliver()
        ek.timers.ring(0.2)
    assert [caret.caret for caret in hl.documents.presence(obj)] == [5]


def test_passing_messages_of_others_and_nonsense_are_left_alone(pair: tuple[Desk, Desk, ObjId]) -> None:
    hl, _, obj = pair
    hl.documents.open(obj)
    hl.documents.enter(obj, lambda: (0, 0))
    for payload in (b"", b"\x01\x81", b"\x82nonsense", CARET.encode(Caret(obj=b"x" * 16, selection=b"y"))):
        hl.documents.on_ephemeral(ROOM, EK, DevId(EK), payload)
    hl.documents.on_ephemeral(RoomId(b"?" * 16), EK, DevId(EK), CARET.encode(Caret(obj=obj, selection=b"y")))
    hl.documents.on_ephemeral(ROOM, EK, DevId(EK), CARET.encode(Caret(obj=obj, selection=b"\xff\xff\xff")))
    assert hl.documents.presence(obj) == []


def test_versions_are_stretches_of_one_persons_work(world: World, pair: tuple[Desk, Desk, ObjId]) -> None:
    hl, ek, obj = pair
    mine, theirs = hl.documents.open(obj), ek.documents.open(obj)
    mine.splice(0, 0, "ett ")
    world.deliver()
    theirs.splice(4, 0, "två ")
    world.deliver()
    versions = hl.documents.versions(obj)
    assert [version.author for version in versions] == [HL, EK]
    assert hl.documents.document_at(obj, versions[0].rowid).plain_text() == "ett "
    assert hl.documents.document_at(obj, versions[1].rowid).plain_text() == "ett två "


def test_a_document_that_is_not_here_is_not_found(pair: tuple[Desk, Desk, ObjId]) -> None:
    with pytest.raises(NotFound):
        pair[0].documents.open(ObjId(b"?" * 16))


async def test_closed_documents_are_freed(world: World, pair: tuple[Desk, Desk, ObjId]) -> None:
    """Also what renaming, indexing, copying and looking at them as they were have made."""
    hl, ek, obj = pair
    before = crdt_docs()
    for n in range(20):
        mine, theirs = hl.documents.open(obj), ek.documents.open(obj)
        mine.splice(0, 0, "Beslut å 🙂 ")
        world.deliver()
        theirs.splice(0, 3, "")
        assert theirs.undo()
        ek.documents.close(obj)
        hl.documents.close(obj)
        hl.documents.rename(obj, f"Beslut {n} ö")
        hl.documents.index_now()
        hl.documents.before(obj, 1 << 60).close()
        hl.documents.document_at(obj, 1 << 60).close()
    await hl.documents.copy(obj)
    hl.documents.create(ROOM, "Nytt beslut ä")
    ek.documents.index_now()
    del mine, theirs
    assert crdt_docs() <= before


def test_a_document_that_is_read_again_frees_what_it_was(pair: tuple[Desk, Desk, ObjId]) -> None:
    hl, _, obj = pair
    document = hl.documents.open(obj)
    document.splice(0, 0, "Beslut å 🙂")
    shown = crdt_docs()
    for _ in range(20):
        hl.store.changes.taken_back.emit(obj)
    assert document.plain_text() == "Beslut å 🙂"
    assert crdt_docs() <= shown
    hl.documents.close(obj)


def test_a_link_says_who_changed_the_document_last_and_not_who_made_it(
    world: World, pair: tuple[Desk, Desk, ObjId]
) -> None:
    hl, ek, obj = pair
    link = ObjectLink(room=ROOM, obj=obj, kind="document")
    assert (found := hl.documents.linked(link)) is not None
    assert found.by == HL
    document = ek.documents.open(obj)
    document.splice(0, 0, "Skäl å 🙂")
    ek.documents.close(obj)
    world.deliver()
    assert (found := hl.documents.linked(link)) is not None
    assert found.by == EK
