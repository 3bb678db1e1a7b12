# SPDX-License-Identifier: EUPL-1.2
"""The page that searches, while an answer is waited for."""

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from app.core.ids import RoomId
from app.errors import StoreFault
from app.session import Session
from app.store.rows import SearchHit
from tests.world import until
from ui.kit.card import EmptyState
from ui.shell.window.main_window import MainWindow
from ui.shell.window.search_view import SearchView


def page(view: SearchView) -> list[str]:
    """The sentence in the place of the found places."""
    labels = [text for page in view.findChildren(EmptyState) for text in page.findChildren(QLabel)]
    return [text.text() for text in labels if text.isVisible() and text.text()]


def ask(view: SearchView, text: str) -> None:
    view.field.selectAll()
    QTest.keyClicks(view.field, text)
    QTest.keyClick(view.field, Qt.Key.Key_Return)


async def test_the_page_says_that_it_searches_until_the_answer_is_there(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = asyncio.Event()
    real = session.search.find

    async def find(
        text: str, *, room: RoomId | None = None, kind: str | None = None, limit: int = 50
    ) -> list[SearchHit]:
        await answered.wait()
        return await real(text)

    monkeypatch.setattr(session.search, "find", find)
    window.go_section("search")
    view = window.content.search_view
    assert "Sök i allt innehåll" in page(view)
    ask(view, "kompl")
    await until(lambda: page(view) == ["Söker …"])
    assert view.spinner.is_turning
    answered.set()
    await until(lambda: view.list.isVisible())
    assert not view.spinner.is_turning
    answered.clear()
    ask(view, "å")
    await until(lambda: view.asking)
    assert view.list.isVisible()
    answered.set()
    await until(lambda: "Inget hittades" in page(view))


async def test_the_page_does_not_say_that_it_searches_after_an_error(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def find(
        text: str, *, room: RoomId | None = None, kind: str | None = None, limit: int = 50
    ) -> list[SearchHit]:
        raise StoreFault

    real = session.search.find
    monkeypatch.setattr(session.search, "find", find)
    window.go_section("search")
    view = window.content.search_view
    ask(view, "kompl")
    await until(lambda: not view.asking)
    assert "Sök i allt innehåll" in page(view)
    monkeypatch.setattr(session.search, "find", real)
    ask(view, "kompl")
    await until(lambda: view.list.isVisible())
    monkeypatch.setattr(session.search, "find", find)
    ask(view, "beslut")
    await until(lambda: not view.asking)
    assert "Sök i allt innehåll" in page(view), "the places found for other words are gone"


async def test_enter_in_search_goes_to_the_first_place_when_it_is_found(window: MainWindow) -> None:
    window.go_section("search")
    view = window.content.search_view
    view.field.insert("kompl")
    QTest.keyClick(view.field, Qt.Key.Key_Return)
    await until(lambda: window.focusWidget() is view.list)
    assert view.list.currentIndex().row() == 0
