# SPDX-License-Identifier: EUPL-1.2
"""A reminder as a value that the person's devices share (app/own/FORMAT.md, root `reminders`), and as a stored row."""

from app.core import clock
from app.core.ids import ObjId, RoomId
from app.own.joining import MAX_NUMBER, Value
from app.own.model import id_in
from app.store.reminder_rows import GONE, ReminderId, ReminderRow

ROOT = "reminders"
MAX_REF, MAX_KIND = 64, 40
"""The most bytes of a place in an object, and characters of an object's kind."""
_HEAD = 4
"""Numbers before the place: generation, state, time, day."""


def encode(row: ReminderRow, day: int) -> Value:
    """The value of a reminder, written on `day` (days since 1970 UTC). The row's `notice` is not in it."""
    return [row.generation, row.state, row.at, day, row.room.hex(), row.obj.hex(), row.kind, row.ref.hex()]


def decode(key: str, value: Value | None) -> ReminderRow | None:
    """The reminder that a value holds under its key. None for a value that is none: its key or one of its fields has
    another form, or it is in a state that only a newer program knows. Further fields are ignored.

    ▲ A reminder with a time after the year 9998 is none. Otherwise no timer and no calendar could hold the time."""
    ident = id_in(key)
    if ident is None or value is None or len(value) < _HEAD + 4:
        return None
    numbers, places = value[:_HEAD], value[_HEAD : _HEAD + 4]
    if not all(type(number) is int and 0 <= number < MAX_NUMBER for number in numbers):
        return None
    if not all(isinstance(text, str) for text in places):
        return None
    generation, state, at, _ = numbers
    room, obj, kind, ref = id_in(places[0]), id_in(places[1]), places[2], _bytes(places[3])
    if room is None or obj is None or ref is None or state > GONE or at > clock.MAX_MS:
        return None
    if not kind.isidentifier() or len(kind) > MAX_KIND or len(ref) > MAX_REF:
        return None
    return ReminderRow(
        id=ReminderId(ident),
        generation=generation,
        state=state,
        at=at,
        room=RoomId(room),
        obj=ObjId(obj),
        kind=kind,
        ref=ref,
    )


def _bytes(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None
