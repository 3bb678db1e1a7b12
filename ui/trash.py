# SPDX-License-Identifier: EUPL-1.2
"""The trash of a tool in a room: what was put away, by whom and when; to read, and to restore. All tools use it."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtWidgets import QWidget

from app.core.ids import RoomId, Uid
from app.objects.trash import Bin, PutAway
from app.people.person import Person
from ui.kit.dialogs import show
from ui.kit.pick_dialog import PickDialog
from ui.kit.tasks import run_guarded
from ui.kit.translate import day_or_time, tr, trn
from ui.tool_views import toast

Who = Callable[[Uid], Person]


def away_sentence(by: Uid | None, t: int, who: Who) -> str:
    """The sentence above an open thing that is in the trash: who put it there (`by`, None if it is not known) and when
    (`t`, ms). `who` returns the person for an id."""
    when = day_or_time(t)
    if by is None:
        return tr("This is in the trash ({when}). What is written here is kept.").format(when=when)
    person = who(by)
    if person.is_me:
        return tr("You put this in the trash ({when}). What is written here is kept.").format(when=when)
    text = tr("{name} put this in the trash ({when}). What is written here is kept.")
    return text.format(name=person.name, when=when)


def trash_words(count: int) -> str:
    """The label of the button that opens the trash."""
    return tr("Trash ({n})").format(n=count)


class TrashDialog(PickDialog[PutAway]):
    """A dialog that lists the things in a tool's trash, each with who put it there and when, to restore some or to read
    one. `writable` False: none can be restored."""

    def __init__(self, parent: QWidget | None, items: Sequence[PutAway], who: Who, *, writable: bool) -> None:
        super().__init__(
            parent,
            tr("Trash"),
            [(item, _line(item, who)) for item in items],
            accept=tr("Restore"),
            text=tr("Nothing disappears from here by itself."),
            writable=writable,
        )


async def visit(
    view: QWidget, tool: Bin, room: RoomId, who: Who, opened: Callable[[PutAway], object], *, writable: bool
) -> None:
    """Shows the trash of a tool in a room. Restores, with a message, the things that the person chooses, or calls
    `opened` with the one that they want to read. `who` returns the person for an id. `writable` False: none can be
    restored. An empty trash is only a message."""
    items = tool.put_away(room)
    if not items:
        toast(view, tr("The trash is empty"))
        return
    dialog = TrashDialog(view, items, who, writable=writable)
    back: list[PutAway] = []
    dialog.accepted.connect(lambda: back.extend(dialog.chosen()))
    await show(dialog)
    done = [item for item in back if run_guarded(view, partial(tool.take_back, item))]
    if done:
        toast(view, trn("{n} thing is back", "{n} things are back", len(done)).format(n=len(done)))
    elif dialog.opened is not None:
        opened(dialog.opened)


def _line(item: PutAway, who: Who) -> str:
    title, when = item.title or tr("Untitled"), day_or_time(item.t)
    if item.by is None:
        return f"{title} · {when}"
    return f"{title} · {who(item.by).name} · {when}"
