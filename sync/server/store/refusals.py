# SPDX-License-Identifier: EUPL-1.2
"""The store's refusals."""

from sync.errors import WorldError


class StoreError(WorldError):
    """Root of the errors that the store raises."""

    code = "busy"


class Moved(StoreError):
    """A write builds on a head (of a room or a log) that has changed since the caller read it. Nothing is written."""

    code = "conflict"


class Taken(StoreError):
    """What a write would use or create is in use: an invitation that was used, a user or room that exists."""

    code = "taken"


class Unwritable(StoreError):
    """The store cannot be written now. Nothing of the write is kept."""

    code = "busy"


class Full(Unwritable):
    """The disk is full or failing. Nothing of the write is kept; everything stored before is."""

    code = "full"
