# SPDX-License-Identifier: EUPL-1.2
"""Shows and changes the person's own status: at their picture in the rail, in the account menu, in the palette, and in
a dialog."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QComboBox, QWidget

from app.core import clock
from app.core.enums import Presence
from app.core.later import Later
from app.errors import StoreFault
from app.presence.records import MAX_BACK_DAYS, MAX_TEXT, Choice, is_ahead
from app.presence.service import PresenceService
from ui.errors import format_error
from ui.kit.bind import bind
from ui.kit.dialogs import Dialog, show
from ui.kit.error_line import ErrorLine
from ui.kit.menu import Entry
from ui.kit.presence import presence_line, presence_name
from ui.kit.style import label
from ui.kit.tasks import run, run_guarded
from ui.kit.translate import tr
from ui.kit.wheel import keep_still
from ui.shell.window.commands import Command
from ui.shell.window.navigation import RailButton

if TYPE_CHECKING:
    from ui.kit import day_field
else:
    day_field = Later("ui.kit.day_field", when_idle=True)

CHOSEN = (Presence.AVAILABLE, Presence.BUSY, Presence.DO_NOT_DISTURB, Presence.AWAY)
"""The states that a person can choose, in the order of the menus."""


class OwnStatus(QObject):
    """Shows and changes the person's own status. It is a child of the window and lives as long. Call `follow` for each
    button that is to show the status."""

    def __init__(self, window: QWidget, presence: PresenceService) -> None:
        super().__init__(window)
        self._window, self._presence = window, presence

    def follow(self, button: RailButton) -> None:
        """Shows the person's state at their picture on `button`, now and after each change."""

        def refresh(*_changed: object) -> None:
            mine = self._presence.of_me()
            button.set_presence(mine.state if mine is not None else None)

        bind(button, self._presence.changed, refresh)
        refresh()

    def entries(self) -> list[Entry | None]:
        """The entries of the account menu: what others see now, each state to choose, and one that opens the dialog."""
        choice, mine = self._presence.choice, self._presence.of_me()
        hidden = tr("Your status is not shown")
        found: list[Entry | None] = [Entry(text=presence_line(mine) if mine is not None else hidden)]
        for state in CHOSEN:
            checked = choice.state is state
            found.append(Entry(text=presence_name(state), run=partial(self.choose, state), checked=checked))
        found.append(Entry(text=tr("Change status …"), icon="edit", run=self.edit))
        return found

    def commands(self) -> list[Command]:
        """The commands of the palette: each state to choose, and one that opens the dialog."""
        states = [
            Command(
                id=f"status-{state}",
                text=tr("Status: {state}").format(state=presence_name(state)),
                icon="person",
                run=partial(self.choose, state),
            )
            for state in CHOSEN
        ]
        return [*states, Command(id="status", text=tr("Change status …"), icon="edit", run=self.edit)]

    def choose(self, state: Presence) -> None:
        """Sets the state. The status text and the day of return stay, unless the state is available. An error of the
        disk is shown to the person."""
        before = self._presence.choice
        kept = before if state is not Presence.AVAILABLE else Choice()
        run_guarded(self._window, lambda: self._presence.choose(state, kept.text, kept.back_on))

    def edit(self) -> None:
        """Opens the dialog for the state, the status text and the day of return."""
        run(self._window, self._edit())

    async def _edit(self) -> None:
        await show(StatusDialog(self._window, self._presence.choice, self._presence.choose))


class StatusDialog(Dialog):
    """A dialog in which the person chooses what others see. `choice` is what it shows at first. `choose` stores what
    the person accepts: it is called with the state, the status text ("" for none) and the day of return (None for
    none). If `choose` raises StoreFault, the dialog shows the error and stays open."""

    def __init__(self, parent: QWidget, choice: Choice, choose: Callable[[Presence, str, date | None], object]) -> None:
        super().__init__(parent, tr("Your status"), accept=tr("Show"))
        self._choose = choose
        self.error = ErrorLine()
        self._states = keep_still(QComboBox())
        self._states.setAccessibleName(tr("Status"))
        for state in CHOSEN:
            self._states.addItem(presence_name(state), state)
        self._states.setCurrentIndex(self._states.findData(choice.state))
        caption = label(tr("Status"), "label")
        caption.setBuddy(self._states)
        self.body.addWidget(caption)
        self.body.addWidget(self._states)
        self._text = self.add_field(tr("Words about it (may be empty)"), choice.text)
        self._text.setMaxLength(MAX_TEXT)
        self._text.setPlaceholderText(tr("e.g. in a hearing"))
        self._day = day_field.DayField(tr("Back on (may be empty)"), choice.back_on, self.error.hide)
        caption = label(tr("Back on (may be empty)"), "label")
        caption.setBuddy(self._day.field)
        self.body.addWidget(caption)
        self.body.addWidget(self._day)
        self.body.addWidget(self.error)
        self.add_text(tr("Your colleagues in the same rooms see this. The server does not."), "small")

    def accept(self) -> None:
        """Stores what is chosen and typed, and closes the dialog. If the typed day is no valid day of return, or the
        disk refuses, the dialog shows why, and keeps what is typed."""
        self.error.hide()
        day = self._day.reading()
        if day is not None and not isinstance(day, date):
            self._refuse_day(day_field.unread_sentence(day))
        elif day is not None and not is_ahead(day, clock.now_ms()):
            self._refuse_day(tr("The day has to be after today, and at most {n} days ahead.").format(n=MAX_BACK_DAYS))
        else:
            self._store(day)

    def _refuse_day(self, sentence: str) -> None:
        self.error.show_text(sentence)
        self._day.field.setFocus()

    def _store(self, day: date | None) -> None:
        try:
            self._choose(Presence(self._states.currentData()), self._text.text().strip(), day)
        except StoreFault as error:
            self.error.show_text(*format_error(error))
        else:
            super().accept()
