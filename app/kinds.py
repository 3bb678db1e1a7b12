# SPDX-License-Identifier: EUPL-1.2
"""The one list of object kinds: a new tool adds its line here."""

from app.chat import KIND as CHAT
from app.documents import KIND as DOCUMENTS
from app.objects.kind import Kind
from app.personal import KIND as PERSONAL
from app.rooms.projection import KIND as ROOM
from app.tasks import KIND as TASKS

KINDS: tuple[Kind, ...] = (
    ROOM,
    CHAT,
    DOCUMENTS,
    TASKS,
    PERSONAL,
)
