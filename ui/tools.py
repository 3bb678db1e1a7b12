# SPDX-License-Identifier: EUPL-1.2
"""The one list of tools, in the order of a room's tabs: a new tool adds its line here."""

from ui.chat import TOOL as CHAT
from ui.documents import TOOL as DOCUMENTS
from ui.tasks import TOOL as TASKS
from ui.tool import Tool

TOOLS: tuple[Tool, ...] = (
    CHAT,
    DOCUMENTS,
    TASKS,
)
