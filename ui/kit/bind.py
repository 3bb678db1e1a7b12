# SPDX-License-Identifier: EUPL-1.2
"""Subscribing from a widget: the only way that ui/ connects to an app signal."""

import weakref
from collections.abc import Callable
from types import MethodType
from typing import TypeVarTuple

import shiboken6
from PySide6.QtCore import QObject

from app.core.signal import Signal

Args = TypeVarTuple("Args")


def bind(owner: QObject, signal: Signal[*Args], slot: Callable[[*Args], object]) -> Callable[[], None]:
    """Calls `slot` at every emit until the owner's Qt object is destroyed, or the returned function is called.

    A bound method is held weakly, so that a subscription never keeps a widget alive.
    """
    method = weakref.WeakMethod(slot) if isinstance(slot, MethodType) else None

    def call(*args: *Args) -> None:
        target = method() if method is not None else slot
        if target is None or not shiboken6.isValid(owner):
            end()
            return
        target(*args)

    end = signal.connect(call)
    owner.destroyed.connect(lambda: end())
    return end
