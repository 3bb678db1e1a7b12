# SPDX-License-Identifier: EUPL-1.2
"""The lines that a room's timeline has about members whose account the agency has ended."""

from sync.client.received import ReceivedSlice
from sync.client.room.timeline_events import resets
from sync.server.operator import admin
from sync.trust.formats.items import Role
from tests.world import Client, World, until


async def learn_end(w: World, here: Client, of: Client) -> None:
    """The agency ends a person's account, and `here`, which is offline, gets to know that."""
    await admin.reset(w.data, uid=of.uid)
    assert w.running is not None
    people, book = w.running.service.people, here.engine.parts.link.book
    await until(lambda: people.log(of.uid).ended is not None)
    known = book.log(of.uid)
    entries = await people.entries_after(of.uid, known.seq if known is not None else -1)
    book.take(of.uid, [(e.body, e.sig) for e in entries])


async def test_who_left_and_whose_account_then_ended_has_one_line(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room = await w.room(a, b)
    await a.offline()
    await b.engine.operations.leave(room)
    await learn_end(w, a, b)
    a.online()
    await until(lambda: b.uid not in a.engine.parts.link.rooms[room].stream.members)
    await until(lambda: a.engine.is_whole(room))
    lines = [(e.kind, e.by) for e in a.store.rooms_list.events(room) if e.kind in ("leave", "reset")]
    assert lines == [("leave", b.uid)]


async def test_a_writer_who_inherits_a_room_has_a_line_with_the_position_that_promoted_them(w: World) -> None:
    """A history that an heir approved waited for ever, and a deletion by them counted for nobody."""
    a, b, c = await w.hire("Handläggare", "Registrator", "Enhetschef")
    room = await w.room(a, b, c)
    streams = [of.engine.parts.link.rooms[room].stream for of in (b, c)]
    assert b.store.promoted_at(room, b.uid) is None
    await admin.reset(w.data, uid=a.uid)
    await until(lambda: all(stream.role_of(b.uid) is Role.OWNER for stream in streams))
    await until(lambda: all(of.store.promoted_at(room, b.uid) is not None for of in (b, c)))
    lines = [[e for e in of.store.rooms_list.events(room) if e.kind == "heir"] for of in (b, c)]
    assert lines[0] == lines[1]
    assert [(e.by, e.subject, e.role) for e in lines[0]] == [(b.uid, b.uid, Role.OWNER)]
    assert b.store.promoted_at(room, b.uid) == lines[0][0].n


async def test_each_of_several_resets_has_its_own_line_beside_those_of_other_slices(w: World) -> None:
    a, *others = await w.hire("Handläggare", "Registrator", "Enhetschef", "Arkivarie")
    room = await w.room(a)
    await a.offline()
    for other in others:
        await learn_end(w, a, other)
    book, n = a.engine.parts.link.book, a.engine.position(room)
    first, second, third = (other.uid for other in others)
    for gone, at in (([first], n), ([second, third], n + 1)):
        a.store.receive(ReceivedSlice(room=room, events=resets(gone, book, at, at * 1000)))
    assert a.store.rooms_list.resets(room) == [
        (first, n * 1000), (second, (n + 1) * 1000), (third, (n + 1) * 1000),
    ]  # fmt: skip
    lines = [(e.n, e.place, e.by) for e in a.store.rooms_list.events(room) if e.kind == "reset"]
    assert lines == [(n, 0, first), (n + 1, 0, second), (n + 1, 1, third)]
