# SPDX-License-Identifier: EUPL-1.2
"""Limits how many ephemeral messages of each kind a device may send. Ephemeral messages are sent to the devices that
are online, and stored by none.

There is no limit for all kinds together. Below the sum of the kinds' limits, a flood of one kind would use up what the
other kinds need; above it, it would never be reached.
"""

from collections.abc import Mapping

from sync.server.config import Limits
from sync.server.load.rates import Bucket
from sync.trust.room.ephemeral import CALL, CARET, LIVE, PRESENCE, TYPING

_OTHER = 0
"""The key of the quota that all unknown kinds share."""


def rates_by_kind(limits: Limits) -> dict[int, tuple[float, int]]:
    """For each kind of ephemeral message, by `limits`: how many messages one device may send a second on average, and
    how many at once."""
    return {
        PRESENCE: (limits.ephemeral_presence_per_s, limits.ephemeral_presence_burst),
        TYPING: (limits.ephemeral_typing_per_s, limits.ephemeral_typing_burst),
        CARET: (limits.ephemeral_caret_per_s, limits.ephemeral_caret_burst),
        CALL: (limits.ephemeral_call_per_s, limits.ephemeral_call_burst),
        LIVE: (limits.ephemeral_live_per_s, limits.ephemeral_live_burst),
        _OTHER: (limits.ephemeral_other_per_s, limits.ephemeral_other_burst),
    }


class EphemeralQuotas:
    """The quotas of one device, over all its connections, for ephemeral messages. ▲ Each kind has a quota of its own,
    so that a flood of one kind drops no message of another. All unknown kinds share one quota. So a newer program's
    messages pass, but a device gets no further quota by inventing a kind."""

    def __init__(self, rates: Mapping[int, tuple[float, int]]) -> None:
        """`rates`: as `rates_by_kind` returns them. If empty, nothing may be sent."""
        self._rates = rates
        self._buckets: dict[int, Bucket] = {}
        """By kind. A bucket is made with the first message of its kind, since most devices send few kinds."""

    def take(self, kind: int) -> bool:
        """Takes one message of the kind `kind` from its quota. Returns False, and takes nothing, if the quota is used
        up."""
        quota = kind if kind in self._rates else _OTHER
        bucket = self._buckets.get(quota)
        if bucket is None:
            if quota not in self._rates:
                return False
            bucket = self._buckets[quota] = Bucket(*self._rates[quota])
        return bucket.take()
