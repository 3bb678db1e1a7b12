# SPDX-License-Identifier: EUPL-1.2
"""The changes that a document with a text begins with. Nothing is stored here."""

from collections.abc import Sequence
from contextlib import closing

from app.objects import pieces
from app.richtext.flow import Block
from app.richtext.model import Document


def first_changes(title: str, blocks: Sequence[Block]) -> list[bytes]:
    """The data of the changes that make up a new document: first its title, then all of its text as one update, which
    is cut into several changes if it is long. May run in a thread: the text is inserted in many steps, so the event
    loop gets Python's lock in between."""
    updates: list[bytes] = []
    with closing(Document(updates.append)) as document:
        document.set_up(title)
        begun, first = document.state(), list(updates)
        document.fill(blocks)
        made = [data for update in first for data in pieces.encode(update, document.title)]
        return [*made, *pieces.encode(document.diff(begun))]
