# SPDX-License-Identifier: EUPL-1.2
"""How it looks: PySide6 widgets, one folder per tool. Shows and asks; decides nothing."""

from app.core import dataclass_methods, garbage

dataclass_methods.install()
with garbage.paused():
    # before PySide, which from then on reads the source of every module that is imported
    import app.bootstrap  # noqa: F401
