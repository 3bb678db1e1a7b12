# SPDX-License-Identifier: EUPL-1.2
"""Saves 8 MB of memory in the worker, the process in which colleagues' changes are merged on trial: modules that the
worker's libraries import and the worker never uses are not imported there."""

import sys
from contextlib import suppress
from types import ModuleType

_SPARED = (
    # pycrdt's connections and its waiting for a document. anyio reads and parses its own source at its import.
    "anyio", "anyio.abc", "anyio.streams", "anyio.streams.memory", "pycrdt._provider",
    # The parts of msgspec beside reading and writing messages.
    "msgspec.inspect", "msgspec._json_schema", "msgspec.toml", "msgspec.yaml",
    # pycrdt looks its own version up by importlib.metadata, which imports email, zipfile and csv.
    "pycrdt._version",
)  # fmt: skip


class _Unused:
    """A class that replaces every name in the modules that are not imported, to save memory. Creating one without
    arguments does nothing, and it has no other use. pycrdt creates one for each document in place of anyio's lock,
    which only its asynchronous transactions use."""

    def __class_getitem__(cls, _: object) -> "type[_Unused]":
        return cls


class _Spared(ModuleType):
    """A placeholder for a module that is not imported, to save memory. Each of its names is the empty class `_Unused`,
    also `__version__`; AttributeError for other names that begin with two underscores."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        return _Unused


def spare() -> None:
    """Puts empty placeholders into `sys.modules` for modules that the worker's libraries import and the worker never
    uses (`_SPARED`), for as long as the process runs. Makes the import of typing_extensions fail: msgspec then takes
    what it needs from `typing`. Makes the import of OpenSSL's hashes fail, which saves 1.5 MB: `hashlib` then uses
    Python's own. OpenSSL's stay if Python was built without a SHA-256 of its own. The worker's process calls this
    before its other imports: an import that is done keeps its memory."""
    sys.modules.update({name: _Spared(name) for name in _SPARED})
    _hide("typing_extensions")
    with suppress(ImportError):
        if sys.version_info >= (3, 12):
            import _sha2  # type: ignore[import-not-found]  # noqa: F401 - asks only whether there is one
        else:
            import _sha256  # type: ignore[import-not-found]  # noqa: F401
        _hide("_hashlib")


def _hide(name: str) -> None:
    """Makes the module's import fail."""
    sys.modules[name] = None  # type: ignore[assignment]
