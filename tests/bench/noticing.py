# SPDX-License-Identifier: EUPL-1.2
"""Notices on screen and on the desktop: how long Home and Activity take with 10,000 of them, and how soon a mention is
with the desktop's service for notifications."""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.registry import Figure, bench, median

NOTICES = 10_000
OPENED = 9
MENTIONS = 9


def _window(folder: Path) -> tuple[object, object]:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtWidgets import QApplication

    from tests.ui.shell.opened_office import open_session
    from ui.kit import theme
    from ui.shell.window.main_window import MainWindow
    from ui.tools import TOOLS

    application = QApplication.instance() or QApplication(["kansli"])
    assert isinstance(application, QApplication)
    theme.apply(application, "light")
    session = open_session(folder)
    window = MainWindow(session, TOOLS)
    window.resize(1440, 900)
    window.show()
    QApplication.processEvents()
    return session, window


def _fill(session: object) -> None:
    """Each notice is about a message that is there, in one of the rooms with a conversation."""
    from app.chat.noticing import MENTION
    from app.core.ids import ObjId, RoomId
    from app.session import Session
    from app.store.notice_rows import AT_ONCE, Notice
    from tests.ui.shell.kept_office import office

    assert isinstance(session, Session)
    sql = "SELECT room, obj, change_id, t FROM chat_messages WHERE deleted_by IS NULL AND author <> ?"
    found = session.store.db.rows(sql, (office().me.uid,))
    made = []
    for n in range(NOTICES):
        room, obj, change_id, t = found[n % len(found)]
        key = n.to_bytes(8, "big")
        made.append(Notice(kind=MENTION, room=RoomId(room), obj=ObjId(obj), key=key, by=office().head.uid, n=None,
                           t=t + n, ref=change_id))  # fmt: skip
    for at in range(0, NOTICES, AT_ONCE):
        session.store.notices.put(made[at : at + AT_ONCE])


def _timed_ms(show: Callable[[], object], count: int) -> float:
    from PySide6.QtWidgets import QApplication

    samples = []
    for _ in range(count):
        began = time.perf_counter()
        show()
        QApplication.processEvents()
        samples.append((time.perf_counter() - began) * 1000)
    return median(samples)


@bench("home_10000_notices_ms", "home_changed_10000_notices_ms", "activity_10000_notices_ms")
def noticing() -> list[Figure]:
    """From the key for the page until it is painted, and until a change of one notice is shown on Home."""
    from PySide6.QtWidgets import QApplication

    from ui.shell.home.home_pages import ACTIVITY
    from ui.shell.window.main_window import MainWindow
    from ui.shell.window.navigation import Place

    with tempfile.TemporaryDirectory() as folder:
        session, window = _window(Path(folder))
        assert isinstance(window, MainWindow)
        _fill(session)

        def visit(place: Place) -> float:
            samples = []
            for _ in range(OPENED + 1):
                window.go_section("search")
                QApplication.processEvents()
                samples.append(_timed_ms(lambda: window.go(place), 1))
            return median(samples[1:])

        home = visit(Place(section="home"))
        changed = _timed_ms(window.content.home.refresh, OPENED)
        activity = visit(Place(section="home", tab=ACTIVITY))
        window.close()
    note = f"{NOTICES} notices that ask, of messages; painted offscreen"
    return [
        Figure(name="home_10000_notices_ms", value=home, unit="ms", n=OPENED, note=note),
        Figure(name="home_changed_10000_notices_ms", value=changed, unit="ms", n=OPENED, note=note),
        Figure(name="activity_10000_notices_ms", value=activity, unit="ms", n=OPENED, note=note),
    ]


@bench("notice_toast_ms")
def toasting() -> list[Figure]:
    """From a mention that is received until the desktop's service has the notification, over a session bus."""
    from tests.bus import own_bus
    from tests.ui.shell.kept_office import office

    with own_bus() as address, tempfile.TemporaryDirectory() as folder:
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = address
        office()  # made on a loop of its own
        samples = asyncio.run(_toasts(Path(folder)))
    return [Figure(name="notice_toast_ms", value=median(samples[1:]), unit="ms", n=MENTIONS - 1)]


async def _toasts(folder: Path) -> list[float]:
    from jeepney import MessageType, new_method_return
    from PySide6.QtWidgets import QApplication

    from app.session import Session
    from tests.bus import named_on_bus, serving
    from tests.ui.shell.kept_office import office
    from tests.ui.shell.opened_office import say
    from ui.shell.window.freedesktop import SERVICE, Freedesktop
    from ui.shell.window.main_window import MainWindow

    session, window = _window(folder)
    assert isinstance(window, MainWindow)
    assert isinstance(session, Session)
    window.hide()
    window.notifications.desktop = Freedesktop(window, window.notifications.on_action)
    arrived: asyncio.Queue[float] = asyncio.Queue()
    async with named_on_bus("SESSION", SERVICE) as connection:

        async def daemon() -> None:
            while True:
                message = await connection.receive()
                if message.header.message_type is not MessageType.method_call:
                    continue
                is_notify = message.header.fields[3] == "Notify"
                answer = ("u", (1,)) if is_notify else ("as", (["actions", "body"],))
                await connection.send(new_method_return(message, *answer))
                if is_notify:
                    arrived.put_nowait(time.perf_counter())

        async def pump() -> None:
            while True:
                QApplication.processEvents()
                await asyncio.sleep(0.001)

        running = [asyncio.ensure_future(session.notices.run()), asyncio.ensure_future(pump())]
        async with serving(daemon()):
            await asyncio.sleep(0.5)
            while not arrived.empty():
                arrived.get_nowait()
            samples = []
            for n in range(MENTIONS):
                await asyncio.sleep(0.3)  # the pause after which the next look at the rooms is at once
                began = time.perf_counter()
                say(session, office().case, office().head, f"@Handläggare rad {n} 🙂")
                samples.append((await arrived.get() - began) * 1000)
        for task in running:
            task.cancel()
    window.close()
    return samples
