# SPDX-License-Identifier: EUPL-1.2
"""The minutes of all rooms: the rail's section, and the card on Home."""

from functools import partial

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from app.objects.links import ObjectLink
from tests.sample_tool.app import MINUTE
from tests.sample_tool.app.service import MinuteRow, MinutesService
from tests.sample_tool.ui.rows import MinutesCard, Shown
from ui.kit.bind import Soon, bind
from ui.kit.card import EmptyState, quiet_card, scroll
from ui.kit.scale import hold
from ui.kit.style import column, label, set_props
from ui.kit.translate import tr
from ui.tool import ViewParts
from ui.tool_views import follow

_ON_HOME = 4
Parts = ViewParts[MinutesService]


def _shown(parts: Parts) -> list[Shown]:
    """The minutes of the rooms that go on; those of a room that another one continues are that one's."""
    titles = {room.room: room.title for room in parts.rooms.rooms() if not (room.replaced or room.left)}
    return [
        Shown(minutes=row, by=parts.people.person(row.by).name, where=titles[row.room])
        for row in parts.service.minutes()
        if row.room in titles
    ]


def _open(view: QWidget, row: MinuteRow) -> None:
    follow(view, ObjectLink(room=row.room, obj=row.obj, kind=MINUTE.id))


class _Following(QWidget):
    """A widget over all rooms that is refreshed while it is shown."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self.card = MinutesCard(partial(_open, self))
        soon = Soon(self, self.refresh)
        bind(self, parts.service.changed, soon.due)
        bind(self, parts.rooms.changed, soon.due)
        bind(self, parts.people.changed, soon.due)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """Reads the minutes again."""


class AllMinutes(_Following):
    """The rail's section."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        set_props(self, frame="window")
        self.setAccessibleName(tr("Minutes"))
        inner = QWidget()
        page = column(inner, margins=(34, 26, 34, 24), spacing=14)
        page.addWidget(label(tr("Minutes of all rooms"), "home"))
        self._none = EmptyState("draft", tr("No minutes yet"), tr("The minutes of your rooms' meetings show up here."))
        page.addWidget(self._none)
        page.addWidget(self.card)
        page.addStretch(1)
        hold(inner, most_width=900)
        column(self).addWidget(scroll(inner, tr("Minutes of all rooms")))

    def refresh(self) -> None:
        """Reads the minutes again; skipped while it is not shown."""
        if self.isVisibleTo(self.window()):
            rows = _shown(self._parts)
            self.card.show_rows(rows)
            self.card.setVisible(bool(rows))
            self._none.setVisible(not rows)


class HomeMinutes(_Following):
    """The card on Home: those changed last."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        layout = column(self)
        self.none = quiet_card(tr("There are no minutes in your rooms."))
        layout.addWidget(self.card)
        layout.addWidget(self.none)

    def refresh(self) -> None:
        """Reads the minutes again; skipped while it is not shown."""
        if self.isVisibleTo(self.window()):
            rows = _shown(self._parts)[:_ON_HOME]
            self.card.show_rows(rows)
            self.card.setVisible(bool(rows))
            self.none.setVisible(not rows)
