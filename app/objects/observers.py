# SPDX-License-Identifier: EUPL-1.2
"""Subscriptions to a pycrdt document that keep nothing in memory.

pycrdt holds its observers in Rust, where Python's collector cannot see what they refer to. An observer that refers to
its document would therefore keep the document in memory until the program ends.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar
from weakref import WeakMethod

R = TypeVar("R")


class Source(Protocol):
    """A document, text or map of pycrdt, to which one can subscribe."""

    def unobserve(self, subscription: Any) -> None: ...


class Observers:
    """The subscriptions to one document and its roots. ▲ It has only weak references to the subscribed methods: pycrdt
    would keep their objects in memory for ever."""

    def __init__(self) -> None:
        self._held: list[tuple[Source, Any]] = []

    def add(self, source: Source, observe: Callable[[Callable[[Any], None]], Any], slot: Callable[[Any], None]) -> None:
        """Subscribes the method `slot` to the changes of `source`. `slot` is given the event. `observe`: the method of
        `source` that subscribes a function and returns the subscription. The object of `slot` is not kept alive; when
        it is gone, nothing is called."""
        held = WeakMethod(slot)

        def notify(event: Any) -> None:
            there = held()
            if there is not None:
                there(event)

        self._held.append((source, observe(notify)))

    def end(self) -> None:
        """Ends all subscriptions. Any thread; a second call does nothing."""
        held, self._held = self._held, []
        for source, subscription in held:
            source.unobserve(subscription)


def weakly(ask: Callable[[], R], otherwise: R) -> Callable[[], R]:
    """A function that calls `ask`, a bound method, and returns its result as long as the method's object exists, and
    returns `otherwise` after that. It does not keep the object alive."""
    held = WeakMethod(ask)

    def answer() -> R:
        there = held()
        return there() if there is not None else otherwise

    return answer
