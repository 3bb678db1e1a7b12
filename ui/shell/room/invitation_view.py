# SPDX-License-Identifier: EUPL-1.2
"""An invitation: who invites to what, with their greeting as a quotation, and the answers. What comes from the room is
plain text of a bounded length and never a link."""

from collections.abc import Coroutine
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.core.enums import LinkState
from app.core.ids import RoomId
from app.errors import NotFound
from app.people.person import Person
from app.rooms.invitations import OpenInvitation
from app.session import Session
from ui.errors import format_error
from ui.kit.avatar import Avatar
from ui.kit.bind import Soon, bind
from ui.kit.buttons import TextButton
from ui.kit.card import Card, EmptyState, scroll
from ui.kit.chip import Chip
from ui.kit.dialogs import confirm
from ui.kit.error_line import ErrorLine
from ui.kit.flow_layout import FlowLayout
from ui.kit.progress import Spinner
from ui.kit.scale import hold
from ui.kit.style import column, label, line, set_props
from ui.kit.tasks import run
from ui.kit.translate import day_or_time, tr
from ui.shell.words import role_meaning, role_name, type_word, verified_chip
from ui.tool_views import toast

_WIDTH = 560


class InvitationView(QWidget):
    """A page that shows an invitation to a room and takes the answer; call `show_room` first. `entered` is emitted with
    the room when the person has accepted here and the room is open."""

    entered = Signal(object)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._room: RoomId | None = None
        self._shown: OpenInvitation | None = None
        self._accepted: dict[RoomId, OpenInvitation] = {}
        """The invitations that were accepted here and whose rooms are not open yet."""
        self._errors: dict[RoomId, Exception] = {}
        """Why the last answer to an invitation failed, by room."""
        set_props(self, frame="window")
        self.setAccessibleName(tr("Invitation"))
        inner = QWidget()
        page = column(inner, margins=(34, 26, 34, 24), spacing=10)
        self.card = self._make_card()
        page.addWidget(self.card)
        self.gone = EmptyState(
            "invite",
            tr("The invitation is no longer open"),
            tr("It has been answered at one of your devices, or you have been removed from the room."),
        )
        page.addWidget(self.gone, 1)
        page.addStretch(1)
        column(self).addWidget(scroll(inner, tr("Invitation")))
        soon = Soon(self, self.refresh)
        bind(self, session.invitations.changed, soon.due)
        bind(self, session.rooms.changed, soon.due)
        bind(self, session.people.changed, soon.due)
        bind(self, session.status_changed, soon.due)

    def _make_card(self) -> Card:
        card = Card(margin=24, spacing=12)
        hold(card, most_width=_WIDTH)
        who = line(spacing=12)
        self._picture = Avatar("?", 0, "", 40)
        who.addWidget(self._picture)
        words = column(spacing=2)
        self._name, self._post = label("", "strong", wrap=True), label("", "small", wrap=True)
        words.addWidget(self._name)
        words.addWidget(self._post)
        who.addLayout(words, 1)
        self._chip = Chip("")
        who.addWidget(self._chip)
        card.content.addLayout(who)
        self._title, self._about = label("", "title", wrap=True), label("", "muted", wrap=True)
        card.content.addWidget(self._title)
        card.content.addWidget(self._about)
        self._quotation = label("", "body", wrap=True)
        card.content.addWidget(self._quotation)
        self._meaning = label("", "small", wrap=True)
        card.content.addWidget(self._meaning)
        self.error = ErrorLine()
        card.content.addWidget(self.error)
        answers = FlowLayout(gap=8)
        self.accept = TextButton(tr("Accept"), self._on_accept, kind="primary", icon="check")
        self.decline = TextButton(tr("Decline"), self._on_decline)
        self.block = TextButton(tr("Block the person …"), self._on_block, kind="quiet")
        self._spinner = Spinner()
        for part in (self.accept, self.decline, self.block, self._spinner):
            answers.addWidget(part)
        card.content.addLayout(answers)
        return card

    def show_room(self, room: RoomId) -> bool:
        """Shows the invitation to `room`. If there is no such invitation, returns False and leaves the page as it was.
        True also for one that was accepted here and whose room is being opened."""
        if self._invitation_to(room) is None:
            return False
        self._room = room
        self._show_error()
        self.refresh()
        return True

    def _invitation_to(self, room: RoomId) -> OpenInvitation | None:
        try:
            return self._session.invitations.get(room)
        except NotFound:
            return self._accepted.get(room)

    def refresh(self) -> None:
        """Reads the invitation that is shown again. Emits `entered` if it was accepted here and its room is open by
        now; shows that it is gone if it is not open any more."""
        room = self._room
        if room is None:
            return
        if room in self._accepted and any(r.room == room for r in self._session.rooms.rooms()):
            del self._accepted[room]
            self._room = None
            self.entered.emit(room)
            return
        self._shown = self._invitation_to(room)
        self.card.setVisible(self._shown is not None)
        self.gone.setVisible(self._shown is None)
        if self._shown is not None:
            self._show(self._shown)

    def _show(self, shown: OpenInvitation) -> None:
        person = shown.by
        self._name.setText(person.name if person is not None else tr("Somebody"))
        self._post.setText(" · ".join(x for x in (person.title, person.unit) if x) if person is not None else "")
        self._picture.setVisible(person is not None)
        self._chip.setVisible(person is not None)
        if person is not None:
            self._picture.show_person(person.initials, person.colour, person.name)
            word, kind, icon, meaning = verified_chip(person)
            self._chip.set_chip(word, kind, icon)
            self._chip.setAccessibleName(meaning)
        self._title.setText(shown.title or (tr("A long room") if shown.long else tr("A room")))
        self._about.setText(_about(shown))
        self._quotation.setText(tr("“{text}”").format(text=shown.greeting))
        self._quotation.setVisible(bool(shown.greeting))
        self._meaning.setText(self._format_meaning())
        for button in (self.accept, self.decline, self.block):
            button.setEnabled(self._room not in self._accepted)
        self.block.setVisible(person is not None)
        (self._spinner.start if self._room in self._accepted else self._spinner.stop)()

    def _format_meaning(self) -> str:
        if self._room not in self._accepted:
            return tr(
                "Nothing of the room is on this computer yet. If you accept, the others see that you are in. If you "
                "decline, nobody is told."
            )
        if self._session.status.state is LinkState.ONLINE:
            return tr("The room is being opened …")
        return tr("The room is opened when there is a connection to the server.")

    # -- answers ------------------------------------------------------------------------------------------------------

    def _on_accept(self) -> None:
        if self._room is not None and self._shown is not None:
            self._accepted[self._room] = self._shown
            self._answer(self._room, self._session.invitations.accept(self._room))
            self.refresh()

    def _on_decline(self) -> None:
        if self._room is not None:
            self._answer(self._room, self._decline(self._room))

    async def _decline(self, room: RoomId) -> None:
        invitations = self._session.invitations
        await invitations.decline(room)
        toast(self, tr("The invitation is declined."), lambda: run(self, invitations.ask_again(room)))

    def _on_block(self) -> None:
        person = self._shown.by if self._shown is not None else None
        if self._room is not None and person is not None:
            self._answer(self._room, self._block(person))

    async def _block(self, person: Person) -> None:
        title = tr("Block {name}?").format(name=person.name)
        text = tr(
            "No invitation by {name} is shown to you any more. Rooms that you are in already stay. Nobody is told. You "
            "undo it in the settings."
        ).format(name=person.name)
        if await confirm(self.window(), title, text, accept=tr("Block"), danger=True):
            await self._session.invitations.block(person.uid)
            toast(self, tr("{name} is blocked.").format(name=person.name))

    def _answer(self, room: RoomId, coro: Coroutine[Any, Any, None]) -> None:
        self._errors.pop(room, None)
        self._show_error()
        run(self, coro, on_error=lambda error: self._failed(room, error))

    def _failed(self, room: RoomId, error: Exception) -> None:
        self._accepted.pop(room, None)
        self._errors[room] = error
        self.refresh()
        self._show_error()

    def _show_error(self) -> None:
        """Shows why the last answer to the shown invitation failed; hides the line if none did."""
        error = self._errors.get(self._room) if self._room is not None else None
        if error is None:
            self.error.hide()
        else:
            self.error.show_text(*format_error(error))


def _about(shown: OpenInvitation) -> str:
    if shown.long:
        text = tr("The room holds so much that nothing of it is read before you have answered.")
        if shown.by is None:
            unknown = tr("Who invited you cannot be said: more than a thousand entries have come since.")
            return f"{text}\n{unknown}"
        return text
    parts = [type_word(shown.type) if shown.title else "", role_name(shown.role) if shown.role else ""]
    when = tr("invited {when}").format(when=day_or_time(shown.t_ms)) if shown.t_ms else ""
    text = " · ".join(x for x in (*parts, when) if x)
    return f"{text}\n{role_meaning(shown.role)}" if shown.role else text
