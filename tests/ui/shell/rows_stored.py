# SPDX-License-Identifier: EUPL-1.2
"""Puts people, documents and rooms into a session, or takes them out: what the lists of the shell show."""

from app.core.enums import RoomType
from app.core.ids import ObjId, RoomId
from app.people.person import Person
from app.rooms.records import RoomNamed, encode
from app.session import Session
from app.store import objects as object_rows
from sync.trust.room.successor_claim import Origin
from tests.ui.lists import MANY, Rows, number, person
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import join, receive
from tests.ui.shell.sample import at


def name_people(session: Session, rows: Rows) -> None:
    """The agency's records of these people."""
    for key, text in rows.items():
        session.store.put_person(person(key, text).uid, {"name": text, "title": "", "unit": ""}, bytes(16))


def put_documents(session: Session, rows: Rows, *, opened: bool = False) -> None:
    """The newest documents of the case room; `opened`: in that order, now."""
    with session.store.db.transaction() as conn:
        for key in MANY:
            obj, t_ms = ObjId(number(key)), at(14, 5) + 1000 * (len(MANY) - MANY.index(key))
            if key in rows:
                object_rows.announce(conn, office().case, obj, "document", t_ms, office().me.uid)
                object_rows.set_title(conn, obj, rows[key])
                if opened:
                    conn.execute("INSERT OR REPLACE INTO recent (obj, t) VALUES (?, ?)", (obj, t_ms))
            object_rows.set_deleted(conn, office().case, obj, key not in rows)


def put_rooms(session: Session, rows: Rows, origin: Origin | None = None, *, by: Person | None = None) -> None:
    """Rooms that this person founded (`by`: that this colleague founded, and added them to), the first of them the
    newest; the others have no title, as before they are read."""
    by = by or office().me
    for n, key in enumerate(MANY):
        room = RoomId(number(key))
        if session.store.rooms_list.get(room) is not None:
            named = encode(RoomNamed(title=rows.get(key, "\u200b"), type="case"))
            receive(session, room, by, named, obj=ObjId(room), t_ms=at(14, 59 - n))
        elif key in rows:
            join(session, by, rows[key], RoomType.CASE, t_ms=at(14, 59 - n), origin=origin, room=room)
