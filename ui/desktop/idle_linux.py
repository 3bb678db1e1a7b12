# SPDX-License-Identifier: EUPL-1.2
"""How long nobody has used the computer, by X11's extension MIT-SCREEN-SAVER, or by the desktop over the session bus:
Mutter (GNOME) or KDE's screen locker. A desktop without them says nothing."""

import asyncio
import ctypes
import os
from collections.abc import Mapping
from functools import cache

from jeepney import DBusAddress, MessageFlag, new_method_call
from jeepney.io.asyncio import DBusRouter

from ui.kit.bus import ask, open_bus

_MUTTER = "org.gnome.Mutter.IdleMonitor"
MUTTER = DBusAddress("/org/gnome/Mutter/IdleMonitor/Core", bus_name=_MUTTER, interface=_MUTTER)
KDE = DBusAddress(
    "/org/freedesktop/ScreenSaver", bus_name="org.kde.screensaver", interface="org.freedesktop.ScreenSaver"
)
"""KDE's by its own name: others that serve `org.freedesktop.ScreenSaver` count in seconds, and begin when the screen
is blanked."""


async def asked() -> float | None:
    """As `ui.desktop.idle.idle_s`."""
    found = await asyncio.to_thread(by_x11) if is_x11(os.environ) else None
    return found if found is not None else await by_bus()


# -- the session bus ----------------------------------------------------------------------------------------------


async def by_bus() -> float | None:
    """Seconds since the last input as Mutter or KDE count them; None if neither says it. Starts no service."""
    try:
        async with open_bus("SESSION") as router:
            for address, member in ((MUTTER, "GetIdletime"), (KDE, "GetSessionIdleTime")):
                found = await _asked(router, address, member)
                # on Wayland KDE cannot count, and always says 0: KIdleTime's `forcePollRequest` there
                if found is not None and (found > 0 or address is MUTTER):
                    return found
    except (OSError, EOFError, ValueError, KeyError, TimeoutError, RuntimeError):
        pass
    return None


async def _asked(router: DBusRouter, address: DBusAddress, member: str) -> float | None:
    """What one service answers, in seconds; None if there is no such service, or it refuses or gives no time: a
    negative one would be an input in the future, and the person would not be away until then.
    TimeoutError and EOFError as from `ask`."""
    call = new_method_call(address, member)
    call.header.flags |= MessageFlag.no_auto_start
    try:
        (ms,) = await ask(router, call)
    except OSError as refused:
        if isinstance(refused, TimeoutError):
            raise
        return None
    return ms / 1000 if type(ms) is int and ms >= 0 else None


# -- X11 ----------------------------------------------------------------------------------------------------------


class _Info(ctypes.Structure):
    """XScreenSaverInfo."""

    _fields_ = (
        ("window", ctypes.c_ulong),
        ("state", ctypes.c_int),
        ("kind", ctypes.c_int),
        ("til_or_since", ctypes.c_ulong),
        ("idle", ctypes.c_ulong),
        ("event_mask", ctypes.c_ulong),
    )


def is_x11(environment: Mapping[str, str]) -> bool:
    """Whether the desktop session is one of X11. Under Wayland the X server knows of input to X11's programs only."""
    is_wayland = environment.get("WAYLAND_DISPLAY") or environment.get("XDG_SESSION_TYPE") == "wayland"
    return bool(environment.get("DISPLAY")) and not is_wayland


def by_x11() -> float | None:
    """Seconds since the last input as the X server counts them; None without a server or without the extension. Call it
    in a thread of its own: it waits for the server. The connection is its own, and closed at the end."""
    libraries = _libraries()
    if libraries is None:
        return None
    x11, saver = libraries
    display = x11.XOpenDisplay(None)
    if not display:
        return None
    try:
        event, error, info = ctypes.c_int(), ctypes.c_int(), _Info()
        if not saver.XScreenSaverQueryExtension(display, ctypes.byref(event), ctypes.byref(error)):
            return None
        root = x11.XDefaultRootWindow(display)
        return info.idle / 1000 if saver.XScreenSaverQueryInfo(display, root, ctypes.byref(info)) else None
    finally:
        x11.XCloseDisplay(display)


@cache
def _libraries() -> tuple[ctypes.CDLL, ctypes.CDLL] | None:
    """libX11 and libXss of the system; None if one of them is not installed."""
    try:
        x11, saver = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXss.so.1")
    except OSError:
        return None
    pointer = ctypes.c_void_p
    x11.XOpenDisplay.argtypes, x11.XOpenDisplay.restype = [ctypes.c_char_p], pointer
    x11.XCloseDisplay.argtypes = [pointer]
    x11.XDefaultRootWindow.argtypes, x11.XDefaultRootWindow.restype = [pointer], ctypes.c_ulong
    saver.XScreenSaverQueryExtension.argtypes = [pointer, pointer, pointer]
    saver.XScreenSaverQueryInfo.argtypes = [pointer, ctypes.c_ulong, pointer]
    return x11, saver
