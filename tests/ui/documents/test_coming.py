# SPDX-License-Identifier: EUPL-1.2
"""A document is opened in the instant in which it arrives: the room lists it, and its text has not come yet."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.core.ids import ChangeId, DevId, ObjId
from app.documents import KIND
from app.documents.first_changes import first_changes
from app.rooms.records import ObjectAnnounced, encode
from sync.client.ports import OpenedChange
from sync.client.received import ReceivedSlice
from sync.trust.room.envelope import object_of
from tests.app.documents.desks import Desk, World
from tests.office import EK, OWN_ROOM, ROOM
from tests.ui.documents.shown_documents import opened, show
from tests.ui.soon import caught_up
from ui.documents.view import DocumentsView

TITLE = "Beslut å 🙂"


@pytest.fixture
def coming(hl: Desk, world: World) -> ObjId:
    """A document of a colleague that the room lists at `hl`; its text comes with `world.deliver`."""
    obj = world.add(EK).documents.create(ROOM, TITLE)
    assert [found.obj for found in hl.store.objects.all(ROOM)] == [obj]
    assert hl.documents.list(ROOM) == []
    return obj


def test_a_link_to_a_document_that_is_arriving_opens_it_as_soon_as_its_text_has_come(
    qtbot: QtBot, hl: Desk, world: World, coming: ObjId
) -> None:
    hl.documents.create(ROOM, "Yttrande")
    view = show(qtbot, hl)
    view.open_ref(coming, b"")
    assert view.currentWidget() is view.coming
    assert view.coming.is_focused
    assert "print" not in view.doable(), "nothing that is shown can be printed"
    caught_up(view)
    assert view.document is None
    world.deliver()
    caught_up(view)
    assert (opened(view).obj, opened(view).title.text()) == (coming, TITLE)
    assert view.window().focusWidget() is opened(view).editor
    view.show_list()
    world.deliver()
    caught_up(view)
    assert view.currentWidget() is view.list


def test_one_who_goes_back_to_the_list_stays_there_when_the_text_comes(
    qtbot: QtBot, hl: Desk, world: World, coming: ObjId
) -> None:
    view = show(qtbot, hl, coming)
    assert view.coming.step is not None
    QTest.keyClick(view.coming.step, Qt.Key.Key_Space)
    assert view.currentWidget() is view.list
    world.deliver()
    caught_up(view)
    assert view.document is None
    assert [row.title for row in view.list.documents.rows.rows] == [TITLE]


def test_a_document_that_comes_takes_no_focus_from_where_the_person_writes(
    qtbot: QtBot, hl: Desk, world: World, coming: ObjId
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    view, field = DocumentsView(hl.documents, ROOM, coming), QLineEdit()
    layout = QVBoxLayout(window)
    layout.addWidget(view)
    layout.addWidget(field)
    window.show()
    field.setFocus()
    world.deliver()
    caught_up(view)
    assert opened(view).obj == coming
    assert window.focusWidget() is field
    view.show_list()


def test_a_document_that_came_while_another_page_was_shown_opens_when_one_is_back(
    qtbot: QtBot, hl: Desk, world: World, coming: ObjId
) -> None:
    view = show(qtbot, hl, coming)
    view.hide()
    world.deliver()
    caught_up(view)
    assert view.document is None
    view.show()
    caught_up(view)
    assert opened(view).obj == coming


def test_a_view_that_is_made_again_still_waits_for_the_document(
    qtbot: QtBot, hl: Desk, world: World, coming: ObjId
) -> None:
    """As after another language was chosen."""
    left = show(qtbot, hl, coming).view_place()
    view = show(qtbot, hl)
    view.restore_place(left)
    world.deliver()
    caught_up(view)
    assert opened(view).obj == coming


def test_a_document_that_the_room_does_not_list_or_that_is_in_the_trash_is_not_waited_for(
    qtbot: QtBot, hl: Desk, coming: ObjId
) -> None:
    view = show(qtbot, hl, ObjId(b"unknown document"))
    assert view.currentWidget() is view.list
    hl.documents.delete(coming)
    view.open(coming)
    assert view.currentWidget() is view.list


def test_attack_a_document_that_is_announced_in_a_false_room_is_not_shown_in_it(
    qtbot: QtBot, hl: Desk, world: World
) -> None:
    """A member of both rooms announces one room's document in the other, before its text has come here."""
    share = b"s" * 32
    obj = object_of(OWN_ROOM, share)
    hl.rooms.announce(ROOM, obj, KIND.id)
    view = show(qtbot, hl, obj)
    assert view.currentWidget() is view.coming
    written = [(ObjId(OWN_ROOM), encode(ObjectAnnounced(obj=obj, kind=KIND.id)))]
    written += [(obj, data) for data in first_changes(TITLE, ())]
    changes = [
        OpenedChange(
            n=n, t=n, uid=EK, dev=DevId(EK), obj=of, change_id=ChangeId(n.to_bytes(16, "big")), payload=payload
        )
        for n, (of, payload) in enumerate(written, start=1)
    ]
    hl.store.receive(
        ReceivedSlice(room=OWN_ROOM, cursor=len(changes), state=b"", changes=changes, shares=[(obj, share)])
    )
    row = hl.documents.row(obj)
    assert row is not None
    assert (row.room, row.title) == (OWN_ROOM, TITLE)
    hl.documents.create(ROOM, "Yttrande")
    caught_up(view)
    assert view.document is None
