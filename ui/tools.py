# SPDX-License-Identifier: EUPL-1.2
"""The product's one list of tools on screen, in the order of a room's tabs: a new tool adds its line here. It is an
argument of the program and its window, and nothing in ui/shell reads it."""

from ui.chat import TOOL as CHAT
from ui.documents import TOOL as DOCUMENTS
from ui.tasks import TOOL as TASKS
from ui.tool import AnyTool

TOOLS: tuple[AnyTool, ...] = (
    CHAT,
    DOCUMENTS,
    TASKS,
)
