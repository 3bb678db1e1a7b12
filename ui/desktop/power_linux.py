# SPDX-License-Identifier: EUPL-1.2
"""Sleep, shutdown, locked screens and left sessions by systemd-logind, and the lid by UPower, over the system bus:
https://www.freedesktop.org/software/systemd/man/latest/org.freedesktop.login1.html. On a system without
them nothing is emitted."""

import asyncio
import copy
import os
from typing import TYPE_CHECKING, Any

from jeepney import DBusAddress, HeaderFields, MatchRule, message_bus, new_method_call
from jeepney.io.asyncio import DBusRouter

from app.core import log
from ui.desktop.delaying import Delay
from ui.kit.bus import ask, open_bus
from ui.kit.tasks import run

if TYPE_CHECKING:
    from ui.desktop.waking import Events

_NAME = "org.freedesktop.login1"
MANAGER = DBusAddress("/org/freedesktop/login1", bus_name=_NAME, interface=f"{_NAME}.Manager")
SESSION = f"{_NAME}.Session"
PROPERTIES = "org.freedesktop.DBus.Properties"
_UPOWER = "org.freedesktop.UPower"
UPOWER = DBusAddress("/org/freedesktop/UPower", bus_name=_UPOWER, interface=_UPOWER)


def listen(events: "Events") -> None:
    """Emits the signals of `events` by what logind reports, for as long as `events` lives."""
    delay = Delay(MANAGER)
    events.ready.connect(delay.let_begin)
    run(events, _serve(events, delay))


async def _serve(events: "Events", delay: Delay) -> None:
    try:
        async with open_bus("SYSTEM") as router:
            await delay.take()
            rules = [
                MatchRule(type="signal", interface=MANAGER.interface, member=member)
                for member in ("PrepareForSleep", "PrepareForShutdown")
            ]
            lid = MatchRule(type="signal", interface=PROPERTIES, member="PropertiesChanged", path=UPOWER.object_path)
            rules.append(lid)
            session = await _session(router)
            if session is not None:
                rules.append(MatchRule(type="signal", interface=SESSION, member="Lock", path=session))
                rules.append(MatchRule(type="signal", interface=PROPERTIES, member="PropertiesChanged", path=session))
            for rule in rules:
                await ask(router, message_bus.AddMatch(_by(_UPOWER if rule is lid else _NAME, rule)))
            everything: asyncio.Queue[Any] = asyncio.Queue(64)
            filters = [router.filter(rule, queue=everything) for rule in rules]
            try:
                owners: dict[str, str] = {}
                while True:
                    message = await everything.get()
                    sender = message.header.fields.get(HeaderFields.sender)
                    name = _UPOWER if message.header.fields.get(HeaderFields.path) == UPOWER.object_path else _NAME
                    if sender != owners.get(name):  # at first, and when the service was started again
                        owners[name] = await _owner(router, name)
                    if sender == owners[name]:
                        is_begun = _is_begun(message)
                        delay.is_awaited = delay.is_awaited if is_begun is None else is_begun
                        _on_message(events, message)
                        if is_begun is False:
                            await delay.take()
            finally:
                delay.release()
                for one in filters:
                    one.close()
    except (OSError, EOFError, ValueError, KeyError, TimeoutError, RuntimeError) as fault:
        log.ui.info("no-power-notices", type=type(fault).__name__)


def _by(name: str, rule: MatchRule) -> MatchRule:
    """A copy of `rule` that names the service `name` as the sender, as the bus must be asked for signals. (In a
    received signal the sender is a connection's number instead, so `rule` itself has no name.)"""
    named = copy.deepcopy(rule)
    named.header_fields["sender"] = name
    return named


async def _owner(router: DBusRouter, name: str) -> str:
    """The connection to the bus that owns the service `name` now; "" if none does, or no answer comes in time. EOFError
    if the connection to the bus has ended. Every user of the computer may send such signals, so only those of the owner
    count."""
    try:
        (owner,) = await ask(router, message_bus.GetNameOwner(name))
    except OSError:
        return ""
    return str(owner)


def _on_message(events: "Events", message: Any) -> None:
    member, body = message.header.fields[3], message.body
    if member == "PrepareForSleep":
        (events.sleeps if body[0] is True else events.woke).emit()
    elif member == "PrepareForShutdown":
        if body[0] is True:
            events.ends.emit()
    elif member == "PropertiesChanged" and _is_lid_closed(*body[:2]):
        events.sleeps.emit()
    elif member == "Lock" or (member == "PropertiesChanged" and _is_left(*body[:2])):
        events.left.emit()
    elif member == "PropertiesChanged" and _is_back(*body[:2]):
        events.returned.emit()


def _is_begun(message: Any) -> bool | None:
    """True if a sleep or a shutdown begins; False if a sleep has ended or a shutdown was called off, so that the next
    one is to be delayed again. None if the message says neither."""
    return message.body[0] is True if str(message.header.fields[3]).startswith("PrepareFor") else None


def _is_lid_closed(interface: str, changed: dict[str, tuple[str, Any]]) -> bool:
    return interface == _UPOWER and changed.get("LidIsClosed", ("b", False))[1] is True


def _is_left(interface: str, changed: dict[str, tuple[str, Any]]) -> bool:
    """Whether the session's screen was locked, or another session came to the screen, as by Ctrl+Alt+F3: not every
    desktop locks then."""
    locked, active = changed.get("LockedHint", ("b", False))[1], changed.get("Active", ("b", True))[1]
    return interface == SESSION and (locked is True or active is False)


def _is_back(interface: str, changed: dict[str, tuple[str, Any]]) -> bool:
    """Whether the session's screen was unlocked, or the session came to the screen again. Call it if `_is_left` is
    False."""
    locked, active = changed.get("LockedHint", ("b", True))[1], changed.get("Active", ("b", False))[1]
    return interface == SESSION and (locked is False or active is True)


async def _session(router: DBusRouter) -> str | None:
    """The bus path of the desktop session that this process, or otherwise its user, belongs to; None if there is none
    or logind does not answer. EOFError if the connection to the bus has ended."""
    try:
        (path,) = await ask(router, new_method_call(MANAGER, "GetSessionByPID", "u", (os.getpid(),)))
    except OSError:
        try:
            (path,) = await ask(router, new_method_call(MANAGER, "GetSession", "s", ("auto",)))
        except OSError:
            return None
    return str(path)
