# SPDX-License-Identifier: EUPL-1.2
"""A D-Bus of one's own, for tests in which a service stands in for the desktop's or the system's."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

needs_bus = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="no dbus-daemon on this machine")


@contextmanager
def own_bus() -> Iterator[str]:
    """Its address, while it runs."""
    command = ["dbus-daemon", "--session", "--nofork", "--print-address"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        yield daemon.stdout.readline().strip()
        daemon.terminate()
