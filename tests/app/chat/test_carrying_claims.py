# SPDX-License-Identifier: EUPL-1.2
"""A conversation carried into the room that continues its own: a founder's claim shows nobody as the author of what the
own copy of the old room does not bear out."""

import msgspec
import pytest

from app.chat.model import Author
from app.chat.records import (
    Carried,
    CarriedPart,
    Mention,
    MessageDeleted,
    MessageEdited,
    MessageSent,
    ReactionSet,
    encode,
)
from app.core.ids import ObjId, RoomId, Uid, new_change
from tests.app.chat.mentions import mentions
from tests.app.chat.successors import NEXT, PAYMENT, THERE, Stream, as_written, claim, rg, shown, successor, wrote
from tests.office import CHANNEL, EK, HL, RG, ROOM, Desk

__all__ = ["rg"]  # a fixture


def test_attack_a_founders_claim_shows_nobody_as_the_author(rg: Desk) -> None:
    Stream(rg).put(EK, claim(HL, PAYMENT, t=1_700_000_000_000))
    (message,) = shown(rg)
    assert as_written(message) == (EK, HL, PAYMENT)
    assert (message.t, message.quoted_t) == (101_000, 1_700_000_000_000)


def test_attack_the_rooms_line_and_search_show_no_other_author(rg: Desk) -> None:
    stream = Stream(rg)
    stream.put(EK, claim(HL, PAYMENT))
    row = rg.store.rooms_list.get(NEXT)
    assert row is not None
    assert (row.last_by, row.last_preview) == (EK, f"”{PAYMENT}”")
    assert (row.unread, row.mentions) == (0, 0)
    stream.put(RG, MessageSent(text="Svar", reply_to=shown(rg)[0].change_id))
    quote = shown(rg)[1].quote
    assert quote is not None
    assert (quote.author, quote.text) == (EK, f"”{PAYMENT}”")


def test_attack_a_carried_message_mentions_nobody(rg: Desk) -> None:
    named = MessageSent(text="@Registrator betala", mentions=(Mention(uid=RG, start=0, length=12),))
    edit = MessageEdited(target=b"i" * 16, text=named.text, mentions=named.mentions)
    part = CarriedPart(author=HL, change_id=new_change(), t=9, data=encode(edit))
    empty = encode(MessageSent(text=""))
    Stream(rg).put(EK, Carried(author=HL, change_id=b"i" * 16, t=8, data=empty, edit=part))
    Stream(rg).put(EK, Carried(author=HL, change_id=new_change(), t=8, data=encode(named)))
    assert [as_written(m) for m in shown(rg)] == [(EK, HL, named.text)] * 2
    assert mentions(rg.store, rg.chat) == []
    assert rg.chat.unread(NEXT) == (0, 0)


@pytest.mark.parametrize("change", ["author", "id", "bytes"])
def test_attack_the_own_copy_bears_out_only_the_same_author_id_and_bytes(rg: Desk, change: str) -> None:
    (ident,) = wrote(rg, HL, MessageSent(text="Jag avslår"))
    carried = claim(
        RG if change == "author" else HL,
        PAYMENT if change == "bytes" else "Jag avslår",
        new_change() if change == "id" else ident,
    )
    Stream(rg).put(EK, carried)
    assert [as_written(m)[:2] for m in shown(rg)] == [(EK, Uid(carried.author))]


def test_what_the_own_copy_has_is_shown_as_its_authors_with_the_time_there(rg: Desk) -> None:
    (ident,) = wrote(rg, HL, MessageSent(text="Jag avslår"))
    Stream(rg).put(EK, claim(HL, "Jag avslår", ident, t=99))
    (message,) = shown(rg)
    assert as_written(message) == (HL, None, "Jag avslår")
    assert (message.t, message.carried_by) == (2000, EK)


def test_a_quotation_becomes_its_authors_when_the_old_room_is_read_later(rg: Desk) -> None:
    ident = new_change()
    Stream(rg).put(EK, claim(HL, "Jag avslår", ident))
    timeline = rg.chat.timeline(NEXT)
    assert as_written(timeline.message(0)) == (EK, HL, "Jag avslår")
    Stream(rg, ROOM, CHANNEL, after=2).put(HL, MessageSent(text="Jag avslår"), ident)
    assert as_written(timeline.message(0)) == (HL, None, "Jag avslår")
    row = rg.store.rooms_list.get(NEXT)
    assert row is not None
    assert (row.last_by, row.last_preview) == (HL, "Jag avslår")


def test_attack_an_earlier_text_is_not_its_authors_last_word(rg: Desk) -> None:
    (ident,) = wrote(rg, HL, MessageSent(text="Jag godkänner"))
    wrote(rg, HL, MessageEdited(target=ident, text="Jag godkänner inte"), n=3)
    Stream(rg).put(EK, claim(HL, "Jag godkänner", ident))
    assert as_written(shown(rg)[0]) == (EK, HL, "Jag godkänner")


def test_attack_a_deleted_text_is_not_brought_back_in_its_authors_name(rg: Desk) -> None:
    (ident,) = wrote(rg, HL, MessageSent(text="Jag godkänner"))
    wrote(rg, HL, MessageDeleted(target=ident), n=3)
    Stream(rg).put(EK, claim(HL, "Jag godkänner", ident))
    assert as_written(shown(rg)[0]) == (EK, HL, "Jag godkänner")


def test_attack_a_search_hit_names_the_carrier_of_a_quotation_and_marks_it_as_one(rg: Desk) -> None:
    (ident,) = wrote(rg, HL, MessageSent(text="Jag avslår"))
    Stream(rg).put(EK, claim(HL, "Jag godkänner", ident))
    assert rg.chat.authors([(CHANNEL, ident), (THERE, ident), (THERE, b"x" * 16)]) == {
        (CHANNEL, ident): Author(uid=HL),
        (THERE, ident): Author(uid=EK, quotes=True),
    }
    assert rg.chat.authors([]) == {}


def test_attack_nobody_is_shown_as_deleting_what_they_did_not(rg: Desk) -> None:
    (ident,) = wrote(rg, HL, MessageSent(text="Jag avslår"))
    gone = Carried(author=HL, change_id=ident, t=1, data=encode(MessageSent(text="")), deleted_by=RG)
    Stream(rg).put(EK, gone)
    (message,) = shown(rg)
    assert (message.author, message.quoted_author, message.deleted_by) == (EK, HL, EK)


def test_attack_a_deletion_is_of_whoever_made_it(rg: Desk) -> None:
    (ident,) = wrote(rg, HL, MessageSent(text="Jag avslår"))
    wrote(rg, HL, MessageDeleted(target=ident), n=3)
    for by, shown_text in ((RG, EK), (HL, HL)):
        room, chat = RoomId(bytes([by[0] + 1]) * 16), ObjId(bytes([by[0] + 9]) * 16)
        successor(rg, EK, room=room, chat=chat)
        gone = Carried(author=HL, change_id=ident, t=1, data=encode(MessageSent(text="")), deleted_by=by)
        Stream(rg, room, chat).put(EK, gone)
        assert [(m.author, m.deleted_by) for m in shown(rg, room)] == [(shown_text, shown_text)]


def test_attack_a_reaction_that_the_own_copy_does_not_have_is_not_shown(rg: Desk) -> None:
    (ident,) = wrote(rg, HL, MessageSent(text="Förslag"))
    real = ReactionSet(target=ident, emoji="👍", on=True)
    (given,) = wrote(rg, RG, real, n=3)
    parts = [
        CarriedPart(author=RG, change_id=given, t=1, data=encode(real)),
        CarriedPart(author=HL, change_id=new_change(), t=1, data=encode(real)),
    ]
    Stream(rg).put(EK, msgspec.structs.replace(claim(HL, "Förslag", ident), reactions=tuple(parts)))
    assert [(r.emoji, r.uids) for r in shown(rg)[0].reactions] == [("👍", (RG,))]
