# SPDX-License-Identifier: EUPL-1.2
"""Finds a message of a conversation by its change id."""

from app.chat.model import Message, Timeline
from app.core.ids import ChangeId


def found(timeline: Timeline, change_id: bytes | None) -> Message | None:
    """The message of the conversation with this id, also a deleted one; None if there is none, or if the id is None."""
    index = timeline.index_of(ChangeId(change_id)) if change_id else None
    return timeline.message(index) if index is not None else None
