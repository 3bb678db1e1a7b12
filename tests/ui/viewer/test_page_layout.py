# SPDX-License-Identifier: EUPL-1.2
"""Where pages are, for every scale and turn."""

import pytest
from PySide6.QtCore import QPointF, QRectF

from ui.viewer.page_layout import GAP_PX, PageLayout, fraction, on_page, turned


def test_pages_are_below_each_other_in_the_middle_and_unknown_ones_count_as_the_first() -> None:
    layout = PageLayout(4, [(100.0, 200.0), (300.0, 50.0)], 2.0, 0)
    assert layout.rect(0, 900) == QRectF(350, GAP_PX, 200, 400)
    assert layout.rect(1, 900) == QRectF(150, 400 + 2 * GAP_PX, 600, 100)
    assert layout.size(3) == (200.0, 400.0)
    assert layout.height == 400 + 100 + 400 + 400 + 5 * GAP_PX
    assert [layout.page_at(y) for y in (-5, 0, 420, 1e9)] == [0, 0, 0, 3]
    assert layout.between(0, 500) == range(2)
    assert PageLayout(1, [(100.0, 200.0)], 1.0, 1).size(0) == (200.0, 100.0)


def test_pages_that_are_lower_than_the_window_are_in_its_middle() -> None:
    assert PageLayout(1, [(100.0, 200.0)], 1.0, 0, 600).rect(0, 100).center().y() == 300


@pytest.mark.parametrize("turn", range(4))
def test_a_place_and_a_point_are_turned_with_the_page_and_back(turn: int) -> None:
    page = QRectF(10, 20, 200, 100)
    rect = (0.1, 0.2, 0.3, 0.4)
    shown = on_page(rect, page, turn)
    assert page.contains(shown)
    assert turned(turned(rect, turn), -turn % 4) == pytest.approx(rect)
    middle = fraction(QPointF(shown.center()), page, turn)
    assert middle == pytest.approx((0.25, 0.4))
    assert all(0 <= part <= 1 for part in fraction(QPointF(-500, 9999), page, turn))
