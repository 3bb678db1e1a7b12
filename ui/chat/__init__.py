# SPDX-License-Identifier: EUPL-1.2
"""Chat on screen."""

from typing import Any

from PySide6.QtWidgets import QWidget

from app.chat import KIND
from app.chat.tool import TOOL as CHAT
from app.core.ids import ObjId, RoomId
from ui.chat.view import ChatView
from ui.tool import Tool


def _open(session: Any, room: RoomId, obj: ObjId | None, parent: QWidget | None) -> QWidget:
    return ChatView(session.service(CHAT), room, parent)


TOOL = Tool(id="chat", title="Chat", icon="chat", kinds=(KIND.id,), open=_open)
