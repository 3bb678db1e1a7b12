# SPDX-License-Identifier: EUPL-1.2
"""The records of a room's root object (the object whose id is the room's): what the room states about itself.

A record is one version byte and a msgpack map with a type tag. The titles of objects are not here: each object has its
own title, so that a title is deleted with its object.
"""

import msgspec

from app.core.months import FIRST_MONTH, LAST_MONTH
from app.core.visible import one_line
from app.errors import BadChange
from app.objects.object import Payload

MAX_TITLE = 200
MAX_GREETING = 280
MAX_TYPE = 32
"""Characters of a room's type; today's have at most six."""


class RoomNamed(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="named"):
    """The record with the room's title and its type, a `RoomType` or what a newer program wrote. The latest one
    counts."""

    title: str
    type: str


class ObjectAnnounced(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="object", omit_defaults=True):
    """The record that says that the room has an object of this kind. The first one for an id counts.

    A chat may be a part of a series of chats, one or more for each month: `series` is the id of the first of them
    (None: this one), `period` its month (app/core/months.py; None: the month of the record's position). Which parts
    count: app/store/series.py."""

    obj: bytes
    kind: str
    series: bytes | None = None
    period: int | None = None


class ObjectRetired(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="retired"):
    """The record that puts an object into the trash (`on` True) or restores it (False). Nothing of the object is
    deleted."""

    obj: bytes
    on: bool


class ChangeLeftOut(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="leave-out"):
    """▲ The record by which an administrator has one change left out of an object: from its position on, everybody
    computes the object without the change. `author` and `change` (its id) name that change. It counts only from an
    administrator, and not for a change that a prune has removed before (see app/store/left_out.py)."""

    obj: bytes
    author: bytes
    change: bytes


class PersonInvited(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="invited", omit_defaults=True):
    """The record that is written right after a person was added, by the person who added them: the room's title and
    type, for a newcomer who may not read what was before, and a greeting (`text`), which may be "". `parent`: the room
    that this one belongs to (its id, 16 bytes), as the author says; None for none. It changes nothing in the
    room."""

    uid: bytes
    title: str
    type: str
    text: str
    parent: bytes | None = None


class ChildLinked(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="child", omit_defaults=True):
    """▲ The record by which an administrator says that another room belongs to this one (`on` True), or no longer does.
    `room` is that room's id; nothing else about it is here. `again`: it repeats an earlier record for members who
    cannot read that one. Which records count: app/rooms/belonging.py."""

    room: bytes
    on: bool
    again: bool = False


class ParentLinked(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="parent", omit_defaults=True):
    """▲ The record by which an owner names the room that this room belongs to; `room` None: it belongs to none. `again`
    and which records count: as for `ChildLinked`."""

    room: bytes | None = None
    again: bool = False


Record = RoomNamed | ObjectAnnounced | ObjectRetired | ChangeLeftOut | PersonInvited | ChildLinked | ParentLinked

_PAYLOAD: Payload[Record] = Payload(Record)


def shown_title(title: str) -> str:
    """A room's title as it is written and shown. It is never "", since a room without a title is not listed."""
    return one_line(title, MAX_TITLE) or "–"


def encode(record: Record) -> bytes:
    """The record as bytes."""
    return _PAYLOAD.encode(record)


def decode(payload: bytes) -> Record:
    """Decodes a record. BadChange "format-newer" if a newer program wrote it, "bad-record" for any other record that
    cannot be read."""
    try:
        record = _PAYLOAD.decode(payload)
    except BadChange as e:
        if e.code == "format-newer":
            raise
        raise BadChange("bad-record") from e
    if isinstance(record, RoomNamed | PersonInvited):
        named = 0 < len(record.type) <= MAX_TYPE and len(record.title) <= MAX_TITLE
        invited = isinstance(record, RoomNamed) or (len(record.uid) == 16 and len(record.text) <= MAX_GREETING)
        parent = record.parent if isinstance(record, PersonInvited) else None
        if not named or not invited or not _is_id(parent):
            raise BadChange("bad-record")
    elif not _is_id(record.room if isinstance(record, ChildLinked | ParentLinked) else record.obj):
        raise BadChange("bad-record")
    if isinstance(record, ObjectAnnounced):
        _check_series(record)
    if isinstance(record, ChangeLeftOut) and (len(record.author), len(record.change)) != (16, 16):
        raise BadChange("bad-record")
    return record


def _is_id(ident: bytes | None) -> bool:
    """Whether it is an id, or none."""
    return ident is None or len(ident) == 16


def _check_series(record: ObjectAnnounced) -> None:
    """BadChange for an announcement with a series that is no id, or a month that is none."""
    if record.series is not None and len(record.series) != 16:
        raise BadChange("bad-record")
    if record.period is not None and not FIRST_MONTH <= record.period <= LAST_MONTH:
        raise BadChange("bad-record")
