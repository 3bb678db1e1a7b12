# SPDX-License-Identifier: EUPL-1.2
"""The names of this computer and its system, as a person knows them from their list of devices."""

import platform
import socket
import sys

from app.core.visible import one_line


def name() -> str:
    """The computer's own name without its domain, "" if it has none."""
    return one_line(socket.gethostname().partition(".")[0], 64)


def system() -> str:
    """The operating system with its version, for instance "Debian GNU/Linux 13" or "Windows 11", at most 64
    characters; "Linux" where the distribution is not known."""
    if sys.platform != "linux":
        return one_line(f"{platform.system()} {platform.release()}", 64)
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return "Linux"
    return one_line(f"{release.get('NAME', 'Linux')} {release.get('VERSION_ID', '')}", 64)
