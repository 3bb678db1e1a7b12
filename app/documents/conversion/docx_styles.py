# SPDX-License-Identifier: EUPL-1.2
"""Reads a docx's styles and numbering: their effect on a paragraph and on characters."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_OFF = {"0", "false", "off", "none"}
_HEADING = re.compile(r"(?:heading|rubrik) ?([1-9])")
_QUOTES = {"quote", "intense quote", "citat", "starkt citat", "block text", "block quote", "quotations", "blockquote"}
_LINKS = {"hyperlink", "followedhyperlink", "internet link", "visited internet link", "hyperlänk"}
_NAMED_LIST = re.compile(r"list (bullet|number)(?: ([2-5]))?")
_MARKS = (("bold", ("b",)), ("italic", ("i",)), ("underline", ("u",)), ("strike", ("strike", "dstrike")))
_DEEPEST = 20
"""How many styles based on one another are followed. They may form a circle."""


def value_of(element: Any, name: str) -> str | None:
    """The `w:val` attribute of the child `name` of an element; None if there is no such child or the element is None,
    "" if the child has no such attribute."""
    child = element.find(W + name) if element is not None else None
    return None if child is None else str(child.get(W + "val", ""))


def number_in(element: Any, name: str) -> int | None:
    """The `w:val` attribute of the child `name` of an element as a whole number; None if there is no such child, if it
    is no number of at most nine digits, or if the element is None."""
    text = value_of(element, name)
    return int(text) if text and re.fullmatch(r"-?\d{1,9}", text) else None


def marks_in(properties: Any) -> dict[str, bool]:
    """The marks (bold, italic, underline, strike) that run properties set (True) or take away (False). A mark that they
    do not name is left out; empty for None."""
    found: dict[str, bool] = {}
    for mark, names in _MARKS:
        values = [value for name in names if (value := value_of(properties, name)) is not None]
        if values:
            found[mark] = any(value not in _OFF for value in values)
    return found


def is_on(properties: Any, name: str) -> bool:
    """Whether the properties (an element or None) switch the feature `name` on: they have a child of that name whose
    value is not "0", "false", "off" or "none"."""
    value = value_of(properties, name)
    return value is not None and value not in _OFF


class Styles:
    """Looks up the styles in a docx's styles part: their names, marks and numbering. Finds none if `part` is None."""

    def __init__(self, part: Any) -> None:
        found = part.findall(W + "style") if part is not None else []
        self._by_id = {style.get(W + "styleId", ""): style for style in found}
        self._default = next((s.get(W + "styleId", "") for s in found if _is_default(s)), "")
        self._marks: dict[str, dict[str, bool]] = {}
        self._hiding: dict[str, bool | None] = {}
        defaults = part.find(f"{W}docDefaults/{W}rPrDefault/{W}rPr") if part is not None else None
        self._hides_all = is_on(defaults, "vanish")

    def _chain(self, style_id: str | None) -> Iterator[Any]:
        """Yields the style `style_id` and then those that it is based on, the nearest first, at most _DEEPEST. Nothing
        for None or an unknown style."""
        for _ in range(_DEEPEST):
            style = self._by_id.get(style_id) if style_id else None
            if style is None:
                return
            yield style
            style_id = value_of(style, "basedOn")

    def _names(self, style_id: str | None) -> Iterator[str]:
        for style in self._chain(style_id):
            yield (value_of(style, "name") or "").lower()

    def heading(self, paragraph: Any) -> int:
        """The level of a heading, 1–9, by the paragraph's own outline level or by its style (a title is 1); 0 if the
        paragraph is no heading. `paragraph`: its properties."""
        own = number_in(paragraph, "outlineLvl")
        if own is not None and own < 9:
            return max(own, 0) + 1
        for style in self._chain(value_of(paragraph, "pStyle")):
            name = (value_of(style, "name") or "").lower()
            if found := _HEADING.fullmatch(name):
                return int(found[1])
            if name in ("title", "rubrik"):
                return 1
            level = number_in(style.find(W + "pPr"), "outlineLvl")
            if level is not None:
                return level + 1 if 0 <= level < 9 else 0
        return 0

    def is_quote(self, paragraph: Any) -> bool:
        """Whether it is a quotation."""
        return any(name in _QUOTES for name in self._names(value_of(paragraph, "pStyle")))

    def numbering(self, paragraph: Any) -> tuple[int, int] | None:
        """(numId, level from 0) of the numbering that the paragraph or its style has. None if it has no numbering;
        numId 0 where numbering is taken away. `paragraph`: its properties."""
        level = None
        for properties in (paragraph, *(s.find(W + "pPr") for s in self._chain(value_of(paragraph, "pStyle")))):
            found = properties.find(W + "numPr") if properties is not None else None
            level = number_in(found, "ilvl") if level is None else level
            number = number_in(found, "numId")
            if number is not None:
                return number, max(level or 0, 0)
        return None

    def named_list(self, paragraph: Any) -> tuple[str, int] | None:
        """("ul" or "ol", level from 1) if the paragraph's style is one of Word's own list styles or based on one; None
        otherwise. For files that define no numbering. `paragraph`: its properties."""
        for name in self._names(value_of(paragraph, "pStyle")):
            if found := _NAMED_LIST.fullmatch(name):
                return ("ul" if found[1] == "bullet" else "ol"), int(found[2] or 1)
        return None

    def hides(self, style_id: str | None) -> bool:
        """Whether a style of characters makes text hidden."""
        return self._hidden(style_id or "") or False

    def hides_paragraph(self, style_id: str | None) -> bool:
        """Whether the paragraph style `style_id` (None: the file's default style) hides its text. If neither the style
        nor those that it is based on say so, the file's general default decides."""
        found = self._hidden(style_id or self._default)
        return self._hides_all if found is None else found

    def _hidden(self, style_id: str) -> bool | None:
        if style_id not in self._hiding:
            values = (value_of(style.find(W + "rPr"), "vanish") for style in self._chain(style_id))
            self._hiding[style_id] = next((value not in _OFF for value in values if value is not None), None)
        return self._hiding[style_id]

    def numbered_by(self, style_id: str) -> int | None:
        """The numId of the numbering that the list style `style_id` refers to; None if it has none, and for an unknown
        style."""
        for style in self._chain(style_id):
            properties = style.find(W + "pPr")
            if properties is not None and (found := properties.find(W + "numPr")) is not None:
                return number_in(found, "numId")
        return None

    def marks(self, style_id: str | None) -> dict[str, bool]:
        """The marks that the character style `style_id`, or a style that it is based on, sets (True) or takes away
        (False). Empty for None, an unknown style and the styles of links: a link is shown as one anyway."""
        if not style_id:
            return {}
        if style_id not in self._marks:
            found: dict[str, bool] = {}
            if not any(name in _LINKS for name in self._names(style_id)):
                for style in reversed(list(self._chain(style_id))):
                    found |= marks_in(style.find(W + "rPr"))
            self._marks[style_id] = found
        return self._marks[style_id]


def _is_default(style: Any) -> bool:
    return style.get(W + "type") == "paragraph" and style.get(W + "default", "0") not in _OFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How one level of a Word list is numbered: its format ("bullet", "decimal" …), its first number and the text
    around the number ("%1.")."""

    kind: str
    start: int
    text: str


@dataclass(slots=True)
class _Num:
    abstract: int
    starts: dict[int, int] = field(default_factory=dict)
    levels: dict[int, Level] = field(default_factory=dict)


class Numbering:
    """Looks up list levels in a docx's numbering part (None: the file has none), and counts as Word does: call `count`
    once for each numbered paragraph, in order."""

    def __init__(self, part: Any, styles: Styles) -> None:
        self._abstract: dict[int, dict[int, Level]] = {}
        self._linked: dict[int, str] = {}
        self._nums: dict[int, _Num] = {}
        self._styles = styles
        self._counts: dict[int, dict[int, int]] = {}
        self._begun: set[tuple[int, int]] = set()
        if part is not None:
            self._read(part)

    def _read(self, part: Any) -> None:
        for found in part.findall(W + "abstractNum"):
            key = _int(found.get(W + "abstractNumId"))
            self._abstract[key] = _levels(found)
            if link := value_of(found, "numStyleLink"):
                self._linked[key] = link
        for found in part.findall(W + "num"):
            num = _Num(number_in(found, "abstractNumId") or 0)
            for override in found.findall(W + "lvlOverride"):
                at = _int(override.get(W + "ilvl"))
                num.levels |= _levels(override)
                start = number_in(override, "startOverride")
                if start is not None:
                    num.starts[at] = start
            self._nums[_int(found.get(W + "numId"))] = num

    def level(self, num_id: int, at: int) -> Level | None:
        """The definition of level `at` (from 0) of the list with this numId; None if it is defined nowhere."""
        num = self._nums.get(num_id)
        if num is None:
            return None
        return num.levels.get(at) or self._abstract.get(self._root(num.abstract), {}).get(at)

    def _root(self, abstract: int) -> int:
        """The number of the definition that has the levels. That is `abstract` itself, or the style's if it only refers
        to a list style."""
        link = self._linked.get(abstract)
        number = self._styles.numbered_by(link) if link and not self._abstract.get(abstract) else None
        return self._nums[number].abstract if number in self._nums else abstract

    def count(self, num_id: int, at: int) -> int:
        """The number that Word gives the next paragraph on level `at` (from 0) of the list with this numId. Each call
        counts on. KeyError for a list that the file does not define."""
        num, level = self._nums[num_id], self.level(num_id, at)
        counts = self._counts.setdefault(self._root(num.abstract), {})
        if at in num.starts and (num_id, at) not in self._begun:
            counts[at] = num.starts[at]
        elif at in counts:
            counts[at] += 1
        else:
            counts[at] = level.start if level is not None else 1
        self._begun.add((num_id, at))
        for deeper in [key for key in counts if key > at]:
            del counts[deeper]
        return counts[at]


def _levels(parent: Any) -> dict[int, Level]:
    found = {}
    for level in parent.findall(W + "lvl"):
        start = number_in(level, "start")
        kind, text = value_of(level, "numFmt") or "decimal", value_of(level, "lvlText") or ""
        found[_int(level.get(W + "ilvl"))] = Level(kind=kind, start=1 if start is None else start, text=text)
    return found


def _int(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"-?\d{1,9}", text) else 0
