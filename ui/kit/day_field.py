# SPDX-License-Identifier: EUPL-1.2
"""A day that may be missing, in a dialog: typed as people say it, or chosen in a calendar. The day that is understood
is shown beside the field in words."""

from collections.abc import Callable
from datetime import date

from PySide6.QtWidgets import QLineEdit, QWidget

from app.core.typed_days import MAX_TYPED, Unread, Why, read_day
from ui.kit.buttons import IconButton
from ui.kit.day_picker import pick_day
from ui.kit.style import label, line
from ui.kit.translate import full_day, local_now, tr, weekday


class DayField(QWidget):
    """A field for a day under the name `name`, which begins with the day `value` (None: none). `changed` is called
    without arguments at each change of the text."""

    def __init__(self, name: str, value: date | None, changed: Callable[[], object]) -> None:
        super().__init__()
        self._changed = changed
        self.field = QLineEdit(value.isoformat() if value is not None else "")
        self.field.setAccessibleName(name)
        self.field.setPlaceholderText(tr("e.g. Friday, 3/12"))
        self.field.setMaxLength(2 * MAX_TYPED)
        self._words = label("", "small")
        self._calendar = IconButton("calendar", tr("Choose a day"), self._open, size=16)
        row = line(self, spacing=4)
        row.addWidget(self.field, 1)
        row.addWidget(self._words)
        row.addWidget(self._calendar)
        self.field.textChanged.connect(lambda _text: self._on_text())
        self._on_text()

    def reading(self) -> date | Unread | None:
        """The day that is typed, why it is not understood, or None for no text."""
        text = self.field.text().strip()
        return read_day(text, local_now().date()) if text else None

    def _on_text(self) -> None:
        day = self.reading()
        self._words.setText(full_day(day) if isinstance(day, date) else "")
        self._words.setVisible(isinstance(day, date))
        self.field.setAccessibleDescription(self._words.text())
        self._changed()

    def _open(self) -> None:
        day = self.reading()
        chosen = day if isinstance(day, date) else None
        pick_day(self._calendar, chosen, lambda picked: self.field.setText(picked.isoformat()))


def unread_sentence(reading: Unread) -> str:
    """The sentence that says why a typed day is not understood."""
    match reading.why:
        case Why.NO_SUCH_DAY:
            return tr("That day does not exist. The day comes before the month, as in 24/12.")
        case Why.NO_SUCH_WEEK:
            return tr("That week does not exist.")
        case Why.OTHER_WEEKDAY if reading.day is not None:
            day = reading.day
            return tr("{date} is a {weekday}.").format(date=day.isoformat(), weekday=weekday(day))
    return tr("Kansli does not understand which day that is. Try Friday, 3/12, in two weeks or week 50.")
