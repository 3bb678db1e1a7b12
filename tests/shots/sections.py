# SPDX-License-Identifier: EUPL-1.2
"""The steps to the pictures of the person's own sections in the list of rooms: sections, their menus, a message about
what could not be stored."""

from functools import partial

import shiboken6
from PySide6.QtCore import QPoint
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from app.core.i18n import tr
from app.core.ids import RoomId
from app.errors import DiskFull
from tests.shots import story as told
from tests.shots.scene import Scene, Step
from tests.ui.finding import toast_of
from tests.ui.soon import caught_up
from tests.world import until
from ui.shell.window.section_dialog import SectionDialog


async def sections(s: Scene) -> QWidget:
    _order(s)
    s.room(told.CASE, "chat")
    _rows(s)
    s.window.room_list.list.setFocus()
    return s.window


async def room_menu(s: Scene) -> QWidget:
    _order(s)
    s.room(told.CASE, "chat")
    _menu(s, _id(s, told.CASE))
    return s.window


async def choosing(s: Scene) -> QWidget:
    await room_menu(s)
    shown = QApplication.activePopupWidget()
    assert isinstance(shown, QMenu)
    move = next(a for a in shown.actions() if a.text() == tr("Move to section …"))
    shown.close()
    move.trigger()
    await until(lambda: bool(s.window.findChildren(SectionDialog)))
    dialog = s.window.findChildren(SectionDialog)[0]
    dialog.field.setText("Remisser å 🙂")
    s.ends.append(dialog.reject)
    return s.window


async def section_menu(s: Scene) -> QWidget:
    _order(s)
    s.room(told.CASE, "chat")
    _menu(s, s.story.me.room_order.sections()[0].ident)
    return s.window


async def full_disk(s: Scene) -> QWidget:
    s.window.go_section("home")
    s.story.me.own.fault.emit(DiskFull())
    s.ends.append(lambda: toast_of(s.window).hide())
    return s.window


def _order(s: Scene) -> None:
    order = s.story.me.room_order
    first, second = order.make("Överklaganden i höst 🍂"), order.make("Att återkomma till")
    order.put(_id(s, told.CASE), first)
    order.set_folded("direct", True)
    s.ends += [partial(order.remove, first), partial(order.remove, second), partial(order.set_folded, "direct", False)]
    _rows(s)


def _id(s: Scene, title: str) -> RoomId:
    return s.story.rooms[title]


def _rows(s: Scene) -> None:
    QApplication.processEvents()
    caught_up(s.window)


def _menu(s: Scene, key: RoomId | str) -> None:
    rows = s.window.room_list.list
    rows.setFocus()
    rows.setCurrentIndex(rows.rows.index_of(key))
    at = rows.viewport().mapToGlobal(rows.visualRect(rows.currentIndex()).bottomLeft() + QPoint(40, 0))
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(5, 5), at)
    QApplication.sendEvent(s.window.room_list, event)
    _end_popup(s)


def _end_popup(s: Scene) -> None:
    shown = QApplication.activePopupWidget()
    assert shown is not None
    s.ends.append(lambda: shiboken6.isValid(shown) and shown.close())


VIEWS: dict[str, Step] = {
    "sections": sections,
    "sections-room-menu": room_menu,
    "sections-choosing": choosing,
    "sections-section-menu": section_menu,
    "own-full-disk": full_disk,
}
