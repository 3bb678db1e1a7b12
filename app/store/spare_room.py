# SPDX-License-Identifier: EUPL-1.2
"""What the database asks of the part of the store that can give room when the disk is full."""

from typing import Protocol


class SpareRoom(Protocol):
    """Files that can be fetched again, and that are given up so that an edit finds room on the disk."""

    def watch(self) -> None:
        """Called before each transaction: gives up files if the disk is nearly full. Raises nothing."""
        ...

    def give(self) -> bool:
        """Called when the disk has refused a write because it is full: gives up files. Returns whether it gave room.
        Raises nothing. Under 5 ms on the loop."""
        ...


class NoSpareRoom:
    """A store that keeps nothing which it could give up."""

    def watch(self) -> None:
        """Does nothing."""

    def give(self) -> bool:
        """Returns False."""
        return False
