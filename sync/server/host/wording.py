# SPDX-License-Identifier: EUPL-1.2
"""Formats what commands print for the person at the terminal: times, and the operating system's errors as sentences."""

import os
import sys
from datetime import datetime

if sys.platform != "win32":
    import pwd


def format_time(ms: int) -> str:
    """A time in the machine's zone, to the minute; "never" for 0."""
    return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M") if ms else "never"


def current_user() -> str:
    """The name of the user that runs this program; the user's number if there is no name for it."""
    if sys.platform == "win32":
        return os.environ.get("USERNAME", "this user")
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def describe(error: Exception) -> str:
    """The error as a command prints it. If a file may not be read, the sentence says who should own it: a file
    that root copied belongs to root, and the server's user cannot read it."""
    if isinstance(error, PermissionError) and error.filename:
        user = current_user()
        return f"{error.filename} may not be read or written by {user}: give it to that user (chown -R {user}: …)"
    return str(error)
