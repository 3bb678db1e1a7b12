# SPDX-License-Identifier: EUPL-1.2
"""Who is in a document, as colleagues see it: only those who have it on screen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QTabWidget, QWidget
from pytestqt.qtbot import QtBot

from app.core.i18n import language, set_language
from tests.app.documents.desks import World
from tests.office import EK, HL, ROOM
from tests.ui.pointing import click
from ui.documents.view import DocumentsView


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    before = language()
    set_language("sv")
    made = World(tmp_path)
    yield made
    made.close()
    set_language(before)


def test_who_goes_to_another_tab_is_no_longer_in_the_document_and_is_when_back(qtbot: QtBot, world: World) -> None:
    """A colleague who had gone to the tasks, and then to Home, was shown as writing for the rest of the day."""
    hl, ek = world.add(HL), world.add(EK)
    obj = hl.documents.create(ROOM, "Beslut å 🙂")
    world.deliver()
    mine, theirs, tabs = DocumentsView(hl.documents, ROOM, obj), DocumentsView(ek.documents, ROOM, obj), QTabWidget()
    tabs.addTab(theirs, "Dokument")
    tabs.addTab(QWidget(), "Uppgifter")
    qtbot.addWidget(mine, before_close_func=lambda _: mine.show_list())
    qtbot.addWidget(tabs, before_close_func=lambda _: theirs.show_list())
    for window in (mine, tabs):
        window.resize(1100, 760)
        window.show()
    assert mine.document is not None
    assert theirs.document is not None

    def go(tab: int) -> None:
        click(tabs.tabBar(), tabs.tabBar().tabRect(tab).center())
        for desk in (hl, ek):
            desk.timers.ring(0.2)
        world.deliver()
        for desk in (hl, ek):
            desk.timers.ring(0.2)
        world.deliver()

    go(0)
    assert mine.document.panel.names() == ["Du", "Enhetschef"]
    go(1)
    assert mine.document.panel.names() == ["Du"]
    mine.document.editor.textCursor().insertText("Skrivet medan ingen såg det. ")
    go(1)
    assert [caret.person.uid for caret in hl.documents.presence(obj)] == []
    go(0)
    assert mine.document.panel.names() == ["Du", "Enhetschef"]
    assert theirs.document.panel.names() == ["Du", "Handläggare"]
    theirs.show_list()
    world.deliver()
    assert mine.document.panel.names() == ["Du"]
