# SPDX-License-Identifier: EUPL-1.2
"""▲ A message of the old room as this device's own copy has it, and whether a carried record agrees with it.

The founder of a successor can write any name into a carried record, so the record alone shows nobody as an author. A
message that the own copy of the old room has with the same author, change id and bytes is shown as the author's. Every
other message is shown as a quotation of the person who carried it.
"""

from dataclasses import dataclass, field

from app.chat.authority import MessageRow, Outcome, message_row, outcome
from app.chat.records import (
    MAX_CARRIED_REACTIONS,
    Carried,
    CarriedPart,
    MessageSent,
    ReactionSet,
    decode,
    encode,
    without_previews,
    without_words,
)
from app.core.ids import ChangeId, ObjId, RoomId, Uid
from app.store.connection import Connection
from app.store.origins import MAX_HOPS

_OLD = """SELECT o.obj, g.n FROM origins g JOIN objects o ON o.room = g.old AND o.kind = 'chat'
    JOIN chat_messages m ON +m.obj = o.obj AND m.change_id = ? WHERE g.room = ? ORDER BY o.created, o.obj LIMIT 1"""
_TIME_HERE = "SELECT t, data FROM changes WHERE change_id = ? AND room = ? AND author = ? AND row <> ?"
_EMPTY = encode(MessageSent(text=""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A message as it was at a position of its room. `data`: the bytes of the message itself; `edit`: its last edit;
    `t`: when it was written, in ms. `shown`: this device shows the named author as its author in that room."""

    author: Uid
    shown: bool
    change_id: ChangeId
    t: int
    data: bytes = field(repr=False)
    edit: CarriedPart | None
    deleted_by: Uid | None
    reactions: tuple[CarriedPart, ...]

    def carried(self) -> Carried:
        """The record that carries this message over into another room: in its last form, without anything that was
        edited away, and with at most MAX_CARRIED_REACTIONS reactions. That of a deleted message has only its author, id
        and time, and the person who deleted it."""
        who = Carried(author=self.author, change_id=self.change_id, t=self.t, data=_EMPTY, deleted_by=self.deleted_by)
        if self.deleted_by is not None:
            return who
        return Carried(
            author=who.author,
            change_id=who.change_id,
            t=who.t,
            data=self.data if self.edit is None else without_words(self.data),
            edit=self.edit,
            reactions=self.reactions[:MAX_CARRIED_REACTIONS],
        )

    def bears_out(self, carried: Carried) -> bool:
        """▲ Whether a record that claims to carry this message over agrees with it: the same author, id and bytes, in
        its last form, perhaps without the pictures' previews. Its time and reactions are not compared. False also if
        this device does not show the named author as the message's author."""
        mine = self.carried()
        return (
            self.shown
            and (mine.author, mine.change_id) == (carried.author, carried.change_id)
            and carried.deleted_by == mine.deleted_by
            and _bytes(carried.edit) == _bytes(mine.edit)
            and carried.data in (mine.data, without_previews(mine.data))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """How a message that was carried over from an old room is shown on this device. `shown` True: as a message of the
    author whom the record names; False: as a quotation. `t` and `edited_t` (None if it was not edited) in ms: those of
    a confirmed message are its author's own, those of a quotation the time when it was carried over. `reactions`: those
    that this device's own copy of the old room has too."""

    shown: bool
    t: int
    edited_t: int | None
    reactions: tuple[CarriedPart, ...]


def original(
    conn: Connection, obj: ObjId, change_id: bytes, until: int | None = None, hops: int = MAX_HOPS
) -> Original | None:
    """The message `change_id` of `obj`, one object of a conversation, as it was at the position `until` of its room
    (None: as it is now). None if it is not here, or was not there yet at that position. `hops`: how many further rooms
    back are read, if the message was itself carried over."""
    message = message_row(conn, obj, change_id)
    if message is None or (until is not None and (message.n is None or message.n > until)):
        return None
    later = outcome(conn, message, until)
    if message.carried_by is None:
        return _original(message, message.data, later)
    record = decode(message.data)
    assert isinstance(record, Carried)  # noqa: S101 - the row says so
    reactions = attribution(conn, message, record, hops).reactions
    return _original(message, record.data, later, record.edit, record.deleted_by, reactions)


def _original(
    message: MessageRow,
    data: bytes,
    later: Outcome,
    edit: CarriedPart | None = None,
    deleted_by: bytes | None = None,
    reactions: tuple[CarriedPart, ...] = (),
) -> Original:
    kept = [part for part in reactions if _key(part) not in later.reactions]
    kept += [found[0] for found in later.reactions.values() if found is not None]
    gone = deleted_by or later.deleted_by
    return Original(
        author=message.author,
        shown=message.shown,
        change_id=message.change_id,
        t=message.t,
        data=data,
        edit=later.edit or edit,
        deleted_by=Uid(gone) if gone is not None else None,
        reactions=tuple(kept),
    )


def attribution(conn: Connection, message: MessageRow, carried: Carried, hops: int = MAX_HOPS) -> Attribution:
    """▲ Decides whom this device shows as the author of a carried message (one that the founder brought over from an
    old room): the author whom the record `carried` names, only if this device's copy of the old room, or the author's
    own message in this room, has the same bytes. `hops`: how many rooms back are read."""
    own = _own_copy(conn, message.room, message.change_id, hops - 1) if hops else None
    known = {_bytes(part) for part in own.reactions} if own is not None else set()
    reactions = tuple(part for part in carried.reactions if _bytes(part) in known)
    if own is not None and own.bears_out(carried):
        return Attribution(shown=True, t=own.t, edited_t=own.edit.t if own.edit else None, reactions=reactions)
    here = _time_here(conn, message, carried)
    t = message.own_t if here is None else here
    edited_t = message.own_t if carried.edit is not None else None
    return Attribution(shown=here is not None, t=t, edited_t=edited_t, reactions=reactions)


def _own_copy(conn: Connection, room: RoomId, change_id: bytes, hops: int) -> Original | None:
    """The message `change_id` in this device's copy of the old room that `room` continues, as it was at the position
    that the first entry of `room` names. `hops`: how many further rooms back are read. None if it is not there."""
    found = conn.execute(_OLD, (change_id, room)).fetchone()
    return original(conn, ObjId(found[0]), change_id, int(found[1]), hops) if found is not None else None


def _time_here(conn: Connection, message: MessageRow, carried: Carried) -> int | None:
    """When the named author wrote the same bytes under the same id in this room themselves, in ms; None if they did
    not, or if the carried message was edited or deleted."""
    if carried.edit is not None or carried.deleted_by is not None:
        return None
    key = (carried.change_id, message.room, carried.author, message.row)
    for t, data in conn.execute(_TIME_HERE, key):
        if data == carried.data:
            return int(t)
    return None


def _bytes(part: CarriedPart | None) -> tuple[bytes, bytes, bytes] | None:
    """The fields of an edit or reaction that are compared: (author, change id, data); None for None. The time is not
    among them: each copy has its own."""
    return (part.author, part.change_id, part.data) if part is not None else None


def _key(part: CarriedPart) -> tuple[str, Uid]:
    record = decode(part.data)
    assert isinstance(record, ReactionSet)  # noqa: S101 - it was checked when it was read
    return record.emoji, Uid(part.author)
