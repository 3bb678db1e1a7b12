# SPDX-License-Identifier: EUPL-1.2
"""Saves 6 MB of memory in the worker, the process that tries colleagues' changes: modules that its libraries import and
it never uses are not imported there."""

import sys
from contextlib import suppress
from types import ModuleType
from typing import NoReturn


class _NoLoop(RuntimeError):
    """No event loop runs."""


def spare() -> None:
    """Puts stand-ins in the place of `pycrdt._version` and `sniffio`, which have what pycrdt and anyio read of them.
    Hides OpenSSL from `hashlib`, which then uses Python's own SHA-256; a Python without one keeps OpenSSL. The first
    thing that the worker's process calls: what is imported already stays."""
    # pycrdt looks its own version up by importlib.metadata, which imports email, zipfile and csv.
    _stand_in("pycrdt._version", __version__="")
    # A document has a lock of anyio, which asks sniffio for the running event loop, and else imports asyncio.
    _stand_in("sniffio", AsyncLibraryNotFoundError=_NoLoop, current_async_library=_no_loop)
    with suppress(ImportError):
        if sys.version_info >= (3, 12):
            import _sha2  # type: ignore[import-not-found]  # noqa: F401 - asks only whether there is one
        else:
            import _sha256  # type: ignore[import-not-found]  # noqa: F401
        sys.modules["_hashlib"] = None  # type: ignore[assignment]  # its import fails, and hashlib goes on without it


def _stand_in(name: str, **contents: object) -> None:
    module = ModuleType(name)
    vars(module).update(contents)
    sys.modules[name] = module


def _no_loop() -> NoReturn:
    raise _NoLoop
