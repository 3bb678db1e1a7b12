# SPDX-License-Identifier: EUPL-1.2
"""A calendar that opens at a button: a month with ISO week numbers, in the theme's colours.

Qt paints the cells from formats and from the palette of its table, not from the style sheet; so both are given here.
"""

from collections.abc import Callable
from datetime import date

from PySide6.QtCore import QDate, QPoint, QSize, Qt
from PySide6.QtGui import QFont, QPalette, QTextCharFormat
from PySide6.QtWidgets import QCalendarWidget, QFrame, QTableView, QToolButton, QWidget

from ui.kit import theme
from ui.kit.icons import set_icon
from ui.kit.plain import set_tip
from ui.kit.scale import px
from ui.kit.screens import area_of
from ui.kit.style import column, set_props
from ui.kit.translate import local_now, tr

_GAP_PX, _EDGE_PX = 4, 12
_SMALLEST = (320, 250)
"""Days large enough to be hit."""


def pick_day(button: QWidget, chosen: date | None, on_choice: Callable[[date], object]) -> QFrame:
    """Opens a calendar under `button`, at the day `chosen`, or today if that is None. `on_choice` is called with the
    day that is clicked or taken by Enter. Esc and a click beside the calendar close it without a choice. Returns the
    calendar, which is deleted when it closes."""
    box = QFrame(button, Qt.WindowType.Popup)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    set_props(box, frame="popup")
    calendar = _calendar(chosen or local_now().date())

    def choose(day: QDate) -> None:
        box.close()
        on_choice(date(day.year(), day.month(), day.day()))

    calendar.clicked.connect(choose)
    calendar.activated.connect(choose)
    column(box, margins=(6, 6, 6, 6)).addWidget(calendar)
    for part in (box, *box.findChildren(QWidget)):
        part.ensurePolished()  # the style sheet's air counts in its size
    box.adjustSize()
    box.move(_place(button, box.size()))
    box.show()
    calendar.setFocus()
    return box


def _calendar(shown: date) -> QCalendarWidget:
    calendar = QCalendarWidget()
    calendar.setAccessibleName(tr("Calendar"))
    room = area_of(calendar).size() - QSize(2 * _EDGE_PX, 2 * _EDGE_PX)
    calendar.setMinimumSize(QSize(*map(px, _SMALLEST)).boundedTo(room))
    calendar.setFirstDayOfWeek(Qt.DayOfWeek.Monday)
    calendar.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.ISOWeekNumbers)
    calendar.setHorizontalHeaderFormat(QCalendarWidget.HorizontalHeaderFormat.ShortDayNames)
    calendar.setDateEditEnabled(False)  # one types in the field
    calendar.setSelectedDate(QDate(shown.year, shown.month, shown.day))
    _colour(calendar)
    for name, icon, text in (
        ("qt_calendar_prevmonth", "chevron-left", tr("The month before")),
        ("qt_calendar_nextmonth", "chevron-right", tr("The month after")),
    ):
        step = calendar.findChild(QToolButton, name)
        if step is not None:
            set_icon(step, icon, "muted", 16)
            step.setAccessibleName(text)
            set_tip(step, text)
    return calendar


def _colour(calendar: QCalendarWidget) -> None:
    tokens = theme.current()
    table = calendar.findChild(QTableView)
    if table is not None:
        palette = table.palette()
        for role, name in (
            (QPalette.ColorRole.Base, "surface"),
            (QPalette.ColorRole.AlternateBase, "side"),  # the weekdays and the week numbers
            (QPalette.ColorRole.Text, "text"),
            (QPalette.ColorRole.Highlight, "accent"),
            (QPalette.ColorRole.HighlightedText, "on-accent"),
        ):
            palette.setColor(role, tokens.colour(name))
        palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text, tokens.colour("hint"))  # other months
        table.setPalette(palette)
    head = QTextCharFormat()
    head.setForeground(tokens.colour("muted"))
    head.setBackground(tokens.colour("side"))
    calendar.setHeaderTextFormat(head)
    plain = QTextCharFormat()
    plain.setForeground(tokens.colour("text"))  # Qt's own weekends are red on any ground
    for day in (Qt.DayOfWeek.Saturday, Qt.DayOfWeek.Sunday):
        calendar.setWeekdayTextFormat(day, plain)
    today = local_now().date()
    mark = QTextCharFormat()
    mark.setForeground(tokens.colour("accent"))
    mark.setFontWeight(QFont.Weight.Bold)
    mark.setFontUnderline(True)
    calendar.setDateTextFormat(QDate(today.year, today.month, today.day), mark)


def _place(button: QWidget, size: QSize) -> QPoint:
    """The global point of the top left corner of a calendar of this size: below the button, with the right edges in
    line; above it if there is no room below. It stays within the screen's left and upper edge."""
    at = button.mapToGlobal(QPoint(button.width() - size.width(), button.height() + _GAP_PX))
    screen = area_of(button)
    if at.y() + size.height() > screen.bottom():
        at.setY(max(screen.top(), button.mapToGlobal(QPoint(0, -_GAP_PX)).y() - size.height()))
    return QPoint(max(screen.left(), at.x()), at.y())
