# SPDX-License-Identifier: EUPL-1.2
"""An office with three people and a room of two, with which most tests of signed logs begin."""

from dataclasses import dataclass

import pytest

from tests.sync.trust.people import Office, Room, Someone


@dataclass
class Scene:
    """`head` owns the room, `clerk` is a writer in it, `guest` is outside."""

    office: Office
    room: Room
    head: Someone
    clerk: Someone
    guest: Someone


@pytest.fixture
def scene() -> Scene:
    office = Office()
    head, clerk, guest = (office.hire(n) for n in ("Enhetschef", "Handläggare", "Registrator"))
    room = Room.founded(office, head)
    room.join(head, clerk)
    return Scene(office, room, head, clerk, guest)
