# SPDX-License-Identifier: EUPL-1.2
"""A restricted room in the case room of the kept office, as another program would have made it."""

from app.core.enums import Role, RoomType
from app.core.ids import ObjId, RoomId
from app.people.person import Person
from app.rooms.records import ChildLinked, ParentLinked, Record, encode
from app.session import Session
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import join, receive, set_role
from tests.ui.shell.sample import at

TITLE = "Skyddade uppgifter å 🙂"


def record(session: Session, where: RoomId, by: Person, written: Record) -> None:
    receive(session, where, by, encode(written), obj=ObjId(where))


def restricted_room(session: Session) -> RoomId:
    """Makes the room: this person owns it, and the registrar writes in it."""
    made = join(session, office().me, TITLE, RoomType.CASE, t_ms=at(9, 0))
    record(session, made, office().me, ParentLinked(room=office().case))
    record(session, office().case, office().me, ChildLinked(room=made, on=True))
    set_role(session, made, (office().registrar, Role.WRITER))
    return made
