# SPDX-License-Identifier: EUPL-1.2
"""The palette: what it offers and finds, and that it is used by keys alone."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.core.ids import ObjId
from app.session import Session
from app.store.rows import SearchHit
from tests.ui.shell.in_window import press, room
from tests.ui.shell.kept_office import office
from tests.world import until
from ui.kit import theme
from ui.shell.window.main_window import MainWindow
from ui.shell.window.search_view import hit_row


async def test_the_palette_is_used_by_keys_alone(window: MainWindow, qtbot: QtBot) -> None:
    press(window, "Ctrl+K")
    palette = window.palette_view
    assert palette.isVisible()
    palette.field.insert("klagom")
    assert next(r.title for r in palette.list.rows.rows if not r.section) == "Klagomål 2026-0987"
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert not palette.isVisible()
    assert room(window).summary() is not None
    press(window, "Ctrl+K")
    palette.field.insert("tema mörkt")
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert theme.current().id == "dark"


def test_the_palettes_arrows_skip_headings_and_go_around(window: MainWindow) -> None:
    press(window, "Ctrl+K")
    palette = window.palette_view
    QTest.keyClick(palette.field, Qt.Key.Key_Up)
    last = palette.list.current_row()
    QTest.keyClick(palette.field, Qt.Key.Key_Down)
    first = palette.list.current_row()
    assert last is not None
    assert first is not None
    assert first.title == "Tillsyn 2026-1184"
    assert not last.section
    QTest.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not palette.isVisible()


def test_the_palette_shows_a_room_as_the_list_does_and_says_what_it_is(window: MainWindow) -> None:
    window.open_palette()
    offered = {row.title: row for row in window.palette_view.list.rows.rows}
    listed = {row.title: row for row in window.room_list.list.rows.rows if not row.section}
    for title in ("Tillsyn 2026-1184", "Enheten för tillsyn", "Enhetschef"):
        assert offered[title].picture == listed[title].picture
    assert (offered["Tillsyn 2026-1184"].right, offered["Enheten för tillsyn"].right) == ("Ärenderum", "Grupp")


def test_the_palette_offers_nothing_without_a_name(window: MainWindow) -> None:
    window.open_palette()
    assert all(row.title for row in window.palette_view.list.rows.rows)


async def test_a_rooms_own_name_is_found_once(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    hit = SearchHit(
        room=office().case,
        obj=ObjId(office().case),
        kind="room",
        ref=b"",
        title="Tillsyn 2026-1184",
        snippet="",
        t=0,
        rank=0.0,
    )
    row = hit_row(hit, "Tillsyn 2026-1184", "file")
    assert (row.detail, row.icon) == ("", "room")

    async def find(text: str, **_: object) -> list[SearchHit]:
        return [hit]

    monkeypatch.setattr(session.search, "find", find)  # what the store finds for the name
    window.palette_view.open("tills")
    await until(lambda: not window.palette_view.asking)
    assert [row.title for row in window.palette_view.list.rows.rows].count("Tillsyn 2026-1184") == 1


def test_a_hit_in_a_quotation_says_that_it_is_one() -> None:
    hit = SearchHit(
        room=office().case,
        obj=office().chat,
        kind="chat",
        ref=b"m",
        title="",
        snippet="Jag \x02godkänner\x03",
        t=0,
        rank=0.0,
    )
    row = hit_row(hit, "Tillsyn 2026-1184", "chat", ("godk",), "Enhetschef", quotes=True)
    assert (row.title, row.detail) == ("Tillsyn 2026-1184", "Enhetschef: ”Jag godkänner”")


async def test_the_palette_finds_words_in_texts_and_people(window: MainWindow) -> None:
    palette = window.palette_view
    palette.open("kompl")
    await until(lambda: any("Kompletteringen från sökanden" in r.detail for r in palette.list.rows.rows))
    palette.open("enhetsch")
    assert any(r.title == "Enhetschef" and r.right == "personligen" for r in palette.list.rows.rows)
    palette.open("zzz")
    assert [r.title for r in palette.list.rows.rows if not r.section] == ["Sök i allt efter ”zzz”"]


async def test_what_is_chosen_in_the_palette_stays_chosen_when_more_is_found(window: MainWindow) -> None:
    palette = window.palette_view
    for steps, chosen in ((0, "Tillsyn 2026-1184"), (1, "Sök i allt efter ”kompl”")):
        palette.open("kompl")
        for _ in range(steps):
            QTest.keyClick(palette.field, Qt.Key.Key_Down)
        await until(lambda: len([r for r in palette.list.rows.rows if not r.section]) > 1)
        now = palette.list.current_row()
        assert now is not None
        assert now.title == chosen
