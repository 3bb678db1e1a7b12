# SPDX-License-Identifier: EUPL-1.2
"""Reminders: 5,000 that became due while the program did not run, from its start until all of them are notices and have
rung; and 100,000 that a stolen device of the person wrote at once."""

import asyncio
import tempfile
from pathlib import Path

from tests.bench.registry import Figure, bench
from tests.bench.turns import Turns

DUE = 5000
FORGED = 100_000
_A_CHANGE = 10_000


@bench(
    "reminders_5000_due_toasts", "reminders_5000_due_turn_ms", "reminders_5000_due_turn_cpu_ms", "reminders_5000_due_s"
)
def due() -> list[Figure]:
    """All reminders are about messages of one room. A turn is one handle of the loop, without Qt."""
    with tempfile.TemporaryDirectory() as folder:
        toasts, seen, took_s = asyncio.run(_due(Path(folder)))
    note = f"{DUE} reminders missed; a person with one device"
    return [
        Figure(name="reminders_5000_due_toasts", value=toasts, unit="", n=1, note=note),
        *_turn("reminders_5000_due", seen),
        Figure(name="reminders_5000_due_s", value=took_s, unit="s", n=1, note=note),
    ]


def _turn(name: str, seen: dict[str, object]) -> list[Figure]:
    """The longest turn of the loop, and the most processor time of a turn of over 5 ms: 0 if there was none."""
    note = f"{seen['turns']} turns; longest [wall ms, processor ms, what]: {seen['longest']}"
    return [
        Figure(name=f"{name}_turn_ms", value=float(str(seen["max"])), unit="ms", n=1, note=note),
        Figure(name=f"{name}_turn_cpu_ms", value=float(str(seen["cpu_max"])), unit="ms", n=1),
    ]


async def _due(folder: Path) -> tuple[float, dict[str, object], float]:
    from app.core import clock
    from app.reminders.values import encode
    from app.store import reminder_rows
    from app.store.reminder_rows import WAITS, ReminderId, ReminderRow
    from tests.app.clocks import Now
    from tests.app.reminders.devices import CHAT, HOUR_MS, Air, Reminded
    from tests.office import ROOM
    from tests.world import until

    now = Now()
    end = clock.set_clock(now)
    device = Reminded(folder, 1, now, Air())
    rows = [
        ReminderRow(
            id=ReminderId(ident), generation=0, state=WAITS, at=now.ms, room=ROOM, obj=CHAT, kind="chat", ref=ident
        )
        for ident in (n.to_bytes(16, "big") for n in range(DUE))
    ]
    device.own.put_all("reminders", {row.id.hex(): encode(row, 20_000) for row in rows})
    device.own.flush()
    with device.store.transaction() as conn:
        reminder_rows.put(conn, rows)
    now.pass_s(HOUR_MS / 1000)
    device.restart()
    turns, loop = Turns(), asyncio.get_running_loop()
    began = loop.time()
    turns.start()
    device.run()
    await device.go(online=True)
    await until(lambda: sum(toast.count for toast in device.toasts) == DUE, 60)
    seen, took_s = turns.stop(), loop.time() - began
    await device.stop()
    device.close()
    end()
    return len(device.toasts), seen, took_s


@bench("reminders_100000_forged_turn_ms", "reminders_100000_forged_turn_cpu_ms", "reminders_100000_forged_s")
def forged() -> list[Figure]:
    """From the merge of the stolen device's values until each is a row. The merge itself is not counted: it is what
    app/store/trials.py measures before a change is merged."""
    with tempfile.TemporaryDirectory() as folder:
        seen, took_s = asyncio.run(_forged(Path(folder)))
    note = f"{FORGED} reminders at once"
    return [
        *_turn("reminders_100000_forged", seen),
        Figure(name="reminders_100000_forged_s", value=took_s, unit="s", n=1, note=note),
    ]


async def _forged(folder: Path) -> tuple[dict[str, object], float]:
    from app.core import clock
    from app.reminders.values import encode
    from app.store.reminder_rows import WAITS, ReminderId, ReminderRow
    from tests.app.clocks import Now
    from tests.app.own.devices import Server
    from tests.app.reminders.devices import CHAT, HOUR_MS, Air, Reminded
    from tests.office import ROOM
    from tests.world import until

    now, air = Now(), Air()
    end = clock.set_clock(now)
    device, stolen = (Reminded(folder / name, n, now, air) for n, name in ((1, "home"), (2, "stolen")))
    values = {}
    for n in range(FORGED):
        ident, at = ReminderId(n.to_bytes(16, "big")), now.ms + HOUR_MS * 24
        row = ReminderRow(id=ident, generation=0, state=WAITS, at=at, room=ROOM, obj=CHAT, kind="chat", ref=ident)
        values[ident.hex()] = encode(row, 20_000)
    server, keys = Server(), list(values)
    for at in range(0, FORGED, _A_CHANGE):
        stolen.own.put_all("reminders", {key: values[key] for key in keys[at : at + _A_CHANGE]})
        stolen.own.flush()
        server.meet(stolen, device)
    turns, loop = Turns(), asyncio.get_running_loop()
    began = loop.time()
    turns.start()
    device.run()
    await until(lambda: device.store.db.value("SELECT count(*) FROM reminders") == FORGED, 600)
    seen, took_s = turns.stop(), loop.time() - began
    await device.stop()
    for each in (device, stolen):
        each.close()
    end()
    return seen, took_s
