# SPDX-License-Identifier: EUPL-1.2
"""How much of a file's text the window takes, whatever the process that reads the file gives."""

from typing import cast

import pytest
from pytestqt.qtbot import QtBot

from app.core.i18n import set_language
from app.viewing.kinds import PDF, TEXT
from app.viewing.limits import LINE_CHARS, PAGE_CHARS
from app.viewing.shown_file import ShownFile
from ui.viewer.text_view import MOST_CHARS, TextView


class Endless:
    """A file that gives as much text as a page may have, for each of very many pages."""

    pages, cut = 10_000_000, False

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.asked = 0

    async def text(self, page: int) -> str:
        self.asked += 1
        return "å" * PAGE_CHARS


@pytest.mark.parametrize("kind", [TEXT, PDF])
async def test_attack_text_without_end_is_cut_and_its_lines_are_short(kind: str, qtbot: QtBot) -> None:
    set_language("sv")
    file, view = Endless(kind), TextView()
    qtbot.addWidget(view)
    await view.fill(cast("ShownFile", file))
    assert file.asked <= MOST_CHARS // PAGE_CHARS + 1
    assert view.document().characterCount() < MOST_CHARS + 100 * file.asked
    assert max(map(len, view.toPlainText().split("\n"))) <= LINE_CHARS
    assert view.toPlainText().endswith("Resten av filen visas inte.")
