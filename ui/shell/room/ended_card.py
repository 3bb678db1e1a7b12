# SPDX-License-Identifier: EUPL-1.2
"""Beside a room's members: somebody's account was ended by the agency, and what that means."""

from PySide6.QtWidgets import QWidget

from ui.kit.card import Card, IconLabel
from ui.kit.style import label, line
from ui.kit.translate import day, short_day, tr
from ui.shell.ports import EndedMember


class EndedCard(Card):
    """One former member."""

    def __init__(self, ended: EndedMember, parent: QWidget | None = None) -> None:
        super().__init__(margin=12, spacing=4, parent=parent)
        name = ended.person.name
        top = line(spacing=7)
        top.addWidget(IconLabel("warning", "warning", 16))
        top.addWidget(label(tr("{name} is not in the room any more").format(name=name), "strong", wrap=True), 1)
        self.content.addLayout(top)
        text = tr(
            "The agency ended the account on {day}. If {name} comes back, it is under a new account, which nobody has "
            "verified. An administrator adds it; compare safety numbers first."
        ).format(day=short_day(day(ended.t_ms)), name=name)
        self.content.addWidget(label(text, "small", wrap=True))
