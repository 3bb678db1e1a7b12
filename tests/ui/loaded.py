# SPDX-License-Identifier: EUPL-1.2
"""What the import of a tool brings, in a process of its own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def widgets_loaded_with(tool: str) -> list[str]:
    """The widgets of the package `tool` that are imported with the package itself, each with its module."""
    code = f"""
import sys, {tool}
from PySide6.QtWidgets import QWidget

for name in sorted(name for name in sys.modules if name.startswith("{tool}")):
    for each in vars(sys.modules[name]).values():
        if isinstance(each, type) and issubclass(each, QWidget) and each.__module__ == name:
            print(name, each.__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()
