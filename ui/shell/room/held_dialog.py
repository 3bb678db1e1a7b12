# SPDX-License-Identifier: EUPL-1.2
"""Dialogs about changes that are held back on this computer: which they are, what to do, and how it was before."""

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QWidget

from app.rooms.held import HeldChange
from ui.kit.avatar import Avatar
from ui.kit.buttons import TextButton
from ui.kit.dialogs import Dialog
from ui.kit.scale import hold
from ui.kit.style import ElidedLabel, column, label, line
from ui.kit.translate import clock, day, long_day, tr, trn

_SHOWN = 6
_BEFORE_SIZE = (720, 420)

Asked = Callable[[HeldChange], bool]


class HeldDialog(Dialog):
    """A dialog that lists changes that are not merged here, at most six: those that are held back on this computer
    (merging them ended the process that tries changes, failed or took too long), and those that are void (they break
    the rules of their format and count for nobody), and for each what can be done. `chosen` is then (action, change),
    None if nothing was chosen; an action is "before" (look at the object before the change), "copy" (copy it as it is),
    "leave-out" (of the object, for everybody; not for a void change) or "leave" (the room). The caller does it.

    `may_copy` and `may_show` return, for a change, whether "copy" and "before" are offered, `may_leave_out` is whether
    "leave-out" is. `count` is the number of all changes, with those that `held` does not list.
    """

    def __init__(
        self,
        parent: QWidget,
        held: tuple[HeldChange, ...],
        *,
        may_leave_out: bool,
        may_copy: Asked,
        may_show: Asked,
        count: int,
    ) -> None:
        kept = any(not one.void for one in held)
        title = tr("Held back on this computer") if kept else tr("Changes that count for nobody")
        super().__init__(parent, title, accept=tr("Close"), width=560)
        self.chosen: tuple[str, HeldChange] | None = None
        self._may_leave_out, self._may_copy, self._may_show = may_leave_out, may_copy, may_show
        text = (
            tr("Kansli tries what others write in a separate process first. These changes ended it or kept it busy, so "
               "they are not merged here. They are kept and tried again at each start. Nobody else is told.")
            if kept
            else tr("These changes break the rules of the format. They are merged at nobody in the room.")
        )  # fmt: skip
        self.add_text(text, "body")
        if kept and any(one.void for one in held):
            self.add_text(tr("Others break the rules of the format, and are merged at nobody in the room."), "body")
        for one in held[:_SHOWN]:
            self._add(one)
        more = count - min(len(held), _SHOWN)
        if more > 0:
            self.add_text(trn("and {n} more", "and {n} more", more).format(n=more), "small")
        self.body.addWidget(TextButton(tr("Leave the room …"), partial(self._choose, "leave", held[0]), kind="link"))

    def _add(self, one: HeldChange) -> None:
        person, words = line(spacing=10), column(spacing=2)
        person.addWidget(Avatar(one.author.initials, one.author.colour, one.author.name, 32))
        words.addWidget(ElidedLabel(f"{one.author.name} · {one.title or tr('Untitled')}"))
        why = {
            "crash": tr("ended the process, or took too long"),
            "failed": tr("could not be merged"),
            "slow": tr("takes too long to merge on this computer"),
            "program": tr("ended Kansli three times"),
        }.get(one.why, tr("breaks the rules of the format ({code})").format(code=one.why))
        words.addWidget(label(f"{long_day(day(one.t))} {clock(one.t)} · {why}", "small"))
        person.addLayout(words, 1)
        self.body.addLayout(person)
        row = line(spacing=12)
        for what, text, allowed in (
            ("before", tr("Show as it was before"), self._may_show(one)),
            ("copy", tr("Copy what is shown"), self._may_copy(one)),
            ("leave-out", tr("Leave out for everybody …"), self._may_leave_out and not one.void),
        ):
            if allowed:
                row.addWidget(TextButton(text, partial(self._choose, what, one), kind="link"))
        row.addStretch(1)
        self.body.addLayout(row)

    def _choose(self, what: str, one: HeldChange) -> None:
        self.chosen = what, one
        self.accept()


class BeforeDialog(Dialog):
    """A dialog that shows an object as it was before a change, to read and to copy from. `view` shows the object."""

    def __init__(self, parent: QWidget, view: QWidget) -> None:
        super().__init__(parent, tr("As it was before the change"), accept=tr("Close"), width=_BEFORE_SIZE[0] + 48)
        self.add_text(tr("This is a copy to read. Nothing that you do here is kept."), "small")
        hold(view, least_width=_BEFORE_SIZE[0], least_height=_BEFORE_SIZE[1])
        self.body.addWidget(view)
