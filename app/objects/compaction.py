# SPDX-License-Identifier: EUPL-1.2
"""An object's changes as its state: the content of a snapshot, and the hash by which others attest it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from app.objects.begun import StateStart
from app.objects.canonical import canonical
from app.objects.crdt import merged
from app.objects.grammar import read
from app.objects.lib0 import BadUpdate
from app.objects.replay import MERGED, Replay, Unpack, joined
from sync.client.placed_changes import PLACE_BITS, Compact, Compacted, PlacedChange, position_of
from sync.pieces import finished

__all__ = ["Compact", "Compacted", "Compaction", "Making", "State", "state_at", "state_of"]

MAX_TEXT_CHARS = 8192
"""Most characters of each text that is returned beside a state."""
UNNAMED = nullcontext()
"""For a merge that no journal names."""
_SETTLE = 256
_DOMAIN = b"kansli/v2 attested\n"
_OTHERWISE = b"kansli/v2 merged otherwise\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """An object's merged state up to a position. `update`: the whole object as one update. `begun`: what its judge
    knows, as bytes (FORMAT.md). `digest`: the hash by which other members attest the state. `held`: the short texts
    that the caller asked for, by map and then key. `waits`: positions of the changes that still wait for others and are
    not in the state."""

    update: bytes
    begun: bytes
    digest: bytes
    held: Mapping[str, Mapping[str, str]]
    waits: tuple[int, ...]


class Making(Protocol):
    """A function that makes an object's merged state from its changes, or None if they cannot be merged: `state_at`,
    which explains the arguments, or one that does the same in another process (app/worker/states.py). It enters the
    context `named` only while this process merges. The other process adds WorkerDied and WorkerUnavailable."""

    def __call__(
        self,
        changes: Sequence[PlacedChange],
        n: int,
        unpack: Unpack,
        *,
        texts: Sequence[str] = (),
        maps: Sequence[str] = (),
        text_keys: Sequence[tuple[str, str]] = (),
        named: AbstractContextManager[None] = UNNAMED,
    ) -> State | None: ...


class Compaction(Protocol):
    """The function of a kind of object that makes the content of a snapshot from an object's `changes`, all up to
    position `n`. Returns None if they cannot be merged. `making`: the function that makes the merged state. `named`: a
    context that is entered only while this process merges. Without these two it is called as a `Compact`."""

    def __call__(
        self,
        changes: Sequence[PlacedChange],
        n: int,
        /,
        making: Making = ...,
        named: AbstractContextManager[None] = ...,
    ) -> Compacted | None: ...


class _Nothing:
    """The waiting changes of a replay that has no store: there are none. Such a replay judges all changes of an object
    at once and keeps those that wait in its own memory."""

    def waiting(self, client: int, below: int) -> Sequence[tuple[PlacedChange, int, tuple[int, ...]]]:
        return ()

    def changes(self, positions: Sequence[int]) -> Sequence[PlacedChange]:
        return ()


def state_at(
    changes: Sequence[PlacedChange],
    n: int,
    unpack: Unpack,
    *,
    texts: Sequence[str] = (),
    maps: Sequence[str] = (),
    text_keys: Sequence[tuple[str, str]] = (),
    named: AbstractContextManager[None] = UNNAMED,
) -> State | None:
    """The merged state of an object's `changes`, which are judged in their order. `n`: the position up to which they
    reach; none is left out for being later. None if they cannot be merged, or if the state is larger than an update may
    be. BadChange if they begin with a state that is damaged; any other damaged change does not count.

    `unpack` is given a change's data, and returns the update or piece in it or raises BadChange. `texts` and `maps`:
    the names of the CRDT's roots. `text_keys`: the (map, key) of each text that the caller needs; the result's `held`
    has its first MAX_TEXT_CHARS characters. `named`: the context to be in while the changes are merged.
    """
    with named:
        replay, updates = judged(changes, unpack)
        here = replay.begun()
        begun = StateStart(position_of(n), here.waits, here.known).encode()
        found = state_of(updates, begun, texts=texts, maps=maps)
    if found is None:
        return None
    update, digest, held = found
    try:
        read(update, state=True)
    except BadUpdate:  # ▲ too large: once the changes are pruned, nobody could open the object
        return None
    waits = tuple(dict.fromkeys(position >> PLACE_BITS for position in here.waits))
    return State(update=update, begun=begun, digest=digest, held=_texts(held, text_keys), waits=waits)


def _texts(held: Mapping[str, Any], text_keys: Sequence[tuple[str, str]]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for root, key in text_keys:
        text = held.get(root, {}).get(key)
        found.setdefault(root, {})[key] = text[:MAX_TEXT_CHARS] if isinstance(text, str) else ""
    return found


def state_of(
    updates: Sequence[bytes], begun: bytes = b"", *, texts: Sequence[str] = (), maps: Sequence[str] = ()
) -> tuple[bytes, bytes, dict[str, Any]] | None:
    """Merges the updates of a CRDT with the roots `texts` and `maps`. Returns (the whole as one update, the hash by
    which members attest a snapshot (sign that they have computed the same), the content of each root by its name).
    Bytes that are no update are left out. None if ids are missing, if a valid update cannot be merged, or if a
    value is nested by the thousand. `begun`: what the object's judge knows, as bytes.

    The hash: H(state vector ‖ delete set ‖ every item with its id ‖ begun). Two texts that look alike and differ in ids
    have different hashes: the next edit of one of them would be lost in the other. ▲ It does not depend on the roots,
    of which an older program knows fewer.

    ▲ If the whole, merged alone, holds another thing in a root than the updates make one by one, its hash is one that
    no reader of the whole computes: nobody attests or opens a snapshot that shows its readers another order of words.
    """
    found = merged(updates, texts, maps)
    ids = canonical(found[0]) if found is not None else None
    alone = merged([found[0]], texts, maps) if found is not None and ids is not None else None
    if found is None or alone is None:
        return None
    update, held = found
    try:
        domain = _DOMAIN if _shown(alone[1]) == _shown(held) else _OTHERWISE
        parts = json.dumps(ids, sort_keys=True, separators=(",", ":"))
    except RecursionError:  # an item holds lists in lists by the thousand
        return None
    return update, hashlib.sha256(domain + parts.encode() + begun).digest(), held


def judged(changes: Sequence[PlacedChange], unpack: Unpack) -> tuple[Replay, list[bytes]]:
    """Judges an object's changes in order (decides which of them count). Returns (the judge, the updates that count, in
    the order of their verdicts: one that waited comes after what it waited for). `unpack` is given a change's data, and
    returns the update or piece in it or raises BadChange; the change then does not count.

    Changes at position 0 are together one state to begin with; BadChange if it is damaged. Changes that were waiting in
    that state follow at their own positions.
    """
    replay, updates = Replay(unpack, _Nothing()), list[bytes]()
    begins = [change for change in changes if not change.position]
    if begins:
        update, begun = joined(begins, unpack)
        finished(replay.beginning(StateStart.decode(begun), update))
        updates.append(update)
    for count, change in enumerate(changes[len(begins) :]):
        if count % _SETTLE == 0:
            replay.no_return()
        if change.covers:
            replay.cover(change.covers)
        elif replay.takes(change.position):
            for outcome in finished(replay.taking(change)):
                if outcome.code == MERGED:
                    updates.append(replay.update(outcome.parts)[0])
    return replay, updates


def _shown(held: Mapping[str, Any]) -> str:
    """The content of roots as text, to be compared: NaN is like NaN there, and a value that no tool of ours makes is
    like any other such value."""
    return json.dumps(held, sort_keys=True, default=lambda value: value.hex() if isinstance(value, bytes) else "other")
