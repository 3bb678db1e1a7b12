# SPDX-License-Identifier: EUPL-1.2
"""The window fits its screen; in a small window, or with large text, its parts fold; text size and density by keys,
commands and settings."""

import pytest
from PySide6.QtCore import QByteArray, QRect, QSize
from PySide6.QtWidgets import QApplication, QComboBox, QWidget
from pytestqt.qtbot import QtBot

from app.session import Session
from app.settings import DENSITY, SIDEBAR_WIDTH, TEXT_SIZE, WINDOW_GEOMETRY
from tests.ui.finding import toast_of
from tests.ui.pointing import click
from tests.ui.shell.in_window import press, room
from tests.ui.shell.kept_office import office
from tests.ui.shell.tool_views import TOOLS
from tests.ui.walking import check
from ui.desktop.closing import Gate
from ui.kit import scale, screens, theme
from ui.kit.screens import area_of
from ui.shell.entry.gate import GatePage
from ui.shell.window.main_window import MainWindow

SMALL_SCREEN = QSize(800, 500)
"""1600 × 1000 at two pixels a point."""


@pytest.fixture
def small_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens, "_room", lambda window: SMALL_SCREEN - QSize(4, 40))


@pytest.mark.usefixtures("small_screen")
def test_a_new_window_and_a_gate_are_no_larger_than_the_screen(session: Session, qtbot: QtBot) -> None:
    gate, window = Gate(lambda: True), MainWindow(session, TOOLS)
    gate.setCentralWidget(GatePage("Kansli är låst", "Lås upp för att fortsätta."))
    for made in (gate, window):
        qtbot.addWidget(made)
        assert made.width() <= 796
        assert made.height() <= 460
        made.show()
        assert made.minimumSize().width() <= 796
        assert made.minimumSize().height() <= 460


@pytest.mark.parametrize("size", [100, 200])
def test_the_window_can_be_made_as_small_as_a_small_screen(window: MainWindow, session: Session, size: int) -> None:
    session.settings.set(TEXT_SIZE, size)
    window.open_room(office().case)
    window.resize(SMALL_SCREEN)
    QApplication.processEvents()
    assert window.size() == SMALL_SCREEN
    status = window.content.status
    assert window.rect().contains(QRect(status.mapTo(window, status.rect().topLeft()), status.size()))


def test_a_kept_size_that_the_screen_lacks_is_made_smaller(session: Session, qtbot: QtBot) -> None:
    wide = QWidget()
    qtbot.addWidget(wide)
    wide.setGeometry(0, 0, 4000, 3000)
    session.settings.set(WINDOW_GEOMETRY, bytes(wide.saveGeometry().toBase64().data()).decode())
    window = MainWindow(session, TOOLS)
    qtbot.addWidget(window)
    screen = area_of(window)
    assert window.width() <= screen.width()
    assert window.height() <= screen.height()
    assert QByteArray.fromBase64(session.settings.get(WINDOW_GEOMETRY).encode())


def test_keys_and_commands_change_the_text_size_and_say_so(window: MainWindow, session: Session) -> None:
    before = window.content.status.height()
    for keys, size in (("Ctrl++", 110), ("Ctrl+=", 125), ("Ctrl+-", 110), ("Ctrl+0", 100), ("Ctrl+-", 90)):
        press(window, keys)
        assert session.settings.get(TEXT_SIZE) == scale.text_size() == size
        assert toast_of(window).text() == f"Textstorlek: {size} %"
    assert window.content.status.height() < before
    shown = {command.id for command in window.commands.shown()}
    assert {"text-larger", "text-smaller", "text-usual"} <= shown


def test_a_text_size_that_policy_fixed_is_not_changed(window: MainWindow, session: Session) -> None:
    session.settings.renew({"text-size": 125}, {})
    assert scale.text_size() == 125, "a policy that comes in force counts at once"
    press(window, "Ctrl++")
    assert scale.text_size() == 125
    assert "text-larger" not in {command.id for command in window.commands.shown()}


def test_the_settings_change_size_and_density_where_one_sees_them(window: MainWindow, session: Session) -> None:
    window.go_section("settings")
    controls = window.settings_view.rows.controls
    for setting, value in ((TEXT_SIZE, 200), (DENSITY, "compact")):
        box = controls[setting.key]
        assert isinstance(box, QComboBox)
        box.setCurrentIndex(box.findData(value))
        box.activated.emit(box.currentIndex())
    assert (scale.text_size(), scale.density()) == (200, "compact")
    assert window.settings_view.isVisible()
    check(window)


def test_list_and_room_take_turns_in_a_narrow_window(window: MainWindow, session: Session) -> None:
    window.open_room(office().case)
    window.resize(1024, 700)
    assert (window.room_list.isVisible(), window.content.stack.isVisible()) == (True, True)
    session.settings.set(TEXT_SIZE, 200)
    QApplication.processEvents()
    assert (window.room_list.isVisible(), window.content.stack.isVisible()) == (False, True)
    click(window.rail.items["rooms"])
    assert (window.room_list.isVisible(), window.content.stack.isVisible()) == (True, False)
    assert window.room_list.list.hasFocus()
    assert window.room_list.width() > 700
    window.room_list.chosen.emit(office().permit)
    assert (window.room_list.isVisible(), room(window).room) == (False, office().permit)
    press(window, "Ctrl+2")
    press(window, "Ctrl+2")
    assert (window.room_list.isVisible(), window.content.stack.isVisible()) == (False, True)
    press(window, "Ctrl+2")
    window.go_section("home")
    assert (window.room_list.isVisible(), window.content.home.isVisible()) == (False, True)
    window.go_section("rooms")
    assert (window.room_list.isVisible(), room(window).room) == (False, office().permit)
    session.settings.set(TEXT_SIZE, 100)
    QApplication.processEvents()
    assert (window.room_list.isVisible(), window.content.stack.isVisible()) == (True, True)


def test_the_rail_loses_its_words_where_the_window_is_low(window: MainWindow, session: Session) -> None:
    full = window.rail.width()
    session.settings.set(TEXT_SIZE, 200)
    window.resize(1600, 1000)
    QApplication.processEvents()
    assert window.rail.width() == 2 * full
    window.resize(1600, 500)
    QApplication.processEvents()
    assert window.rail.width() < 2 * full
    for button in window.rail.items.values():
        assert window.rail.rect().contains(button.geometry())
    check(window)


def test_a_narrow_header_keeps_title_and_menu(window: MainWindow, session: Session) -> None:
    window.open_room(office().case)
    view = room(window)
    assert view.faces.isVisible()
    session.settings.set(TEXT_SIZE, 200)
    window.resize(560, 600)
    QApplication.processEvents()
    assert not view.faces.isVisible()
    for part in (view._title, view.security, view._more):
        assert view.rect().contains(QRect(part.mapTo(view, part.rect().topLeft()), part.size()))
    assert view._title.width() >= 100


async def test_a_narrow_header_keeps_the_cases_number_as_the_list_does(window: MainWindow, session: Session) -> None:
    session.settings.set(TEXT_SIZE, 200)
    session.rooms.rename(office().case, "Registerkontroll av verksamheten dnr 2026-04417")
    window.resize(1600, 1000)
    window.open_room(office().case)
    QApplication.processEvents()
    title = room(window)._title
    assert title.text().endswith("… 2026-04417")
    assert title.fontMetrics().horizontalAdvance(title.text()) <= title.width()
    assert title.accessibleName() == title.toolTip() == "Registerkontroll av verksamheten dnr 2026-04417"


def test_the_list_keeps_its_width_at_another_text_size(window: MainWindow, session: Session) -> None:
    window.open_room(office().case)
    window.splitter.setSizes([300, 1000])
    window.splitter.splitterMoved.emit(300, 1)
    assert window.room_list.width() == 300
    session.settings.set(TEXT_SIZE, 125)
    QApplication.processEvents()
    assert window.room_list.width() == 375
    window.keep_geometry()
    assert session.settings.get(SIDEBAR_WIDTH) == 300


def test_a_width_that_is_set_back_to_the_usual_one_is_stored(window: MainWindow, session: Session) -> None:
    window.open_room(office().case)
    assert window.room_list.width() == SIDEBAR_WIDTH.default
    for width in (300, SIDEBAR_WIDTH.default):
        window.splitter.setSizes([width, 1000])
        window.splitter.splitterMoved.emit(width, 1)
        window.keep_geometry()
        assert session.settings.get(SIDEBAR_WIDTH) == width


def test_a_width_a_little_under_the_usual_one_comes_back(session: Session, qtbot: QtBot) -> None:
    session.settings.set(SIDEBAR_WIDTH, 260)
    window = MainWindow(session, TOOLS)
    qtbot.addWidget(window)
    window.resize(1400, 900)
    window.show()
    window.open_room(office().case)
    assert window.room_list.width() == 260


def test_the_largest_text_on_another_theme_stays(window: MainWindow, session: Session, qapp: QApplication) -> None:
    session.settings.set(TEXT_SIZE, 200)
    before = window.content.status.height()
    theme.apply(qapp, "dark")
    QApplication.processEvents()
    assert (window.content.status.height(), scale.text_size()) == (before, 200)
