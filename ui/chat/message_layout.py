# SPDX-License-Identifier: EUPL-1.2
"""The geometry of one message: where its parts are painted, and which part a click hits.

Made for a width, and kept while the message and the width are the same. Nothing here paints or decides.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QFontMetricsF

from app.chat.lines import Gathered
from app.chat.markup import Run, parse
from app.chat.model import Message, Place
from app.chat.ports import People
from app.objects.links import Linked, ObjectLink
from ui.chat.item_model import quotes_text
from ui.chat.line_layout import LineRow, lay_out
from ui.chat.pictures import preview
from ui.chat.richtext import RichText, line_px
from ui.chat.things import Things, split
from ui.kit.fonts import BASE_PX, SMALL_PX, font
from ui.kit.scale import density, px
from ui.kit.translate import clock, long_day, tr, trn

MARGIN = 24
_AVATAR = 32
_RIGHT = 40
_CARD_WIDTH, _CARD_HEIGHT = 330, 58
_THING_WIDTH = 380
IMAGE_WIDTH, IMAGE_HEIGHT = 360, 240
_PILL_HEIGHT = 24
QUOTED_INDENT = 14
_AIR = {"airy": 6, "normal": 0, "compact": -5}
"""Beside the usual gap over the first message of a person. Between the messages of one there is always 3 px."""


def avatar_px() -> int:
    """The size of the author's picture."""
    return px(_AVATAR)


def left_px() -> int:
    """Where texts begin."""
    return MARGIN + avatar_px() + 12


class Part(Enum):
    """The kinds of parts of a message that a click acts on."""

    QUOTE = "quote"
    FILE = "file"
    IMAGE = "image"
    DOWNLOAD = "download"
    REACTION = "reaction"
    REPLIES = "replies"
    LINK = "link"
    LINES = "lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A part of a message that can be clicked. `number` is its index among the message's files, its reactions, or the
    lines beside it, 0 for other parts; `run` is the piece of text that is a link or mention, None for others."""

    part: Part
    number: int = 0
    run: Run | None = None

    @property
    def web(self) -> str:
        """The address outside Kansli that the part leads to; "" if it leads to none."""
        return self.run.href if self.run is not None and self.run.link is None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pill:
    """A reaction as it is painted below a message: emoji, count, and whether the person has reacted so (`mine`). `rect`
    is in the coordinates of the message's layout."""

    rect: QRectF
    emoji: str
    text: str
    mine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A card below a message for a task or document that the message links to at its end. `rect` is in the coordinates
    of the message's layout, `run` is the link."""

    rect: QRectF
    run: Run
    title: str
    detail: str
    icon: str


class MessageLayout:
    """Where the parts of one message are painted, from its top left corner, (0, 0), down to `height`, in this width;
    all rectangles count from that corner. `place` says what comes before the message, such as a new day."""

    def __init__(
        self,
        message: Message,
        place: Place,
        width: int,
        people: People,
        things: Things | None = None,
        words: Sequence[str] = (),
        unfolded: Container[object] = (),
    ) -> None:
        """Lays out `message` in `width` pixels, with what `place` says comes above it. `people` names the persons,
        `things` finds what the message links to. The `words` of a search are marked in the message. With `things` None,
        no link becomes a card. The lines beside the message with a key in `unfolded` are unfolded."""
        self.message = message
        self.place = place
        self.width = width
        self.words = words
        self._things = things or Things()
        self.reminded = self._things.reminded(message)
        self.person = people.person(message.author)
        self.time = clock(message.t)
        self.day: tuple[QRectF, str] | None = None
        self.unread: tuple[QRectF, str] | None = None
        self.header: QRectF | None = None
        self.name_width = 0.0
        self.quote: tuple[QRectF, str, str] | None = None
        self.quoted: tuple[QRectF, str] | None = None
        """Of a quotation: the rectangle of the bar beside it, and whom it names."""
        self.left = left_px() + (QUOTED_INDENT if message.quoted_author is not None else 0)
        self.text: tuple[QPointF, RichText] | None = None
        self.things: list[Thing] = []
        self.files: list[tuple[int, QRectF]] = []
        self.images: list[tuple[int, QRectF]] = []
        self.pills: list[Pill] = []
        self.replies: tuple[QRectF, str] | None = None
        self.lines: list[LineRow] = []
        """What happened in the room, above and below the message."""
        self._person, self._unfolded = people.person, unfolded
        y = self._above()
        self.top = y
        y = self._head(y, people)
        body = y
        y = self._body(self._whom(y), people)
        if message.quoted_author is not None:
            self.quoted = (QRectF(left_px(), body, self.room + QUOTED_INDENT, y - body), quotes_text(people, message))
        self.bottom = round(y) + 3
        self.height = round(self._put_lines(place.after, self.bottom, air=8)) if place.after else self.bottom

    @property
    def room(self) -> int:
        """The width that text and cards may take."""
        return max(120, self.width - self.left - _RIGHT)

    def own_rect(self, row: QRect) -> QRect:
        """The part of the rectangle of its `row` in which the message itself is, without what is above and below it."""
        return row.adjusted(0, round(self.top), 0, self.bottom - self.height)

    def hit(self, point: QPointF) -> Hit | None:
        """The part of the message at a point that counts from its top left corner; None if there is no part that can be
        clicked. A mention counts as one, though nothing follows a click on it."""
        if self.quote and self.quote[0].contains(point):
            return Hit(part=Part.QUOTE)
        if self.text and (run := self.text[1].run_at(point - self.text[0])) is not None:
            return Hit(part=Part.LINK, run=run)
        for thing in self.things:
            if thing.rect.contains(point):
                return Hit(part=Part.LINK, run=thing.run)
        for number, rect in self.files:
            if rect.contains(point):
                return Hit(part=Part.DOWNLOAD if point.x() > rect.right() - px(44) else Part.FILE, number=number)
        for number, rect in self.images:
            if rect.contains(point):
                return Hit(part=Part.IMAGE, number=number)
        for number, pill in enumerate(self.pills):
            if pill.rect.contains(point):
                return Hit(part=Part.REACTION, number=number)
        if self.replies and self.replies[0].contains(point):
            return Hit(part=Part.REPLIES)
        for number, row in enumerate(self.lines):
            if row.folds and row.rect.contains(point):
                return Hit(part=Part.LINES, number=number)
        return None

    def parts(self) -> list[tuple[Hit, QRectF]]:
        """All parts of the message that can be clicked, each with its rectangle from the message's top left corner, in
        the order from top to bottom. A file is one part, with its button. Mentions are left out."""
        lines = [(Hit(part=Part.LINES, number=n), row.rect) for n, row in enumerate(self.lines) if row.folds]
        found = [(hit, rect) for hit, rect in lines if rect.y() < self.top]
        if self.quote:
            found.append((Hit(part=Part.QUOTE), self.quote[0]))
        if self.text:
            at = self.text[0]
            found += [(Hit(part=Part.LINK, run=run), rect.translated(at)) for run, rect in self.text[1].links()]
        found += [(Hit(part=Part.LINK, run=thing.run), thing.rect) for thing in self.things]
        found += [(Hit(part=Part.FILE, number=number), rect) for number, rect in self.files]
        found += [(Hit(part=Part.IMAGE, number=number), rect) for number, rect in self.images]
        found += [(Hit(part=Part.REACTION, number=n), pill.rect) for n, pill in enumerate(self.pills)]
        if self.replies:
            found.append((Hit(part=Part.REPLIES), self.replies[0]))
        return found + [(hit, rect) for hit, rect in lines if rect.y() >= self.bottom]

    def _put_lines(self, lines: Sequence[Gathered], y: float, *, air: int) -> float:
        """Lays out lines from `y` on, with `air` pixels above and below them. Returns where they end."""
        if not lines:
            return y
        rows, end = lay_out(lines, y + air, self.width, self._person, self.message.day, self._unfolded)
        self.lines += rows
        return end + air if rows else y

    def _above(self) -> float:
        """Lays out what happened before the message, the line with the day and the line over unread messages. Returns
        how far down the message itself begins."""
        earlier = [g for g in self.place.lines if self.place.new_day and g.day < self.message.day]
        y = self._put_lines(earlier, 0.0, air=6)
        if self.place.new_day:
            self.day = (QRectF(MARGIN - 4, y + 14, self.width - 2 * MARGIN + 8, px(24)), long_day(self.message.day))
            y += px(24) + 16
        y = self._put_lines(self.place.lines[len(earlier) :], y, air=6)
        if self.place.first_unread:
            self.unread = (QRectF(MARGIN - 4, y + 4, self.width - 2 * MARGIN + 8, px(22)), tr("New messages"))
            y += px(22) + 4
        return y + (3 if self.place.continues else 11 + _AIR[density()])

    def _head(self, y: float, people: People) -> float:
        if not self.place.continues:
            self.header = QRectF(left_px(), y, self.room, line_px())
            self.name_width = QFontMetricsF(font(BASE_PX, 600)).horizontalAdvance(self.person.name)
            y += line_px()
        if self.message.quote is not None and not self.message.deleted:
            quote = self.message.quote
            text = tr("The message was deleted") if quote.deleted else quote.text
            self.quote = (QRectF(left_px(), y + 2, self.room, line_px()), people.person(quote.author).name, text)
            y += line_px() + 4
        return y

    def _whom(self, y: float) -> float:
        """Reserves the line that names whom a quotation quotes."""
        return y if self.message.quoted_author is None else y + line_px()

    def _body(self, y: float, people: People) -> float:
        message = self.message
        if message.deleted_by is not None:
            name = people.person(message.deleted_by).name
            trace = tr("The message was deleted by {name}").format(name=name)
            return self._put_text(y, RichText([Run(text=trace, italic=True)], self.room, ink="muted"))
        if message.text or message.late or self.reminded:
            notes = [tr("edited")] if message.edited_t is not None else []
            if message.late:
                notes.append(tr("came over a month late"))
            if message.carried_by is not None and message.quoted_author is None:
                name = people.person(message.carried_by).name
                notes.append(tr("carried over by {name}").format(name=name))
            if self.reminded:
                notes.append(tr("you have a reminder"))
            runs, linked_things = split(parse(message.text, message.mentions), self._things.find)
            if runs or notes:
                y = self._put_text(
                    y,
                    RichText(runs, self.room, " · ".join(notes), words=self.words, icon_of=self._things.words.icon_of),
                )
            for run, link, linked in linked_things:
                y = self._put_thing(y, run, link, linked)
        for number, attachment in enumerate(message.attachments):
            image = preview(attachment.preview) if attachment.is_image else None
            if image is not None and not image.isNull():
                y = self._put_image(y, number, image.width(), image.height())
            else:  # no picture, or one that nobody can decode
                self.files.append((number, QRectF(self.left, y + 5, min(px(_CARD_WIDTH), self.room), px(_CARD_HEIGHT))))
                y += px(_CARD_HEIGHT) + 9
        if message.reactions:
            y = self._put_pills(y + 5, people.me.uid)
        if message.replies and message.last_reply:
            count = trn("{n} reply", "{n} replies", message.replies).format(n=message.replies)
            text = tr("{count} · latest {time}").format(count=count, time=clock(message.last_reply[1]))
            width = QFontMetricsF(font(13, 500)).horizontalAdvance(text) + px(22)
            self.replies = (QRectF(self.left, y + 4, width, line_px()), text)
            y += line_px() + 6
        return y

    def _put_text(self, y: float, text: RichText) -> float:
        self.text = (QPointF(self.left, y), text)
        return y + text.height

    def _put_thing(self, y: float, run: Run, link: ObjectLink, linked: Linked) -> float:
        rect = QRectF(self.left, y + 5, min(px(_THING_WIDTH), self.room), px(_CARD_HEIGHT))
        words = self._things.words
        detail, icon = words.line_of(link, linked), words.icon_of(link)
        self.things.append(Thing(rect=rect, run=run, title=linked.title, detail=detail, icon=icon))
        return y + px(_CARD_HEIGHT) + 9

    def _put_image(self, y: float, number: int, width: int, height: int) -> float:
        scale = min(1.0, min(IMAGE_WIDTH, self.room) / width, IMAGE_HEIGHT / height)
        rect = QRectF(self.left, y + 5, max(48.0, width * scale), max(48.0, height * scale))
        self.images.append((number, rect))
        return y + rect.height() + 9

    def _put_pills(self, y: float, me: bytes) -> float:
        metrics = QFontMetricsF(font(SMALL_PX, 500))
        x = float(self.left)
        for reaction in self.message.reactions:
            text = str(reaction.count)
            width = px(26) + 8 + metrics.horizontalAdvance(text)
            if x > self.left and x + width > self.left + self.room:
                x, y = float(self.left), y + px(_PILL_HEIGHT) + 4
            self.pills.append(
                Pill(
                    rect=QRectF(x, y, width, px(_PILL_HEIGHT)),
                    emoji=reaction.emoji,
                    text=text,
                    mine=me in reaction.uids,
                )
            )
            x += width + 7
        return y + px(_PILL_HEIGHT)
