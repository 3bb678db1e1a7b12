# SPDX-License-Identifier: EUPL-1.2
"""What a newcomer has pulled and cannot open yet, because the key comes with their own add, near the end.

Held in memory up to a limit, so that a long history is opened and stored once instead of waiting in the store first.
Until it is let go the room's cursor stays where it was: after a crash the same items are pulled again.
"""

from sync.trust.stream import AcceptedEnvelope

HELD_BYTES = 8 * 1024 * 1024
"""Ciphertext and headers; a room with more behind it lets the rest wait in the store."""


class Joining:
    """The envelopes of one room, in order."""

    def __init__(self) -> None:
        self.items: list[AcceptedEnvelope] = []
        self._size = 0

    @property
    def full(self) -> bool:
        """Nothing more should be held."""
        return self._size > HELD_BYTES

    def hold(self, item: AcceptedEnvelope) -> None:
        """Keeps one that has no key yet."""
        self.items.append(item)
        self._size += len(item.hdr_bytes) + len(item.ct or b"")
