# SPDX-License-Identifier: EUPL-1.2
"""One scrolls past a control without changing it: in every view, for every control that Qt would change by wheel."""

import ast
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDateEdit,
    QLineEdit,
    QScrollArea,
    QScrollBar,
    QSpinBox,
    QTabBar,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.core.i18n import tr
from tests.shots.rounds import LOOKS, walk
from tests.shots.views import OFFLINE, STOPPED, VIEWS
from tests.ui.pointing import click, wheel
from ui.kit import theme
from ui.kit.card import scroll
from ui.kit.translate import change_language
from ui.kit.wheel import keep_still

ROOT = Path(__file__).parents[2]
TURNED = (QComboBox, QAbstractSpinBox, QAbstractSlider, QTabBar)
"""What Qt changes by wheel; scroll bars are meant to be."""
NAMES = {
    "QComboBox", "QFontComboBox", "QSpinBox", "QDoubleSpinBox", "QDateEdit", "QTimeEdit", "QDateTimeEdit", "QSlider",
    "QDial",
}  # fmt: skip
BASES = NAMES | {"QAbstractSpinBox", "QAbstractSlider", "QTabBar"}


def turned_by_wheel(window: QWidget) -> list[QWidget]:
    """The controls in a window, and in the windows over it, that Qt would change by wheel."""
    tops = [w for w in QApplication.topLevelWidgets() if w is window or w.parentWidget() is window]
    return [
        control
        for top in tops
        for control in top.findChildren(QWidget)
        if isinstance(control, TURNED) and not isinstance(control, QScrollBar) and control.isVisible()
    ]


def value(control: QWidget) -> object:
    match control:
        case QComboBox():
            return control.currentIndex(), control.currentText()
        case QAbstractSpinBox():
            return control.text()
        case QAbstractSlider():
            return control.value()
        case QTabBar():
            return control.currentIndex()
    raise AssertionError(control)


class Turning:
    """Scrolls to each control of a view as a person would, and turns the wheel over it."""

    def __init__(self) -> None:
        self.views = 0
        self.turned: set[str] = set()
        self.changed: list[tuple[str, str]] = []

    def visit(self, window: QWidget, view: str) -> None:
        self.views += 1
        for control in turned_by_wheel(window):
            name = control.accessibleName() or type(control).__name__
            self._reveal(control)
            before, focus = value(control), window.focusWidget()
            for notches in (1, -1, -2, 2):
                wheel(control, notches)
                if value(control) != before:
                    self.changed.append((view, name))
                self._reveal(control)
            if window.focusWidget() is not focus:
                self.changed.append((view, f"focus by {name}"))
            if control.isEnabled():
                self.turned.add(name)

    def _reveal(self, control: QWidget) -> None:
        parent = control.parentWidget()
        while parent is not None:
            if isinstance(parent, QScrollArea):
                parent.ensureWidgetVisible(control)
            parent = parent.parentWidget()


@pytest.mark.slow
async def test_the_wheel_changes_no_control_of_any_view(qapp: QApplication) -> None:
    change_language("sv")
    theme.apply(qapp, "light")
    turning = Turning()
    views = [*VIEWS, *STOPPED, *OFFLINE]
    await walk(turning.visit, {"small": LOOKS["small"]}, views)
    assert turning.changed == []
    assert turning.views == len(views)
    known = {tr("Lock after"), tr("Column"), tr("Assigned to"), tr("Role")}
    assert known <= turning.turned, "they were found at all"


def test_a_control_that_is_not_kept_still_is_found_changed(qtbot: QtBot) -> None:
    """The test above would see one."""
    window = QWidget()
    box = QComboBox(window)
    box.addItems(["15 minuter", "1 timme", "Aldrig"])
    qtbot.addWidget(window)
    window.resize(300, 200)
    window.show()
    turning = Turning()
    turning.visit(window, "x")
    assert turning.changed


def page(qtbot: QtBot, control: QWidget) -> QScrollArea:
    """The control in the middle of a page that is higher than its window."""
    inside = QWidget()
    layout = QVBoxLayout(inside)
    for part in (QLineEdit(), QWidget(), control, QWidget()):
        if type(part) is QWidget:
            part.setFixedHeight(400)
        layout.addWidget(part)
    area = scroll(inside, "Sida")
    qtbot.addWidget(area)
    area.resize(300, 500)
    area.show()
    area.activateWindow()
    area.ensureWidgetVisible(control, 50, 60)
    return area


def combo() -> QComboBox:
    box = QComboBox()
    box.addItems([f"{n} minuter" for n in range(5)])
    box.setCurrentIndex(2)
    return box


def number() -> QSpinBox:
    box = QSpinBox()
    box.setValue(15)
    return box


@pytest.mark.parametrize("make", [combo, number, QDateEdit])
def test_the_wheel_over_a_control_scrolls_the_page(qtbot: QtBot, make: type[QWidget]) -> None:
    control = keep_still(make())
    area = page(qtbot, control)
    before, bar = value(control), area.verticalScrollBar()
    place = control.mapTo(area.viewport(), control.rect().center())
    wheel(area.viewport(), -1, place)
    assert bar.value() > 0
    assert value(control) == before
    assert not control.hasFocus()
    control.setFocus()
    area.ensureWidgetVisible(control)
    wheel(control, 1)
    assert value(control) == before, "nor with the focus"
    QTest.keyClick(control, Qt.Key.Key_Up)
    assert value(control) != before, "keys do"


def test_an_open_list_is_scrolled_by_wheel(qtbot: QtBot) -> None:
    box = keep_still(combo())
    box.addItems([f"{n} timmar" for n in range(200)])
    box.setMaxVisibleItems(5)
    area = page(qtbot, box)
    click(box)
    shown = box.view()
    assert shown.isVisible()
    wheel(shown.viewport(), -3, QPoint(20, 20))
    assert shown.verticalScrollBar().value() > 0
    assert box.currentIndex() == 2
    box.hidePopup()
    assert area.isVisible()


def loose(name: str, tree: ast.AST) -> list[str]:
    """The controls that a file makes without `keep_still`, and the kinds of them that it makes up."""
    still = {
        id(call.args[0])
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "keep_still" and call.args
    }
    found: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=cls) | ast.Attribute(attr=cls)) if cls in NAMES and id(node) not in still:
                found.append(f"{name}:{node.lineno} {cls}()")
            case ast.ClassDef(bases=bases) if any(ast.unparse(base) in BASES for base in bases):
                if "keep_still(self)" not in ast.unparse(node):
                    found.append(f"{name}:{node.lineno} class {node.name}")
    return found


def test_every_control_that_the_wheel_would_change_is_kept_still_where_it_is_made() -> None:
    wrong: list[str] = []
    for path in sorted((ROOT / "ui").rglob("*.py")):
        wrong += loose(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
    assert wrong == []


@pytest.mark.parametrize(
    "source",
    ["box = QComboBox()", "day = QtWidgets.QDateEdit(self)", "class Box(QComboBox):\n    pass", "x = QSlider(1)"],
)
def test_a_loose_control_is_seen(source: str) -> None:
    assert loose("x", ast.parse(source))
