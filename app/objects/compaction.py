# SPDX-License-Identifier: EUPL-1.2
"""An object's changes as its state: what a snapshot carries, and the hash by which others attest it."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from app.objects.canonical import canonical
from app.objects.crdt import merged
from sync.client.ports import Compact, Compacted

__all__ = ["Compact", "Compacted", "state_of"]

_DOMAIN = b"kansli/v1 attested\n"


def state_of(
    updates: Sequence[bytes], *, texts: Sequence[str] = (), maps: Sequence[str] = ()
) -> tuple[bytes, bytes, dict[str, Any]] | None:
    """(the whole as one update, its attested hash, what its roots hold) of a CRDT's updates; None if they have a hole.

    H(what a reader sees ‖ state vector ‖ delete set ‖ every item with its id): two texts that look alike and differ in
    ids differ here, for the next edit of one of them would be lost in the other.
    """
    found = merged(updates, texts, maps)
    ids = canonical(found[0]) if found is not None else None
    if found is None or ids is None:
        return None
    update, held = found
    try:
        told = json.dumps([held, *ids], sort_keys=True, separators=(",", ":"), default=_plain)
    except RecursionError:  # an item holds lists in lists by the thousand
        return None
    return update, hashlib.sha256(_DOMAIN + told.encode()).digest(), held


def _plain(value: object) -> object:
    """▲ Bytes that a map holds, or what no tool of ours makes: it stops nobody's work, and the items tell it."""
    return ["bytes", value.hex()] if isinstance(value, bytes | bytearray) else ["other"]
