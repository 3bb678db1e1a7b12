# SPDX-License-Identifier: EUPL-1.2
"""The actions on a card of the board."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from app.objects.links import ObjectLink
from app.people.person import Person
from app.tasks.model import Board
from ui.kit.clipboard import copy_text
from ui.kit.menu import Entry, close_when, popup
from ui.kit.tasks import run_guarded
from ui.kit.translate import tr
from ui.tasks.kanban import KanbanView
from ui.tasks.reminders import CardReminding
from ui.tool_views import toast

_SHOWN_PEOPLE = 12


class CardMenu:
    """The menu of a card of the board. To open or delete a card, it emits the signals of `kanban`, the board's view.
    `link` gets a card's id and returns the link to that card, or None while colleagues do not know the board yet.
    `people` returns whom a card can be assigned to. `owner` shows messages and errors. `reminding` offers reminders of
    cards; None: none are offered."""

    def __init__(
        self,
        owner: QWidget,
        kanban: KanbanView,
        board: Board,
        people: Callable[[], Sequence[Person]],
        link: Callable[[str], ObjectLink | None],
        reminding: CardReminding | None = None,
    ) -> None:
        self._reminding = reminding
        self._owner, self._kanban, self._board = owner, kanban, board
        self._people, self._link = people, link
        self.writable = True
        """Whether the person may write. If not, only actions that change nothing are offered."""

    def open(self, card_id: str, at: QPoint) -> None:
        """Opens the menu of a card at the global point `at`. Does nothing if the card is gone."""
        if self._board.card(card_id) is None:
            return
        entries: list[Entry | None] = [
            Entry(text=tr("Open"), icon="open", shortcut="Enter", run=lambda: self._kanban.card_opened.emit(card_id)),
            None,
        ]
        if self.writable:
            for group in (self._moves(card_id), self._assignments(card_id)):
                entries += [*group, None] if group else []
        entries.append(Entry(text=tr("Copy link"), icon="link", run=lambda: self._copy_link(card_id)))
        if self._reminding is not None:
            entries += self._reminding.entries(card_id, at)
        if self.writable:
            entries += self._removals(card_id)
        menu = popup(self._owner, tr("Task menu"), entries, at)
        close_when(menu, self._board.changed, lambda: self._is_gone(card_id))

    def _is_gone(self, card_id: str) -> bool:
        card = self._board.card(card_id)
        return card is None or card.hidden

    def _moves(self, card_id: str) -> list[Entry]:
        here = self._board.column_of(card_id)
        return [
            *(
                Entry(
                    text=tr("Move to {column}").format(column=to.title),
                    icon="move",
                    run=partial(self._move, card_id, to.id),
                )
                for to in self._board.columns()
                if here is not None and to.id != here.id
            ),
            Entry(text=tr("Move up"), icon="up", shortcut="Ctrl+Up", run=lambda: self._kanban.move_by(card_id, 0, -1)),
            Entry(
                text=tr("Move down"),
                icon="down",
                shortcut="Ctrl+Down",
                run=lambda: self._kanban.move_by(card_id, 0, 1),
            ),
        ]

    def _assignments(self, card_id: str) -> list[Entry]:
        card = self._board.card(card_id)
        return [
            Entry(
                text=tr("Assign to {name}").format(name=person.name),
                checked=card is not None and card.assignee == person.uid,
                run=partial(self._assign, card_id, person),
            )
            for person in self._people()[:_SHOWN_PEOPLE]
        ]

    def _removals(self, card_id: str) -> list[Entry]:
        return [
            Entry(text=tr("Archive"), icon="archive", run=lambda: self._archive(card_id)),
            Entry(
                text=tr("Delete"),
                icon="delete",
                shortcut="Del",
                danger=True,
                run=lambda: self._kanban.delete_asked.emit(card_id),
            ),
        ]

    def _move(self, card_id: str, column_id: str) -> None:
        if run_guarded(self._owner, lambda: self._board.move_card(card_id, column_id)):
            self._kanban.focus_card(card_id)

    def _assign(self, card_id: str, person: Person) -> None:
        card = self._board.card(card_id)
        if card is not None:
            chosen = None if card.assignee == person.uid else person.uid
            run_guarded(self._owner, lambda: self._board.assign(card_id, chosen))

    def _archive(self, card_id: str) -> None:
        card = self._board.card(card_id)
        if card is not None and run_guarded(self._owner, lambda: self._board.archive_card(card_id)):
            text = tr("“{title}” is archived").format(title=card.title)
            toast(self._owner, text, lambda: run_guarded(self._owner, lambda: self._board.archive_card(card_id, False)))

    def _copy_link(self, card_id: str) -> None:
        """Puts a link to the card on the clipboard, to be pasted into a message or document, and shows that in a
        message. Does nothing if the card is gone, or while colleagues do not know the board yet."""
        card, link = self._board.card(card_id), self._link(card_id)
        if card is not None and link is not None:
            copy_text(link.to_markup(card.title))
            toast(self._owner, tr("The link is copied"))
