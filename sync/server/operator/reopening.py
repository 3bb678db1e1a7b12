# SPDX-License-Identifier: EUPL-1.2
"""`open-room`: which closed rooms an operator opens after a restore, and the result for each. admin.py opens one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sync.server.config import ConfigError
from sync.server.operator import admin, listing
from sync.server.operator.listing import ClosedLine, format_waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What the command to open closed rooms did with one room. `room`: its id in hex. `missing`: how many of its items
    are known to be lost. `waits`: for a room that stays closed, in words, the devices for which it still waits besides
    the one that the operator gave up; "" if it was opened. `before`: the server had opened it before."""

    room: str
    missing: int
    """Changes that are known to be missing, and are given up if it was opened."""
    waits: str = ""
    before: bool = False

    @property
    def opened(self) -> bool:
        return not self.waits

    def format(self) -> str:
        """A sentence for the operator on what the command to open closed rooms did with one room. It was opened, with
        so many changes given up; or it was not, and still waits for these devices."""
        if not self.opened:
            return f"Not opened: {self.room}. It also waits for {self.waits}."
        if self.before:
            return f"Open already: {self.room}."
        lost = f"{self.missing} changes that are known to be missing are given up" if self.missing else ""
        return f"Opened: {self.room}.{f' {lost}.' if lost else ''}"


async def open_one(data: Path, room: bytes) -> Opening | None:
    """Opens the room with the id `room` in the data folder `data`, which a restore closed, even if it still waits for
    devices to upload what was lost. Returns None, and changes nothing, if the room is open already. ConfigError if no
    room has this id, and within a day of the restore if the room is closed."""
    for line in await listing.closed(data):
        if line.room == room.hex():
            return await _open(data, line)
    async with admin.opened(data) as store:
        if await store.room(room) is None:
            raise ConfigError("no room has this id")
    return None


async def open_all(data: Path) -> list[Opening]:
    """Opens every room in the data folder `data` that a restore closed, even if it still waits for devices to upload
    what was lost: that is given up. Returns an Opening for each, sorted by the rooms' ids, [] if no room is closed.
    ConfigError within a day of the restore, if a room is closed; then none is opened."""
    return [await _open(data, line) for line in await listing.closed(data)]


async def open_without(data: Path, device: bytes) -> list[Opening]:
    """Opens every room in the data folder `data` that a restore closed and that waits for the device with the id
    `device` alone. Returns an Opening for each room that waits for the device, sorted by the rooms' ids. A room that
    also waits for others stays closed and waits for this device too, as before; its Opening says for which others.
    ConfigError if no closed room waits for the device, and within a day of the restore if a room would be opened."""
    lines = [line for line in await listing.closed(data) if device.hex() in _devices(line)]
    if not lines:
        raise ConfigError("no closed room waits for a device with this id; `closed` prints for which they wait")
    found = []
    for line in lines:
        others = [waiting for waiting in line.waits if waiting.device != device.hex()]
        found.append(_kept(line, others) if others else await _open(data, line))
    return found


def format_openings(found: Sequence[Opening]) -> str:
    """The results as text, a line for each room; a sentence if there are none."""
    return "\n".join(each.format() for each in found) or "No room is closed. Nothing was changed."


def _devices(line: ClosedLine) -> set[str]:
    return {waiting.device for waiting in line.waits}


def _kept(line: ClosedLine, others: Sequence[listing.Waiting]) -> Opening:
    return Opening(room=line.room, missing=line.missing, waits=", ".join(format_waiting(each) for each in others))


async def _open(data: Path, line: ClosedLine) -> Opening:
    try:
        await admin.open_room(data, bytes.fromhex(line.room))
    except admin.NotClosed:  # the server opened it since the rooms were listed
        return Opening(room=line.room, missing=0, before=True)
    return Opening(room=line.room, missing=line.missing)
