# SPDX-License-Identifier: EUPL-1.2
"""Makes the changes with which a document that has a text begins. Stores nothing."""

from collections.abc import Sequence
from contextlib import closing

from app.objects import pieces
from app.objects.crdt import is_update
from app.richtext.flow import Block
from app.richtext.model import Document


def first_changes(title: str, blocks: Sequence[Block]) -> list[bytes]:
    """Returns the data of the changes that make up a new document, in the order in which they are to be stored: first
    those with its title, then all of its text as one update, which is cut into several changes if it has more than
    about 192 KiB. Any thread. The text is inserted in many steps, so a caller's thread gives Python's lock to the event
    loop in between."""
    updates: list[bytes] = []
    with closing(Document(updates.append)) as document:
        document.set_up(title)
        begun, first = document.state(), list(updates)
        document.fill(blocks)
        made = [data for update in first for data in pieces.encode(update, document.title)]
        text = document.diff(begun)
        is_update(text)  # it is then not checked again on the event loop, where it is stored
        return [*made, *pieces.encode(text)]
