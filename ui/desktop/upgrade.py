# SPDX-License-Identifier: EUPL-1.2
"""An installed Kansli whose package is replaced, or removed, while it runs: it goes on as the program that it is.

Its modules lie in the program's own file, which PyInstaller's importer opens by its name for each of them: of another
version's file it would read what is at the former places, and whatever is first used after the upgrade (a dialog, the
key store at the next unlocking) would not be found. Windows lets nobody replace a program that runs.
"""

import os
import sys


def hold_program() -> None:
    """From now on loads modules from the program's file that was started, also if another version replaces it. Does
    nothing where Kansli runs from source, and on systems other than Linux."""
    archive = getattr(sys.modules.get("pyimod02_importers"), "pyz_archive", None)
    name = getattr(archive, "_filename", None)
    if sys.platform != "linux" or archive is None or not isinstance(name, str):
        return
    held = f"/proc/self/fd/{os.open(name, os.O_RDONLY)}"  # open for as long as the process lives
    if os.path.exists(held):  # noqa: PTH110 - no path of a file
        archive._filename = held
