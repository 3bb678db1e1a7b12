# SPDX-License-Identifier: EUPL-1.2
"""Sessions on copies of the kept office: without a network, as they were when they were last connected, or at a copy of
its server. And what can happen to a session that is not connected: its store receives it as from a server."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app.chat.mentions import find
from app.chat.records import MessageSent, encode
from app.chat.service import ChatService
from app.chat.tool import TOOL as CHAT
from app.core import clock
from app.core.enums import LinkState, Role, RoomState, RoomType
from app.core.ids import DevId, Hash, ObjId, RoomId, new_change, new_id
from app.kinds import TOOLS, kinds_of
from app.people.person import Person
from app.rooms.records import ObjectAnnounced, RoomNamed
from app.rooms.records import encode as encode_room
from app.session import Session
from app.setting import Value
from app.store.notices import DUPLICATE, RESET
from app.store.projection import Tester
from app.store.store import Store
from app.tool import AnyTool
from sync.client.ports import MemberRow, OpenedChange, RoomEvent
from sync.client.received import ReceivedSlice
from sync.client.wire.dialled_address import Nowhere
from sync.client.wire.transport import ServerAddress
from sync.trust.room.room_state import Proposal
from sync.trust.room.successor_claim import Origin
from tests.ui.shell.kept_account import AccountState, account_session
from tests.ui.shell.kept_office import office
from tests.ui.shell.moment import moment
from tests.ui.shell.sample import NOW, at
from tests.ui.shell.served import Served, close_after_test, served, session_on
from tests.ui.soon import caught_up
from ui.shell.window.connection_notices import ConnectionNotices

SERVER = "kansli.myndighet.example"
ME = "Handläggare"
"""Whose sessions are opened, by name."""
_numbers = count()


class Cut(Nowhere):
    """The dialer of a computer that has a server's address, and no network."""

    address = ServerAddress(SERVER, 443)


def open_session(
    folder: Path,
    policy: Mapping[str, Value] | None = None,
    *,
    tester: Tester | None = None,
    tools: Sequence[AnyTool] = TOOLS,
    kind: type[Session] = Session,
) -> Session:
    """A session of the person on a copy of their store, which `close_all` closes. It never starts: its status is that
    of a connection that was up at 14:03."""
    data, key = office().stores[ME]
    folder.mkdir(exist_ok=True)
    path = folder / f"office-{next(_numbers)}.db"
    path.write_bytes(data)
    store = Store.open(path, key, {kind.id: kind for kind in kinds_of(tools)}, tester=tester)
    session = close_after_test(session_on(folder, store, Cut(), policy, tools, kind))
    show_status(session, LinkState.ONLINE)
    return session


def open_account(folder: Path, state: AccountState, policy: Mapping[str, Value] | None = None) -> Session:
    """A session of an account without rooms, in that state, on a computer without a network."""
    session = account_session(folder, state, policy, Cut())
    show_status(session, LinkState.ONLINE)
    return session


@asynccontextmanager
async def at_server(folder: Path) -> AsyncIterator[Served]:
    """The office's server runs on a copy of its folder, at the pictures' moment."""
    with moment(int(NOW.timestamp() * 1000)) as now:
        async with served(folder, office().served, office().stores, now) as running:
            yield running


# -- what happens without a server ------------------------------------------------------------------------------------


def show_status(session: Session, state: LinkState, code: str | None = None) -> None:
    """Has the connection be in this state, and its windows show it."""
    change_status(session, state, code)
    for window in QApplication.topLevelWidgets():
        for notices in window.findChildren(ConnectionNotices):
            caught_up(notices)


def change_status(session: Session, state: LinkState, code: str | None = None) -> None:
    """Has the connection be in this state; windows show it soon."""
    shown = session.engine._state
    shown.last_synced_ms = at(14, 3)
    shown.show(state, code)


def chat_of(session: Session) -> ChatService:
    return session.service(CHAT)


def receive(session: Session, room: RoomId, by: Person, *payloads: bytes, obj: ObjId, t_ms: int = 0) -> None:
    """Changes of a colleague's arrive."""
    n = next(_positions)
    changes = [
        OpenedChange(n=n, t=t_ms or at(14, 4), uid=by.uid, dev=DevId(by.uid), obj=obj, change_id=new_change(),
                     payload=payload, place=place)
        for place, payload in enumerate(payloads)
    ]  # fmt: skip
    session.store.receive(ReceivedSlice(room=room, changes=changes))


_positions = count(10_000)


def say(session: Session, room: RoomId, by: Person, *texts: str, t_ms: int = 0) -> None:
    """A colleague writes in the room's chat."""
    chat = chat_of(session)
    obj = chat.channel(room)
    assert obj is not None
    payloads = [encode(MessageSent(text=text, mentions=find(text, lambda: chat.members(room)))) for text in texts]
    receive(session, room, by, *payloads, obj=obj, t_ms=t_ms)


def set_role(session: Session, room: RoomId, *roles: tuple[Person, Role], history: bool = True) -> None:
    """These people are members, in these roles."""
    rows = [MemberRow(uid=person.uid, role=role, since_n=0, history=history) for person, role in roles]
    session.store.receive(ReceivedSlice(room=room, members=rows))


def remove(session: Session, room: RoomId, *people: Person) -> None:
    """These people are no members any more."""
    session.store.receive(ReceivedSlice(room=room, gone=[person.uid for person in people]))


def join(
    session: Session,
    by: Person,
    title: str,
    type_: RoomType,
    *,
    t_ms: int,
    origin: Origin | None = None,
    room: RoomId | None = None,
) -> RoomId:
    """A room that somebody made arrives; this person was added to it as an owner. Returns the room."""
    room, chat, me = room or RoomId(new_id()), ObjId(new_id()), office().me
    genesis = RoomEvent(n=1, t=t_ms, kind="genesis", by=by.uid, subject=by.uid, role=Role.OWNER, history=True,
                        origin=origin)  # fmt: skip
    events = [genesis]
    if by.uid != me.uid:
        events.append(replace(genesis, n=2, kind="add", subject=me.uid, origin=None))
    members = [MemberRow(uid=uid, role=Role.OWNER, since_n=1, history=True) for uid in {by.uid, me.uid}]
    session.store.receive(ReceivedSlice(room=room, cursor=2, state=b"", events=events, members=members))
    records = [encode_room(RoomNamed(title=title, type=type_)), encode_room(ObjectAnnounced(obj=chat, kind="chat"))]
    receive(session, room, by, *records, obj=ObjId(room), t_ms=t_ms)
    session.rooms.notify_changed(room)
    return room


def begin_room(session: Session, by: Person, title: str) -> RoomId:
    """The first reading of a group begins, in which this person and `by` are. Returns the room."""
    room, chat = RoomId(new_id()), ObjId(new_id())
    members = [MemberRow(uid=each.uid, role=Role.OWNER, since_n=1, history=True) for each in (by, office().me)]
    named = encode_room(RoomNamed(title=title, type=RoomType.GROUP))
    receive(session, room, by, named, encode_room(ObjectAnnounced(obj=chat, kind="chat")), obj=ObjId(room))
    session.store.receive(ReceivedSlice(room=room, members=members))
    return room


def end_reading(session: Session, room: RoomId) -> None:
    """The first reading of a room ends with what was received of it."""
    session.store.receive(ReceivedSlice(room=room, cursor=next(_positions), state=b""))


def continue_room(session: Session, old: RoomId, by: Person, title: str = "Tillsyn 2026-1184") -> RoomId:
    """Somebody continues a room that has stopped. Returns the new room."""
    new = join(session, by, title, RoomType.CASE, t_ms=at(14, 1), origin=session.engine.standing(old))
    session.on_room(old)
    return new


def read_everything(session: Session) -> None:
    """Nothing is unread, and every room has been opened."""
    chat = chat_of(session)
    for room in session.rooms.rooms():
        timeline, obj = chat.timeline(room.room), chat.channel(room.room)
        chat.mark_read(room.room, [timeline.message(i).change_id for i in range(len(timeline))])
        assert obj is not None
        session.rooms.opened(room.room, obj)


def notify_keys(session: Session, person: Person, kind: str, *, other: Person | None = None, count: int = 1,
                t_ms: int = 0, seen: bool = False) -> None:  # fmt: skip
    """Something happened to a person's keys, so many times. `seen`: the person has dismissed it already."""
    notices = session.store.key_notices
    restore = clock.set_clock(lambda: t_ms or at(13, 0))
    try:
        if kind in (RESET, DUPLICATE):
            notices.put(person.uid, kind, other=other.uid if other is not None else b"", done=seen)
        else:
            notices.advance(person.uid, 0, [(kind, seq) for seq in range(100, 100 + count)])
    finally:
        restore()
    session.key_watch._emit_changed()


def stop(session: Session, room: RoomId, state: RoomState) -> None:
    """Something of the server's stops the room."""
    session.engine.parts.link.rooms[room].stop(state)
    session.on_room(room)


def reread(session: Session, room: RoomId, reached: int, until: int) -> None:
    """The room's history is read again up to a position, and has been read so far."""
    session.engine.parts.link.rooms[room]._reread = until
    session.engine.parts.inbox.rereading._reached[room] = reached
    session.on_room(room)


def propose(session: Session, room: RoomId, by: Person, subject: Person) -> None:
    """An administrator proposes that a member reads the whole history."""
    state = session.engine.parts.link.rooms[room].stream.state
    state.proposals = {**state.proposals, Hash(os.urandom(32)): Proposal(what="hist", subject=subject.uid, by=by.uid)}
    session.on_room(room)
