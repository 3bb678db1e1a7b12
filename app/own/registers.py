# SPDX-License-Identifier: EUPL-1.2
"""Single values of the person's own of which the latest counts: wishes about rooms, their sections, and settings."""

from typing import Any

from app.core.ids import RoomId
from app.core.signal import Signal
from app.own.model import Key
from app.own.service import Own


class Registers:
    """The values of one root, by name. A value is a text, a whole number, True or False, or None for none."""

    def __init__(self, own: Own, root: str) -> None:
        self.changed: Signal[frozenset[str]] = Signal()
        """The names whose values another device has changed."""
        self._own, self._root = own, root
        self._end = own.changed.connect(self._on_changed)

    def close(self) -> None:
        """Stops following the devices."""
        self._end()

    def get(self, name: str) -> Any:
        """The value of `name`; None if it has none."""
        value = self._own.value(self._root, name)
        return value[1] if value is not None and isinstance(value[1], str | int | bool) else None

    def has(self, name: str) -> bool:
        """Whether some device has set `name`, also to None."""
        return self._own.value(self._root, name) is not None

    def names(self) -> set[str]:
        """The names that have a value."""
        return {name for name in self._own.keys(self._root) if self.get(name) is not None}

    def set(self, name: str, value: str | int | None) -> None:
        """Sets the value of `name` on all devices. Nothing happens if it is that."""
        if not self.has(name) or self.get(name) != value or type(self.get(name)) is not type(value):
            self._own.put(self._root, name, [self._own.stamp(self._root, name), value])

    def _on_changed(self, keys: frozenset[Key]) -> None:
        names = frozenset(key for root, key in keys if root == self._root)
        if names:
            self.changed.emit(names)


def of_room(room: RoomId, field: str) -> str:
    """The name under which the root `rooms` has a field of a room."""
    return f"{room.hex()}/{field}"
