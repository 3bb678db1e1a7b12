# SPDX-License-Identifier: EUPL-1.2
"""The interface by which the database makes room on a full disk."""

from typing import Protocol


class SpareRoom(Protocol):
    """Files that can be fetched again, and that are removed so that an edit finds room on the disk."""

    def watch(self) -> None:
        """The database calls it before each transaction. Removes files if the disk is nearly full. Raises nothing."""
        ...

    def give(self) -> bool:
        """The database calls it when the disk has refused a write because it is full. Removes files, and returns
        whether it removed any. Raises nothing. Takes less than 5 ms on the event loop."""
        ...


class NoSpareRoom:
    """The `SpareRoom` of a store that has no files to remove."""

    def watch(self) -> None:
        """Does nothing."""

    def give(self) -> bool:
        """Returns False."""
        return False
