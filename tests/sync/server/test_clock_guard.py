# SPDX-License-Identifier: EUPL-1.2
"""The server's clock is set while the server runs: what waits, for how long, and that nothing is lost."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from sync.client.exchange import outbox
from sync.protocol import messages as m
from sync.server.config import ConfigError, Limits
from sync.server.operator import admin
from sync.server.rules import clock_guard, placing, recovery_requests
from sync.server.rules.clock_guard import CONFIRMED, FAR_MS, FOLLOW_MS, HOLD_MS, JUMP_MS, ClockGuard, boot_id, up_ms
from sync.server.rules.handshake import now_ms
from sync.server.rules.people import People
from sync.server.rules.refusal import Refusal
from sync.server.store.base import RecoveryRequestRow, Store
from tests.journeys.bad_input.checks import two
from tests.world import until, world

MINUTE_MS = 60_000
NOON = 1_795_500_000_000


@dataclass
class Machine:
    """A machine whose clock can be set apart from its uptime."""

    clock_ms: int = NOON
    up_ms: int = 5_000_000

    def guard(self, data: Path | None = None, boot: str = "this start") -> ClockGuard:
        return ClockGuard(data, lambda: self.clock_ms, lambda: self.up_ms, boot)

    def passes(self, ms: int) -> None:
        self.clock_ms += ms
        self.up_ms += ms

    def is_set(self, by_ms: int) -> None:
        self.clock_ms += by_ms


@pytest.fixture
def machine() -> Machine:
    return Machine()


def waits(guard: ClockGuard) -> bool:
    try:
        guard.check()
    except Refusal as e:
        return (e.code, e.detail) == (m.ErrorCode.BUSY, "clock")
    return False


def test_small_corrections_and_sleep_are_nothing(machine: Machine) -> None:
    guard = machine.guard()
    for by in (JUMP_MS, -JUMP_MS, 0):
        machine.passes(30 * 86_400_000)
        machine.is_set(by)
        assert not waits(guard)


@pytest.mark.parametrize("by", [JUMP_MS + 1, -JUMP_MS - 1, 3_600_000, -FAR_MS])
def test_attack_after_a_jump_nothing_is_placed_until_the_clock_is_back(machine: Machine, by: int) -> None:
    guard = machine.guard()
    machine.is_set(by)
    machine.passes(5 * MINUTE_MS)
    assert waits(guard)
    assert guard.jump_ms == by
    machine.is_set(-by)
    assert not waits(guard)
    assert guard.jump_ms == 0


def test_a_jump_of_less_than_a_day_holds_for_an_hour_and_then_the_new_time_counts(machine: Machine) -> None:
    guard = machine.guard()
    machine.is_set(3_600_000)
    assert waits(guard)
    machine.passes(HOLD_MS - 1)
    assert waits(guard)
    machine.passes(1)
    assert not waits(guard)
    machine.is_set(-3_600_000)  # the old time is a jump now
    assert waits(guard)


def test_attack_a_jump_of_more_than_a_day_waits_for_the_operator(machine: Machine, tmp_path: Path) -> None:
    guard = machine.guard(tmp_path)
    machine.is_set(75 * 365 * FAR_MS)
    assert waits(guard)
    machine.passes(30 * FAR_MS)
    assert waits(guard)
    written = {"boot": "this start", "clock_ms": machine.clock_ms, "up_ms": machine.up_ms}
    (tmp_path / CONFIRMED).write_text(json.dumps(written | {"clock_ms": machine.clock_ms - FAR_MS}))
    assert waits(guard)  # another time was confirmed
    (tmp_path / CONFIRMED).write_text(json.dumps(written | {"boot": "another start"}))
    assert waits(guard)
    (tmp_path / CONFIRMED).write_text(json.dumps(written))
    machine.passes(MINUTE_MS)
    assert not waits(guard)


def test_attack_many_small_jumps_are_a_jump(machine: Machine) -> None:
    guard = machine.guard()
    for _ in range(3):
        machine.is_set(JUMP_MS // 2)
        machine.passes(3_600_000)
        found = waits(guard)
    assert found


def test_a_drift_over_months_is_followed(machine: Machine) -> None:
    guard = machine.guard()
    for _ in range(60):
        machine.passes(FOLLOW_MS)
        machine.is_set(MINUTE_MS)
        assert not waits(guard)


def test_attack_a_server_that_is_started_again_notices_the_jump_too(machine: Machine, tmp_path: Path) -> None:
    assert not waits(machine.guard(tmp_path))
    machine.passes(MINUTE_MS)
    machine.is_set(8 * FAR_MS)
    guard = machine.guard(tmp_path)
    assert waits(guard)
    assert guard.jump_ms == 8 * FAR_MS


def test_after_a_start_of_the_machine_a_clock_that_went_back_is_noticed(machine: Machine, tmp_path: Path) -> None:
    assert not waits(machine.guard(tmp_path))
    machine.up_ms = 1000
    machine.is_set(8 * FAR_MS)  # switched off for a week
    assert not waits(machine.guard(tmp_path, "next start"))
    machine.is_set(-8 * FAR_MS)
    assert waits(machine.guard(tmp_path, "the one after"))


def test_a_comparison_that_cannot_be_read_or_kept_stops_nothing(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "clock").write_bytes(b"\xff{")
    assert not waits(machine.guard(tmp_path))
    assert not waits(machine.guard(tmp_path / "gone"))


def test_the_operator_confirms_the_machines_own_time(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        admin.confirm_clock(tmp_path)
    admin.confirm_clock(data)
    confirmed = json.loads((data / CONFIRMED).read_text())
    assert confirmed["boot"] == boot_id()
    assert 0 <= now_ms() - confirmed["clock_ms"] < MINUTE_MS
    assert 0 <= up_ms() - confirmed["up_ms"] < MINUTE_MS


def test_a_system_without_a_boot_clock_is_compared_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has neither clock_gettime nor a boot id; the desktop's self-test starts a server there."""
    monkeypatch.delattr("time.CLOCK_BOOTTIME")
    monkeypatch.delattr("time.clock_gettime_ns")
    before = up_ms()
    assert not waits(ClockGuard())
    assert up_ms() >= before > 0


def test_attack_a_clock_that_was_set_ends_no_veto(machine: Machine, tmp_path: Path) -> None:
    guard, row = (
        machine.guard(),
        RecoveryRequestRow(uid=b"u" * 16, what="add", dev=b"d" * 16, since=now_ms() - 2 * FAR_MS),
    )
    asked = recovery_requests.RecoveryRules(cast("Store", None), cast("People", None), Limits(), guard)
    assert asked._until(row) == 0
    machine.is_set(FAR_MS)
    with pytest.raises(Refusal):
        asked._until(row)


async def test_the_servers_clock_is_set_an_hour_ahead_and_back_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People continue to read and write; what they write meanwhile is placed when the clock is back."""
    monkeypatch.setattr(outbox, "RETRY_S", 0.05)
    async with world(tmp_path) as w:
        a, b, room, obj = await two(w)
        assert w.running is not None
        clock, ahead = w.running.service.clock, 0

        def now() -> int:
            return now_ms() + ahead

        monkeypatch.setattr(clock, "_clock", now)
        for module in (placing, recovery_requests):
            monkeypatch.setattr(module, "now_ms", now)
        a.say(room, obj, b"before")
        await w.settle(room, a, b)
        t = a.engine.parts.link.rooms[room].stream.t
        ahead = 3_600_000
        a.say(room, obj, "medan klockan går fel 🙂".encode())
        b.say(room, obj, b"also")
        await until(lambda: [c.engine.parts.link.rooms[room].blocked for c in (a, b)] == ["busy"] * 2)
        assert clock.jump_ms // 60_000 in (59, 60)
        assert (await a.engine.parts.link.pull(room, 0)).items  # reading goes on
        await w.second(a)  # and so does letting a device in
        ahead = 0
        await w.settle(room, a, b)
        written = {b"before", "medan klockan går fel 🙂".encode(), b"also"}
        assert written <= set(a.texts(obj)) == set(b.texts(obj))
        assert 0 <= a.engine.parts.link.rooms[room].stream.t - t < 600_000
    assert clock_guard.CONFIRMED not in {path.name for path in w.data.iterdir()}
