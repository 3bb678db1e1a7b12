# SPDX-License-Identifier: EUPL-1.2
"""Notifications over a real session bus, to a service in the place of the desktop's."""

import asyncio
from collections.abc import AsyncIterator, Hashable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest
from jeepney import DBusAddress, MessageType, new_method_return, new_signal
from jeepney.io.asyncio import DBusConnection
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from tests.bus import named_on_bus, needs_bus, own_bus, serving
from tests.world import until
from ui.shell.window.desktop_toast import Toast, ToastAction
from ui.shell.window.freedesktop import SERVICE, WAITING, Freedesktop

pytestmark = needs_bus


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A session bus of one's own."""
    with own_bus() as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield


class Desktop:
    """Shows nothing, remembers everything, and numbers as the specification says: a notification that replaces another
    keeps its number. `can`: what it offers."""

    def __init__(self, connection: DBusConnection, can: Sequence[str]) -> None:
        self.connection, self.can = connection, can
        self.notified: list[tuple[Any, ...]] = []
        self.closed: list[int] = []
        self._numbers = count(7)
        self.answers = asyncio.Event()
        """Cleared while calls of Notify are not answered."""
        self.answers.set()

    async def serve(self) -> None:
        while True:
            message = await self.connection.receive()
            if message.header.message_type is not MessageType.method_call:
                continue
            member = message.header.fields[3]
            if member == "Notify":
                self.notified.append(message.body)
                await self.answers.wait()
                number = message.body[1] or next(self._numbers)
                await self.connection.send(new_method_return(message, "u", (number,)))
            elif member == "GetCapabilities":
                await self.connection.send(new_method_return(message, "as", (list(self.can),)))
            elif member == "CloseNotification":
                self.closed.append(message.body[0])
                await self.connection.send(new_method_return(message))

    async def choose(self, number: int, action: str = "default") -> None:
        """The person presses a notification, or a button on it."""
        await self._emit("ActionInvoked", "us", (number, action))

    async def close(self, number: int) -> None:
        """The person closes a notification."""
        await self._emit("NotificationClosed", "uu", (number, 2))

    async def _emit(self, name: str, signature: str, body: tuple[object, ...]) -> None:
        here = DBusAddress(SERVICE.object_path, interface=SERVICE.interface)
        await self.connection.send(new_signal(here, name, signature, body))


@asynccontextmanager
async def desktop(*can: str) -> AsyncIterator[Desktop]:
    async with named_on_bus("SESSION", SERVICE) as connection:
        made = Desktop(connection, can or ("body", "body-markup", "actions"))
        async with serving(made.serve()):
            yield made


async def ended(task: "asyncio.Task[None] | None") -> None:
    """Until the task that shows notifications has ended."""
    assert task is not None
    await until(task.done)


def toast(key: str, text: str = "Två ä", *, title: str = "Kansli", sounds: bool = True) -> Toast:
    return Toast(key=key, title=title, text=text, sounds=sounds, actions=frozenset(ToastAction))


async def end(owner: QObject, tell: Freedesktop) -> None:
    owner.deleteLater()
    QApplication.sendPostedEvents(owner, QEvent.Type.DeferredDelete.value)
    await ended(tell._task)


async def test_a_notification_is_shown_escaped_and_what_is_chosen_on_it_is_received(
    bus: None, qapp: QApplication
) -> None:
    owner, chosen = QObject(), list[tuple[Hashable, ToastAction]]()
    async with desktop() as shown:
        tell = Freedesktop(owner, lambda key, action: chosen.append((key, action)))
        tell(toast("ett", "Å <b>ä</b> & ö 👍", title="Enhetschef · Tillsyn 2026-1184"))
        await until(lambda: len(shown.notified) == 1)
        app, replaces, _, title, body, actions, hints, _ = shown.notified[0]
        assert (app, replaces, title) == ("Kansli", 0, "Enhetschef · Tillsyn 2026-1184")
        assert body == "Å &lt;b&gt;ä&lt;/b&gt; &amp; ö 👍"
        named = ["Öppna", "Svara", "Markera som läst", "Påminn om en timme"]
        assert actions[::2] == ["default", "reply", "read", "snooze"]
        assert actions[1::2] == named
        assert hints["category"] == ("s", "im.received")
        assert hints["sound-name"] == ("s", "message-new-instant")
        tell(toast("två"))  # the first one's number is known when this one is shown
        await until(lambda: len(shown.notified) == 2)
        await shown.choose(6)
        await shown.choose(7, "unknown")
        for action in ("default", "reply", "read", "snooze"):
            await shown.choose(7, action)
        await until(lambda: len(chosen) == 4)
        wanted = (ToastAction.OPEN, ToastAction.REPLY, ToastAction.READ, ToastAction.SNOOZE)
        assert chosen == [("ett", action) for action in wanted]
        await end(owner, tell)


async def test_a_conversation_has_one_notification_which_goes_when_it_is_read(bus: None, qapp: QApplication) -> None:
    owner = QObject()
    async with desktop() as shown:
        tell = Freedesktop(owner, lambda key, action: None)
        for number, key in enumerate(("ett", "två", "ett"), 1):
            tell(toast(key))
            await until(lambda: len(shown.notified) == number)  # noqa: B023 - waited for here
        assert [call[1] for call in shown.notified] == [0, 0, 7], "the third one takes the place of the first"
        tell.withdraw("ett")
        tell.withdraw("tre")
        await until(lambda: shown.closed == [7])
        tell(toast("ett"))
        await until(lambda: len(shown.notified) == 4)
        assert shown.notified[3][1] == 0
        await shown.close(8)
        await until(lambda: "två" not in tell._shown)
        tell(toast("två"))
        await until(lambda: len(shown.notified) == 5)
        assert shown.notified[4][1] == 0, "what the person has closed is not replaced"
        await end(owner, tell)


async def test_a_notification_that_is_withdrawn_while_it_is_being_shown_goes_once_its_number_is_known(
    bus: None, qapp: QApplication
) -> None:
    owner = QObject()
    async with desktop() as shown:
        tell = Freedesktop(owner, lambda key, action: None)
        shown.answers.clear()
        tell(toast("ett"))
        await until(lambda: len(shown.notified) == 1)
        tell.withdraw("ett")
        shown.answers.set()
        await until(lambda: shown.closed == [7])
        await end(owner, tell)


async def test_attack_no_notification_stays_when_many_are_withdrawn_at_once_and_another_comes(
    bus: None, qapp: QApplication
) -> None:
    """The curtain withdraws all of them: a person who sits down must not read what they show."""
    owner = QObject()
    many = [f"samtal {n} å" for n in range(WAITING + 4)]
    async with desktop() as shown:
        tell = Freedesktop(owner, lambda key, action: None)
        for number, key in enumerate(many, 1):
            tell(toast(key))
            await until(lambda: len(shown.notified) == number)  # noqa: B023 - waited for here
        for key in many:
            tell.withdraw(key)
        tell(toast("något har kommit"))
        await until(lambda: len(shown.closed) == len(many))
        assert sorted(shown.closed) == list(range(7, 7 + len(many)))
        await until(lambda: len(shown.notified) == len(many) + 1)
        await end(owner, tell)


async def test_a_desktop_without_buttons_is_offered_none_and_a_silent_notification_is_silent(
    bus: None, qapp: QApplication
) -> None:
    owner = QObject()
    async with desktop("body") as shown:
        tell = Freedesktop(owner, lambda key, action: None)
        tell(toast("ett", "Å & ö", sounds=False))
        await until(lambda: len(shown.notified) == 1)
        _, _, _, _, body, actions, hints, _ = shown.notified[0]
        assert (body, actions) == ("Å & ö", [])
        assert hints["suppress-sound"] == ("b", True)
        assert "sound-name" not in hints
        await end(owner, tell)


async def test_a_desktop_without_the_service_is_no_fault_and_gives_back_what_it_did_not_show(
    bus: None, qapp: QApplication
) -> None:
    unshown: list[Toast] = []
    tell = Freedesktop(QObject(), lambda key, action: None, unshown.append)
    tell(toast("ett"))
    tell(toast("två"))
    tell.withdraw("ett")
    await ended(tell._task)
    assert tell._task is not None
    assert tell._task.exception() is None
    assert unshown == [toast("två")]


async def test_a_service_that_goes_while_it_is_given_a_notification_gives_it_back(
    bus: None, qapp: QApplication
) -> None:
    owner, unshown = QObject(), list[Toast]()
    tell = Freedesktop(owner, lambda key, action: None, unshown.append)
    async with desktop() as shown:
        tell(toast("ett"))
        await until(lambda: len(shown.notified) == 1)
        shown.answers.clear()
        tell(toast("två"))
        tell(toast("tre"))
        await until(lambda: len(shown.notified) == 2)
        tell.withdraw("tre")
    await ended(tell._task)
    assert unshown == [toast("två")], "what it has shown stays with it, and what was read is not shown"
    await end(owner, tell)
