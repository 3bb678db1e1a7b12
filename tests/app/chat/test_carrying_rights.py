# SPDX-License-Identifier: EUPL-1.2
"""A conversation carried into the room that continues its own: who may do what with it, and two people with one
change id."""

from collections.abc import Sequence

import msgspec
import pytest

from app.chat.authority import second_id
from app.chat.model import Message
from app.chat.records import (
    Carried,
    CarriedPart,
    MessageDeleted,
    MessageEdited,
    MessageSent,
    decode,
    encode,
)
from app.core.enums import Role
from app.core.ids import Uid, new_change
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from tests.app.chat.successors import NEXT, PAYMENT, Stream, as_written, claim, hl, rg, shown, wrote
from tests.office import CHANNEL, EK, HL, RG, ROOM, Desk, from_others

__all__ = ["hl", "rg"]  # fixtures


# -- who may do what: from the record alone ----------------------------------------------------------------------------


def test_attack_nobody_but_the_founder_carries_anything_over(hl: Desk) -> None:
    Stream(hl).put(EK, claim(HL, "Det här har jag aldrig skrivit"))
    assert shown(hl) == []
    assert [code for _, code in hl.store.changes.unprojected(NEXT)] == ["forbidden"]


def test_attack_nor_does_anybody_in_a_room_that_continues_none(hl: Desk) -> None:
    from_others(hl, EK, CHANNEL, [encode(claim(HL, "Påhittat"))], n=2, t=1000)
    assert shown(hl, ROOM) == []


def test_attack_a_founder_edits_nobodys_message_afterwards(rg: Desk) -> None:
    stream = Stream(rg)
    ident = stream.put(HL, MessageSent(text="Mina ord"))
    edit = encode(MessageEdited(target=ident, text=PAYMENT))
    stream.put(EK, Carried(author=HL, change_id=new_change(), t=1, data=edit))
    stream.put(EK, claim(HL, PAYMENT, ident))
    assert [as_written(m) for m in shown(rg)] == [(HL, None, "Mina ord")]
    assert [code for _, code in rg.store.changes.unprojected(NEXT)] == ["malformed"]


@pytest.mark.parametrize(("known", "by", "may"), [(k, by, by is HL) for k in (False, True) for by in (HL, EK, RG)])
def test_the_named_author_alone_edits_whatever_is_shown_here(rg: Desk, known: bool, by: Uid, may: bool) -> None:
    ident = wrote(rg, HL, MessageSent(text="Före"))[0] if known else new_change()
    stream = Stream(rg)
    stream.put(EK, claim(HL, "Före", ident))
    stream.put(by, MessageEdited(target=ident, text="Efter"))
    (message,) = shown(rg)
    assert message.text == ("Efter" if may else "Före")
    if may:  # signed in this room by the named author
        assert as_written(message) == (HL, None, "Efter")


@pytest.mark.parametrize(("known", "by"), [(k, by) for k in (False, True) for by in (HL, EK, RG)])
def test_the_named_author_and_the_carrier_delete_whatever_is_shown_here(rg: Desk, known: bool, by: Uid) -> None:
    ident = wrote(rg, HL, MessageSent(text="Före"))[0] if known else new_change()
    stream = Stream(rg)
    stream.put(EK, claim(HL, "Före", ident))
    stream.put(by, MessageDeleted(target=ident))
    assert shown(rg)[0].deleted_by == (None if by is RG else by)


def test_a_founder_who_is_no_administrator_any_more_deletes_what_they_carried_and_nothing_else(rg: Desk) -> None:
    stream = Stream(rg)
    stream.put(EK, claim(HL, "Före", b"i" * 16))
    stream.put(HL, MessageSent(text="Eget"), b"o" * 16)
    lowered = RoomEvent(n=stream.n, t=1, kind="role", by=HL, subject=EK, role=Role.WRITER)
    rg.store.receive(ReceivedSlice(room=NEXT, cursor=stream.n, state=b"", events=[lowered]))
    for target in (b"i" * 16, b"o" * 16):
        stream.put(EK, MessageDeleted(target=target))
    assert [m.deleted_by for m in shown(rg)] == [EK, None]


def test_an_administrator_deletes_what_was_carried(rg: Desk) -> None:
    stream = Stream(rg)
    stream.put(EK, claim(HL, "Före", b"i" * 16))
    raised = RoomEvent(n=stream.n, t=1, kind="role", by=EK, subject=RG, role=Role.ADMIN)
    rg.store.receive(ReceivedSlice(room=NEXT, cursor=stream.n, state=b"", events=[raised]))
    stream.put(RG, MessageDeleted(target=b"i" * 16))
    assert shown(rg)[0].deleted_by == RG


def test_what_is_offered_to_do_follows_the_record_too(rg: Desk) -> None:
    stream = Stream(rg)
    stream.put(EK, claim(RG, "Mitt?"))
    stream.put(EK, claim(HL, "Inte mitt"))
    mine, other = shown(rg)
    assert (rg.chat.can_edit(NEXT, mine), rg.chat.can_delete(NEXT, mine)) == (True, True)
    assert (rg.chat.can_edit(NEXT, other), rg.chat.can_delete(NEXT, other)) == (False, False)


# -- one change id, two people -----------------------------------------------------------------------------------------


def both(at: Desk, first: Uid, second: Uid, stream: Stream) -> Sequence[Message]:
    stream.put(first, MessageSent(text="Den förstas ord"), b"i" * 16)
    stream.put(second, MessageSent(text="Den andras ord"), b"i" * 16)
    return shown(at)


def test_attack_two_people_with_one_change_id_both_are_read_and_found(rg: Desk) -> None:
    messages = both(rg, HL, EK, Stream(rg))
    assert [(m.author, m.text) for m in messages] == [(HL, "Den förstas ord"), (EK, "Den andras ord")]
    assert [m.change_id for m in messages] == [b"i" * 16, second_id(EK, b"i" * 16)]
    rg.store.indexing.index_due_here()
    hits = rg.store.db.rows(
        "SELECT r.ref, s.body FROM search s JOIN search_rows r ON r.id = s.rowid WHERE r.room = ?", (NEXT,)
    )
    assert dict(hits) == {m.change_id: m.text for m in messages}


def test_each_of_two_people_with_one_change_id_edits_and_deletes_their_own(rg: Desk) -> None:
    stream = Stream(rg)
    both(rg, HL, EK, stream)
    stream.put(EK, MessageEdited(target=b"i" * 16, text="Ändrat av den andra"))
    stream.put(HL, MessageDeleted(target=b"i" * 16))
    assert [(m.author, m.text, m.deleted_by) for m in shown(rg)] == [
        (HL, "", HL),
        (EK, "Ändrat av den andra", None),
    ]


def test_attack_a_founder_keeps_nobodys_own_message_out_by_its_id(rg: Desk) -> None:
    stream, ident = Stream(rg), new_change()
    stream.put(EK, claim(HL, PAYMENT, ident))
    stream.put(HL, MessageSent(text="Mina ord"), ident)
    stream.put(EK, claim(EK, "Annans", other := new_change()))
    stream.put(HL, MessageSent(text="Också mina"), other)
    assert [as_written(m) for m in shown(rg)] == [
        (HL, None, "Mina ord"),
        (EK, EK, "Annans"),
        (HL, None, "Också mina"),
    ]


def test_what_its_author_offers_again_with_the_same_bytes_is_there_once_and_theirs(rg: Desk) -> None:
    stream, ident = Stream(rg), new_change()
    stream.put(EK, claim(HL, "Mina ord", ident))
    stream.put(HL, MessageSent(text="Mina ord"), ident)
    assert [as_written(m) for m in shown(rg)] == [(HL, None, "Mina ord")]


@pytest.mark.parametrize(
    "part",
    [
        {"data": encode(MessageEdited(target=b"i" * 16, text="x"))},
        {"author": b"kort"},
        {"deleted_by": b"kort"},
        {"deleted_by": RG},
        {
            "edit": CarriedPart(
                author=HL, change_id=b"e" * 16, t=1, data=encode(MessageEdited(target=b"i" * 16, text="x"))
            )
        },
        {"reactions": (CarriedPart(author=HL, change_id=b"e" * 16, t=1, data=encode(MessageSent(text="x"))),)},
        {"reactions": (CarriedPart(author=HL, change_id=b"e" * 16, t=1, data=b""),)},
    ],
)
def test_attack_a_carried_record_that_contradicts_itself_is_none(rg: Desk, part: dict[str, object]) -> None:
    Stream(rg).put(EK, msgspec.structs.replace(claim(HL, "Ord", b"i" * 16), **part))
    assert shown(rg) == []
    assert decode(encode(claim(HL, "Ord"))) is not None
