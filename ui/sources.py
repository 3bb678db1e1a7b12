# SPDX-License-Identifier: EUPL-1.2
"""Keeps PySide from reading the source files of this program.

When a module is imported, PySide searches its source for the word "PySide", to know whether `from __feature__ import`
may be used there. Kansli uses none of these features. From a checkout 2.8 MB of sources would be read at each start; an
installed program has none.
"""

import linecache
import sys

import PySide6.QtCore  # noqa: F401 - loads what is changed below


def leave_unread() -> None:
    """Replaces the private function by which PySide reads a module's source and returns whether "PySide" is in it. The
    new one returns True without reading; PySide then notes that the module has asked for no feature. If the installed
    PySide has no such function, only Python's cache of sources is emptied. Call it before the program's other modules
    are imported: Python never frees the memory that their sources would take."""
    linecache.clearcache()  # Python keeps what PySide has read until here
    feature = sys.modules.get("shibokensupport.feature")
    if feature is not None:
        vars(feature)["_mod_uses_pyside"] = lambda _: True
