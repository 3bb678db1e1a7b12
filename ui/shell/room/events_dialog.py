# SPDX-License-Identifier: EUPL-1.2
"""Lists everything that happened in a room, newest first, with exact time and position. The person can filter the list
by person, kind and period, copy it, and save it as text. It is read a page at a time, however long it is."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QComboBox, QWidget

from app.core import clock as times
from app.core.files import Draft
from app.core.ids import RoomId
from app.errors import ExportOff, FileUnreadable
from app.session import Session
from app.settings import ALLOW_EXPORT
from app.store.room_lines import SHOWN, Place, RoomLine, Wanted, next_after, next_before
from app.store.saved_files import saved_file, to_end
from app.store.statements import MAX_INT
from ui.kit.bind import Soon, bind
from ui.kit.buttons import TextButton
from ui.kit.choices import offer
from ui.kit.clipboard import copy_text
from ui.kit.covering import uncovered
from ui.kit.dialogs import Dialog, save_file, show
from ui.kit.flow_layout import FlowLayout
from ui.kit.line_words import ICONS, line_text
from ui.kit.outside import refusal
from ui.kit.scale import hold
from ui.kit.style import label
from ui.kit.tasks import run
from ui.kit.translate import day, full_day, local_now, tr
from ui.kit.wheel import keep_still
from ui.shell.rows import Row, RowList, Sizes
from ui.tool_views import toast

PAGE = 50
"""The rows of a page, which takes about 2 ms to read."""
_KINDS: dict[str, tuple[str, ...]] = {
    "members": ("genesis", "add", "joined", "leave", "rm", "reset"),
    "roles": ("role", "heir", "hist", "propose", "approve"),
    "title": ("title",),
    "content": ("destroy", "prune", "leave-out", "restored", "continued"),
    "keys": ("epoch", "pin", "cannot_open", "recovery_use", "policy", "note"),
}
_DAYS = (7, 30, 365)


class EventsDialog(Dialog):
    """A dialog that lists what happened in a room. An administrator sees all kinds of events, other members only those
    that the conversation shows. An event that is received while the dialog is open is inserted at the top."""

    def __init__(self, parent: QWidget | None, session: Session, room: RoomId) -> None:
        super().__init__(parent, tr("What happened in the room"), accept=tr("Close"), width=680)
        self._session, self._room = session, room
        self._admin = session.rooms.is_admin(room)
        self._last: Place | None = (MAX_INT, 0)
        """Where the next page begins; None if everything is read."""
        self._newest: Place = (0, 0)
        """Where the events begin that are received while the dialog is open."""
        self._lines: list[RoomLine] = []
        """The events that the rows show, in the same order."""
        for button in self.buttons.buttons():
            button.setVisible(button is self.accept_button)
        if session.rooms.lines.spans(room) != [(0, MAX_INT)]:
            self.add_text(tr("You see what happened while you were a member."), "small")
        self._build()
        self._soon = Soon(self, self._insert_new)
        bind(self, session.rooms.room_changed, lambda moved: self._soon.due() if moved == room else None)
        bind(self, session.people.changed, Soon(self, self._name_again).due)
        self._fill()
        self.list.setFocus()

    def _build(self) -> None:
        filters = QWidget()
        flow = FlowLayout(filters)
        self.who = self._box(flow, tr("Who"), [(tr("Everybody"), None), *self._people()])
        self.kind = self._box(flow, tr("What"), [(tr("Everything"), None), *self._kinds()])
        periods = [(tr("The last {n} days").format(n=n), n) for n in _DAYS]
        self.period = self._box(flow, tr("When"), [(tr("All the time"), None), *periods])
        self.body.addWidget(filters)
        self.list = RowList(tr("Events"), Sizes(row=46, inset=0))
        self.list.setUniformItemSizes(True)  # otherwise each page lays out all rows again
        hold(self.list, least_height=250)
        self.body.addWidget(self.list)
        bar = self.list.verticalScrollBar()
        bar.valueChanged.connect(self._on_scrolled)
        bar.rangeChanged.connect(self._on_scrolled)
        self.empty = label(tr("Nothing like that happened."), "muted", wrap=True)
        self.body.addWidget(self.empty)
        self.copy_button = TextButton(tr("Copy as text"), lambda: run(self, self._copy()), icon="copy")
        self.save_button = TextButton(tr("Save as text …"), lambda: run(self, self.save()), icon="export")
        actions = QWidget()
        row = FlowLayout(actions)
        row.addWidget(self.copy_button)
        row.addWidget(self.save_button)
        self.body.addWidget(actions)
        if (reason := refusal(self._check_export)) is not None:
            self.save_button.hide()
            self.add_text(reason, "small")

    def _box(self, flow: FlowLayout, name: str, choices: Sequence[tuple[str, object]]) -> QComboBox:
        box = keep_still(QComboBox())
        box.setAccessibleName(name)
        box.setAccessibleDescription(name)  # Qt gives the choice as the name on Linux
        offer(box, choices, None)
        box.currentIndexChanged.connect(self._fill)
        flow.addWidget(box)
        return box

    def _people(self) -> list[tuple[str, object]]:
        people = [self._session.people.person(uid) for uid in self._session.rooms.lines.people(self._room)]
        return sorted(((person.name, person.uid) for person in people), key=lambda pair: pair[0].casefold())

    def _kinds(self) -> list[tuple[str, object]]:
        names = {
            "members": tr("Members"),
            "roles": tr("Roles and history"),
            "title": tr("The room's name"),
            "content": tr("Content"),
            "keys": tr("Keys and rules"),
        }
        return [(name, which) for which, name in names.items() if self._admin or which != "keys"]

    # -- what is shown --------------------------------------------------------------------------------------------

    def wanted(self) -> Wanted:
        """The events that the three boxes select."""
        kinds = _KINDS.get(self.kind.currentData() or "", tuple(ICONS))
        days = self.period.currentData()
        since = times.now_ms() - round(timedelta(days=days) / timedelta(milliseconds=1)) if days else None
        shown = tuple(ICONS) if self._admin else SHOWN
        return Wanted(kinds=[kind for kind in kinds if kind in shown], uid=self.who.currentData(), since=since)

    def _fill(self, *_chosen: object) -> None:
        self.refresh()
        self.list.scrollToTop()
        self.list.choose_first()

    def refresh(self) -> None:
        """Reads the first page again, for what the boxes select now."""
        self._last, newest = (MAX_INT, 0), self._session.rooms.lines.mark(self._room)[0]
        page = self._page()
        while self._last is not None and len(page) < PAGE:  # before a position with many lines a page is short
            page += self._page()
        self._newest = max([newest, *(line.n for line in page[:1])]), 0
        self._lines = page
        self.list.rows.cut(PAGE)  # of a long list, most rows go at once
        self.list.rows.set_rows([self._row(line) for line in page])
        self._show_empty()

    def _page(self) -> list[RoomLine]:
        if self._last is None:
            return []
        n, skip = self._last
        found = self._session.rooms.lines.before(self._room, n, PAGE, self.wanted(), skip=skip)
        self._last = next_before(found, PAGE, self._last) if found else None
        return found

    def _on_scrolled(self, *_value: object) -> None:
        """Reads the next page when the list is scrolled to less than two pages from its end."""
        bar = self.list.verticalScrollBar()
        if self._last is not None and bar.value() >= bar.maximum() - 2 * bar.pageStep():
            self._insert(len(self._lines), self._page())

    def _insert_new(self) -> None:
        after, skip = self._newest
        found = self._session.rooms.lines.between(self._room, after, MAX_INT, PAGE, self.wanted(), skip=skip)
        if found:
            self._newest = next_after(found, PAGE, self._newest)
            self._insert(0, found[::-1])
            self._show_empty()
        if len(found) == PAGE:
            self._soon.due()

    def _insert(self, at: int, lines: Sequence[RoomLine]) -> None:
        self._lines[at:at] = lines
        self.list.rows.insert_rows(at, [self._row(line) for line in lines])

    def _show_empty(self) -> None:
        some = bool(self.list.rows.rows)
        self.list.setVisible(some)
        self.empty.setVisible(not some)
        self.copy_button.setEnabled(some)
        self.save_button.setEnabled(some)

    def _row(self, line: RoomLine) -> Row:
        title = line_text(line, self._session.people.person)
        return Row(key=line.key, title=title, detail=detail_text(line), icon=ICONS.get(line.kind, "info"))

    def _name_again(self) -> None:
        """Shows names that have changed in the visible rows."""
        first = max(0, self.list.indexAt(QPoint(1, 1)).row())
        self.list.rows.change_rows(first, [self._row(line) for line in self._lines[first : first + PAGE]])

    # -- as text --------------------------------------------------------------------------------------------------

    async def _pages(self) -> AsyncIterator[list[RoomLine]]:
        wanted, (n, skip) = self.wanted(), (MAX_INT, 0)
        while found := self._session.rooms.lines.before(self._room, n, PAGE, wanted, skip=skip):
            yield found
            n, skip = next_before(found, PAGE, (n, skip))
            await asyncio.sleep(0)

    async def text(self) -> str:
        """All events that the boxes select, as text, newest first: a line with time, position and sentence for each.
        Other tasks run between two pages."""
        texts: list[str] = []
        async for page in self._pages():
            texts += [f"{detail_text(line)} · {line_text(line, self._session.people.person)}\n" for line in page]
        return "".join(texts)

    async def _copy(self) -> None:
        text = await self.text()
        await uncovered()
        copy_text(text)
        toast(self, tr("The list is copied"))

    async def save(self) -> None:
        """Asks for a file name, and writes the list there as text. Does nothing if the person cancels. ExportOff if the
        policy lets no file be saved; FileUnreadable if the file cannot be written."""
        self._check_export()
        name = tr("events") + f"-{local_now().date().isoformat()}.txt"
        target = await save_file(self, tr("Save the list"), name, tr("Text (*.txt)"), "txt")
        if target is not None:
            await self._write(target, (await self.text()).encode())
            toast(self, tr("{name} is saved").format(name=target.name))

    async def _write(self, target: Path, data: bytes) -> None:
        try:
            async with saved_file(self._session.store.db, target) as draft:
                await to_end(lambda: _write(draft, data))
        except OSError as e:
            raise FileUnreadable() from e

    def _check_export(self) -> None:
        if not self._session.settings.get(ALLOW_EXPORT):
            raise ExportOff


def _write(draft: Draft, data: bytes) -> None:
    draft.file.write(data)
    draft.keep()


def detail_text(line: RoomLine) -> str:
    """The time of an event by the server's clock, to the second, and its position; for a prune also the position up to
    which changes were merged."""
    when = f"{full_day(day(line.t))} {times.local(line.t):%H:%M:%S}"
    parts = [when, tr("position {n}").format(n=line.n)]
    if line.until is not None:
        parts.append(tr("up to position {n}").format(n=line.until))
    return " · ".join(parts)


async def show_events(parent: QWidget, session: Session, room: RoomId) -> None:
    """Opens an `EventsDialog` for the room. Returns when it is closed."""
    await show(EventsDialog(parent, session, room))
