# SPDX-License-Identifier: EUPL-1.2
"""Events of the computer and the desktop session: sleep, a lid, shutdown, a locked screen, another network."""

import sys
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QNetworkInformation

from app.core import log

Reachability = QNetworkInformation.Reachability


class Events(QObject):
    """Signals for events of the computer and the desktop session, from whatever system reports them: a sleep begins
    (`sleeps`) or has ended (`woke`), the lid was closed (`sleeps`), the computer shuts down (`ends`), the screen was
    locked or the session left (`left`), the screen was unlocked or the session is there again (`returned`), the
    computer has got a network or changed to another (`network_changed`)."""

    sleeps = Signal()
    """The computer is about to sleep or to hibernate, or its lid was closed. It may wait some seconds for `ready`."""
    ends = Signal()
    """The computer is about to shut down. It may wait some seconds for `ready`."""
    ready = Signal()
    """Emitted by the program: it has nothing to close before the computer sleeps."""
    woke = Signal()
    """The computer slept, and does no more."""
    left = Signal()
    """The screen was locked, another session came to it, or the session on a remote desktop was left."""
    returned = Signal()
    """The screen was unlocked, or this session came to it again. Not every desktop reports it."""
    network_changed = Signal()
    """There is a network (again), or another one."""


def watch(parent: QObject) -> Events:
    """Returns signals for the end of a sleep, a locked screen or session that was left, and another network, emitted
    for as long as `parent` lives. A signal for something that this system does not report is never emitted."""
    events = Events(parent)
    if sys.platform == "win32":
        from ui.desktop.power_windows import listen
    else:
        from ui.desktop.power_linux import listen  # jeepney, 2 MB: not before the window is shown
    listen(events)
    networks(events)
    return events


class Networks(Protocol):
    """The part of Qt's QNetworkInformation that is used here: the signal for a change of the network."""

    @property
    def reachabilityChanged(self) -> Any: ...


def networks(events: Events, system: Networks | None = None) -> None:
    """From now on emits `network_changed` of `events` when Qt reports that what the computer can reach has changed: it
    has got a network, or one that reaches more or less far; not when it loses the last one. Nothing is emitted on a
    system of which Qt knows nothing; that is logged. `system` reports the changes: Qt itself if None; tests put theirs
    in place."""
    if system is None:
        if not QNetworkInformation.loadDefaultBackend():
            log.ui.info("no-network-notices")
            return
        system = QNetworkInformation.instance()
    system.reachabilityChanged.connect(lambda now: _on_reachability(events, now))


def _on_reachability(events: Events, now: Reachability) -> None:
    if now not in (Reachability.Disconnected, Reachability.Unknown):
        events.network_changed.emit()
