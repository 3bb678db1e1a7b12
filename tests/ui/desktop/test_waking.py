# SPDX-License-Identifier: EUPL-1.2
"""Sleep, locked screens and networks: over a real bus with a service in the place of logind, and by Qt's signals."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from jeepney import DBusAddress, HeaderFields, MessageType, message_bus, new_error, new_method_return, new_signal
from jeepney.io.asyncio import DBusConnection, DBusRouter
from jeepney.io.blocking import open_dbus_connection
from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtNetwork import QNetworkInformation
from PySide6.QtWidgets import QApplication

from tests.bus import named_on_bus, needs_bus, own_bus, serving
from tests.patience import PATIENCE_S
from tests.world import until
from ui.desktop import power_linux
from ui.desktop.delaying import Delay
from ui.desktop.power_linux import MANAGER, PROPERTIES, SESSION, UPOWER
from ui.desktop.power_windows import LID, Lid, event_of
from ui.desktop.waking import Events, networks
from ui.kit.bus import ask, open_bus

OURS = "/org/freedesktop/login1/session/_32"


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A bus of one's own in the place of the system's."""
    with own_bus() as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        yield


class Logind:
    """Knows one session."""

    def __init__(self, connection: DBusConnection, asked: asyncio.Event, *, by_pid: bool) -> None:
        self.connection, self.asked, self.by_pid = connection, asked, by_pid

    async def serve(self) -> None:
        while True:
            message = await self.connection.receive()
            if message.header.message_type is not MessageType.method_call:
                continue
            member = message.header.fields[3]
            if member == "GetSessionByPID" and not self.by_pid:
                await self.connection.send(new_error(message, "org.freedesktop.login1.NoSessionForPID"))
            else:
                await self.connection.send(new_method_return(message, "o", (OURS,)))

    async def emit(self, path: str, interface: str, member: str, signature: str = "", *body: Any) -> None:
        await self.connection.send(new_signal(DBusAddress(path, interface=interface), member, signature, body))


@asynccontextmanager
async def logind(*, by_pid: bool = True) -> AsyncIterator[Logind]:
    async with named_on_bus("SYSTEM", MANAGER) as connection:
        made = Logind(connection, asyncio.Event(), by_pid=by_pid)
        async with serving(made.serve()):
            yield made


class Received:
    """The events that were received, in order."""

    def __init__(self) -> None:
        self.events = Events()
        self.all: list[str] = []
        self.events.sleeps.connect(lambda: self.all.append("sleeps"))
        self.events.ends.connect(lambda: self.all.append("ends"))
        self.events.woke.connect(lambda: self.all.append("woke"))
        self.events.left.connect(lambda: self.all.append("left"))
        self.events.returned.connect(lambda: self.all.append("returned"))
        self.events.network_changed.connect(lambda: self.all.append("network"))


async def over(received: Received) -> None:
    """Nobody listens any more, and the line to the bus is closed."""
    received.events.deleteLater()
    QApplication.sendPostedEvents(received.events, QEvent.Type.DeferredDelete.value)
    await until(lambda: len(asyncio.all_tasks()) == 1)


async def listening(made: Logind, received: Received) -> None:
    """Until signals arrive: the first ones may come before the bus knows of the rules."""
    power_linux.listen(received.events)
    async with asyncio.timeout(PATIENCE_S):
        while "woke" not in received.all:
            await made.emit(MANAGER.object_path, MANAGER.interface, "PrepareForSleep", "b", False)
            await asyncio.sleep(0.05)
    received.all.clear()


def locked(now: bool) -> tuple[str, dict[str, tuple[str, bool]], list[str]]:
    return SESSION, {"LockedHint": ("b", now)}, []


def active(now: bool) -> tuple[str, dict[str, tuple[str, bool]], list[str]]:
    return SESSION, {"Active": ("b", now)}, []


@needs_bus
@pytest.mark.parametrize("by_pid", [True, False])
async def test_waking_and_a_locked_screen_are_emitted(bus: None, qapp: QApplication, by_pid: bool) -> None:
    received = Received()
    async with logind(by_pid=by_pid) as made:
        await listening(made, received)
        await made.emit(MANAGER.object_path, MANAGER.interface, "PrepareForSleep", "b", True)
        await made.emit(OURS, SESSION, "Lock")
        await made.emit(OURS, PROPERTIES, "PropertiesChanged", "sa{sv}as", *locked(True))
        await made.emit(OURS, PROPERTIES, "PropertiesChanged", "sa{sv}as", *locked(False))
        await made.emit(OURS, PROPERTIES, "PropertiesChanged", "sa{sv}as", SESSION, {"IdleHint": ("b", True)}, [])
        await made.emit("/org/freedesktop/login1/session/another", SESSION, "Lock")
        await made.emit(MANAGER.object_path, MANAGER.interface, "PrepareForSleep", "b", False)
        await until(lambda: "woke" in received.all)
        assert received.all == ["sleeps", "left", "left", "returned", "woke"]
    await over(received)


@needs_bus
async def test_another_session_that_comes_to_the_screen_is_emitted(bus: None, qapp: QApplication) -> None:
    received = Received()
    async with logind() as made:
        await listening(made, received)
        for now in (True, False, True):
            await made.emit(OURS, PROPERTIES, "PropertiesChanged", "sa{sv}as", *active(now))
        await made.emit(MANAGER.object_path, MANAGER.interface, "PrepareForSleep", "b", False)
        await until(lambda: "woke" in received.all)
        assert received.all == ["returned", "left", "returned", "woke"]
    await over(received)


def lid(closed: bool) -> tuple[str, dict[str, tuple[str, bool]], list[str]]:
    return UPOWER.interface, {"LidIsClosed": ("b", closed)}, []


@needs_bus
async def test_a_sleep_that_begins_a_closed_lid_and_a_shutdown_are_emitted(bus: None, qapp: QApplication) -> None:
    received = Received()
    async with logind() as made, named_on_bus("SYSTEM", UPOWER) as upower:
        await listening(made, received)
        changed = DBusAddress(UPOWER.object_path, interface=PROPERTIES)
        for now in (True, False):
            await upower.send(new_signal(changed, "PropertiesChanged", "sa{sv}as", lid(now)))
        await until(lambda: received.all == ["sleeps"])
        # logind owns no lid
        await made.emit(UPOWER.object_path, PROPERTIES, "PropertiesChanged", "sa{sv}as", *lid(True))
        await made.emit(MANAGER.object_path, MANAGER.interface, "PrepareForSleep", "b", True)
        await made.emit(MANAGER.object_path, MANAGER.interface, "PrepareForShutdown", "b", False)
        await made.emit(MANAGER.object_path, MANAGER.interface, "PrepareForShutdown", "b", True)
        await until(lambda: "ends" in received.all)
        assert received.all == ["sleeps", "sleeps", "ends"]
    await over(received)


def at_end(pipe: int) -> bool:
    """Whether nobody holds the other end of a pipe any more, into which nothing was written."""
    try:
        return os.read(pipe, 1) == b""
    except BlockingIOError:
        return False


@needs_bus
async def test_the_computer_waits_until_kansli_is_ready_to_sleep(bus: None, qapp: QApplication) -> None:
    """The service in the place of logind gives the end of a pipe, as logind does: it is closed when nothing waits."""
    reading, writing = os.pipe()
    asked: list[Any] = []

    def serve() -> None:
        with open_dbus_connection("SYSTEM", enable_fds=True) as connection:
            connection.send_and_get_reply(message_bus.RequestName(MANAGER.bus_name))
            named.set()
            while not asked:
                message = connection.receive(timeout=PATIENCE_S)
                if message.header.fields.get(HeaderFields.member) == "Inhibit":
                    connection.send(new_method_return(message, "h", (writing,)))
                    os.close(writing)
                    asked.append(message.body)

    named = threading.Event()
    serving_thread = asyncio.ensure_future(asyncio.to_thread(serve))
    await asyncio.to_thread(named.wait, PATIENCE_S)
    delay = Delay(MANAGER)
    try:
        await delay.take()
        await serving_thread
        assert [(what, mode) for what, _, _, mode in asked] == [("sleep:shutdown", "delay")]
        os.set_blocking(reading, False)
        delay.let_begin()  # only the lid was closed: logind waits for nothing
        with pytest.raises(BlockingIOError):
            os.read(reading, 1)
        delay.is_awaited = True
        delay.let_begin()
        delay.let_begin()
        await until(lambda: at_end(reading))  # the bus may hold its copy a moment longer
    finally:
        os.close(reading)


@needs_bus
@pytest.mark.parametrize("to_us_alone", [False, True])
async def test_another_user_of_the_computer_locks_nobodys_window(
    bus: None, qapp: QApplication, monkeypatch: pytest.MonkeyPatch, to_us_alone: bool
) -> None:
    names: list[str] = []

    @asynccontextmanager
    async def opened(bus: str) -> AsyncIterator[DBusRouter]:
        async with open_bus(bus) as router:
            names.append(router.unique_name)
            yield router

    monkeypatch.setattr(power_linux, "open_bus", opened)
    received = Received()
    async with logind() as made, open_bus("SYSTEM") as other:
        await listening(made, received)
        for signal in (
            new_signal(DBusAddress(OURS, interface=SESSION), "Lock"),
            new_signal(DBusAddress(OURS, interface=PROPERTIES), "PropertiesChanged", "sa{sv}as", locked(True)),
            new_signal(MANAGER, "PrepareForSleep"),
        ):
            if to_us_alone:
                signal.header.fields[HeaderFields.destination] = names[0]
            await other.send(signal)
        await ask(other, message_bus.GetId())  # the bus has passed them on
        await made.emit(MANAGER.object_path, MANAGER.interface, "PrepareForSleep", "b", False)
        await until(lambda: "woke" in received.all)
        assert "left" not in received.all
    await over(received)


@needs_bus
async def test_a_system_without_logind_emits_nothing(bus: None, qapp: QApplication) -> None:
    received = Received()
    power_linux.listen(received.events)
    await asyncio.sleep(0.2)
    assert received.all == []
    await over(received)


async def test_a_system_without_a_bus_emits_nothing(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere")
    caplog.set_level("INFO", "ui")
    power_linux.listen(Received().events)
    await until(lambda: "no-power-notices" in caplog.text)


class Networks(QObject):
    """In the place of QNetworkInformation."""

    reachabilityChanged = Signal(QNetworkInformation.Reachability)  # noqa: N815 - Qt's name


def test_a_network_that_comes_is_emitted_and_one_that_goes_is_not(qapp: QApplication) -> None:
    received, system = Received(), Networks()
    networks(received.events, system)
    for now in ("Disconnected", "Unknown"):
        system.reachabilityChanged.emit(QNetworkInformation.Reachability[now])
    assert received.all == []
    for now in ("Local", "Site", "Online"):
        system.reachabilityChanged.emit(QNetworkInformation.Reachability[now])
    assert received.all == ["network"] * 3


def test_qt_knows_networks_here_or_nothing_is_emitted(qapp: QApplication) -> None:
    networks(Received().events)


@pytest.mark.parametrize(
    ("message", "wparam", "meant"),
    [
        (0x218, 0x12, "woke"),  # WM_POWERBROADCAST, PBT_APMRESUMEAUTOMATIC
        (0x218, 0x04, "sleeps"),  # PBT_APMSUSPEND
        (0x218, 0x8013, "lid"),  # PBT_POWERSETTINGCHANGE
        (0x218, 0x0A, ""),  # PBT_APMPOWERSTATUSCHANGE
        (0x2B1, 0x7, "left"),  # WM_WTSSESSION_CHANGE, WTS_SESSION_LOCK
        (0x2B1, 0x4, "left"),  # WTS_REMOTE_DISCONNECT
        (0x2B1, 0x2, "left"),  # WTS_CONSOLE_DISCONNECT
        (0x2B1, 0x8, "returned"),  # WTS_SESSION_UNLOCK
        (0x2B1, 0x3, ""),  # WTS_REMOTE_CONNECT
        (0x100, 0x12, ""),
    ],
)
def test_what_windows_messages_mean(message: int, wparam: int, meant: str) -> None:
    assert event_of(message, wparam) == meant


def test_only_a_lid_that_was_open_is_closed_on_windows() -> None:
    lid = Lid()
    assert [lid.closes(LID, state) for state in (0, 0, 1, 0, 0, 1)] == [False, False, False, True, False, False]
    assert LID.hex() == "4d0f3eba17b89440a2d1d56379e6a0f3"
    assert not lid.closes(bytes(16), 0)
