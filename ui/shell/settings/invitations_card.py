# SPDX-License-Identifier: EUPL-1.2
"""In the settings: whose invitations are not shown, and rooms that were declined; both can be undone."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from app.people.person import Person
from app.session import Session
from ui.kit.bind import Soon, bind
from ui.kit.buttons import TextButton
from ui.kit.card import Card
from ui.kit.keyed_rows import KeyedRows
from ui.kit.style import column, label, line
from ui.kit.tasks import run
from ui.kit.translate import tr, trn


class BlockedRow(QWidget):
    """A row of the settings that shows one blocked person. Its button calls `unblock` with the person who is shown when
    it is pressed."""

    def __init__(self, person: Person, unblock: Callable[[Person], object]) -> None:
        super().__init__()
        self._person = person
        layout = line(self, spacing=10)
        words = column(spacing=1)
        self._name, self._post = label("", "body", wrap=True), label("", "small", wrap=True)
        words.addWidget(self._name)
        words.addWidget(self._post)
        layout.addLayout(words, 1)
        self.button = TextButton(tr("Unblock"), lambda: unblock(self._person))
        layout.addWidget(self.button)

    def show_person(self, person: Person) -> None:
        """Shows `person` in this row, from now on."""
        self._person = person
        self._name.setText(person.name)
        self._post.setText(" · ".join(x for x in (person.title, person.unit) if x))
        self.button.show_text(tr("Unblock"), tr("Unblock: {name}").format(name=person.name))


class InvitationsCard(Card):
    """The card in the settings with the people whose invitations are not shown, and how many rooms were declined."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(margin=12, spacing=10, parent=parent)
        self._session = session
        self._none = label(tr("You have blocked nobody and declined no room."), "muted", wrap=True)
        self.content.addWidget(self._none)
        self._host = QWidget()
        column(self._host, spacing=8)
        self.rows: KeyedRows[Person, BlockedRow] = KeyedRows(
            self._host,
            lambda person: person.uid,
            lambda person: BlockedRow(person, self._unblock),
            lambda row, person: row.show_person(person),
        )
        self.content.addWidget(self._host)
        self._declined = QWidget()
        layout = line(self._declined, spacing=10)
        self._count = label("", "body", wrap=True)
        layout.addWidget(self._count, 1)
        self.again = TextButton(tr("Ask again"), self._ask_again)
        layout.addWidget(self.again)
        self.content.addWidget(self._declined)
        bind(self, session.invitations.changed, Soon(self, self.refresh).due)
        self.refresh()

    def refresh(self) -> None:
        """Reads again which people are blocked and how many invitations were declined."""
        blocked, declined = self._session.invitations.blocked(), self._session.invitations.declined
        self._none.setVisible(not blocked and not declined)
        self._host.setVisible(bool(blocked))
        self.rows.show(blocked)
        self._declined.setVisible(declined > 0)
        text = trn("You have declined {n} invitation.", "You have declined {n} invitations.", declined)
        self._count.setText(text.format(n=declined))

    def _unblock(self, person: Person) -> None:
        run(self, self._session.invitations.unblock(person.uid))

    def _ask_again(self) -> None:
        run(self, self._session.invitations.ask_again())
