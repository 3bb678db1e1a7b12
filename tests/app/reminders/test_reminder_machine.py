# SPDX-License-Identifier: EUPL-1.2
"""A person with two devices, online and not: whatever they do with reminders and with their notices, no reminder is
lost, none is there twice, and none rings twice at one device for one time."""

import asyncio
import shutil
from collections import Counter
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.core import clock
from app.notices.service import NoticeId, NoticeState
from app.objects.links import ObjectLink
from app.store.notice_rows import id_of
from app.store.reminder_rows import GONE, WAITS, ReminderId
from tests.app.clocks import Now
from tests.app.own.devices import Server
from tests.app.reminders.devices import CHAT, Air, Reminded, settle
from tests.office import ROOM

MINUTE_MS = 60_000
devices = st.integers(0, 1)
minutes = st.integers(0, 40)
Rank = tuple[int, int, int]
"""Generation, state and time of a reminder, as one device has set them."""


def notice_of(ident: ReminderId, at: int) -> NoticeId:
    return id_of("reminder", ROOM, CHAT, ident + at.to_bytes(8, "big"))


class TwoDevices(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.folder, self.now, air = Path(mkdtemp()), Now(), Air()
        self.end_clock = clock.set_clock(self.now)
        self.devices = [Reminded(self.folder / str(n), n + 1, self.now, air) for n in range(2)]
        self.server = Server()
        self.set: dict[ReminderId, set[Rank]] = {}
        """All that was set of each reminder."""
        self.done: set[NoticeId] = set()
        self.snoozes: Counter[NoticeId] = Counter()
        self.apart = False
        for device in self.devices:
            self.loop.run_until_complete(self._start(device))

    async def _start(self, device: Reminded) -> None:
        device.run()
        await device.go(online=not self.apart)
        await settle(device)

    def _settle(self) -> None:
        self.loop.run_until_complete(settle(*self.devices))

    def _note(self, device: int, ident: ReminderId) -> None:
        row = self.devices[device].store.reminders.get(ident)
        assert row is not None
        self.set.setdefault(ident, set()).add(row.rank)

    def _any(self, device: int, which: int) -> ReminderId | None:
        known = self.devices[device].store.reminders.ids(100)
        return known[which % len(known)] if known else None

    # -- what the person does

    @rule(device=devices, place=st.integers(1, 9), after=minutes)
    def remind(self, device: int, place: int, after: int) -> None:
        link = ObjectLink(room=ROOM, obj=CHAT, kind="chat", ref=bytes([place]) * 16)
        row = self.devices[device].reminders.remind(link, self.now.ms + after * MINUTE_MS)
        self._note(device, row.id)
        self._settle()

    @rule(device=devices, which=st.integers(0, 9), after=minutes)
    def move(self, device: int, which: int, after: int) -> None:
        ident = self._any(device, which)
        if ident is not None:
            self.devices[device].reminders.move(ident, self.now.ms + after * MINUTE_MS)
            self._note(device, ident)
            self._settle()

    @rule(device=devices, which=st.integers(0, 9))
    def remove(self, device: int, which: int) -> None:
        ident = self._any(device, which)
        row = self.devices[device].store.reminders.get(ident) if ident is not None else None
        if row is not None and row.state == WAITS and row.notice is None:
            self.devices[device].reminders.remove(row.id)
            self._note(device, row.id)
            self._settle()

    @rule(device=devices, which=st.integers(0, 9), after=st.integers(1, 40))
    def snooze(self, device: int, which: int, after: int) -> None:
        rows = self.devices[device].open()
        if rows:
            row = rows[which % len(rows)]
            self.devices[device].notices.snooze([row.id], self.now.ms + after * MINUTE_MS)
            self.snoozes[row.id] += 1
            self._settle()

    @rule(device=devices, which=st.integers(0, 9), takes_back=st.booleans())
    def be_done(self, device: int, which: int, takes_back: bool) -> None:
        at = self.devices[device]
        rows = at.open()
        if rows:
            row = rows[which % len(rows)]
            reminder = at.store.reminders.by_notice(row.id)
            assert reminder is not None
            at.notices.mark_done([row.id])
            self._note(device, reminder.id)
            self.done.add(row.id)
            if takes_back:
                at.notices.mark_new([row.id])
                self._note(device, reminder.id)
            self._settle()

    # -- what happens to the devices

    @rule(device=devices, ago_s=st.sampled_from([0, 0, 50]))
    def use(self, device: int, ago_s: int) -> None:
        self.now.pass_s(6)
        self.devices[device].turns.use(ago_s)

    @rule(online=st.booleans())
    def connect(self, online: bool) -> None:
        self.apart = not online
        for device in self.devices:
            self.loop.run_until_complete(device.go(online))
        self._settle()

    @rule(seconds=st.sampled_from([1, 20, 600, 7200]))
    def time_passes(self, seconds: int) -> None:
        self.now.pass_s(seconds)
        for device in self.devices:
            device.now_ms = self.now.ms
        self._settle()

    @rule(device=devices, killed=st.booleans())
    def start_again(self, device: int, killed: bool) -> None:
        at = self.devices[device]
        self.loop.run_until_complete(at.stop())
        at.restart(killed=killed)
        self.loop.run_until_complete(self._start(at))

    @rule()
    def meet(self) -> None:
        if not self.apart:
            self._meet()

    def _meet(self) -> None:
        for _ in range(3):
            for device in self.devices:
                device.own.flush()
            self.server.meet(*self.devices)
            self._settle()

    # -- what holds

    @invariant()
    def nothing_rings_twice_for_one_time(self) -> None:
        for device in self.devices:
            for ident, count in Counter(device.rung).items():
                assert count <= 1 + self.snoozes[ident]

    def teardown(self) -> None:
        self.apart = False
        for device in self.devices:
            self.loop.run_until_complete(device.go(online=True))
        self._meet()
        for _ in range(25):
            self.now.pass_s(1)
            self._settle()
        self._meet()
        for device in self.devices:
            self._check(device)
        opened = [{row.id for row in device.open()} for device in self.devices]
        assert opened[0] == opened[1]
        for device in self.devices:
            self.loop.run_until_complete(device.stop())
            device.close()
        self.loop.close()
        self.end_clock()
        shutil.rmtree(self.folder)

    def _check(self, device: Reminded) -> None:
        expected = {ident: max(ranks) for ident, ranks in self.set.items()}
        states: dict[bytes, int] = dict(device.store.db.rows("SELECT id, state FROM notices WHERE kind = 'reminder'"))
        opened = {row.id for row in device.open()}
        waiting = {row.id for row in device.reminders.list(1000)}
        for ident, (_, state, at) in expected.items():
            notice = notice_of(ident, at)
            is_due = state == WAITS and at <= self.now.ms
            assert (ident in waiting) == (state == WAITS and not is_due)
            if is_due:
                assert notice in opened or states[notice] in (NoticeState.SNOOZED, NoticeState.DONE)
                assert notice in opened or notice in self.done or self.snoozes[notice]
                if notice in opened and notice not in self.done:
                    assert any(notice in each.rung for each in self.devices), "it rang somewhere"
            if state == GONE:
                assert notice not in opened
        named = {notice_of(ident, rank[2]) for ident, rank in expected.items() if rank[1] == WAITS}
        assert opened <= named, "nothing is there that was moved or removed"


TestTwoDevices = pytest.mark.slow(TwoDevices.TestCase)
TestTwoDevices.settings = settings(
    max_examples=20,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
