# SPDX-License-Identifier: EUPL-1.2
"""How much processor time merging may take on this computer: of one change, and of an object as a whole.

The cost of honest changes grows with their bytes. Hostile changes of the same size can cost a hundred times more: a
merge compares each new item with all others at the same place. A change that takes longer is held back here, by
app/store/trials.py. It is never void: other computers are faster. Decision 0015 has the figures.
"""

ALWAYS_US = 1_000_000
"""Microseconds of processor time that every merge may take."""
US_A_BYTE = 4.0
"""Microseconds added for each byte of the updates. Single keys take 1.2, pasted text 0.5 (two slow cores)."""
MOST_US = 20_000_000
"""The longest allowance, whatever the size."""


def allowed_us(size_bytes: int) -> int:
    """Microseconds of processor time that merging updates of `size_bytes` in total may take, all of them together."""
    return min(MOST_US, ALWAYS_US + int(US_A_BYTE * size_bytes))


def is_slow(size_bytes: int, took_us: int) -> bool:
    """Whether merging updates of `size_bytes` in total took longer than is allowed for that size: then they are held
    back on this computer, where hostile changes would keep it busy. `took_us`: the processor time that the merge took,
    in microseconds."""
    return took_us > allowed_us(size_bytes)
