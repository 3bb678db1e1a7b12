# SPDX-License-Identifier: EUPL-1.2
"""One notification on the desktop, and what a person can choose on it."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ui.kit.translate import tr


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
    is offered besides opening it, where the desktop has buttons. `is_bare`: it says nothing of the account, and may be
    shown while the curtain covers the windows."""

    key: Hashable
    title: str
    text: str
    sounds: bool
    actions: frozenset[ToastAction] = frozenset()
    is_bare: bool = False


def offered(toast: Toast) -> list[tuple[ToastAction, str]]:
    """What a notification offers, in order, each with the text of its button. Opening it is always first."""
    found = [(ToastAction.OPEN, tr("Open"))]
    if ToastAction.REPLY in toast.actions:
        found.append((ToastAction.REPLY, tr("Reply")))
    if ToastAction.READ in toast.actions:
        found.append((ToastAction.READ, tr("Mark as read")))
    if ToastAction.SNOOZE in toast.actions:
        found.append((ToastAction.SNOOZE, tr("Remind me in an hour")))
    return found


class Desktop(Protocol):
    """Shows notifications. `withdraw` takes the one with that key away, if it is there."""

    def __call__(self, toast: Toast, /) -> object: ...

    def withdraw(self, key: Hashable, /) -> object: ...
