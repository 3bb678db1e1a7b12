# SPDX-License-Identifier: EUPL-1.2
"""Searches a PDF page by page, beginning with the page that is shown."""

import asyncio
from collections.abc import Callable

from app.viewing.shown_file import ShownFile
from ui.viewer.page_layout import Rect

MAX_HITS = 2000
"""The search ends when there are more matches than this."""
Hit = tuple[int, list[Rect]]


class PdfSearch:
    """A search for words in one PDF. `hits`: the matches so far, in the order of the pages. `current`: the index of the
    current match, -1 for none. `ended`: the search has ended. `on_change`: called after each change of these."""

    def __init__(self, file: ShownFile, words: str, first: int, on_change: Callable[[], object]) -> None:
        """`first`: the page (from 0) where the search begins; the first match that is found becomes the current one."""
        self.hits: list[Hit] = []
        self.current = -1
        self.ended = False
        self._file, self._words, self._first, self._on_change = file, words, first, on_change

    async def run(self) -> None:
        """Searches all pages, or until there are more than MAX_HITS matches. ViewFault if the file's process ends."""
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
        """Makes the next (`by` 1) or previous (-1) match the current one; after the last follows the first."""
        if self.hits:
            self.current = (self.current + by) % len(self.hits)
            self._on_change()
