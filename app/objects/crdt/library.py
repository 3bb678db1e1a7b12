# SPDX-License-Identifier: EUPL-1.2
"""The only importer of pycrdt."""

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from app.core.later import Later

if TYPE_CHECKING:
    import pycrdt as pycrdt
else:
    pycrdt = Later("pycrdt")  # 40 ms and 5 MB, not needed before a document or board is opened


def load() -> None:
    """Imports pycrdt, and the modules that pycrdt itself imports at its first document. Call it in a thread: otherwise
    the first document or board imports them on the event loop, which takes 40 ms."""
    _ = pycrdt.Doc
    with suppress(ImportError):  # a document has a lock of anyio, which imports this for a loop of asyncio
        import_module("anyio._backends._asyncio")
