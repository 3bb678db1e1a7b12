# SPDX-License-Identifier: EUPL-1.2
"""The views of notices: Activity, when something is put off, and what of a room rings."""

from PySide6.QtCore import QPoint, QSize
from PySide6.QtWidgets import QWidget

from tests.shots import story as told
from tests.shots.scene import Scene, Step, close_menu, dialog
from ui.kit.choose_time import TimeDialog
from ui.kit.translate import tr
from ui.shell.home.home_pages import ACTIVITY
from ui.shell.notices.notice_card import NoticeCardRow
from ui.shell.window.desktop_toast import Toast, ToastAction
from ui.shell.window.navigation import Place
from ui.shell.window.notification_window import NotificationWindow


async def activity(s: Scene) -> QWidget:
    s.window.go(Place(section="home", tab=ACTIVITY))
    return s.window


async def activity_filtered(s: Scene) -> QWidget:
    s.window.go(Place(section="home", tab=ACTIVITY))
    page = s.window.content.home_pages.activity
    page.kind.setCurrentIndex(page.kind.findData("waits"))
    page.kind.activated.emit(page.kind.currentIndex())
    s.ends.append(page._show_all)
    return s.window


async def activity_menu(s: Scene) -> QWidget:
    s.window.go(Place(section="home", tab=ACTIVITY))
    page = s.window.content.home_pages.activity
    page.list.choose_first()
    row = page.list.current()
    if row is not None:
        page.list.menu_asked.emit(row, page.list.place_of(page.list.currentIndex()))
    close_menu(s)
    return s.window


async def later(s: Scene) -> QWidget:
    """The times to which a notice on Home can be put off."""
    s.window.go_section("home")
    s.window.content.home.refresh()
    rows = [row for row in s.window.content.home.findChildren(NoticeCardRow) if row.isVisible()]
    if rows:
        rows[0].later_button.click()
    close_menu(s)
    return s.window


async def later_at(s: Scene) -> QWidget:
    s.window.go_section("home")
    return dialog(s, TimeDialog(s.window, tr("Remind me later"), lambda until: None))


async def room_menu(s: Scene) -> QWidget:
    s.room(told.CASE, "chat")._menu()
    close_menu(s)
    return s.window


async def notification(s: Scene) -> QWidget:
    """Notifications in windows of ours, one above the other, as in the corner of a screen."""
    s.room(told.CASE, "chat")
    message = Toast(
        key=1,
        title=f"Enhetschef · {told.CASE}",
        text="Kan du titta på utkastet före lunch? Jag har lagt till aktbilaga 14 å 🙂",
        sounds=False,
        actions=frozenset({ToastAction.REPLY, ToastAction.READ}),
    )
    reminder = tr("You have a reminder.")
    hidden = Toast(key=2, title="Kansli", text=reminder, sounds=False, actions=frozenset({ToastAction.SNOOZE}))
    corner = s.window.mapToGlobal(s.window.rect().bottomRight()) - QPoint(12, 12)
    for toast in (message, hidden):
        made = NotificationWindow(toast, lambda: False)
        made.setParent(s.window, made.windowFlags())  # the camera takes what belongs to the window
        made.set_room(s.window.size() - QSize(24, 24))
        made.move(corner.x() - made.width(), corner.y() - made.height())
        made.show()
        s.ends += [made.close, made.deleteLater]
        corner.setY(made.y() - 8)
    return s.window


VIEWS: dict[str, Step] = {
    "notification": notification,
    "activity": activity,
    "activity-none": activity_filtered,
    "activity-menu": activity_menu,
    "later": later,
    "later-at": later_at,
    "room-menu": room_menu,
}
