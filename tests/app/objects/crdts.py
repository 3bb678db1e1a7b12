# SPDX-License-Identifier: EUPL-1.2
"""The CRDT below a model: for tests that write what no model writes, as another program would."""

from app.objects.crdt import CrdtDoc
from app.richtext.model import Document
from app.tasks.model import Board


def crdt_of(model: Document | Board) -> CrdtDoc:
    """The CRDT under a document or a board. Its roots are named in app/objects/FORMAT.md."""
    return model._crdt if isinstance(model, Document) else model._doc
