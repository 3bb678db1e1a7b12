# SPDX-License-Identifier: EUPL-1.2
"""The viewer: a page in the window that shows one of several files, with its tools. Esc closes it."""

import asyncio
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.errors import WorldError
from app.viewing.kinds import PDF, TEXT
from app.viewing.shown_file import ShownFile, open_file
from ui.errors import format_error, sentence_of
from ui.kit.announcing import announce
from ui.kit.clipboard import copy_text
from ui.kit.dialogs import confirm
from ui.kit.pages import Pages
from ui.kit.style import column, set_props
from ui.kit.tasks import run
from ui.kit.translate import tr, trn
from ui.viewer.canvas import FIT, STEP, PageCanvas
from ui.viewer.find_bar import FindBar
from ui.viewer.item import Item
from ui.viewer.pdf_search import MAX_HITS, PdfSearch
from ui.viewer.states import FailedPage, FetchPage
from ui.viewer.text_view import TextView
from ui.viewer.tools import ViewerTools


class Viewer(QWidget):
    """Shows one of several files. `closed` is emitted after the viewer was closed; the file's process has ended then.
    `cancelled` is emitted with the file's key when the person stops fetching the file; `closed` follows."""

    closed = Signal()
    cancelled = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_props(self, frame="surface")
        self.setAccessibleName(tr("Viewer"))
        self._items: Sequence[Item] = ()
        self._at = -1
        self._held: list[ShownFile] = []
        """The opened file, if any. Its process ends at the latest when this widget is destroyed."""
        held = self._held
        self.destroyed.connect(lambda: _close_all(held))
        self._opening: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._search: PdfSearch | None = None
        self._searching: asyncio.Task[None] | None = None
        self._printing: asyncio.Task[None] | None = None
        self._marked = ""
        self.canvas = PageCanvas()
        self.text = TextView()
        self.find_bar = FindBar()
        self.fetching = FetchPage(self._cancel)
        self.problem = FailedPage(self.retry)
        self.tools = ViewerTools()
        self._stack = Pages()
        for page in (self.fetching, self.problem, self.canvas, self.text):
            self._stack.addWidget(page)
        layout: QVBoxLayout = column(self)
        layout.addWidget(self.tools)
        layout.addWidget(self.find_bar)
        layout.addWidget(self._stack, 1)
        self._connect()

    def _connect(self) -> None:
        tools, canvas, find = self.tools, self.canvas, self.find_bar
        tools.closed.connect(self.leave)
        tools.stepped.connect(self.step)
        tools.zoomed.connect(lambda by: canvas.zoom(canvas.scale * STEP**by))
        tools.fitted.connect(lambda: canvas.fit(FIT))
        tools.rotated.connect(canvas.rotate)
        tools.page_wanted.connect(canvas.go_to)
        tools.find_wanted.connect(self.open_find)
        tools.text_wanted.connect(self._show_as_text)
        tools.saved.connect(self._save)
        tools.printed.connect(self.print)
        tools.went.connect(self._go_to)
        canvas.changed.connect(self._on_canvas)
        canvas.failed.connect(self._on_failed)
        canvas.selected.connect(self._on_selected)
        find.wanted.connect(self._on_words)
        find.stepped.connect(self._on_step)
        find.left.connect(self._on_find_left)

    # -- for the view that holds it ---------------------------------------------------------------------------------

    def show_items(self, items: Sequence[Item], at: int) -> None:
        """Fetches and shows `items[at]`. The person can then go on to the other items."""
        self._items = items
        self._show(at)

    @property
    def item(self) -> Item | None:
        """The item that is shown or being fetched; None if the viewer is closed."""
        return self._items[self._at] if 0 <= self._at < len(self._items) else None

    @property
    def opened(self) -> ShownFile | None:
        """The opened file; None while it is being fetched, and if it cannot be shown."""
        return self._held[0] if self._held else None

    def show_progress(self, done: int, total: int) -> None:
        """Shows that `done` of the file's `total` bytes are fetched."""
        self.fetching.show_progress(done, total)

    def step(self, by: int) -> None:
        """Shows the next (`by` 1) or previous (-1) file. Does nothing after the last and before the first."""
        if 0 <= self._at + by < len(self._items):
            self._show(self._at + by)

    def leave(self) -> None:
        """Closes the viewer: ends the file's process, drops what was fetched and painted and what names the file, and
        emits `closed`."""
        self._end()
        self._items, self._at = (), -1
        self.tools.clear()
        self.fetching.clear()
        for page in (self.canvas, self.text):
            page.setAccessibleName("")
            page.setAccessibleDescription("")
        self.closed.emit()

    # -- opening ----------------------------------------------------------------------------------------------------

    def retry(self) -> None:
        """Fetches and opens the file again."""
        self._show(self._at)

    def _show(self, at: int) -> None:
        self._end()
        self._at = at
        item = self.item
        if item is None:
            return
        self.tools.show_item(item, at, len(self._items))
        self.fetching.begin(item)
        self._stack.setCurrentWidget(self.fetching)
        self._opening = run(self, self._open(item), on_error=self._on_failed)

    async def _open(self, item: Item) -> None:
        data = await item.fetch()
        self.fetching.show_opening()
        file = await open_file(data)
        del data
        if self.item is not item:  # the person went on meanwhile
            file.close()
            return
        self._held.append(file)
        if file.kind == TEXT:
            self._show_text(file)
        else:
            self.canvas.show_file(file)
            self._show_page(self.canvas)
        self._on_canvas()
        announce(self, tr("{name} is shown").format(name=item.name))
        while await file.more_sizes():
            self.canvas.refresh()
        self.canvas.refresh()

    def _show_page(self, page: QWidget) -> None:
        focused = self.isAncestorOf(self.focusWidget() or self) or self.hasFocus()
        self._stack.setCurrentWidget(page)
        if focused:
            page.setFocus()

    def _end(self) -> None:
        """Cancels all tasks with the present file, ends its process and empties the views."""
        for task in (self._opening, self._reading, self._searching, self._printing):
            if task is not None:
                task.cancel()
        self._opening = self._reading = self._searching = self._printing = None
        self._search, self._marked = None, ""
        self.canvas.show_file(None)
        self.text.clear()
        self.find_bar.leave()
        _close_all(self._held)

    def _on_failed(self, error: Exception) -> None:
        """Shows why the file cannot be shown. A fault of this program is shown here too. Otherwise a file that somebody
        sent could open an error dialog."""
        self._end()
        item = self.item
        if item is None:
            return
        title, *rest = sentence_of(error)[:3] if isinstance(error, WorldError) else (format_error(error)[0],)
        self.problem.show_fault(title, " ".join(part for part in rest if part))
        self.tools.show_file(None, pages=0, fits=False)
        self._show_page(self.problem)
        announce(self, title)

    def _cancel(self) -> None:
        item = self.item
        if item is not None:
            self.cancelled.emit(item.key)
        self.leave()

    # -- tools ------------------------------------------------------------------------------------------------------

    def _on_canvas(self) -> None:
        file = self.opened
        self.tools.show_file(file, pages=self.canvas.pages, fits=self.canvas.fits == FIT)
        self.tools.show_place(self.canvas.page, self.canvas.percent)
        item = self.item
        if item is not None and file is not None:
            place = tr("Page {n} of {count}").format(n=self.canvas.page + 1, count=max(1, self.canvas.pages))
            self.canvas.setAccessibleName(f"{item.name}, {place}" if self.canvas.pages > 1 else item.name)
            self.canvas.setAccessibleDescription(item.about)

    def _show_as_text(self, wanted: bool) -> None:
        file = self.opened
        if file is not None and file.kind == PDF:
            self.find_bar.leave()
            if wanted:
                self._show_text(file)
            else:
                self._show_page(self.canvas)
            self._on_canvas()

    def _show_text(self, file: ShownFile) -> None:
        item = self.item
        self.text.setAccessibleName(item.name if item is not None else "")
        self._show_page(self.text)
        if self._reading is not None:
            self._reading.cancel()
        self._reading = run(self, self.text.fill(file), on_error=self._on_failed)

    def _save(self) -> None:
        item = self.item
        if item is not None and item.save is not None:
            item.save()

    def print(self) -> None:
        """Asks for a printer and prints the picture or PDF that is shown, in the background; an error is shown in the
        window. If only the first pages of the file are shown, says before that no others are printed. Does nothing for
        a text, while something is printed, and if the policy forbids printing. Leaving the file stops the printing."""
        item, file = self.item, self.opened
        if item is None or file is None or file.kind == TEXT or not item.may_print():
            return
        if self._printing is None or self._printing.done():
            self._printing = run(self, self._print(item, file))

    async def _print(self, item: Item, file: ShownFile) -> None:
        if file.cut and not await self._agrees_to_part(item, file.pages):
            return
        from ui.viewer.printing import choose_printer, print_pages  # here: printing takes 1 MB that few need

        printer = await choose_printer(self, may_export=item.may_export())
        if printer is None:
            return
        self.tools.show_printing(tr("Printing …"))
        try:
            await print_pages(file, printer, self._show_printed)
            announce(self, tr("{name} is sent to the printer").format(name=item.name))
        finally:
            self.tools.show_printing(None)

    async def _agrees_to_part(self, item: Item, pages: int) -> bool:
        """Says in a dialog that only the first `pages` pages are printed, since no more are shown. Returns whether the
        person prints these."""
        title = trn("Only the first {n} page is printed", "Only the first {n} pages are printed", pages)
        text = tr("The file has more pages. Kansli neither shows nor prints them.")
        if item.save is not None:
            text += " " + tr("To print all of it, save a copy and print that with another program.")
        return await confirm(self, title.format(n=pages), text, about=item.name, accept=tr("Print …"))

    def _show_printed(self, done: int, pages: int) -> None:
        self.tools.show_printing(tr("Printed {n} of {count} pages").format(n=done, count=pages))

    def _go_to(self) -> None:
        item = self.item
        if item is not None:
            self.leave()
            item.go_to()

    def _on_selected(self, text: str) -> None:
        self._marked = text

    def _copy(self) -> None:
        if self._marked:
            copy_text(self._marked)

    # -- finding ----------------------------------------------------------------------------------------------------

    def open_find(self) -> None:
        """Opens the search in a PDF or text. Does nothing for a picture, and while no file is open."""
        if self.opened is not None and self.opened.kind in (PDF, TEXT):
            self.find_bar.open()
            self._on_words(self.find_bar.field.text())

    @property
    def _in_text(self) -> bool:
        return self._stack.currentWidget() is self.text

    def _on_words(self, words: str) -> None:
        if self._searching is not None:
            self._searching.cancel()
            self._searching = None
        self._search = None
        self.canvas.show_hits((), -1)
        self.find_bar.show_count("")
        if not words or self.opened is None:
            return
        if self._in_text:
            self._show_found(self.text.find_words(words, back=False, fresh=True))
        else:
            self._search = PdfSearch(self.opened, words, self.canvas.page, self._on_found)
            self._searching = run(self, self._search.run(), on_error=self._on_failed)

    def _on_step(self, by: int) -> None:
        if self._in_text:
            self._show_found(self.text.find_words(self.find_bar.field.text(), back=by < 0))
        elif self._search is not None:
            self._search.step(by)

    def _on_found(self) -> None:
        search = self._search
        if search is None:
            return
        self.canvas.show_hits(search.hits, search.current)
        if search.hits:
            count = f"{min(len(search.hits), MAX_HITS)}{'' if search.ended and len(search.hits) <= MAX_HITS else '+'}"
            self.find_bar.show_count(tr("{n} of {count}").format(n=search.current + 1, count=count))
        elif search.ended:
            self._show_found(False)

    def _show_found(self, found: bool) -> None:
        self.find_bar.show_count("" if found else tr("No match"), spoken=True)

    def _on_find_left(self) -> None:
        self._on_words("")
        shown = self._stack.currentWidget()
        if self.opened is not None and shown is not None:
            shown.setFocus()

    # -- Qt's overrides ---------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        picture = self._stack.currentWidget() is self.canvas
        match Qt.Key(event.key()), control:
            case Qt.Key.Key_Escape, _:
                self.leave()
            case Qt.Key.Key_F, True:
                self.open_find()
            case Qt.Key.Key_P, True:
                self.print()
            case Qt.Key.Key_S, True:
                self._save()
            case Qt.Key.Key_C, True if picture:
                self._copy()
            case (Qt.Key.Key_Left, False) if not self._in_text:
                self.step(-1)
            case (Qt.Key.Key_Right, False) if not self._in_text:
                self.step(1)
            case (Qt.Key.Key_Plus | Qt.Key.Key_Equal, False) if picture:
                self.canvas.zoom(self.canvas.scale * STEP)
            case (Qt.Key.Key_Minus, False) if picture:
                self.canvas.zoom(self.canvas.scale / STEP)
            case (Qt.Key.Key_0, False) if picture:
                self.canvas.fit(FIT)
            case (Qt.Key.Key_1, False) if picture:
                self.canvas.zoom(1.0)
            case (Qt.Key.Key_R, False) if picture:
                self.canvas.rotate()
            case _:
                super().keyPressEvent(event)

    def take_focus(self) -> None:
        """Moves the keyboard focus to what is shown."""
        shown = self._stack.currentWidget()
        if shown is not None:
            shown.setFocus()


def _close_all(files: list[ShownFile]) -> None:
    while files:
        files.pop().close()
