# SPDX-License-Identifier: EUPL-1.2
"""Where a room opens, and when a message counts as read: only after a second on screen in an active window."""

import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.chat.records import Mention, MessageSent, encode
from tests.app.chat.mentions import mentions
from tests.office import CHANNEL, EK, HL, ROOM, Desk, from_others
from tests.ui.pointing import click, wheel
from ui.chat.view import ChatView

T = 1_795_500_000_000
NAMED = MessageSent(text="@Handläggare å 🙂", mentions=(Mention(uid=HL, start=0, length=12),))
READ, NEW = 60, 40


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second is shorter."""
    monkeypatch.setattr("ui.chat.reading.READ_AFTER_S", 0.15)


def come(at: Desk, count: int, n: int = 10, *, named: tuple[int, ...] = ()) -> None:
    sent = [NAMED if i in named else MessageSent(text=f"Rad {i} åäö 🙂") for i in range(count)]
    from_others(at, EK, CHANNEL, [encode(each) for each in sent], n=n, t=T + n * 1000)


@pytest.fixture
def waiting(hl: Desk) -> Desk:
    """A room in which much was read, and much has come since; one of that names me."""
    come(hl, READ)
    hl.chat.mark_all_read(ROOM)
    come(hl, NEW, n=200, named=(NEW - 10,))
    return hl


def opened(hl: Desk, qtbot: QtBot, height: int = 600) -> ChatView:
    made = ChatView(hl.chat, ROOM)
    qtbot.addWidget(made)
    made.resize(800, height)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def in_sight(view: ChatView) -> list[int]:
    rows = [view.model.timeline.index_of(each) for each in view.list.ids_in_sight()]
    return [row for row in rows if row is not None]


def unread(hl: Desk) -> int:
    return hl.chat.unread(ROOM)[0]


def read_to_the_end(at: Desk, qtbot: QtBot) -> ChatView:
    """An open room at its latest message, of which nothing is unread."""
    view = opened(at, qtbot)
    view.list.jump_to_end()
    at.chat.mark_all_read(ROOM)
    qtbot.waitUntil(lambda: unread(at) == 0)
    return view


def elsewhere(qtbot: QtBot) -> QWidget:
    """Another window, which the person works in."""
    other = QLineEdit()
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    qtbot.waitUntil(other.isActiveWindow)
    return other


def back(view: ChatView, qtbot: QtBot) -> None:
    view.activateWindow()
    qtbot.waitUntil(view.isActiveWindow)


def rest(qtbot: QtBot, s: float = 0.4) -> None:
    """As long as a message needs to be read, and longer."""
    end = time.monotonic() + s
    qtbot.waitUntil(lambda: time.monotonic() > end)


def test_a_room_opens_at_the_first_unread_with_the_divider_in_sight(waiting: Desk, qtbot: QtBot) -> None:
    view = opened(waiting, qtbot)
    assert view.model.timeline.first_unread == READ
    assert READ in in_sight(view)
    layout = view.list.layout_of(READ)
    assert layout.unread is not None
    top = view.list.row_rect(READ).top() + round(layout.unread[0].top())
    assert 0 <= top < view.list.viewport().height() // 2
    assert len(waiting.chat.timeline(ROOM)) - 1 not in in_sight(view)


def test_a_room_with_nothing_unread_opens_at_the_latest(hl: Desk, qtbot: QtBot) -> None:
    come(hl, READ)
    hl.chat.mark_all_read(ROOM)
    assert opened(hl, qtbot).list.at_end


@pytest.mark.slow
def test_a_message_is_read_after_a_second_on_screen_and_not_before(waiting: Desk, qtbot: QtBot) -> None:
    view = opened(waiting, qtbot)
    rest(qtbot, 0.6)
    assert unread(waiting) == NEW
    qtbot.waitUntil(lambda: unread(waiting) < NEW, timeout=3000)
    assert unread(waiting) == NEW - len([row for row in in_sight(view) if row >= READ])


@pytest.mark.usefixtures("quick")
def test_only_what_was_on_screen_is_read(waiting: Desk, qtbot: QtBot) -> None:
    view = opened(waiting, qtbot)
    last = max(in_sight(view))
    qtbot.waitUntil(lambda: unread(waiting) == NEW - (last + 1 - READ), timeout=3000)
    assert view.model.timeline.rows.first_unread() == last + 1
    rest(qtbot)
    assert view.model.timeline.rows.first_unread() == last + 1


@pytest.mark.usefixtures("quick")
def test_one_reads_on_with_the_wheel_until_nothing_is_unread(waiting: Desk, qtbot: QtBot) -> None:
    view = opened(waiting, qtbot)
    for _ in range(6):
        below = READ + NEW - 1 - max(in_sight(view))
        qtbot.waitUntil(lambda: unread(waiting) == below, timeout=3000)  # noqa: B023 - waited for here
        wheel(view.list.viewport(), -3)
    assert unread(waiting) == 0
    assert mentions(waiting.store, waiting.chat, unread_only=True) == []


@pytest.mark.usefixtures("quick")
def test_nothing_is_read_in_a_window_that_is_not_active(waiting: Desk, qtbot: QtBot) -> None:
    other = elsewhere(qtbot)
    view = ChatView(waiting.chat, ROOM)
    qtbot.addWidget(view)
    view.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    view.resize(800, 600)
    view.show()
    other.activateWindow()
    rest(qtbot)
    assert unread(waiting) == NEW
    back(view, qtbot)
    qtbot.waitUntil(lambda: unread(waiting) < NEW, timeout=3000)


@pytest.mark.usefixtures("quick")
def test_scrolling_past_reads_nothing(waiting: Desk, qtbot: QtBot) -> None:
    view = opened(waiting, qtbot)
    bar = view.list.verticalScrollBar()
    bar.triggerAction(bar.SliderAction.SliderToMaximum)
    assert view.list.at_end
    rest(qtbot)
    seen = len(in_sight(view))
    assert 0 < seen < NEW
    assert unread(waiting) == NEW - seen
    assert view.model.timeline.rows.first_unread() == READ


@pytest.mark.usefixtures("quick")
def test_go_to_latest_says_how_many_it_marks_and_leaves_the_mentions(waiting: Desk, qtbot: QtBot) -> None:
    come(waiting, 20, n=400)
    view = opened(waiting, qtbot)
    assert view.jump.isVisible()
    assert view.jump.accessibleName() == f"Hoppa till nyaste och markera {NEW + 20 - 1} som lästa"
    click(view.jump)
    assert view.list.at_end
    assert waiting.chat.unread(ROOM) == (1, 1)
    rest(qtbot)
    (mention,) = mentions(waiting.store, waiting.chat, unread_only=True)
    view.open_ref(CHANNEL, mention.change_id)
    qtbot.waitUntil(lambda: waiting.chat.unread(ROOM) == (0, 0), timeout=3000)
    assert mentions(waiting.store, waiting.chat, unread_only=True) == []


@pytest.mark.usefixtures("quick")
def test_the_count_grows_while_one_reads_further_up(hl: Desk, qtbot: QtBot) -> None:
    come(hl, READ)
    hl.chat.mark_all_read(ROOM)
    view = opened(hl, qtbot)
    wheel(view.list.viewport(), 10)
    assert view.jump.accessibleName() == "Hoppa till nyaste"
    come(hl, 3, n=200)
    assert view.jump.accessibleName() == "Hoppa till nyaste och markera 3 som lästa"
    rest(qtbot)
    assert unread(hl) == 3


@pytest.mark.usefixtures("quick")
def test_many_new_messages_at_once_push_none_out_before_it_was_on_screen(hl: Desk, qtbot: QtBot) -> None:
    come(hl, READ)
    hl.chat.mark_all_read(ROOM)
    view = opened(hl, qtbot)
    assert view.list.at_end
    for i in range(NEW):
        come(hl, 1, n=200 + i)
    assert READ in in_sight(view)
    assert not view.list.at_end
    assert view.jump.isVisible()


@pytest.mark.usefixtures("quick")
def test_new_messages_are_followed_while_they_are_read(hl: Desk, qtbot: QtBot) -> None:
    come(hl, READ)
    hl.chat.mark_all_read(ROOM)
    view = opened(hl, qtbot)
    for i in range(20):
        come(hl, 1, n=200 + i)
        assert view.list.at_end
        qtbot.waitUntil(lambda: unread(hl) == 0, timeout=3000)


@pytest.mark.usefixtures("quick")
def test_what_came_while_one_worked_elsewhere_is_there_to_read_on_return(hl: Desk, qtbot: QtBot) -> None:
    come(hl, READ)
    hl.chat.mark_all_read(ROOM)
    view = opened(hl, qtbot)
    elsewhere(qtbot)
    come(hl, NEW, n=200)
    rest(qtbot)
    assert unread(hl) == NEW
    back(view, qtbot)
    assert READ in in_sight(view)
    assert view.list.layout_of(READ).unread is not None


@pytest.mark.usefixtures("quick")
def test_coming_back_to_a_room_shows_what_is_new_and_else_the_same_place(hl: Desk, qtbot: QtBot) -> None:
    come(hl, READ)
    hl.chat.mark_all_read(ROOM)
    view = opened(hl, qtbot)
    wheel(view.list.viewport(), 10)
    place = in_sight(view)
    view.hide()
    view.show()
    assert in_sight(view) == place
    view.hide()
    come(hl, NEW, n=200)
    view.show()
    assert READ in in_sight(view)


def test_a_link_to_a_message_opens_there_and_not_at_the_first_unread(waiting: Desk, qtbot: QtBot) -> None:
    view = ChatView(waiting.chat, ROOM)
    qtbot.addWidget(view)
    view.resize(800, 600)
    view.open_ref(CHANNEL, view.model.timeline.message(5).change_id)
    view.show()
    assert 5 in in_sight(view)


def test_after_sending_one_is_at_the_latest_and_new_messages_do_not_take_one_back(waiting: Desk, qtbot: QtBot) -> None:
    view = opened(waiting, qtbot)
    view.composer.field.setFocus()
    view.composer.field.insertPlainText("Svar å")
    QTest.keyClick(view.composer.field, Qt.Key.Key_Return)
    assert view.list.at_end
    come(waiting, 1, n=400)
    QApplication.processEvents()
    assert view.list.at_end
    assert unread(waiting) == NEW + 1


def test_older_history_that_arrives_leaves_the_window_where_it_is(hl: Desk, qtbot: QtBot) -> None:
    come(hl, READ, n=1000)
    view = opened(hl, qtbot)
    wheel(view.list.viewport(), -3)
    first = view.list.ids_in_sight()
    come(hl, 30, n=10)
    assert view.list.ids_in_sight() == first


def test_what_is_marked_as_unread_stays_so_until_the_person_has_left(waiting: Desk, qtbot: QtBot, quick: None) -> None:
    view = read_to_the_end(waiting, qtbot)
    rest(qtbot)
    message = view.model.timeline.message(READ + NEW - 2)
    view.message_actions.open_menu(message, view.mapToGlobal(view.rect().center()))
    menu = next(each for each in view.findChildren(QMenu) if each.isVisible())
    next(action for action in menu.actions() if action.text() == "Markera som oläst").trigger()
    assert unread(waiting) == 2
    assert view.model.timeline.first_unread == READ + NEW - 2
    come(waiting, 1, n=900)
    rest(qtbot)
    assert unread(waiting) == 3
    elsewhere(qtbot)
    back(view, qtbot)
    qtbot.waitUntil(lambda: unread(waiting) == 0)


def test_a_room_that_is_marked_as_unread_stays_so_while_it_is_open(waiting: Desk, qtbot: QtBot, quick: None) -> None:
    view = read_to_the_end(waiting, qtbot)
    rest(qtbot)
    waiting.chat.mark_room_unread(ROOM)
    assert unread(waiting) == 1
    assert view.model.timeline.first_unread == READ + NEW - 1
    come(waiting, 1, n=900)
    rest(qtbot)
    assert unread(waiting) == 2
    elsewhere(qtbot)
    back(view, qtbot)
    qtbot.waitUntil(lambda: unread(waiting) == 0)
