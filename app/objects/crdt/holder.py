# SPDX-License-Identifier: EUPL-1.2
"""A document as its texts and maps see it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from app.objects.crdt.change import LOCAL, Origin
from app.objects.crdt.library import pycrdt
from app.objects.observers import Observers


class Holder(Protocol):
    """What a text or map of a CRDT uses of the document to which it belongs, as a Protocol: pycrdt's own document, its
    subscriptions, the running transaction, and the state vector."""

    @property
    def shared(self) -> "pycrdt.Doc[Any]":
        """pycrdt's own document. BugError after `close`."""
        ...

    @property
    def observers(self) -> Observers:
        """The subscriptions to pycrdt's own document."""
        ...

    @property
    def origin(self) -> Origin:
        """Of the running transaction, or of the last one."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is running."""
        ...

    def transact(self, origin: Origin = LOCAL) -> AbstractContextManager[None]:
        """Everything inside becomes one update."""
        ...

    def later(self, notify: Callable[[], None]) -> None:
        """Calls `notify` when the running transaction has ended."""
        ...

    def state(self) -> bytes:
        """The state vector: what the document has seen."""
        ...
