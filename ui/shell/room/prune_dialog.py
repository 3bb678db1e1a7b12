# SPDX-License-Identifier: EUPL-1.2
"""Clearing a room's change history on the server: what goes and what stays, what is lacking, how far it has come."""

import asyncio
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget

from app.core.ids import RoomId
from app.rooms.pruning import PrunableObject, PrunePlan
from ui.errors import sentence, told
from ui.kit.bind import Soon, bind
from ui.kit.card import IconLabel, SectionHeader
from ui.kit.dialogs import Dialog, show
from ui.kit.latest import Latest
from ui.kit.progress import ProgressRow
from ui.kit.sizes import size_text
from ui.kit.style import ElidedLabel, clear, column, label, line
from ui.kit.tasks import run
from ui.kit.translate import day, short_day, tr, trn
from ui.shell.ports import Pruning, Session

_SHOWN = 5
"""Objects that are named; of more the number is told."""


class PruneDialog(Dialog):
    """Shows the plan, anew after `due`; the red button does it. While it is done Cancel stops it, and what was cleared
    until then stays so."""

    def __init__(self, parent: QWidget | None, pruning: Pruning, room: RoomId, plan: PrunePlan) -> None:
        super().__init__(
            parent, tr("Clear the change history on the server?"), accept=tr("Clear"), danger=True, width=540
        )
        self._pruning, self._room = pruning, room
        self._task: asyncio.Task[None] | None = None
        self._over = False
        self.text = self.add_text(
            tr("The server keeps every single change to the room's documents and boards. What is older than a month "
               "can be cleared: each of them then stands there as it was, with all that was written since."),
            "body",
        )  # fmt: skip
        self.stays = self.add_text(
            tr("Nobody loses any content, and chat and files are not touched. Computers that have the old changes keep "
               "them; who comes later, and new computers, cannot go back to versions from before. This is not disposal "
               "of records.")
        )  # fmt: skip
        self._told = QWidget()
        self._lines = column(self._told, spacing=6)
        self.body.addWidget(self._told)
        self.progress = ProgressRow(tr("Clearing"))
        self.progress.hide()
        self.body.addWidget(self.progress)
        self.error = self.add_error()
        (self.close_button,) = (
            b for b in self.buttons.buttons() if b is not self.accept_button and isinstance(b, QPushButton)
        )
        self.accept_button.setEnabled(False)
        self._plan: Latest[RoomId, PrunePlan] = Latest(self, pruning.plan, lambda _, plan: self._show(plan))
        self._soon = Soon(self, self._look)
        self._show(plan)

    def due(self, *_moved: object) -> None:
        """The room, or the connection, is another than before."""
        self._soon.due()

    def _look(self) -> None:
        if not self._over and self._task is None:
            self._plan.ask(self._room)

    # -- what is shown --------------------------------------------------------------------------------------------

    def _show(self, plan: PrunePlan) -> None:
        if self._over or self._task is not None:
            return
        clear(self._lines)
        if plan.refusal is not None:
            self._warn(sentence(plan.refusal).text)
        self._section(tr("Can be cleared now"))
        if plan.ready:
            self._say(total_text(plan.ready))
            self._list([(o, amount_text(o)) for o in plan.ready])
        else:
            self._say(tr("Nothing."), "muted")
        if plan.newcomers or plan.recovery:
            self._say(_given(plan), "small")
        if plan.lacking:
            self._section(tr("Not yet"))
            self._list([(o, lack_text(o)) for o in plan.lacking])
        if plan.too_few:
            self._say(
                tr("Two others must have checked how a document stands before anything of it is cleared. That takes at "
                   "least three members who may read the whole history."),
                "small",
            )  # fmt: skip
        self.accept_button.setEnabled(plan.refusal is None and bool(plan.ready))

    def _section(self, title: str) -> None:
        self._lines.addSpacing(4)
        self._lines.addWidget(SectionHeader(title))

    def _say(self, text: str, kind: str = "body") -> None:
        self._lines.addWidget(label(text, kind, wrap=True))

    def _warn(self, text: str) -> None:
        row = QWidget()
        parts = line(row, spacing=8)
        parts.addWidget(IconLabel("warning", "warning", 16), 0, Qt.AlignmentFlag.AlignTop)
        parts.addWidget(label(text, "body", wrap=True), 1)
        self._lines.addWidget(row)

    def _list(self, rows: Sequence[tuple[PrunableObject, str]]) -> None:
        for found, text in rows[:_SHOWN]:
            row = QWidget()
            parts = line(row, spacing=12)
            parts.addWidget(ElidedLabel(found.title or tr("Untitled")), 1)
            parts.addWidget(label(text, "small"))
            self._lines.addWidget(row)
        more = len(rows) - _SHOWN
        if more > 0:
            self._say(trn("and {n} more", "and {n} more", more).format(n=more), "small")

    # -- doing it -------------------------------------------------------------------------------------------------

    def accept(self) -> None:
        """Clears what can be cleared."""
        if not self.accept_button.isEnabled():
            return
        self.error.hide()
        self.accept_button.setEnabled(False)
        self.close_button.setText(tr("Stop"))
        self._on_progress("objects", 0, 0)
        self.progress.show()
        self._task = run(self, self._prune(), on_error=self._failed)

    async def _prune(self) -> None:
        went = await self._pruning.prune(self._room, self._on_progress)
        self._task, self._over = None, True
        self.progress.hide()
        self.stays.hide()
        clear(self._lines)
        self.text.setText(tr("{what} have been cleared; the server is removing them.").format(what=total_text(went)))
        self.accept_button.hide()
        self.close_button.setText(tr("Close"))
        self.close_button.setFocus()

    def _on_progress(self, step: str, done: int, total: int) -> None:
        waits = tr("Giving the present state to those who came later")
        self.progress.set_text(waits if step == "state" else tr("Clearing"))
        self.progress.set_progress(done, 0 if step == "state" else total)

    def _failed(self, error: Exception) -> None:
        self._stand()
        self.error.say(*told(error))

    def _stand(self) -> None:
        """As before it was begun, with what is left."""
        self._task = None
        self.progress.hide()
        self.close_button.setText(tr("Cancel"))
        self.close_button.setFocus()
        self._look()

    def reject(self) -> None:
        """Stops what is being done, else closes."""
        if self._task is None:
            super().reject()
            return
        self._task.cancel()
        self._stand()
        self.error.say(tr("Stopped. What was cleared until then stays cleared."))


async def clear_history(parent: QWidget, session: Session, room: RoomId) -> None:
    """Asks, and clears; ends when the dialog is closed."""
    dialog = PruneDialog(parent, session.pruning, room, await session.pruning.plan(room))
    bind(dialog, session.status_changed, dialog.due)
    bind(dialog, session.rooms.room_changed, lambda moved: dialog.due() if moved == room else None)
    await show(dialog)


def amount_text(found: PrunableObject) -> str:
    """How much of one object."""
    count = trn("{n} change", "{n} changes", found.items).format(n=_number(found.items))
    return tr("{changes}, about {size}").format(changes=count, size=size_text(found.size_bytes))


def total_text(objects: Sequence[PrunableObject]) -> str:
    """How much of all: 6 412 changes in 3 documents and boards, about 1,2 MB."""
    items, size = sum(o.items for o in objects), sum(o.size_bytes for o in objects)
    changes = trn("{n} change", "{n} changes", items).format(n=_number(items))
    places = trn("{n} document or board", "{n} documents and boards", len(objects)).format(n=len(objects))
    return tr("{changes} in {places}, about {size}").format(changes=changes, places=places, size=size_text(size))


def lack_text(found: PrunableObject) -> str:
    """What one object still lacks."""
    if found.lacks == "early":
        return tr("from {day}").format(day=short_day(day(found.from_ms)))
    return tr("not checked by two others yet")


def _given(plan: PrunePlan) -> str:
    names = [p.name for p in plan.newcomers]
    if len(names) > _SHOWN:
        rest = len(names) - _SHOWN
        names = [*names[:_SHOWN], trn("{n} more", "{n} more", rest).format(n=rest)]
    who = ", ".join([*names, tr("the agency's recovery")] if plan.recovery else names)
    return tr("Without the history, and first given the present state to read on from: {who}.").format(who=who)


def _number(n: int) -> str:
    """With a thin space between thousands."""
    return f"{n:,}".replace(",", "\N{NO-BREAK SPACE}")
