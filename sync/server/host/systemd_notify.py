# SPDX-License-Identifier: EUPL-1.2
"""Notifies systemd of the server's state (sd_notify(3)): one datagram for each state. Without systemd nothing is
sent."""

import asyncio
import logging
import os
import socket
import time

log = logging.getLogger("sync.server")


def notify(state: str) -> None:
    """Sends `state` to systemd: "READY=1", "STOPPING=1" or another one. Nothing is sent without systemd; if systemd
    does not listen, or no socket can be made, because too many files are open, that is only logged."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.sendto(state.encode(), address)
    except OSError as e:  # also of a process that has no descriptor left: the next state may be sent again
        log.warning("systemd was not notified: %s", e.errno)


def notify_reloading() -> None:
    """Notifies systemd that a reload begins. The caller must send READY=1 when it has ended."""
    notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")


async def watchdog() -> None:
    """Notifies systemd that the event loop runs, twice as often as the unit's WatchdogSec requires, until cancelled.
    Returns at once if the unit has none."""
    every_us, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not every_us.isdecimal() or not int(every_us) or pid not in ("", str(os.getpid())):
        return
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(int(every_us) / 2_000_000)
