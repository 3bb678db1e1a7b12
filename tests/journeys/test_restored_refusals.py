# SPDX-License-Identifier: EUPL-1.2
"""A restored server that does not take for now what clients upload again, and one that shows forged receipts."""

from typing import Any

import pytest

from app.core.ids import RoomId, new_obj
from sync.client.restore import reupload
from sync.client.status import RoomState
from sync.protocol import messages as m
from sync.protocol.messages import ErrorCode
from sync.server.rules.people import People
from sync.server.rules.refusal import Refusal
from sync.server.rules.restored_rooms import RestoreRecovery
from tests.journeys.bad_input.checks import HELLO
from tests.journeys.restoring import backed_up, history, is_online, open_again, restored, whole
from tests.world import Client, World, until


class Busy:
    """While `is_busy`, the server refuses each call of a method with "busy"; `tries` counts those."""

    def __init__(self, owner: type, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_busy, self.tries = True, 0
        real = getattr(owner, method)

        async def busy(server: Any, *args: Any) -> Any:
            if self.is_busy:
                self.tries += 1
                raise Refusal(ErrorCode.BUSY)
            return await real(server, *args)

        monkeypatch.setattr(owner, method, busy)


async def lost(w: World) -> tuple[Client, Client, RoomId, list[tuple[int, bytes]]]:
    """Two in a room, and a server that was restored from before the newest item. Both are offline. Gives the room's
    history too."""
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    await w.settle(room)
    backup = await backed_up(w)
    a.say(room, obj, HELLO)
    await w.settle(room)
    before = history(a, room)
    await restored(w, backup)
    return a, b, room, before


async def test_items_that_the_server_does_not_take_for_now_are_kept_until_it_has_them(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reupload, "AGAIN_S", 0.05)
    a, b, room, before = await lost(w)
    monkeypatch.setattr(reupload, "KEPT_MS", -86_400_000)  # as if all of it were older than what is kept
    server = Busy(RestoreRecovery, "reupload", monkeypatch)
    for client in (a, b):
        client.online()
    await until(lambda: server.tries > 8)
    assert not any(client.engine.parts.reuploader._done_sent for client in (a, b))
    assert all(client.store.kept_items(room, before[-1][0] - 1, 10**6) for client in (a, b))
    server.is_busy = False
    await open_again(w)
    await until(lambda: all(client.engine.room_state(room) is RoomState.SEALED for client in (a, b)))
    await until(lambda: not a.store.kept_items(room, 0, 10**6))
    assert history(a, room)[: len(before)] == history(b, room)[: len(before)] == before
    await whole(w)


async def test_a_server_that_does_not_compare_logs_for_now_is_asked_again_on_the_same_connection(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reupload, "AGAIN_S", 0.05)
    a, b, room, before = await lost(w)
    server = Busy(People, "heads", monkeypatch)
    a.online()
    await until(lambda: server.tries > 0)
    connection = a.engine.parts.link.connection
    assert connection is not None
    await until(lambda: server.tries > 4)
    assert a.engine.parts.link.connection is connection
    assert not a.engine.parts.reuploader._done_sent
    server.is_busy = False
    await until(lambda: a.engine.parts.reuploader._done_sent)
    b.online()
    await open_again(w)
    await w.settle(room)
    assert history(a, room)[: len(before)] == before


async def test_attack_a_forged_receipt_after_a_restore_is_refused_and_no_evidence(
    w: World, caplog: pytest.LogCaptureFixture
) -> None:
    """It would be stored as a statement of the server, and prove nothing."""
    a, _, room, before = await lost(w)
    while a.store.trim_items(2**60, 0):  # so that this device cannot prove what is lost
        pass
    a.online()
    await is_online(a)
    await until(lambda: a.engine.room_state(room) is RoomState.RESTORED)
    await until(lambda: a.engine.parts.reuploader._done_sent)
    n = before[-1][0] - 1
    forged = m.Receipt(room, n, before[n - 1][1], 1, bytes(64))
    kept = a.store.receipts_kept.evidence(room)
    a.engine.parts.reuploader.on_frame(m.RestoreProgress(forged, 0, True))
    await until(lambda: "the client refused the server: signature" in caplog.text)
    assert a.store.receipts_kept.evidence(room) == kept
    await until(lambda: a.engine.room_state(room) is RoomState.RESTORED)
