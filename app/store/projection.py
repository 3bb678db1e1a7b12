# SPDX-License-Identifier: EUPL-1.2
"""What the store needs from a kind of objects, and the running of its callbacks.

`app.objects.kind.Kind` fulfils `Projector`; the store knows no kinds of its own.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from sqlalchemy import Connection, Table

from app.store.rows import ObjectRow, StoredChange
from sync.client.ports import Compact

Project = Callable[[Connection, ObjectRow, Sequence[StoredChange]], None]
"""Writes a tool's read-model rows for new changes of one object, inside the store's transaction.

Called once per object and batch, in the order of arrival. Raise `app.errors.BadChange(code)` for a change that makes
no sense: it is kept, marked and counted, and the others of the batch are projected without it.
"""


class Projector(Protocol):
    """One kind of objects as the store sees it."""

    @property
    def id(self) -> str:
        """The kind's id as the root object announces it."""
        ...

    @property
    def project(self) -> Project:
        """New changes of one object."""
        ...

    @property
    def positioned(self) -> Project | None:
        """Own changes that now have their position (`n`, server's `t`); None if the kind does not care."""
        ...

    @property
    def compact(self) -> Compact | None:
        """The state that an object's changes make, for snapshots; None for a kind that has none."""
        ...

    @property
    def tables(self) -> tuple[Table, ...]:
        """The kind's read-model tables: created when missing, rebuilt when `version` rises."""
        ...

    @property
    def version(self) -> int:
        """The read model's version: a higher one drops the tables and projects all changes again."""
        ...
