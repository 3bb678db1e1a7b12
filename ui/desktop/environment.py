# SPDX-License-Identifier: EUPL-1.2
"""The environment that programs started by Kansli inherit (a browser, for a link): the person's, not that of an
installed Kansli.

An installed Kansli's start program names the folder of its own libraries and plugins in the environment. With those
variables a program of the system loads another OpenSSL or Qt than it was made for, and does not start; and a Kansli
that it starts would not find its own libraries.
https://pyinstaller.org/en/stable/runtime-information.html#ld-library-path-libpath-considerations
"""

import sys
from collections.abc import MutableMapping

from PySide6.QtCore import QCoreApplication

_LIBRARIES, _BEFORE = "LD_LIBRARY_PATH", "LD_LIBRARY_PATH_ORIG"
_PLUGINS = ("QT_PLUGIN_PATH", "QML2_IMPORT_PATH")


def give_back(environment: MutableMapping[str, str]) -> None:
    """Restores the person's own `environment` in place, without the library paths of an installed Kansli, for programs
    that Kansli starts. Call it once there is an application. Libraries that are loaded later are found all the same:
    the system's loader and Qt have read the variables by then. Does nothing where Kansli runs from source, and on
    Windows, which has no such variables."""
    if not getattr(sys, "frozen", False) or sys.platform == "win32":
        return
    QCoreApplication.libraryPaths()  # read at the first call, and kept
    before = environment.pop(_BEFORE, None)
    for name in [name for name in environment if name in (_LIBRARIES, *_PLUGINS) or name.startswith("_PYI_")]:
        del environment[name]
    if before is not None:
        environment[_LIBRARIES] = before
