# SPDX-License-Identifier: EUPL-1.2
"""Asks for the presence of the people whom a view shows. In rooms of more than 100 members nobody sends their presence
unasked, so a view that shows presence and does not ask would show nothing there."""

from collections.abc import Hashable, Sequence
from typing import Protocol

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

from app.core.ids import Uid
from app.core.signal import Signal
from app.presence.colleagues import PersonPresence

REST_MS = 250
"""People are asked once the view has shown the same ones for so long. Those who only pass while a name is typed or a
list is scrolled are not asked: a device asks five people at a time, and those who stay would have to wait for them."""


class KnownPresence(Protocol):
    """What is known of whether people can be reached."""

    @property
    def changed(self) -> Signal[Uid]:
        """Emitted with a person: what `of` returns for them has changed."""
        ...

    def of(self, uid: Uid, /) -> PersonPresence | None:
        """What is shown of a person; None if nothing is known of them."""
        ...

    def show(self, view: Hashable, uids: Sequence[Uid], /) -> None:
        """Notes which people the view `view` (any key) shows now, in place of those before; [] when it is closed. In
        large rooms their devices are asked, each at most once in some minutes."""
        ...


class NothingKnown:
    """The `KnownPresence` for which nothing is known of anybody, and nobody is asked."""

    def __init__(self) -> None:
        self.changed: Signal[Uid] = Signal()

    def of(self, _uid: Uid, /) -> PersonPresence | None:
        """None."""
        return None

    def show(self, _view: Hashable, _uids: Sequence[Uid], /) -> None:
        """Does nothing."""


class PresenceInView(QObject):
    """The people whose presence the widget `view` shows. While the widget is visible they are asked; while it is
    hidden, and after its end, nobody is. Belongs to the widget."""

    def __init__(self, view: QWidget, presence: KnownPresence) -> None:
        super().__init__(view)
        self._view, self._presence = view, presence
        self._key: Hashable = object()
        self._uids: tuple[Uid, ...] = ()
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._ask)
        key = self._key
        self.destroyed.connect(lambda: presence.show(key, []))
        view.installEventFilter(self)

    def show(self, uids: Sequence[Uid]) -> None:
        """Notes that the view shows these people, in place of those before. They are asked after REST_MS. A call with
        the same people does nothing."""
        if tuple(uids) == self._uids:
            return
        self._uids = tuple(uids)
        if self._view.isVisible():
            self._rest.start()

    def _ask(self) -> None:
        self._presence.show(self._key, self._uids)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show:
            self._rest.start()
        elif event.type() == QEvent.Type.Hide:
            self._rest.stop()
            self._presence.show(self._key, [])
        return False
