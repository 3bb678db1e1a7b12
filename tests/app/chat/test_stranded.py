# SPDX-License-Identifier: EUPL-1.2
"""Own messages that reach nobody where they were written, and what becomes of them when the person has them sent."""

from dataclasses import replace

import pytest

from app.chat.records import MessageEdited, decode
from app.core.ids import ObjId
from app.errors import NotFound
from tests.app.chat.destroys import destroy
from tests.app.chat.months import (
    DECEMBER,
    NOVEMBER,
    Clock,
    announced,
    clock,
    come,
    ek,
    hl,
    months_object,
    texts,
    written,
)
from tests.office import CHANNEL, HL, ROOM, Desk, Positions

__all__ = ["clock", "ek", "hl"]  # fixtures


def counts(at: Desk) -> tuple[int, int, int]:
    found = at.chat.stranded(ROOM)
    return found.destroyed, found.apart, found.notes


def pending(at: Desk) -> list[ObjId]:
    return [row.obj for row in at.store.pending(100) if row.obj != ObjId(ROOM)]


def test_what_was_written_for_a_destroyed_month_is_sent_in_the_present_one_when_the_person_says_so(
    hl: Desk, ek: Desk, clock: Clock
) -> None:
    server = Positions([hl, ek], t=NOVEMBER)
    old = ek.chat.send(ROOM, "svara på detta")
    server.deliver()
    first = hl.chat.send(ROOM, "offline i november", reply_to=old)
    second = hl.chat.send(ROOM, "svar på mig själv", reply_to=first)
    hl.chat.edit(ROOM, second, "svar på mig själv, ändrat")
    hl.chat.react(ROOM, old, "👍")
    clock.now_ms = server.t = DECEMBER
    assert counts(hl) == (0, 0, 0)
    destroy(hl.store, ek.store)
    assert counts(hl) == (2, 0, 1)
    hl.chat.write_stranded(ROOM)
    assert counts(hl) == (0, 0, 0)
    assert texts(hl) == ["offline i november", "svar på mig själv, ändrat"]
    (december,) = set(pending(hl))
    assert december != CHANNEL
    server.deliver()
    assert texts(ek) == texts(hl)
    for each in (hl, ek):
        one, other = (each.chat.timeline(ROOM).message(i) for i in (0, 1))
        assert one.quote is None, "what it answers is gone"
        assert other.quote is not None
        assert other.quote.text == "offline i november"


def test_what_was_written_again_stays_where_it_is_when_the_rows_are_made_again(hl: Desk, clock: Clock) -> None:
    hl.chat.send(ROOM, "offline i november")
    clock.now_ms = DECEMBER
    destroy(hl.store)
    hl.chat.write_stranded(ROOM)
    with hl.store.transaction():
        hl.store._projecting.from_start(CHANNEL)
    assert texts(hl) == ["offline i november"]
    assert hl.store.held_changes.void_counts(ROOM) == []
    hl.chat.write_stranded(ROOM)
    assert texts(hl) == ["offline i november"]


def test_a_message_of_a_destroyed_month_is_not_changed_any_more(hl: Desk, ek: Desk, clock: Clock) -> None:
    server = Positions([hl, ek], t=NOVEMBER)
    sent = hl.chat.send(ROOM, "november")
    server.deliver()
    message = hl.chat.timeline(ROOM).message(0)
    destroy(hl.store)
    assert not hl.chat.can_edit(ROOM, message)
    assert not hl.chat.can_delete(ROOM, message)
    with pytest.raises(NotFound):
        hl.chat.react(ROOM, sent, "👍")
    assert hl.store.waiting_count() == 0


def test_what_was_written_to_a_ninth_object_of_a_month_is_sent_once_more(hl: Desk, clock: Clock) -> None:
    clock.now_ms = DECEMBER
    sent = hl.chat.send(ROOM, "åttonde eller nionde")
    hl.chat.edit(ROOM, sent, "åttonde eller nionde, ändrat")
    (record, message, edit) = hl.store.pending(10)
    others = [months_object(number) for number in range(8)]
    come(hl, *(announced(obj, 10 + i, DECEMBER) for i, obj in enumerate(others)))
    assert texts(hl) == []
    row = hl.store.rooms_list.get(ROOM)
    assert row is not None
    assert (row.last_preview, row.last_by) == ("", None)
    come(hl, written(others[0], 20, DECEMBER, "deras"))
    assert counts(hl) == (0, 0, 0)  # its announcement has no position yet
    placed = [written(row.obj, 30 + i, DECEMBER, "", by=HL) for i, row in enumerate((record, message, edit))]
    rows = (record, message, edit)
    come(hl, *(replace(p, change_id=r.change_id, payload=r.payload) for p, r in zip(placed, rows, strict=True)))
    assert counts(hl) == (0, 1, 0)
    hl.chat.write_stranded(ROOM)
    assert counts(hl) == (0, 0, 0)
    assert texts(hl) == ["deras", "åttonde eller nionde, ändrat"]
    assert set(pending(hl)) == {others[0]}
    assert isinstance(decode(hl.store.pending(10)[-1].payload), MessageEdited)


def test_what_is_stranded_for_two_reasons_is_written_once(hl: Desk, clock: Clock) -> None:
    """The object does not count, since eight came before it, and is destroyed before the message was sent."""
    clock.now_ms = DECEMBER
    hl.chat.send(ROOM, "nionde å")
    record, message = hl.store.pending(10)
    come(hl, *(announced(months_object(number), 10 + number, DECEMBER) for number in range(8)))
    placed = written(record.obj, 30, DECEMBER, "", by=HL)
    come(hl, replace(placed, change_id=record.change_id, payload=record.payload))
    destroy(hl.store, obj=message.obj)
    assert counts(hl) == (1, 0, 0)
    hl.chat.write_stranded(ROOM)
    assert texts(hl) == ["nionde å"]
