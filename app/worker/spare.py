# SPDX-License-Identifier: EUPL-1.2
"""Keeps modules out of the worker that nothing here needs: 6 MB of memory, held as long as the program runs."""

import sys
from types import ModuleType
from typing import NoReturn


class _NoLoop(RuntimeError):
    """No event loop runs."""


def spare() -> None:
    """Puts stand-ins for two modules in their places and hides one. Call it before anything else is imported."""
    _stand_in("pycrdt._version", __version__="")  # looks the version up, by importlib.metadata: email, zipfile and csv
    _stand_in("sniffio", AsyncLibraryNotFoundError=_NoLoop, current_async_library=_no_loop)  # else anyio asks asyncio
    sys.modules["_hashlib"] = None  # type: ignore[assignment]  # OpenSSL: hashlib then takes Python's own SHA-256


def _stand_in(name: str, **contents: object) -> None:
    module = ModuleType(name)
    vars(module).update(contents)
    sys.modules[name] = module


def _no_loop() -> NoReturn:
    raise _NoLoop
