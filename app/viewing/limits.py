# SPDX-License-Identifier: EUPL-1.2
"""How much of a file is shown, and how much its process may answer. The process keeps to these limits, and the program
checks each of them: the process may have been taken over."""

MAX_PIXELS = {"png": 40_000_000, "jpeg": 80_000_000}
"""The most pixels of a picture: 120 and 240 MB in its process."""
MAX_SCANS = 64
"""The most scans of a JPEG. Cameras write one, progressive ones have about ten; each costs a pass over all of it."""
MAX_PAGES = 10_000
"""The pages of a PDF that are shown; of a longer one the rest is left out, which is said."""
MAX_SIDE = 70_000.0
"""The longest side of a page, in its own units: a JPEG has at most 65,535 pixels a side."""
SIZES_AT_ONCE = 500
MAX_TILE_PIXELS = 1024 * 1024
"""The largest piece that is painted at once: 4 MiB, some 30 ms of a JPEG."""
MAX_SCALED_SIDE = 60_000
"""The longest side, in pixels, of a page as it is scaled for painting."""
TEXT_BYTES = 10 * 1024 * 1024
"""That much of a text file is shown."""
TEXT_PART = 32 * 1024
"""Characters in each part of a text file, about. The window adds a part at a time, between other work."""
LINE_CHARS = 4_000
"""A longer line of a text file is broken: Qt lays a line out at once, and one of 10 MB would take seconds."""
PAGE_CHARS = 100_000
"""The most characters of a PDF page's text, or of a selection."""
MAX_HITS = 500
MAX_RECTS = 2_000
MAX_LINKS = 200
MAX_ADDRESS = 2_000
