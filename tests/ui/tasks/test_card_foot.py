# SPDX-License-Identifier: EUPL-1.2
"""What is below a card's title is whole at every width and text size."""

from datetime import date

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter
from pytestqt.qtbot import QtBot

from app.tasks.cards import Card, CheckItem
from app.tasks.descriptions import written
from tests.office import EK, HL, Desk
from ui.kit import icons, scale
from ui.kit.avatar import paint_avatar
from ui.tasks.card_widget import CardLook, CardWidget
from ui.tasks.column_view import MAX_WIDTH, MIN_WIDTH

TODAY = date(2026, 11, 27)


def full_card(due: date) -> Card:
    items = tuple(CheckItem(id=str(i), text="rad å", done=i % 2 == 0, order=f"a{i}") for i in range(12))
    return Card(
        id="1", title="Kort å 🙂", described=written("Text", HL), column="", order="", assignee=EK, due=due, labels=(),
        checklist=items, archived=False, deleted=False, deleted_by=None, deleted_t=0, by=HL, t=0,
    )  # fmt: skip


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> list[QRectF]:
    """Where icons and the picture of a person were painted, with the words after an icon."""
    found: list[QRectF] = []
    paint = icons.paint

    def icon(painter: QPainter, name: str, role: str, x: float, y: float, size: int) -> None:
        found.append(QRectF(x, y, scale.px(size), scale.px(size)))
        paint(painter, name, role, x, y, size)

    def picture(painter: QPainter, rect: QRectF, initials: str, colour: QColor) -> None:
        found.append(rect)
        paint_avatar(painter, rect, initials, colour)

    monkeypatch.setattr("ui.tasks.card_widget.icons.paint", icon)
    monkeypatch.setattr("ui.tasks.card_widget.paint_avatar", picture)
    return found


@pytest.mark.parametrize("size", [100, 150, 200])
@pytest.mark.parametrize("due", [date(2026, 12, 4), date(2027, 12, 30)])
def test_a_persons_picture_covers_no_sign(
    qtbot: QtBot, hl: Desk, painted: list[QRectF], size: int, due: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scale, "_now", scale._Now(text_size=size))
    person = hl.folk.person(EK)
    look = CardLook(card=full_card(due), labels=(), person=person, done=False, today=TODAY)
    widget = CardWidget(look)
    qtbot.addWidget(widget)
    for width in range(scale.px(MIN_WIDTH), scale.px(MAX_WIDTH) + 1, 4):
        painted.clear()
        widget.resize(width, widget.heightForWidth(width))
        widget.grab()
        assert len(painted) >= 4, "day, checklist, description, person"
        for at, one in enumerate(painted):
            assert QRectF(widget.rect()).contains(one), (width, one)
            assert not [other for other in painted[at + 1 :] if other.intersects(one)], (width, painted)


def test_a_card_that_fits_stays_as_low_as_before(qtbot: QtBot, hl: Desk) -> None:
    look = CardLook(card=full_card(date(2026, 12, 4)), labels=(), person=hl.folk.person(EK), done=False, today=TODAY)
    widget = CardWidget(look)
    qtbot.addWidget(widget)
    assert widget.heightForWidth(MIN_WIDTH) == widget.heightForWidth(MAX_WIDTH)
