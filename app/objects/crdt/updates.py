# SPDX-License-Identifier: EUPL-1.2
"""Updates as bytes: checks whether bytes are an update, and merges updates."""

from collections.abc import Generator, Sequence
from typing import Any

from app.objects.crdt.library import pycrdt
from app.objects.crdt.panics import DamagedUpdate, panics
from app.objects.crdt.values import attrs_of, to_plain
from app.objects.grammar import reading
from app.objects.lib0 import MAX_BYTES, MAX_THINGS, BadUpdate
from app.objects.passed import is_remembered
from sync.pieces import finished

BATCH = 1000
"""Updates applied in one transaction. 100,000 operations in one took 66 s, in many 5 s (design/office.md)."""


def is_update(update: bytes) -> bool:
    """Whether the bytes are a valid update, or a whole object's state, by the grammar (app/objects/grammar.py), or have
    passed it before. Other bytes are never given to pycrdt."""
    return is_remembered(update) or finished(checking(update))


def checking(update: bytes) -> Generator[None, None, bool]:
    """Checks the bytes of an update as `is_update` does, in steps of at most 2 ms. A generator: it yields None after
    each step, so that other tasks can run, and at its end returns whether the update is valid. It checks the bytes also
    if they have passed before. An update that passes is remembered: `is_update` does not check it again."""
    try:
        yield from reading(update)
    except BadUpdate as bad:
        return bad.where == "clients" and (yield from _checking_state(update))
    return True


def is_short_state(state: bytes) -> bool:
    """Whether a merged state is so short that `may_be_kept` need not read it."""
    return len(state) <= MAX_THINGS


def may_be_kept(state: bytes) -> bool:
    """Whether a merged state that this program made is small enough to be merged again, here and in the worker: it may
    be no larger than an update. A state of up to MAX_THINGS bytes always is. A longer one is read to count what it
    holds, which takes 0.3 s for each MB."""
    return len(state) <= MAX_BYTES and (is_short_state(state) or finished(_checking_state(state)))


def _checking_state(update: bytes) -> Generator[None, None, bool]:
    try:
        yield from reading(update, state=True)
    except BadUpdate:
        return False
    return True


def merged(updates: Sequence[bytes], texts: Sequence[str], maps: Sequence[str]) -> tuple[bytes, dict[str, Any]] | None:
    """Merges updates in a new document with the roots `texts` and `maps`. Returns (one update with all of them in it,
    the content by root name: a text as [[text, attributes] …], a map as a dict). Bytes that are no update are left out;
    None if one that looks valid cannot be merged.

    The document has no subscribers: several may be made at once, in any thread.
    """
    doc: pycrdt.Doc[Any] = pycrdt.Doc()
    updates = [update for update in updates if is_update(update)]
    for name in texts:
        doc[name] = pycrdt.Text()
    for name in maps:
        doc[name] = pycrdt.Map()
    try:
        with panics(DamagedUpdate, "merge"):
            for start in range(0, len(updates), BATCH):
                with doc.transaction():
                    for update in updates[start : start + BATCH]:
                        doc.apply_update(update)
            held: dict[str, Any] = {name: [[t, attrs_of(a)] for t, a in doc[name].diff()] for name in texts}
            held |= {name: to_plain(doc[name]) for name in maps}
            return doc.get_update(), held
    except (DamagedUpdate, ValueError, RuntimeError):
        return None
