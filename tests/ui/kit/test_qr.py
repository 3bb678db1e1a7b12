# SPDX-License-Identifier: EUPL-1.2
"""What one of our codes says, our reader reads, on paper, on the screen and in a picture of it."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from tests.world import until
from ui.kit import qr, qr_reader
from ui.kit.qr_reader import QrReader

TEXT = "kansli:join?server=kansli.myndighet.example&code=ABCD-EFGH-JKMN-PQRS-TVWX-YZ åäö"


@pytest.mark.parametrize("scale", [2, 3, 8])
def test_what_is_drawn_is_read(qapp: object, scale: int) -> None:
    assert qr.read(qr.image(TEXT, scale)) == [TEXT]


def test_it_is_read_out_of_a_larger_picture_with_something_around_it(qapp: object) -> None:
    picture = QImage(1283, 857, QImage.Format.Format_ARGB32)
    picture.fill(QColor("#335577"))
    painter = QPainter(picture)
    painter.drawImage(701, 313, qr.image(TEXT, 5))
    painter.end()
    assert qr.read(picture) == [TEXT]


def test_a_widget_shows_it_whatever_the_size(qtbot: QtBot) -> None:
    widget = qr.QrCode(TEXT, "QR-kod", 231)
    qtbot.addWidget(widget)
    assert qr.read(widget.grab().toImage()) == [TEXT]
    assert widget.accessibleName() == "QR-kod"
    widget.set_text("")
    shown = widget.grab().toImage()
    assert {shown.pixelColor(x, 115).name() for x in range(shown.width())} == {"#ffffff"}


def test_a_picture_without_a_code_or_none_at_all_says_nothing(qapp: object) -> None:
    empty = QImage(300, 200, QImage.Format.Format_RGB32)
    empty.fill(Qt.GlobalColor.white)
    assert qr.read(empty) == qr.read(QImage()) == []


def test_a_drawing_that_shines_through_is_read_as_on_paper(qapp: object) -> None:
    drawn = qr.image(TEXT, 4).convertToFormat(QImage.Format.Format_ARGB32)
    for y in range(drawn.height()):
        for x in range(drawn.width()):
            if drawn.pixelColor(x, y).lightness() > 128:
                drawn.setPixelColor(x, y, QColor(0, 0, 0, 0))
    assert qr.read(drawn) == [TEXT]


def test_the_screens_are_read_when_one_asks_for_it(qtbot: QtBot) -> None:
    screens = [[TEXT, "något annat"], []]
    reader = QrReader("En bild", read_screens=lambda: screens.pop(0))
    qtbot.addWidget(reader)
    found: list[list[str]] = []
    reader.found.connect(found.append)
    reader.from_screen.click()
    reader.from_screen.click()
    assert found == [[TEXT, "något annat"], []]


async def test_a_picture_is_chosen_and_read(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def choose(parent: object, title: str, filters: str) -> Path | None:
        asked.append(title)
        return chosen.pop(0)

    qr.image(TEXT).save(str(tmp_path / "kod.png"))
    asked: list[str] = []
    chosen = [tmp_path / "kod.png", None, tmp_path / "borta.png"]
    monkeypatch.setattr(qr_reader, "open_file", choose)
    reader = QrReader("En bild")
    qtbot.addWidget(reader)
    found: list[list[str]] = []
    reader.found.connect(found.append)
    for _ in range(3):
        reader.from_picture.click()
        await asyncio.sleep(0)
    await until(lambda: len(asked) == 3 and len(found) == 2)
    assert sorted(found) == [[], [TEXT]]  # nothing is said where nothing was chosen
