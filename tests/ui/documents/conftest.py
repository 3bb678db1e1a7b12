# SPDX-License-Identifier: EUPL-1.2
"""Desks with documents, in Swedish."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.i18n import language, set_language
from tests.app.documents.desks import Desk, World
from tests.office import HL


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    before = language()
    set_language("sv")
    made = World(tmp_path)
    yield made
    made.close()
    set_language(before)


@pytest.fixture
def hl(world: World) -> Desk:
    return world.add(HL)
