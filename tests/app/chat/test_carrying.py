# SPDX-License-Identifier: EUPL-1.2
"""A conversation carried into the room that continues its own: in its present form, once, and in no other person's
name."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from app.chat import settling
from app.chat.authority import second_id
from app.chat.model import Message
from app.chat.originals import HOPS
from app.chat.records import (
    Attachment,
    Carried,
    CarriedPart,
    Mention,
    MessageDeleted,
    MessageEdited,
    MessageSent,
    ReactionSet,
    Record,
    decode,
    encode,
)
from app.chat.service import Author
from app.core.clock import local
from app.core.enums import Role
from app.core.ids import ChangeId, DevId, Hash, ObjId, RoomId, Uid, new_change
from app.store import objects as object_rows
from app.store import rooms as room_rows
from sync.client.ports import MemberRow, OpenedChange, RoomEvent
from sync.client.received import ReceivedSlice
from sync.trust.room.successor_claim import Origin
from tests.office import CHANNEL, EK, HL, RG, ROOM, Desk, Positions, desk, from_others

NEXT = RoomId(b"n" * 16)
THERE = ObjId(b"t" * 16)
OTHERS = {HL: 4, EK: 2, RG: 2}


def successor(
    at: Desk, founder: Uid = HL, *, room: RoomId = NEXT, chat: ObjId = THERE, old: RoomId = ROOM, n: int = 50
) -> None:
    """A room that its founder says continues the old one."""
    origin = Origin(room=old, n=n, rh=Hash(b"5" * 32))
    members = [
        MemberRow(uid=uid, role=Role.OWNER if uid == founder else Role.WRITER, since_n=0, history=True)
        for uid in OTHERS
    ]
    founded = RoomEvent(n=1, t=1, kind="genesis", by=founder, origin=origin)
    at.store.receive(ReceivedSlice(room=room, cursor=1, state=b"", members=members, events=[founded]))
    with at.store.db.transaction() as conn:
        room_rows.name(conn, room, "Fortsättning", "case", 1)
        object_rows.announce(conn, room, chat, "chat", 1, founder)


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    """A desk with the old room and its successor, which HL has founded."""
    made = desk(tmp_path / "hl", HL)
    successor(made)
    yield made
    made.close()


@pytest.fixture
def rg(tmp_path: Path) -> Iterator[Desk]:
    """RG's desk, to which EK, who owns nothing, has brought a room that says it continues the old one."""
    made = desk(tmp_path / "rg", RG)
    successor(made, EK)
    yield made
    made.close()


def carry(at: Desk) -> int:
    count = 0
    for group in at.chat.carry(CHANNEL, THERE):
        for data in group:
            at.store.changes.append(NEXT, THERE, data)
            count += 1
    return count


def shown(at: Desk, room: RoomId = NEXT) -> list[Message]:
    timeline = at.chat.timeline(room)
    return [timeline.message(i) for i in range(len(timeline))]


def conversation(at: Desk) -> None:
    """One message answered, one edited, one deleted, one with a reaction."""
    server = Positions([at])
    from_others(at, EK, CHANNEL, [encode(MessageSent(text="Hej, åäö 😀"))], n=2, t=1000)
    first = shown(at, ROOM)[0].change_id
    at.chat.send(ROOM, "Svar", reply_to=first)
    at.chat.react(ROOM, first, "👍")
    edited = at.chat.send(ROOM, "HEMLIGT förut")
    at.chat.edit(ROOM, edited, "Ändrat")
    at.chat.delete(ROOM, at.chat.send(ROOM, "BORTTAGET"))
    server.deliver()
    at.chat.send(ROOM, "väntar")


def placed(at: Desk) -> None:
    """What waits in the successor has a position."""
    opened = [
        OpenedChange(n=60 + i, t=9_999_999, uid=HL, dev=DevId(HL), obj=THERE, change_id=p.change_id, payload=p.payload)
        for i, p in enumerate(at.store.pending_in(NEXT, 100))
    ]
    at.store.receive(ReceivedSlice(room=NEXT, cursor=90, state=b"", changes=opened))


def as_written(message: Message) -> tuple[Uid, Uid | None, str]:
    """(who is shown as the author, whom a quotation names, the text)."""
    return message.author, message.quoted_author, message.text


class Stream:
    """Gives changes of the successor their positions at one desk."""

    def __init__(self, at: Desk, room: RoomId = NEXT, obj: ObjId = THERE) -> None:
        self.at, self.room, self.obj, self.n = at, room, obj, 100

    def put(self, by: Uid, record: Record, change_id: bytes | None = None) -> ChangeId:
        """A record by somebody, at the next position."""
        self.n += 1
        given = ChangeId(change_id or new_change())
        opened = OpenedChange(
            n=self.n, t=self.n * 1000, uid=by, dev=DevId(by), obj=self.obj, change_id=given, payload=encode(record)
        )
        self.at.store.receive(ReceivedSlice(room=self.room, cursor=self.n, state=b"", changes=[opened]))
        return given


def claim(author: Uid, text: str, change_id: bytes | None = None, t: int = 7) -> Carried:
    """A carried record that says somebody wrote something."""
    sent = encode(MessageSent(text=text))
    return Carried(author=author, change_id=change_id or new_change(), t=t, data=sent)


def wrote(at: Desk, by: Uid, *records: Record, n: int = 2) -> list[ChangeId]:
    """Records that somebody wrote in the old room, and their change ids."""
    from_others(at, by, CHANNEL, [encode(record) for record in records], n=n, t=1000 * n)
    stored = [change for change in at.store.changes.of(CHANNEL) if change.n is not None and change.n >= n]
    return [change.change_id for change in stored]


def test_attack_a_long_row_of_rooms_that_continue_each_other_keeps_nobody_from_editing(
    rg: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message was carried through a thousand rooms. An edit of the first one was an error on every desktop."""
    old, shown_text = ROOM, wrote(rg, HL, MessageSent(text="Först"))[0]
    for number in range(HOPS + 4):
        name = bytes((number,))
        room, there = RoomId(name + b"n" * 15), ObjId(name + b"t" * 15)
        successor(rg, EK, room=room, chat=there, old=old)
        Stream(rg, room, there).put(EK, claim(HL, "Först", shown_text))
        old = room
    judged: list[RoomId] = []
    monkeypatch.setattr(settling, "refresh_room", lambda conn, room, obj: judged.append(room))
    wrote(rg, HL, MessageEdited(target=shown_text, text="Rättat å"), n=30)
    assert [m.text for m in shown(rg, ROOM)] == ["Rättat å"]
    assert len(judged) == HOPS


@pytest.mark.parametrize("t", [-1, 2**53 + 1, 2**62])
def test_attack_a_carried_message_has_a_time_that_there_is(rg: Desk, t: int) -> None:
    """A time out of range was an error at each repaint of the chat, and nothing was shown."""
    Stream(rg).put(EK, claim(HL, "Falskt", t=t))
    assert shown(rg) == []
    Stream(rg).put(EK, claim(HL, "Citerat", t=2**53))
    (message,) = shown(rg)
    assert (message.quoted_t, local(2**53).year, local(-(2**62)).year) == (2**53, 9999, 1970)


# -- what a founder carries, and how it is shown where the old room is known too --------------------------------------


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
    for group in hl.chat.carry(THERE, chat):
        for data in group:
            hl.store.changes.append(third, chat, data)
    assert [as_written(m) for m in shown(hl, third)] == [as_written(m) for m in shown(hl)]
    assert [m.reactions for m in shown(hl, third)] == [m.reactions for m in shown(hl)]
    assert {m.quoted_author for m in shown(hl, third)} == {None}


# -- what nothing here bears out ---------------------------------------------------------------------------------------

PAYMENT = "Jag godkänner utbetalningen på 4 MSEK 😀"


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
    assert rg.chat.mentions() == []
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
    sent = encode(MessageSent(text="Jag avslår"))
    old = OpenedChange(n=3, t=3000, uid=HL, dev=DevId(HL), obj=CHANNEL, change_id=ChangeId(ident), payload=sent)
    rg.store.receive(ReceivedSlice(room=ROOM, cursor=3, state=b"", changes=[old]))
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
