# SPDX-License-Identifier: EUPL-1.2
"""The page that is shown in place of a document whose text is not here yet: the room lists the document, and its first
change is still to be received or tried."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId, RoomId
from app.documents import KIND
from app.documents.service import DocumentService
from app.objects.links import ObjectLink
from ui.kit.bind import Soon, bind
from ui.kit.card import EmptyState
from ui.kit.translate import tr


class ComingPage(EmptyState):
    """A page that says that a document is being fetched, with a button that calls `back`. `wait_for` sets the document.
    The page emits `arrived` when the document's text is here, or, if the page is hidden then, when it is shown again.

    ▲ It emits nothing if the document turns out to belong to another room. A member can announce the id of another
    room's document here; the view would then show that document as one of this room."""

    arrived = Signal(object)
    """The document, as a DocumentRow of the page's room."""

    def __init__(
        self, service: DocumentService, room: RoomId, back: Callable[[], object], parent: QWidget | None = None
    ) -> None:
        super().__init__(
            "syncing",
            tr("The document is being fetched"),
            tr("It opens here as soon as it has arrived."),
            tr("Back to the documents"),
            back,
            parent,
        )
        self._service, self._room = service, room
        self.obj = ObjId(b"")
        """The document that is awaited."""
        self._soon = Soon(self, self._look)
        bind(self, service.changed, self._on_changed)

    def wait_for(self, obj: ObjId) -> bool:
        """Awaits the document `obj` from now on, in place of any other, and returns True. Returns False and changes
        nothing if the room lists no such document, or if it is in the trash."""
        link = ObjectLink(room=self._room, obj=obj, kind=KIND.id)
        if self._service.linked(link) is None:
            return False
        self.obj = obj
        return True

    @property
    def is_focused(self) -> bool:
        """Whether the page's button has the focus, or will have it when its window becomes the active one."""
        return self.step is not None and self.window().focusWidget() is self.step

    def take_focus(self) -> None:
        """Gives the focus to the page's button."""
        if self.step is not None:
            self.step.setFocus()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        self._soon.due()

    def _on_changed(self, room: RoomId) -> None:
        if room == self._room and self.isVisible():
            self._soon.due()

    def _look(self) -> None:
        row = self._service.row(self.obj) if self.isVisible() else None
        if row is not None and row.room == self._room:
            self.arrived.emit(row)
