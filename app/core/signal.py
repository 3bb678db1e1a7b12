# SPDX-License-Identifier: EUPL-1.2
"""A signal: listeners connect, the owner emits. Synchronous, same thread, no Qt."""

from collections.abc import Callable
from typing import Generic, TypeVarTuple

Args = TypeVarTuple("Args")


class Signal(Generic[*Args]):
    """A list of functions that are called when its owner emits: `Signal[int, str]()` calls every connected function
    with an int and a str, in the order of connecting."""

    __slots__ = ("_slots",)

    def __init__(self) -> None:
        self._slots: list[Callable[[*Args], object]] = []

    def connect(self, slot: Callable[[*Args], object]) -> Callable[[], None]:
        """Calls `slot` at every emit until the returned function is called (twice does no harm). `slot` gets what is
        emitted. Its result is ignored; its error reaches the emitter. Connecting and disconnecting during an emit count
        from the next one. A function that was connected twice is called twice; each returned function ends one of
        them."""

        def connected(*args: *Args) -> object:  # an object of its own: the same slot may be connected twice
            return slot(*args)

        self._slots = [*self._slots, connected]  # a new list: connecting during an emit counts from the next one

        def disconnect() -> None:
            self._slots = [s for s in self._slots if s is not connected]

        return disconnect

    def emit(self, *args: *Args) -> None:
        """Calls every connected function with these arguments. If one raises an error, the error reaches the caller,
        and later functions are not called."""
        for slot in self._slots:
            slot(*args)
