# SPDX-License-Identifier: EUPL-1.2
"""A conversation over the turn of months: where messages and what is about them are written, and what is shown."""

import msgspec
import pytest

from app.chat.drafts import Draft
from app.chat.periods import LATE_AFTER_MS
from app.chat.records import MessageDeleted, MessageEdited, MessageSent, ReactionSet, Record, decode
from app.core.ids import ChangeId, ObjId
from app.core.months import begins_ms, month_of
from app.objects.links import ObjectLink, linked_object
from app.rooms.records import ObjectAnnounced
from app.rooms.records import decode as room_record
from tests.app.chat.mentions import mentions
from tests.app.chat.months import (
    DECEMBER,
    NOVEMBER,
    Clock,
    announced,
    at,
    clock,
    come,
    ek,
    hl,
    months_object,
    texts,
    written,
)
from tests.office import CHANNEL, EK, HL, ROOM, Desk, Positions

__all__ = ["clock", "ek", "hl"]  # fixtures


@pytest.fixture
def server(hl: Desk, ek: Desk) -> Positions:
    return Positions([hl, ek], t=NOVEMBER)


def turn(clock: Clock, server: Positions) -> None:
    """December comes, for the desks and for the server."""
    clock.now_ms = server.t = DECEMBER


def months(at: Desk) -> list[ObjId]:
    """The conversation's objects beside its first."""
    return [part.obj for part in at.store.series.all(ROOM) if part.counts and part.obj != CHANNEL]


def place(at: Desk, message: ChangeId) -> ObjId:
    timeline = at.chat.timeline(ROOM)
    index = timeline.index_of(message)
    assert index is not None
    return timeline.message(index).obj


def test_the_first_message_of_a_month_begins_an_object_of_its_own(hl: Desk, clock: Clock) -> None:
    first = hl.chat.send(ROOM, "november å")
    clock.now_ms = DECEMBER
    second, third = hl.chat.send(ROOM, "december ö"), hl.chat.send(ROOM, "mer i december")
    (december,) = months(hl)
    assert [place(hl, one) for one in (first, second, third)] == [CHANNEL, december, december]
    (record,) = [room_record(change.data) for change in hl.store.changes.of(ObjId(ROOM))]
    assert record == ObjectAnnounced(obj=december, kind="chat", series=CHANNEL, period=month_of(DECEMBER))
    assert texts(hl) == ["november å", "december ö", "mer i december"]


def test_a_month_is_begun_in_the_transaction_of_its_first_message(
    hl: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.now_ms = DECEMBER
    append = hl.store.changes.append

    def refuse(room: object, obj: ObjId, data: bytes, **more: object) -> ChangeId:
        if obj != ObjId(ROOM):
            raise ZeroDivisionError
        return append(ROOM, obj, data)

    with monkeypatch.context() as failing:
        failing.setattr(hl.chat._changes, "append", refuse)
        with pytest.raises(ZeroDivisionError):
            hl.chat.send(ROOM, "blir inte av")
    assert (months(hl), texts(hl), hl.store.waiting_count()) == ([], [], 0)


def test_two_desks_that_begin_a_month_apart_read_both_and_write_to_the_lower(
    hl: Desk, ek: Desk, clock: Clock, server: Positions
) -> None:
    turn(clock, server)
    hl.chat.send(ROOM, "från hl")
    ek.chat.send(ROOM, "från ek")
    server.deliver()
    assert len(months(hl)) == 2
    assert months(hl) == months(ek)
    one, other = hl.chat.send(ROOM, "hl igen"), ek.chat.send(ROOM, "ek igen")
    assert place(hl, one) == place(ek, other) == months(hl)[0]
    server.deliver()
    assert texts(hl) == texts(ek) == ["från hl", "från ek", "hl igen", "ek igen"]


def test_what_is_about_a_message_is_written_where_the_message_lies(
    hl: Desk, ek: Desk, clock: Clock, server: Positions
) -> None:
    old = hl.chat.send(ROOM, "skrivet i novemb")
    gone = hl.chat.send(ROOM, "tas bort")
    server.deliver()
    turn(clock, server)
    ek.chat.send(ROOM, "december")
    hl.chat.edit(ROOM, old, "skrivet i november")
    hl.chat.delete(ROOM, gone)
    ek.chat.react(ROOM, old, "👍")
    server.deliver()
    notes = [type(decode(change.data)) for change in hl.store.changes.of(CHANNEL)][2:]
    assert sorted(note.__name__ for note in notes) == ["MessageDeleted", "MessageEdited", "ReactionSet"]
    for each in (hl, ek):
        first = each.chat.timeline(ROOM).message(0)
        assert (first.text, [r.emoji for r in first.reactions]) == ("skrivet i november", ["👍"])
        assert each.chat.timeline(ROOM).message(1).deleted


def test_attack_an_edit_a_deletion_and_a_reaction_in_another_month_change_nothing(hl: Desk) -> None:
    """When that month is disposed of, the message would change; and a copy of its id would be reached too."""
    december, message = months_object(1), ChangeId(b"i" * 16)
    come(hl, written(CHANNEL, 10, NOVEMBER, "orört", change_id=message), announced(december, 11, DECEMBER))
    forged: tuple[Record, ...] = (
        MessageEdited(target=message, text="ändrat"),
        MessageDeleted(target=message),
        ReactionSet(target=message, emoji="👍", on=True),
    )
    come(hl, *(written(december, 12 + i, DECEMBER, record) for i, record in enumerate(forged)))
    (shown,) = [hl.chat.timeline(ROOM).message(i) for i in range(len(hl.chat.timeline(ROOM)))]
    assert (shown.text, shown.deleted, shown.reactions) == ("orört", False, ())


def test_an_answer_names_the_object_of_a_message_of_another_month(
    hl: Desk, ek: Desk, clock: Clock, server: Positions
) -> None:
    old = hl.chat.send(ROOM, "fråga i november")
    server.deliver()
    turn(clock, server)
    ek.chat.send(ROOM, "svar", reply_to=old)
    server.deliver()
    (answer,) = [decode(change.data) for change in hl.store.changes.of(months(hl)[0])]
    assert isinstance(answer, MessageSent)
    assert (answer.reply_to, answer.reply_obj) == (old, CHANNEL)
    for each in (hl, ek):
        question, shown = (each.chat.timeline(ROOM).message(i) for i in range(2))
        assert shown.quote is not None
        assert (shown.quote.text, question.replies) == ("fråga i november", 1)


def test_attack_an_answer_quotes_no_message_that_took_the_id_in_another_month(hl: Desk) -> None:
    december, message = months_object(1), ChangeId(b"i" * 16)
    come(hl, written(CHANNEL, 10, NOVEMBER, "frågan", change_id=message), announced(december, 11, DECEMBER))
    come(hl, written(december, 12, DECEMBER, "en annans ord", by=HL, change_id=message))
    come(hl, written(december, 13, DECEMBER, MessageSent(text="svar", reply_to=message)))
    come(hl, written(december, 14, DECEMBER, MessageSent(text="svar", reply_to=message, reply_obj=CHANNEL)))
    shown = [hl.chat.timeline(ROOM).message(i) for i in range(4)]
    assert [m.text for m in shown] == ["frågan", "en annans ord", "svar", "svar"]
    assert shown[2].quote is None
    assert shown[3].quote is not None
    assert shown[3].quote.text == "frågan"
    assert [m.replies for m in shown] == [1, 0, 0, 0]


def test_a_link_a_search_and_a_mention_name_the_conversation_and_the_message(
    hl: Desk, ek: Desk, clock: Clock, server: Positions
) -> None:
    turn(clock, server)
    sent = ek.chat.send(ROOM, "kallelse till @Handläggare")
    server.deliver()
    (hit,) = hl.store.search.find_here("kallelse")
    (mention,) = mentions(hl.store, hl.chat)
    assert (hit.obj, hit.ref) == (mention.obj, mention.change_id) == (CHANNEL, sent)
    assert hl.chat.authors([(CHANNEL, sent)])[CHANNEL, sent].uid == EK
    link = ObjectLink(room=ROOM, obj=CHANNEL, kind="chat", ref=sent)
    assert linked_object(hl.store.objects, link) is not None


def test_unread_messages_and_mentions_of_several_months_are_one_count_and_one_mark(
    hl: Desk, ek: Desk, clock: Clock, server: Positions
) -> None:
    first = ek.chat.send(ROOM, "november @Handläggare")
    server.deliver()
    turn(clock, server)
    sent = [ek.chat.send(ROOM, text) for text in ("december", "mer @Handläggare")]
    server.deliver()
    row = hl.store.rooms_list.get(ROOM)
    assert row is not None
    assert hl.chat.unread(ROOM) == (row.unread, row.mentions) == (3, 2)
    assert row.last_preview == "mer @Handläggare"
    hl.chat.mark_read(ROOM, [first, sent[0]])
    assert hl.chat.unread(ROOM) == (1, 1)
    assert hl.chat.timeline(ROOM).rows.first_unread() == 2
    hl.chat.mark_read(ROOM, sent)
    assert hl.chat.unread(ROOM) == (0, 0)


def test_a_draft_stays_over_the_turn_of_a_month(hl: Desk, clock: Clock) -> None:
    draft = Draft(text="halv mening å 🙂")
    hl.chat.keep_draft(ROOM, draft)
    clock.now_ms = DECEMBER
    hl.chat.send(ROOM, "annat")
    assert hl.chat.draft(ROOM) == draft


def test_a_message_that_is_placed_more_than_31_days_after_its_months_end_is_marked(hl: Desk) -> None:
    last = begins_ms(month_of(DECEMBER)) + LATE_AFTER_MS
    come(hl, written(CHANNEL, 10, last, "i tid"), written(CHANNEL, 11, last + 1, "sent"))
    shown = [hl.chat.timeline(ROOM).message(i) for i in range(2)]
    assert [(m.text, m.late) for m in shown] == [("i tid", False), ("sent", True)]


def test_what_waits_is_not_marked_as_late(hl: Desk, clock: Clock, server: Positions) -> None:
    hl.chat.send(ROOM, "skrivet i november")
    clock.now_ms = server.t = at(2027, 3)
    assert not hl.chat.timeline(ROOM).message(0).late
    server.deliver()
    assert hl.chat.timeline(ROOM).message(0).late


def test_messages_whose_files_are_encrypted_at_the_turn_of_a_month_begin_one_object(hl: Desk, clock: Clock) -> None:
    clock.now_ms = DECEMBER
    writing = hl.chat._writing
    places = [writing.place(ROOM) for _ in range(9)]
    for obj in places:
        writing.write(ROOM, obj, MessageSent(text="med fil"))
    assert months(hl) == [places[0]]
    assert len(texts(hl)) == 9


def test_a_computer_whose_clock_is_wrong_announces_one_object_and_writes_on_in_the_present_month(
    hl: Desk, ek: Desk, clock: Clock, server: Positions
) -> None:
    clock.now_ms = at(2031, 5)
    hl.chat.send(ROOM, "från framtiden")
    server.deliver()
    assert texts(ek) == []
    for text in ("ett", "två"):
        hl.chat.send(ROOM, text)
        server.deliver()
    assert texts(ek) == ["ett", "två"]
    assert len(hl.store.series.all(ROOM)) == 2


def test_a_message_keeps_fields_that_a_newer_program_wrote(hl: Desk) -> None:
    """The bytes stay as they came, and what is known of them is shown."""
    data = bytes((1,)) + msgspec.msgpack.encode(
        {"type": "sent", "text": "å", "later": {"a": [1, 2]}, "reply_obj": None}
    )
    sent = decode(data)
    assert sent == MessageSent(text="å")
    of_room = {"is": "object", "obj": b"o" * 16, "kind": "chat", "series": b"s" * 16, "period": 24_000, "later": 1}
    record = room_record(bytes((1,)) + msgspec.msgpack.encode(of_room))
    assert record == ObjectAnnounced(obj=b"o" * 16, kind="chat", series=b"s" * 16, period=24_000)
