# SPDX-License-Identifier: EUPL-1.2
"""Two desks with one board."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.office import EK, HL, Desk, Positions, desk, start_board


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[tuple[Desk, Desk, Positions]]:
    """A case handler's and a head's desk with the same board, and the positions that a server would give."""
    hl, ek = desk(tmp_path / "hl", HL), desk(tmp_path / "ek", EK)
    start_board(hl)
    server = Positions([hl, ek])
    server.deliver()
    yield hl, ek, server
    hl.close()
    ek.close()
