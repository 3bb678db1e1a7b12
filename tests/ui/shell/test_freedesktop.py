# SPDX-License-Identifier: EUPL-1.2
"""Notifications over a real session bus, to a service in the place of the desktop's."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from jeepney import DBusAddress, MessageType, new_method_return, new_signal
from jeepney.io.asyncio import DBusConnection
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from tests.bus import named_on_bus, needs_bus, own_bus, serving
from tests.world import until
from ui.shell.window.freedesktop import SERVICE, Freedesktop

pytestmark = needs_bus


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A session bus of one's own."""
    with own_bus() as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield


class Desktop:
    """Shows nothing, remembers everything."""

    def __init__(self, connection: DBusConnection) -> None:
        self.connection = connection
        self.notified: list[tuple[Any, ...]] = []

    async def serve(self) -> None:
        while True:
            message = await self.connection.receive()
            if message.header.message_type is not MessageType.method_call:
                continue
            member = message.header.fields[3]
            if member == "Notify":
                self.notified.append(message.body)
                await self.connection.send(new_method_return(message, "u", (7,)))
            elif member == "GetCapabilities":
                await self.connection.send(new_method_return(message, "as", (["body", "body-markup", "actions"],)))

    async def click(self, number: int) -> None:
        here = DBusAddress(SERVICE.object_path, interface=SERVICE.interface)
        await self.connection.send(new_signal(here, "ActionInvoked", "us", (number, "default")))


@asynccontextmanager
async def desktop() -> AsyncIterator[Desktop]:
    async with named_on_bus("SESSION", SERVICE) as connection:
        made = Desktop(connection)
        async with serving(made.serve()):
            yield made


async def ended(task: "asyncio.Task[None] | None") -> None:
    """Until the task that shows notifications has ended."""
    assert task is not None
    await until(task.done)


async def test_a_notification_is_shown_escaped_and_a_click_on_it_is_received(bus: None, qapp: QApplication) -> None:
    owner, clicks = QObject(), list[bool]()
    async with desktop() as shown:
        tell = Freedesktop(owner, lambda: clicks.append(True))
        tell("Tillsyn 2026-1184", "Å <b>ä</b> & ö 👍")
        await until(lambda: len(shown.notified) == 1)
        app, replaces, _, title, body, actions, hints, _ = shown.notified[0]
        assert (app, replaces, title, body) == ("Kansli", 0, "Tillsyn 2026-1184", "Å &lt;b&gt;ä&lt;/b&gt; &amp; ö 👍")
        assert actions[0] == "default"
        assert hints["category"] == ("s", "im.received")
        await until(lambda: tell._shown == 7)
        await shown.click(6)
        await shown.click(7)
        await until(lambda: bool(clicks))
        tell("Kansli", "2 nya meddelanden")
        await until(lambda: len(shown.notified) == 2)
        assert shown.notified[1][1] == 7  # takes the former's place
        assert clicks == [True]
        owner.deleteLater()
        QApplication.sendPostedEvents(owner, QEvent.Type.DeferredDelete.value)
        await ended(tell._task)


async def test_a_desktop_without_the_service_is_no_fault(bus: None, qapp: QApplication) -> None:
    tell = Freedesktop(QObject(), lambda: None)
    tell("Kansli", "1 nytt meddelande")
    await ended(tell._task)
    assert tell._task is not None
    assert tell._task.exception() is None
