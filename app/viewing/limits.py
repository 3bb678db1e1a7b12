# SPDX-License-Identifier: EUPL-1.2
"""Limits: how much of a file is shown, and how much its process may answer. The process keeps to them. The program
checks the answers by them again, since the process may have been taken over."""

MAX_PIXELS = {"png": 40_000_000, "jpeg": 80_000_000}
"""The most pixels of a picture: they take 120 and 240 MB in its process."""
MAX_SCANS = 64
"""The most scans of a JPEG. Cameras write one, and progressive JPEGs have about ten. Decoding each passes over the
whole picture."""
MAX_PAGES = 10_000
"""The most pages of a PDF that are shown. The viewer says so if there are more."""
MAX_SIDE = 70_000.0
"""The longest side of a page, in its own units (pixels or points): a JPEG has at most 65,535 pixels a side."""
SIZES_AT_ONCE = 500
"""The most page sizes in one answer."""
MAX_TILE_PIXELS = 1024 * 1024
"""The most pixels of a piece that is painted at once: 4 MiB, about 30 ms for a JPEG."""
MAX_SCALED_SIDE = 60_000
"""The longest side of a scaled page, in pixels."""
TEXT_BYTES = 10 * 1024 * 1024
"""The most bytes of a text file that are shown."""
TEXT_PART = 32 * 1024
"""About how many characters a part of a text file has. The window adds one part at a time, between other work."""
LINE_CHARS = 4_000
"""The most characters of a line of a text file; a longer one is broken. Qt lays out a line as a whole, and would need
seconds for one of 10 MB."""
PAGE_CHARS = 100_000
"""The most characters of the text of a PDF page, of a selection, and of a part of a text file."""
MAX_HITS = 500
MAX_RECTS = 2_000
MAX_LINKS = 200
MAX_ADDRESS = 2_000
