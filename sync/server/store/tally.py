# SPDX-License-Identifier: EUPL-1.2
"""Counts that the store keeps for each day, so that the rules can limit what is sent in one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tally:
    """Names a count that the store keeps for each day (days since 1970, UTC), by which the rules limit what a device or
    a person may send or add. `what`: "device" or "person" for bytes sent (items, parts of files, seals), "log-entries"
    or "log-bytes" for what was added to a person's log. `who`: the id of the device or the person."""

    what: str
    who: bytes
