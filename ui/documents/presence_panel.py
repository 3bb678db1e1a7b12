# SPDX-License-Identifier: EUPL-1.2
"""The panel beside the page: who is in the document now, and where."""

from collections.abc import Sequence

from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.core.ids import DevId, Uid
from app.documents.flow import Block
from app.documents.model import Document
from app.documents.service import Caret
from app.people.person import Person
from ui.kit.avatar import Avatar
from ui.kit.card import Card, SectionHeader
from ui.kit.scale import hold
from ui.kit.style import ElidedLabel, clear, column, line, set_props
from ui.kit.translate import tr

WIDTH_PX = 260


def section_of(blocks: Sequence[Block], index: int) -> str:
    """The heading that a block stands under; empty before the first."""
    return next((blocks[i].text.strip() for i in range(index, -1, -1) if blocks[i].style.heading), "")


class PresencePanel(QFrame):
    """ "Editing now": me first, then the others by name."""

    def __init__(self, document: Document, me: Person, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._me = me
        self._shown: list[tuple[Person, str]] = []
        set_props(self, frame="panel")
        hold(self, width=WIDTH_PX)
        layout = column(self, margins=(16, 16, 16, 16), spacing=10)
        layout.addWidget(SectionHeader(tr("Editing now")))
        self._card = Card(margin=12, spacing=10)
        layout.addWidget(self._card)
        layout.addStretch(1)
        self.show_carets(())

    def show_carets(self, carets: Sequence[Caret]) -> None:
        """Lists everybody who is here."""
        seen: dict[tuple[Uid, DevId], Caret] = {(caret.person.uid, caret.dev): caret for caret in carets}
        rows = [(self._me, tr("You"))]
        people: set[Uid] = {self._me.uid}
        for caret in sorted(seen.values(), key=lambda c: c.person.name):
            if caret.person.uid in people and caret.person.uid != self._me.uid:
                continue
            people.add(caret.person.uid)
            name = tr("You, on another device") if caret.person.uid == self._me.uid else caret.person.name
            section = section_of(self._document.blocks(), self._document.find_block(caret.caret)[0])
            rows.append((caret.person, f"{name} · {section}" if section else name))
        if rows != self._shown:
            self._shown = rows
            self._fill(self._card.content)

    def names(self) -> list[str]:
        """What the panel says, for tests and screen readers."""
        return [text for _, text in self._shown]

    def _fill(self, layout: QVBoxLayout) -> None:
        clear(layout)
        for person, text in self._shown:
            row = QWidget()
            inner = line(row, spacing=10)
            inner.addWidget(Avatar(person.initials, person.colour, person.name, 24))
            inner.addWidget(ElidedLabel(text), 1)
            layout.addWidget(row)
