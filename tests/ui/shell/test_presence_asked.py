# SPDX-License-Identifier: EUPL-1.2
"""Where two people have only a room of more than 100 members in common, their presence is shown because the view that
shows it has it asked for: the list of rooms, the head of a conversation of two, the list of members."""

from dataclasses import dataclass

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.core.enums import Presence, RoomType
from app.core.ids import DevId, RoomId, Uid
from app.presence.audience import MOST
from app.session import Session
from tests.app.presence.simulated import Desk, World, room_of, uid_of
from tests.ui.shell.kept_office import office
from tests.ui.soon import rested, settle
from ui.shell.room.member_row import MemberRow
from ui.shell.room.room_view import RoomView
from ui.shell.rows import Row, RowList
from ui.shell.window.main_window import MainWindow


@dataclass
class _LargeRoom:
    """`room`: the conversation with `other`, who has written nothing in it yet."""

    world: World
    me: Desk
    room: RoomId
    other: Desk
    others: set[Uid]
    """The others of all conversations of two."""

    def asked(self) -> list[Uid]:
        """Whom this device has asked, in order."""
        return [self.world.desks[to].uid for _, uid, to in self.world.frames if uid == self.me.uid and to is not None]

    def shown(self, window: MainWindow, seconds: float = 2) -> None:
        """The window shows the same for a moment; then the time passes, and answers are shown."""
        settle(window)
        rested(window)
        self.world.time.pass_s(seconds)
        settle(window)


@pytest.fixture
def large(session: Session) -> _LargeRoom:
    """The session's presence in a room of 110 members and more, all of whom are busy."""
    people = {person.uid for room in session.rooms.rooms() for person in session.rooms.people_in(room.room)}
    w = World({room_of(1): [*people, *(uid_of(n) for n in range(MOST))], room_of(2): [session.people.me.uid]})
    desks = {uid: w.desk_of(uid, DevId(uid)) for uid in sorted(people)}
    w.connect(*desks.values())
    for uid, desk in desks.items():
        if uid != session.people.me.uid:
            desk.service.choose(Presence.BUSY)
    w.time.pass_s(60)
    me = desks[session.people.me.uid]
    session.presence = me.service
    others = {
        room.room: person.uid
        for room in session.rooms.rooms()
        for person in session.rooms.people_in(room.room)
        if room.type is RoomType.DIRECT and not person.is_me
    }
    room, other = next(iter(others.items()))
    return _LargeRoom(w, me, room, desks[other], set(others.values()))


def _open(window: MainWindow, room: RoomId) -> RoomView:
    """Opens a room, without the list of its members."""
    window.open_room(room)
    view = window.current_room()
    assert view is not None
    if view.panel.isVisible():
        view.toggle_panel()
    return view


def _listed(window: MainWindow, room: RoomId) -> str:
    """What is said of a room in the list."""
    index = window.room_list.list.rows.index_of(room)
    return str(index.data(Qt.ItemDataRole.AccessibleTextRole))


def test_the_list_of_rooms_asks_for_the_other_of_each_conversation_of_two_in_sight(
    large: _LargeRoom, window: MainWindow
) -> None:
    _open(window, office().case)
    settle(window)
    assert "Upptagen" not in _listed(window, large.room)
    large.shown(window)
    assert "Upptagen" in _listed(window, large.room)
    assert set(large.asked()) == large.others


def test_the_list_of_rooms_does_not_ask_for_what_is_folded_up_or_out_of_sight(
    large: _LargeRoom, window: MainWindow, session: Session
) -> None:
    session.room_order.set_folded(RoomType.DIRECT, True)
    _open(window, office().case)
    large.shown(window, 3600)
    assert large.asked() == []
    session.room_order.set_folded(RoomType.DIRECT, False)
    window.room_list.list.setFixedHeight(40)  # no more than the first rows
    large.shown(window, 3600)
    assert large.asked() == []
    bar = window.room_list.list.verticalScrollBar()
    bar.setValue(bar.maximum())
    large.shown(window)
    assert large.asked() != []


def test_nobody_is_asked_while_the_window_is_hidden(large: _LargeRoom, window: MainWindow) -> None:
    _open(window, office().case)
    settle(window)
    window.hide()
    large.shown(window, 3600)
    assert large.asked() == []
    window.show()
    large.shown(window)
    assert set(large.asked()) == large.others


def test_the_head_of_a_conversation_of_two_asks_for_the_other(large: _LargeRoom, window: MainWindow) -> None:
    view = _open(window, large.room)
    window.room_list.hide()
    large.shown(window)
    assert view.presence.text() == "Upptagen"
    assert large.asked() == [large.other.uid]
    view.hide()
    large.shown(window, 3600)
    assert large.asked() == [large.other.uid]


def test_the_list_of_members_asks_for_those_in_sight(large: _LargeRoom, window: MainWindow) -> None:
    view = _open(window, office().case)
    window.room_list.hide()
    view.toggle_panel()
    large.shown(window, 10)
    rows = [row for row in view.panel.findChildren(MemberRow) if row.uid != large.me.uid]
    assert rows
    assert all("Upptagen" in row.accessibleName() for row in rows if not row.visibleRegion().isEmpty())
    asked = len(large.asked())
    view.toggle_panel()
    large.shown(window, 3600)
    assert len(large.asked()) == asked


@pytest.mark.parametrize("at", [0, 25, 5000, 10**6])
def test_a_list_knows_which_of_its_rows_are_in_sight(qtbot: QtBot, at: int) -> None:
    rows = RowList("Rum å")
    qtbot.addWidget(rows)
    rows.rows.set_rows([Row(key=n, title=f"Rum å {n} 🙂", section=n % 10 == 0) for n in range(1000)])
    rows.resize(200, 300)
    rows.show()
    rows.verticalScrollBar().setValue(at)
    sight = rows.viewport().rect()
    seen = {n for n in range(1000) if rows.visualRect(rows.rows.index(n)).intersects(sight)}
    assert seen
    assert rows.in_sight() == seen
    rows.rows.set_rows([])
    assert rows.in_sight() == set()
