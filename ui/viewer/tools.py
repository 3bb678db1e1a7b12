# SPDX-License-Identifier: EUPL-1.2
"""The bar above the file that the viewer shows: what the file is, and its tools."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QSizePolicy, QWidget

from app.viewing.kinds import PDF, TEXT
from app.viewing.shown_file import ShownFile
from ui.kit.buttons import IconButton, TextButton
from ui.kit.flow_layout import FlowLayout
from ui.kit.scale import hold
from ui.kit.sizes import size_text
from ui.kit.style import ElidedLabel, column, label, line, set_props
from ui.kit.translate import tr
from ui.viewer.item import Item


class ViewerTools(QFrame):
    """Name, size, sender and time of the file, and buttons for what can be done with it. It decides nothing: each
    button emits a signal. `page_wanted` has a page (from 0). `stepped` has 1 for the next file and -1 for the previous
    one, `zoomed` 1 for larger and -1 for smaller, `text_wanted` whether a PDF is to be shown as text."""

    closed = Signal()
    stepped = Signal(int)
    zoomed = Signal(int)
    fitted = Signal()
    rotated = Signal()
    page_wanted = Signal(int)
    find_wanted = Signal()
    text_wanted = Signal(bool)
    saved = Signal()
    printed = Signal()
    went = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_props(self, frame="header")
        self._page, self._pages = 0, 0
        self._may_print = False
        layout = column(self, margins=(12, 8, 12, 6), spacing=4)
        top = line(spacing=8)
        self.back = IconButton("back", tr("Close the viewer"), self.closed.emit, shortcut="Esc", role="text")
        words = column(spacing=0)
        self.name = ElidedLabel("", "strong")
        self.about = ElidedLabel("", "small")
        words.addWidget(self.name)
        words.addWidget(self.about)
        top.addWidget(self.back)
        top.addLayout(words, 1)
        layout.addLayout(top)
        layout.addLayout(self._row())
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def _row(self) -> FlowLayout:
        self.previous = IconButton("chevron-left", tr("Previous file"), lambda: self.stepped.emit(-1), shortcut="Left")
        self.next = IconButton("chevron-right", tr("Next file"), lambda: self.stepped.emit(1), shortcut="Right")
        self.place = label("", "small")
        self.page = QLineEdit()
        self.page.setAccessibleName(tr("Page"))
        self.page.setMaxLength(5)
        self.page.returnPressed.connect(self._on_page)
        self.page.editingFinished.connect(self._show_page)
        hold(self.page, width=64)
        self.pages = label("", "small")
        self.smaller = IconButton("zoom-out", tr("Zoom out"), lambda: self.zoomed.emit(-1), shortcut="-")
        self.percent = label("", "small")
        hold(self.percent, least_width=44)
        self.larger = IconButton("zoom-in", tr("Zoom in"), lambda: self.zoomed.emit(1), shortcut="+")
        self.fit = IconButton("fit", tr("Fit to the window"), self.fitted.emit, shortcut="0")
        self.rotate = IconButton("rotate", tr("Rotate right"), self.rotated.emit, shortcut="R")
        self.find_button = IconButton("search", tr("Find in the file"), self.find_wanted.emit, shortcut="Ctrl+F")
        self.as_text = IconButton(
            "paragraph", tr("Show as text"), lambda: self.text_wanted.emit(self.as_text.isChecked()), checkable=True
        )
        self.printing = label("", "small")
        self.print = IconButton("print", tr("Print …"), self.printed.emit, shortcut="Ctrl+P")
        self.go_to = IconButton("chat", tr("Go to the message"), self.went.emit)
        self.save = TextButton(tr("Save a copy …"), self.saved.emit, icon="download", kind="quiet")
        self._painted = (self.smaller, self.percent, self.larger, self.fit, self.rotate)
        row = FlowLayout(gap=4)
        for part in (self.previous, self.place, self.next, self.page, self.pages, *self._painted, self.find_button,
                     self.as_text):  # fmt: skip
            row.addWidget(part)
        row.addStretch()
        row.addWidget(self.printing)
        row.addWidget(self.print)
        row.addWidget(self.go_to)
        row.addWidget(self.save)
        return row

    def show_item(self, item: Item, at: int, count: int) -> None:
        """Shows what the file is, before it is opened. `at`: its index among `count` files."""
        self.name.set_text(item.name)
        self.about.set_text(f"{item.about} · {size_text(item.size_bytes)}")
        self.place.setText(tr("{n} of {count}").format(n=at + 1, count=count))
        for part in (self.previous, self.place, self.next):
            part.setVisible(count > 1)
        self.previous.setEnabled(at > 0)
        self.next.setEnabled(at + 1 < count)
        self.save.setVisible(item.save is not None)
        self._may_print = item.may_print()
        self.show_printing(None)
        self.as_text.setChecked(False)
        self.show_file(None, pages=0, fits=False)

    def clear(self) -> None:
        """Shows no file's name any more."""
        self.name.set_text("")
        self.about.set_text("")

    def show_file(self, file: ShownFile | None, *, pages: int, fits: bool) -> None:
        """Shows the tools of an opened file; with None, only the tools that need no opened file. `pages`: how many it
        has. `fits`: the file is fitted to the window, so that this button is disabled."""
        kind = file.kind if file is not None else ""
        painted = kind not in ("", TEXT) and not (kind == PDF and self.as_text.isChecked())
        for part in self._painted:
            part.setVisible(painted)
        self.fit.setEnabled(not fits)
        self.page.setVisible(painted and pages > 1)
        self.pages.setVisible(painted and pages > 1)
        self.find_button.setVisible(kind in (PDF, TEXT))
        self.as_text.setVisible(kind == PDF)
        self.print.setVisible(self._may_print and kind not in ("", TEXT))
        if pages > 1:
            more = file is not None and file.cut
            text = tr("of {count}, the rest is not shown") if more else tr("of {count}")
            self.pages.setText(text.format(count=pages))
            self._pages = pages

    def show_printing(self, words: str | None) -> None:
        """Shows how far the printing is (`words`); None: nothing is printed, and printing can begin."""
        self.printing.setText(words or "")
        self.printing.setVisible(words is not None)
        self.print.setEnabled(words is None)

    def show_place(self, page: int, percent: int) -> None:
        """Shows the number of the page (`page` is from 0) and the scale in per cent."""
        self.percent.setText(f"{percent} %")
        self._page = page
        if not self.page.isModified():
            self._show_page()

    def _show_page(self) -> None:
        self.page.setText(str(self._page + 1))

    def _on_page(self) -> None:
        """Emits `page_wanted` with the page whose number was typed, or with the nearest that exists."""
        written = self.page.text().strip()
        if written.isdecimal():
            self.page.setModified(False)
            self.page_wanted.emit(max(1, min(self._pages, int(written))) - 1)
