# SPDX-License-Identifier: EUPL-1.2
"""A proposal that one member may read everything since the room began: one administrator proposes, another approves."""

from PySide6.QtWidgets import QWidget

from app.core.ids import RoomId
from app.people.person import Person
from app.rooms.service import HistoryProposal, RoomService
from ui.kit.buttons import TextButton
from ui.kit.card import Card, IconLabel
from ui.kit.dialogs import confirm
from ui.kit.style import label, line
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell.words import history_refusal
from ui.tool_views import toast


class HistoryCard(Card):
    """A card about a proposal that one member may read everything since the room began. An administrator who may
    approve has a button; the others read what the proposal waits for."""

    def __init__(
        self, rooms: RoomService, room: RoomId, proposal: HistoryProposal, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._rooms, self._room, self._proposal = rooms, room, proposal
        self.setAccessibleName(tr("Proposal about the history"))
        top = line(spacing=7)
        top.addWidget(IconLabel("history", "accent", 16))
        top.addWidget(label(tr("Proposal"), "label"), 1)
        self.content.addLayout(top)
        self._sentence, self._refusal = label("", "body", wrap=True), label("", "small", wrap=True)
        self.content.addWidget(self._sentence)
        self.content.addWidget(self._refusal)
        self.approve_button = TextButton("", self._approve, kind="primary")
        row = line()
        row.addStretch(1)
        row.addWidget(self.approve_button)
        self.content.addLayout(row)
        self.show_proposal(proposal)

    def show_proposal(self, proposal: HistoryProposal) -> None:
        """Shows this proposal, from now on."""
        self._proposal = proposal
        text = tr("{by} proposes that {name} may read everything since the beginning.").format(
            by=proposal.by.name, name=proposal.subject.name
        )
        self._sentence.setText(text)
        self._refusal.setText(history_refusal(proposal.refusal) if proposal.refusal is not None else "")
        self._refusal.setVisible(proposal.refusal is not None)
        self.approve_button.show_text(tr("Give access") if proposal.approved else tr("Approve …"))
        self.approve_button.setVisible(proposal.refusal is None)

    def _approve(self) -> None:
        run(self, self._give())

    async def _give(self) -> None:
        name = self._proposal.subject.name
        title = tr("Let {name} read everything?").format(name=name)
        text = tr("{name} can then read everything that was written here since the room began. "
                  "It cannot be taken back.").format(name=name)  # fmt: skip
        if await confirm(self.window(), title, text, accept=tr("Give access"), danger=True):
            window = self.window()
            await self._rooms.give_history(self._room, self._proposal.ident)
            toast(window, tr("{name} reads everything since the beginning.").format(name=name))


async def propose(widget: QWidget, rooms: RoomService, room: RoomId, person: Person) -> None:
    """Asks, in a dialog, whether `person` is to be given the room's whole history, and if so proposes it to the other
    administrators, and shows when that is done. Unreachable while offline; Refused if this person is no
    administrator."""
    title = tr("Propose that {name} reads everything?").format(name=person.name)
    text = tr("Another administrator must approve. After that {name} can read everything that was written here since "
              "the room began, and it cannot be taken back.").format(name=person.name)  # fmt: skip
    if await confirm(widget.window(), title, text, accept=tr("Propose")):
        await rooms.propose_history(room, person.uid)
        toast(widget, tr("Proposed. Another administrator sees it beside the members."))
