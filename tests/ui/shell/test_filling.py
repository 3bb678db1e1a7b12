# SPDX-License-Identifier: EUPL-1.2
"""A long room says that its older history is still being read, and what matters more comes first."""

from tests.ui.shell.fake_session import FakeSession
from tests.ui.shell.sample import CASE
from tests.ui.soon import caught_up
from ui.shell.room.room_view import RoomView
from ui.shell.window.main_window import MainWindow


def view_of(window: MainWindow) -> RoomView:
    window.open_room(CASE)
    return next(view for view in window.findChildren(RoomView) if view.room == CASE)


async def test_older_history_is_shown_while_it_is_read(window: MainWindow, session: FakeSession) -> None:
    view = view_of(window)
    assert view.notice.isHidden()
    session.rooms.filled = 37
    session.rooms.notify(CASE)
    caught_up(view)
    assert not view.notice.isHidden()
    assert view.notice.text() == "Äldre historik läses in (37 %). Det som visas är helt och går att arbeta i."
    assert view.notice.accessibleName() == view.notice.text()
    session.rooms.notified = ["decrypt"]
    session.rooms.notify(CASE)
    caught_up(view)
    assert "37" not in view.notice.text()
    session.rooms.notified, session.rooms.filled = [], None
    session.rooms.notify(CASE)
    caught_up(view)
    assert view.notice.isHidden()
