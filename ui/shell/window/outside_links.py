# SPDX-License-Identifier: EUPL-1.2
"""Links from outside: a browser, a mail, another program. Anybody can make one, so a link only ever shows what is here.
What would add, join or confirm something is left to the person and the place where that is done."""

from dataclasses import replace

from app.core import link_fields
from app.objects.links import ObjectLink
from app.session import Session
from ui.kit.translate import tr


def is_invitation(text: str) -> bool:
    """Whether a first start is meant: `kansli://enrol?server=…&code=…`."""
    return link_fields.read(text, "enrol", "server", "code") is not None


def judge(text: str, session: Session) -> tuple[ObjectLink | None, str]:
    """Judges a link that another program gave. Returns (the object to open, "") or (None, a sentence that says why
    not)."""
    if is_invitation(text):
        return None, tr("The invitation is for a first start. There is an account on this computer already.")
    if link_fields.read(text, "join", "server", "code") is not None:
        return None, tr("The code is for a new computer. It is used there, at the first start.")
    if link_fields.read(text, "verify", "uid", "genesis") is not None:
        return None, tr("The code is read where you verify a colleague: in the menu beside the name, in a room.")
    link = ObjectLink.parse(text) if len(text) <= link_fields.MAX_CHARS else None
    if link is None:
        return None, tr("This is no link that Kansli knows.")
    if link.room not in {*(room.room for room in session.rooms.rooms()), *session.own_room.rooms()}:
        return None, tr("The link leads to a room that you are not in, or that has not arrived yet.")
    kind = next((thing.kind for thing in session.rooms.objects(link.room) if thing.obj == link.obj), None)
    if kind is None:
        return None, tr("What the link leads to is not in the room.")
    return replace(link, kind=kind), ""  # the kind is that of our own copy
