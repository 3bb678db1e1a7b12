# SPDX-License-Identifier: EUPL-1.2
"""A notice that asks for an answer, as a card on Home. A press opens its place; beside it are "done" and "later"."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from ui.kit.buttons import IconButton
from ui.kit.card import IconLabel
from ui.kit.style import ElidedLabel, label
from ui.kit.translate import day_or_time, tr
from ui.shell.notices.card_row import CardRow
from ui.shell.notices.lines import NoticeLine

Act = Callable[[NoticeLine], object]


class NoticeCardRow(CardRow):
    """A row for one notice. Enter or a press opens its place (`opened`), R begins an answer there (`answered`), E marks
    it as done (`done`), S offers times to put it off (`later`, which also gets the widget under which to ask)."""

    def __init__(
        self,
        line_: NoticeLine,
        *,
        opened: Act,
        answered: Act,
        done: Act,
        later: Callable[[NoticeLine, QWidget], object],
    ) -> None:
        icon, title = IconLabel(line_.icon, "accent", 20), ElidedLabel("", "strong")
        super().__init__(lambda: opened(self._line), icon, title, edge=11)
        self._line = line_
        self._answered, self._done, self._later = answered, done, later
        self._shown: tuple[NoticeLine, str] | None = None
        self._when = label("", "faint")
        self.done_button = IconButton("check", tr("Mark as done"), lambda: done(self._line), shortcut="E")
        self.later_button = IconButton("clock", tr("Remind me later"), self._ask_later, shortcut="S")
        self._finish(self.done_button, self.later_button, beside=self._when)

    def show_line(self, line_: NoticeLine) -> None:
        """Shows this notice from now on. Nothing is drawn again if it looks the same as before."""
        when = day_or_time(line_.row.t)
        self._line = line_
        if (line_, when) == self._shown:
            return
        self._shown = (line_, when)
        name = ", ".join(part for part in (line_.title, line_.detail, when) if part)
        self.button.setAccessibleName(name)
        self.button.setAccessibleDescription(tr("E: done, S: later"))
        about = ", ".join(part for part in (line_.title, line_.detail) if part)
        self.done_button.set_name(tr("Mark as done: {title}").format(title=about), "E")
        self.later_button.set_name(tr("Remind me later: {title}").format(title=about), "S")
        self._icon.set_icon(line_.icon, "accent")
        self._title.set_text(line_.title)
        self._detail.set_text(line_.detail)
        self._detail.setVisible(bool(line_.detail))
        self._when.setText(when)

    def _ask_later(self) -> None:
        self._later(self._line, self.later_button)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys: dict[Qt.Key, Callable[[], object]] = {
            Qt.Key.Key_E: lambda: self._done(self._line),
            Qt.Key.Key_S: self._ask_later,
            Qt.Key.Key_R: lambda: self._answered(self._line),
        }
        act = keys.get(Qt.Key(event.key())) if not event.modifiers() else None
        if act is None:
            super().keyPressEvent(event)
        else:
            act()
