# SPDX-License-Identifier: EUPL-1.2
"""What changes a carried message after it was carried: its author's edit or own message here, a late position there."""

from collections.abc import Callable

import pytest
import sqlcipher3.dbapi2 as driver

from app.chat.projection import positioned, project
from app.chat.records import Carried, CarriedPart, Mention, MessageEdited, MessageSent, ReactionSet, encode
from app.core.ids import ObjId, RoomId, new_change
from app.errors import StoreUnwritable
from app.store.connection import Params, Rows
from tests.app.chat.mentions import mentions
from tests.app.chat.successors import NEXT, THERE, Stream, as_written, claim, hl, rg, shown, successor, wrote
from tests.office import CHANNEL, EK, HL, RG, ROOM, Desk, Positions

__all__ = ["hl", "rg"]  # fixtures
NAMED = (Mention(uid=RG, start=0, length=12),)


def rows(at: Desk, obj: ObjId = THERE) -> list[object]:
    """All rows of the conversation, with what search finds."""
    at.store.indexing.index_due_here()
    read = at.store.db.rows
    tables = ("messages", "reactions", "mentions")
    found: list[object] = [
        read(f"SELECT * FROM chat_{t} WHERE obj = ? ORDER BY 1, 2", (obj,))  # noqa: S608 - constants
        for t in tables
    ]
    return [*found, read("SELECT ref, t FROM search_rows WHERE obj = ? ORDER BY ref", (obj,))]


def project_again(at: Desk, obj: ObjId = THERE) -> None:
    found = at.store.objects.get(obj)
    assert found is not None
    with at.store.db.transaction() as conn:
        project(conn, found, at.store.changes.of(obj))
        positioned(conn, found, at.store.changes.of(obj))


def found_at(at: Desk, obj: ObjId) -> list[int]:
    """The times that search shows."""
    at.store.indexing.index_due_here()
    return [t for (t,) in at.store.db.rows("SELECT t FROM search_rows WHERE obj = ? ORDER BY t", (obj,))]


def test_an_edit_of_a_carried_message_mentions_nobody_who_has_nothing_unread(rg: Desk) -> None:
    (ident,) = wrote(rg, HL, MessageSent(text="Jag avslår"))
    stream = Stream(rg)
    stream.put(EK, claim(HL, "Jag avslår", ident))
    stream.put(HL, MessageEdited(target=ident, text="@Registrator jag avslår", mentions=NAMED))
    assert shown(rg)[0].text == "@Registrator jag avslår"
    assert rg.chat.unread(NEXT) == (0, 0)
    assert mentions(rg.store, rg.chat) == []


def test_an_own_message_leaves_nothing_of_the_carried_one_that_it_replaces(rg: Desk) -> None:
    ident = new_change()
    react = ReactionSet(target=ident, emoji="👍", on=True)
    real = wrote(rg, HL, MessageSent(text="Något annat"))  # the id in the old room differs
    assert real != [ident]
    Stream(rg, ROOM, CHANNEL, after=4).put(HL, MessageSent(text="Påhittat"), ident)
    (given,) = wrote(rg, RG, react, n=6)
    part = CarriedPart(author=RG, change_id=given, t=1, data=encode(react))
    stream = Stream(rg)
    carried = Carried(author=HL, change_id=ident, t=7, data=encode(MessageSent(text="Påhittat")), reactions=(part,))
    stream.put(EK, carried)
    assert shown(rg)[0].reactions != ()
    stream.put(HL, MessageSent(text="Mitt eget å", mentions=NAMED), ident)
    assert [(as_written(m), m.reactions) for m in shown(rg)] == [((HL, None, "Mitt eget å"), ())]
    assert rg.chat.unread(NEXT) == (1, 1)
    before = rows(rg)
    project_again(rg)
    assert rows(rg) == before


def test_search_and_message_have_one_time_when_the_old_room_is_read_later(rg: Desk) -> None:
    ident = new_change()
    stream = Stream(rg)
    stream.put(EK, claim(HL, "Jag avslår", ident))
    stream.put(HL, MessageEdited(target=ident, text="Jag avslår å"))
    Stream(rg, ROOM, CHANNEL, after=2).put(HL, MessageSent(text="Jag avslår"), ident)
    (message,) = shown(rg)
    assert (message.t, found_at(rg, THERE)) == (3000, [3000])
    before = rows(rg)
    project_again(rg)
    assert rows(rg) == before


def test_search_has_the_servers_time_of_an_own_message(hl: Desk) -> None:
    server = Positions([hl])
    hl.chat.send(ROOM, "Komplettering å")
    server.deliver()
    assert found_at(hl, CHANNEL) == [shown(hl, ROOM)[0].t] == [server.t]


def test_a_copy_becomes_its_authors_when_the_own_original_gets_its_position(hl: Desk) -> None:
    ident = hl.chat.send(ROOM, "Mitt beslut å")
    Stream(hl).put(HL, claim(HL, "Mitt beslut å", ident))
    timeline = hl.chat.timeline(NEXT)
    assert as_written(timeline.message(0)) == (HL, HL, "Mitt beslut å")
    Positions([hl]).deliver()
    assert as_written(timeline.message(0)) == (HL, None, "Mitt beslut å")


def test_an_open_conversation_shows_that_the_author_confirmed_a_carried_message(rg: Desk) -> None:
    ident = new_change()
    stream = Stream(rg)
    stream.put(EK, claim(HL, "Jag avslår", ident))
    stream.put(RG, MessageSent(text="Senare"))
    timeline = rg.chat.timeline(NEXT)
    changed: list[int] = []
    timeline.changed.connect(lambda first, count: changed.append(first))
    assert as_written(timeline.message(0)) == (EK, HL, "Jag avslår")
    stream.put(HL, MessageSent(text="Jag avslår"), ident)
    assert as_written(timeline.message(0)) == (HL, None, "Jag avslår")
    assert changed == [0]


@pytest.mark.parametrize("between_is_open", [False, True])
def test_an_open_conversation_two_rooms_on_shows_what_was_read_in_the_first(rg: Desk, between_is_open: bool) -> None:
    further, chat = RoomId(b"f" * 16), ObjId(b"g" * 16)
    successor(rg, EK, room=further, chat=chat, old=NEXT, n=500)
    ident = new_change()
    Stream(rg).put(EK, claim(HL, "Jag avslår", ident))
    Stream(rg, further, chat).put(EK, claim(HL, "Jag avslår", ident))
    between = rg.chat.timeline(NEXT) if between_is_open else None
    timeline = rg.chat.timeline(further)
    assert as_written(timeline.message(0)) == (EK, HL, "Jag avslår")
    Stream(rg, ROOM, CHANNEL, after=2).put(HL, MessageSent(text="Jag avslår"), ident)
    assert as_written(timeline.message(0)) == (HL, None, "Jag avslår")
    assert between is None or as_written(between.message(0)) == (HL, None, "Jag avslår")


def disk_error(execute: Callable[[str, Params], Rows]) -> Callable[[str, Params], Rows]:
    """`execute`, with a disk that cannot read the rows of carried messages."""

    def refuse(sql: str, params: Params = ()) -> Rows:
        if "carried_by IS NOT NULL" in sql:
            error = driver.OperationalError("disk I/O error")
            error.sqlite_errorcode = 10
            raise error
        return execute(sql, params)

    return refuse


@pytest.mark.parametrize("opened", [ROOM, NEXT])
def test_a_disk_error_while_an_open_conversation_is_refreshed_is_a_fault_of_the_store(
    hl: Desk, monkeypatch: pytest.MonkeyPatch, opened: RoomId
) -> None:
    hl.chat.send(ROOM, "Komplettering å")
    timeline = hl.chat.timeline(opened)
    conn = hl.store.db.conn
    with monkeypatch.context() as disk:
        disk.setattr(conn, "execute", disk_error(conn.execute))
        with pytest.raises(StoreUnwritable):
            hl.chat._on_changes(hl.store.changes.of(CHANNEL))
    assert len(timeline) == (opened == ROOM)
