# SPDX-License-Identifier: EUPL-1.2
"""The program's side of the viewer: one file, opened in a process of its own, which ends when the file is closed.

▲ The process reads what a stranger wrote, and may have been taken over. So each answer has a bounded length and is
checked as if a stranger had written it. It holds pixels, numbers and text; this program decodes nothing of the file.
"""

import asyncio
import math
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from app.core import log
from app.errors import WorkerDied, WorkerUnavailable
from app.objects.addresses import safe_link
from app.viewing import limits
from app.viewing.danger import check_bytes, check_name
from app.viewing.errors import REFUSALS, OpensUnchecked, ViewEnded, ViewForeign, ViewTooLarge, ViewUnavailable
from app.viewing.kinds import MAX_FILE_BYTES, PACKAGE, PDF, TEXT, kind_of
from app.worker.client import Worker
from app.worker.frames import (
    PART_BYTES,
    Answer,
    Find,
    GetLinks,
    GetSizes,
    GetText,
    Hits,
    Open,
    Opened,
    PageLinks,
    PageText,
    Pixels,
    PutBytes,
    Question,
    Rect,
    Render,
    Select,
    Selected,
    Sizes,
    Tried,
)

T = TypeVar("T")
A = TypeVar("A", bound=Answer)

OPTION = "--view"
OPEN_S = 20.0
"""The longest time for one step of a file's opening, in seconds. It takes 0.3 s here, and 1 s for a PNG of 40 million
pixels."""
ASK_S = 10.0
"""The longest time for an answer, in seconds. An A4 page takes about 20 ms; slow machines and large plans need more."""
_SHORT_BYTES = 1024
_SIZES_BYTES = 16 * 1024
_RECTS_BYTES = 128 * 1024
_TEXT_BYTES = 4 * limits.PAGE_CHARS + _SHORT_BYTES

Size = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of a page to be painted. The whole page is turned by `turn` quarters to the right, and then has `width` x
    `height` pixels, each at most MAX_SCALED_SIDE. The piece begins at (`x`, `y`) of the page and has `w` x `h` pixels,
    together at most MAX_TILE_PIXELS."""

    page: int
    width: int
    height: int
    x: int
    y: int
    w: int
    h: int
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """A place on a page that leads to a web address. `rect`: (left, top, width, height) in fractions of the page."""

    rect: Rect
    address: str


class ShownFile:
    """One opened file.

    `kind`: see app/viewing/kinds.py. `pages`: how many pages it has; of a text, a page is a part of about TEXT_PART
    characters. `sizes`: the (width, height) of the pages that are known so far, in pixels for a picture and in points
    for a PDF; empty for a text. `cut`: the file has more than is shown.

    Lives on the event loop. The process answers one question after the other. Each question raises ViewEnded if the
    process ends, takes longer than `ask_s` seconds or gives an invalid answer, and after `close`. A question that the
    file's kind does not have, such as `find` in a picture, ends the process too.
    """

    def __init__(self, kind: str, worker: Worker, ask_s: float, open_s: float) -> None:
        """Do not call it; use `open_file`."""
        self.kind = kind
        self.pages = 0
        self.cut = False
        self.sizes: list[Size] = []
        self._worker = worker
        self._ask_s, self._open_s = ask_s, open_s
        self._thread = ThreadPoolExecutor(1, "viewer")
        self._closed = False

    def close(self) -> None:
        """Ends the process, and with it everything that it held of the file. A second call does nothing."""
        if not self._closed:
            self._closed = True
            self._worker.close()
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def more_sizes(self) -> bool:
        """Reads the sizes of further pages, at most SIZES_AT_ONCE, into `sizes`. Returns whether some are still
        unknown."""
        known = len(self.sizes)
        if known >= self.pages or self.kind == TEXT:
            return False
        answer = await self._ask(GetSizes(known), Sizes, _SIZES_BYTES)
        self.sizes += self._checked(lambda: _sizes(answer.sizes, min(limits.SIZES_AT_ONCE, self.pages - known)))
        return len(self.sizes) < self.pages

    async def render(self, piece: Piece) -> bytes:
        """Paints a piece of a page of a picture or PDF. Returns four bytes a pixel (blue, green, red, and one without
        meaning), in rows from the top. If it is cancelled while an earlier question is answered, the process is never
        asked."""
        size = piece.w * piece.h * 4
        asked = Render(piece.page, piece.width, piece.height, piece.x, piece.y, piece.w, piece.h, piece.turn)
        answer = await self._ask(asked, Pixels, size + _SHORT_BYTES)
        if len(answer.data) != size:
            raise self._invalid()
        return answer.data

    async def text(self, page: int) -> str:
        """The text of a PDF's page, or of a part of a text file; "" if it has none."""
        answer = await self._ask(GetText(page), PageText, _TEXT_BYTES)
        if len(answer.text) > limits.PAGE_CHARS:
            raise self._invalid()
        return answer.text

    async def find(self, page: int, words: str) -> list[list[Rect]]:
        """The places on a PDF's page where `words` are, in upper or lower case: the rectangles of each place, in
        fractions of the page."""
        answer = await self._ask(Find(page, words), Hits, _RECTS_BYTES)
        return self._checked(lambda: [_rects(hit) for hit in _few(answer.hits, limits.MAX_HITS)])

    async def select(self, page: int, start: tuple[float, float], end: tuple[float, float]) -> tuple[str, list[Rect]]:
        """The text of a PDF's page between the points `start` and `end`, and the rectangles that cover it. All places
        are fractions of the page. ("", []) if no letter is near one of the points."""
        answer = await self._ask(Select(page, *start, *end), Selected, _TEXT_BYTES + _RECTS_BYTES)
        if len(answer.text) > limits.PAGE_CHARS:
            raise self._invalid()
        return answer.text, self._checked(lambda: _rects(answer.rects))

    async def links(self, page: int) -> list[Link]:
        """The places on a PDF's page that lead to web addresses: only http and https, as `safe_link` writes them. []
        for other kinds of files."""
        if self.kind != PDF:
            return []
        most = limits.MAX_LINKS * (limits.MAX_ADDRESS + 64)
        answer = await self._ask(GetLinks(page), PageLinks, most)
        return self._checked(lambda: list(_links(answer.links)))

    # -- inside ----------------------------------------------------------------------------------------------------

    async def _open(self, data: bytes) -> None:
        opened = await self._run(lambda: self._hand_over(data))
        if opened.code:
            refusal = REFUSALS.get(opened.code)
            self.close()
            raise refusal if refusal is not None else ViewEnded
        most = limits.TEXT_BYTES if self.kind == TEXT else limits.MAX_PAGES
        if not 0 < opened.pages <= most:
            raise self._invalid()
        self.pages, self.cut = opened.pages, opened.cut
        expected = 0 if self.kind == TEXT else min(limits.SIZES_AT_ONCE, opened.pages)
        self.sizes = self._checked(lambda: _sizes(opened.sizes, expected))

    def _hand_over(self, data: bytes) -> Opened:
        for at in range(0, len(data), PART_BYTES):
            self._worker.ask(PutBytes(data[at : at + PART_BYTES]), Tried, self._open_s, _SHORT_BYTES)
        return self._worker.ask(Open(self.kind), Opened, self._open_s, _SIZES_BYTES)

    async def _ask(self, question: Question, kind: type[A], most_bytes: int) -> A:
        return await self._run(partial(self._worker.ask, question, kind, self._ask_s, most_bytes))

    async def _run(self, work: Callable[[], T]) -> T:
        """Runs `work`, which asks the process, in this file's thread. After an error this file is closed. The process
        is not started again, since a new one would not have the file."""
        if self._closed:
            raise ViewEnded
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except WorkerDied as e:
            self.close()
            raise ViewEnded from e
        except WorkerUnavailable as e:
            ended = self._closed
            self.close()
            raise (ViewEnded if ended else ViewUnavailable) from e

    def _checked(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except ValueError as e:
            raise self._invalid() from e

    def _invalid(self) -> ViewEnded:
        """Ends the process after an invalid answer, and returns the error to raise."""
        log.store.warning("view-invalid", kind=self.kind)
        self.close()
        return ViewEnded()


async def open_file(
    data: bytes, *, command: Sequence[str] | None = None, ask_s: float = ASK_S, open_s: float = OPEN_S
) -> ShownFile:
    """Opens a file's bytes in a new process, with the reader of the kind that the bytes have. The caller closes the
    result. ViewForeign for a kind that is not shown; ViewTooLarge, ViewDamaged and ViewProtected if the file cannot be
    opened; ViewEnded if the process ends or takes too long; ViewUnavailable if it cannot be started.

    Only tests pass the following: `command`, which starts the process (None: this program's own), `ask_s`, the longest
    time for an answer, and `open_s`, that for one step of the opening, in seconds.
    """
    kind = kind_of(data)
    if kind is None:
        raise ViewForeign
    if len(data) > MAX_FILE_BYTES:
        raise ViewTooLarge
    shown = ShownFile(kind, Worker(list(command or _command()), answer_s=ask_s), ask_s, open_s)
    try:
        await shown._open(data)
    except BaseException:
        shown.close()
        raise
    return shown


async def check_opening(name: str, data: bytes, *, command: Sequence[str] | None = None) -> None:
    """Returns if a file with the bytes `data` may be opened in another program under the name `name`. OpensProgram,
    OpensMacros or OpensOldOffice if it could run something there; OpensUnchecked if that cannot be found out, as for an
    archive over MAX_FILE_BYTES (128 MiB). An archive, or long markup, is searched in a process of its own: ViewEnded if
    it ends or takes too long, ViewUnavailable if it cannot be started. `command` starts the process; only tests pass
    it."""
    check_name(name)
    if not check_bytes(data, name):
        return
    if len(data) > MAX_FILE_BYTES:
        raise OpensUnchecked
    checking = ShownFile(PACKAGE, Worker(list(command or _command()), answer_s=ASK_S), ASK_S, OPEN_S)
    try:
        opened = await checking._run(lambda: checking._hand_over(data))
    finally:
        checking.close()
    if opened.code:
        raise REFUSALS.get(opened.code, OpensUnchecked)


def _few(found: Sequence[T], most: int) -> Sequence[T]:
    if len(found) > most:
        raise ValueError("too many")
    return found


def _sizes(found: Sequence[Size], expected: int) -> list[Size]:
    if len(found) != expected or not all(1 <= side <= limits.MAX_SIDE for size in found for side in size):
        raise ValueError("sizes")
    return list(found)


def _rects(found: Sequence[Rect]) -> list[Rect]:
    if not all(math.isfinite(side) and 0 <= side <= 1 for rect in _few(found, limits.MAX_RECTS) for side in rect):
        raise ValueError("rects")
    return list(found)


def _links(found: Sequence[tuple[Rect, str]]) -> list[Link]:
    rects = _rects([rect for rect, _ in _few(found, limits.MAX_LINKS)])
    addresses = [safe_link(address) if len(address) <= limits.MAX_ADDRESS else "" for _, address in found]
    return [
        Link(rect, address)
        for rect, address in zip(rects, addresses, strict=True)
        if address.startswith(("https://", "http://"))
    ]


def _command() -> list[str]:
    frozen = getattr(sys, "frozen", False)
    return [sys.executable, *((OPTION,) if frozen else ("-m", "app.viewing"))]
