# SPDX-License-Identifier: EUPL-1.2
"""The panel beside the page: who is in the document now, and in which section."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QFrame, QWidget

from app.core.collation import swedish_key
from app.core.ids import DevId, Uid
from app.people.person import Person
from app.richtext.carets import Caret
from app.richtext.flow import Block
from app.richtext.model import Document
from ui.kit.avatar import Avatar
from ui.kit.card import Card, SectionHeader
from ui.kit.keyed_rows import KeyedRows
from ui.kit.scale import hold
from ui.kit.style import ElidedLabel, column, line, set_props
from ui.kit.translate import tr

WIDTH_PX = 260


def section_of(blocks: Sequence[Block], index: int) -> str:
    """The heading at or above the block `index`; "" before the first heading."""
    return next((blocks[i].text.strip() for i in range(index, -1, -1) if blocks[i].style.heading), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Here:
    """A person who is in the document, and the text that is shown of them: name and section. `dev` is their device,
    None for the person at the screen on this computer."""

    person: Person
    dev: DevId | None
    text: str


class PresenceRow(QWidget):
    """A row that shows one person who is in the document, and the section in which they are."""

    def __init__(self, here: _Here) -> None:
        super().__init__()
        inner = line(self, spacing=10)
        self._picture = Avatar(here.person.initials, here.person.colour, here.person.name, 24)
        self._text = ElidedLabel()
        inner.addWidget(self._picture)
        inner.addWidget(self._text, 1)

    def show_here(self, here: _Here) -> None:
        """Shows the person and the text of `here` from now on."""
        self._picture.show_person(here.person.initials, here.person.colour, here.person.name)
        self._text.set_text(here.text)


class PresencePanel(QFrame):
    """The panel "Editing now", which lists who is in the document: first the person at the screen (`me`), then the
    others by name."""

    def __init__(self, document: Document, me: Person, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._me = me
        self._shown: list[_Here] = []
        set_props(self, frame="panel")
        hold(self, width=WIDTH_PX)
        layout = column(self, margins=(16, 16, 16, 16), spacing=10)
        layout.addWidget(SectionHeader(tr("Editing now")))
        card = Card(margin=12, spacing=10)
        layout.addWidget(card)
        self._rows: KeyedRows[_Here, PresenceRow] = KeyedRows(
            card, lambda here: (here.person.uid, here.dev), PresenceRow, lambda row, here: row.show_here(here)
        )
        layout.addStretch(1)
        self.show_carets(())

    def show_carets(self, carets: Sequence[Caret]) -> None:
        """Lists the person at the screen first, then everybody who has one of these carets in the document, by name: a
        colleague with several devices once, but each other device of the person's own."""
        seen: dict[tuple[Uid, DevId], Caret] = {(caret.person.uid, caret.dev): caret for caret in carets}
        rows = [_Here(person=self._me, dev=None, text=tr("You"))]
        people: set[Uid] = {self._me.uid}
        for caret in sorted(seen.values(), key=lambda c: swedish_key(c.person.name)):
            if caret.person.uid in people and caret.person.uid != self._me.uid:
                continue
            people.add(caret.person.uid)
            name = tr("You, on another device") if caret.person.uid == self._me.uid else caret.person.name
            section = section_of(self._document.blocks(), self._document.find_block(caret.caret)[0])
            text = f"{name} · {section}" if section else name
            rows.append(_Here(person=caret.person, dev=caret.dev, text=text))
        if rows != self._shown:
            self._shown = rows
            self._rows.show(rows)

    def names(self) -> list[str]:
        """The texts of the panel, for tests and screen readers."""
        return [here.text for here in self._shown]
