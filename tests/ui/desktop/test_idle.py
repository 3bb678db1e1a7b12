# SPDX-License-Identifier: EUPL-1.2
"""How long nobody has used the computer: over a real session bus with services in the place of Mutter and KDE, at a
real X server, and by Windows' clock."""

import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from jeepney import DBusAddress, HeaderFields, MessageType, new_error, new_method_return
from jeepney.io.asyncio import DBusConnection

from tests.bus import named_on_bus, needs_bus, own_bus, serving
from tests.world import until
from ui.desktop import idle_linux
from ui.desktop.idle import idle_s
from ui.desktop.idle_linux import KDE, MUTTER, by_x11, is_x11
from ui.desktop.idle_windows import idle_ms
from ui.kit import bus as kit_bus

needs_x11 = pytest.mark.skipif(
    any(shutil.which(program) is None for program in ("Xvfb", "xdotool")) or idle_linux._libraries() is None,
    reason="no Xvfb, xdotool or libXss on this machine",
)


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A session bus of one's own, on a desktop without X11."""
    monkeypatch.delenv("DISPLAY", raising=False)
    with own_bus() as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield


async def _answer(connection: DBusConnection, member: str, signature: str, value: Any) -> None:
    """Answers calls of `member` with `value`, and refuses all others; None: answers nothing."""
    while True:
        message = await connection.receive()
        if message.header.message_type is not MessageType.method_call:
            continue
        if message.header.fields.get(HeaderFields.member) != member:
            await connection.send(new_error(message, "org.freedesktop.DBus.Error.UnknownMethod"))
        elif value is not None:
            await connection.send(new_method_return(message, signature, (value,)))


@asynccontextmanager
async def service(address: DBusAddress, signature: str, value: Any, member: str) -> AsyncIterator[None]:
    async with named_on_bus("SESSION", address) as connection, serving(_answer(connection, member, signature, value)):
        yield


def mutter(ms: int | None) -> Any:
    return service(MUTTER, "t", ms, "GetIdletime")


def kde(ms: int | None) -> Any:
    return service(KDE, "u", ms, "GetSessionIdleTime")


@needs_bus
@pytest.mark.parametrize(
    ("desktops", "expected"),
    [
        ([], None),
        ([mutter(61_500)], 61.5),
        ([mutter(0)], 0.0),
        ([kde(61_500)], 61.5),
        ([kde(0)], None),  # as on Wayland, whatever the person does
        ([mutter(5_000), kde(61_500)], 5.0),
        ([service(MUTTER, "s", "ä", "GetIdletime")], None),
        ([service(MUTTER, "x", -(2**63), "GetIdletime")], None),  # nobody has used it in the future
        ([service(MUTTER, "b", True, "GetIdletime"), kde(61_500)], 61.5),
        ([service(MUTTER, "(ts)", (5_000, "ä"), "GetIdletime")], None),
        ([mutter(2**64 - 1)], (2**64 - 1) / 1000),
        ([service(MUTTER, "t", 5_000, "AnotherName"), kde(61_500)], 61.5),
        ([service(MUTTER, "t", 5_000, "AnotherName")], None),
    ],
)
async def test_the_time_is_what_the_desktop_says(bus: None, desktops: list[Any], expected: float | None) -> None:
    async with AsyncExitStack() as stack:
        for desktop in desktops:
            await stack.enter_async_context(desktop)
        assert await idle_s() == expected


@needs_bus
async def test_a_desktop_that_does_not_answer_says_nothing(bus: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit_bus, "ANSWER_S", 0.05)
    async with mutter(None):
        assert await idle_s() is None


async def test_without_a_session_bus_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    assert await idle_s() is None


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty screen of X11, on a desktop without a bus."""
    reads, writes = os.pipe()
    command = ["Xvfb", "-displayfd", str(writes), "-noreset", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writes], stderr=subprocess.DEVNULL) as server:
        os.close(writes)
        try:
            with os.fdopen(reads) as number:
                monkeypatch.setenv("DISPLAY", f":{number.readline().strip()}")
            for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
                monkeypatch.delenv(name, raising=False)
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
            yield
        finally:
            server.terminate()


@needs_x11
async def test_x11_counts_from_the_last_input_to_any_program(display: None) -> None:
    await until(lambda: (by_x11() or 0) >= 0.3)
    moved_s = time.monotonic()
    subprocess.run(["xdotool", "mousemove", "20", "20"], check=True)  # noqa: ASYNC221 - it ends at once
    found = await idle_s()
    assert found is not None
    assert found <= time.monotonic() - moved_s


@needs_x11
def test_without_an_x_server_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":4711")
    assert by_x11() is None


def test_an_x_server_below_wayland_is_not_asked() -> None:
    assert is_x11({"DISPLAY": ":0"})
    assert is_x11({"DISPLAY": ":0", "XDG_SESSION_TYPE": "x11", "WAYLAND_DISPLAY": ""})
    assert not is_x11({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"})
    assert not is_x11({"DISPLAY": ":0", "XDG_SESSION_TYPE": "wayland"})
    assert not is_x11({})


@pytest.mark.parametrize(
    ("now", "last", "expected"),
    [
        (600_000, 0, 600_000),
        (500, 500, 0),
        (400, 2**32 - 600, 1000),  # the clock has begun again
        (500, 520, 0),  # an input that is ahead
        (10, 2**32 - 2**31, 2**31 + 10),  # not used for weeks
    ],
)
def test_windows_clock_begins_again_and_an_input_may_be_ahead(now: int, last: int, expected: int) -> None:
    assert idle_ms(now, last) == expected
