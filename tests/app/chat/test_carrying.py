# SPDX-License-Identifier: EUPL-1.2
"""A conversation carried into the room that continues its own: as it stands now, under its authors, once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.chat.model import Message
from app.chat.records import Carried, MessageSent, encode
from app.core.ids import ChangeId, DevId, Hash, ObjId, RoomId, Uid, new_change
from app.store import objects as object_rows
from sync.client.ports import MemberRow, OpenedChange, Received, RoomEvent
from sync.trust.succession import Origin
from tests.office import CHANNEL, EK, HL, ROOM, Desk, Positions, desk, from_others

NEXT = RoomId(b"n" * 16)
THERE = ObjId(b"t" * 16)


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    """A desk with the old room and its successor, which HL has founded."""
    made = desk(tmp_path / "hl", HL)
    origin = Origin(room=ROOM, n=5, rh=Hash(b"5" * 32))
    members = [MemberRow(uid=HL, role=4, since_n=0, history=True)]
    founded = RoomEvent(n=1, t=1, kind="genesis", by=HL, origin=origin)
    made.store.receive(Received(room=NEXT, cursor=1, state=b"", members=members, events=[founded]))
    with made.store.db.transaction() as conn:
        object_rows.announce(conn, NEXT, THERE, "chat", 1, HL)
    yield made
    made.close()


def carry(at: Desk) -> int:
    count = 0
    for group in at.chat.carry(CHANNEL, THERE):
        for data in group:
            at.store.changes.append(NEXT, THERE, data)
            count += 1
    return count


def shown(at: Desk, room: RoomId) -> list[Message]:
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


def test_every_message_is_there_as_it_is_now_under_its_author_and_time(hl: Desk) -> None:
    conversation(hl)
    carry(hl)
    old, new = shown(hl, ROOM)[:-1], shown(hl, NEXT)
    assert [(m.change_id, m.author, m.t, m.text) for m in new] == [(m.change_id, m.author, m.t, m.text) for m in old]
    assert [m.deleted for m in new] == [m.deleted for m in old] == [False, False, False, True]
    assert [m.edited_t is not None for m in new] == [False, False, True, False]
    assert new[0].reactions == old[0].reactions != ()
    assert new[1].quote == old[1].quote is not None
    assert {m.carried_by for m in new} == {HL}


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


def test_a_carried_message_keeps_its_time_when_the_server_has_it_and_is_not_unread(hl: Desk) -> None:
    conversation(hl)
    carry(hl)
    before = [m.t for m in shown(hl, NEXT)]
    pending = hl.store.pending_in(NEXT, 100)
    opened = [
        OpenedChange(n=50 + i, t=9_999_999, uid=HL, dev=DevId(HL), obj=THERE, change_id=p.change_id, payload=p.payload)
        for i, p in enumerate(pending)
    ]
    hl.store.receive(Received(room=NEXT, cursor=90, state=b"", changes=opened))
    assert [m.t for m in shown(hl, NEXT)] == before
    assert not any(m.waiting for m in shown(hl, NEXT))
    assert hl.chat.unread(NEXT) == (0, 0)
    assert hl.chat.timeline(NEXT).first_unread is None


def test_an_author_may_still_edit_and_react_to_what_was_carried(hl: Desk) -> None:
    conversation(hl)
    carry(hl)
    first, mine = shown(hl, NEXT)[0], shown(hl, NEXT)[2]
    hl.chat.edit(NEXT, mine.change_id, "Ändrat igen")
    hl.chat.react(NEXT, first.change_id, "🙂")
    assert shown(hl, NEXT)[2].text == "Ändrat igen"
    assert {r.emoji for r in shown(hl, NEXT)[0].reactions} == {"👍", "🙂"}


def carried_by(by: Uid, author: Uid, text: str, obj: ObjId = THERE) -> OpenedChange:
    record = Carried(author=author, change_id=new_change(), t=1, data=encode(MessageSent(text=text)))
    return OpenedChange(
        n=60, t=60, uid=by, dev=DevId(by), obj=obj, change_id=ChangeId(new_change()), payload=encode(record)
    )


def test_attack_nobody_but_the_founder_speaks_for_others(hl: Desk) -> None:
    forged = carried_by(EK, HL, "Det här har jag aldrig skrivit")
    hl.store.receive(Received(room=NEXT, cursor=60, state=b"", changes=[forged]))
    assert shown(hl, NEXT) == []
    assert [code for _, code in hl.store.changes.unprojected(NEXT)] == ["forbidden"]


CLAIMED, ELSEWHERE = RoomId(b"c" * 16), ObjId(b"e" * 16)
"""A room that EK has founded and that says it continues the old one."""


def claim(at: Desk, by: Uid, text: str) -> None:
    """EK opens a room of that claim, and brings a message of somebody's with them."""
    origin = Origin(room=ROOM, n=5, rh=Hash(b"5" * 32))
    genesis = RoomEvent(n=1, t=1, kind="genesis", by=EK, origin=origin)
    at.store.receive(Received(room=CLAIMED, cursor=1, state=b"", events=[genesis]))
    with at.store.db.transaction() as conn:
        object_rows.announce(conn, CLAIMED, ELSEWHERE, "chat", 1, EK)
    at.store.receive(Received(room=CLAIMED, cursor=60, state=b"", changes=[carried_by(EK, by, text, ELSEWHERE)]))


def test_attack_a_founder_whom_nobody_believes_speaks_for_nobody(hl: Desk) -> None:
    claim(hl, HL, "Det här har jag aldrig skrivit")
    assert shown(hl, CLAIMED) == []
    assert [s.room for s in hl.store.origins.unheard()] == [CLAIMED]


def test_what_was_carried_over_is_shown_when_its_founder_is_believed(hl: Desk) -> None:
    claim(hl, HL, "Det här skrev jag")
    hl.store.origins.set_heard(CLAIMED)
    after: int | None = 0
    while after is not None:
        after = hl.store.read_again(CLAIMED, "forbidden", after)
    (message,) = shown(hl, CLAIMED)
    assert (message.author, message.carried_by, message.text) == (HL, EK, "Det här skrev jag")
    assert hl.store.origins.unheard() == []
    assert hl.store.changes.unprojected(CLAIMED) == []


def test_attack_nor_does_anybody_in_a_room_that_continues_none(hl: Desk) -> None:
    from_others(hl, EK, CHANNEL, [carried_by(EK, HL, "Påhittat").payload], n=2, t=1000)
    assert shown(hl, ROOM) == []
