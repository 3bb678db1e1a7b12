# SPDX-License-Identifier: EUPL-1.2
"""Sök: full-text search over every room, with the place where the words were found."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.core.ids import ObjId, RoomId
from app.core.visible import one_line
from app.core.words import words_of
from app.objects.links import ObjectLink
from app.session import Session
from app.store.rows import SearchHit
from ui.kit.card import EmptyState
from ui.kit.latest import Latest
from ui.kit.progress import Spinner
from ui.kit.scale import hold
from ui.kit.search_field import SearchField
from ui.kit.style import column, label, line, set_props
from ui.kit.translate import day_or_time, tr, trn
from ui.shell.rows import Row, RowList, Sizes
from ui.shell.tool_list import ToolList

_LIMIT = 100
_TYPING_PAUSE_MS = 80
_SNIPPET_CHARS = 400


def hit_row(
    hit: SearchHit, room_title: str, icon: str, words: tuple[str, ...] = (), sender: str = "", *, quotes: bool = False
) -> Row:
    """A row for `hit`, a place that a search has found, with the `words` marked; its key is a link to the place.
    `room_title` is the title of its room: shown beside the place's own title, or instead if it has none. `icon` is that
    of the place's kind, `sender` the name of the person who wrote it, "" if nobody is named. `quotes`: it is a
    quotation, so it is put in quotation marks."""
    text = one_line(hit.snippet, _SNIPPET_CHARS)  # without the marks around the words, which are control characters
    where = "" if hit.title in ("", room_title) else room_title
    words_found = "" if text == hit.title else f"”{text}”" if quotes else text
    return Row(
        key=ObjectLink(room=hit.room, obj=hit.obj, kind=hit.kind, ref=hit.ref),
        title=hit.title or room_title,
        detail=" · ".join(x for x in (where, f"{sender}: {words_found}" if sender else words_found) if x),
        words=words,
        icon="room" if hit.obj == ObjId(hit.room) else icon,
        right=day_or_time(hit.t),
    )


def hit_rows(
    tools: ToolList,
    hits: Sequence[SearchHit],
    titles: Mapping[RoomId, str],
    words: tuple[str, ...],
) -> list[Row]:
    """Rows for `hits`, the places that a search has found, in the same order: with the author of each, where its tool
    names one (`tools` asks it). `titles` has the titles of the rooms, `words` are marked."""
    origins = tools.origins(hits)
    rows = []
    for hit in hits:
        origin = origins.get((hit.obj, hit.ref))
        sender, quotes = (origin.person.name, origin.quoted) if origin is not None else ("", False)
        rows.append(
            hit_row(hit, tools.where(hit.room, hit.kind, titles), tools.icon(hit.kind), words, sender, quotes=quotes)
        )
    return rows


class SearchView(QWidget):
    """The page that searches all rooms for words. It emits `link_chosen` with an ObjectLink when a place is chosen."""

    link_chosen = Signal(object)

    def __init__(self, session: Session, tools: ToolList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._tools = session, tools
        set_props(self, frame="window")
        self.setAccessibleName(tr("Search"))
        page = column(self, margins=(34, 26, 34, 24), spacing=14)
        page.addWidget(label(tr("Search"), "home"))
        self.field = SearchField(tr("Search in everything you can read"))
        hold(self.field, most_width=720)
        page.addWidget(self.field)
        self._count = label("", "small")
        self.spinner = Spinner()
        counted = line(spacing=8)
        counted.addWidget(self._count)
        counted.addWidget(self.spinner)
        counted.addStretch(1)
        page.addLayout(counted)
        self._stack = QStackedWidget()
        self.list = RowList(tr("Search results"), Sizes(row=54, inset=6))
        set_props(self.list, frame="card")
        self._empty = self._nothing_asked()
        self._none = EmptyState("search", tr("Nothing found"), tr("Try fewer words, or the beginning of a word."))
        self._waits = EmptyState("search", tr("Searching …"), "")
        for part in (self._empty, self._none, self._waits, self.list):
            self._stack.addWidget(part)
        page.addWidget(self._stack, 1)
        self._words: tuple[str, ...] = ()
        """The words by which the shown places were found."""
        self._asking: Latest[str, Sequence[SearchHit]] = Latest(
            self, self._find, self._show, lambda: self._show("", [])
        )
        self._entered = False
        """Whether Enter or Down was pressed before the answer was there: then the first place is chosen."""
        self._pause = QTimer(self, singleShot=True, interval=_TYPING_PAUSE_MS)
        self._pause.timeout.connect(self.look)
        self.field.textChanged.connect(self._on_text)
        self.field.returnPressed.connect(self._enter)
        self.field.installEventFilter(self)
        self.list.activated.connect(self._on_index)
        self.list.clicked.connect(self._on_index)

    def _nothing_asked(self) -> EmptyState:
        return EmptyState(
            "search",
            tr("Search in everything"),
            tr("{things} are searched on this computer. Nothing of it is sent to the server.").format(
                things=self._tools.found()
            ),
        )

    @property
    def asking(self) -> bool:
        """Whether an answer is waited for."""
        return self._asking.asking

    async def _find(self, text: str) -> Sequence[SearchHit]:
        """Searches for `text`, and shows meanwhile that it searches, unless places of an earlier search are shown.
        Returns at most 100 places."""
        if self._stack.currentWidget() is not self.list:
            self._stack.setCurrentWidget(self._waits)
        self.spinner.start()
        try:
            return await self._session.search.find(text, limit=_LIMIT)
        finally:
            self.spinner.stop()

    def search(self, text: str) -> None:
        """Puts `text` into the search line and searches at once."""
        self.field.setText(text)
        self._pause.stop()
        self.look()

    def look(self) -> None:
        """Begins to search for the words in the search line; a search for earlier words is dropped. The places found
        before stay until the answer is there; without words, or after an error, they are removed."""
        text = self.field.text().strip()
        if text:
            self._asking.ask(text)
        else:
            self._asking.forget()
            self._show("", [])

    def _show(self, text: str, hits: Sequence[SearchHit]) -> None:
        titles: dict[RoomId, str] = {r.room: r.title for r in self._session.rooms.rooms()}
        self._words = words_of(text)
        self.list.rows.set_rows(hit_rows(self._tools, hits, titles, self._words))
        self._count.setText(trn("{n} place", "{n} places", len(hits)).format(n=len(hits)) if hits else "")
        self._stack.setCurrentWidget(self.list if hits else (self._none if text else self._empty))
        if self._entered and hits:
            self.list.setFocus()
            self.list.choose_first()
        self._entered = False

    def _on_text(self) -> None:
        self._entered = False
        self._pause.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Makes the key Down in the search line do as Enter: it searches at once, and the focus goes to the first place
        that is found. Returns True for Down, so that Qt does no more with it; otherwise False."""
        down = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Down
        if down:
            self._enter()
        return down

    def _enter(self) -> None:
        self._pause.stop()
        self._entered = True
        self.look()

    def _on_index(self, index: QModelIndex) -> None:
        row = self.list.rows.row(index)
        if row is not None:
            assert isinstance(row.key, ObjectLink)  # noqa: S101 - hit_row makes them
            self.link_chosen.emit(replace(row.key, words=self._words))
