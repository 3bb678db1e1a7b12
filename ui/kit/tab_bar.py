# SPDX-License-Identifier: EUPL-1.2
"""The room's tabs: icon, word, and a line under the chosen one."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QPoint, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QTabBar, QWidget

from ui.kit import icons, scale, theme
from ui.kit.edits import Edit, Inserted, Moved, Removed, edits
from ui.kit.faces import Role, Spot, State, TabList, notify_focus
from ui.kit.fonts import BASE_PX, font
from ui.kit.scale import px
from ui.kit.wheel import keep_still

_HEIGHT = 38
_GAP = 22
_FONT_PX = BASE_PX


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab of a room's tab bar: an id, its word and its icon."""

    id: str
    text: str
    icon: str


class TabSpot(Spot):
    """Represents one tab of the tab bar for screen readers. Qt's own always reports that the chosen tab has the
    focus."""

    def __init__(self, bar: "TabBar", tab_id: str) -> None:
        super().__init__(bar)
        self._bar, self._id = bar, tab_id

    @property
    def _number(self) -> int:
        """The index of this tab in the bar; -1 if the tab is gone."""
        ids = self._bar.ids()
        return ids.index(self._id) if self._id in ids else -1

    def spoken_role(self) -> Role:
        return Role.PageTab

    def spoken_name(self) -> str:
        return self._bar.accessibleTabName(self._number)

    def spoken_state(self) -> State:
        state, bar = State(), self._bar
        chosen = bar.currentIndex() == self._number
        state.invisible = not bar.isVisible()
        state.disabled = not bar.isTabEnabled(self._number)
        state.focusable = state.selectable = True
        state.selected = chosen
        state.focused = chosen and bar.hasFocus()
        return state

    def spoken_rect(self) -> QRect:
        rect = self._bar.tabRect(self._number)
        return QRect(self._bar.mapToGlobal(QPoint(rect.x(), rect.y())), rect.size())

    @property
    def presses(self) -> bool:
        return True

    def press(self) -> None:
        self._bar.setCurrentIndex(self._number)


class TabBar(TabList, QTabBar):
    """The tab bar of a room. Arrow keys move, as in every tab bar. `chosen` is emitted with the id of the tab when the
    person or `choose` makes another one current; it need not be when `set_tabs` removes the current one."""

    chosen = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tabs: list[Tab] = []
        self._spots: dict[str, TabSpot] = {}
        self.setAccessibleName(name)
        keep_still(self)
        self.setDrawBase(False)
        self.setExpanding(False)
        self.setUsesScrollButtons(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.currentChanged.connect(self._on_changed)
        theme.on_change(self, self.update)

    def set_tabs(self, tabs: Sequence[Tab], current: str = "") -> None:
        """Shows these tabs. The one with the id `current` becomes the current one; if that is "", the current one stays
        if it is among them, otherwise the first, as also for an id that is not among them. `chosen` need not be emitted
        if the tab that was current is gone: the caller asks `current`."""
        wanted = current or self.current()
        if list(tabs) != self._tabs:
            self.blockSignals(True)
            before, self._tabs = self.ids(), list(tabs)
            for edit in edits(before, self.ids()):
                self._do(edit)
            for index, tab in enumerate(tabs):
                self.setTabText(index, tab.text)
                self.setAccessibleTabName(index, tab.text)
            self.blockSignals(False)
        ids = [t.id for t in tabs]
        self.setCurrentIndex(ids.index(wanted) if wanted in ids else 0)

    def _do(self, edit: Edit) -> None:
        match edit:
            case Removed(first, count):
                for index in reversed(range(first, first + count)):
                    self.removeTab(index)
            case Moved(first, to):
                self.moveTab(first, to)
            case Inserted(first, count):
                for index in range(first, first + count):
                    self.insertTab(index, self._tabs[index].text)

    def current(self) -> str:
        """The id of the chosen tab; empty if there is none."""
        return self._tabs[self.currentIndex()].id if 0 <= self.currentIndex() < len(self._tabs) else ""

    def ids(self) -> list[str]:
        """The ids of all tabs, from left to right."""
        return [t.id for t in self._tabs]

    def choose(self, tab_id: str) -> None:
        """Makes the tab with this id the current one, and emits `chosen` if another one was. Does nothing if there is
        no such tab."""
        for i, tab in enumerate(self._tabs):
            if tab.id == tab_id:
                self.setCurrentIndex(i)

    def spoken_state(self) -> State:
        state = super().spoken_state()
        state.focused = state.focused and self.currentIndex() < 0
        return state

    def spoken_focus(self) -> QObject | None:
        return self.spoken_child(self.currentIndex()) if self.hasFocus() else None

    def _inside(self) -> Sequence[QObject]:
        before, self._spots = self._spots, {}
        for tab_id in self.ids():
            self._spots[tab_id] = before.pop(tab_id) if tab_id in before else TabSpot(self, tab_id)
        for spot in before.values():
            spot.deleteLater()
        return list(self._spots.values())

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        QTimer.singleShot(0, self, self._notify_tab)  # after Qt has notified of the bar itself

    def _notify_tab(self) -> None:
        if (tab := self.spoken_focus()) is not None:
            notify_focus(tab)

    def _on_changed(self, index: int) -> None:
        if 0 <= index < len(self._tabs):
            self.chosen.emit(self._tabs[index].id)

    def tabSizeHint(self, index: int) -> QSize:
        if index >= len(self._tabs):
            return QSize(px(40), scale.row(_HEIGHT))
        width = QFontMetricsF(font(_FONT_PX, 500)).horizontalAdvance(self._tabs[index].text)
        return QSize(round(width) + px(24) + _GAP, scale.row(_HEIGHT))

    def minimumTabSizeHint(self, index: int) -> QSize:
        return self.tabSizeHint(index)

    def paintEvent(self, event: object) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(_FONT_PX, 500))
        for i, tab in enumerate(self._tabs):
            rect = QRectF(self.tabRect(i)).adjusted(0, 0, -_GAP, 0)
            role = "accent" if i == self.currentIndex() else "muted"
            icons.paint(painter, tab.icon, role, rect.left(), rect.top() + (rect.height() - px(16)) / 2, 16)
            painter.setPen(tokens.colour(role))
            painter.drawText(rect.adjusted(px(24), 0, 20, 0), Qt.AlignmentFlag.AlignVCenter, tab.text)
            if i == self.currentIndex():
                painter.fillRect(QRectF(rect.left(), rect.bottom() - 2, rect.width(), 2), tokens.colour("accent"))
                if self.hasFocus():
                    painter.setPen(QPen(tokens.colour("focus"), 2))
                    ring = rect.adjusted(-5, 4, 5, -6)
                    ring.setLeft(max(ring.left(), 1))  # the first tab is at the very edge
                    painter.drawRoundedRect(ring, 6, 6)
        painter.end()
