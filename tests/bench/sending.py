# SPDX-License-Identifier: EUPL-1.2
"""From one desk's "send" to the other's opened message: two client processes, a server process, TLS.

The sender's store flushes a message before it is sent. The receiver's store commits it, tells the desk (which ends the
time), and then flushes it (decision 0017)."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.desk import Desk
from tests.bench.office import HANDLER, HEAD, enrol, found, scratch, serving
from tests.bench.registry import Figure, bench, median, percentile

MESSAGES = 400
WARM_UP = 40
GAP_S = 0.012
FLOODS = 3
SCORE = 20


@contextmanager
def two_desks(folder: Path, module: str = "tests.bench.desk") -> Iterator[tuple[Desk, Desk, str]]:
    """A server and two connected desks with a room: (first, second, room). `module` runs the desks."""
    found(folder)
    with serving(folder) as port:
        for name in (HANDLER, HEAD):
            asyncio.run(enrol(folder, name, port))
        with desks(folder, module) as (a, b):
            room = a.call("room", others=[b.call("online")])
            b.call("joined", room=room)
            yield a, b, room


@contextmanager
def desks(folder: Path, module: str = "tests.bench.desk") -> Iterator[tuple[Desk, Desk]]:
    """Both desks of a folder, connected."""
    a, b = Desk(folder, HANDLER, module=module), Desk(folder, HEAD, module=module)
    try:
        a.call("online")
        b.call("online")
        yield a, b
    finally:
        a.close()
        b.close()


def latencies(a: Desk, b: Desk, room: str) -> list[float]:
    """Milliseconds from a message's sending to its arrival in the other store, one message at a time."""
    b.call("forget")
    sent = a.call("say", room=room, count=MESSAGES, gap_s=GAP_S)
    arrived = b.call("arrived", count=MESSAGES, among=list(sent))
    samples = [(arrived[change] - began) / 1e6 for change, began in sent.items()]
    return samples[WARM_UP:]


@bench("send_to_decrypted_p50_ms", "send_to_decrypted_p95_ms")
def send_to_decrypted() -> list[Figure]:
    """A chat message alone on its way."""
    with scratch() as folder, two_desks(folder) as (a, b, room):
        samples = latencies(a, b, room)
    note = "ChatService.send to the signal after the other store's commit; three processes, TLS, 2 members"
    n = len(samples)
    return [
        Figure(name="send_to_decrypted_p50_ms", value=median(samples), unit="ms", n=n, note=note),
        Figure(name="send_to_decrypted_p95_ms", value=percentile(samples, 95), unit="ms", n=n, note=note),
    ]


def _flood(a: Desk, b: Desk, room: str, count: int, together: int) -> float:
    """Messages a second from the first one's sending until all are opened and stored at the other desk."""
    rates = []
    for _ in range(FLOODS):
        b.call("forget")
        began = a.call("pour", room=room, count=count, together=together)
        arrived = b.call("arrived", count=count)
        rates.append(count / (max(arrived.values()) - began) * 1e9)
        a.call("sent")
    return median(rates)


@bench("messages_per_s", "messages_alone_per_s")
def messages_per_s() -> list[Figure]:
    """A flood of chat messages, each its own change: handed in by the score, and each with a commit of its own."""
    with scratch() as folder, two_desks(folder) as (a, b, room):
        by_score, alone = _flood(a, b, room, 3000, SCORE), _flood(a, b, room, 1000, 1)
    note = "first send to all of {} opened and stored at the other desk; {} in a transaction of the sender"
    return [
        Figure(name="messages_per_s", value=by_score, unit="1/s", n=FLOODS, note=note.format(3000, SCORE)),
        Figure(name="messages_alone_per_s", value=alone, unit="1/s", n=FLOODS, note=note.format(1000, 1)),
    ]
