# SPDX-License-Identifier: EUPL-1.2
"""A token bucket: holds up to `burst` tokens and refills at `per_s` a second."""

import time


class Bucket:
    """A token bucket, which limits a rate: it has at most `burst` tokens, is full at first, and gains `per_s` each
    second. `take()` takes one token, False if there is none. Not shared between threads."""

    __slots__ = ("_at", "_burst", "_per_s", "_tokens")

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = float(burst)
        self._tokens = float(burst)
        self._at = time.monotonic()

    def _fill(self) -> None:
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_s)
        self._at = now

    def take(self) -> bool:
        self._fill()
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def wait_s(self) -> float:
        """How many seconds until there is a token to take, 0 if there is one now. 1 if there is none and the bucket
        never refills."""
        self._fill()
        return max(0.0, (1 - self._tokens) / self._per_s) if self._per_s else float(self._tokens < 1)

    def spend(self, amount: float, *, most_debt: float) -> None:
        """Takes `amount` tokens for something that was used already. The bucket can go into debt, by at most
        `most_debt`; what is beyond that is not counted."""
        self._fill()
        self._tokens = max(-most_debt, self._tokens - amount)

    @property
    def left(self) -> float:
        """How many tokens the bucket has now, below 0 for a debt."""
        self._fill()
        return self._tokens
