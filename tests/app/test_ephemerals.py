# SPDX-License-Identifier: EUPL-1.2
"""Which tool gets a colleague's ephemeral message: its kind says so, since the sender's role was judged by the kind."""

from pathlib import Path

from app.core.ids import DevId, RoomId, Uid
from app.kinds import TOOLS
from app.tool import AppTool
from app.trial import trial
from sync.client.ports import CARET, PRESENCE, TYPING
from tests.app.small_tool import SmallService, tool_parts

ROOM, WHO, DEV = RoomId(b"R" * 16), Uid(b"U" * 16), DevId(b"D" * 16)
LISTENING: list[AppTool[SmallService]] = [
    AppTool(**tool_parts() | {"id": tool.id, "kinds": (), "ephemeral": tool.ephemeral}) for tool in TOOLS
]
"""The product's tools with services that note what they receive."""


async def test_attack_a_message_is_given_to_the_tool_of_its_kind_alone(tmp_path: Path) -> None:
    """A reader may send a caret, and what says that somebody writes in the chat could lie in one."""
    async with trial(tmp_path, "Handläggare", "fyra vanliga ord, å ä ö", LISTENING) as (_, session):
        for kind, payload in ((TYPING, b"typing"), (CARET, b"caret"), (PRESENCE, b"presence"), (4, b"call")):
            session.on_ephemeral(ROOM, WHO, DEV, payload, kind)
        received = {tool.id: session.service(tool).asked for tool in LISTENING}
    assert received == {
        "chat": ["start", "typing", "close_all"],
        "documents": ["start", "caret", "close_all"],
        "tasks": ["start", "close_all"],
    }
