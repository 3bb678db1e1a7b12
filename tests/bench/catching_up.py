# SPDX-License-Identifier: EUPL-1.2
"""A desk that was away for 10,000 chat messages comes back: pull, verify, open, store, project, index."""

from pathlib import Path

from app.core.ids import RoomId
from tests.bench import filling
from tests.bench.desk import Desk
from tests.bench.filling import write_messages
from tests.bench.office import HANDLER, HEAD, copy_of, enrol, found, serving
from tests.bench.registry import Figure, bench, median
from tests.bench.sending import desks

MESSAGES = 10_000
RUNS = 3
TOGETHER, ALONE = 50, 1
"""Messages under one signature: written while the sender was away from the server, or one at a time."""


async def build(folder: Path, batch: int) -> None:
    """An office in which one desk has written 10,000 messages while the other was away."""
    found(folder)
    with serving(folder) as port:
        for name in (HANDLER, HEAD):
            await enrol(folder, name, port)
        with desks(folder) as (a, b):
            room = a.call("room", others=[b.call("online")])
            b.call("joined", room=room)
            a.call("say", room=room, count=1, gap_s=0)  # the chat's share comes with its first message
            a.call("sent")
    await write_messages(folder, HANDLER, RoomId(bytes.fromhex(room)), MESSAGES, batch)


def _come_back(batch: int, *, turns: bool = False) -> tuple[float, float, dict[str, object]]:
    """(seconds from the session's opening, seconds from the process's start, the loop's turns)."""
    made = copy_of(f"away-{batch}", lambda folder: build(folder, batch), [Path(__file__), Path(filling.__file__)])
    with made as folder, serving(folder):
        desk = Desk(folder, HEAD, turns=turns)
        opened = desk.call("opened")
        arrived = desk.call("arrived", count=MESSAGES)
        last = max(arrived.values())
        watched = desk.call("watched") if turns else {}
        desk.close()
    return (last - opened) / 1e9, (last - desk.began_ns) / 1e9, watched


@bench("catchup_10000_s", "catchup_10000_alone_s")
def catchup() -> list[Figure]:
    """Without the timer on the turns. Every message is an envelope of its own."""
    out = []
    for batch, name in ((TOGETHER, "catchup_10000_s"), (ALONE, "catchup_10000_alone_s")):
        runs = [_come_back(batch) for _ in range(RUNS)]
        whole = median([run[1] for run in runs])
        note = f"session opened to the last message durable, projected and indexed; {batch} envelopes a signature; "
        note += f"{whole:.2f} s from process start"
        out.append(Figure(name=name, value=median([r[0] for r in runs]), unit="s", n=RUNS, note=note))
    return out


@bench("loop_turn_max_ms", "loop_turn_p99_ms", "loop_turns_over_5ms")
def turns() -> list[Figure]:
    """Our own work on the event loop during the same, opening the session included."""
    return turn_figures(_come_back(TOGETHER, turns=True)[2], "", f"catching up {MESSAGES} messages")


def turn_figures(watched: dict[str, object], suffix: str, during: str) -> list[Figure]:
    """Longest turn, p99 and the number of long ones."""
    n, longest = watched["turns"], watched["longest"]
    assert isinstance(n, int)
    out = []
    keys = (("turn{}_max_ms", "max", "ms"), ("turn{}_p99_ms", "p99", "ms"), ("turns{}_over_5ms", "over", ""))
    for name, key, unit in keys:
        value = watched[key]
        assert isinstance(value, int | float)
        note = f"{during}; longest [wall ms, processor ms, what]: {longest}" if key == "max" else during
        out.append(Figure(name=f"loop_{name.format(suffix)}", value=float(value), unit=unit, n=n, note=note))
    return out
