# SPDX-License-Identifier: EUPL-1.2
"""The one list of object kinds: a new tool adds its line here."""

from app import chat, documents, tasks
from app.objects.kind import Kind
from app.rooms.projection import KIND as ROOM_KIND

KINDS: tuple[Kind, ...] = (
    ROOM_KIND,
    chat.KIND,
    documents.KIND,
    tasks.KIND,
)
