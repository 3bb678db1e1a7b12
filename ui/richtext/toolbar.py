# SPDX-License-Identifier: EUPL-1.2
"""The row of buttons over the page. It shows what holds at the caret and asks the editor for everything."""

from functools import partial

from PySide6.QtWidgets import QFrame, QWidget

from app.richtext.flow import BODY, Style
from app.richtext.model import Document
from ui.kit import menu
from ui.kit.bind import bind
from ui.kit.buttons import IconButton, TextButton
from ui.kit.flow_layout import FlowLayout
from ui.kit.icons import set_icon
from ui.kit.scale import hold
from ui.kit.style import column, label, set_props
from ui.kit.translate import tr, trn
from ui.richtext import keys
from ui.richtext.editor import Editor


def style_name(style: Style) -> str:
    """The name of a paragraph's style, as a person reads it."""
    if style.heading:
        return tr("Heading {level}").format(level=style.heading)
    if style.list:
        return tr("Bulleted list") if style.list == "ul" else tr("Numbered list")
    return tr("Quote") if style.quote else tr("Body text")


class Toolbar(QFrame):
    """The row of buttons over an editor: undo, redo, style, marks, lists, levels, link, find; and the number of
    words."""

    def __init__(self, editor: Editor, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor = editor
        self._document = document
        set_props(self, frame="header")
        self.setAccessibleName(tr("Formatting"))
        row = FlowLayout(gap=2)
        column(self, margins=(12, 3, 12, 3)).addLayout(row)
        self.undo = self._button("undo", tr("Undo"), editor.undo, "undo")
        self.redo = self._button("redo", tr("Redo"), editor.redo, "redo")
        self.style_button = TextButton("", self._choose_style)
        set_icon(self.style_button, "chevron-down", "text", 14)
        self.style_button.setLayoutDirection(self.style_button.layoutDirection().RightToLeft)
        hold(self.style_button, least_width=132)
        self.marks = self._mark_buttons()
        self.bullets = self._button(
            "bullets", tr("Bulleted list"), lambda: editor.toggle_list("ul"), "bullets", checkable=True
        )
        self.numbers = self._button(
            "numbers", tr("Numbered list"), lambda: editor.toggle_list("ol"), "numbers", checkable=True
        )
        self.outdent = self._button("outdent", tr("Decrease indent"), lambda: editor.indent(-1))
        self.indent = self._button("indent", tr("Increase indent"), lambda: editor.indent(1))
        self.link = self._button("link", tr("Link"), editor.link_wanted.emit, "link", checkable=True)
        self.find_button = self._button("search", tr("Find and replace"), editor.find_wanted.emit, "find")
        self.words = label("", "small")
        self._writing: list[QWidget] = [
            self.undo, self.redo, self.style_button, *self.marks.values(), self.bullets, self.numbers, self.outdent,
            self.indent, self.link,
        ]  # fmt: skip
        for part in (*self._writing, self.find_button):
            row.addWidget(part)
        row.addStretch()
        row.addWidget(self.words)
        editor.selection_changed.connect(self.refresh)
        bind(self, document.undo_changed, self._refresh_undo)
        bind(self, document.changed, lambda _change: self.refresh_words())
        self.refresh()
        self.refresh_words()

    def _mark_buttons(self) -> dict[str, IconButton]:
        words = {
            "bold": tr("Bold"), "italic": tr("Italic"), "underline": tr("Underline"), "strike": tr("Strikethrough"),
        }  # fmt: skip
        toggle = self._editor.toggle
        return {
            mark: self._button(mark, word, partial(toggle, mark), mark, checkable=True) for mark, word in words.items()
        }

    def refresh(self) -> None:
        """Shows on the buttons which style and marks the text at the caret has, and whether it can be changed."""
        editable = not self._editor.isReadOnly()
        for part in self._writing:
            part.setEnabled(editable)
        style, marks = self._editor.style_here(), self._editor.marks_here()
        self.style_button.setText(style_name(style))
        self.style_button.setAccessibleName(tr("Style: {style}").format(style=style_name(style)))
        for name, button in self.marks.items():
            button.setChecked(getattr(marks, name))
        self.bullets.setChecked(style.list == "ul")
        self.numbers.setChecked(style.list == "ol")
        self.outdent.setEnabled(editable and bool(style.list))
        self.indent.setEnabled(editable and (bool(style.list) or style == BODY))
        self.link.setChecked(bool(marks.link))
        self._refresh_undo()

    def refresh_words(self) -> None:
        """Counts the words of the document again and shows the number: some tens of microseconds, words are remembered
        by paragraph."""
        words = self._document.words
        self.words.setText(trn("{n} word", "{n} words", words).format(n=words))

    def _refresh_undo(self) -> None:
        editable = not self._editor.isReadOnly()
        self.undo.setEnabled(editable and self._document.can_undo)
        self.redo.setEnabled(editable and self._document.can_redo)

    def _button(self, icon: str, name: str, act: object, key: str = "", *, checkable: bool = False) -> IconButton:
        def run() -> None:
            assert callable(act)  # noqa: S101 - narrows the type
            act()
            self.refresh()
            self._editor.setFocus()

        return IconButton(icon, name, run, checkable=checkable, shortcut=keys.SHORTCUTS.get(key, ""))

    def _choose_style(self) -> None:
        here = self._editor.style_here()
        choices = [(f"heading{level}", Style(heading=level)) for level in range(4)] + [("quote", Style(quote=True))]
        entries = [
            menu.Entry(
                text=style_name(style),
                run=lambda style=style: self._set_style(style),  # type: ignore[misc] # mypy and default arguments
                shortcut=keys.SHORTCUTS[key],
                checked=style == here,
            )
            for key, style in choices
        ]
        menu.popup(self.style_button, tr("Style"), entries)

    def _set_style(self, style: Style) -> None:
        self._editor.set_style(style)
        self._editor.setFocus()
