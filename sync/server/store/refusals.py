# SPDX-License-Identifier: EUPL-1.2
"""The store's refusals."""

from sync.errors import WorldError


class StoreError(WorldError):
    """Root of the store's refusals."""

    code = "busy"


class Moved(StoreError):
    """The head has changed since the caller read it."""

    code = "conflict"


class Taken(StoreError):
    """The name is in use: an invite that was used, a user or room that exists."""

    code = "taken"


class Unwritable(StoreError):
    """The store cannot be written now. Nothing of the write is kept."""

    code = "busy"


class Full(Unwritable):
    """The disk is full or failing. Nothing of the write is kept; everything stored before is."""

    code = "full"
