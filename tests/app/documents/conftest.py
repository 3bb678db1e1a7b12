# SPDX-License-Identifier: EUPL-1.2
"""Two desks with real stores and a document that both have."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.ids import ObjId
from tests.app.documents.desks import Desk, World
from tests.office import EK, HL, ROOM


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def pair(world: World) -> tuple[Desk, Desk, ObjId]:
    hl, ek = world.add(HL), world.add(EK)
    obj = hl.documents.create(ROOM, "Beslut om tillsyn å")
    world.deliver()
    return hl, ek, obj
