# SPDX-License-Identifier: EUPL-1.2
"""What the person does with many notices at once is one flush of the disk, not one for each."""

from app.core.ids import ObjId
from app.objects.links import ObjectLink
from tests.app.clocks import Now
from tests.app.reminders.devices import HOUR_MS, Reminded, settle
from tests.app.store.failing import Statements
from tests.office import ROOM


async def test_a_snooze_of_twenty_notices_is_a_few_transactions(alone: Reminded, now: Now) -> None:
    for n in range(20):
        alone.reminders.remind(ObjectLink(room=ROOM, obj=ObjId(b"c" * 16), kind="chat", ref=bytes([n]) * 16), now.ms)
    await settle(alone)
    ids = [row.id for row in alone.open()]
    seen = Statements(alone.store)
    with seen.watched():
        alone.notices.snooze(ids, now.ms + HOUR_MS)
    assert len(ids) == 20
    assert sum(text.startswith("COMMIT") for text in seen.texts) <= 3
    assert len(alone.notices.snoozed()) == 20
    assert len(alone.own.keys("notices")) == 20
