# SPDX-License-Identifier: EUPL-1.2
"""The bar that shows that the disk has refused the latest edits of documents or boards, with Try again; and a message
for places where there is no room for a bar. All tools use it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId
from app.core.signal import Signal as AppSignal
from app.errors import StoreFault
from ui.errors import code_of, sentence_of
from ui.kit.announcing import announce
from ui.kit.bind import bind
from ui.kit.gathering import Kind
from ui.kit.tasks import run_guarded
from ui.kit.toast import InfoBar
from ui.kit.translate import tr


class Service(Protocol):
    """What stores the edits of documents or boards (app/objects/live.py). It emits `fault` for an edit that the disk
    refuses, which then stays in memory."""

    @property
    def fault(self) -> AppSignal[ObjId, StoreFault]: ...

    @property
    def saved(self) -> AppSignal[ObjId]: ...

    def unsaved(self, obj: ObjId, /) -> bool: ...

    def retry(self, obj: ObjId, /) -> None: ...


class UnsavedBar(InfoBar):
    """A bar that shows that the disk has refused edits, with a button Try again. Shown from the first refusal until
    everything is stored, be it by the button, the next edit or locking. It is announced once, however many edits are
    refused meanwhile, and again only if the disk's reason changes."""

    settled = Signal()
    """Everything is stored, and the bar that had the focus is hidden: the focus is to go on."""

    def __init__(self, service: Service, objects: Callable[[], Sequence[ObjId]], parent: QWidget | None = None) -> None:
        """`service` stores the edits. `objects` returns the objects whose edits the bar is about; it is called each
        time edits are refused, stored or tried again. Call `refresh` once when the bar has its parent: the bar is then
        shown if edits of these objects are not stored. (Shown before, it would be a window of its own for a moment.)
        """
        super().__init__(parent)
        self._service, self._objects = service, objects
        self._why: StoreFault | None = None
        self._button.setAccessibleName(tr("Try again"))  # also while it is hidden beside other bars
        bind(self, service.fault, self._on_fault)
        bind(self, service.saved, lambda _obj: self.refresh())

    def refresh(self) -> None:
        """Shows the bar if edits of its objects are not stored, and hides it if all are."""
        if any(map(self._service.unsaved, self._objects())):
            self._show()
        elif not self.isHidden():
            self._hide()

    def _on_fault(self, obj: ObjId, fault: StoreFault) -> None:
        if obj in self._objects():
            self._why = fault
            self._show()

    def _show(self) -> None:
        before = "" if self.isHidden() else self.text()
        why = f"{sentence_of(self._why).title} " if self._why is not None else ""
        code = code_of(self._why) if self._why is not None else ""
        text = tr("The latest edits could not be saved on this computer. They are kept while the program runs.")
        if f"{why}{text}" != before:
            self.show_state("danger", "warning", f"{why}{text}", tr("Try again"), self._retry, code=code)
            if self.isVisible():  # not in a list behind the document, whose own bar announces it
                announce(self, self.text(), Kind.KEPT)

    def _hide(self) -> None:
        focus, self._why = self.window().focusWidget(), None
        had_focus = focus is not None and self.isAncestorOf(focus)
        was_visible = self.isVisible()
        self.hide()
        if was_visible:
            announce(self, tr("Everything is saved now"), Kind.KEPT)
        if had_focus:
            self.settled.emit()

    def _retry(self) -> None:
        for obj in self._objects():
            run_guarded(self, partial(self._service.retry, obj))


def edit_unseen(owner: QObject, service: Service, obj: ObjId, edit: Callable[[], object]) -> bool:
    """Calls `edit`, which changes `obj`, an object that no view with an `UnsavedBar` shows. Returns False after an
    error of app/, which is logged and shown; a fault of our own code is raised. If the disk refused, the edit is in
    memory, and the message has a button Try again. `owner`: the object in whose slot this is."""

    def try_again() -> None:
        edit_unseen(owner, service, obj, lambda: service.retry(obj))

    return run_guarded(owner, lambda: _raising(service, obj, edit), again=try_again)


def _raising(service: Service, obj: ObjId, edit: Callable[[], object]) -> None:
    """Calls `edit`, which changes `obj`. Raises the StoreFault that the service only emits if the disk refuses; the
    edit is then in memory."""
    faults: list[StoreFault] = []
    end = service.fault.connect(lambda refused, fault: faults.append(fault) if refused == obj else None)
    try:
        edit()
    finally:
        end()
    if faults:
        raise faults[0]
