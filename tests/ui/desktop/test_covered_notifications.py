# SPDX-License-Identifier: EUPL-1.2
"""Under the curtain a notification says only that something came, and its buttons only bring up the curtain."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.store.notice_rows import NoticeId
from tests.ui.desktop.curtains import lift, visible_windows
from tests.ui.desktop.leaks import ROOM, SECRET, leaked, lock, nothing_gets_out, working
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import say
from tests.ui.shell.toasts import Toasts, ring
from tests.ui.soon import caught_up
from ui.shell.window.desktop_toast import Toast, ToastAction
from ui.shell.window.notification_window import NotificationWindow
from ui.shell.window.notification_windows import NotificationWindows
from ui.shell.window.notifications import COVERED

pytestmark = pytest.mark.usefixtures("swedish_desktop")


@pytest.mark.parametrize("action", list(ToastAction))
async def test_a_notifications_action_only_brings_up_the_curtain(
    qapp: QApplication, tmp_path: Path, action: ToastAction
) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        window.go_section("home")
        desktop = window.notifications.desktop = Toasts()
        window.hide()
        say(r.office.session, office().unit, office().head, SECRET)
        caught_up(window)
        assert desktop.texts == [SECRET]
        key = desktop.shown[0].key
        window.show()
        unread, place = window.unread, window.navigator.place
        lock(r)
        assert key in desktop.withdrawn, "what is on the desktop already is taken away"
        window.notifications.on_action(key, action)
        caught_up(window)
        nothing_gets_out(r)
        assert (window.unread, window.navigator.place) == (unread, place)


async def test_a_notification_says_only_that_something_came(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        desktop = window.notifications.desktop = Toasts()
        lock(r)
        for room in (office().unit, office().case):
            say(r.office.session, room, office().head, f"@{office().me.name} {SECRET}")
        await ring(r.office.session)
        caught_up(window)
        window.notifications.invited(office().lawyer)
        assert {(toast.key, toast.title, toast.text, toast.actions) for toast in desktop.shown} == {
            (COVERED, "Kansli", "Något har kommit. Lås upp Kansli för att se det.", frozenset())
        }
        await lift(r)
        assert COVERED in desktop.withdrawn


async def test_a_notification_in_a_window_of_ours_is_closed_and_only_a_bare_one_appears(
    qapp: QApplication, tmp_path: Path
) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        session, notifications = r.office.session, window.notifications
        desktop = notifications.desktop = NotificationWindows(window, notifications.on_action, lambda: True)
        window.hide()
        say(session, office().unit, office().head, SECRET)
        caught_up(window)
        (shown,) = desktop.shown
        assert shown.accessibleDescription() == SECRET
        actions = frozenset(ToastAction)
        desktop(Toast(key="annan", title=ROOM, text=SECRET, sounds=False, actions=actions))  # nobody takes it away
        window.show()
        lock(r)
        nothing_gets_out(r)
        desktop(Toast(key=office().unit, title=ROOM, text=SECRET, sounds=False, actions=actions))
        nothing_gets_out(r)
        assert not desktop.shown, "one that comes too late is not kept for afterwards either"
        say(session, office().unit, office().head, f"{SECRET} sen")
        caught_up(window)
        bare = desktop.shown[0]
        assert set(visible_windows()) == {r.shown, bare}
        assert bare.accessibleDescription() == "Något har kommit. Lås upp Kansli för att se det."
        assert leaked(r) == set()
        QTest.keyClick(bare, Qt.Key.Key_F6)
        assert (leaked(r), window.isVisible()) == (set(), False)
        place = window.navigator.place
        bare.buttons[ToastAction.OPEN].click()
        nothing_gets_out(r)
        assert window.navigator.place == place
        say(session, office().unit, office().head, f"{SECRET} till")
        caught_up(window)
        assert len(desktop.shown) == 1
        await lift(r)
        assert not desktop.shown
        assert not any(isinstance(each, NotificationWindow) for each in visible_windows())
        assert window.isVisible()


async def test_what_was_snoozed_rings_without_a_word_of_it(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        session = r.office.session
        desktop = window.notifications.desktop = Toasts()
        say(session, office().unit, office().head, f"@{office().me.name} {SECRET}")
        await ring(session)
        found = [row for row in session.notices.list() if row.room == office().unit]
        lock(r)
        desktop.shown.clear()
        rung: list[NoticeId] = []
        session.notices.fresh.connect(lambda fresh: rung.extend(row.id for row in fresh.notices))
        session.notices.snooze([found[0].id], 1)  # a time that has come
        ringing = asyncio.ensure_future(session.notices.run())
        await r.until(lambda: bool(rung))
        ringing.cancel()
        caught_up(window)
        assert rung == [found[0].id]
        assert {toast.key for toast in desktop.shown} == {COVERED}
        nothing_gets_out(r)
