# SPDX-License-Identifier: EUPL-1.2
"""How a room's listeners are notified: in which order, and what becomes of one that does not read."""

from collections.abc import Callable

import pytest

from sync.protocol.codec import encode
from sync.protocol.messages import Behind, MemberMoved
from sync.server.config import Limits
from sync.server.load import spending
from sync.server.load.fairness import NO_TERMS, Budget
from sync.server.load.fanout import Hub, Listener
from sync.server.load.outbox import Outbox

ROOM = b"r" * 16


class _Noted(Outbox):
    """An outbox that also records which device was notified."""

    def __init__(self, dev: bytes, notified: list[bytes]) -> None:
        super().__init__(1 << 20)
        self._dev, self._notified = dev, notified

    def reply(self, data: bytes) -> None:
        self._notified.append(self._dev)
        super().reply(data)


async def test_the_device_that_wrote_is_notified_last() -> None:
    """Its user sees the text already; the others wait for it."""
    hub, notified = Hub(Limits()), list[bytes]()
    for dev in (b"1" * 16, b"2" * 16, b"3" * 16):
        listener = Listener(b"u" * 16, dev, _Noted(dev, notified), lambda code: None)
        hub.add(listener)
        hub.subscribe(listener, ROOM)
    hub.news(ROOM, 7, encode(Behind(ROOM, 7)), by=b"1" * 16)
    assert notified == [b"2" * 16, b"3" * 16, b"1" * 16]


async def test_a_listener_that_does_not_read_is_ended_before_it_misses_a_notice_that_must_come() -> None:
    """It connects again and reads the logs. Otherwise it would go on with a device that was revoked."""
    hub, ended = Hub(Limits()), list[bytes]()
    slow, quick = Outbox(10), Outbox(1 << 20)

    def ending(dev: bytes) -> Callable[[str], None]:
        return lambda code: ended.append(dev)

    for dev, outbox in ((b"1" * 16, slow), (b"2" * 16, quick)):
        listener = Listener(b"u" * 16, dev, outbox, ending(dev))
        hub.add(listener)
        hub.subscribe(listener, ROOM)
    slow.reply(bytes(21))
    hub.notify_room(ROOM, MemberMoved(ROOM))
    assert ended == [b"1" * 16]
    assert quick.size_bytes


async def test_a_message_to_one_device_is_queued_for_it_alone_and_costs_one_listener() -> None:
    """Not for the person's other devices, and not for a connection of the device that listens to another room."""
    hub, notified = Hub(Limits()), list[bytes]()
    listeners = [_listening(hub, bytes([n]) * 16, notified) for n in range(10)]
    elsewhere = Listener(b"u" * 16, listeners[3].dev, _Noted(b"elsewhere", notified), lambda code: None)
    hub.add(elsewhere)
    budget = Budget(hub.queue, NO_TERMS)
    spending.pay_by(budget)
    hub.passing_to(ROOM, listeners[3].dev, Behind(ROOM, 7), listeners[0])
    one_s = budget.used_s
    assert notified == [listeners[3].dev]
    hub.passing(ROOM, Behind(ROOM, 7), listeners[0])
    assert notified == [listeners[3].dev, *(each.dev for each in listeners[1:])]
    assert budget.used_s - one_s == pytest.approx(9 * one_s)


async def test_a_connection_that_is_gone_gets_no_message_to_its_device() -> None:
    hub, notified = Hub(Limits()), list[bytes]()
    sender, gone = _listening(hub, b"1" * 16, notified), _listening(hub, b"2" * 16, notified)
    hub.drop(gone)
    hub.passing_to(ROOM, gone.dev, Behind(ROOM, 7), sender)
    hub.passing_to(ROOM, sender.dev, Behind(ROOM, 7), sender)
    assert notified == []


def _listening(hub: Hub, dev: bytes, notified: list[bytes]) -> Listener:
    listener = Listener(b"u" * 16, dev, _Noted(dev, notified), lambda code: None)
    hub.add(listener)
    hub.subscribe(listener, ROOM)
    return listener
