# SPDX-License-Identifier: EUPL-1.2
"""A date that may be missing: typed as 2026-11-26, or chosen in a calendar."""

from datetime import date

from PySide6.QtCore import QDate, QPoint, Qt, Signal
from PySide6.QtWidgets import QCalendarWidget, QFrame, QLineEdit, QWidget

from ui.kit.buttons import IconButton
from ui.kit.style import column, line, set_props
from ui.kit.translate import tr


class DueField(QWidget):
    """`changed` gives a date or None, once it is complete."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value: date | None = None
        row = line(self, spacing=4)
        self.field = QLineEdit()
        self.field.setAccessibleName(tr("Due date"))
        self.field.setPlaceholderText(tr("YYYY-MM-DD"))
        self.field.editingFinished.connect(self._on_typed)
        self._calendar = IconButton("calendar", tr("Choose a day"), self._open, size=16)
        self._clear = IconButton("close", tr("No due date"), lambda: self._set(None), size=14)
        for part in (self.field, self._calendar, self._clear):
            row.addWidget(part)

    def show_date(self, value: date | None) -> None:
        """Shows a date without telling."""
        self._value = value
        if not self.field.hasFocus() or not self.field.isModified():
            self.field.setText(value.isoformat() if value else "")
        self._clear.setVisible(value is not None and not self.field.isReadOnly())

    def set_writable(self, writable: bool) -> None:
        """Whether the date can be changed."""
        self.field.setReadOnly(not writable)
        self._calendar.setVisible(writable)
        self._clear.setVisible(writable and self._value is not None)

    def _on_typed(self) -> None:
        text = self.field.text().strip()
        try:
            value = date.fromisoformat(text) if text else None
        except ValueError:
            self.field.setText(self._value.isoformat() if self._value else "")
            return
        self.field.setModified(False)
        self._set(value)

    def _set(self, value: date | None) -> None:
        if value != self._value:
            self.show_date(value)
            self.field.setText(value.isoformat() if value else "")
            self.changed.emit(value)

    def _open(self) -> None:
        box = QFrame(self, Qt.WindowType.Popup)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        set_props(box, frame="palette")
        calendar = QCalendarWidget()
        calendar.setAccessibleName(tr("Calendar"))
        calendar.setFirstDayOfWeek(Qt.DayOfWeek.Monday)
        calendar.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.ISOWeekNumbers)
        if self._value:
            calendar.setSelectedDate(QDate(self._value.year, self._value.month, self._value.day))

        def choose(day: QDate) -> None:
            box.close()
            self._set(date(day.year(), day.month(), day.day()))

        calendar.clicked.connect(choose)
        calendar.activated.connect(choose)
        column(box, margins=(6, 6, 6, 6)).addWidget(calendar)
        box.adjustSize()
        box.move(self._calendar.mapToGlobal(QPoint(self._calendar.width() - box.sizeHint().width(), 30)))
        box.show()
        calendar.setFocus()
