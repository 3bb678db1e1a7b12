# SPDX-License-Identifier: EUPL-1.2
"""Going about in the window: rail, rooms, tabs, back and forward, F6, Esc, palette, language."""

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QComboBox, QLabel, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from app.bootstrap import Office
from app.core.enums import LinkState, Role, RoomState
from app.core.ids import ObjId
from app.objects.links import ObjectLink
from app.objects.trash import PutAway, WrittenAfter
from app.session import Session
from app.settings import AUTO_LOCK_MINUTES, LANGUAGE, THEME, WINDOW_GEOMETRY
from app.store.rows import MAX_UNREAD, SearchHit
from app.tasks.tool import TOOL as TASKS
from tests.ui.finding import toast_of
from tests.ui.pointing import click
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import chat_of, continue_room, say, set_role, show_status, stop
from tests.ui.shell.sample import NOW
from tests.ui.shell.tool_views import TOOLS, FakeView
from tests.ui.soon import caught_up
from tests.world import until
from ui.kit import theme
from ui.kit.plain import Label
from ui.shell.entry.welcome import Enrolment
from ui.shell.home.home_page import invitations
from ui.shell.room.room_view import RoomView
from ui.shell.settings.settings_view import SettingsView
from ui.shell.window.main_window import MainWindow
from ui.shell.window.search_view import hit_row
from ui.tool import Shell, follow, toast


def texts(widget: QWidget) -> list[str]:
    """Every word a person sees in labels and buttons."""
    QApplication.processEvents()
    labels = [x.text() for x in widget.findChildren(QLabel) if x.isVisible()]
    return labels + [x.accessibleName() for x in widget.findChildren(QAbstractButton) if x.isVisible()]


def press(window: MainWindow, keys: str) -> None:
    """A shortcut, as its command is bound to it."""
    found = [a for a in window.actions() if keys in [s.toString() for s in a.shortcuts()]]
    assert len(found) == 1, keys
    found[0].trigger()


def room(window: MainWindow) -> RoomView:
    """The room that is shown."""
    view = window.current_room()
    assert view is not None
    return view


def test_no_two_commands_share_a_shortcut(window: MainWindow) -> None:
    shortcuts = [s.toString() for a in window.actions() for s in a.shortcuts()]
    assert len(shortcuts) == len(set(shortcuts))


def test_home_shows_the_day_and_what_needs_an_answer(window: MainWindow) -> None:
    shown = texts(window.content.home)
    assert "tisdag 24 november · vecka 48" in shown
    assert "God eftermiddag" in shown
    assert "Du nämndes i Tillsyn 2026-1184" in shown
    assert "Du har lagts till i Juridiskt stöd" in shown
    assert "Utkast till beslut" in shown
    assert "27 nov" in shown


def test_home_says_that_somebody_wrote_in_what_i_put_in_the_trash(window: MainWindow, session: Session) -> None:
    opened: list[ObjectLink] = []
    window.content.home.link_chosen.connect(opened.append)
    item = PutAway(
        room=office().case, obj=ObjId(b"u" * 16), kind="document", title="Utkast å 🙂", by=office().me.uid, t=1
    )
    notified = [WrittenAfter(item=item, by=(office().head.uid,), t=2)]
    session.trash.written_after = lambda: list(notified)  # type: ignore[method-assign] # a tool's bin
    session.rooms.changed.emit()
    caught_up(window)
    row = next(b for b in window.content.home.findChildren(QAbstractButton) if "Utkast å 🙂" in b.accessibleName())
    assert row.accessibleName().startswith(
        f"{office().head.name} skrev i ”Utkast å 🙂”, Du hade lagt det i papperskorgen."
    )
    row.click()
    assert opened == [item.link]
    notified.clear()
    session.rooms.changed.emit()
    caught_up(window)
    shown = [b.accessibleName() for b in window.content.home.findChildren(QAbstractButton) if b.isVisible()]
    assert not any("Utkast å 🙂" in name for name in shown)


async def test_a_tick_on_home_moves_the_card_to_the_finished_column(window: MainWindow, session: Session) -> None:
    box = next(
        b for b in window.content.home.findChildren(QAbstractButton) if b.accessibleName().startswith("Klar: Skriv")
    )
    box.click()
    assert "Skriv skälen för beslutet" in [t.title for t in session.service(TASKS).my_tasks(done=True)]


async def test_a_reader_cannot_tick_a_task_and_an_ended_rooms_tasks_are_not_shown(
    window: MainWindow, session: Session
) -> None:
    set_role(session, office().case, (office().me, Role.READER))
    stop(session, office().unit, RoomState.FORK)
    continue_room(session, office().unit, office().me, "Enheten")
    for section in (window.content.home, window.content.of_tools["tasks"]):
        window.content.stack.setCurrentWidget(section)
        QApplication.processEvents()
        boxes = {b.accessibleName(): b.isEnabled() for b in section.findChildren(QCheckBox)}
        assert boxes["Klar: Skriv skälen för beslutet"] is False
        assert "Klar: Svara på remiss om e-arkiv" not in boxes


async def test_nobody_is_added_to_a_room_that_is_only_read(window: MainWindow, session: Session) -> None:
    window.open_room(office().case)
    add = next(b for b in window.findChildren(QAbstractButton) if b.accessibleName() == "Lägg till deltagare")
    assert add.isVisible()
    stop(session, office().case, RoomState.FORK)
    continue_room(session, office().case, office().me)
    caught_up(window)
    assert not add.isVisible()


def test_the_rail_goes_by_keys_and_marks_where_one_is(window: MainWindow) -> None:
    for keys, section in (("Ctrl+2", "rooms"), ("Ctrl+3", "tasks"), ("Ctrl+4", "search"), ("Ctrl+1", "home")):
        press(window, keys)
        assert [k for k, b in window.rail.items.items() if b.isChecked()] == [section]
    assert not window.room_list.isVisible()


def test_the_rail_counts_what_is_unread(window: MainWindow, session: Session) -> None:
    assert window.rail.items["rooms"].count() == 5
    chat_of(session).mark_all_read(office().unit)
    caught_up(window)
    assert window.rail.items["rooms"].count() == 3
    assert window.windowTitle() == "(3) Kansli"


def test_the_title_says_that_more_is_unread_than_was_counted(window: MainWindow, session: Session) -> None:
    say(session, office().unit, office().head, *(f"å {n}" for n in range(MAX_UNREAD - 3)))
    caught_up(window)
    assert window.windowTitle() == f"({MAX_UNREAD + 2}) Kansli"
    say(session, office().unit, office().head, "ö")
    caught_up(window)
    assert window.windowTitle() == f"({MAX_UNREAD + 3}+) Kansli"


@pytest.mark.parametrize("by_key", [False, True])
def test_who_opens_a_room_in_the_list_can_write_at_once(window: MainWindow, *, by_key: bool) -> None:
    window.go_section("rooms")
    rooms = window.room_list.list
    index = rooms.rows.index_of(office().case)
    if by_key:
        rooms.setFocus()
        rooms.setCurrentIndex(index)
        QTest.keyClick(rooms, Qt.Key.Key_Return)
    else:
        click(rooms.viewport(), rooms.visualRect(index).center())
    assert room(window).room == office().case
    view = room(window).current_view()
    assert isinstance(view, FakeView)
    focused = window.focusWidget()
    assert focused is not None
    QTest.keyClicks(focused, "hej å")
    assert view.field.text() == "hej å"


def test_back_and_forward_follow_rooms_and_tabs(window: MainWindow) -> None:
    window.open_room(office().case)
    press(window, "Alt+3")
    window.open_room(office().permit)
    press(window, "Alt+Left")
    assert (room(window).room, room(window).tabs.current()) == (office().case, "tasks")
    press(window, "Alt+Left")
    assert room(window).tabs.current() == "chat"
    press(window, "Alt+Right")
    assert room(window).tabs.current() == "tasks"


def test_a_room_shows_its_seal_people_and_tools(window: MainWindow, session: Session) -> None:
    window.open_room(office().case)
    view = room(window)
    assert view.tabs.ids() == ["chat", "documents", "tasks"]
    shown = texts(view)
    assert {"I rummet", "Senast ändrat", "Tillsyn 2026-1184", "2 av 7 klara"} <= set(shown)
    assert view.faces.accessibleName() == "Deltagare: 3 personer"
    stop(session, office().case, RoomState.FORK)
    caught_up(window)
    chips = [
        c.accessibleName() for c in view.findChildren(QWidget) if c.accessibleName() == "Försegling: Olika historik"
    ]
    assert len(chips) == 1


def test_wide_tools_have_no_people_panel_until_it_is_asked_for(window: MainWindow) -> None:
    window.open_room(office().case)
    assert room(window).panel.isVisible()
    press(window, "Alt+3")
    assert not room(window).panel.isVisible()
    room(window).faces.click()
    assert room(window).panel.isVisible()


def test_a_link_opens_the_room_the_tool_and_the_place(window: MainWindow, session: Session) -> None:
    follow(window.content.home, ObjectLink(room=office().case, obj=office().board, kind="board", ref=b"card"))
    view = room(window)
    assert (view.room, view.tabs.current()) == (office().case, "tasks")
    tool = view.view("tasks")
    assert isinstance(tool, FakeView)
    assert tool.refs == [(office().board, b"card")]
    assert session.rooms.recent(1)[0].obj == office().board


def test_opening_a_room_is_noted_so_that_the_invitation_goes(window: MainWindow, session: Session) -> None:
    assert office().legal in [room.room for room, _, _ in invitations(session)]
    window.open_room(office().legal)
    assert [room.room for room, _, _ in invitations(session)] == []


async def test_the_palette_is_used_by_keys_alone(window: MainWindow, qtbot: QtBot) -> None:
    press(window, "Ctrl+K")
    palette = window.palette_view
    assert palette.isVisible()
    palette.field.insert("klagom")
    assert next(r.title for r in palette.list.rows.rows if not r.section) == "Klagomål 2026-0987"
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert not palette.isVisible()
    assert room(window).summary() is not None
    press(window, "Ctrl+K")
    palette.field.insert("tema mörkt")
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert theme.current().id == "dark"


def test_the_palettes_arrows_skip_headings_and_go_around(window: MainWindow) -> None:
    press(window, "Ctrl+K")
    palette = window.palette_view
    QTest.keyClick(palette.field, Qt.Key.Key_Up)
    last = palette.list.current_row()
    QTest.keyClick(palette.field, Qt.Key.Key_Down)
    first = palette.list.current_row()
    assert last is not None
    assert first is not None
    assert first.title == "Tillsyn 2026-1184"
    assert not last.section
    QTest.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not palette.isVisible()


def test_the_palette_shows_a_room_as_the_list_does_and_says_what_it_is(window: MainWindow) -> None:
    window.open_palette()
    offered = {row.title: row for row in window.palette_view.list.rows.rows}
    listed = {row.title: row for row in window.room_list.list.rows.rows if not row.section}
    for title in ("Tillsyn 2026-1184", "Enheten för tillsyn", "Enhetschef"):
        assert offered[title].picture == listed[title].picture
    assert (offered["Tillsyn 2026-1184"].right, offered["Enheten för tillsyn"].right) == ("Ärenderum", "Grupp")


def test_the_palette_offers_nothing_without_a_name(window: MainWindow) -> None:
    window.open_palette()
    assert all(row.title for row in window.palette_view.list.rows.rows)


async def test_a_rooms_own_name_is_found_once(window: MainWindow, session: Session) -> None:
    hit = SearchHit(
        room=office().case,
        obj=ObjId(office().case),
        kind="room",
        ref=b"",
        title="Tillsyn 2026-1184",
        snippet="",
        t=0,
        rank=0.0,
    )
    row = hit_row(hit, "Tillsyn 2026-1184", "file")
    assert (row.detail, row.icon) == ("", "room")

    async def find(text: str, **_: object) -> list[SearchHit]:
        return [hit]

    session.search.find = find  # type: ignore[method-assign] # what the store finds for the name
    window.palette_view.open("tills")
    await until(lambda: not window.palette_view.asking)
    assert [row.title for row in window.palette_view.list.rows.rows].count("Tillsyn 2026-1184") == 1


def test_a_hit_in_a_quotation_says_that_it_is_one() -> None:
    hit = SearchHit(
        room=office().case,
        obj=office().chat,
        kind="chat",
        ref=b"m",
        title="",
        snippet="Jag \x02godkänner\x03",
        t=0,
        rank=0.0,
    )
    row = hit_row(hit, "Tillsyn 2026-1184", "chat", ("godk",), "Enhetschef", quotes=True)
    assert (row.title, row.detail) == ("Tillsyn 2026-1184", "Enhetschef: ”Jag godkänner”")


def test_another_tab_gets_the_focus_as_a_whole_and_not_its_first_button(window: MainWindow) -> None:
    window.open_room(office().case)
    chat = room(window).current_view()
    assert isinstance(chat, FakeView)
    chat.field.setFocus()
    press(window, "Alt+3")
    board = room(window).current_view()
    assert isinstance(board, FakeView)
    assert window.focusWidget() is board.field  # what the view does with it


async def test_the_palette_finds_words_in_texts_and_people(window: MainWindow) -> None:
    palette = window.palette_view
    palette.open("kompl")
    await until(lambda: any("Kompletteringen från sökanden" in r.detail for r in palette.list.rows.rows))
    palette.open("enhetsch")
    assert any(r.title == "Enhetschef" and r.right == "personligen" for r in palette.list.rows.rows)
    palette.open("zzz")
    assert [r.title for r in palette.list.rows.rows if not r.section] == ["Sök i allt efter ”zzz”"]


async def test_what_is_chosen_in_the_palette_stays_chosen_when_more_is_found(window: MainWindow) -> None:
    palette = window.palette_view
    for steps, chosen in ((0, "Tillsyn 2026-1184"), (1, "Sök i allt efter ”kompl”")):
        palette.open("kompl")
        for _ in range(steps):
            QTest.keyClick(palette.field, Qt.Key.Key_Down)
        await until(lambda: len([r for r in palette.list.rows.rows if not r.section]) > 1)
        now = palette.list.current_row()
        assert now is not None
        assert now.title == chosen


async def test_enter_in_search_goes_to_the_first_place_when_it_is_found(window: MainWindow) -> None:
    window.go_section("search")
    view = window.content.search_view
    view.field.insert("kompl")
    QTest.keyClick(view.field, Qt.Key.Key_Return)
    await until(lambda: window.focusWidget() is view.list)
    assert view.list.currentIndex().row() == 0


def test_a_person_who_opens_a_room_by_key_can_write_at_once(window: MainWindow) -> None:
    press(window, "Ctrl+2")
    view = room(window).current_view()
    assert isinstance(view, FakeView)
    QTest.keyClicks(window.focusWidget(), "hej")
    assert view.field.text() == "hej"


def test_f6_goes_through_every_region_and_comes_back(window: MainWindow) -> None:
    window.open_room(office().case)
    seen = []
    for _ in range(5):
        press(window, "F6")
        focused = window.focusWidget()
        assert focused is not None
        parts = {"rail": window.rail, "list": window.room_list, "tabs": room(window).tabs, "panel": room(window).panel}
        seen.append(next((k for k, p in parts.items() if p is focused or p.isAncestorOf(focused)), "content"))
    assert sorted(seen) == ["content", "list", "panel", "rail", "tabs"]
    press(window, "Shift+F6")
    assert window.focusWidget() is not None


def test_the_settings_are_made_at_their_first_use(window: MainWindow) -> None:
    """They are half of the window's widgets, and few starts show them."""
    assert not window.content.stack.findChildren(SettingsView)
    press(window, "Ctrl+5")
    press(window, "Ctrl+1")
    press(window, "Ctrl+5")
    assert window.content.stack.findChildren(SettingsView) == [window.settings_view]
    assert window.settings_view.isVisible()


def test_esc_closes_the_toast_then_the_settings(window: MainWindow) -> None:
    undone: list[bool] = []
    press(window, "Ctrl+5")
    toast(window.settings_view, "Kortet har tagits bort 👍", lambda: undone.append(True))
    assert toast_of(window).isVisible()
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not toast_of(window).isVisible()
    assert window.content.stack.currentWidget() is window.settings_view
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.content.stack.currentWidget() is window.content.home
    assert isinstance(window, Shell)


async def test_offline_is_a_quiet_bar_and_a_word_in_the_status_bar(window: MainWindow, session: Session) -> None:
    assert window.content.status.texts() == [
        "Krypterat från ände till ände",
        "Myndighetens server",
        "Synkat",
        "Allt är skickat",
    ]
    for text in ("Ett å", "Två ä", "Tre ö"):
        chat_of(session).send(office().unit, text)
    show_status(session, LinkState.OFFLINE)
    assert "3 ändringar väntar." in window.content.bar.text()
    assert window.content.status.texts()[2:] == ["Frånkopplad", "3 ändringar inte skickade än"]
    show_status(session, LinkState.OFFLINE, "proxy-failed")
    assert "proxy släpper inte igenom Kansli" in window.content.bar.text()
    show_status(session, LinkState.ERROR, "certificate")
    assert "Servern kan inte visa vem den är." in window.content.bar.text()
    assert "certificate" not in window.content.bar.text()
    assert "Kod: certificate" in [label.text() for label in window.content.bar.findChildren(Label) if label.isVisible()]


async def test_the_content_stays_where_it_is_while_kansli_tries_to_connect(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    """What one is about to click on must not jump by the height of the bar at each attempt."""

    def top() -> int:
        QApplication.processEvents()
        return window.content.stack.mapTo(window, QPoint()).y()

    alone = top()
    for state in (LinkState.CONNECTING, LinkState.SYNCING, LinkState.CONNECTING, LinkState.ONLINE):
        show_status(session, state)
        assert (top(), window.content.bar.isVisible()) == (alone, False)
    show_status(session, LinkState.OFFLINE, "proxy-failed")
    below = top()
    assert below > alone
    for text in ("Ett å", "Två ä", "Tre ö"):
        chat_of(session).send(office().unit, text)
    show_status(session, LinkState.CONNECTING)
    assert top() == below
    assert "proxy släpper inte igenom Kansli" in window.content.bar.text()
    assert "3 ändringar väntar." in window.content.bar.text()
    show_status(session, LinkState.ONLINE)
    assert top() == alone


def test_another_language_is_shown_at_once(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    window.open_room(office().case)
    session.settings.set(LANGUAGE, "en")
    qtbot.waitUntil(lambda: window.rail.items["home"].accessibleName() == "Home")
    assert window.content.status.texts()[0] == "Encrypted from end to end"
    assert room(window).room == office().case
    press(window, "Ctrl+K")
    assert window.palette_view.isVisible()
    session.settings.set(LANGUAGE, "sv")
    qtbot.waitUntil(lambda: window.rail.items["home"].accessibleName() == "Hem")


def test_theme_and_auto_lock_follow_the_settings(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    session.settings.set(THEME, "dark")
    assert theme.current().id == "dark"
    session.settings.set(AUTO_LOCK_MINUTES, 5)
    assert window.auto_lock.minutes() == 5
    with qtbot.waitSignal(window.lock_requested, timeout=1000):
        press(window, "Ctrl+Shift+L")


def test_the_windows_place_is_kept(window: MainWindow, session: Session) -> None:
    window.close()
    assert session.settings.get(WINDOW_GEOMETRY)


def test_the_side_list_keeps_its_width_through_a_small_window(window: MainWindow) -> None:
    window.open_room(office().case)
    QApplication.processEvents()
    assert window.room_list.width() == 272
    window.resize(900, 600)
    QApplication.processEvents()
    window.go_section("home")
    window.resize(1440, 900)
    window.go_section("rooms")
    QApplication.processEvents()
    assert window.room_list.width() == 272


def test_a_wide_tool_that_is_hidden_does_not_narrow_the_side_list(window: MainWindow) -> None:
    window.open_room(office().case)
    press(window, "Alt+3")
    board = room(window).current_view()
    assert board is not None
    board.setMinimumWidth(1050)
    press(window, "Alt+1")
    QApplication.processEvents()
    assert room(window).panel.isVisible()
    assert window.room_list.width() == 272


def test_a_message_of_the_window_never_covers_the_field_where_one_writes(window: MainWindow) -> None:
    window.toast("Komplettering.pdf är sparad 👍")
    window.open_room(office().case)
    QApplication.processEvents()
    view = room(window).current_view()
    assert isinstance(view, FakeView)

    def covers() -> bool:
        toast, field = toast_of(window), view.field
        return QRect(toast.mapToGlobal(QPoint()), toast.size()).intersects(
            QRect(field.mapToGlobal(QPoint()), field.size())
        )

    assert toast_of(window).isVisible()
    assert not covers()
    view.field.setFixedHeight(200)
    QApplication.processEvents()
    assert not covers()


def test_the_next_unread_room_is_a_key_away(window: MainWindow) -> None:
    window.open_room(office().case)
    press(window, "Alt+Shift+Down")
    assert room(window).room == office().unit


def test_the_next_room_is_a_key_away_also_from_a_field(window: MainWindow, qtbot: QtBot) -> None:
    window.open_room(office().case)
    field = QPlainTextEdit(room(window).current_view())
    field.show()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    QTest.keyClick(field, Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
    assert room(window).room != office().case
    QTest.keyClick(window, Qt.Key.Key_PageUp, Qt.KeyboardModifier.ControlModifier)
    assert room(window).room == office().case


def test_a_choice_still_opens_by_its_own_key(window: MainWindow, qtbot: QtBot) -> None:
    press(window, "Ctrl+5")
    box = next(b for b in window.settings_view.findChildren(QComboBox) if b.isVisible())
    box.setFocus()
    qtbot.waitUntil(box.hasFocus)
    QTest.keyClick(box, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(box.view().isVisible)
    box.hidePopup()


async def test_writing_to_a_person_opens_the_room_that_is_there(window: MainWindow, session: Session) -> None:
    count = len(session.rooms.rooms())
    window.room_requests.write_to(office().registrar)
    await until(lambda: window.current_room() is not None)
    summary = room(window).summary()
    assert summary is not None
    assert (summary.title, len(session.rooms.rooms())) == ("Registrator", count)


@pytest.mark.parametrize("hour", [3, 7, 11, 15, 21])
def test_every_hour_has_a_greeting(hour: int) -> None:
    from ui.shell.home.home_page import greeting

    assert greeting(hour).startswith("God ")


def test_a_second_window_can_be_made_and_closed(qapp: QApplication, session: Session) -> None:
    one = MainWindow(session, TOOLS, now=lambda: NOW)
    one.show()
    one.open_room(office().case)
    one.close()
    one.deleteLater()
    QApplication.sendPostedEvents(None, 52)
    session.rooms.changed.emit()
    session.status_changed.emit()
    session.people.mark_verified(office().head.uid, True)


def real_office_fits(office: Office) -> Enrolment:
    """mypy holds app.bootstrap to what the first start needs."""
    return office


def test_what_the_open_view_can_do_is_among_the_commands_and_only_then(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    offered = {"print": lambda: done.append("print"), "import": lambda: done.append("import")}
    names = {"print", "export-docx", "export-pdf", "export-markdown", "import"}
    press(window, "Ctrl+P")
    window.open_room(office().case)
    press(window, "Ctrl+P")
    assert done == []
    assert not names & {command.id for command in window.commands.shown()}
    monkeypatch.setattr(FakeView, "doable", lambda _self: offered, raising=False)
    assert names & {command.id for command in window.commands.shown()} == {"print", "import"}
    press(window, "Ctrl+P")
    window.commands["import"].run()
    window.commands["export-pdf"].run()
    assert done == ["print", "import"]
