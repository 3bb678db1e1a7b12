# SPDX-License-Identifier: EUPL-1.2
"""A timeline as Qt's item model: the sentence that a screen reader reads out for each message, and the message itself
for painting."""

from collections.abc import Callable, Container
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, Qt

from app.chat.markup import plain
from app.chat.model import Message, Timeline
from app.chat.ports import People
from app.core.ids import ChangeId, Uid
from ui.kit.bind import Soon, bind
from ui.kit.list_model import ROW, Index
from ui.kit.translate import clock, day, long_day, short_day, tr, trn

WORDS_CHARS = 120
"""The most characters of a message in a question about it."""


class TimelineModel(QAbstractListModel):
    """A Qt item model with a row for each message of a conversation: the message, and the sentence that a screen reader
    reads out. It follows the timeline's changes and those of people's names."""

    def __init__(self, timeline: Timeline, people: People, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.timeline = timeline
        self.people = people
        self.changed_files: Container[tuple[ChangeId, int]] = ()
        """The files, by (message, number), of which a copy that was changed in another program is kept."""
        self._count = len(timeline)
        self.reminded: Callable[[Message], bool] = lambda message: False
        """Whether the person is to be reminded of a message."""
        bind(self, timeline.inserted, self._on_inserted)
        bind(self, timeline.removed, self._on_removed)
        bind(self, timeline.changed, self._on_changed)
        self._held: list[tuple[QModelIndex, ChangeId | None]] = []
        bind(self, timeline.resetting, self._on_resetting)
        bind(self, timeline.reset, self._on_reset)
        bind(self, people.changed, Soon(self, self._on_people).due)

    def spoken(self, row: int) -> str:
        """What a screen reader reads out for the message in this row: the day if it is the first of that day, author,
        time, content and state (such as edited, or how many answers). IndexError for no such row."""
        message, place = self.timeline.message(row), self.timeline.place(row)
        name = speaker(self.people, message)
        day = [long_day(message.day)] if place.new_day else []
        return ". ".join([*day, f"{name}, {clock(message.t)}: {self._content(message)}", *self._state(message)])

    def is_new(self, row: int) -> bool:
        """Whether the message in this row is by another person, not deleted, and below the line over the first unread
        one. False if there is no line. The line stays while the room is open, so a message that scrolled past on screen
        is still new for a person who listens to one message at a time."""
        first, message = self.timeline.first_unread, self.timeline.message(row)
        mine = message.author == self.people.me.uid
        return first is not None and row >= first and not mine and not message.deleted

    def _content(self, message: Message) -> str:
        if message.deleted_by is not None:
            return removed_text(self.people, message)
        return content(message)

    def _state(self, message: Message) -> list[str]:
        spoken: list[str] = []
        if message.edited_t is not None and not message.deleted:
            spoken.append(tr("edited"))
        if message.carried_by is not None and message.quoted_author is None:
            spoken.append(carried_text(self.people, message.carried_by))
        if message.late:
            spoken.append(tr("came over a month late"))
        if self.reminded(message):
            spoken.append(tr("you have a reminder"))
        if message.waiting:
            spoken.append(tr("waiting to be sent"))
        if any((message.change_id, number) in self.changed_files for number in range(len(message.attachments))):
            spoken.append(tr("Changed copy"))
        if message.replies:
            spoken.append(trn("{n} reply", "{n} replies", message.replies).format(n=message.replies))
        spoken += [f"{reaction.emoji} {reaction.count}" for reaction in message.reactions]
        return spoken

    def _on_inserted(self, first: int, count: int) -> None:
        self.beginInsertRows(QModelIndex(), first, first + count - 1)
        self._count += count
        self.endInsertRows()

    def _on_removed(self, first: int, count: int) -> None:
        self.beginRemoveRows(QModelIndex(), first, first + count - 1)
        self._count -= count
        self.endRemoveRows()

    def _on_changed(self, first: int, count: int) -> None:
        self.dataChanged.emit(self.index(first), self.index(first + count - 1))

    def _on_people(self) -> None:
        """Handles a changed name: reports all rows as changed, since any message may name anybody."""
        if self._count:
            self._on_changed(0, self._count)

    def _on_resetting(self) -> None:
        self.layoutAboutToBeChanged.emit()
        self._held = [(index, self.timeline.known(index.row())) for index in self.persistentIndexList()]

    def _on_reset(self) -> None:
        """Handles a new order, in which every message may have another row. Finds the current message, the selected
        ones and those that a screen reader holds again by their ids; a model reset would lose them."""
        self._count = len(self.timeline)
        held, self._held = self._held, []
        found = [self.timeline.index_of(change_id) if change_id is not None else None for _, change_id in held]
        now = [self.index(row) if row is not None else QModelIndex() for row in found]
        self.changePersistentIndexList([index for index, _ in held], now)
        self.layoutChanged.emit()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else self._count

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or not 0 <= index.row() < self._count:
            return None
        if role == ROW:
            return self.timeline.message(index.row())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.spoken(index.row())
        return None


def content(message: Message) -> str:
    """The content of a message on one line, as plain text: its words, then the names of its files. "" if it has
    neither."""
    files = [tr("file {name}").format(name=attachment.name) for attachment in message.attachments]
    return ", ".join(part for part in (plain(message.text, message.mentions), *files) if part)


def naming(people: People, message: Message) -> str:
    """Text that names a message in a question about it: author, time and first words (at most 120 characters)."""
    spoken = content(message)
    words = spoken if len(spoken) <= WORDS_CHARS else f"{spoken[:WORDS_CHARS].rstrip()} …"
    when = f"{short_day(message.day)} {clock(message.t)}"
    return tr("{name}, {when}: “{words}”").format(name=speaker(people, message), when=when, words=words)


def carried_text(people: People, by: Uid) -> str:
    """That a message comes from an earlier room, and who vouches for it."""
    return tr("carried over by {name}").format(name=people.person(by).name)


def speaker(people: People, message: Message) -> str:
    """The name of a message's author. For a quotation also who is quoted, so that a screen reader does not read it out
    as the other person's own."""
    name = people.person(message.author).name
    return f"{name} {quotes_text(people, message)}" if message.quoted_author is not None else name


def quotes_text(people: People, message: Message) -> str:
    """Text for a quotation: whom it names as the author, when that was, and that nothing on this computer confirms
    it. AssertionError if the message is no quotation."""
    assert message.quoted_author is not None  # noqa: S101 - narrows the type
    name, t = people.person(message.quoted_author).name, message.quoted_t or 0
    when = f"{short_day(day(t))} {clock(t)}"
    return tr("quotes {name}, {when}, not confirmed here").format(name=name, when=when)


def removed_text(people: People, message: Message) -> str:
    """Text in place of a deleted message: that it was deleted, and by whom. AssertionError if it is not deleted."""
    assert message.deleted_by is not None  # noqa: S101 - narrows the type
    return tr("The message was deleted by {name}").format(name=people.person(message.deleted_by).name)
