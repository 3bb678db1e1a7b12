# SPDX-License-Identifier: EUPL-1.2
"""The store's refusals."""

from sync.errors import WorldError


class StoreError(WorldError):
    """Root of the errors that the store raises."""

    code = "busy"


class Moved(StoreError):
    """A write builds on a head (of a room or of a person's log) that has changed since the caller read it, or that does
    not exist. Nothing is written. The caller may read the head again and retry, or refuse the request."""

    code = "conflict"


class Taken(StoreError):
    """What a write would create exists already (an invitation, a person, a part of a file); or the invitation that it
    would use was used, was withdrawn or does not exist; or the one that it would withdraw was used or does not exist.
    Nothing is written. A room that exists is Moved."""

    code = "taken"


class Unwritable(StoreError):
    """A write failed in the database, which was locked for instance, or came after the store was closed. Nothing of the
    write is kept. If the disk is full or failing, the error is Full, a subclass."""

    code = "busy"


class Full(Unwritable):
    """The disk is full or failing: the store's, or the one to which a backup or a restore is written. Nothing of the
    write is kept; everything stored before is."""

    code = "full"


class Unreadable(StoreError):
    """A read failed in the database: the disk failed, the file is damaged or locked, or it is no database. Nothing is
    changed."""

    code = "busy"
