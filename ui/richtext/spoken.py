# SPDX-License-Identifier: EUPL-1.2
"""The paragraphs of a document for screen readers: which of them are headings, list items and quotations.

Qt's own interface of a text gives only how its characters look, and Python cannot add to that (docs/decisions/0019). So
the paragraphs are in the text as objects of their own, and the description of the text is what the caret has come into.
"""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QRect
from PySide6.QtGui import QTextBlock

from app.richtext.flow import BODY, Block, Style
from app.richtext.model import Change, Document
from ui.kit.bind import bind
from ui.kit.faces import Role, Spot, State, leave_focus
from ui.kit.translate import tr
from ui.richtext.editor import Editor
from ui.richtext.toolbar import style_name

MOST = 1000
"""The most paragraphs that are described in one document."""


class Paragraph(Spot):
    """For screen readers, one paragraph of a document that is no body text (a heading, list item or quote). `number` is
    its index among these; if one is added before it, the object is for that other paragraph."""

    def __init__(self, outline: "Outline", number: int) -> None:
        super().__init__(outline.editor)
        self._outline, self._number = outline, number

    def _block(self) -> tuple[int, Block] | None:
        return self._outline.block(self._number)

    def spoken_parent(self) -> QObject:
        return self._outline.editor.viewport()

    def spoken_role(self) -> Role:
        found = self._block()
        style = found[1].style if found is not None else BODY
        if style.heading:
            return Role.Heading
        return Role.ListItem if style.list else Role.BlockQuote if style.quote else Role.Paragraph

    def spoken_level(self) -> int:
        found = self._block()
        return (found[1].style.heading or found[1].style.indent) if found is not None else 0

    def spoken_name(self) -> str:
        found = self._block()
        return found[1].text if found is not None else ""

    def spoken_description(self) -> str:
        found = self._block()
        return place_in_list(self._text_block(found[0])) if found is not None else ""

    def spoken_state(self) -> State:
        state = State()
        state.invisible = not self._outline.editor.isVisible() or self._block() is None
        state.readOnly = True
        return state

    def spoken_rect(self) -> QRect:
        found, editor = self._block(), self._outline.editor
        if found is None:
            return QRect()
        rect = editor.document().documentLayout().blockBoundingRect(self._text_block(found[0])).toRect()
        rect.translate(-editor.horizontalScrollBar().value(), -editor.verticalScrollBar().value())
        return QRect(editor.viewport().mapToGlobal(rect.topLeft()), rect.size())

    def _text_block(self, number: int) -> QTextBlock:
        return self._outline.editor.document().findBlockByNumber(number)

    @property
    def presses(self) -> bool:
        return True

    def press(self) -> None:
        found, editor = self._block(), self._outline.editor
        if found is not None:
            editor.setFocus()
            editor.select(self._text_block(found[0]).position())


class Outline(QObject):
    """For screen readers, the paragraphs of one editor that are no body text, made when they are asked for, and the
    style of the paragraph that the caret is in."""

    def __init__(self, editor: Editor, document: Document) -> None:
        super().__init__(editor)
        self.editor, self._document = editor, document
        self._hint = editor.accessibleDescription()
        self._style: Style | None = None
        self._numbers: list[int] | None = None
        self._paragraphs: list[Paragraph] = []
        editor.spoken_inside = self.inside
        leave_focus(editor)
        editor.selection_changed.connect(self._on_moved)
        editor.installEventFilter(self)
        bind(self, document.changed, self._on_changed)

    def inside(self) -> Sequence[QObject]:
        """One object for each paragraph of the document that is no body text, in order; at most MOST (1000)."""
        count = len(self._structure())
        while len(self._paragraphs) > count:
            self._paragraphs.pop().deleteLater()
        self._paragraphs += [Paragraph(self, number) for number in range(len(self._paragraphs), count)]
        return self._paragraphs

    def block(self, number: int) -> tuple[int, Block] | None:
        """The paragraph with this index among those that are no body text: (its index among all, its content). None if
        there is none."""
        numbers = self._structure()
        return (numbers[number], self._document.block(numbers[number])) if number < len(numbers) else None

    def _structure(self) -> list[int]:
        if self._numbers is None:
            blocks = self._document.blocks()
            self._numbers = [number for number, block in enumerate(blocks) if block.style != BODY][:MOST]
        return self._numbers

    def _on_changed(self, _change: Change) -> None:
        self._numbers = None

    def _on_moved(self) -> None:
        """Describes the editor by the style of the paragraph at the caret, if that is not the style described last.
        Screen readers read out a changed description."""
        style = self.editor.style_here()
        if style != self._style:
            self._style = style
            self.editor.setAccessibleDescription(self._format_style(style))

    def _format_style(self, style: Style) -> str:
        place = place_in_list(self.editor.textCursor().block())
        return ", ".join(part for part in (style_name(style), place) if part)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn:
            self._style = self.editor.style_here()
            self.editor.setAccessibleDescription(f"{self._format_style(self._style)}. {self._hint}")
        return False


def place_in_list(block: QTextBlock) -> str:
    """Text: which item of its list a paragraph is, such as "2 of 5"; "" if it is no list item."""
    items = block.textList()
    if items is None:
        return ""
    return tr("{n} of {all}").format(n=items.itemNumber(block) + 1, all=items.count())
