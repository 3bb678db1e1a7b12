# SPDX-License-Identifier: EUPL-1.2
"""What the person does with many notices at once is one flush of the disk, not one for each."""

from pathlib import Path

from app.core import clock
from app.core.ids import ObjId
from app.objects.links import ObjectLink
from tests.app.reminders.devices import HOUR_MS, Air, Now, Reminded, settle
from tests.app.store.failing import Statements
from tests.office import ROOM


async def test_a_snooze_of_twenty_notices_is_a_few_transactions(tmp_path: Path) -> None:
    now = Now()
    end = clock.set_clock(now)
    device = Reminded(tmp_path, 1, now, Air())
    device.run()
    await device.go(online=True)
    for n in range(20):
        device.reminders.remind(ObjectLink(room=ROOM, obj=ObjId(b"c" * 16), kind="chat", ref=bytes([n]) * 16), now.ms)
    await settle(device)
    ids = [row.id for row in device.open()]
    seen = Statements(device.store)
    with seen.watched():
        device.notices.snooze(ids, now.ms + HOUR_MS)
    assert len(ids) == 20
    assert sum(text.startswith("COMMIT") for text in seen.texts) <= 3
    assert len(device.notices.snoozed()) == 20
    assert len(device.own.keys("notices")) == 20
    await device.stop()
    device.close()
    end()
