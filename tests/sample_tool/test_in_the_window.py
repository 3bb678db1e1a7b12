# SPDX-License-Identifier: EUPL-1.2
"""A tool that the product does not know, in its window: what the window makes of each part of the contract."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.core.i18n import set_language
from app.notification_settings import NOTIFICATION_CONTENT
from app.objects.links import ObjectLink
from tests.journeys.desks import Desk, Offices
from tests.sample_tool.minutes_desk import (
    TEXT,
    button,
    minutes,
    opened,
    reads,
    shown,
    tab,
    text_of,
    window_of,
    write,
)
from tests.sample_tool.ui.everywhere import AllMinutes, HomeMinutes
from tests.sample_tool.ui.rows import Row
from tests.sample_tool.ui.view import MinutesView
from tests.ui.shell.toasts import Toasts
from tests.ui.view_parts import view_parts
from tests.ui.walking import check, check_tab
from tests.world import until
from ui.kit.translate import full_day, local_now


async def test_the_first_minutes_are_made_in_the_tab_and_a_colleague_reads_them(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Enhetschef")
    room = await o.room(a, b)
    with window_of(a) as window:
        view = tab(window, room)
        shell = window.current_room()
        assert shell is not None
        assert shell.tabs.ids() == ["chat", "documents", "tasks", "minutes"]
        assert minutes(a).minutes(room) == [], "the tab is there before any object"
        button(view, "Nytt protokoll").click()
        title = opened(view).title
        assert window.focusWidget() is title
        assert title.selectedText() == f"Protokoll {full_day(local_now().date())}"
        title.insert("Enhetsmöte å")
        QTest.keyClick(title, Qt.Key.Key_Return)
        assert window.focusWidget() is opened(view).editor
        QTest.keyClicks(opened(view).editor, "Beslut: ja")
        obj = opened(view).obj
        await reads(b, room, obj, "Beslut: ja")
        assert [row.title for row in minutes(b).minutes(room)] == ["Enhetsmöte å"]
        write(b, obj, " och nej")
        await shown(lambda: opened(view).editor.toPlainText().strip() == "Beslut: ja och nej")


async def test_the_rail_and_home_have_the_minutes_of_every_room(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Enhetschef")
    room = await o.room(a, b)
    with window_of(a) as window:
        home = next(iter(window.content.home.findChildren(HomeMinutes)))
        assert home.none.isVisible(), "a sentence, while there is nothing"
        assert {each.id: each.key for each in window.sections}["minutes"] == "Ctrl+4"
        await until(lambda: any(r.room == room for r in b.session.rooms.rooms()))
        obj = minutes(b).create(room, "Enhetsmöte å")
        item = window.rail.items["minutes"]
        await shown(lambda: item.count() == 1 and home.card.row(obj) is not None)
        row = home.card.row(obj)
        assert row is not None
        assert row.accessibleName().startswith("Enhetsmöte å, Nytt, Tillsyn 2026-1184 åäö · Enhetschef")
        QTest.keyClick(window, Qt.Key.Key_4, Qt.KeyboardModifier.ControlModifier)
        section = window.content.stack.currentWidget()
        assert isinstance(section, AllMinutes)
        listed = section.card.row(obj)
        assert listed is not None
        listed.click()
        view = window.current_room()
        assert view is not None
        assert view.room == room
        await shown(lambda: item.count() == 0)


async def test_the_palette_has_the_command_and_the_objects_and_search_their_words(o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    room = await o.room(a)
    obj = minutes(a).create(room, "Enhetsmöte å")
    write(a, obj, TEXT)
    minutes(a).add_item(room, "Budgeten för hösten å")
    with window_of(a) as window:
        command = window.commands["new-minutes"]
        assert not command.enabled(), "no view can do it"
        view = tab(window, room)
        assert command in window.commands.shown()
        QTest.keyClick(window, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
        assert len(minutes(a).minutes(room)) == 2
        opened(view).closed.emit()
        window.open_palette()
        palette = window.palette_view
        palette.field.insert("enhetsm")
        await shown(lambda: any(row.title == "Enhetsmöte å" for row in palette.list.rows.rows))
        palette.dismiss()
        window.open_link(await found(a, "tillsynen"))
        assert opened(view).obj == obj
        assert opened(view).editor.textCursor().position() == TEXT.index("tillsynen"), "the words are marked"
        window.open_link(await found(a, "budgeten"))
        assert window.focusWidget() is button(view, "Behandlad: Budgeten för hösten å")
        assert window.tools.things() == "chatt, dokument, uppgifter och protokoll"
        assert window.tools.with_history() == "dokument, tavlor och protokoll"
        assert window.tools.without_history() == "chatt, dagordningar och filer"


async def test_what_others_write_is_counted_and_announced_until_it_was_seen(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = await o.hire("Handläggare", "Enhetschef")
    room = await o.room(a, b)
    obj = minutes(a).create(room, "Enhetsmöte å")
    await reads(b, room, obj, "")
    with window_of(a) as window:
        desktop = Toasts()
        window.notifications.desktop = desktop
        with monkeypatch.context() as away:
            away.setattr(window, "isActiveWindow", lambda: False)
            write(b, obj, TEXT)
            await shown(lambda: desktop.texts == ["1 nyhet i protokoll"])
            minutes(b).add_item(room, "Budgeten")
            await shown(lambda: a.session.rooms.room(room).unread == 2)
            assert a.session.rooms.room(room).preview == "Budgeten"
            await shown(lambda: len(desktop.texts) == 2)  # else both items would be one notification
            a.session.settings.set(NOTIFICATION_CONTENT, "shown")
            minutes(b).add_item(room, "Lokalerna")
            await shown(lambda: desktop.texts[-1:] == ["Lokalerna"])
            assert desktop.titles[-1] == "Enhetschef · Tillsyn 2026-1184 åäö"
            assert {toast.key for toast in desktop.shown} == {room}, "one notification of the conversation"
        spoken: list[str] = []
        monkeypatch.setattr(window.announcer, "announce", lambda kind, text, count=1: spoken.append(text))
        minutes(b).add_item(room, "Semestrarna")
        await shown(lambda: a.session.rooms.room(room).unread == 4)  # what was there before may be announced first
        await shown(lambda: "Nytt i protokollen i Tillsyn 2026-1184 åäö" in spoken)
        view = tab(window, room)
        await shown(lambda: a.session.rooms.room(room).unread == 1)
        view.open(obj)
        await shown(lambda: a.session.rooms.room(room).unread == 0)
        write(b, obj, " mer")
        await shown(lambda: opened(view).editor.toPlainText().strip() == f"{TEXT} mer")
        await shown(lambda: a.session.rooms.room(room).unread == 0)


async def test_what_the_person_did_is_undone_and_what_others_wrote_stays(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Enhetschef")
    room = await o.room(a, b)
    obj = minutes(a).create(room, "Enhetsmöte å")
    await reads(b, room, obj, "")
    minutes(a).add_item(room, "Budgeten")
    with window_of(a) as window:
        view = tab(window, room)
        button(view.agenda, "Behandlad: Budgeten").click()
        assert [item.closed for item in minutes(a).agenda(room)] == [True]
        button(window, "Ångra").click()
        assert [item.closed for item in minutes(a).agenda(room)] == [False]
        view.open(obj)
        editor = opened(view).editor
        QTest.keyClicks(editor, "Mitt.")
        write(b, obj, " Chefens.")
        await shown(lambda: "Chefens." in editor.toPlainText() and "Mitt." in editor.toPlainText())
        QTest.keyClick(editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert text_of(a, obj) == "Chefens."


@pytest.mark.parametrize("language", ["sv", "en"])
async def test_every_part_has_a_name_and_a_role_and_the_keys_reach_it(o: Offices, qtbot: QtBot, language: str) -> None:
    (a,) = await o.hire("Handläggare")
    room = await o.room(a)
    obj = minutes(a).create(room, "Enhetsmöte å")
    item = minutes(a).add_item(room, "Budgeten")
    set_language(language)
    view = MinutesView(view_parts(minutes(a), a.session.people), room, None)
    qtbot.addWidget(view)
    view.resize(1000, 700)
    view.show()
    view.activateWindow()
    check(view)
    check_tab(view)
    view.open_ref(minutes(a).agenda(room)[0].obj, item)
    assert view.focusWidget() is view.agenda.rows.rows[0].button
    view.open(obj)
    check(view)
    check_tab(view)
    view.set_writable(False)
    assert opened(view).editor.isReadOnly()
    assert not [field for field in view.findChildren(QLineEdit) if field.isVisible() and not field.isReadOnly()]
    check(view)


async def test_the_focus_stays_where_the_person_is(o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    room = await o.room(a)
    obj = minutes(a).create(room, "Enhetsmöte å")
    with window_of(a) as window:
        view = tab(window, room)
        row = view.card.row(obj)
        assert row is not None
        row.setFocus()
        face = QAccessible.queryAccessibleInterface(row)
        assert face is not None
        assert (face.role(), face.text(QAccessible.Text.Name)[:12]) == (QAccessible.Role.Button, "Enhetsmöte å")
        QTest.keyClick(row, Qt.Key.Key_Return)
        assert window.focusWidget() is opened(view).editor
        button(view, "Tillbaka till protokollen").click()
        assert window.focusWidget() is row, "the focus comes back to the list"
        minutes(a).create(room, "Ett till å")
        write(a, obj, TEXT)
        await shown(lambda: len(view.card.findChildren(Row)) == 2 and "6 ord" in row.accessibleName())
        assert window.focusWidget() is row, "a refresh keeps the focus"


async def found(desk: Desk, words: str) -> ObjectLink:
    """The place that a search finds, as the window opens it."""
    await until(lambda: bool(desk.session.search.find_here(words)))
    (hit,) = await desk.session.search.find(words)
    return ObjectLink(room=hit.room, obj=hit.obj, kind=hit.kind, ref=hit.ref, words=(words,))
