# SPDX-License-Identifier: EUPL-1.2
"""A server that gives positions a time far ahead: it is shown and kept as evidence, and the room continues."""

import pytest

from sync.client.exchange import outbox
from sync.client.status import RoomState
from sync.server.rules import placing
from sync.server.rules.handshake import now_ms
from sync.trust.room.signed_receipts import Proof
from tests.journeys.bad_input.checks import two
from tests.world import World, until

YEARS_MS = 75 * 365 * 86_400_000


async def test_attack_a_time_far_ahead_is_shown_after_a_new_sign_in_with_its_receipt_and_the_room_goes_on(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "RETRY_S", 0.05)
    a, b, room, obj = await two(w)
    assert [c.engine.time_ahead(room) for c in (a, b)] == [0, 0]
    before = [c.engine.parts.link.connection for c in (a, b)]
    monkeypatch.setattr(placing, "now_ms", lambda: now_ms() + YEARS_MS)
    a.say(room, obj, b"in 75 years")
    await until(lambda: all(c.engine.time_ahead(room) > YEARS_MS - 60_000 for c in (a, b)))
    assert all(c.engine.parts.link.connection not in before for c in (a, b)), "the clocks were compared again"
    (kept,) = b.store.receipts_kept.evidence(room)
    assert kept.code == "time"
    assert kept.theirs is not None
    assert Proof.decode(kept.theirs).receipt.t > now_ms() + YEARS_MS - 60_000
    b.say(room, obj, "det går vidare 🙂".encode())
    await w.settle(room, a, b)
    assert "det går vidare 🙂".encode() in a.texts(obj)
    assert [c.engine.room_state(room) for c in (a, b)] == [RoomState.SEALED] * 2


MONTH_MS = 30 * 86_400_000


@pytest.mark.parametrize("ahead_ms", [YEARS_MS, MONTH_MS + 3_600_000])
async def test_attack_a_false_time_neither_puts_a_renewal_off_nor_brings_it_at_once(
    w: World, monkeypatch: pytest.MonkeyPatch, ahead_ms: int
) -> None:
    (a,) = await w.hire("Handläggare")
    room = await w.room(a)
    found = a.engine.parts.link.rooms[room]
    a.store.note_seen(room, found.kept_n, a.engine.parts.link.now_ms())
    with a.store.transaction():  # the epoch's position had a time far ahead, or the clock jumped back since
        change = ahead_ms if ahead_ms == YEARS_MS else -ahead_ms
        a.store.db.conn.execute("UPDATE events SET t = t + ? WHERE room = ?", (change, room))
    due = a.engine.renewed_at(room)
    assert due is not None
    assert due < now_ms() + MONTH_MS + 60_000
    assert not a.engine.parts.schedule._is_due(found)
    later = now_ms() + MONTH_MS + 60_000
    monkeypatch.setattr(a.engine.parts.link, "now_ms", lambda: later)
    assert a.engine.parts.schedule._is_due(found)
