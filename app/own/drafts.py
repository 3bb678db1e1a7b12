# SPDX-License-Identifier: EUPL-1.2
"""Drafts: texts that the person has typed and not sent, on any of their devices.

Each device has a draft of its own for each place. With it, the device names the drafts of other devices that the person
had seen there when they wrote it. The named drafts no longer count. So two drafts that were written on two devices
without knowledge of each other are both kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.signal import Signal
from app.own.joining import Value
from app.own.model import Key
from app.own.service import Own, join_own

_ROOT = "drafts"
MAX_TEXT = 20_000
"""The most characters of a draft: as many as a message may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDraft:
    """A draft. `dev`: the id of the device that wrote it, in hex. `stamp`: the time in ms at which it was written, or
    more, so that each draft of a place has a higher stamp than those before. `text`: what was typed. `aside`: what
    else the tool stores with it."""

    dev: str
    stamp: int
    text: str
    aside: dict[str, Any]


class OwnDrafts:
    """The person's drafts, by place. A place is a text that a tool chooses, such as a conversation's id in hex."""

    def __init__(self, own: Own) -> None:
        self.changed: Signal[frozenset[str]] = Signal()
        """Emitted with the places whose drafts another device has changed."""
        self._own = own
        self._end = own.changed.connect(self._on_changed)

    def close(self) -> None:
        """Stops emitting `changed`. A second call does nothing."""
        self._end()

    def at(self, place: str) -> list[OwnDraft]:
        """The drafts of a place that no other draft replaces, the latest first. There are several if devices wrote them
        without knowledge of each other. ▲ Only what a device has written can be replaced. Otherwise a stolen device
        could replace all that another one will ever write there."""
        latest = self._latest(place)
        replaced: dict[str, int] = {}
        for by, value in latest.items():
            for dev, stamp in named_in(value).items():
                if dev != by and dev in latest and stamp <= latest[dev][0]:
                    replaced[dev] = max(stamp, replaced.get(dev, 0))
        found = [d for dev, v in latest.items() if (d := draft_from(dev, v)) and d.stamp > replaced.get(dev, 0)]
        return sorted(found, key=lambda draft: (draft.stamp, draft.dev), reverse=True)

    def written(self, place: str) -> OwnDraft | None:
        """What this device wrote last at a place, also if another device has replaced it. None if it wrote nothing, or
        if it emptied its draft last."""
        value = self._latest(place).get(self._own.dev)
        return draft_from(self._own.dev, value) if value is not None else None

    def mine(self, place: str) -> OwnDraft | None:
        """This device's draft of a place; None if there is none or another device has replaced it."""
        return next((draft for draft in self.at(place) if draft.dev == self._own.dev), None)

    def others(self, place: str) -> list[OwnDraft]:
        """The drafts of a place in `at` that other devices wrote, the latest first."""
        return [draft for draft in self.at(place) if draft.dev != self._own.dev]

    def put(
        self, place: str, text: str, aside: dict[str, Any] | None = None, *, over: tuple[OwnDraft, ...] = ()
    ) -> None:
        """Sets this device's draft of a place; an empty `text` without `aside` removes it. `over`: drafts of other
        devices that this one replaces, since the person has seen them here. Does nothing if nothing changes, or if
        `text` has more than MAX_TEXT characters: what was shared before stays. A disk that refuses is handled as in
        `Own.put`."""
        if len(text) > MAX_TEXT:
            return
        mine = self.mine(place)
        same = (mine.text, mine.aside) == (text, aside or {}) if mine else not text and not aside
        if same and not over:
            return
        named = named_in(self._latest(place).get(self._own.dev, []))
        named |= {draft.dev: draft.stamp for draft in over}
        content = {"text": text, **(aside or {})} if text or aside else None
        self._own.put(_ROOT, place, [self._own.stamp(_ROOT, place), content, named])

    def share(self, place: str, text: str, aside: Mapping[str, Any], over: Sequence[object]) -> None:
        """As `put`, for a field that the person has left: it is written for the other devices at once. Items of `over`
        that are no OwnDraft are ignored."""
        before = self.written(place)
        self.put(place, text, dict(aside), over=tuple(each for each in over if isinstance(each, OwnDraft)))
        if self.written(place) != before:
            self._own.hurry()

    def _latest(self, place: str) -> dict[str, Value]:
        found = {dev: join_own(values) for dev, values in self._own.values(_ROOT, place).items()}
        return {dev: value for dev, value in found.items() if value is not None}

    def _on_changed(self, keys: frozenset[Key]) -> None:
        places = frozenset(key for root, key in keys if root == _ROOT)
        if places:
            self.changed.emit(places)


def draft_from(dev: str, value: Value) -> OwnDraft | None:
    """The draft of the device `dev` in a value; None if it is none."""
    match value:
        case [int() as stamp, {"text": str() as text, **aside}, *_] if len(text) <= MAX_TEXT:
            return OwnDraft(dev=dev, stamp=stamp, text=text, aside={str(name): each for name, each in aside.items()})
    return None


def named_in(value: Value) -> dict[str, int]:
    """The drafts that a value replaces: by device the stamp up to which."""
    named = value[2] if len(value) > 2 and isinstance(value[2], dict) else {}
    return {dev: stamp for dev, stamp in named.items() if type(stamp) is int}
