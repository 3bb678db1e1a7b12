# SPDX-License-Identifier: EUPL-1.2
"""Connections that the entrance has ended: nothing more is done for them, and they are counted no longer."""

import socket
from collections.abc import MutableMapping
from typing import Any, cast

from starlette.types import Receive, Scope, Send

from sync.server.config import Limits
from sync.server.load.entrance import Entrance
from sync.server.load.fairness import FairQueue
from sync.server.load.origins import UNIX, Proxies
from sync.server.process import asgi
from sync.server.process.accepting import Accepting
from sync.server.process.uvicorn_protocols import HeadProtocol
from tests.patience import PATIENCE_S
from tests.sync.server.house import House

HERE = "198.51.100.7"


def entrance(turned_away: list[str], **limits: int) -> Entrance:
    return Entrance(Limits(**limits), FairQueue(0.1), turned_away.append)


async def test_an_answer_to_a_connection_that_was_ended_does_not_count_it_again() -> None:
    why: list[str] = []
    at = entrance(why, address_unsigned_connections=1)
    first = at.admit(HERE)
    second = at.admit(HERE)
    assert first is not None
    assert second is not None
    assert why == ["address"]
    first.answered()
    assert (first.is_unsigned, second.is_unsigned, why) == (False, True, ["address"])
    second.answered()
    assert second.is_unsigned
    second.left()


async def test_a_request_whose_address_has_too_many_connections_is_not_served(house: House) -> None:
    why: list[str] = []
    at = entrance(why, address_connections=1)
    at.proxies = Proxies((UNIX,), behind_proxy=True)
    served, wanted = list[str](), iter(["http.request", "http.disconnect"])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        served.append(scope["type"])

    async def receive() -> MutableMapping[str, Any]:
        return {"type": next(wanted)}

    async def send(message: MutableMapping[str, Any]) -> None:
        raise AssertionError(message)

    guarded = asgi._Guarded(app, house.server.service)
    for _ in range(2):
        caller = at.admit(UNIX)
        assert caller is not None
        headers = [(b"x-forwarded-for", HERE.encode())]
        await guarded({"type": "http", "headers": headers, "state": {"caller": caller}}, receive, send)
    assert (served, why, next(wanted, None)) == (["http"], ["address"], None)


async def test_a_connection_whose_task_was_cancelled_before_its_first_step_is_not_counted_for_ever() -> None:
    at = entrance([])
    listening, (ours, theirs) = socket.socket(), socket.socketpair()
    accepting = Accepting(listening, at, lambda caller: cast("HeadProtocol", None), None)
    accepting._take(theirs, ("198.51.100.7", 5))
    assert at.unsigned == 1
    accepting.close()
    await accepting.wait_closed()
    assert at.unsigned == 0
    ours.settimeout(PATIENCE_S)
    assert ours.recv(1) == b""
    ours.close()
    listening.close()
