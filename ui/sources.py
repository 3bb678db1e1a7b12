# SPDX-License-Identifier: EUPL-1.2
"""Keeps PySide from reading the source of every module that is imported after it.

PySide looks there for its own name, to know which modules may use `from __feature__ import`. This program uses none of
these features. An installed program has no sources; from a checkout 2.8 MB of them would be read.
"""

import sys

import PySide6.QtCore  # noqa: F401 - loads what is changed below


def leave_unread() -> None:
    """Has PySide treat every module as one that uses PySide and no feature. Call it before the imports of a start: what
    has read the sources leaves gaps in Python's memory that stay."""
    feature = sys.modules.get("shibokensupport.feature")
    if feature is not None:
        vars(feature)["_mod_uses_pyside"] = lambda _: True
