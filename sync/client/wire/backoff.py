# SPDX-License-Identifier: EUPL-1.2
"""How long to wait before the next attempt: doubling, capped, and jittered so that an office does not return all at
once."""

import random

STUCK_RETRY_S = 30.0
"""Between attempts when a person or IT must act first: certificate, clock, agency, proxy, rules."""
FIRST_S = 0.25
LONGEST_S = 60.0
SPREAD_S = 5.0
"""The time over which an office whose connection was lost comes back: 500 desktops are 100 a second."""


class Backoff:
    """How long to wait before the next attempt to connect, in seconds. `next_s()`, called after each failure, returns a
    wait that doubles up to a minute; `after_loss_s()`, after an established connection was lost, a short one. Both are
    partly random, so that not all clients return at once. `reset()` makes the next wait short again."""

    def __init__(self, rng: random.Random | None = None) -> None:
        self._rng = rng or random.Random()  # noqa: S311 - spreads load, guards nothing
        self._ceiling_s = FIRST_S

    def next_s(self) -> float:
        """The wait after a failure, in seconds: random between half and all of a ceiling, which doubles with each call
        up to LONGEST_S."""
        ceiling_s = self._ceiling_s
        self._ceiling_s = min(LONGEST_S, ceiling_s * 2)
        return self._rng.uniform(ceiling_s / 2, ceiling_s)

    def after_loss_s(self) -> float:
        """The wait, in seconds, after an established connection was lost: random between 0 and SPREAD_S. If the server
        stopped, all clients lost theirs at once and must not return at once. Also resets the back-off."""
        self.reset()
        return self._rng.uniform(0.0, SPREAD_S)

    def reset(self) -> None:
        """Makes the next delay a short one."""
        self._ceiling_s = FIRST_S
