# SPDX-License-Identifier: EUPL-1.2
"""Modules that are imported at their first use, because a start must not wait for them."""

from importlib import import_module
from types import ModuleType


class Later(ModuleType):
    """A placeholder for a module, which imports it at the first use of one of its names, so that a start need not wait
    for it. Beside it, under TYPE_CHECKING, is the import that mypy and PyInstaller see."""

    def __getattr__(self, name: str) -> object:
        found: object = getattr(import_module(self.__name__), name)
        setattr(self, name, found)
        return found
