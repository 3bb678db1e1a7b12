# SPDX-License-Identifier: EUPL-1.2
"""How many ephemeral messages (sent to the devices that are online, stored by none) a device may send, kind by kind.

There is no limit for all kinds together: below the sum of the kinds' limits a flood of one kind would use up what the
others need, and above it the limit would never be reached.
"""

from collections.abc import Mapping

from sync.server.config import Limits
from sync.server.load.rates import Bucket
from sync.trust.room.ephemeral import CALL, CARET, LIVE, PRESENCE, TYPING

_OTHER = 0
"""The key of the quota that all kinds which this program does not know share."""


def rates_by_kind(limits: Limits) -> dict[int, tuple[float, int]]:
    """The rate of each kind of ephemeral message by `limits`: messages of one device a second on average, and at
    once."""
    return {
        PRESENCE: (limits.ephemeral_presence_per_s, limits.ephemeral_presence_burst),
        TYPING: (limits.ephemeral_typing_per_s, limits.ephemeral_typing_burst),
        CARET: (limits.ephemeral_caret_per_s, limits.ephemeral_caret_burst),
        CALL: (limits.ephemeral_call_per_s, limits.ephemeral_call_burst),
        LIVE: (limits.ephemeral_live_per_s, limits.ephemeral_live_burst),
        _OTHER: (limits.ephemeral_other_per_s, limits.ephemeral_other_burst),
    }


class EphemeralQuotas:
    """What one device, over all its connections, has used of its quota for each kind of ephemeral message. ▲ Each kind
    has a quota of its own, so that a flood of one kind drops no message of another. All kinds that this program does
    not know share one: a newer program's messages pass, and no flood gets a new quota by a new number."""

    def __init__(self, rates: Mapping[int, tuple[float, int]]) -> None:
        """`rates`: as `rates_by_kind` returns them. If empty, nothing may be sent."""
        self._rates = rates
        self._buckets: dict[int, Bucket] = {}
        """By kind, made when the first message of the kind comes: most devices send few kinds."""

    def take(self, kind: int) -> bool:
        """Takes one message of the kind `kind` from its quota. False, and nothing is taken, if the quota is used up."""
        quota = kind if kind in self._rates else _OTHER
        bucket = self._buckets.get(quota)
        if bucket is None:
            if quota not in self._rates:
                return False
            bucket = self._buckets[quota] = Bucket(*self._rates[quota])
        return bucket.take()
