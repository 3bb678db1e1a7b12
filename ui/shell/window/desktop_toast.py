# SPDX-License-Identifier: EUPL-1.2
"""One notification on the desktop, and what a person can choose on it."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class ToastAction(StrEnum):
    """What a person chooses on a notification: its place, an answer there, that it is read, or that it comes back in an
    hour."""

    OPEN = "open"
    REPLY = "reply"
    READ = "read"
    SNOOZE = "snooze"


OnAction = Callable[[Hashable, ToastAction], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Toast:
    """A notification. One with the same `key` takes its place. `sounds`: the desktop plays its sound. `actions`: what
    is offered besides opening it, where the desktop has buttons."""

    key: Hashable
    title: str
    text: str
    sounds: bool
    actions: frozenset[ToastAction] = frozenset()


class Desktop(Protocol):
    """Shows notifications. `withdraw` takes the one with that key away, if it is there."""

    def __call__(self, toast: Toast, /) -> object: ...

    def withdraw(self, key: Hashable, /) -> object: ...
