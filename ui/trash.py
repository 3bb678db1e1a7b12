# SPDX-License-Identifier: EUPL-1.2
"""The trash of a tool in a room: what was put away, by whom and when, to read and to put back. All tools use it."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QDialogButtonBox, QListWidgetItem, QWidget

from app.core.ids import RoomId, Uid
from app.objects.trash import Bin, PutAway
from app.people.person import Person
from ui.kit.buttons import PlainButton
from ui.kit.dialogs import Dialog, show
from ui.kit.spoken_list import ItemList
from ui.kit.style import set_props
from ui.kit.tasks import done_now
from ui.kit.translate import day_or_time, tr, trn
from ui.tool import toast

Who = Callable[[Uid], Person]
_ITEM = Qt.ItemDataRole.UserRole


def away_sentence(by: Uid | None, t: int, who: Who) -> str:
    """Who put it away and when (ms), for the line above a thing that is open."""
    when = day_or_time(t)
    if by is None:
        return tr("This is in the trash ({when}). What is written here is kept.").format(when=when)
    person = who(by)
    if person.is_me:
        return tr("You put this in the trash ({when}). What is written here is kept.").format(when=when)
    text = tr("{name} put this in the trash ({when}). What is written here is kept.")
    return text.format(name=person.name, when=when)


def trash_words(count: int) -> str:
    """The name of the way to the trash."""
    return tr("Trash ({n})").format(n=count)


class TrashDialog(Dialog):
    """A list; accepted to put back what is `chosen`. Enter or a double click on a line opens it: then `opened`."""

    def __init__(self, parent: QWidget | None, items: Sequence[PutAway], who: Who, *, writable: bool) -> None:
        super().__init__(parent, tr("Trash"), accept=tr("Restore"), cancel=tr("Close"), width=560)
        self.accept_button.setVisible(writable)
        self.opened: PutAway | None = None
        self.add_text(tr("Nothing disappears from here by itself."))
        self.list = ItemList()
        self.list.setAccessibleName(tr("Trash"))
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setMinimumHeight(280)
        set_props(self.list, frame="card")
        self._items = list(items)
        for at, item in enumerate(self._items):
            line = QListWidgetItem(_line(item, who))
            line.setData(_ITEM, at)
            self.list.addItem(line)
        self.list.itemActivated.connect(self._open)
        self.list.itemSelectionChanged.connect(self._on_selection)
        self.body.addWidget(self.list)
        self.open_button = PlainButton(tr("Open"))
        self.buttons.addButton(self.open_button, QDialogButtonBox.ButtonRole.ActionRole)
        self.open_button.clicked.connect(lambda: self._open(self.list.currentItem()))
        self.list.setCurrentRow(0)
        self.list.setFocus()
        self._on_selection()

    def chosen(self) -> list[PutAway]:
        """What is selected."""
        return [self._items[line.data(_ITEM)] for line in self.list.selectedItems()]

    def _on_selection(self) -> None:
        count = len(self.list.selectedItems())
        self.accept_button.setEnabled(count > 0)
        self.open_button.setEnabled(count == 1)

    def _open(self, line: QListWidgetItem | None) -> None:
        if line is not None:
            self.opened = self._items[line.data(_ITEM)]
            self.reject()


async def visit(
    view: QWidget, tool: Bin, room: RoomId, who: Who, opened: Callable[[PutAway], object], *, writable: bool
) -> None:
    """Shows the trash; puts back what the person chooses, or gives what they want to read to `opened`."""
    items = tool.put_away(room)
    if not items:
        toast(view, tr("The trash is empty"))
        return
    dialog = TrashDialog(view, items, who, writable=writable)
    back: list[PutAway] = []
    dialog.accepted.connect(lambda: back.extend(dialog.chosen()))
    await show(dialog)
    done = [item for item in back if done_now(view, lambda item=item: tool.take_back(item))]  # type: ignore[misc]
    if done:
        toast(view, trn("{n} thing is back", "{n} things are back", len(done)).format(n=len(done)))
    elif dialog.opened is not None:
        opened(dialog.opened)


def _line(item: PutAway, who: Who) -> str:
    title, when = item.title or tr("Untitled"), day_or_time(item.t)
    if item.by is None:
        return f"{title} · {when}"
    return f"{title} · {who(item.by).name} · {when}"
