# SPDX-License-Identifier: EUPL-1.2
"""A screen reader's ears and a person's keys: AT-SPI on a bus of its own, and real keys in an X server of its own."""

import os
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from jeepney import DBusAddress, HeaderFields, MatchRule, Message, MessageType, message_bus, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from tests.patience import PATIENCE_S

LAUNCHER = "/usr/libexec/at-spi-bus-launcher"
_PROGRAMS = ("dbus-daemon", "Xvfb", "openbox", "xdotool", LAUNCHER)

needs_screen_reader = pytest.mark.skipif(
    any(shutil.which(program) is None for program in _PROGRAMS), reason=f"not all of {', '.join(_PROGRAMS)} are here"
)

_ACCESSIBLE = "org.a11y.atspi.Accessible"
_EVENTS = "org.a11y.atspi.Event.Object"
_STATES = {4: "checked", 7: "editable", 12: "focused", 20: "pressed", 23: "selected", 41: "checkable"}
Place = tuple[str, str]
"""The bus name and the path of an object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a screen reader would say: that the focus is on something, that something is described anew, or a text."""

    kind: str
    """focus, described or announced."""
    name: str
    role: str = ""
    description: str = ""
    position: tuple[int, int] = (0, 0)
    """Which child it is, from 1, and of how many."""
    states: frozenset[str] = frozenset()
    where: Place = ("", "")

    def __str__(self) -> str:
        return f"{self.kind}: {self.name} [{self.role}] {self.description} {self.position} {sorted(self.states)}"


@contextmanager
def desktop() -> Iterator[dict[str, str]]:
    """The environment of an empty desktop with a screen, a window manager and a bus of its own, while they run."""
    with ExitStack() as stack:
        reads, writes = os.pipe()
        command = ["Xvfb", "-displayfd", str(writes), "-screen", "0", "1400x950x24", "-nolisten", "tcp"]
        server = subprocess.Popen(command, pass_fds=[writes], stderr=subprocess.DEVNULL)
        stack.callback(_end, server)
        os.close(writes)
        with os.fdopen(reads) as number:
            display = f":{number.readline().strip()}"
        env = {**os.environ, "DISPLAY": display, "GTK_A11Y": "none"}
        env.pop("WAYLAND_DISPLAY", None)
        bus = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", "--print-address"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=env,
        )
        stack.callback(_end, bus)
        assert bus.stdout is not None
        env["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip()
        stack.callback(_end, subprocess.Popen(["openbox"], env=env, stderr=subprocess.DEVNULL))
        env |= {"QT_QPA_PLATFORM": "xcb", "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1", "QT_ACCESSIBILITY": "1"}
        yield env


def _end(process: "subprocess.Popen[Any]") -> None:
    process.terminate()
    process.wait(PATIENCE_S)
    if process.stdout is not None:
        process.stdout.close()


class ScreenReader:
    """Listens from the moment on that it is made, before the program starts."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = env
        with open_dbus_connection(env["DBUS_SESSION_BUS_ADDRESS"]) as session:
            bus = DBusAddress("/org/a11y/bus", "org.a11y.Bus", "org.a11y.Bus")
            address = session.send_and_get_reply(new_method_call(bus, "GetAddress"), timeout=PATIENCE_S).body[0]
        self._bus: DBusConnection = open_dbus_connection(address)
        self._waiting: deque[Message] = deque()
        rule = MatchRule(type="signal", interface=_EVENTS)
        self._filter = self._bus.filter(rule, queue=self._waiting)
        self._filter.__enter__()
        self._bus.send_and_get_reply(message_bus.AddMatch(rule), timeout=PATIENCE_S)
        registry = ("org.a11y.atspi.Registry", "/org/a11y/atspi/registry")
        self._call(registry, "org.a11y.atspi.Registry", "RegisterEvent", "sass", ("object:", [], ""))
        self.heard: list[Heard] = []
        self._listened = 0
        """How much of that was waited for already."""

    def close(self) -> None:
        self._filter.__exit__(None, None, None)
        self._bus.close()

    # -- what a person does -----------------------------------------------------------------------------------------

    def keys(self, *keys: str) -> None:
        """Presses keys one after another, as "Return" or "ctrl+n"."""
        subprocess.run(["xdotool", "key", "--clearmodifiers", *keys], env=self._env, check=True, timeout=PATIENCE_S)

    def type(self, text: str) -> None:
        """Types letters of the American keyboard, which is the one that this screen has."""
        subprocess.run(["xdotool", "type", "--delay", "1", text], env=self._env, check=True, timeout=PATIENCE_S)

    # -- what is heard ----------------------------------------------------------------------------------------------

    def focus(self, name: str, role: str = "") -> Heard:
        """Waits until the focus is on something whose name has this in it. What was heard before counts no more."""
        return self._wait("focus", name, role)

    def announced(self, text: str, patience_s: float = PATIENCE_S) -> Heard:
        """Waits until something is announced that has this in it."""
        return self._wait("announced", text, patience_s=patience_s)

    def described(self, text: str) -> Heard:
        """Waits until something is described anew, with this in its description."""
        return self._wait("described", text)

    def _wait(self, kind: str, name: str, role: str = "", *, patience_s: float = PATIENCE_S) -> Heard:
        end = time.monotonic() + patience_s
        while True:
            while self._listened < len(self.heard):
                found = self.heard[self._listened]
                self._listened += 1
                said = found.description if kind == "described" else found.name
                if found.kind == kind and role in ("", found.role) and name in said:
                    return found
            left = end - time.monotonic()
            if left <= 0:
                said = "\n  ".join(str(heard) for heard in self.heard[-30:])
                raise AssertionError(f"not heard: {kind} {name!r} {role}\nlast heard:\n  {said}")
            self._take_in(left)

    def _take_in(self, seconds: float) -> None:
        try:
            message = self._bus.recv_until_filtered(self._waiting, timeout=seconds)
        except TimeoutError:
            return
        fields = message.header.fields
        place = fields[HeaderFields.sender], fields[HeaderFields.path]
        match fields[HeaderFields.member], message.body[0], message.body[1]:
            case "Announcement", _, _:
                self.heard.append(Heard(kind="announced", name=message.body[3][1], where=place))
            case "StateChanged", "focused", 1:
                self._hear("focus", place)
            case "PropertyChange", "accessible-description", _:
                self._hear("described", place)

    def _hear(self, kind: str, place: Place) -> None:
        with suppress(LookupError):  # it was gone again at once
            self.heard.append(self.look(place, kind))

    # -- looking ----------------------------------------------------------------------------------------------------

    def look(self, place: Place, kind: str = "") -> Heard:
        """An object as it is now; LookupError if it is gone."""
        (number,) = self._call(place, _ACCESSIBLE, "GetIndexInParent")
        parent = self.parent(place)
        low, high = self._call(place, _ACCESSIBLE, "GetState")[0]
        bits = low | high << 32
        return Heard(
            kind=kind,
            name=self._property(place, "Name"),
            role=self._call(place, _ACCESSIBLE, "GetRoleName")[0],
            description=self._property(place, "Description"),
            position=(number + 1, self._property(parent, "ChildCount") if number >= 0 else 0),
            states=frozenset(name for bit, name in _STATES.items() if bits >> bit & 1),
            where=place,
        )

    def parent(self, place: Place) -> Place:
        parent: Place = self._property(place, "Parent")
        return parent

    def attributes(self, place: Place) -> dict[str, str]:
        """What else is told of an object."""
        found: dict[str, str] = self._call(place, _ACCESSIBLE, "GetAttributes")[0]
        return found

    def text_attributes(self, place: Place, offset: int) -> dict[str, str]:
        """How a text looks at a place in it."""
        found: dict[str, str] = self._call(place, "org.a11y.atspi.Text", "GetAttributeRun", "ib", (offset, True))[0]
        return found

    def children(self, place: Place) -> list[Place]:
        return [(bus, path) for bus, path in self._call(place, _ACCESSIBLE, "GetChildren")[0]]

    def windows(self) -> list[Heard]:
        """The windows of all programs."""
        root = ("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root")
        return [self.look(window) for program in self.children(root) for window in self.children(program)]

    def walk(self, place: Place, depth: int = 25) -> Iterator[Heard]:
        """An object and everything in it that is there to be seen."""
        found = self.look(place)
        yield found
        if depth:
            for child in self.children(place):
                yield from self.walk(child, depth - 1)

    def press(self, place: Place) -> None:
        """Does an object's first action."""
        self._call(place, "org.a11y.atspi.Action", "DoAction", "i", (0,))

    def _property(self, place: Place, name: str) -> Any:
        return self._call(place, "org.freedesktop.DBus.Properties", "Get", "ss", (_ACCESSIBLE, name))[0][1]

    def _call(
        self, place: Place, interface: str, method: str, signature: str = "", body: tuple[object, ...] = ()
    ) -> tuple[Any, ...]:
        address = DBusAddress(place[1], bus_name=place[0], interface=interface)
        call = new_method_call(address, method, signature or None, body)
        reply = self._bus.send_and_get_reply(call, timeout=PATIENCE_S)
        if reply.header.message_type is MessageType.error:
            raise LookupError(f"{method} of {place}: {reply.body}")
        answer: tuple[Any, ...] = reply.body
        return answer
