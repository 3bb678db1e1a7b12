# SPDX-License-Identifier: EUPL-1.2
"""Clearing a room's change history on the server: what is cleared and what stays, what is lacking, and the progress."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.core.ids import RoomId
from app.rooms.pruning import PrunableObject, PrunePlan, Pruning
from app.session import Session
from ui.errors import sentence
from ui.kit.bind import bind
from ui.kit.card import IconLabel, SectionHeader
from ui.kit.dialogs import show
from ui.kit.keyed_rows import KeyedRows
from ui.kit.latest import Latest
from ui.kit.plain import Label
from ui.kit.sizes import size_text
from ui.kit.stoppable_dialog import StoppableDialog
from ui.kit.style import ElidedLabel, column, label, line
from ui.kit.translate import day, short_day, tr, trn
from ui.shell.tool_list import ToolList

_SHOWN = 5
"""The most objects that are named; of more only the number is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One line of the plan for clearing a room's change history. `kind`: "section" (a heading), "warning", "object"
    (one object, with the text `more` at the line's end), or the look of a plain text, such as "small". `key` identifies
    the line between two refreshes."""

    key: Hashable
    kind: str
    text: str
    more: str = ""


class PlanRow(QWidget):
    """A widget that shows one line of the plan for clearing a room's change history. Its kind never changes."""

    def __init__(self, shown: _Line) -> None:
        super().__init__()
        parts = line(self, margins=(0, 4, 0, 0) if shown.kind == "section" else (0, 0, 0, 0), spacing=8)
        self._text: Label
        self._more = label("", "small")
        if shown.kind == "warning":
            parts.addWidget(IconLabel("warning", "warning", 16), 0, Qt.AlignmentFlag.AlignTop)
        if shown.kind == "object":
            self._text = ElidedLabel()
        elif shown.kind == "section":
            self._text = SectionHeader("")
        else:
            self._text = label("", "body" if shown.kind == "warning" else shown.kind, wrap=True)
        parts.addWidget(self._text, 1)
        parts.addWidget(self._more)

    def show_line(self, shown: _Line) -> None:
        """Shows the text of `shown`, a line of the same kind, from now on."""
        if isinstance(self._text, ElidedLabel):
            self._text.set_text(shown.text)
        elif self._text.text() != shown.text:
            self._text.setText(shown.text)
            self._text.setAccessibleName(shown.text)
        self._more.setText(shown.more)
        self._more.setVisible(bool(shown.more))


class PruneDialog(StoppableDialog):
    """A dialog that shows which of a room's change history would be cleared on the server, and clears it when the red
    button is pressed. While it clears, the other button is Stop; what was cleared by then stays cleared."""

    def __init__(
        self, parent: QWidget | None, pruning: Pruning, tools: ToolList, room: RoomId, plan: PrunePlan
    ) -> None:
        super().__init__(
            parent,
            tr("Merge older changes on the server?"),
            accept=tr("Merge"),
            text=tr("The server keeps every single change to the room's {things}. What is older than a month can be "
                    "merged: each of them then stands there as it was, with all that was written since.")
            .format(things=tools.with_history()),
            doing=tr("Merging"),
            stopped=tr("Stopped. What was merged until then stays merged."),
            width=540,
        )  # fmt: skip
        self._pruning, self._tools, self._room = pruning, tools, room
        self.stays = self.add_text(
            tr("Nobody loses any content, and {things} are not touched. Computers that have the old changes keep "
               "them; who comes later, and new computers, cannot go back to versions from before. This is not disposal "
               "of records.").format(things=tools.without_history())
        )  # fmt: skip
        self._lines_host = QWidget()
        column(self._lines_host, spacing=6)
        self._lines: KeyedRows[_Line, PlanRow] = KeyedRows(
            self._lines_host, lambda shown: shown.key, PlanRow, lambda row, shown: row.show_line(shown)
        )
        self.body.addWidget(self._lines_host)
        self.add_progress()
        self.accept_button.setEnabled(False)
        self._plan: Latest[RoomId, PrunePlan] = Latest(self, pruning.plan, lambda _, plan: self._show(plan))
        self._show(plan)

    def read_again(self) -> None:
        """Asks for the plan again."""
        self._plan.ask(self._room)

    # -- what is shown --------------------------------------------------------------------------------------------

    def _show(self, plan: PrunePlan) -> None:
        if self.is_idle:
            self._lines.show(_lines(plan, self._tools))
            self.accept_button.setEnabled(plan.refusal is None and bool(plan.ready))

    # -- doing it -------------------------------------------------------------------------------------------------

    def accept(self) -> None:
        """Clears what the plan lists, in the background, with a progress bar. The dialog stays open and then shows how
        much was cleared, or the error. Does nothing while the button is disabled: nothing can be cleared, or clearing
        is under way."""
        if self.accept_button.isEnabled():
            self.begin(self._prune())

    async def _prune(self) -> str:
        went = await self._pruning.prune(self._room, self._on_progress)
        text = tr("{what} have been merged; the server is removing the single ones.")
        return text.format(what=total_text(went, self._tools))

    def finish(self, text: str) -> None:
        super().finish(text)
        self.stays.hide()
        self._lines.show([])

    def _on_progress(self, step: str, done: int, total: int) -> None:
        waits = tr("Giving the present state to those who came later")
        self.progress.set_text(waits if step == "state" else tr("Merging"))
        self.progress.set_progress(done, 0 if step == "state" else total)


async def clear_history(parent: QWidget, session: Session, tools: ToolList, room: RoomId) -> None:
    """Shows the dialog that clears the room's change history on the server. Returns when the dialog is closed."""
    dialog = PruneDialog(parent, session.pruning, tools, room, await session.pruning.plan(room))
    bind(dialog, session.status_changed, dialog.due)
    bind(dialog, session.rooms.room_changed, lambda moved: dialog.due() if moved == room else None)
    await show(dialog)


def _lines(plan: PrunePlan, tools: ToolList) -> list[_Line]:
    found: list[_Line] = []
    if plan.refusal is not None:
        found.append(_Line(key="refusal", kind="warning", text=sentence(plan.refusal).text))
    found.append(_Line(key="ready", kind="section", text=tr("Can be merged now")))
    if plan.ready:
        found.append(_Line(key="total", kind="body", text=total_text(plan.ready, tools)))
        found += _objects("ready", [(o, amount_text(o)) for o in plan.ready])
    else:
        found.append(_Line(key="nothing", kind="muted", text=tr("Nothing.")))
    if plan.newcomers or plan.recovery:
        found.append(_Line(key="given", kind="small", text=_given(plan)))
    if plan.lacking:
        found.append(_Line(key="lacking", kind="section", text=tr("Not yet")))
        found += _objects("lacking", [(o, lack_text(o)) for o in plan.lacking])
    if plan.too_few:
        text = tr("Two others must have checked how each of them stands before anything of it is merged. That takes "
                  "at least three members who may read the whole history.")  # fmt: skip
        found.append(_Line(key="too-few", kind="small", text=text))
    return found


def _objects(part: str, rows: Sequence[tuple[PrunableObject, str]]) -> list[_Line]:
    found = [
        _Line(key=(part, each.obj), kind="object", text=each.title or tr("Untitled"), more=text)
        for each, text in rows[:_SHOWN]
    ]
    more = len(rows) - _SHOWN
    if more > 0:
        text = trn("and {n} more", "and {n} more", more).format(n=more)
        found.append(_Line(key=(part, "more"), kind="small", text=text))
    return found


def amount_text(found: PrunableObject) -> str:
    """Text: how many changes of one object can be cleared, and about how many bytes these are."""
    count = trn("{n} change", "{n} changes", found.items).format(n=_number(found.items))
    return tr("{changes}, about {size}").format(changes=count, size=size_text(found.size_bytes))


def total_text(objects: Sequence[PrunableObject], tools: ToolList) -> str:
    """Text: how much can be cleared in all objects, such as "6 412 changes in 3 documents and boards, about 1,2 MB"."""
    items, size = sum(o.items for o in objects), sum(o.size_bytes for o in objects)
    changes = trn("{n} change", "{n} changes", items).format(n=_number(items))
    places = tools.count(len(objects))
    return tr("{changes} in {places}, about {size}").format(changes=changes, places=places, size=size_text(size))


def lack_text(found: PrunableObject) -> str:
    """Text: why the history of an object (`found`) cannot be cleared yet: only from a certain day (its `lacks` is
    "early"), otherwise that its snapshot (the merged state that would remain) was not checked by two other members
    yet."""
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
    """The number with a no-break space between thousands."""
    return f"{n:,}".replace(",", "\N{NO-BREAK SPACE}")
