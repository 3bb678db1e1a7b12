# SPDX-License-Identifier: EUPL-1.2
"""A desk with a room and a board that has its first columns."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.i18n import set_language
from tests.office import HL, Desk, desk, start_board


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    set_language("sv")
    made = desk(tmp_path, HL)
    start_board(made)
    yield made
    made.close()
