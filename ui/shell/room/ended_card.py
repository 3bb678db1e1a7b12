# SPDX-License-Identifier: EUPL-1.2
"""Beside a room's members: somebody's account was ended by the agency, and what that means."""

from PySide6.QtWidgets import QWidget

from app.rooms.service import EndedMember
from ui.kit.card import Card, IconLabel
from ui.kit.style import label, line
from ui.kit.translate import day, short_day, tr


class EndedCard(Card):
    """A card beside a room's members about one former member, whose account the agency has ended."""

    def __init__(self, ended: EndedMember, parent: QWidget | None = None) -> None:
        super().__init__(margin=12, spacing=4, parent=parent)
        top = line(spacing=7)
        self._name, self._about = label("", "strong", wrap=True), label("", "small", wrap=True)
        top.addWidget(IconLabel("warning", "warning", 16))
        top.addWidget(self._name, 1)
        self.content.addLayout(top)
        self.content.addWidget(self._about)
        self.show_ended(ended)

    def show_ended(self, ended: EndedMember) -> None:
        """Shows this former member, and what the end of the account means."""
        name = ended.person.name
        self._name.setText(tr("{name} is not in the room any more").format(name=name))
        text = tr(
            "The agency ended the account on {day}. If {name} comes back, it is under a new account, which nobody has "
            "verified. An administrator adds it; compare safety numbers first."
        ).format(day=short_day(day(ended.t_ms)), name=name)
        self._about.setText(text)
