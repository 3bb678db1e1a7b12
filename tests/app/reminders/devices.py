# SPDX-License-Identifier: EUPL-1.2
"""Devices of one person with reminders and notices, on clocks that a test sets."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from app.core.alarms import Alarms
from app.core.enums import Level, LinkState
from app.core.ids import ObjId
from app.notices.kinds import KINDS as NOTICE_KINDS
from app.notices.service import FreshNotices, NoticeFilter, NoticeId, NoticeRow, Notices
from app.notices.turns import TurnPorts, Turns
from app.objects.links import ObjectLink
from app.own.notice_marks import NoticeMarks
from app.reminders.service import Reminders
from app.store.store import Store
from tests.app.clocks import Now
from tests.app.own.devices import Device, Server
from tests.office import ROOM

CHAT = ObjId(b"c" * 16)
MESSAGES = [ObjectLink(room=ROOM, obj=CHAT, kind="chat", ref=bytes([n]) * 16) for n in range(1, 4)]
HOUR_MS = 3_600_000
OPEN = NoticeFilter(open=True)


class Timer:
    """A timer that a test lets end."""

    def __init__(self) -> None:
        self.act: Callable[[], None] = lambda: None
        self.delay_s = 0.0

    def __call__(self, delay_s: float, act: Callable[[], None]) -> Callable[[], None]:
        self.delay_s, self.act = delay_s, act
        return lambda: None


@dataclass
class Air:
    """Passes ephemeral messages between the devices that are online."""

    devices: "list[Reminded]" = field(default_factory=list)
    sent: int = 0

    def send(self, by: "Reminded", payload: bytes) -> None:
        self.sent += 1
        for device in self.devices:
            if device is not by and by.is_online and device.is_online:
                device.turns.receive(by.dev, payload)


class Reminded(Device):
    """A device with reminders. `rung` has what has rung on it: the id of each notice."""

    def __init__(self, folder: Path, number: int, now: Now, air: Air) -> None:
        self.now, self.air = now, air
        self.rung: list[NoticeId] = []
        self.toasts: list[FreshNotices] = []
        self.task: asyncio.Task[object] | None = None
        super().__init__(folder, number)
        air.devices.append(self)

    def _begin(self, store: Store) -> None:
        super()._begin(store)
        self.timer = Timer()
        self.alarms = Alarms(self.timer, lambda: self.now.awake_s)
        ports = TurnPorts(
            me=self.dev,
            devices=lambda: [each.dev for each in self.air.devices] or [self.dev],
            send=lambda payload: self.air.send(self, payload),
            awake_s=lambda: self.now.awake_s,
        )
        self.turns = Turns(ports)
        self.notices = Notices(store, NOTICE_KINDS, lambda room: Level.ALL, frozenset[str], self.alarms, self.turns)
        self.reminders = Reminders(store, self.own, self.notices, self.alarms)
        self.marks = NoticeMarks(
            self.own,
            self.notices.marked,
            self.notices.apply_states,
            self.notices.rung,
            self.notices.silence,
            has_others=lambda: self.turns.has_others,
        )
        self.notices.fresh.connect(self._on_fresh)
        self.marks.start()
        self.reminders.start()
        self.alarms.start()

    def _on_fresh(self, fresh: FreshNotices) -> None:
        self.toasts.append(fresh)
        self.rung += [row.id for row in fresh.notices]

    async def go(self, online: bool) -> None:
        """Goes online, or offline."""
        self.is_online = online
        for state in (LinkState.SYNCING, LinkState.ONLINE) if online else (LinkState.OFFLINE,):
            self.notices.on_status(state)

    def run(self) -> None:
        self.task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as both:
            both.create_task(self.notices.run())
            both.create_task(self.reminders.run())

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task
        self.task = None

    def open(self) -> list[NoticeRow]:
        return list(self.notices.list(OPEN))

    def close(self) -> None:
        for each in (self.marks, self.reminders, self.notices, self.alarms):
            each.close()
        super().close()


Two = tuple[Reminded, Reminded, Server]
"""A person's devices at home and at the office, and the server between them."""


async def settle(*devices: Reminded) -> None:
    """All that the devices do now is done: their timers have ended that were to end by now."""
    for device in devices:
        device.alarms.look()
    await _idle(*devices)
    for device in devices:
        device.alarms.look()
    await _idle(*devices)


async def _idle(*devices: Reminded) -> None:
    """What runs in the loop is done, and with it what waits for a commit in a thread: commits follow one another."""
    is_more = True
    while is_more:
        for device in devices:
            for _ in range(2):
                for _ in range(10):
                    await asyncio.sleep(0)
                await device.store.db.apart(lambda: None)
        for _ in range(10):
            await asyncio.sleep(0)
        is_more = any(each.task is not None and each.store.reminders.due(each.now.ms, 1) for each in devices)


async def wait(now: Now, seconds: int, *devices: Reminded) -> None:
    """Seconds pass, one after the other."""
    for _ in range(seconds):
        now.pass_s(1)
        await settle(*devices)


async def meet(server: Server, *devices: Reminded) -> None:
    for _ in range(2):
        for device in devices:
            device.own.flush()
        server.meet(*devices)
        await settle(*devices)
