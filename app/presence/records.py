# SPDX-License-Identifier: EUPL-1.2
"""Encodes and decodes the ephemeral messages about presence: a format byte, then msgpack (app/objects/object.py).

Unknown fields are skipped, so that a later program can add some. A received message was written by another device and
may hold anything: `read` returns it in the form in which it may be shown.
"""

from dataclasses import dataclass
from datetime import date

import msgspec

from app.core import clock
from app.core.enums import Presence
from app.core.visible import one_line
from app.errors import BadChange
from app.objects.object import Payload

MAX_TEXT = 140
"""The most characters of a status text."""
MAX_BACK_DAYS = 400
"""A day of return that is more days ahead than this is ignored."""
_MAX_BYTES = 4096


class Here(msgspec.Struct, frozen=True, kw_only=True, tag="here"):
    """The ephemeral message with a person's presence, from one of their devices.

    `state`: what the person chose, a value of `Presence`. `text`: their status text. `back_on`: the day on which they
    are back ("2026-12-04", "" for none). `chosen_ms`: as in `Choice`, by that device's clock; the newest choice of
    several devices counts. `in_use`: the person uses the device now. `in_call`: they are in a call on it.
    `is_new`: the device asks every device that receives the message to answer, for example since it has just come
    online.
    """

    state: str
    text: str = ""
    back_on: str = ""
    chosen_ms: int = 0
    in_use: bool = True
    in_call: bool = False
    is_new: bool = False


class Ask(msgspec.Struct, frozen=True, kw_only=True, tag="ask"):
    """The ephemeral message that asks one device for its person's presence. It is addressed to that device alone."""


class Gone(msgspec.Struct, frozen=True, kw_only=True, tag="gone"):
    """The ephemeral message by which a device withdraws its presence: its program ends, or the person no longer shows
    their presence."""


Record = Here | Ask | Gone
_PAYLOAD: Payload[Record] = Payload(Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a person chose to show. `text`: their status text, "" for none. `back_on`: the day on which they are back.
    `chosen_ms`: when they chose it, in ms, or one more than the choice before if that is higher; 0 if never."""

    state: Presence = Presence.AVAILABLE
    text: str = ""
    back_on: date | None = None
    chosen_ms: int = 0

    def at(self, now_ms: int) -> "Choice":
        """The choice as it counts at `now_ms`: this one, or available without a text from the local day `back_on`
        on."""
        if self.back_on is not None and self.back_on <= clock.local(now_ms).date():
            return Choice(chosen_ms=self.chosen_ms)
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePresence:
    """What one device has sent about its person, in the form in which it may be shown."""

    choice: Choice
    in_use: bool
    in_call: bool
    is_new: bool


def encode(record: Record) -> bytes:
    """Encodes a message for `read`."""
    return _PAYLOAD.encode(record)


def here(device: DevicePresence) -> Here:
    """Converts a device's presence into the message that carries it."""
    choice = device.choice
    return Here(
        state=choice.state,
        text=choice.text,
        back_on=choice.back_on.isoformat() if choice.back_on is not None else "",
        chosen_ms=choice.chosen_ms,
        in_use=device.in_use,
        in_call=device.in_call,
        is_new=device.is_new,
    )


def read(payload: bytes, now_ms: int) -> DevicePresence | Ask | Gone | None:
    """Decodes a message that was received at `now_ms` (this device's clock).

    Returns None for a message that is damaged, longer than 4 KiB or of another format, and Gone for a state that this
    program does not know. The text is cut to one line of MAX_TEXT characters without control characters. The day of
    return is None if it is no date, not after today, or more than MAX_BACK_DAYS ahead. A choice that is more than
    `clock.APART_MS` in the future counts as made now. Otherwise it would win over every later choice.
    """
    if len(payload) > _MAX_BYTES:
        return None
    try:
        record = _PAYLOAD.decode(payload)
    except BadChange:
        return None
    return _shown(record, now_ms) if isinstance(record, Here) else record


def stored(choice: Choice) -> str:
    """Encodes a person's own choice as text, for this device's store."""
    device = DevicePresence(choice=choice, in_use=True, in_call=False, is_new=False)
    return msgspec.json.encode(here(device)).decode()


def read_stored(text: str, now_ms: int) -> Choice:
    """Decodes what `stored` returned, as it counts at `now_ms`. Returns the default choice (available) for "", for a
    damaged text, and if the day of return has come."""
    try:
        record = msgspec.json.decode(text, type=Here)
    except msgspec.MsgspecError:
        return Choice()
    found = _shown(record, now_ms)
    if not isinstance(found, DevicePresence) or (record.back_on and found.choice.back_on is None):  # it is past
        return Choice()
    return found.choice


def _shown(record: Here, now_ms: int) -> DevicePresence | Gone:
    if record.state not in list(Presence):
        return Gone()
    choice = Choice(
        state=Presence(record.state),
        text=one_line(record.text, MAX_TEXT),
        back_on=_day(record.back_on, now_ms),
        chosen_ms=max(0, record.chosen_ms) if record.chosen_ms <= now_ms + clock.APART_MS else now_ms,
    )
    return DevicePresence(choice=choice, in_use=record.in_use, in_call=record.in_call, is_new=record.is_new)


def _day(text: str, now_ms: int) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text and is_ahead(day, now_ms) else None


def is_ahead(day: date, now_ms: int) -> bool:
    """Whether `day` is a valid day of return: after today (local time) and at most MAX_BACK_DAYS ahead."""
    return 0 < (day - clock.local(now_ms).date()).days <= MAX_BACK_DAYS
