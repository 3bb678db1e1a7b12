# SPDX-License-Identifier: EUPL-1.2
"""A room's conversation as a list: paged over rows that the projection wrote, so that 100,000 messages cost one page.

Pure: it reads from `Rows` (app/chat/reads.py in the office, a list in tests). The order is the server's; messages that
the server does not have yet come last, in the order they were written.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from app.chat.lines import LineRows, Lines, NoLines
from app.chat.records import Attachment, Mention
from app.core import clock
from app.core.signal import Signal
from sync.ids import ChangeId, ObjId, Uid

PAGE = 128
PAGES_KEPT = 48
LINE_PAGES_KEPT = 6
"""Few: all of them are read again when something happens in the room."""
GROUP_WITHIN = timedelta(minutes=5)
NOWHERE = ObjId(b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """One emoji under a message and the people who set it, in the order in which they did."""

    emoji: str
    uids: tuple[Uid, ...]

    @property
    def count(self) -> int:
        """How many people set it."""
        return len(self.uids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The message that another message answers, as it is shown above the answer. `deleted`: its text is gone."""

    change_id: ChangeId
    author: Uid
    text: str
    deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message in its present state. `t` and `edited_t` are in ms, by the server's clock, or by this device's while
    the server does not have the message or edit; `waiting` is true until the server has the message. `quote`: the
    message that it answers, None also if that is not here. `replies`: how many messages answer it, without deleted
    ones; `last_reply`: (id, time in ms) of the latest of them. `obj`: the object of the conversation that it lies in,
    where also all that is about it is written. `late`: the server received it more than a month after the month of
    that object.

    `carried_by`: who brought the message from the room that this one continues. Where this device's own copy of that
    room does not confirm it, the message is a quotation: `author` is then the person who carried it, and
    `quoted_author` and `quoted_t` (ms) are the author and the time that the record names.
    """

    change_id: ChangeId
    author: Uid
    t: int
    obj: ObjId = NOWHERE
    waiting: bool = False
    late: bool = False
    text: str = ""
    mentions: tuple[Mention, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    edited_t: int | None = None
    deleted_by: Uid | None = None
    carried_by: Uid | None = None
    quoted_author: Uid | None = None
    quoted_t: int | None = None
    quote: Quote | None = None
    replies: int = 0
    last_reply: tuple[ChangeId, int] | None = None
    reactions: tuple[Reaction, ...] = ()

    @property
    def record_author(self) -> Uid:
        """The person whom the record names as its author. Only this person may edit it, even where the message is shown
        as another person's quotation."""
        return self.quoted_author if self.quoted_author is not None else self.author

    @property
    def deleted(self) -> bool:
        """Whether only the trace is left."""
        return self.deleted_by is not None

    @property
    def when(self) -> datetime:
        """`t` in local time."""
        return clock.local(self.t)

    @property
    def day(self) -> date:
        """The local day."""
        return self.when.date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """The person whose name is shown with a message. `quotes`: the message is a quotation; the person claims that
    another person wrote the text."""

    uid: Uid
    quotes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How a message is painted among its neighbours: with the day above it, with the line of the first unread one, or
    close to the message before it."""

    new_day: bool = False
    first_unread: bool = False
    continues: bool = False
    """Same author within five minutes: no picture and no name again."""
    lines: Lines = ()
    """What happened in the room between the message before and this one."""
    after: Lines = ()
    """What happened after the last message."""


class Rows(Protocol):
    """The messages of one conversation, oldest first, as `Timeline` reads them: from the store, or from a list in
    tests."""

    def count(self) -> int: ...

    def keys(self, first: int, limit: int) -> list[ChangeId]: ...

    def page(self, first: int, limit: int) -> list[Message]: ...

    def index_of(self, change_id: ChangeId) -> int | None: ...

    def waiting(self) -> int:
        """How many of the last rows the server does not have yet."""
        ...

    def first_unread(self) -> int | None:
        """The index of the first message that this person has not read; None if all are read."""
        ...


class Timeline:
    """A conversation as a list of messages for a view, with signals about what changed. Call `refresh` after every
    commit that touched the conversation."""

    def __init__(self, rows: Rows, lines: LineRows | None = None) -> None:
        """`lines` has what happened in the room between the messages; None: nothing of that is shown."""
        self.inserted: Signal[int, int] = Signal()
        """First index, count."""
        self.removed: Signal[int, int] = Signal()
        """First index, count."""
        self.changed: Signal[int, int] = Signal()
        """First index, count: same messages, other content or state."""
        self.resetting: Signal[()] = Signal()
        """Emitted just before `reset`, while `known` still gives the former places of messages."""
        self.reset: Signal[()] = Signal()
        """Everything may be different."""
        self.rows = rows
        self.first_unread: int | None = rows.first_unread()
        """The index of the unread divider. Kept while the conversation is open; `mark_divider` moves it."""
        self._count = 0
        self._tail: list[ChangeId] = []
        self._before_tail: ChangeId | None = None
        self._pages: OrderedDict[int, list[Message]] = OrderedDict()
        self._lines = lines or NoLines()
        self._lines_mark = self._lines.mark()
        self._line_pages: OrderedDict[int, tuple[int, list[Lines]]] = OrderedDict()
        self._read_shape()

    def __len__(self) -> int:
        return self._count

    def message(self, index: int) -> Message:
        """The message at `index`, 0 the oldest. IndexError outside."""
        if not 0 <= index < self._count:
            raise IndexError(index)
        number = index // PAGE
        page = self._pages.get(number)
        if page is None:
            page = self.rows.page(number * PAGE, PAGE)
            self._pages[number] = page
            if len(self._pages) > PAGES_KEPT:
                self._pages.popitem(last=False)
        else:
            self._pages.move_to_end(number)
        return page[index % PAGE]

    def known(self, index: int) -> ChangeId | None:
        """The id of the message that was at `index` when it was read last; None if that is not in memory. Reads
        nothing: with it a view finds its rows again after a `reset`."""
        page = self._pages.get(index // PAGE, [])
        return page[index % PAGE].change_id if index % PAGE < len(page) else None

    def place(self, index: int) -> Place:
        """How the message at `index` is painted: whether a new day or the unread messages begin with it, and whether it
        continues the message before it without a new heading: the same author within five minutes, no quote, and
        neither is deleted. IndexError outside."""
        message = self.message(index)
        first_unread = index == self.first_unread
        lines = self._lines_before(index)
        after = self._lines_before(self._count) if index == self._count - 1 else ()
        if index == 0:
            return Place(new_day=True, first_unread=first_unread, lines=lines, after=after)
        before = self.message(index - 1)
        new_day = before.day != message.day
        apart = abs(message.t - before.t) > GROUP_WITHIN.total_seconds() * 1000
        continues = (
            (before.author, before.quoted_author) == (message.author, message.quoted_author)
            and not (new_day or first_unread or apart or lines)
            and message.quote is None
            and not before.deleted
            and not message.deleted
        )
        return Place(new_day=new_day, first_unread=first_unread, continues=continues, lines=lines, after=after)

    def _lines_before(self, index: int) -> Lines:
        """What happened before the message at `index`, at most the number of messages: then after the last one."""
        number = index // PAGE
        count, page = self._line_pages.get(number, (-1, []))
        if count != self._count and (number + 1) * PAGE > min(count, self._count):  # the list ends elsewhere now
            page = self._read_lines(number)
            self._line_pages[number] = self._count, page
            if len(self._line_pages) > LINE_PAGES_KEPT:
                self._line_pages.popitem(last=False)
        return page[index % PAGE]

    def _read_lines(self, number: int) -> list[Lines]:
        first = number * PAGE
        return self._lines.before(first, min(PAGE, self._count + 1 - first))

    def refresh_lines(self) -> None:
        """Reads again what happened in the room, if something did since the last call, and emits `changed` for the
        messages beside which other lines are shown now."""
        mark = self._lines.mark()
        if mark == self._lines_mark:
            return
        self._lines_mark = mark
        changed = set[int]()
        for number, (count, before) in list(self._line_pages.items()):
            now = self._read_lines(number) if number * PAGE <= self._count else []
            self._line_pages[number] = self._count, now
            pairs = enumerate(zip(before, now, strict=False) if count == self._count else ())
            changed |= {number * PAGE + at for at, (one, other) in pairs if one != other}
        for index in sorted({min(index, self._count - 1) for index in changed}):
            if index >= 0:
                self.changed.emit(index, 1)

    def index_of(self, change_id: ChangeId) -> int | None:
        """The index of a message, or None if it is not here (yet)."""
        for number, page in self._pages.items():
            for offset, message in enumerate(page):
                if message.change_id == change_id:
                    return number * PAGE + offset
        return self.rows.index_of(change_id)

    def last_own(self, uid: Uid, within: int = 200) -> Message | None:
        """The latest message whose record names the person `uid` as its author and that is not deleted, among the last
        `within` messages; None if there is none."""
        for index in range(self._count - 1, max(-1, self._count - 1 - within), -1):
            message = self.message(index)
            if message.record_author == uid and not message.deleted:
                return message
        return None

    def mark_divider(self) -> None:
        """Moves the line above the first unread message to where this person has read by now; removes it if nothing is
        unread."""
        old, self.first_unread = self.first_unread, self.rows.first_unread()
        for index in {old, self.first_unread} - {None}:
            if index is not None and index < self._count:
                self.changed.emit(index, 1)

    def refresh(self, touched: Iterable[ChangeId] = ()) -> None:
        """Reads again what may have changed, and emits signals for it: the end of the list (the messages that the
        server did not have yet, and what follows), and the messages in `touched`, which were edited or reacted to. If
        messages were added or removed before that end, emits `reset` instead."""
        old_count, old_tail, old_before = self._count, self._tail, self._before_tail
        base = old_count - len(old_tail)
        before = self.rows.keys(base - 1, 1) if base else []
        if (before[0] if before else None) != old_before:
            self._reset()
            return
        new_tail = self.rows.keys(base, self.rows.count() - base)
        self._drop_pages(base, touched)
        self._apply_tail(base, old_tail, new_tail)
        self._read_shape()
        for index in self._indexes(touched):
            self.changed.emit(index, 1)

    def _apply_tail(self, base: int, old: Sequence[ChangeId], new: Sequence[ChangeId]) -> None:
        """Compares the former end of the list (`old`) with the present one (`new`), both from index `base` on, and
        emits what was removed, inserted and changed. At every signal the length of the list is already right."""
        same = 0
        while same < min(len(old), len(new)) and old[same] == new[same]:
            same += 1
        end = 0
        while end < min(len(old), len(new)) - same and old[-1 - end] == new[-1 - end]:
            end += 1
        gone, come = len(old) - same - end, len(new) - same - end
        if gone:
            self._count -= gone
            self.removed.emit(base + same, gone)
        if come:
            self._count += come
            self.inserted.emit(base + same, come)
        if same:
            self.changed.emit(base, same)
        if end:
            self.changed.emit(base + same + come, end)

    def _indexes(self, touched: Iterable[ChangeId]) -> list[int]:
        found = (self.index_of(change_id) for change_id in touched)
        return sorted(index for index in found if index is not None)

    def _drop_pages(self, base: int, touched: Iterable[ChangeId]) -> None:
        wanted = set(touched)
        for number in [number for number in self._line_pages if (number + 1) * PAGE > base - 1]:
            del self._line_pages[number]
        for number in list(self._pages):
            at_end = (number + 1) * PAGE > base
            if at_end or any(self._concerns(message, wanted) for message in self._pages[number]):
                del self._pages[number]

    @staticmethod
    def _concerns(message: Message, touched: set[ChangeId]) -> bool:
        return message.change_id in touched or (message.quote is not None and message.quote.change_id in touched)

    def _reset(self) -> None:
        self.resetting.emit()
        self._pages.clear()
        self._line_pages.clear()
        self._read_shape()
        self.first_unread = self.rows.first_unread()
        self.reset.emit()

    def _read_shape(self) -> None:
        self._count = self.rows.count()
        waiting = self.rows.waiting()
        base = self._count - waiting
        self._tail = self.rows.keys(base, waiting) if waiting else []
        before = self.rows.keys(base - 1, 1) if base else []
        self._before_tail = before[0] if before else None
