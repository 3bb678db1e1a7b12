# SPDX-License-Identifier: EUPL-1.2
"""What one does to a message happens to the message that one sees it at: the hover bar, menus, clicks and keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu
from pytestqt.qtbot import QtBot

from app.chat.model import Message
from app.chat.records import Attachment, MessageDeleted, MessageEdited, MessageSent, encode
from app.core.i18n import set_language
from app.core.ids import ChangeId
from tests.demo.hands import commit
from tests.office import CHANNEL, EK, HL, ROOM, Desk, Positions, desk, from_others
from tests.ui.chat.test_view import named
from tests.ui.pointing import click, point, press, release, wheel
from tests.world import until
from ui.chat.emoji import EmojiPanel
from ui.chat.message_layout import left_px
from ui.chat.view import ChatView
from ui.kit.dialogs import Dialog
from ui.kit.translate import short_day

COUNT = 60
T = 1_795_500_000_000


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    set_language("sv")
    made = desk(tmp_path, HL, admin=True)  # may delete everybody's
    from_others(made, EK, CHANNEL, [encode(MessageSent(text=f"Rad {i} åäö 🙂")) for i in range(COUNT)], n=10, t=T)
    made.chat.mark_all_read(ROOM)
    yield made
    made.close()


@pytest.fixture
def view(hl: Desk, qtbot: QtBot) -> ChatView:
    made = ChatView(hl.chat, ROOM)
    qtbot.addWidget(made)
    made.resize(800, 700)
    made.show()
    made.activateWindow()
    return made


def comes(hl: Desk, count: int = 1, n: int = 1000) -> None:
    """A colleague sends new messages."""
    from_others(hl, EK, CHANNEL, [encode(MessageSent(text="Ny å"))] * count, n=n, t=T + n * 100_000)


def row_of(view: ChatView, message: Message | None) -> int:
    assert message is not None
    row = view.model.timeline.index_of(message.change_id)
    assert row is not None
    return row


def hover(view: ChatView, row: int) -> None:
    """Rests the pointer on a message."""
    rect = view.list.row_rect(row)
    point(view.list.viewport(), QPoint(left_px() + 200, rect.bottom() - 8))
    assert row_of(view, view.hover.message) == row


def stands_on(view: ChatView) -> int | None:
    """The row at whose upper edge the bar is; None if it is gone."""
    bar = view.hover
    if not bar.isVisible():
        return None
    assert view.list.viewport().rect().contains(bar.geometry())
    inside = view.list.indexAt(QPoint(left_px() + 200, bar.geometry().top() + 8))
    return inside.row()


def on_its_own(view: ChatView) -> bool:
    """Whether the bar is gone or is at the message that it acts on."""
    at = stands_on(view)
    return at is None or at == row_of(view, view.hover.message)


def menu_of(view: ChatView) -> QMenu | None:
    return next((m for m in view.findChildren(QMenu) if m.isVisible()), None)


def choose(view: ChatView, text: str) -> None:
    menu = menu_of(view)
    assert menu is not None
    action = next(a for a in menu.actions() if a.text() == text)
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())


async def asked(view: ChatView) -> Dialog:
    await until(lambda: any(d.isVisible() for d in view.findChildren(Dialog)))
    return next(d for d in view.findChildren(Dialog) if d.isVisible())


def words(dialog: Dialog) -> str:
    return "\n".join(label.text() for label in dialog.findChildren(QLabel))


@pytest.mark.parametrize("on_the_bar", [False, True])
def test_the_bar_goes_away_when_the_wheel_takes_its_message_away(view: ChatView, on_the_bar: bool) -> None:
    hover(view, COUNT - 5)
    where = view.hover.geometry().center()
    if on_the_bar:
        point(view.hover)
    wheel(view.list.viewport(), 3, where)
    assert not view.list.at_end
    assert on_its_own(view)
    assert view.hover.message is None or row_of(view, view.hover.message) != COUNT - 5


@pytest.mark.parametrize("way", ["bar", "key", "jump", "found"])
def test_the_bar_stands_on_no_other_message_however_one_scrolls(view: ChatView, way: str) -> None:
    hover(view, COUNT - 5)
    match way:
        case "bar":
            view.list.verticalScrollBar().triggerAction(view.list.verticalScrollBar().SliderAction.SliderPageStepSub)
        case "key":
            view.list.setFocus(Qt.FocusReason.TabFocusReason)
            QTest.keyClick(view.list, Qt.Key.Key_PageUp)
            QTest.keyClick(view.list, Qt.Key.Key_PageUp)
        case "jump":
            view.list.jump_to(3)
        case _:
            view.open_ref(CHANNEL, view.model.timeline.message(2).change_id)
    QApplication.processEvents()
    assert on_its_own(view)


def test_the_bar_follows_its_message_when_new_ones_come(view: ChatView, hl: Desk) -> None:
    hover(view, COUNT - 5)
    before = view.hover.y()
    comes(hl)
    assert view.list.at_end
    assert row_of(view, view.hover.message) == COUNT - 5
    assert view.hover.y() < before
    assert stands_on(view) == COUNT - 5
    comes(hl, 40, n=2000)  # its message leaves the window
    assert on_its_own(view)
    assert not view.hover.isVisible()


def test_the_bar_follows_when_one_above_grows_or_the_window_does(view: ChatView, hl: Desk) -> None:
    view.list.jump_to(20)
    hover(view, 25)
    target = view.model.timeline.message(22).change_id
    from_others(hl, EK, CHANNEL, [encode(MessageEdited(target=target, text="lång rad\n" * 4))], n=900, t=T)
    assert stands_on(view) == 25
    view.resize(500, 600)
    QApplication.processEvents()
    assert on_its_own(view)


def test_the_bar_of_a_message_that_was_deleted_goes_away(view: ChatView, hl: Desk) -> None:
    hover(view, COUNT - 5)
    target = view.model.timeline.message(COUNT - 5).change_id
    from_others(hl, EK, CHANNEL, [encode(MessageDeleted(target=target))], n=900, t=T)
    assert not view.hover.isVisible()


def test_the_bar_edits_the_text_as_it_is_now(view: ChatView, hl: Desk) -> None:
    mine = hl.chat.send(ROOM, "4 §")
    Positions([hl], n=500, t=T + 1_000_000).deliver()
    hover(view, COUNT)
    hl.chat.edit(ROOM, mine, "5 §")  # as on another computer of one's own
    click(named(view, "Redigera meddelandet"))
    assert view.composer.text == "5 §"


async def test_what_is_deleted_is_the_message_that_the_bar_stood_on_and_the_question_names_it(
    view: ChatView, hl: Desk
) -> None:
    hover(view, COUNT - 5)
    click(named(view, "Mer för det här meddelandet"))
    comes(hl)  # while the menu is open
    choose(view, "Ta bort")
    dialog = await asked(view)
    message = view.model.timeline.message(COUNT - 5)
    assert f"Enhetschef, {short_day(message.day)} {message.when:%H:%M}: ”Rad {COUNT - 5} åäö 🙂”" in words(dialog)
    click(dialog.accept_button)
    await until(lambda: view.model.timeline.message(COUNT - 5).deleted)
    others = [i for i in range(COUNT) if view.model.timeline.message(i).deleted]
    assert others == [COUNT - 5]


async def test_the_wheel_between_the_pointer_and_the_click_deletes_nothing_else(view: ChatView, hl: Desk) -> None:
    """The action of the first day: rest on the bar, turn the wheel, click there."""
    hover(view, COUNT - 5)
    more = named(view, "Mer för det här meddelandet")
    place = more.mapTo(view.list.viewport(), more.rect().center())
    point(more)
    wheel(view.list.viewport(), 4, place)
    click(view.list.viewport(), place)
    menu = menu_of(view)
    if menu is not None:  # of the message that stands there now
        choose(view, "Ta bort")
        shown = words(await asked(view))
        assert view.hover.message is not None
        assert f"”{view.hover.message.text}”" in shown
    assert not any(view.model.timeline.message(i).deleted for i in range(COUNT))


async def test_the_question_names_a_message_of_files_and_cuts_a_long_one(view: ChatView, hl: Desk) -> None:
    file = Attachment(name="Bilaga å.pdf", size_bytes=6, media_type="application/pdf", manifest=b"m")
    texts = [MessageSent(text="", attachments=(file,)), MessageSent(text="**Lång** rad\n" * 80)]
    from_others(hl, EK, CHANNEL, [encode(t) for t in texts], n=900, t=T + 10_000_000)
    view.list.setFocus()
    for row, expected in ((COUNT, "”fil Bilaga å.pdf”"), (COUNT + 1, "”Lång rad Lång rad")):
        view.list.setCurrentIndex(view.model.index(row))
        QTest.keyClick(view.list, Qt.Key.Key_Delete)
        dialog = await asked(view)
        named_it = next(label.text() for label in dialog.findChildren(QLabel) if "Enhetschef" in label.text())
        assert expected in named_it
        assert len(named_it) < 200
        assert "*" not in named_it
        dialog.reject()
        await until(lambda: not any(d.isVisible() for d in view.findChildren(Dialog)))


def test_who_clicks_on_a_message_and_types_is_writing_a_new_one(view: ChatView, hl: Desk) -> None:
    """Not changing the old one, though the letters are those that edit and answer."""
    hl.chat.send(ROOM, "Mitt å")
    view.list.jump_to_end()
    own = view.model.rowCount() - 1
    click(view.list.viewport(), view.list.row_rect(own).center())
    for letter in "rs å":
        focus = QApplication.focusWidget()
        assert focus is not None
        QTest.keyClicks(focus, letter) if letter.isascii() else commit(focus, letter)
    assert view.composer.edits is None
    assert view.composer.replies_to is None
    assert view.composer.text == "rs å"
    assert view.composer.field.hasFocus()


def test_a_key_acts_on_the_chosen_message_in_sight(view: ChatView) -> None:
    view.list.setFocus()
    QTest.keyClick(view.list, Qt.Key.Key_Home)
    chosen = view.list.currentIndex().row()
    wheel(view.list.viewport(), -40)
    assert not seen(view, chosen)
    QTest.keyClick(view.list, Qt.Key.Key_S)
    assert seen(view, chosen)
    assert row_of(view, view.composer.replies_to) == chosen


def seen(view: ChatView, row: int) -> bool:
    rect = view.list.row_rect(row)
    return rect.top() >= 0 and rect.bottom() <= view.list.viewport().height()


def test_a_menu_at_the_pointer_is_that_of_the_message_there_and_moves_nothing(view: ChatView) -> None:
    wheel(view.list.viewport(), 1)
    bar = view.list.verticalScrollBar()
    top = view.list.indexAt(QPoint(left_px(), 30)).row()
    while view.list.row_rect(top).top() > -10:  # until it is partly out of sight
        bar.setValue(bar.value() + 1)
    before = view.list.row_rect(top)
    at = QPoint(left_px() + 100, 4)
    click(view.list.viewport(), at, right=True)
    where = view.list.viewport().mapToGlobal(at)
    QApplication.sendEvent(view.list.viewport(), QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, where))
    menu = menu_of(view)
    assert menu is not None
    assert view.list.row_rect(top) == before
    choose(view, "Svara")
    assert row_of(view, view.composer.replies_to) == top


def test_a_click_takes_effect_only_where_it_was_begun(view: ChatView, hl: Desk) -> None:
    link = encode(MessageSent(text="[Rum](kansli://x) https://kansli.example/aa"))
    from_others(hl, EK, CHANNEL, [link] * 8, n=900, t=T + 10_000_000)
    hits: list[ChangeId] = []
    view.list.hit.disconnect()
    view.list.hit.connect(lambda message, hit: hits.append(message.change_id))
    row = COUNT + 5
    rect = view.list.row_rect(row)
    at = next(
        QPoint(x, rect.bottom() - 12)
        for x in range(left_px(), 600, 4)
        if view.list._hit_at(QPoint(x, rect.bottom() - 12))[1] is not None
    )
    view.list._hover.end()
    press(view.list.viewport(), at)
    from_others(hl, EK, CHANNEL, [link], n=990, t=T + 10_500_000)  # all go up by one row
    release(view.list.viewport(), at)
    assert hits == []
    click(view.list.viewport(), at)
    assert len(hits) == 1


def test_a_menu_closes_when_its_message_is_deleted_meanwhile(view: ChatView, hl: Desk) -> None:
    hover(view, COUNT - 5)
    click(named(view, "Mer för det här meddelandet"))
    assert menu_of(view) is not None
    target = view.model.timeline.message(COUNT - 5).change_id
    from_others(hl, EK, CHANNEL, [encode(MessageDeleted(target=target))], n=900, t=T)
    assert menu_of(view) is None


def test_the_emoji_are_offered_at_the_message_that_a_key_asked_for(view: ChatView) -> None:
    hover(view, COUNT - 3)
    view.list.setFocus()
    QTest.keyClick(view.list, Qt.Key.Key_End)
    view.list.setCurrentIndex(view.model.index(COUNT - 12))
    hover(view, COUNT - 3)
    QTest.keyClick(view.list, Qt.Key.Key_Plus)
    panel = next(p for p in view.findChildren(EmojiPanel) if p.isVisible())
    rect = view.list.row_rect(COUNT - 12)
    top = view.list.viewport().mapFromGlobal(panel.pos()).y()
    assert rect.top() <= top <= rect.bottom() + 40
    button = next(b for b in panel.findChildren(QAbstractButton) if b.hasFocus())
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert view.model.timeline.message(COUNT - 12).reactions


def test_a_double_click_starts_nothing(view: ChatView) -> None:
    hover(view, COUNT - 5)
    rect = view.list.row_rect(COUNT - 5)
    place = view.list.viewport().mapTo(view, QPoint(left_px() + 20, rect.bottom() - 8))
    handle = view.windowHandle()
    assert handle is not None
    QTest.mouseDClick(handle, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    QApplication.processEvents()
    assert view.composer.replies_to is None
    assert row_of(view, view.list.current()) == COUNT - 5
    assert menu_of(view) is None
