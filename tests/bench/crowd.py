# SPDX-License-Identifier: EUPL-1.2
"""A room with 2,000 members, two of them connected: a message's way, and what a rotation does to the event loop."""

from pathlib import Path

from app.core.ids import RoomId
from tests.bench import filling
from tests.bench.catching_up import turn_figures
from tests.bench.desk import Desk
from tests.bench.filling import add_members, enrol_crowd
from tests.bench.office import HANDLER, HEAD, copy_of, enrol, found, serving
from tests.bench.registry import Figure, bench, median
from tests.bench.sending import desks, latencies

MEMBERS = 2000


async def build(folder: Path) -> None:
    """Two desks in a room of 2,000, both of them up to date."""
    found(folder)
    with serving(folder) as port:
        for name in (HANDLER, HEAD):
            await enrol(folder, name, port)
        with desks(folder) as (a, b):
            other = b.call("online")
            room = a.call("room", others=[other])
            b.call("joined", room=room)
            a.call("say", room=room, count=1, gap_s=0)  # the chat's share comes with its first message
            a.call("sent")
            a.call("heard", room=room, uid=other)  # their heartbeat: what is added to the room goes on behind it
    logs = await enrol_crowd(folder, MEMBERS - 2)
    await add_members(folder, HANDLER, RoomId(bytes.fromhex(room)), logs)
    (folder / "room").write_text(room, encoding="utf-8")
    with serving(folder), desks(folder) as both:
        for desk in both:
            desk.call("position", room=room, at_least=MEMBERS + 1)


@bench("send_to_decrypted_2000_p50_ms")
def send_to_decrypted_2000() -> list[Figure]:
    """One message at a time in the large room."""
    with copy_of("crowd", build, _SOURCES) as folder, serving(folder), desks(folder) as (a, b):
        room = (folder / "room").read_text(encoding="utf-8")
        samples = latencies(a, b, room)
    note = f"as send_to_decrypted_p50_ms, with {MEMBERS} members in the room, 2 of them connected"
    return [Figure(name="send_to_decrypted_2000_p50_ms", value=median(samples), unit="ms", n=len(samples), note=note)]


@bench("loop_turn_2000_max_ms", "loop_turn_2000_p99_ms", "loop_turns_2000_over_5ms")
def rotation() -> list[Figure]:
    """The loop of the one who makes the next key for 2,000 members, from the action to the room being sealed again."""
    with copy_of("crowd", build, _SOURCES) as folder, serving(folder):
        room = (folder / "room").read_text(encoding="utf-8")
        desk = Desk(folder, HANDLER)
        desk.call("online")
        desk.call("watch")
        desk.call("rotate", room=room)
        watched = desk.call("watched")
        desk.close()
    return turn_figures(watched, "_2000", f"a rotation for {MEMBERS} members")


_SOURCES = [Path(__file__), Path(filling.__file__)]
