# SPDX-License-Identifier: EUPL-1.2
"""A room that continues another, at the desk of its founder and at somebody else's, and what is carried into it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.chat.model import Message
from app.chat.records import (
    Carried,
    MessageSent,
    Record,
    encode,
)
from app.core.enums import Role
from app.core.ids import ChangeId, DevId, Hash, ObjId, RoomId, Uid, new_change
from app.store import rooms as room_rows
from sync.client.ports import MemberRow, OpenedChange, RoomEvent
from sync.client.received import ReceivedSlice
from sync.trust.room.successor_claim import Origin
from tests.office import CHANNEL, EK, HL, RG, ROOM, Desk, Positions, announce_chat, desk, from_others

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
        announce_chat(conn, room, chat, founder)


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
    for group in at.chat.carry([(CHANNEL, THERE)]):
        for into, data in group:
            at.store.changes.append(NEXT, into, data)
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
    """Gives changes of the successor, or of another `room`, their positions at one desk, from the one after `after`
    on."""

    def __init__(self, at: Desk, room: RoomId = NEXT, obj: ObjId = THERE, *, after: int = 100) -> None:
        self.at, self.room, self.obj, self.n = at, room, obj, after

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


PAYMENT = "Jag godkänner utbetalningen på 4 MSEK 😀"
