# SPDX-License-Identifier: EUPL-1.2
"""Keys that mean the same in every view."""

import sys

REDO_KEYS = ("Ctrl+Shift+Z", "Ctrl+Y")
"""Both work in documents and on boards. Qt's own fields take the first everywhere, and the second only on Windows."""

REDO = "Ctrl+Y" if sys.platform == "win32" else "Ctrl+Shift+Z"
"""The one that is shown: the same as in the menus that Qt makes for fields."""
