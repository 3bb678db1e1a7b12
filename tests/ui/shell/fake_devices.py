# SPDX-License-Identifier: EUPL-1.2
"""One's own devices in memory, for the shell's tests: three of them, invitations, and what was not sent."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.core.clock import now_ms
from app.core.ids import DevId, RoomId
from app.core.signal import Signal
from app.devices.inviting import Invitation, Newcomer, Offer
from app.devices.service import DeviceInfo, DeviceService, RevocationProgress
from app.devices.unsent import Body, UnsentFile, UnsentWork

NOW_MS = 1_795_512_600_000
"""24 November 2026, 10:30 in Sweden."""
TOWER, LAPTOP, TABLET = (DevId(bytes([n]) * 16) for n in (1, 2, 3))


def device(dev: DevId, name: str, **values: Any) -> DeviceInfo:
    """A device of the own person."""
    known = DeviceInfo(
        dev=dev,
        name=name,
        system="Debian GNU/Linux 13",
        version="0.1.0",
        added=NOW_MS - 22 * 86_400_000,
        last_seen=NOW_MS - 7_200_000,
        alive=NOW_MS - 7_200_000,
        mine=False,
        revoked=False,
        revocable=True,
        by="Tornet",
    )
    return replace(known, **values)


class FakeInvitation(Invitation):
    """Shows a code or a number, and somebody comes when `come` is set."""

    def __init__(self) -> None:
        self.by_code = True
        self.come = asyncio.Event()
        self.error: Exception | None = None
        self.answer = ""
        self.going_on: asyncio.Event | None = None
        """What adding waits for, if anything."""

    async def open(self, *, by_code: bool) -> Offer:
        self.by_code = by_code
        if self.error is not None:
            raise self.error
        expires = now_ms() + 299_000
        return (
            Offer(code="ABCD-EFGH-JKMN-PQRS-TVWX-YZ23-45", number="", expires_ms=expires)
            if by_code
            else Offer(code="", number="123456789", expires_ms=expires)
        )

    async def arrived(self) -> Newcomer:
        await self.come.wait()
        if self.error is not None:
            raise self.error
        return Newcomer(name="Resedator", system="Windows 11", digits="" if self.by_code else "042117")

    async def admit(self) -> None:
        if self.going_on is not None:
            await self.going_on.wait()
        self.answer = "yes"

    async def refuse(self) -> None:
        self.answer = "no"

    async def close(self) -> None:
        self.answer = self.answer or "closed"


class FakeDevices(DeviceService):
    """Three devices: this one, another, and one that was revoked."""

    revocation_progress: RevocationProgress | None = None
    digits_from: int | None = None
    ended: str | None = None

    def __init__(self) -> None:
        self.changed: Signal[()] = Signal()
        self.added: tuple[DevId, ...] = ()
        """What every device has added."""
        self.offline = False
        self.asked = True
        self.invitations: list[FakeInvitation] = []
        self.rows = [
            device(TOWER, "Tornet", mine=True, revocable=False, by=""),
            device(LAPTOP, "Bärbar dator"),
            device(TABLET, "Surfplatta", revoked=True, revocable=False),
        ]

    def all(self) -> list[DeviceInfo]:
        return self.rows

    def look(self) -> None:
        self.asked = not self.offline

    def rename(self, dev: DevId, name: str) -> None:
        self.rows = [replace(row, name=name) if row.dev == dev else row for row in self.rows]
        self.changed.emit()

    def added_by(self, dev: DevId) -> list[DeviceInfo]:
        return [row for row in self.rows if row.dev in self.added]

    async def revoke(self, dev: DevId, *, with_added: bool = False) -> None:
        gone = {dev, *(self.added if with_added else ())}
        self.rows = [replace(r, revoked=True, revocable=False) if r.dev in gone else r for r in self.rows]
        self.revocation_progress = RevocationProgress(rooms=12, all=20)
        self.changed.emit()

    def invite(self) -> FakeInvitation:
        self.invitations.append(FakeInvitation())
        return self.invitations[-1]


class FakeUnsent(UnsentWork):
    """What was not sent, and a file of it."""

    count: int = 3

    def __init__(self, room: RoomId) -> None:
        self.room = room
        self.saved: list[Path] = []
        self.taken: list[UnsentFile] = []
        self.error: Exception | None = None
        self.going_on: asyncio.Event | None = None
        """What saving waits for, if anything."""

    async def save(self, path: Path) -> int:
        if self.going_on is not None:
            await self.going_on.wait()
        if self.error is not None:
            raise self.error
        self.saved.append(path)
        return self.count

    async def read(self, path: Path) -> UnsentFile:
        if self.error is not None:
            raise self.error
        return UnsentFile(
            dev=TABLET, fits=3, strange=1, rooms=(self.room,), path=path, body=Body(1, (), (), ()), offset=0
        )

    async def take_in(self, found: UnsentFile) -> int:
        self.taken.append(found)
        return found.fits
