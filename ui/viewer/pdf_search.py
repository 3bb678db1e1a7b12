# SPDX-License-Identifier: EUPL-1.2
"""Finds words on a PDF's pages, page by page, beginning with the page that is shown."""

import asyncio
from collections.abc import Callable

from app.viewing.shown_file import ShownFile
from ui.viewer.page_layout import Rect

MAX_HITS = 2000
"""With more places than that the search ends; the count says so."""
Hit = tuple[int, list[Rect]]


class PdfSearch:
    """The places of some words in one PDF, in the order of its pages, and the current one of them. `on_change` is
    called when more was found and when the search has ended."""

    def __init__(self, file: ShownFile, words: str, first: int, on_change: Callable[[], object]) -> None:
        """`first`: the page where the search begins; the first place from there on becomes the current one."""
        self.hits: list[Hit] = []
        self.current = -1
        self.ended = False
        self._file, self._words, self._first, self._on_change = file, words, first, on_change

    async def run(self) -> None:
        """Searches all pages. ViewFault if the file's process ends."""
        pages = [*range(self._first, self._file.pages), *range(self._first)]
        for page in pages:
            found = [(page, rects) for rects in await self._file.find(page, self._words)]
            if found:
                self._add(found)
                self._on_change()
            if len(self.hits) > MAX_HITS:
                break
            await asyncio.sleep(0)
        self.ended = True
        self._on_change()

    def _add(self, found: list[Hit]) -> None:
        now = self.hits[self.current] if self.current >= 0 else found[0]
        at = next((i for i, (page, _) in enumerate(self.hits) if page > found[0][0]), len(self.hits))
        self.hits[at:at] = found
        self.current = next(i for i, hit in enumerate(self.hits) if hit is now)

    def step(self, by: int) -> None:
        """Makes the next (`by` 1) or previous (-1) place the current one, round to the other end."""
        if self.hits:
            self.current = (self.current + by) % len(self.hits)
            self._on_change()
