# SPDX-License-Identifier: EUPL-1.2
"""A full disk, a locked database and a closed store during each action of a chat: the fault is shown once, what is
written stays in the field, Try again does it, and locking keeps it."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.chat.model import Message
from app.core.ids import ObjId
from app.errors import StoreFault
from tests.office import ROOM
from tests.ui.refusing import TEXT, Fault, Place, announced, fault, place, reopened
from ui.chat.view import ChatView

__all__ = ["announced", "fault", "place"]


def message(view: ChatView) -> Message:
    return view._timeline.message(0)


def texts(place: Place) -> list[str]:
    timeline = place.chat.timeline(ROOM)
    return [timeline.message(at).text for at in range(len(timeline))]


def view_of(qtbot: QtBot, place: Place) -> ChatView:
    view = ChatView(place.chat, ROOM)
    qtbot.addWidget(view)
    view.resize(800, 700)
    view.show()
    qtbot.waitUntil(view.isActiveWindow)
    view.composer.field.setFocus()
    return view


def sent(view: ChatView) -> None:
    QTest.keyClicks(view.composer.field, "Jag har ringt")
    QTest.keyClick(view.composer.field, Qt.Key.Key_Return)


def answered(view: ChatView) -> None:
    view.message_actions.act(message(view), "reply")
    sent(view)


def edited(view: ChatView) -> None:
    view.message_actions.act(message(view), "edit")
    QTest.keyClicks(view.composer.field, " igen")
    QTest.keyClick(view.composer.field, Qt.Key.Key_Return)


WRITTEN: dict[str, tuple[Callable[[ChatView], object], list[str]]] = {
    "sent": (sent, [TEXT, "Jag har ringt"]),
    "answered": (answered, [TEXT, "Jag har ringt"]),
    "edited": (edited, [f"{TEXT} igen"]),
}
DONE: dict[str, tuple[Callable[[ChatView], object], Callable[[ChatView], object]]] = {
    "reacted": (lambda view: view.message_actions.react(message(view), "👍"), lambda view: message(view).reactions),
    "deleted": (
        lambda view: view.message_actions.delete_now(message(view).change_id),
        lambda view: message(view).deleted,
    ),
}


@pytest.mark.parametrize("action", WRITTEN)
@pytest.mark.parametrize("then", ["try again", "lock"])
def test_a_refused_message_is_shown_once_stays_in_the_field_and_is_sent_or_kept(
    qtbot: QtBot, place: Place, fault: Fault, action: str, then: str
) -> None:
    act, after = WRITTEN[action]
    view = view_of(qtbot, place)
    refuse, code = fault
    with refuse(place):
        act(view)
        written = view.composer.text
        assert written
        ((notified, again),) = place.notified
        assert notified == code
        assert again is not None
        view.keep_draft()
        view.keep_draft()
        if then == "lock" or code == "store-closed":
            assert [unsaved.obj for unsaved in place.chat.unstored()] == [ObjId(ROOM)]
            with pytest.raises(StoreFault):
                place.save()
    assert len(place.notified) <= 2, "the draft that is refused too is shown once"
    if code == "store-closed":
        return
    if then == "lock":
        place.save()
        with reopened(place) as later:
            assert texts(later) == [TEXT]
            assert later.chat.draft(ROOM).text == written
        return
    again()
    assert texts(place) == after
    assert view.composer.text == ""
    with reopened(place) as later:
        assert texts(later) == after


@pytest.mark.parametrize("action", DONE)
def test_what_is_done_with_a_message_is_shown_once_and_done_by_try_again(
    qtbot: QtBot, place: Place, fault: Fault, action: str
) -> None:
    act, seen = DONE[action]
    view = view_of(qtbot, place)
    before = seen(view)
    refuse, code = fault
    with refuse(place):
        act(view)
        ((notified, again),) = place.notified
        assert notified == code
        assert again is not None
        if code != "store-closed":
            assert seen(view) == before
    if code == "store-closed":
        return
    again()
    assert seen(view) != before
    assert len(place.notified) == 1


def test_a_refused_draft_is_shown_once_until_it_is_stored(qtbot: QtBot, place: Place, fault: Fault) -> None:
    view = view_of(qtbot, place)
    refuse, code = fault
    with refuse(place):
        for word in ("Jag", " har", " ringt"):
            QTest.keyClicks(view.composer.field, word)
            view.keep_draft()
        ((notified, again),) = place.notified
        assert notified == code
        assert again is not None
        again()
        assert len(place.notified) == 2, "Try again shows a new refusal"
    assert [unsaved.obj for unsaved in place.chat.unstored()] == [ObjId(ROOM)]
    if code == "store-closed":
        return
    view.keep_draft()
    assert place.chat.unstored() == []
    with refuse(place):
        QTest.keyClicks(view.composer.field, " och skrivit")
        view.keep_draft()
    assert len(place.notified) == 3, "a new refusal"
    place.save()
    with reopened(place) as later:
        assert later.chat.draft(ROOM).text == "Jag har ringt och skrivit"
