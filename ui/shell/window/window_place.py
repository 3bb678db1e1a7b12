# SPDX-License-Identifier: EUPL-1.2
"""Stores where a window is when it is locked, and restores that place. Stored in the encrypted store: it names rooms
and objects.

A place that cannot be read, or is no longer there, is ignored.
"""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import shiboken6
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId, RoomId
from app.errors import StoreFault
from ui.shell.window.main_window import MainWindow
from ui.shell.window.navigation import Place
from ui.tool_views import PlacedView, ViewPlace


class PlaceKeeper(Protocol):
    """Stores a text that says where the window was, for the next start of the program: the session, which has the
    encrypted store. `keep_place("")` deletes it, and `kept_place` then returns ""."""

    def kept_place(self) -> str: ...
    def keep_place(self, text: str, /) -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whereabouts:
    place: Place
    words: str = ""
    """The text in the search field."""
    standing: ViewPlace | None = None
    """The place in the view. The name is stored: with another one, the place would be lost at an upgrade."""


def keep(window: MainWindow, keeper: PlaceKeeper) -> None:
    """Stores with `keeper`, in the encrypted store, which place `window` shows; called before Kansli is locked. If the
    store refuses (StoreFault, such as a full disk), nothing is stored and nothing is raised, so that locking goes
    on."""
    view = window.navigator.current_view()
    standing = view.view_place() if isinstance(view, PlacedView) else None
    words = window.content.search_view.field.text() if window.navigator.place.section == "search" else ""
    with suppress(StoreFault):
        keeper.keep_place(_written(_Whereabouts(place=window.navigator.place, words=words, standing=standing)))


def go_back(window: MainWindow, keeper: PlaceKeeper) -> None:
    """Goes to the place that `keep` stored with `keeper`, and deletes it there, so that this happens once. The position
    in a view is restored when the window is shown. Does nothing if no place is stored, or if it is no longer there or
    cannot be read."""
    text = keeper.kept_place()
    forget(keeper)
    kept = _read(text) if text else None
    if kept is None:
        return
    place = kept.place
    if place.section not in {each.id for each in window.sections}:
        return
    if place.section == "rooms" and place.room not in {each.room for each in window.session.rooms.rooms()}:
        return
    if place.section == "search" and kept.words:
        window.search_for(kept.words)
        return
    window.go(place)
    view = window.navigator.current_view()
    if kept.standing is not None and isinstance(view, PlacedView) and isinstance(view, QWidget):
        _PlaceRestorer(window, view, kept.standing)


def forget(keeper: PlaceKeeper) -> None:
    """Deletes the place that is stored with `keeper`, so that a later start does not go there; `go_back` calls it
    before it goes there. If the store refuses, the place stays, and nothing is raised."""
    with suppress(StoreFault):
        if keeper.kept_place():
            keeper.keep_place("")


class _PlaceRestorer(QObject):
    """Restores the position within `view` (`standing`) once, when the window is first shown: only then the view has its
    size."""

    def __init__(self, window: MainWindow, view: QWidget, standing: ViewPlace) -> None:
        super().__init__(window)
        self._view, self._read_view_place = view, standing
        window.appeared.connect(self._on_appeared, Qt.ConnectionType.SingleShotConnection)

    def _on_appeared(self) -> None:
        self.deleteLater()
        if shiboken6.isValid(self._view) and isinstance(self._view, PlacedView):
            self._view.restore_place(self._read_view_place)


def _written(kept: _Whereabouts) -> str:
    return json.dumps(asdict(kept), default=bytes.hex)


def _read(text: str) -> _Whereabouts | None:
    try:
        found = json.loads(text)
        place, standing = found["place"], found["standing"]
        room, obj = place["room"], place["obj"]
        return _Whereabouts(
            place=Place(
                section=place["section"],
                room=RoomId(bytes.fromhex(room)) if room else None,
                tab=place["tab"],
                obj=ObjId(bytes.fromhex(obj)) if obj else None,
            ),
            words=found["words"],
            standing=_read_view_place(standing) if standing else None,
        )
    except (ValueError, KeyError, TypeError):
        return None


def _read_view_place(found: dict[str, Any]) -> ViewPlace:
    read: dict[str, Any] = {}
    for each, usual in asdict(ViewPlace()).items():
        value = found[each]
        if isinstance(usual, bytes):
            read[each] = bytes.fromhex(value)
        elif isinstance(usual, tuple):
            read[each] = tuple(int(number) for number in value)
        else:
            read[each] = type(usual)(value)
    return ViewPlace(**read)
