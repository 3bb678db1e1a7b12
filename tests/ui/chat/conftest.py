# SPDX-License-Identifier: EUPL-1.2
"""A desk with a room, and its chat in a window with the caret in the composer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.core.i18n import set_language
from tests.office import HL, ROOM, Desk, desk
from ui.chat.view import ChatView


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    set_language("sv")
    made = desk(tmp_path, HL)
    yield made
    made.close()


@pytest.fixture
def view(hl: Desk, qtbot: QtBot) -> ChatView:
    made = ChatView(hl.chat, ROOM)
    qtbot.addWidget(made)
    made.resize(800, 700)
    made.show()
    made.activateWindow()
    made.composer.field.setFocus()
    return made
