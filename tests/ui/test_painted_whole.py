# SPDX-License-Identifier: EUPL-1.2
"""No label is painted cut, not even for the moment in which a view changes, in the smallest window."""

import pytest
from PySide6.QtWidgets import QApplication, QWidget

from tests.shots.rounds import LOOKS, walk
from tests.ui.cut import Cut
from ui.kit import theme
from ui.kit.translate import change_language

CHANGING = [
    "welcome-error",
    "curtain-wrong-pin",
    "curtain-unsaved",
    "locking-discard",
    "viewer-picture",
    "card-calendar",
    "board-filtered",
    "imported",
    "own-tasks",
    "return-waits",
]
"""Views whose texts change while they are shown. Each was once painted cut."""


@pytest.mark.slow
async def test_no_label_is_painted_cut_while_a_view_changes(qapp: QApplication) -> None:
    change_language("sv")
    theme.apply(qapp, "light")
    found: list[str] = []
    with Cut() as cut:

        def visit(_window: QWidget, view: str) -> None:
            found.extend(f"{view}: {line}" for line in cut.found)
            cut.found.clear()

        await walk(visit, {"tiny": LOOKS["tiny"]}, CHANGING)
    assert cut.painted > len(CHANGING)
    assert found == []
