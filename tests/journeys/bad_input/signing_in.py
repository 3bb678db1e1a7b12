# SPDX-License-Identifier: EUPL-1.2
"""A new computer, what looking up a code or enrolling there raises, and a line that is spoilt on the way."""

from collections.abc import Callable, Sequence

import pytest

from app.core.enums import RoomType
from app.errors import WorldError
from app.session import Session
from tests.journeys.desks import PASSPHRASE, Desk, Offices
from tests.world import World

DAY_MS = 86_400_000
MINUTE_MS = 60_000


def new_desk(o: Offices, name: str = "Registrator") -> Desk:
    """A computer on which nobody has enrolled yet."""
    return Desk(o.w.folder / name, o.w.data / "ca.pem", o.w.dialer().address.name)


async def still_new(o: Offices, desk: Desk, code: str | None = None) -> None:
    """Nothing stays of the attempt, and the right code works."""
    assert desk.office.is_new
    assert desk.office.kinds() == []
    await desk.enrol(code or await o.w.invite("Registrator"))
    o.desks.append(desk)
    room = await desk.session.rooms.create("Åäö", RoomType.GROUP)
    assert desk.session.rooms.room(room).title == "Åäö"


async def refusal(desk: Desk, code: str) -> str:
    """The code of what looking up (or enrolling by) an activation code raises."""
    try:
        await enrol_by(desk, code)
    except WorldError as e:
        return e.code
    pytest.fail("it was taken")


def spoil_line(desk: Desk, w: World, spoil: Callable[[bytes, bool], Sequence[bytes]]) -> None:
    """The desk's next lines go through a wire that is spoilt."""
    wire = w.dialer()
    wire.spoil = spoil
    desk.office.place.dialer = lambda server: wire  # type: ignore[method-assign]  # the one place that dials


def mend_line(desk: Desk) -> None:
    del desk.office.place.dialer


async def enrol_by(desk: Desk, code: str) -> Session:
    found = await desk.office.look_up(desk.server, code)
    return await desk.office.enrol(found, PASSPHRASE, lambda text, done, total: None)
