# SPDX-License-Identifier: EUPL-1.2
"""Asks for the section of the list of rooms that a room goes to: one that is there, or a new one."""

from collections.abc import Sequence

from PySide6.QtWidgets import QListWidgetItem, QWidget

from ui.kit.dialogs import Dialog
from ui.kit.scale import hold
from ui.kit.spoken_list import ItemList
from ui.kit.style import set_props
from ui.kit.translate import tr

_LIST_HEIGHT = 180


class SectionDialog(Dialog):
    """A dialog that asks in which section the room `room` (its title) is to be. `sections` are (id, title), the id None
    for the section of its type; `now` is the id of the one it is in. When it is accepted, `title` is the name of a new
    section, "" for none; then `section` is the id of the one that was chosen."""

    def __init__(
        self, parent: QWidget | None, room: str, sections: Sequence[tuple[str | None, str]], now: str | None
    ) -> None:
        super().__init__(parent, tr("Move to section"), accept=tr("Move"))
        self.add_text(room, "strong")
        self._idents = [ident for ident, _ in sections]
        self.list = ItemList()
        self.list.setAccessibleName(tr("Sections"))
        hold(self.list, least_height=_LIST_HEIGHT)
        set_props(self.list, frame="card")
        for _, title in sections:
            self.list.addItem(QListWidgetItem(title))
        self.list.setCurrentRow(self._idents.index(now))
        self.body.addWidget(self.list)
        self.field = self.add_field(tr("Or a new section"))
        self.field.textChanged.connect(lambda: self.list.setEnabled(not self.title))
        self.list.itemActivated.connect(lambda: self.accept())
        self.list.setFocus()

    @property
    def title(self) -> str:
        """The name of a new section; "" for none."""
        return self.field.text().strip()

    @property
    def section(self) -> str | None:
        """The id of the chosen section; None for that of the room's type."""
        return self._idents[self.list.currentRow()]
