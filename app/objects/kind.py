# SPDX-License-Identifier: EUPL-1.2
"""A kind of objects: one line in app/kinds.py per tool. Titles are English msgids, translated where they are shown."""

from dataclasses import dataclass

from sqlalchemy import Table

from app.store.projection import Project
from sync.client.ports import Compact

ROOM = "room"
"""The kind of every root object (obj == room id)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What the store and the shell need to know of a kind.

    `project` writes the tool's read-model and search rows; `positioned` is told when own changes get their position;
    `tables` are the tool's read-model tables (names begin with the kind's id), rebuilt when `version` rises.
    `compact` makes snapshots; a kind that only grows (chat) has none: who said what stays each author's own word.
    """

    id: str
    title: str
    icon: str
    crdt: bool
    project: Project
    positioned: Project | None = None
    compact: Compact | None = None
    tables: tuple[Table, ...] = ()
    version: int = 1
