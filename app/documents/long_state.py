# SPDX-License-Identifier: EUPL-1.2
"""Tries whether this installation makes the state of a long document in a process of its own."""

import contextlib

from app.core.ids import ChangeId, Uid
from app.documents import KIND
from app.objects.crdt import CrdtDoc
from app.objects.pieces import encode
from app.worker.states import SMALL_CHANGES, States
from sync.client.placed_changes import PlacedChange, position_of


def state_of_a_long_document(words: str) -> bool:
    """Tests this installation: makes the merged state of a document with many edits in a separate process. `words`: the
    text of each edit. Returns whether a state was made. Blocks for about a second: call it in a thread. WorkerDied,
    WorkerUnavailable."""
    changes = list[PlacedChange]()
    with contextlib.closing(CrdtDoc(texts=("text",))) as writer:
        for n in range(1, SMALL_CHANGES + 2):
            before = writer.state()
            with writer.transact():
                writer.text("text").insert(0, words)
            [data] = encode(writer.diff(before))
            changes.append(PlacedChange(position_of(n), ChangeId(n.to_bytes(16, "big")), Uid(bytes(16)), n, data))
    states = States()
    compact = states.kinds([KIND])[KIND.id].compact
    try:
        made = compact(changes, len(changes)) if compact is not None else None
    finally:
        states.close()
    return made is not None and bool(made.changes)
