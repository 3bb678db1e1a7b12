# SPDX-License-Identifier: EUPL-1.2
"""Texts that the person has typed and not sent, on any of their devices.

Two that were written apart are both kept: each device has its own, and names those of others that it had before it when
it wrote. Those no longer count.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDraft:
    """A draft. `dev`: the device that wrote it, in hex; `stamp`: its own number there; `text`: what was typed; `aside`:
    what else the tool keeps of it."""

    dev: str
    stamp: int
    text: str
    aside: dict[str, Any]


class OwnDrafts:
    """The person's drafts by place, such as a conversation's id in hex."""

    def __init__(self, own: Own) -> None:
        self.changed: Signal[frozenset[str]] = Signal()
        """The places whose drafts another device has changed."""
        self._own = own
        self._end = own.changed.connect(self._on_changed)

    def close(self) -> None:
        """Stops following the devices."""
        self._end()

    def at(self, place: str) -> list[OwnDraft]:
        """The drafts of a place that no other replaces, the latest first: several if they were written apart."""
        latest = self._latest(place)
        replaced: dict[str, int] = {}
        for by, value in latest.items():
            for dev, stamp in named_in(value).items():
                if dev != by:
                    replaced[dev] = max(stamp, replaced.get(dev, 0))
        found = [d for dev, v in latest.items() if (d := draft_from(dev, v)) and d.stamp > replaced.get(dev, 0)]
        return sorted(found, key=lambda draft: (draft.stamp, draft.dev), reverse=True)

    def written(self, place: str) -> OwnDraft | None:
        """What this device wrote last at a place, also if another device has replaced it; None for nothing."""
        value = self._latest(place).get(self._own.dev)
        return draft_from(self._own.dev, value) if value is not None else None

    def mine(self, place: str) -> OwnDraft | None:
        """This device's draft of a place, if it counts."""
        return next((draft for draft in self.at(place) if draft.dev == self._own.dev), None)

    def others(self, place: str) -> list[OwnDraft]:
        """Drafts of a place that other devices wrote, the latest first."""
        return [draft for draft in self.at(place) if draft.dev != self._own.dev]

    def put(
        self, place: str, text: str, aside: dict[str, Any] | None = None, *, over: tuple[OwnDraft, ...] = ()
    ) -> None:
        """Sets this device's draft of a place; without a text and `aside` it has none. `over`: drafts of other devices
        that this one replaces, since the person has seen them here. Nothing happens if nothing changes."""
        mine = self.mine(place)
        same = (mine.text, mine.aside) == (text, aside or {}) if mine else not text and not aside
        if same and not over:
            return
        named = named_in(self._latest(place).get(self._own.dev, []))
        named |= {draft.dev: draft.stamp for draft in over}
        content = {"text": text[:MAX_TEXT], **(aside or {})} if text or aside else None
        self._own.put(_ROOT, place, [self._own.stamp(_ROOT, place), content, named])

    def share(self, place: str, text: str, aside: Mapping[str, Any], over: Sequence[object]) -> None:
        """As `put`; of `over`, what is no draft of this class is left out."""
        self.put(place, text, dict(aside), over=tuple(each for each in over if isinstance(each, OwnDraft)))

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
