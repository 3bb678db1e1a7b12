# SPDX-License-Identifier: EUPL-1.2
"""One card on the board, painted: labels, title, due date, checklist, who does it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFont, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPen, QTextLayout
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from app.people.person import Person
from app.tasks.model import Card, Label
from ui.kit import icons, theme
from ui.kit.avatar import paint_avatar
from ui.kit.chip import chip_width, paint_chip
from ui.kit.chip import height as chip_height
from ui.kit.faces import Role, Spoken
from ui.kit.fonts import BASE_PX, SMALL_PX, font
from ui.kit.plain import set_tip
from ui.kit.scale import density, px
from ui.kit.translate import short_day, tr
from ui.tasks.filter import urgency

_PAD, _LINE, _PICTURE = 13, 20, 24
_FACTS_APART, _ROWS_APART = 13, 6
_AIR = {"airy": 3, "normal": 0, "compact": -4}
"""Above and below what is on a card, beside the usual."""
_WIDTHS_KEPT = 4
_USUAL = 250
"""The width of a card that has none yet."""
LABEL_KINDS = {"accent": "accent", "success": "success", "warning": "warning", "danger": "danger", "neutral": "muted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CardLook:
    """All that is painted of a card on the board. `person` is the one whom it is assigned to, `done` whether its column
    is one for finished tasks. `reminded`: the person is to be reminded of it."""

    card: Card
    labels: tuple[Label, ...]
    person: Person | None
    done: bool
    today: date
    reminded: bool = False

    def spoken(self) -> str:
        """The text that a screen reader reads out for the card; its title comes first."""
        parts = [self.card.title, *(label.name for label in self.labels)]
        if self.card.due is not None:
            parts.append(tr("due {day}").format(day=short_day(self.card.due, self.today)))
        if self.card.checklist:
            parts.append(tr("{done} of {all} ticked").format(done=self.card.checked, all=len(self.card.checklist)))
        if self.reminded:
            parts.append(tr("you have a reminder"))
        if self.person is not None:
            parts.append(tr("assigned to {name}").format(name=self.person.name))
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What is painted with the cards of one column and is not of the cards themselves: the board's `labels`, the
    members (`people`), whether the column is one for finished tasks (`done`), which day it is, and of which cards the
    person is to be reminded."""

    labels: tuple[Label, ...]
    people: tuple[Person, ...]
    done: bool
    today: date
    reminded: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fact:
    """An icon below a card's title, perhaps with a word; `role` names its colour."""

    icon: str
    text: str
    role: str

    def _font(self) -> QFont:
        return font(SMALL_PX, 500 if self.role != "muted" else 400)

    def width(self) -> float:
        return px(14) + (11 + QFontMetricsF(self._font()).horizontalAdvance(self.text) if self.text else 0)

    def paint(self, painter: QPainter, x: float, y: float) -> None:
        icons.paint(painter, self.icon, self.role, x, y + px(5), 14)
        painter.setFont(self._font())
        painter.setPen(theme.current().colour(self.role))
        box = QRectF(x + px(14) + 11, y, self.width(), px(_PICTURE))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, self.text)


class CardWidget(Spoken, QAbstractButton):
    """A widget that shows one card on the board, and emits signals for what a person does with it, with global
    positions (on the screen). For screen readers it is an item in the list of its column. The column sets `place`, a
    function that gets the widget and returns where it is as one text: the column's title, the card's number (from 1),
    and of how many."""

    opened = Signal(str)
    grabbed = Signal(str, QPoint)
    moved = Signal(QPoint)
    drag_ended = Signal(QPoint)
    key_given = Signal(str, QKeyEvent)
    menu_asked = Signal(str, QPoint)

    def __init__(self, look: CardLook, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self.place: Callable[[CardWidget], str] = lambda _card: ""
        self._laid_out: dict[int, tuple[list[str], int]] = {}
        """The title's lines and the height, by width: a column asks every card for two widths at each change of one."""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self._lit = False
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        # Not Fixed: Qt would then hold on to the height that the last width needed.
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.show_look(look)
        theme.on_change(self, self._renew)

    def _renew(self) -> None:
        """Lays the card out again, after the theme, text size or density changed."""
        self._laid_out.clear()
        self.updateGeometry()
        self.update()

    @property
    def card(self) -> Card:
        """The card as it is shown."""
        return self._look.card

    def show_look(self, look: CardLook) -> None:
        """Shows the card as `look` describes it, from now on."""
        same = look == self._look and bool(self.accessibleName())
        self._look = look
        if not same:
            self._laid_out.clear()
            self.setAccessibleName(look.spoken())
            set_tip(self, look.card.title if len(look.card.title) > 120 else "")
            self.updateGeometry()
            self.update()

    def spoken_role(self) -> Role:
        return Role.ListItem

    def spoken_description(self) -> str:
        return self.place(self)

    def press(self) -> None:
        self.opened.emit(self.card.id)

    @property
    def lit(self) -> bool:
        """Whether the card is marked as the one under the pointer."""
        return self._lit

    def light(self, on: bool) -> None:
        """Sets whether the card is marked (`on`) as the one under the pointer. A column that scrolls removes the mark:
        Qt notices only when the pointer moves that another card is there."""
        if on != self._lit:
            self._lit = on
            self.update()

    def prepare(self, widths: Sequence[int]) -> None:
        """Lays the card out for these widths in pixels, at most three, before its column asks for them. Qt asks all
        cards of a column at once: of 10,000 that takes 0.5 s."""
        for width in widths:
            self._lay_out(width)

    def _lay_out(self, width: int) -> tuple[list[str], int]:
        """The lines into which the title is broken in this width, at most six (the rest is not shown), and the card's
        height. Width and height are in pixels."""
        found = self._laid_out.get(width)
        if found is None:
            if len(self._laid_out) >= _WIDTHS_KEPT:
                self._laid_out.clear()
            lines = self._break_title(width)
            chips = len(self._label_rows(width)) * (chip_height() + 4)
            rows = len(self._foot_rows(width))
            foot = 8 + rows * px(_PICTURE) + (rows - 1) * _ROWS_APART if rows else 0
            found = self._laid_out[width] = (lines, 2 * _top() + chips + px(_LINE) * len(lines) + foot)
        return found

    def _break_title(self, width: int) -> list[str]:
        lines: list[str] = []
        title = self.card.title.encode("utf-16-le")
        layout = QTextLayout(self.card.title, font(BASE_PX, 500))
        layout.beginLayout()
        while (line := layout.createLine()).isValid() and len(lines) < 6:
            line.setLineWidth(max(40, width - 2 * _PAD))
            start = line.textStart()
            raw = title[2 * start : 2 * (start + line.textLength())]
            lines.append(raw.decode("utf-16-le", "ignore").rstrip())
        layout.endLayout()
        return lines

    def _facts(self) -> list[_Fact]:
        card, facts = self.card, list[_Fact]()
        if card.due is not None:
            role = urgency(card.due, self._look.today, done=self._look.done)
            facts.append(_Fact(icon="calendar", text=short_day(card.due, self._look.today), role=role))
        if card.checklist:
            role = "success" if card.checked == len(card.checklist) else "muted"
            facts.append(_Fact(icon="checklist", text=f"{card.checked}/{len(card.checklist)}", role=role))
        if card.description:
            facts.append(_Fact(icon="paragraph", text="", role="muted"))
        if self._look.reminded:
            facts.append(_Fact(icon="clock", text="", role="accent"))
        return facts

    def _foot_rows(self, width: int) -> list[list[_Fact]]:
        """The icons and words below the title, row by row, in this width. The person's picture is at the end of the
        last row and covers none of them: with a picture alone there is one empty row. No rows if there is neither."""
        picture = px(_PICTURE) + _ROWS_APART if self._look.person else 0
        rows: list[list[_Fact]] = [[]] if self._look.person else []
        x = float(width)
        for fact in self._facts():
            if x + fact.width() > width - 2 * _PAD - picture:
                if not rows or rows[-1]:
                    rows.append([])
                x = 0
            rows[-1].append(fact)
            x += fact.width() + _FACTS_APART
        return rows

    def _label_rows(self, width: int) -> list[list[Label]]:
        rows: list[list[Label]] = []
        x = float(width)
        for label in self._look.labels:
            needed = chip_width(label.name, icon=False) + 6
            if x + needed > width - 2 * _PAD + 6:
                rows.append([])
                x = 0
            rows[-1].append(label)
            x += needed
        return rows

    # -- Qt's overrides ---------------------------------------------------------------------------------------------

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._lay_out(width)[1]

    def sizeHint(self) -> QSize:
        is_sized = self.testAttribute(Qt.WidgetAttribute.WA_Resized)
        return QSize(px(_USUAL), self.heightForWidth(self.width() if is_sized else px(_USUAL)))

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = theme.current()
        edge = "focus" if self.hasFocus() else "line-strong" if self._lit else "line"
        painter.setPen(QPen(colours.colour(edge), colours.focus_px if self.hasFocus() else 1))
        painter.setBrush(colours.colour("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 10, 10)
        y = float(_top())
        for row in self._label_rows(self.width()):
            x = float(_PAD)
            for label in row:
                x += paint_chip(painter, x, y - 1, label.name, LABEL_KINDS[label.colour]).width() + 6
            y += chip_height() + 4
        painter.setFont(font(BASE_PX, 500))
        painter.setPen(colours.colour("text"))
        ascent = QFontMetricsF(painter.font()).ascent()
        for line in self._lay_out(self.width())[0]:
            painter.drawText(QPointF(_PAD, y + px(2) + ascent), line)
            y += px(_LINE)
        self._paint_foot(painter, y + 8)
        painter.end()

    def _paint_foot(self, painter: QPainter, y: float) -> None:
        for number, row in enumerate(self._foot_rows(self.width())):
            x, y = float(_PAD), y + (px(_PICTURE) + _ROWS_APART if number else 0)
            for fact in row:
                fact.paint(painter, x, y)
                x += fact.width() + _FACTS_APART
        person = self._look.person
        if person is not None:
            rect = QRectF(self.width() - _PAD - px(_PICTURE), y, px(_PICTURE), px(_PICTURE))
            paint_avatar(painter, rect, person.initials, theme.current().person(person.colour))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self.grabbed.emit(self.card.id, event.globalPosition().toPoint())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.light(True)
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.moved.emit(event.globalPosition().toPoint())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.drag_ended.emit(event.globalPosition().toPoint())

    def leaveEvent(self, event: object) -> None:
        self.light(False)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_asked.emit(self.card.id, event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.setAccepted(False)
        self.key_given.emit(self.card.id, event)
        if not event.isAccepted():
            super().keyPressEvent(event)

    def focusInEvent(self, event: object) -> None:
        super().focusInEvent(event)  # type: ignore[arg-type] # Qt's own event, passed on
        self.update()

    def focusOutEvent(self, event: object) -> None:
        super().focusOutEvent(event)  # type: ignore[arg-type] # Qt's own event, passed on
        self.update()


def _top() -> int:
    return _PAD + _AIR[density()]


def looks(cards: Sequence[Card], around: Around) -> list[CardLook]:
    """What is to be painted of the cards of one column. `around`: what is not of the cards themselves."""
    by_id, by_uid = {each.id: each for each in around.labels}, {each.uid: each for each in around.people}
    return [
        CardLook(
            card=card,
            labels=tuple(by_id[label] for label in card.labels if label in by_id),
            person=by_uid.get(card.assignee) if card.assignee else None,
            done=around.done,
            today=around.today,
            reminded=card.id in around.reminded,
        )
        for card in cards
    ]
