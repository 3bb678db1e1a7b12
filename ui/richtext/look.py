# SPDX-License-Identifier: EUPL-1.2
"""How marks and styles look in Qt, and how they are read back from it.

What a format means is written into it as properties of our own; weight, size and colour only follow from them. So
nothing has to be guessed from looks: a heading's weight is not "bold", and a theme can change at any time.
"""

from PySide6.QtGui import QFont, QTextBlock, QTextBlockFormat, QTextCharFormat, QTextFormat, QTextListFormat
from PySide6.QtWidgets import QTextEdit

from app.core.text_units import clean
from app.richtext.flow import BODY, BULLETS, Block, Marks, Run, Style, joined
from ui.kit import theme
from ui.kit.fonts import font
from ui.kit.scale import px
from ui.richtext import link_notes

BODY_PX = 15.0
HEADING_PX = (BODY_PX, 26.0, 19.0, 16.0)
_LINE_HEIGHT = 134  # per cent of Inter's own, as in the picture
_GAP_PX = 10
_HEADING_GAPS_PX = ((0, 0), (6, 16), (26, 6), (18, 4))
_QUOTE_INDENT_PX = 24
INDENT_PX = 26
TAB_PX = 48  # 1.27 cm at 96 dots per inch, as in word processors

_MARKS = QTextFormat.Property.UserProperty.value + 1
_LINK = QTextFormat.Property.UserProperty.value + 2
_LOOKS = QTextFormat.Property.UserProperty.value + 3
"""Of characters: the kind of block for which they were formatted."""
_STYLE = QTextFormat.Property.UserProperty.value + 4

_BITS = (("bold", 1), ("italic", 2), ("underline", 4), ("strike", 8))

# Characters that QTextCursor.insertText would not insert as they are; each becomes one unit all the same.
_UNSHOWN = str.maketrans(dict.fromkeys("\0\r\u2029\ufdd0\ufdd1", "\ufffd"))


def shown(text: str) -> str:
    """The text as a QTextDocument can hold it, unit for unit."""
    return text.translate(_UNSHOWN)


def block_font(style: Style) -> QFont:
    """The typeface of a block without marks."""
    return font(HEADING_PX[style.heading], 700 if style.heading else 400, italic=style.quote)


def char_format(marks: Marks, style: Style) -> QTextCharFormat:
    """The format that makes characters with these marks look right, in a paragraph of that style. The marks themselves
    are written into it."""
    tokens = theme.current()
    result = QTextCharFormat()
    result.setFont(block_font(style))
    if marks.bold:
        result.setFontWeight(QFont.Weight.Bold if style.heading else QFont.Weight.DemiBold)
    result.setFontItalic(marks.italic or style.quote)
    result.setFontUnderline(marks.underline or bool(marks.link))
    result.setFontStrikeOut(marks.strike)
    if marks.link:
        result.setAnchor(True)
        result.setAnchorHref(marks.link)
        result.setForeground(tokens.colour("accent"))
        result.setProperty(_LINK, marks.link)
    elif style.quote:
        result.setForeground(tokens.colour("muted"))
    result.setProperty(_MARKS, sum(bit for name, bit in _BITS if getattr(marks, name)))
    result.setProperty(_LOOKS, _looks(style))
    return result


def marks_of(fmt: QTextFormat) -> Marks:
    """The marks that `char_format` wrote into a character format; none for any other format."""
    bits = fmt.property(_MARKS) or 0
    return Marks(
        bold=bool(bits & 1),
        italic=bool(bits & 2),
        underline=bool(bits & 4),
        strike=bool(bits & 8),
        link=fmt.property(_LINK) or "",
    )


def block_format(style: Style) -> QTextBlockFormat:
    """The format of a paragraph of that style. Lists get their indent and marker from their QTextList instead."""
    result = QTextBlockFormat()
    above, below = _HEADING_GAPS_PX[style.heading] if style.heading else (0, 4 if style.list else _GAP_PX)
    result.setTopMargin(px(above))
    result.setBottomMargin(px(below))
    height = 115 if style.heading else _LINE_HEIGHT
    result.setLineHeight(height, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
    result.setHeadingLevel(style.heading)
    if style.quote:
        result.setLeftMargin(px(_QUOTE_INDENT_PX))
        result.setProperty(QTextFormat.Property.BlockQuoteLevel, 1)
    result.setProperty(_STYLE, _pack(style))
    return result


def list_format(style: Style) -> QTextListFormat:
    """The format of a list with the kind and depth of `style`: disc, circle, square by depth, or 1, a, i; below that
    from the beginning again."""
    kind = QTextListFormat.Style
    bullets = (kind.ListDisc, kind.ListCircle, kind.ListSquare)
    numbers = (kind.ListDecimal, kind.ListLowerAlpha, kind.ListLowerRoman)
    kinds = bullets if style.list == BULLETS else numbers
    result = QTextListFormat()
    result.setStyle(kinds[(style.indent - 1) % 3])
    result.setIndent(style.indent)
    return result


def style_of(block: QTextBlock) -> Style:
    """The style written into a block's format."""
    return _unpack(block.blockFormat().property(_STYLE) or "")


def read_block(block: QTextBlock) -> tuple[Block, bool]:
    """Reads a paragraph of the editor as a Block, and whether it looks as it should. Text that was moved into it may
    have another paragraph's size, and the host beside a link may be at another letter."""
    style = style_of(block)
    looks, right = _looks(style), True
    runs = []
    noted: list[link_notes.Note] = []
    fragments = block.begin()
    while not fragments.atEnd():
        fragment = fragments.fragment()
        fmt = fragment.charFormat()
        text = fragment.text()
        cleaned = clean(text)
        right = right and fmt.property(_LOOKS) == looks and cleaned == text
        runs.append(Run(cleaned, marks_of(fmt)))
        if host := link_notes.note_of(fmt):
            noted.append((fragment.position() - block.position(), fragment.length(), host))
        fragments += 1
    found = Block(joined(runs), style)
    return found, right and noted == link_notes.wanted(found)


def _looks(style: Style) -> str:
    return f"h{style.heading}" if style.heading else "q" if style.quote else "b"


def _pack(style: Style) -> str:
    return "|".join(map(str, (style.heading, style.list, style.indent, int(style.quote)))) if style != BODY else ""


def _unpack(packed: str) -> Style:
    if not packed:
        return BODY
    heading, kind, indent, quote = packed.split("|")
    return Style(heading=int(heading), list=kind, indent=int(indent), quote=quote == "1")


def measure(edit: QTextEdit) -> None:
    """Sets the font, the indent and the tab stops of a text field, in the text size in force."""
    edit.document().setDefaultFont(block_font(BODY))
    edit.document().setIndentWidth(px(INDENT_PX))
    edit.setTabStopDistance(px(TAB_PX))
