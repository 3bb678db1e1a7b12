# SPDX-License-Identifier: EUPL-1.2
"""Documents that are put away: who did it and when, the way back, and what is written there meanwhile."""

from app.core.ids import ObjId
from app.objects.trash import Trash
from app.rooms.records import ObjectRetired, encode
from tests.app.documents.desks import World
from tests.office import EK, HL, ROOM


def test_the_trash_shows_everybody_who_and_when_and_gives_back(world: World) -> None:
    hl, ek = world.add(HL), world.add(EK)
    obj, other = hl.documents.create(ROOM, "Beslut å 🙂"), hl.documents.create(ROOM, "Kvar")
    hl.documents.index_now()
    world.deliver()
    emitted: list[bytes] = []
    ek.documents.changed.connect(emitted.append)
    hl.documents.delete(obj)
    world.deliver()
    assert emitted == [ROOM], "the list is another"
    for at in (hl, ek):
        (item,) = at.documents.trash.put_away(ROOM)
        assert (item.obj, item.title, item.by) == (obj, "Beslut å 🙂", HL)
        assert item.t == 1_795_500_000_000 + world.n, "the server's time"
        assert [row.obj for row in at.documents.list(ROOM)] == [other]
        row = at.documents.row(obj)
        assert row is not None
        assert row.title == "Beslut å 🙂"
    assert [hit.obj for hit in hl.store.search.find_here("beslut")] == [obj]
    ek.documents.trash.take_back(ek.documents.trash.put_away(ROOM)[0])
    world.deliver()
    for at in (hl, ek):
        assert at.documents.trash.put_away(ROOM) == []
        assert {row.obj for row in at.documents.list(ROOM)} == {obj, other}


def test_the_person_who_put_it_away_is_shown_what_was_written_meanwhile(world: World) -> None:
    hl, ek = world.add(HL), world.add(EK)
    obj = hl.documents.create(ROOM, "Beslut")
    world.deliver()
    theirs = ek.documents.open(obj)
    hl.documents.delete(obj)
    world.deliver()
    assert Trash(hl.documents.trash).written_after() == []
    theirs.splice(0, 0, "Ännu ett skäl 🙂")
    world.deliver()
    (emitted,) = Trash(hl.documents.trash).written_after()
    assert (emitted.item.obj, emitted.by) == (obj, (EK,))
    assert Trash(ek.documents.trash).written_after() == []
    hl = world.restart(hl)
    assert len(Trash(hl.documents.trash).written_after()) == 1
    document = hl.documents.open(obj)
    hl.documents.enter(obj, lambda: (0, 0))
    assert document.plain_text() == "Ännu ett skäl 🙂"
    assert Trash(hl.documents.trash).written_after() == []
    theirs.splice(0, 0, "Mer. ")
    world.deliver()
    hl.documents.leave(obj)
    assert Trash(hl.documents.trash).written_after() == [], "it was on my screen"
    theirs.splice(0, 0, "Och mer. ")
    world.deliver()
    hl.documents.close(obj)
    assert len(Trash(hl.documents.trash).written_after()) == 1, "it was open, on no screen"
    ek.documents.close(obj)


def test_attack_another_rooms_record_puts_no_document_away(world: World) -> None:
    hl = world.add(HL)
    obj = hl.documents.create(ROOM, "Beslut")
    other = ObjId(b"annat rum 123456")
    hl.store.changes.append(other, other, encode(ObjectRetired(obj=obj, on=True)))  # type: ignore[arg-type] # a root
    assert hl.documents.trash.put_away(ROOM) == []
    assert hl.store.db.rows("SELECT * FROM room_put_away") == []
