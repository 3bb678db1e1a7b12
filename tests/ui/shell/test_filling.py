# SPDX-License-Identifier: EUPL-1.2
"""A long room says that its older history is still being read, and what matters more comes first."""

from app.core.enums import LinkState
from app.session import Session
from sync.client.received import ReceivedSlice
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import reread, show_status
from tests.ui.soon import caught_up
from ui.shell.room.room_view import RoomView
from ui.shell.window.main_window import MainWindow


def view_of(window: MainWindow) -> RoomView:
    window.open_room(office().case)
    return next(view for view in window.findChildren(RoomView) if view.room == office().case)


async def test_older_history_is_shown_while_it_is_read(window: MainWindow, session: Session) -> None:
    view = view_of(window)
    assert view.notice.isHidden()
    reread(session, office().case, 37, 100)
    caught_up(view)
    assert not view.notice.isHidden()
    assert view.notice.text() == "Äldre historik läses in (37 %). Det som visas är helt och går att arbeta i."
    assert view.notice.accessibleName() == view.notice.text()
    session.store.receive(ReceivedSlice(room=office().case, bad=[(9, "decrypt")]))
    session.on_room(office().case)
    caught_up(view)
    assert view.notice.isVisible()
    assert "37" not in view.notice.text()


async def test_the_notice_goes_when_everything_is_read(window: MainWindow, session: Session) -> None:
    view = view_of(window)
    reread(session, office().case, 37, 100)
    caught_up(view)
    assert view.notice.isVisible()
    reread(session, office().case, 0, 0)
    caught_up(view)
    assert view.notice.isHidden()


def test_a_new_device_says_how_far_its_rooms_are_read(window: MainWindow, session: Session) -> None:
    rooms = list(session.engine.parts.link.rooms.values())
    for each in rooms[1:]:
        each.announce(each.head_n + 1)
    show_status(session, LinkState.SYNCING)
    assert window.content.bar.text() == f"Dina rum läses in: 1 av {len(rooms)}."
    for each in rooms[2:]:
        each.forget_announced()
    session.rooms.changed.emit()
    caught_up(window)
    assert not window.content.bar.isVisible()
