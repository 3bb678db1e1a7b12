# SPDX-License-Identifier: EUPL-1.2
"""What the desktop is told: one notification for each conversation, of the same rows as the lists."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget

import ui.chat
from app.core.enums import Level, LinkState, Role, RoomState
from app.notification_settings import (
    NOTIFICATION_CONTENT,
    NOTIFICATION_SOUND,
    NOTIFICATIONS,
    WORKING_DAYS,
    WORKING_FROM,
)
from app.session import Session
from app.setting import Value
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import (
    begin_room,
    chat_of,
    end_reading,
    open_session,
    read_everything,
    say,
    show_status,
    stop,
)
from tests.ui.shell.sample import NOW, at
from tests.ui.shell.toasts import Toasts, ring, watch, watched
from tests.ui.shell.tool_views import FakeView
from tests.ui.soon import caught_up
from tests.world import until
from ui.shell.notices.lines import NoticeLines
from ui.shell.tool_list import ToolList
from ui.shell.window.desktop_toast import ToastAction
from ui.shell.window.main_window import MainWindow
from ui.shell.window.notifications import SEVERAL, Notifications

CASE = "Tillsyn 2026-1184"


async def all_shown(window: QWidget, session: Session) -> None:
    await ring(session)
    caught_up(window)


@pytest.mark.parametrize(
    ("fixed", "shown"),
    [
        ({"notifications": "none"}, []),
        ({"notifications": "mentions"}, []),
        ({"notification-content": "hidden"}, ["Kansli"]),
        ({"notification-content": "shown"}, [f"Enhetschef · {CASE}"]),
    ],
)
def test_notifications_are_as_policy_says_whatever_the_person_chose(
    hidden: QWidget, tmp_path: Path, fixed: dict[str, Value], shown: list[str]
) -> None:
    other = "hidden" if fixed.get("notification-content") == "shown" else "shown"
    (tmp_path / "settings.json").write_text(json.dumps({"notifications": "all", "notification-content": other}))
    session = open_session(tmp_path, fixed)
    watching, desktop = watch(hidden, session)
    say(session, office().case, office().head, "Ett å 🙂")
    caught_up(hidden)
    assert desktop.titles == shown
    assert watching.latest == office().case or not shown


@pytest.mark.parametrize(("wanted", "texts"), [
    ("all", ["1 nytt meddelande", "Du nämndes i ett rum."]), ("mentions", ["Du nämndes i ett rum."]), ("none", [])
])  # fmt: skip
async def test_each_news_is_shown_once_and_without_content(
    hidden: QWidget, session: Session, wanted: str, texts: list[str]
) -> None:
    session.settings.set(NOTIFICATIONS, wanted)
    await ring(session)
    _, desktop = watch(hidden, session)
    say(session, office().unit, office().head, "Ett å")
    await all_shown(hidden, session)
    say(session, office().case, office().head, "@Handläggare två 🙂")
    await all_shown(hidden, session)
    await all_shown(hidden, session)
    assert desktop.texts == texts
    assert set(desktop.titles) <= {"Kansli"}
    assert [toast.key for toast in desktop.shown][-1:] == [office().case][: len(texts)]


@pytest.mark.parametrize("rings_first", [True, False])
async def test_a_mention_is_one_notification_whether_the_count_or_the_notice_is_looked_at_first(
    hidden: QWidget, session: Session, rings_first: bool
) -> None:
    await ring(session)
    _, desktop = watch(hidden, session)
    say(session, office().case, office().head, "@Handläggare ett 🙂")
    if not rings_first:
        caught_up(hidden)
        assert desktop.shown == [], "the notice comes"
    await all_shown(hidden, session)
    caught_up(hidden)
    assert desktop.texts == ["Du nämndes i ett rum."]
    say(session, office().case, office().head, "Två å")
    caught_up(hidden)
    assert desktop.texts[1:] == ["1 nytt meddelande"]
    assert {toast.key for toast in desktop.shown} == {office().case}


async def test_content_is_shown_by_the_setting_and_never_for_a_room_of_which_it_is_hidden(
    hidden: QWidget, session: Session
) -> None:
    session.settings.set(NOTIFICATION_CONTENT, "shown")
    await ring(session)
    _, desktop = watch(hidden, session)
    say(session, office().case, office().head, "Ett å")
    await all_shown(hidden, session)
    say(session, office().case, office().head, "@Handläggare två 🙂", t_ms=at(14, 4))
    say(session, office().case, office().head, "@Handläggare tre", t_ms=at(14, 5))
    await all_shown(hidden, session)
    say(session, office().direct_head, office().head, "Fyra å")
    await all_shown(hidden, session)
    assert [(toast.title, toast.text) for toast in desktop.shown] == [
        (f"Enhetschef · {CASE}", "Ett å"),
        (f"Enhetschef · {CASE}", "@Handläggare tre (och 1 till)"),
        ("Enhetschef", "Fyra å"),
    ]
    session.wishes.set_hidden(office().case, True)
    say(session, office().case, office().head, "@Handläggare fem")
    await all_shown(hidden, session)
    assert (desktop.shown[-1].title, desktop.shown[-1].text) == ("Kansli", "Du nämndes i ett rum.")


@pytest.mark.parametrize(("level", "shown"), [(Level.ALL, 2), (Level.MENTIONS, 1), (Level.NOTHING, 0)])
async def test_a_room_rings_by_its_level(hidden: QWidget, session: Session, level: Level, shown: int) -> None:
    session.rooms.set_level(office().case, level)
    await ring(session)
    _, desktop = watch(hidden, session)
    say(session, office().case, office().head, "Ett å")
    await all_shown(hidden, session)
    say(session, office().case, office().head, "@Handläggare två 🙂")
    await all_shown(hidden, session)
    assert len(desktop.shown) == shown
    assert session.rooms.room(office().case).mentions, "it counts all the same"


async def test_what_came_while_the_person_was_away_is_one_notification_a_room_and_of_many_rooms_one(
    hidden: QWidget, session: Session
) -> None:
    await ring(session)
    _, desktop = watch(hidden, session)
    show_status(session, LinkState.SYNCING)
    session.notices.on_status(LinkState.SYNCING)
    say(session, office().case, office().head, *(f"@Handläggare rad {n}" for n in range(30)))
    say(session, office().unit, office().head, "Ett å")
    caught_up(hidden)
    assert desktop.shown == []
    show_status(session, LinkState.ONLINE)
    session.notices.on_status(LinkState.ONLINE)
    session.rooms.changed.emit()
    await all_shown(hidden, session)
    assert sorted(desktop.texts) == ["1 nytt meddelande", "Du har nämnts 30 gånger."]
    for room in (office().case, office().unit, office().direct_head, office().direct_registrar):
        say(session, room, office().head if room != office().direct_registrar else office().registrar, "@Handläggare å")
    await all_shown(hidden, session)
    assert desktop.shown[-1].key == SEVERAL
    assert len(desktop.shown) == 3
    assert "4 nyheter i 4 rum" in desktop.shown[-1].text


async def test_outside_the_working_hours_nothing_is_shown_and_all_counts(hidden: QWidget, session: Session) -> None:
    await ring(session)
    watching, desktop = watch(hidden, session)
    watching._now = lambda: NOW
    session.settings.set(WORKING_DAYS, "weekdays")
    session.settings.set(WORKING_FROM, 15)
    say(session, office().case, office().head, "@Handläggare ett å")
    await all_shown(hidden, session)
    watching.invited(None)
    assert desktop.shown == []
    assert session.rooms.room(office().case).mentions
    session.settings.set(WORKING_FROM, 14)
    say(session, office().case, office().head, "Två å")
    await all_shown(hidden, session)
    assert desktop.texts == ["1 nytt meddelande"], "what came before is not shown later"


def test_sound_is_by_the_setting(hidden: QWidget, session: Session) -> None:
    watching, desktop = watch(hidden, session)
    watching.invited(None)
    session.settings.set(NOTIFICATION_SOUND, False)
    watching.invited(None)
    assert [toast.sounds for toast in desktop.shown] == [True, False]


def test_a_room_whose_tools_have_no_words_is_not_shown(hidden: QWidget, session: Session) -> None:
    tools = ToolList([replace(ui.chat.TOOL, news=None)], session, lambda: NOW)
    shown, lines = Toasts(), NoticeLines(session, tools)
    watching = Notifications(hidden, session, tools, lambda: lines, shown)
    say(session, office().case, office().head, "Ett å")
    caught_up(hidden)
    assert (shown.shown, watching.latest) == ([], None)


def test_a_notification_goes_when_what_it_was_about_is_read(hidden: QWidget, session: Session) -> None:
    read_everything(session)
    _, desktop = watch(hidden, session)
    say(session, office().case, office().head, "Ett å")
    caught_up(hidden)
    chat_of(session).mark_all_read(office().case)
    caught_up(hidden)
    assert desktop.withdrawn == [office().case]


async def test_a_press_goes_to_the_place_reply_begins_an_answer_and_read_marks_it(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "isActiveWindow", lambda: False)
    await ring(session)
    desktop = window.notifications.desktop = Toasts()
    case = office().case
    say(session, case, office().head, "@Handläggare ett 🙂")
    await all_shown(window, session)
    (toast,) = desktop.shown
    assert toast.actions == {ToastAction.REPLY, ToastAction.READ}
    window.notifications.on_action("unknown", ToastAction.OPEN)
    assert window.current_room() is None
    window.notifications.on_action(toast.key, ToastAction.OPEN)
    view = window.current_room()
    assert view is not None
    assert view.room == case
    chat = view.view("chat")
    assert isinstance(chat, FakeView)
    (mention, *_) = session.notices.list()
    assert chat.refs == [(mention.obj, mention.ref)]
    answered: list[bytes] = []
    monkeypatch.setattr(chat, "answer", lambda obj, ref: answered.append(ref), raising=False)
    window.notifications.on_action(toast.key, ToastAction.REPLY)
    assert answered == [mention.ref]
    window.go_section("home")
    before = session.rooms.room(case).unread
    window.notifications.on_action(toast.key, ToastAction.READ)
    assert session.rooms.room(case).unread < before
    assert window.current_room() is None, "it stays where it is"


async def test_what_is_marked_as_unread_on_another_device_is_no_news(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_everything(session)
    await all_shown(window, session)
    desktop = window.notifications.desktop = Toasts()
    monkeypatch.setattr(window, "isActiveWindow", lambda: False)
    chat_of(session).mark_room_unread(office().case)
    await all_shown(window, session)
    assert session.rooms.room(office().case).unread == 1
    assert desktop.shown == []
    say(session, office().case, office().head, "Ett å")
    await all_shown(window, session)
    assert desktop.texts == ["1 nytt meddelande"]


async def test_the_first_reading_of_a_room_is_no_news(hidden: QWidget, session: Session) -> None:
    await ring(session)
    _, desktop = watch(hidden, session)
    room = begin_room(session, office().head, "Nytt ärende å")
    say(session, room, office().head, "Ett å", "Två 🙂")
    await all_shown(hidden, session)
    say(session, room, office().head, "Tre ö")
    await all_shown(hidden, session)
    end_reading(session, room)
    await all_shown(hidden, session)
    assert session.rooms.room(room).unread == 3
    assert desktop.shown == []
    say(session, room, office().head, "Fyra ä")
    await all_shown(hidden, session)
    assert desktop.texts == ["1 nytt meddelande"]


@pytest.mark.parametrize(("level", "count"), [(Level.MENTIONS, 2), (Level.NOTHING, 0)])
async def test_a_new_role_and_a_stopped_room_concern_the_person_and_ring_as_mentions_do(
    hidden: QWidget, session: Session, level: Level, count: int
) -> None:
    session.rooms.set_level(office().case, level)
    await ring(session)
    _, desktop = watch(hidden, session)
    role = RoomEvent(n=99_000, t=at(14, 4), kind="role", by=office().head.uid, subject=office().me.uid, role=Role.ADMIN)
    session.store.receive(ReceivedSlice(room=office().case, events=[role]))
    await all_shown(hidden, session)
    async with watched(session) as listed:
        stop(session, office().case, RoomState.FORK)
        await until(lambda: bool(listed("waits")))
    await all_shown(hidden, session)
    assert desktop.texts == ["Du har fått en ny roll i ett rum.", "Något väntar i ett rum."][:count]
