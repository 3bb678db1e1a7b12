# SPDX-License-Identifier: EUPL-1.2
"""Dialogs about a room that stopped for good: opening the one that continues it, and the evidence of why it did."""

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app.rooms.evidence import Exhibit, Word
from app.rooms.succession import Plan, Standing
from ui.kit.avatar import Avatar
from ui.kit.dialogs import Dialog
from ui.kit.faces import leave_focus
from ui.kit.scale import hold
from ui.kit.style import ElidedLabel, column, label, line
from ui.kit.translate import clock, day, long_day, tr, trn
from ui.shell.words import role_name

_SHOWN_MEMBERS = 6


def _when(t_ms: int) -> str:
    return f"{long_day(day(t_ms))} {clock(t_ms)}"


class SuccessorDialog(Dialog):
    """A dialog that asks whether to open a new room in place of one that has stopped: what happened, from where the new
    room goes on, and who is invited (`plan`). If it is accepted, the caller opens the room. `state` says why the old
    one stopped: "fork" if the server showed the members different histories; anything else is shown as a loss on the
    server. `things` is a text that names what rooms hold."""

    def __init__(self, parent: QWidget, plan: Plan, state: str, things: str) -> None:
        super().__init__(parent, tr("Open a successor?"), accept=tr("Open the new room"), width=500)
        happened = (
            tr("The server has shown the members different histories. The room cannot go on as it is.")
            if state == "fork"
            else tr("The server has lost what it had confirmed. If it does not come back, the room cannot go on.")
        )
        self.add_text(happened, "body")
        self.add_text(_begins(plan), "body")
        self.add_text(
            tr("Title, {things} are carried over as they stand there; what was edited away or deleted stays behind. "
               "Everybody's unsent work follows by itself.").format(things=things)
        )  # fmt: skip
        self._add_members(plan)
        self.add_text(
            tr("The old room is closed and can still be read. Talk to IT security first if you think that the server "
               "has been attacked: the new room is on the same one."),
            "small",
        )  # fmt: skip

    def _add_members(self, plan: Plan) -> None:
        if not plan.members:
            return
        self.body.addWidget(label(tr("Invited, with the same role as now"), "label"))
        people = column(spacing=6)
        for member in plan.members[:_SHOWN_MEMBERS]:
            person, row = member.person, line(spacing=8)
            row.addWidget(Avatar(person.initials, person.colour, person.name, 24))
            row.addWidget(ElidedLabel(person.name), 1)
            row.addWidget(label(role_name(member.role), "small"))
            people.addLayout(row)
        more = len(plan.members) - _SHOWN_MEMBERS
        if more > 0:
            people.addWidget(label(trn("and {n} more", "and {n} more", more).format(n=more), "small"))
        self.body.addLayout(people)


def _begins(plan: Plan) -> str:
    if plan.t is None:
        text = tr("The new room begins at position {n}, the last that your own copy vouches for.").format(n=plan.n)
    else:
        text = tr("The new room begins at position {n} ({when}), the last that your own copy vouches for.").format(
            n=plan.n, when=_when(plan.t)
        )
    if plan.waiting:
        text += " " + trn(
            "{n} change of yours is not sent and goes there.", "{n} changes of yours are not sent and go there.",
            plan.waiting,
        ).format(n=plan.waiting)  # fmt: skip
    return text


class EvidenceDialog(Dialog):
    """A dialog with the evidence that was kept against the server: two histories of a room, a loss, a restore, items
    that it showed under a false signature, or a time far ahead. Accepting it copies all of the evidence as text to the
    clipboard."""

    def __init__(self, parent: QWidget, standing: Standing) -> None:
        super().__init__(
            parent, tr("Evidence against the server"), accept=tr("Copy as text"), cancel=tr("Close"), width=560
        )
        self.add_text(tr("Kept when the room stopped. IT security can check the signatures with the agency's key."))
        self.shown = QPlainTextEdit(evidence_text(standing))
        leave_focus(self.shown)
        self.shown.setReadOnly(True)
        self.shown.setTabChangesFocus(True)
        self.shown.setAccessibleName(tr("Evidence"))
        hold(self.shown, least_height=260)
        self.body.addWidget(self.shown)
        self.accepted.connect(lambda: QGuiApplication.clipboard().setText(self.shown.toPlainText()))


def evidence_text(standing: Standing) -> str:
    """The kept evidence against the server as text, for a person to read and a program to check: first the end of this
    device's own copy of the room, if it is known, then each piece of evidence, with signed bytes as hexadecimal
    digits."""
    lines: list[str] = []
    if standing.head is not None:
        n, rh = standing.head
        lines += [tr("Our own copy ends at position {n}").format(n=n), _hash(rh), ""]
    for exhibit in standing.evidence:
        lines += _exhibit(exhibit)
    return "\n".join(lines).rstrip()


def _exhibit(exhibit: Exhibit) -> list[str]:
    what = {
        "fork": tr("Divided history"),
        "restored": tr("Server restored"),
        "time": tr("A time far ahead of the clocks"),
    }.get(exhibit.code, tr("The server went backwards"))
    lines = [tr("{what}, kept {when}").format(what=what, when=_when(exhibit.t)), ""]
    lines += _word(tr("The server had signed for us"), exhibit.ours)
    lines += _word(tr("The server signed then"), exhibit.theirs)
    if exhibit.claim is not None and exhibit.code == "restored":
        lines += [tr("The server's signed statement that it was restored"), exhibit.claim.hex(), ""]
    elif exhibit.claim is not None:
        lines += [tr("A member had signed that they saw another history"), exhibit.claim.hex(), ""]
    return lines


def _word(title: str, word: Word | None) -> list[str]:
    if word is None:
        return []
    at = tr("{title}: position {n}, {when}").format(title=title, n=word.n, when=_when(word.t))
    return [at, _hash(word.rh), tr("Receipt and certificate: {hex}").format(hex=word.proof.hex()), ""]


def _hash(rh: bytes) -> str:
    return tr("Running hash: {hex}").format(hex=rh.hex())
