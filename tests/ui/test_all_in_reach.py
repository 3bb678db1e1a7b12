# SPDX-License-Identifier: EUPL-1.2
"""People with a small screen or large text reach and read everything: every view, in several sizes."""

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.shots.rounds import LOOKS, Look, walk
from tests.shots.views import OFFLINE, STOPPED, VIEWS
from tests.ui.reaching import wrong
from ui.kit import theme
from ui.kit.card import scroll
from ui.kit.roomy import Roomy
from ui.kit.translate import change_language

ALL = [*VIEWS, *STOPPED, *OFFLINE]
SIZES = {
    "tiny": LOOKS["tiny"],  # 1600 × 1000 at two pixels a point
    "medium": Look("light", "en", size=(1024, 700), text_size=150),
    "large": LOOKS["large"],
}
TINY_AND_LARGE = Look("light", size=(800, 500), text_size=200)
FOLDED = (
    "home",
    "activity",
    "chat",
    "chat-reply",
    "documents",
    "editor",
    "board",
    "card",
    "table",
    "settings",
    "search",
)
"""What one works in does not scroll as a whole in the sizes above; what has a bar more may."""


class Reaching:
    """Looks at each view, and whether the window is as small as it was asked to be."""

    def __init__(self, looks: dict[str, Look]) -> None:
        self.views = 0
        self.found: list[str] = []
        self.scrolled: set[str] = set()
        self._looks = looks

    def visit(self, window: QWidget, view: str) -> None:
        self.views += 1
        self.found += [f"{view}: {line}" for line in wrong(window)]
        if window.size() != QSize(*self._looks[view.partition("/")[0]].size):
            self.found.append(f"{view}: the window is {window.size()}")
        if any(place.isVisible() and place.scrolls for place in window.findChildren(Roomy)):
            self.scrolled.add(view)


@pytest.mark.longest
@pytest.mark.slow
async def test_everything_is_reached_and_read_in_every_view_and_size(qapp: QApplication) -> None:
    change_language("sv")
    theme.apply(qapp, "light")
    reaching = Reaching(SIZES)
    await walk(reaching.visit, SIZES, ALL, painted=False)
    assert reaching.found == []
    assert reaching.views == len(SIZES) * len(ALL)
    assert not reaching.scrolled & {f"{look}/{view}" for look in SIZES for view in FOLDED}


@pytest.mark.longest
@pytest.mark.slow
async def test_the_largest_text_in_the_smallest_window_is_in_reach(qapp: QApplication) -> None:
    change_language("sv")
    theme.apply(qapp, "light")
    looks = {"both": TINY_AND_LARGE}
    reaching = Reaching(looks)
    await walk(reaching.visit, looks, ALL, painted=False)
    assert reaching.found == []


def page(qtbot: QtBot) -> tuple[QWidget, QVBoxLayout]:
    """A window with a part that scrolls."""
    window, inside = QWidget(), QWidget()
    rows = QVBoxLayout(inside)
    QHBoxLayout(window).addWidget(scroll(inside, "Sida"))
    qtbot.addWidget(window)
    window.resize(300, 200)
    return window, rows


def test_what_scrolls_is_in_reach(qtbot: QtBot) -> None:
    window, rows = page(qtbot)
    for n in range(20):
        rows.addWidget(QPushButton(f"Knapp {n}"))
    window.show()
    QApplication.processEvents()
    assert wrong(window) == []


def test_what_is_wider_than_a_part_that_scrolls_only_upright_is_found(qtbot: QtBot) -> None:
    window, rows = page(qtbot)
    rows.addWidget(QPushButton("En knapp med en mycket lång text som inte får plats i bredd " * 2))
    window.show()
    QApplication.processEvents()
    assert any("right of what scrolls" in line for line in wrong(window))


def test_what_is_squeezed_cut_or_beyond_the_edge_is_found(qtbot: QtBot) -> None:
    """The tests above would see each."""
    window = QWidget()
    squeezed, beyond = QPushButton("Avsluta utan att spara", window), QPushButton("Spara", window)
    squeezed.setGeometry(0, 0, 30, 12)
    beyond.setGeometry(180, 180, 80, 30)
    cut, high = QLabel("Krypterat från ände till ände", window), QLabel("Beslut och skäl " * 9, window)
    cut.setGeometry(0, 60, 40, 20)
    high.setWordWrap(True)
    high.setGeometry(0, 100, 120, 20)
    qtbot.addWidget(window)
    window.resize(200, 200)
    window.show()
    found = wrong(window)
    for word in ("squeezed to", "outside of the window", "cut to 40 of", "cut to 20 of"):
        assert any(word in line for line in found), (word, found)
