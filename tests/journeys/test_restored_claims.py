# SPDX-License-Identifier: EUPL-1.2
"""A server says that it was restored: what its statement explains, and what it does not."""

from collections.abc import Sequence

import msgspec
import pytest

from app.core.ids import new_obj
from sync.client.status import LinkState, RoomState
from sync.crypto.signatures import SigningKey
from sync.protocol import messages as m
from sync.server.host.identity import read_identity
from sync.server.operator import admin
from sync.server.rules.handshake import now_ms
from sync.trust.person.agency import agency_fingerprint
from sync.trust.room.restore_notice import Restored
from tests.journeys.bad_input.checks import HELLO, lie, nothing_lost, offline, stopped
from tests.journeys.restoring import backed_up, restored
from tests.world import World, until


def _claims(body: bytes, sig: bytes, f: m.ServerFrame) -> Sequence[m.Frame]:
    return [msgspec.structs.replace(f, restored=m.Signed(body, sig))] if isinstance(f, m.Authed) else [f]


async def test_attack_a_statement_that_the_server_did_not_sign_explains_nothing(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    a.say(room, obj, HELLO)
    await w.settle(room)
    agency_pk = a.engine.parts.link.account.agency_pk
    false = Restored.sign(SigningKey(bytes(32)), agency_fingerprint(agency_pk), now_ms(), now_ms())
    await lie(a, lambda f: _claims(false.body, false.sig, f))
    await until(lambda: a.engine.status.code == "signature")
    assert a.engine.status.state is LinkState.ERROR


@pytest.mark.parametrize("late_ms", [120_000, -2 * 86_400_000], ids=["backup since", "restored long before"])
async def test_attack_a_server_that_drops_what_its_backup_had_is_rolled_back_whatever_it_says(
    w: World, late_ms: int
) -> None:
    """The statement is the server's own. What is missing was there long before that backup, or was acknowledged long
    after that restore."""
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    backup = await backed_up(w)
    a.say(room, obj, HELLO)
    await w.settle(room)
    await restored(w, backup, a, b)
    identity = read_identity(w.data, now_ms())
    late = now_ms() + late_ms
    told = Restored.sign(identity.key, identity.fingerprint, late, late)
    seen: list[RoomState] = []
    a.on_room = lambda room: seen.append(a.engine.room_state(room))  # type: ignore[method-assign]
    a.wire.cut = False
    await lie(a, lambda f: _claims(told.body, told.sig, f))
    await until(lambda: bool(seen))
    assert RoomState.ROLLBACK in seen
    assert RoomState.RESTORED not in seen
    assert a.store.receipts_kept.evidence(room)[0].code == "rollback"


async def test_a_room_that_was_opened_without_what_one_holds_is_told_as_it_is(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator did not wait, and others wrote: two histories."""
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    await offline(b)
    backup = await backed_up(w)
    a.say(room, obj, HELLO)
    await w.settle(room, a)
    await restored(w, backup, a)
    monkeypatch.setattr(admin, "OPEN_AFTER_MS", 0)
    await admin.open_room(w.data, room)
    b.say(room, obj, b"annan historia")
    b.online()
    await until(lambda: b.store.waiting_count() == 0)
    a.online()
    await stopped(a, room, RoomState.FORK)
    await nothing_lost(a, obj, [HELLO], waiting=0)


async def test_attack_while_more_may_come_back_a_room_is_not_at_its_end(w: World) -> None:
    """Else a server that says it was restored could have a successor believed whose founder was removed meanwhile."""
    (a,) = await w.hire("Handläggare")
    room = await w.room(a)
    await until(lambda: a.engine.parts.link.rooms[room].ends_here)
    await offline(a)
    a.engine.parts.link.rooms[room].stop(RoomState.RESTORED)
    await a.restart()
    at = a.engine.parts.link.rooms[room]
    assert at.problem is RoomState.RESTORED
    assert not at.ends_here
    at.stop(RoomState.ROLLBACK)
    assert at.ends_here
