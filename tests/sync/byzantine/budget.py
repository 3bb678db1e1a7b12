# SPDX-License-Identifier: EUPL-1.2
"""How many lives the machines live: a fixed few in `make test`, always the same ones; in `make fuzz` as many as it asks
for, and different ones each time."""

import os

from hypothesis import HealthCheck, Phase, settings

LIVES = "KANSLI_LIVES"
"""The environment variable with which `make fuzz` sets the number."""
FIXED = 40
STEPS = 30


def budget(lives: int = FIXED, steps: int = STEPS) -> settings:
    """Nothing depends on time here, so nothing has a deadline. A failing example is shortened only in a long run."""
    asked = os.environ.get(LIVES)
    return settings(
        max_examples=int(asked) if asked else lives,
        stateful_step_count=2 * steps if asked else steps,
        deadline=None,
        derandomize=not asked,
        database=None,
        phases=[Phase.generate, Phase.shrink] if asked else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
