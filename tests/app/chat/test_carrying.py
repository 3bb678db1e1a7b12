# SPDX-License-Identifier: EUPL-1.2
"""A conversation carried into the room that continues its own: in its present form, once, and in no other person's
name."""

import pytest
from msgspec import structs

from app.chat import settling
from app.chat.records import Attachment, MessageEdited, MessageSent, encode
from app.core.clock import local
from app.core.ids import ObjId, RoomId
from app.objects.object import MAX_DATA_BYTES
from app.store.origins import MAX_HOPS
from tests.app.chat.successors import (
    NEXT,
    THERE,
    Stream,
    as_written,
    carry,
    claim,
    conversation,
    hl,
    placed,
    rg,
    shown,
    successor,
    wrote,
)
from tests.office import EK, HL, ROOM, Desk

__all__ = ["hl", "rg"]  # fixtures


def test_attack_a_long_row_of_rooms_that_continue_each_other_keeps_nobody_from_editing(
    rg: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message was carried through a thousand rooms. An edit of the first one was an error on every desktop."""
    old, shown_text = ROOM, wrote(rg, HL, MessageSent(text="Först"))[0]
    for number in range(MAX_HOPS + 4):
        name = bytes((number,))
        room, there = RoomId(name + b"n" * 15), ObjId(name + b"t" * 15)
        successor(rg, EK, room=room, chat=there, old=old)
        Stream(rg, room, there).put(EK, claim(HL, "Först", shown_text))
        old = room
    judged: list[RoomId] = []
    monkeypatch.setattr(settling, "refresh_room", lambda conn, room, obj: judged.append(room))
    wrote(rg, HL, MessageEdited(target=shown_text, text="Rättat å"), n=30)
    assert [m.text for m in shown(rg, ROOM)] == ["Rättat å"]
    assert len(judged) == MAX_HOPS


@pytest.mark.parametrize("t", [-1, 2**53 + 1, 2**62])
def test_attack_a_carried_message_has_a_time_that_there_is(rg: Desk, t: int) -> None:
    """A time out of range was an error at each repaint of the chat, and nothing was shown."""
    Stream(rg).put(EK, claim(HL, "Falskt", t=t))
    assert shown(rg) == []
    Stream(rg).put(EK, claim(HL, "Citerat", t=2**53))
    (message,) = shown(rg)
    assert (message.quoted_t, local(2**53).year, local(-(2**62)).year) == (2**53, 9999, 1970)


def test_every_message_is_there_as_it_is_now_under_its_author_and_time(hl: Desk) -> None:
    conversation(hl)
    carry(hl)
    old, new = shown(hl, ROOM)[:-1], shown(hl)
    assert [(m.change_id, m.author, m.t, m.text) for m in new] == [(m.change_id, m.author, m.t, m.text) for m in old]
    assert [m.deleted for m in new] == [m.deleted for m in old] == [False, False, False, True]
    assert [m.edited_t for m in new] == [m.edited_t for m in old]
    assert new[0].reactions == old[0].reactions != ()
    assert new[1].quote == old[1].quote is not None
    assert {m.carried_by for m in new} == {HL}
    assert {m.quoted_author for m in new} == {None}


def test_what_was_edited_away_or_deleted_stays_in_the_old_room(hl: Desk) -> None:
    conversation(hl)
    carry(hl)
    carried = b"".join(change.data for change in hl.store.changes.of(THERE))
    assert b"HEMLIGT" not in carried
    assert b"BORTTAGET" not in carried
    assert "väntar".encode() not in carried  # its author offers it


def test_carrying_again_adds_nothing(hl: Desk) -> None:
    conversation(hl)
    assert carry(hl) > 0
    assert carry(hl) == 0


def test_a_message_that_is_too_large_with_its_previews_is_carried_without_them_and_is_still_its_authors(
    hl: Desk,
) -> None:
    preview = b"\xff\xd8\xff" + bytes(180_000)
    picture = Attachment(
        name="plan.jpg", size_bytes=9, media_type="image/jpeg", manifest=b"m" * 11_900, preview=preview
    )
    wrote(hl, EK, MessageSent(text="Ritning", attachments=(picture,)))
    carry(hl)
    (message,) = shown(hl)
    assert (message.author, message.quoted_author, message.attachments[0].preview) == (EK, None, b"")


def test_attack_a_message_as_large_as_a_record_may_be_keeps_no_room_from_being_continued(hl: Desk) -> None:
    """With its author, id and time beside it, it is too large for a record: the founder's program tried for ever."""
    wrote(hl, EK, MessageSent(text="Före"))
    sent = MessageSent(text="å", attachments=(Attachment(name="a", size_bytes=1, media_type="", manifest=b"m"),))
    room_left = MAX_DATA_BYTES - len(encode(sent)) - 4
    manifest = bytes(room_left)
    wrote(hl, EK, structs.replace(sent, attachments=(structs.replace(sent.attachments[0], manifest=manifest),)))
    wrote(hl, EK, MessageSent(text="Efter"))
    assert len(shown(hl, ROOM)) == 3
    carry(hl)
    assert [m.text for m in shown(hl)] == ["Före", "Efter"]


def test_a_carried_message_keeps_its_time_when_the_server_has_it_and_is_not_unread(hl: Desk) -> None:
    conversation(hl)
    carry(hl)
    before = [m.t for m in shown(hl)]
    placed(hl)
    assert [m.t for m in shown(hl)] == before
    assert not any(m.waiting for m in shown(hl))
    assert hl.chat.unread(NEXT) == (0, 0)
    assert hl.chat.timeline(NEXT).first_unread is None


def test_an_author_may_still_edit_and_react_to_what_was_carried(hl: Desk) -> None:
    conversation(hl)
    carry(hl)
    first, mine = shown(hl)[0], shown(hl)[2]
    hl.chat.edit(NEXT, mine.change_id, "Ändrat igen")
    hl.chat.react(NEXT, first.change_id, "🙂")
    hl.chat.react(NEXT, first.change_id, "👍", on=False)
    assert shown(hl)[2].text == "Ändrat igen"
    assert {r.emoji for r in shown(hl)[0].reactions} == {"🙂"}


def test_a_conversation_is_carried_on_through_a_second_successor_as_its_authors(hl: Desk) -> None:
    conversation(hl)
    carry(hl)
    placed(hl)
    Stream(hl).put(EK, MessageSent(text="Nytt i det andra rummet"))
    third, chat = RoomId(b"o" * 16), ObjId(b"u" * 16)
    successor(hl, room=third, chat=chat, old=NEXT, n=1000)
    for group in hl.chat.carry([(THERE, chat)]):
        for into, data in group:
            hl.store.changes.append(third, into, data)
    assert [as_written(m) for m in shown(hl, third)] == [as_written(m) for m in shown(hl)]
    assert [m.reactions for m in shown(hl, third)] == [m.reactions for m in shown(hl)]
    assert {m.quoted_author for m in shown(hl, third)} == {None}
