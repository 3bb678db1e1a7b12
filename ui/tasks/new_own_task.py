# SPDX-License-Identifier: EUPL-1.2
"""The line in which a person writes a task of their own: Enter puts it on their own board, and makes the board first if
there is none."""

from functools import partial

from PySide6.QtWidgets import QLineEdit, QWidget

from app.core.visible import one_line
from app.errors import StoreFault, WorldError
from app.objects.links import ObjectLink
from app.tasks.cards import MAX_TITLE
from app.tasks.own_board import add_card
from app.tasks.service import TaskService
from ui.kit.announcing import announce
from ui.kit.bind import bind
from ui.kit.buttons import TextButton
from ui.kit.style import column, line
from ui.kit.tasks import report, run, run_guarded
from ui.kit.toast import InfoBar
from ui.kit.translate import tr
from ui.kit.unsaved_bar import edit_unseen
from ui.tool_views import toast


class NewOwnTask(QWidget):
    """A field for the title of a task of the person's own, with a button. While the board cannot be made, a bar says
    so, and the title stays in the field."""

    def __init__(self, service: TaskService, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._service = service
        self._is_making = False
        rows = column(self, spacing=6)
        fields = line(spacing=8)
        self.field = QLineEdit()
        self.field.setPlaceholderText(tr("New task of my own"))
        self.field.setAccessibleName(tr("New task of my own"))
        self.field.setMaxLength(MAX_TITLE)
        self.field.returnPressed.connect(self._add)
        fields.addWidget(self.field, 1)
        self.button = TextButton(tr("Add"), self._add, icon="add")
        self.button.setAccessibleName(tr("Add the task"))
        fields.addWidget(self.button)
        rows.addLayout(fields)
        self.bar = InfoBar()
        rows.addWidget(self.bar)
        bind(self, service.own.known, self.bar.hide)
        bind(self, service.own.changed, self.bar.hide)
        self.setFocusProxy(self.field)

    def _add(self) -> None:
        title = one_line(self.field.text(), MAX_TITLE)
        if not title or self._is_making:
            self.field.setFocus()
            return
        found = self._service.own.find()
        if found is not None:
            self._put(found, title)
            return
        self._is_making = True
        run(self, self._make(title), on_error=self._on_error)

    async def _make(self, title: str) -> None:
        """Makes the board, and puts the task on it."""
        try:
            link = await self._service.own.ensure()
        finally:
            self._is_making = False
        self._put(link, title)

    def _on_error(self, error: Exception) -> None:
        if isinstance(error, WorldError) and not isinstance(error, StoreFault):
            text = tr(
                "Your own board cannot be made yet. What you wrote is still here: add it again when Kansli is"
                " connected."
            )
            self.bar.show_state("info", "offline", text)
            announce(self, text)
        else:
            report(self, error)

    def _put(self, link: ObjectLink, title: str) -> None:
        """Adds the task. If the disk refuses, it is in memory, and a message with Try again says so: the field is
        emptied in either case, otherwise the next Enter would add the task twice."""
        made = list[str]()

        def add() -> None:
            made.append(add_card(self._service.board(link.room, link.obj), title, self._service.me))

        stored = edit_unseen(self, self._service, link.obj, add)
        if made:
            self.field.clear()
        if stored:
            undo = partial(self._take_away, link, made[0])
            toast(self, tr("“{title}” is on your own board").format(title=title), undo)

    def _take_away(self, link: ObjectLink, card: str) -> None:
        run_guarded(self, lambda: self._service.board(link.room, link.obj).delete_card(card))
