# SPDX-License-Identifier: EUPL-1.2
"""The number of each kind's format says what its program reads: what is new in a format raises the number.

Until the first release every number is 1, and a change of a format only changes the table here. From then on a row is
never changed: the number is raised, and the row gets what is new.
"""

from typing import Any, get_args, get_type_hints

import msgspec

from app.chat import records as chat
from app.kinds import TOOLS, room_kinds_of
from app.objects import pieces
from app.own import KIND as OWN
from app.rooms import records as room

Fields = dict[str, list[str]]
UPDATES: Fields = {"piece": ["begun", "count", "group", "index", "update"], "update": ["begun", "title", "update"]}
FORMATS: dict[str, tuple[int, Fields, list[str]]] = {
    "room": (
        1,
        {
            "child": ["again", "on", "room"],
            "invited": ["parent", "text", "title", "type", "uid"],
            "leave-out": ["author", "change", "obj"],
            "named": ["title", "type"],
            "object": ["kind", "obj", "period", "series"],
            "parent": ["again", "room"],
            "retired": ["obj", "on"],
        },
        [],
    ),
    "chat": (
        1,
        {
            "carried": ["author", "change_id", "data", "deleted_by", "edit", "reactions", "t"],
            "deleted": ["target"],
            "edited": ["mentions", "target", "text"],
            "reaction": ["emoji", "on", "target"],
            "sent": ["attachments", "mentions", "reply_obj", "reply_to", "text"],
            "Attachment": ["height", "manifest", "media_type", "name", "preview", "size_bytes", "width"],
            "CarriedPart": ["author", "change_id", "data", "t"],
            "Mention": ["length", "start", "uid"],
        },
        [],
    ),
    "document": (1, UPDATES, ["meta", "text"]),
    "board": (1, UPDATES, ["board", "cards", "columns", "labels"]),
    "own": (1, UPDATES, ["about", "drafts", "notices", "reads", "reminders", "rooms", "sections", "settings"]),
}
"""By kind: the number of its format, the fields of each record and of what is in one, the roots of its CRDT (none if it
does not merge)."""
RECORDS: dict[str, Any] = {"room": room.Record, "chat": chat.Record}
"""By kind, of those that do not merge: the union of its records."""


def fields_of(records: Any) -> Fields:
    """The fields of the records of a union, and of the structs in them, by tag or name."""
    found: Fields = {}
    for record in get_args(records):
        found |= _struct(record)
    return found


def _struct(struct: type[msgspec.Struct]) -> Fields:
    found = {str(struct.__struct_config__.tag or struct.__name__): sorted(struct.__struct_fields__)}
    for hint in get_type_hints(struct).values():
        for inner in [hint, *get_args(hint)]:
            if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
                found |= _struct(inner)
    return found


def test_what_is_new_in_a_format_has_raised_its_number() -> None:
    made = {}
    for kind in (*room_kinds_of(TOOLS), OWN):
        roots = sorted((*kind.merging.texts, *kind.merging.maps)) if kind.merging is not None else []
        records = pieces.Whole | pieces.Piece if kind.merging is not None else RECORDS[kind.id]
        made[kind.id] = (kind.format, fields_of(records), roots)
    assert made == FORMATS


def test_a_further_field_is_seen_also_within_a_record() -> None:
    class File(msgspec.Struct):
        name: str

    class Sent(msgspec.Struct, tag="sent"):
        files: tuple[File, ...]
        first: File | None

    class Gone(msgspec.Struct, tag="gone"):
        why: str

    Sent.__annotations__ = {"files": tuple[File, ...], "first": File | None}
    assert fields_of(Sent | Gone) == {"sent": ["files", "first"], "File": ["name"], "gone": ["why"]}
