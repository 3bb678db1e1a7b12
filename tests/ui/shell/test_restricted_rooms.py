# SPDX-License-Identifier: EUPL-1.2
"""Restricted rooms in the window: below their case room in the list, beside the members, by menu and by key; documents
that are moved there, and the questions about members who are removed."""

from collections.abc import Hashable

import pytest
import pytest_asyncio
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QMenu, QPushButton

from app.core.enums import Role, RoomType
from app.core.ids import ObjId, RoomId, Uid
from app.documents.tool import TOOL as DOCUMENTS
from app.notices.kinds import LEFT_PARENT
from app.notices.service import NoticeFilter
from app.rooms.records import ParentLinked
from app.session import Session
from app.settings import TEXT_SIZE
from app.store.notice_rows import Notice
from sync.errors import Refused, Unreachable
from tests.ui.faces import Name, face
from tests.ui.finding import only, toast_of
from tests.ui.shell.in_window import room, texts
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import remove, say, set_role
from tests.ui.shell.restricted_room import TITLE, record, restricted_room
from tests.ui.shell.sample import at
from tests.ui.shell.test_people import dialog
from tests.ui.shell.test_room_sections import choose, menu, opened
from tests.ui.soon import caught_up
from tests.ui.walking import check
from tests.world import until
from ui.documents.moving import MoveDialog
from ui.documents.view import DocumentsView
from ui.errors import format_error
from ui.shell.room.nested_part import NestedRow, QuestionCard
from ui.shell.room.removal_dialogs import RemoveDialog
from ui.shell.room.removing import NotRemovedDialog
from ui.shell.room.restricted_dialogs import RestrictedRoomDialog
from ui.shell.room.security_dialog import SecurityDialog
from ui.shell.rows import CHEVRON_PX, Row
from ui.shell.window.main_window import MainWindow
from ui.shell.window.room_rows import RoomRows


@pytest_asyncio.fixture
async def child(session: Session) -> RoomId:
    """A restricted room of this person's in the case room."""
    return restricted_room(session)


def rows(window: MainWindow) -> list[Row]:
    QApplication.processEvents()
    caught_up(window)
    return [row for row in window.room_list.list.rows.rows if not row.section]


def row_of(window: MainWindow, key: Hashable) -> Row | None:
    return next((row for row in rows(window) if row.key == key), None)


def at_row(window: MainWindow, key: RoomId) -> RoomRows:
    shown = window.room_list.list
    shown.setFocus()
    shown.choose(key)
    return shown


async def test_a_restricted_room_is_below_its_case_room_and_folds_by_key_and_by_the_mark(
    window: MainWindow, session: Session, child: RoomId
) -> None:
    window.go_section("rooms")
    case = office().case
    keys = [row.key for row in rows(window)]
    assert keys.index(child) == keys.index(case) + 1
    below, above = row_of(window, child), row_of(window, case)
    assert below is not None
    assert above is not None
    assert (below.within, above.folds) == ("Tillsyn 2026-1184", False)
    list_ = at_row(window, case)
    spot = face(list_).child(keys.index(case) + 1)
    assert spot.text(Name).startswith("Tillsyn 2026-1184")
    assert f"i {above.title}" in below.spoken
    unread = above.count
    say(session, child, office().registrar, "Ett nytt yttrande å")
    QTest.keyClick(list_, Qt.Key.Key_Left)
    folded = row_of(window, case)
    assert folded is not None
    assert (folded.folds, folded.count) == (True, unread + 1)
    assert row_of(window, child) is None
    QTest.keyClick(list_, Qt.Key.Key_Right)
    assert row_of(window, child) is not None
    rect = list_.visualRect(list_.rows.index_of(case))
    mark = QPoint(list_.viewport().width() - CHEVRON_PX - 4, rect.center().y())
    QTest.mouseClick(list_.viewport(), Qt.MouseButton.LeftButton, pos=mark)
    assert row_of(window, child) is None
    window.open_room(child)  # the open one stays in sight
    assert row_of(window, child) is not None
    assert session.room_order.hides_rooms_within(case)


async def test_a_room_whose_parent_is_left_or_not_here_is_shown_by_itself(
    window: MainWindow, session: Session, child: RoomId
) -> None:
    window.go_section("rooms")
    record(session, child, office().me, ParentLinked(room=RoomId(b"?" * 16)))
    found = row_of(window, child)
    assert found is not None
    assert found.within == ""
    record(session, child, office().me, ParentLinked(room=office().case))
    assert row_of(window, child) != found
    session.store.db.conn.execute("UPDATE rooms SET left = 1 WHERE room = ?", (office().case,))
    session.rooms.changed.emit()
    alone = row_of(window, child)
    assert alone is not None
    assert alone.within == ""
    window.open_room(child)
    assert room(window).room == child


async def test_both_rooms_name_each_other_beside_their_members(
    window: MainWindow, session: Session, child: RoomId
) -> None:
    window.open_room(office().case)
    panel = room(window).panel
    caught_up(window)
    assert "Begränsade rum" in texts(panel)
    only(panel, NestedRow).click()
    assert room(window).room == child
    caught_up(window)
    inner = room(window).panel
    assert "Hör till" in texts(inner)
    assert only(inner, NestedRow).accessibleName() == "Tillsyn 2026-1184"


async def test_the_link_is_ended_by_menu_and_taken_back_by_undo(
    window: MainWindow, session: Session, child: RoomId
) -> None:
    window.go_section("rooms")
    choose(menu(window, child), "Skilj från ärenderummet …")
    (await dialog()).accept()
    await until(lambda: session.nesting.parents() == {})
    found = row_of(window, child)
    assert found is not None
    assert found.within == ""
    toast_of(window).undo.click()
    assert session.nesting.parents() == {child: office().case}


async def test_the_menu_offers_a_restricted_room_only_to_administrators_of_case_rooms_with_one_level(
    window: MainWindow, session: Session, child: RoomId
) -> None:
    window.go_section("rooms")

    def offered(key: RoomId) -> bool:
        shown = menu(window, key)
        found = [action.text() for action in shown.actions()]
        shown.close()
        return "Begränsat rum …" in found

    groups = [each.room for each in session.rooms.rooms() if each.type is not RoomType.CASE]
    assert [offered(office().case), offered(child), *map(offered, groups)] == [True, False, *[False] * len(groups)]
    set_role(session, office().case, (office().me, Role.WRITER))
    assert not offered(office().case)
    command = next(each for each in window.commands.all if each.id == "restricted-room")
    window.open_room(office().case)
    assert not command.enabled()
    set_role(session, office().case, (office().me, Role.ADMIN))
    assert command.enabled()


@pytest.mark.usefixtures("connected")
async def test_a_restricted_room_is_made_by_the_rooms_menu_with_those_who_are_ticked(
    window: MainWindow, session: Session
) -> None:
    window.open_room(office().case)
    more = next(b for b in room(window).findChildren(QAbstractButton) if b.accessibleName() == "Mer om rummet")
    more.click()
    choose(opened(), "Begränsat rum …")
    made = await dialog()
    assert isinstance(made, RestrictedRoomDialog)
    assert not made.accept_button.isEnabled()
    made.field.setText(TITLE)
    assert (made.people, made.accept_button.isEnabled()) == ([], True)
    names = [made.list.item(n).text().split(" · ")[0] for n in range(made.list.count())]
    made.list.setFocus()
    made.list.setCurrentRow(names.index("Registrator"))
    QTest.keyClick(made.list, Qt.Key.Key_Space)
    made.accept()
    await until(lambda: (view := window.current_room()) is not None and view.room != office().case)
    inner = room(window).room
    assert session.nesting.parents() == {inner: office().case}
    assert {p.name for p in session.rooms.people_in(inner)} == {"Handläggare", "Registrator"}
    assert session.rooms.my_role(inner) is Role.OWNER


async def test_a_document_is_moved_by_its_menu_and_comes_back_by_undo(
    window: MainWindow, session: Session, child: RoomId
) -> None:
    service = session.service(DOCUMENTS)
    moved = service.create(office().case, "Utredning å")
    view = DocumentsView(service, office().case, parent=window)
    view.open(moved)
    view.doable()["move-restricted"]()
    asked = await dialog()
    assert isinstance(asked, MoveDialog)
    assert "Det som fanns i det här rummet fram till nu kan fortfarande läsas av dem som var här." in texts(asked)
    asked.accept()
    await until(lambda: [row.title for row in service.list(child)] == ["Utredning å"])
    assert moved not in [row.obj for row in service.list(office().case)]
    await until(lambda: view.document is None)
    assert toast_of(window).text() == f"”Utredning å” är flyttat till {TITLE}"
    toast_of(window).undo.click()
    assert moved in [row.obj for row in service.list(office().case)]
    assert service.list(child) == []
    view.show()
    view.list.refresh()
    view.list._on_menu(moved, QPoint(50, 50))
    shown = QApplication.activePopupWidget()
    assert isinstance(shown, QMenu)
    assert "Flytta till begränsat rum …" in [action.text() for action in shown.actions()]
    shown.close()
    record(session, child, office().me, ParentLinked())
    assert "move-restricted" not in view.doable()


async def test_removing_a_member_asks_about_the_rooms_that_one_owns(
    window: MainWindow, session: Session, child: RoomId
) -> None:
    window.open_room(office().case)
    panel = room(window).panel
    caught_up(window)
    row = next(b for b in panel.findChildren(QPushButton) if b.accessibleName().startswith("Registrator"))
    row.click()
    choose(opened(), "Ta bort från rummet …")
    asked = await dialog()
    assert isinstance(asked, RemoveDialog)
    assert asked.also == [child]
    box = only(asked, QCheckBox)
    assert (box.text(), box.isChecked()) == (f"Ta bort även ur {TITLE}", True)
    box.click()
    assert asked.also == []
    asked.reject()
    set_role(session, child, (office().me, Role.ADMIN))
    row.click()
    choose(opened(), "Ta bort från rummet …")
    asked = await dialog()
    assert isinstance(asked, RemoveDialog)
    assert asked.also == []
    assert f"Registrator är också med i {TITLE}. De som äger rummet tillfrågas." in texts(asked)
    asked.reject()


async def test_a_room_that_refuses_a_removal_is_named_and_keeps_no_other_from_being_done(
    window: MainWindow, session: Session, child: RoomId, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, gone = office().case, list[RoomId]()
    refused: list[Exception] = [Unreachable(), Refused("role")]

    async def take_out(room: RoomId, uid: Uid, reason: str = "") -> None:
        if room == case and refused:
            raise refused.pop(0)
        gone.append(room)
        remove(session, room, office().registrar)

    monkeypatch.setattr(session.rooms, "remove", take_out)
    window.open_room(case)
    caught_up(window)
    row = next(b for b in room(window).panel.findChildren(QPushButton) if b.accessibleName().startswith("Registrator"))
    row.click()
    choose(opened(), "Ta bort från rummet …")
    (await dialog()).accept()
    await until(lambda: isinstance(QApplication.activeModalWidget(), NotRemovedDialog))
    shown = await dialog()
    check(shown)
    assert gone == [child]
    assert shown.windowTitle() == "Registrator togs inte bort från alla rum"
    said = texts(shown)
    assert "Inte borttagen från Tillsyn 2026-1184" in said
    assert f"Borttagen från {TITLE}" in said
    assert any(format_error(Unreachable())[0] in each for each in said)
    shown.accept()
    await until(lambda: QApplication.activeModalWidget() not in (None, shown))
    again = await dialog()
    assert any(format_error(Refused("role"))[0] in each for each in texts(again))
    again.accept()
    await until(lambda: gone == [child, case])
    await until(lambda: toast_of(window).text() == "Registrator har tagits bort.")


async def test_a_member_who_was_removed_from_the_case_by_another_is_asked_about_and_may_stay(
    window: MainWindow, session: Session, child: RoomId
) -> None:
    registrar, head = office().registrar, office().head
    notice = Notice(
        kind=LEFT_PARENT, room=child, obj=ObjId(child), key=b"n", ref=registrar.uid, by=head.uid, t=at(14, 2)
    )
    session.store.notices.put([notice])
    asked = NoticeFilter(kinds=frozenset({LEFT_PARENT.id}), open=True)
    window.go_section("home")
    caught_up(window)
    assert f"Ska Registrator vara kvar i {TITLE}?" in "\n".join(texts(window))
    window.open_room(child)
    caught_up(window)
    card = only(room(window).panel, QuestionCard)
    assert "Enhetschef tog bort Registrator ur Tillsyn 2026-1184" in "\n".join(texts(card))
    card.keep_button.click()
    assert session.notices.count(asked) == 0
    caught_up(window)
    assert toast_of(window).text() == "Registrator är kvar i rummet."
    toast_of(window).undo.click()
    assert session.notices.count(asked) == 1
    caught_up(window)
    only(room(window).panel, QuestionCard).remove_button.click()
    shown = await dialog()
    assert isinstance(shown, RemoveDialog)
    shown.reject()


@pytest.mark.parametrize(("width", "text_size"), [(640, 100), (900, 200), (1440, 100)])
async def test_the_question_about_a_removed_member_is_reached_in_the_room_at_every_width(
    window: MainWindow, session: Session, child: RoomId, width: int, text_size: int
) -> None:
    registrar, head = office().registrar, office().head
    session.settings.set(TEXT_SIZE, text_size)
    window.resize(width, 800)
    window.open_room(child)
    caught_up(window)
    view = room(window)
    assert not view.question.isVisible()
    session.store.notices.put(
        [Notice(kind=LEFT_PARENT, room=child, obj=ObjId(child), key=b"n", ref=registrar.uid, by=head.uid, t=at(14, 2))]
    )
    caught_up(window)
    assert view.question.isVisible() is not view.panel.isVisible()
    if view.question.isVisible():
        assert view.question.text() == "Ska Registrator vara kvar i det här rummet?"
        check(window)
        only(view.question, QPushButton).click()
        caught_up(window)
        assert not view.question.isVisible()
    card = only(view.panel, QuestionCard)
    assert card.isVisible()
    card.keep_button.click()
    caught_up(window)
    view.toggle_panel()
    assert not view.question.isVisible()


async def test_the_question_is_in_a_bar_while_the_people_panel_is_hidden(
    window: MainWindow, session: Session, child: RoomId
) -> None:
    window.open_room(child)
    people = (office().registrar, office().head)
    session.store.notices.put(
        [
            Notice(kind=LEFT_PARENT, room=child, obj=ObjId(child), key=each.uid, ref=each.uid, t=at(14, 2))
            for each in people
        ]
    )
    caught_up(window)
    view = room(window)
    assert not view.question.isVisible()
    view.toggle_panel()
    assert view.question.text() == "Ska 2 personer som togs bort ur ärenderummet vara kvar i det här rummet?"
    only(view.question, QPushButton).click()
    caught_up(window)
    assert view.panel.isVisible()
    assert window.focusWidget() in [card.remove_button for card in view.panel.findChildren(QuestionCard)]


async def test_the_seal_page_says_what_stays_readable(window: MainWindow, session: Session, child: RoomId) -> None:
    for shown, words in (
        (child, "Det som fanns i Tillsyn 2026-1184 fram till nu kan fortfarande läsas av dem som var där."),
        (office().case, "Det som fanns i det här rummet fram till nu kan fortfarande läsas av dem som var här"),
    ):
        window.open_room(shown)
        room(window).explain_security()
        asked = await dialog()
        assert isinstance(asked, SecurityDialog)
        assert words in "\n".join(texts(asked))
        asked.reject()
