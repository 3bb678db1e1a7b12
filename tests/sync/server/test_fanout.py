# SPDX-License-Identifier: EUPL-1.2
"""The order in which a room's listeners are notified of new items."""

from sync.protocol.messages import Behind
from sync.server.config import Limits
from sync.server.load.fanout import Hub, Listener, Outbox

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
    hub.news(ROOM, 7, Behind(ROOM, 7), by=b"1" * 16)
    assert notified == [b"2" * 16, b"3" * 16, b"1" * 16]
