# SPDX-License-Identifier: EUPL-1.2
"""Shows and changes the person's own status: at their picture in the rail, in the account menu, in the palette, and in
a dialog."""

from collections.abc import Callable
from datetime import date
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QComboBox, QWidget

from app.core import clock
from app.core.enums import Presence
from app.presence.records import MAX_BACK_DAYS, MAX_TEXT, Choice, is_ahead
from app.presence.service import PresenceService
from ui.kit.bind import bind
from ui.kit.day_field import DayField, unread_sentence
from ui.kit.dialogs import Dialog, show
from ui.kit.menu import Entry
from ui.kit.presence import presence_line, presence_name
from ui.kit.style import label
from ui.kit.tasks import run, run_guarded
from ui.kit.translate import tr
from ui.kit.wheel import keep_still
from ui.shell.window.commands import Command
from ui.shell.window.navigation import RailButton

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
        dialog = StatusDialog(self._window, self._presence.choice)
        chosen: list[tuple[Presence, str, date | None]] = []
        dialog.accepted.connect(lambda: chosen.append((dialog.state, dialog.text, dialog.back_on)))
        if await show(dialog) and chosen:
            self._presence.choose(*chosen[0])


class StatusDialog(Dialog):
    """A dialog in which the person chooses what others see. It stores nothing: the caller reads `state`, `text` and
    `back_on`."""

    def __init__(self, parent: QWidget, choice: Choice) -> None:
        super().__init__(parent, tr("Your status"), accept=tr("Show"))
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
        self._error: Callable[[str], object] = lambda _text: None
        self._day = DayField(tr("Back on (may be empty)"), choice.back_on, lambda: self._error(""))
        caption = label(tr("Back on (may be empty)"), "label")
        caption.setBuddy(self._day.field)
        self.body.addWidget(caption)
        self.body.addWidget(self._day)
        line = self.add_error()
        self._error = lambda text: line.show_text(text) if text else line.hide()
        self.add_text(tr("Your colleagues in the same rooms see this. The server does not."), "small")

    @property
    def state(self) -> Presence:
        """The chosen state."""
        return Presence(self._states.currentData())

    @property
    def text(self) -> str:
        """The typed status text; "" for none."""
        return self._text.text().strip()

    @property
    def back_on(self) -> date | None:
        """The typed day of return; None for none, and for one that cannot be read."""
        reading = self._day.reading()
        return reading if isinstance(reading, date) else None

    def accept(self) -> None:
        """Closes the dialog if the typed day is empty or a valid day of return. Otherwise shows why not, and keeps what
        is typed."""
        reading = self._day.reading()
        if reading is None or (isinstance(reading, date) and is_ahead(reading, clock.now_ms())):
            super().accept()
            return
        late = tr("The day has to be after today, and at most {n} days ahead.").format(n=MAX_BACK_DAYS)
        self._error(late if isinstance(reading, date) else unread_sentence(reading))
        self._day.field.setFocus()
