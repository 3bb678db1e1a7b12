# SPDX-License-Identifier: EUPL-1.2
"""A card of one row that can be pressed: icon, title, a line under it, time at the right. Home shows them."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from ui.kit.buttons import RowButton
from ui.kit.card import IconLabel
from ui.kit.style import ElidedLabel, column, label, line, set_props


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One row on the Home page: its icon, text and time, and what a press on it does (`open`). `key` identifies a row
    between two refreshes, `role` is the name of the icon's colour."""

    key: Hashable
    icon: str
    title: str
    detail: str = ""
    when: str
    open: Callable[[], object] = field(compare=False)
    role: str = "accent"


class ActionRow(RowButton):
    """A row on the Home page that can be pressed. It runs the action that it shows at that moment."""

    def __init__(self, action: Action) -> None:
        super().__init__("", lambda: self._action.open())
        self._action = action
        self._shown: Action | None = None
        set_props(self, kind="card-row")
        layout = line(self, margins=(13, 13, 13, 13), spacing=13)
        self._icon = IconLabel(action.icon, action.role, 20)
        layout.addWidget(self._icon)
        words = column(spacing=2)
        self._title, self._detail = ElidedLabel(), ElidedLabel("", "small")
        words.addWidget(self._title)
        words.addWidget(self._detail)
        layout.addLayout(words, 1)
        self._when = label("", "faint")
        layout.addWidget(self._when)
        self.take_clicks()

    def show_action(self, action: Action) -> None:
        """Shows `action` in this row, from now on. Nothing is drawn again if it looks the same as before."""
        self._action = action
        if action == self._shown:
            return
        self._shown = action
        self.setAccessibleName(", ".join(x for x in (action.title, action.detail, action.when) if x))
        self._icon.set_icon(action.icon, action.role)
        set_props(self._title, look="strong" if action.detail else "body")
        self._title.set_text(action.title)
        self._detail.set_text(action.detail)
        self._detail.setVisible(bool(action.detail))
        self._when.setText(action.when)
