# SPDX-License-Identifier: EUPL-1.2
"""A token bucket: so many at once, so many a second."""

import time


class Bucket:
    """`take()` is True while there are tokens. Not shared between threads."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s = per_s
        self._burst = float(burst)
        self._tokens = float(burst)
        self._at = time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_s)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
