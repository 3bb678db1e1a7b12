# SPDX-License-Identifier: EUPL-1.2
"""The times in an MSI's summary. They are all that differs between two MSIs made by wixl and msibuild of one bundle."""

import re
import struct
from pathlib import Path

from places import epoch

_BEFORE_1970_S = 11_644_473_600
"""FILETIME counts from 1601, in tenths of microseconds."""
_PER_S = 10_000_000
_SANE_S = range(1_577_836_800 + _BEFORE_1970_S, 4_102_444_800 + _BEFORE_1970_S)
"""From 2020 to 2100: what looks like a pair of times by chance, in a cabinet, is not one of these."""
_PAIR = re.compile(rb"\x40\0\0\0(.{8})\x40\0\0\0(.{8})", re.DOTALL)
"""When it was created and last saved: two properties of type VT_FILETIME (0x40) in a row ([MS-OLEPS] 2.15)."""


def settle(path: Path) -> None:
    """Puts the one time there. SystemExit if the two are not found exactly once: then the file is as it was."""
    data = bytearray(path.read_bytes())
    found = [m.start() for m in _PAIR.finditer(data) if all(_sane(time) for time in m.groups())]
    if len(found) != 1:
        raise SystemExit(f"packages: {path.name} has {len(found)} pairs of times in its summary, not one")
    wanted = struct.pack("<Q", (epoch() + _BEFORE_1970_S) * _PER_S)
    for start in (found[0] + 4, found[0] + 16):
        data[start : start + 8] = wanted
    path.write_bytes(data)


def _sane(filetime: bytes) -> bool:
    return struct.unpack("<Q", filetime)[0] // _PER_S in _SANE_S
