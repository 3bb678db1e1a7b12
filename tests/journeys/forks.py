# SPDX-License-Identifier: EUPL-1.2
"""A server that divides a room's history: it goes back to an older copy of its disk, and somebody writes there who had
not seen what the others saw. The others meet it again afterwards, and their room stops for good.
"""

import os
import shutil
from collections.abc import Callable

from app.chat.tool import TOOL as CHAT
from app.core.enums import LinkState
from app.core.ids import RoomId
from tests.journeys.desks import Desk, Offices
from tests.world import Wire, until

OTHER = tuple(f"annan historia {i}" for i in range(8))
"""More positions than the others have: their heads lie within the other history."""


def cut(desk: Desk) -> Wire:
    """This desk's next lines do not come to be, until the wire's `cut` is False."""
    engine = desk.session.engine
    wire = Wire(engine._line.address, desk.ca_file)
    wire.cut = True
    engine._line._dialer = wire
    return wire


async def divide(o: Offices, room: RoomId, other: Desk, mine: list[Desk], meanwhile: Callable[[], None]) -> None:
    """`other` is closed and knows the room as it stood then; `mine` have gone on. `meanwhile` is what they write
    without a line. At the end `other` and `mine` have different histories and `mine` know it."""
    before = [desk.session.engine._line._dialer for desk in mine]
    wires = [cut(desk) for desk in mine]
    await o.w.stop_server()
    for dialer in before:
        await dialer.close()
    await until(lambda: all(d.session.status.state is LinkState.OFFLINE for d in mine))
    meanwhile()
    o.w.moved_to = o.older
    await o.w.start_server()
    await other.begin()
    for text in OTHER:
        other.session.service(CHAT).send(room, text)
        await until(lambda: other.session.status.waiting == 0)
    for desk, wire in zip(mine, wires, strict=True):
        wire.cut = False
        desk.session.engine.retry_now()
    await until(lambda: all(d.session.rooms.room(room).sealed_state == "fork" for d in mine))


def keep_copy(o: Offices) -> None:
    """The server's disk as it is now, to go back to."""
    o.older = o.w.folder / f"copy-{os.urandom(4).hex()}"
    shutil.copytree(o.w.data, o.older)
