# SPDX-License-Identifier: EUPL-1.2
"""Bold, italic and lists while a message is written: what a key or button makes of the text and the selection.

Pure. The marks are those that markup.py reads, and it always reads the output as meant: a mark is never around a space
or across a line, and no empty pair of marks is left behind. Positions are code points.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from app.chat.markup import INLINE, LIST_LINE

BOLD, ITALIC = "**", "_"
BULLET = "- "
Marks = frozenset[str]
NO_MARKS: Marks = frozenset()
Styled = tuple[str, Marks, int]
"""A character, its marks, and its position in the line."""

_OPEN = {
    BOLD: re.compile(r"\*\*(?=\S)(?:(?!\*\*).)+\*\*"),
    ITALIC: re.compile(r"(?<!\w)_(?=\S)[^_]+_(?!\w)"),
}
"""Runs that may still end in spaces, as they do while the person types in them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What is being written in the message field: the text, the selection in it from `start` to `end` (a caret if they
    are equal), and `on`, the marks (bold, italic) that the next typed text gets. Offsets in code points."""

    text: str
    start: int
    end: int
    on: Marks = NO_MARKS

    @property
    def marks(self) -> Marks:
        """The marks in force at the selection's end: those of the runs that it is in, and those that are on for the
        next typed text."""
        return self.on | {mark for mark in (BOLD, ITALIC) if _run(self.text, self.end, mark) is not None}

    @property
    def in_list(self) -> bool:
        """Whether the line with the selection's end is a list item."""
        first, last = _line(self.text, self.end)
        return LIST_LINE.match(self.text[first:last]) is not None


def toggle(now: Written, mark: str) -> Written:
    """Turns bold or italic (`mark`) on or off: for the selection, or for what is typed next.

    At the end of a marked run the caret moves behind the run; just behind a run it moves back into it; elsewhere in a
    run the whole run loses its mark. Outside runs nothing is written until something is typed (`typed`).
    """
    if now.start != now.end:
        return _toggle_selection(now, mark)
    at, text = now.end, now.text
    if mark in now.on:
        return _moved(now, at, on=now.on - {mark})
    run = _run(text, at, mark)
    if run is None and _ends_run(text, at, mark):
        return _step_in(now, mark)
    if run is None:
        return _moved(now, at, on=now.on | {mark})
    first, last = run
    if _at_end(now, last, mark):
        return _step_out(now, last, mark)
    inner = text[first + len(mark) : last - len(mark)]
    return Written(text=text[:first] + inner + text[last:], start=at - len(mark), end=at - len(mark), on=now.on)


def typed(now: Written, size: int) -> Written:
    """Gives the marks that are on to the `size` characters before the caret, which were just typed or pasted. The caret
    is then inside the marked run, so that what follows has the marks too. If those characters are only spaces, nothing
    is marked yet and the marks stay on for what follows."""
    first = now.end - size
    if not now.on or not now.text[first : now.end].strip():
        return now
    return _restyled(Written(text=now.text, start=now.end, end=now.end), range(first, now.end), add=now.on)


def new_line(now: Written) -> Written:
    """Inserts a line break at the caret or in place of the selection. With the caret behind a list item's sign, the
    next line is an item too. If the caret's item has no text, it loses its sign instead and no line is added. Marks end
    with their line and are on again in the next."""
    if now.start != now.end:
        text = now.text[: now.start] + now.text[now.end :]
        now = Written(text=text, start=now.start, end=now.start)
    first, last = _line(now.text, now.end)
    item = LIST_LINE.match(now.text[first:last])
    if item is not None and now.end >= first + item.end():
        if not now.text[first + item.end() : last].strip():
            return Written(text=now.text[:first] + now.text[last:], start=first, end=first)
        return _break(now, "\n" + item[0])
    return _break(now, "\n")


def toggle_list(now: Written) -> Written:
    """Makes the caret's line, or those of the selection, list items; empty lines among others stay as they are. If all
    of them are items, makes them lines again."""
    lines = _lines(now)
    items = [LIST_LINE.match(now.text[first:last]) for first, last in lines]
    off = all(items)
    text, start, end = now.text, now.start, now.end
    for (first, _), item in reversed(list(zip(lines, items, strict=True))):
        if off and item is not None:
            text = text[:first] + text[first + item.end() :]
            start, end = (max(first, p - item.end()) if p > first else p for p in (start, end))
        elif item is None:
            text = text[:first] + BULLET + text[first:]
            start, end = (p + len(BULLET) if p >= first else p for p in (start, end))
    return Written(text=text, start=start, end=end, on=now.on)


def emptied(now: Written) -> Written:
    """Removes the pair of marks around the caret if a deletion has left nothing between them; the marks stay on for
    what is typed next."""
    text, at, on = now.text, now.end, now.on
    for mark in (ITALIC, BOLD):
        if at >= len(mark) and text[at - len(mark) : at] == mark == text[at : at + len(mark)]:
            text, at, on = text[: at - len(mark)] + text[at + len(mark) :], at - len(mark), on | {mark}
    return Written(text=text, start=at, end=at, on=on) if text != now.text else now


def finished(now: Written) -> str:
    """The text to send: spaces at the end of the caret's run are moved behind its marks."""
    return _stepped_out(now).text


# -- runs ----------------------------------------------------------------------------------------------------------


def _line(text: str, at: int) -> tuple[int, int]:
    """(first, behind the last) offset of the line of `text` that contains the offset `at`, without its line break. An
    offset just before a break is in the line that it ends."""
    end = text.find("\n", at)
    return text.rfind("\n", 0, at) + 1, end if end >= 0 else len(text)


def _lines(now: Written) -> list[tuple[int, int]]:
    """The (first, behind the last) offsets of the lines of the selection. Not the line at whose first character the
    selection ends, and no empty lines; if all are empty, the first alone."""
    lines: list[tuple[int, int]] = []
    at = now.start
    while True:
        first, last = _line(now.text, at)
        lines.append((first, last))
        at = last + 1
        if at >= now.end or at > len(now.text):
            break
    filled = [(first, last) for first, last in lines if now.text[first:last].strip()]
    return filled or lines[:1]


def _run(text: str, at: int, mark: str) -> tuple[int, int] | None:
    """Finds the run of `text` that is marked with `mark` and in which the offset `at` is. Returns its (first, behind
    the last) offset, marks included; None if `at` is in no such run, or before or in one of its marks."""
    if at < 0:
        return None
    first, last = _line(text, at)
    for found in _OPEN[mark].finditer(text, first, last):
        if found.start() + len(mark) <= at <= found.end() - len(mark):
            return found.start(), found.end()
    return None


def _ends_run(text: str, at: int, mark: str) -> bool:
    """Whether a run of `text` that is marked with `mark` ends just before the offset `at`."""
    first, last = _line(text, at)
    return any(found.end() == at for found in _OPEN[mark].finditer(text, first, last))


def _at_end(now: Written, last: int, mark: str) -> bool:
    """Whether only spaces and the ends of other runs are between the caret and the end of its run, at `last`."""
    return now.text[now.end : last - len(mark)].strip(" \t*_") == ""


def _moved(now: Written, at: int, *, on: Marks) -> Written:
    return Written(text=now.text, start=at, end=at, on=on)


def _step_in(now: Written, mark: str) -> Written:
    """Moves the caret, which is just behind a run marked with `mark`, back into it, before its closing mark. If another
    run ends there too and its mark is on, moves the caret into that one as well, and the mark is no longer on."""
    at, on = now.end - len(mark), now.on
    for other in (BOLD, ITALIC):
        if other in on and _ends_run(now.text, at, other):
            at, on = at - len(other), on - {other}
    return _moved(now, at, on=on)


def _step_out(now: Written, last: int, mark: str) -> Written:
    """Moves the caret behind the run marked with `mark` that it is in; `last` is the offset behind its closing mark.
    Spaces before the caret move out of the run with it. Marks of runs within that one which end there too stay on."""
    before, rest = now.text[: now.end], "".join(now.text[now.end : last].split())
    spaces = before[len(before.rstrip(" \t")) :] + " " * (last - now.end - len(rest))
    text = before.rstrip(" \t") + rest + spaces
    passed = {other for other in (BOLD, ITALIC) if other != mark and other in rest[: -len(mark)]}
    return Written(text=text + now.text[last:], start=len(text), end=len(text), on=(now.on - {mark}) | passed)


def _stepped_out(now: Written) -> Written:
    """Moves the caret out of every bold or italic run of which it is at the end, so that what is typed next is behind
    the run's marks."""
    for mark in (BOLD, ITALIC):
        run = _run(now.text, now.end, mark)
        if run is not None and _at_end(now, run[1], mark):
            now = _step_out(now, run[1], mark)
    return now


def _break(now: Written, line: str) -> Written:
    """Inserts `line`, a line break and perhaps a list mark, at the caret. Marks that are on there end before the break
    and begin again after it."""
    marks = now.marks
    now = _stepped_out(now)
    if any(_run(now.text, now.end, mark) for mark in (BOLD, ITALIC)):
        return _restyled(now, range(0), insert=line)
    text = now.text[: now.end] + line + now.text[now.end :]
    return Written(text=text, start=now.end + len(line), end=now.end + len(line), on=marks)


# -- characters with marks -----------------------------------------------------------------------------------------


def _toggle_selection(now: Written, mark: str) -> Written:
    meant: list[int] = []
    on = False
    for first, last in _lines(now):
        item = LIST_LINE.match(now.text[first:last])
        begin = first + (item.end() if item is not None else 0)
        for char, marks, at in _styled(now.text[first:last]):
            if max(begin, now.start) <= first + at < min(last, now.end):
                meant.append(first + at)
                on = on or (not char.isspace() and mark not in marks)
    marked = _restyled(now, meant, add=frozenset({mark})) if on else now
    if marked.text != now.text:
        return marked  # the same text: what lacks the mark cannot have it, as a part of a word cannot be italic
    return _restyled(now, meant, drop=frozenset({mark}))


def _restyled(
    now: Written, meant: Sequence[int], *, add: Marks = NO_MARKS, drop: Marks = NO_MARKS, insert: str = ""
) -> Written:
    """Gives the characters at the offsets `meant` the marks `add` and takes `drop` from them; `insert` is a text to add
    at the caret, without marks. The selection stays around the same characters; a caret stays behind the same
    character, or is placed behind the inserted text. Other lines are not touched."""
    top, _ = _line(now.text, min((*meant, now.start)))
    _, foot = _line(now.text, max((*meant, now.end)))
    wanted = set(meant)
    chars = [
        (char, (marks | add) - drop if at in wanted else marks, at)
        for first, last in _split(now.text, top, foot)
        for char, marks, at in [*_styled(now.text[first:last], offset=first), ("\n", NO_MARKS, last)]
    ][:-1]
    caret = sum(at < now.end for _, _, at in chars)
    chars[caret:caret] = [(char, NO_MARKS, -1) for char in insert]
    made, places = _joined(chars)
    text = now.text[:top] + made + now.text[foot:]
    inside = [places[i] for i, (_, _, at) in enumerate(chars) if now.start <= at < now.end]
    if inside:
        return Written(text=text, start=top + inside[0], end=top + inside[-1] + 1)
    if insert:
        caret += len(insert)
        at = places[caret] if caret < len(places) else len(made)
    else:
        at = places[caret - 1] + 1 if caret else 0
    return Written(text=text, start=top + at, end=top + at)


def _split(text: str, first: int, last: int) -> list[tuple[int, int]]:
    """The (first, behind the last) offset of each line, without its line break, in the part of `text` from the offset
    `first` to just before `last`. A line that goes beyond the part is cut there; an empty part is one empty line."""
    lines = []
    for line in text[first:last].split("\n"):
        lines.append((first, first + len(line)))
        first += len(line) + 1
    return lines


def _styled(line: str, marks: Marks = NO_MARKS, offset: int = 0) -> list[Styled]:
    """The characters of a line that are no marks for bold or italic, each with its marks and its offset. `marks`: those
    that all of them have; `offset`: that of the line's first character. Other marks of the markup count as characters.
    """
    chars: list[Styled] = []
    position = 0
    for match in INLINE.finditer(line):
        chars += [(line[i], marks, offset + i) for i in range(position, match.start())]
        mark = BOLD if match["bold"] else ITALIC if match["italic"] else ""
        size, first, last = len(mark), match.start(), match.end()
        if mark:
            chars += _styled(line[first + size : last - size], marks | {mark}, offset + first + size)
        else:
            chars += [(line[i], marks, offset + i) for i in range(first, last)]
        position = last
    return chars + [(line[i], marks, offset + i) for i in range(position, len(line))]


def _joined(chars: Sequence[Styled]) -> tuple[str, list[int]]:
    """Writes characters as a text with marks around the bold and italic ones. Returns (the text, the offset of each
    character in it). Italic is left out where it would not be read as such (within a word, around other marks)."""
    out = ""
    places = [0] * len(chars)
    for bold, first, last in _runs(chars, BOLD):
        out += BOLD * bold
        begin = len(out)
        for italic, start, end in _runs(chars[first:last], ITALIC):
            content = "".join(char for char, _, _ in chars[first + start : first + end])
            before = out[begin if bold else 0 :][-1:]
            after = chars[first + end][0] if first + end < last else ""
            around = ITALIC if italic and _reads_as_italic(content, before, after) else ""
            at = len(out) + len(around)
            places[first + start : first + end] = range(at, at + end - start)
            out += around + content + around
        out += BOLD * bold
    return out, places


def _runs(chars: Sequence[Styled], mark: str) -> list[tuple[bool, int, int]]:
    """Splits characters into stretches with and without `mark`: (is marked, first, behind the last index). Spaces at
    the ends of a marked stretch become stretches without it, and no marked stretch goes over a line break."""
    marked = [mark in marks and char != "\n" for char, marks, _ in chars]
    runs: list[tuple[bool, int, int]] = []
    first = 0
    for on, group in groupby(marked):
        last = first + len(list(group))
        text = "".join(char for char, _, _ in chars[first:last])
        if on and text.strip():
            lead, tail = len(text) - len(text.lstrip()), len(text.rstrip())
            parts = [(False, first, first + lead), (True, first + lead, first + tail), (False, first + tail, last)]
        else:
            parts = [(False, first, last)]
        runs += [part for part in parts if part[1] < part[2]]
        first = last
    return runs


def _reads_as_italic(text: str, before: str, after: str) -> bool:
    """Whether markup.py would read `text` as italic if it is put between underscores, with the character `before` in
    front of them and `after` behind ("" for none): not within a word or behind an asterisk, and no asterisk, underscore
    or line break inside. `text` must not be empty, nor begin or end with white space; that is not checked."""
    joined = before == "*" or before.isalnum() or before == "_" or after.isalnum() or after == "_"
    return not joined and not any(char in text for char in "*_\n")
